"""The bench's two strategies are one: at every bar and behind a filter they trade alike."""

import numpy as np

from aister.adapters.sandbox.run import run_python_strategy
from aister.adapters.sandbox.source import PythonSource
from aister.bench import BENCHES
from aister.bench.data import seeded_market
from aister.bench.strategy import EVERY_BAR, FILTERED
from aister.core.money import UNIT
from aister.lab.batch import Plan
from aister.sim.models import FillModel


def test_every_bar_and_filtered_trade_alike() -> None:
    assert "strategy" in BENCHES
    market = seeded_market(6_000)
    plain, quick = (
        run_python_strategy(PythonSource("cross.py", text, ""), market, Plan(), FillModel(), 100_000 * UNIT)
        for text in (EVERY_BAR, FILTERED)
    )
    assert np.array_equal(plain.signals.setups, quick.signals.setups) and len(plain.simulated.trades) > 50
    assert quick.filtered and not plain.filtered
