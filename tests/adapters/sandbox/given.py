"""A small market and a strategy file to run over it."""

from pathlib import Path

import numpy as np

from aister.adapters.sandbox.limits import Allowance
from aister.adapters.sandbox.run import PythonRun, run_python_strategy
from aister.adapters.sandbox.source import PythonSource, read_strategy
from aister.core.money import UNIT
from aister.lab.batch import Plan
from aister.ports.market import Market, Series
from aister.sim.models import FillModel
from tests.kernels.walks import MINUTE_MS, START_MS, walk
from tests.strategy.scenes import instrument

HOSTILE = Path(__file__).parent / "hostile"
CAPITAL = 10_000 * UNIT
QUICK = Allowance(cpu_s=20, wall_s=20.0, load_s=60.0, memory_mb=1_024, answer_mb=8)


def market(bars: int = 600, seed: int = 3, start: int = 0) -> Market:
    """A random walk of minutes around 50,000, with funding at the full eight hours."""
    made = walk(bars, seed, start=50_000.0)
    grid = [np.round(column, 1) for column in (made.o, made.h, made.l, made.c)]
    settled = np.arange(START_MS, START_MS + bars * MINUTE_MS, 8 * 3_600_000)
    series = Series(
        instrument=instrument(),
        interval_ms=MINUTE_MS,
        open_ms=made.open_time_ms,
        open=grid[0],
        high=np.maximum.reduce(grid),
        low=np.minimum.reduce(grid),
        close=grid[3],
        volume=np.round(made.v, 3),
        funding_ms=settled,
        funding_e8=np.full(len(settled), 10_000),
        start=start,
    )
    return Market((series,), (START_MS, START_MS + bars * MINUTE_MS), "0" * 64)


def inline(text: str) -> PythonSource:
    return PythonSource("inline.py", text, "0" * 64)


def run(source: PythonSource | str, allowance: Allowance = QUICK, **given: object) -> PythonRun:
    """A hostile file by its name, or a source, over the small market."""
    read = read_strategy(HOSTILE / f"{source}.py") if isinstance(source, str) else source
    over = given.pop("market", None) or market()
    return run_python_strategy(read, over, Plan(), FillModel(), CAPITAL, allowance=allowance, **given)  # type: ignore[arg-type]
