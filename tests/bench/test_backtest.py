"""The backtest bench runs what it says: its parts are a backtest, and beside it stands a loop without costs."""

import numpy as np
import pytest

from aister.bench import BENCHES
from aister.bench.backtest import CAPITAL, PARTS, RULES, bare, ran
from aister.bench.data import seeded_market, seeded_series
from aister.lab.backtest import Record, backtest_spec
from aister.lab.settings import Settings
from aister.strategy.spec.spec import read_spec


def test_its_parts_are_a_backtest_but_for_the_floor_under_stops() -> None:
    """Trades that enter together where the floor of three round trips did not move the stop are the same trades."""
    assert "backtest" in BENCHES
    simulated, parts = ran(seeded_series(6_000))
    assert tuple(parts) == PARTS and all(seconds >= 0 for seconds in parts.values())
    whole = backtest_spec(read_spec(RULES), seeded_market(6_000), Settings(capital=CAPITAL, random_draws=0), Record())
    names = ["entry_ms", "exit_ms", "side", "entry_ticks", "exit_ticks", "reason"]
    mine, theirs = (set(map(tuple, trades[names].tolist())) for trades in (simulated.trades, whole.trades))
    assert len(mine) > 80 and len(mine & theirs) > 5
    assert simulated.trades["fees"].min() > 0 and np.any(simulated.trades["slippage"] > 0)


def test_the_bare_loop_trades_about_as_often() -> None:
    series = seeded_series(20_000)
    assert bare(series) == pytest.approx(len(ran(series)[0].trades), rel=0.02)
