"""A sweep of 500 cells over a year of one-minute bars, the full fill model on: CPU, memory, and the same cells singly.

The rules: EMA crossing (10 fast x 10 slow) confirmed by RSI14 (5 levels), stop 2 ATR14, target 3. Beside it the same
loop at every bar (`dense`), which jumping must equal trade for trade.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from aister.bench import Figure
from aister.bench.data import SPANS, seeded_market
from aister.features.columns import FeatureColumns
from aister.lab.backtest import Record, backtest_spec
from aister.lab.batch import run
from aister.lab.draws import Search
from aister.lab.prepare import prepare
from aister.lab.settings import Settings, model_of, plan_of
from aister.lab.space import axis, grid, placed
from aister.lab.sweep import Sweep, Threads, sweep
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.spec import read_spec

__all__ = ["RULES", "measure", "search"]

RULES: dict[str, Any] = {
    "version": 1,
    "name": "bench_ema_cross",
    "timeframe": "1m",
    "let": {
        "fast": {"feature": "ema", "span": 20},
        "slow": {"feature": "ema", "span": 50},
        "level": 50,
        "atr": {"feature": "atr", "span": 14},
    },
    "long": {
        "entry": {
            "and": [
                {"crosses_above": [{"use": "fast"}, {"use": "slow"}]},
                {">": [{"feature": "rsi", "span": 14}, {"use": "level"}]},
            ]
        },
        "stop": {"distance": {"*": [2, {"use": "atr"}]}},
        "targets": [{"distance": {"*": [3, {"use": "atr"}]}}],
    },
    "short": "mirror",
    "horizon": {"minutes": 10_000},
}
_SINGLY, _DENSE = 25, 5
_TARGET_S, _TARGET_MB = 52.6 / 25, 500.0


def search(quick: bool = False) -> Search:
    """10 x 10 x 5 cells, or 3 x 4 x 5 of them."""
    fast, slow = ("10:50:20", "60:150:30") if quick else ("5:50:5", "60:150:10")
    texts = (f"fast={fast}", f"slow={slow}", "level=45,48,50,52,55")
    return Search(axes=tuple(axis(text, RULES) for text in texts))


def measure(quick: bool) -> Iterator[Figure]:
    """CPU seconds, combo-bars a second and peak memory of the sweep in a process of its own, with one thread and with
    two; 25 random cells run singly; 5 cells at every bar."""
    one, two = _child(quick, 1), _child(quick, 2)
    cells, bars = int(one["cells"]), int(one["bars"])
    per = one["cpu_s"] / cells
    target = _TARGET_S / 500 * cells
    met = "target met" if one["cpu_s"] <= target else "target MISSED"
    note = f"{met} ({target:.2f} s: 25 times vectorbt's Rust engine, which models less); {cells} cells, {bars:,} bars"
    yield Figure("sweep, CPU", one["cpu_s"], "s", None, None, f"{note}; {one['trades']:,.0f} trades")
    yield Figure("a cell, CPU", per * 1e3, "ms", one["dense_s"] * 1e3, one["dense_s"] / per, "beside every bar visited")
    yield Figure("combo-bars", cells * bars / one["cpu_s"] / 1e6, "M/s", None, None, "of CPU, one thread")
    shared = f"CPU {two['cpu_s']:.2f} s; ratio = one thread's wall / this"
    yield Figure("two threads, wall", two["wall_s"], "s", one["wall_s"], one["wall_s"] / two["wall_s"], shared)
    met = "target met" if one["peak_mb"] <= _TARGET_MB else "target MISSED"
    yield Figure(
        "peak memory", one["peak_mb"], "MB", None, None, f"{met} ({_TARGET_MB:.0f} MB), two {two['peak_mb']:.0f}"
    )
    yield Figure(
        "equal singly", one["equal"], "cells", one["singly"], one["equal"] / one["singly"], "random cells, re-run"
    )
    yield Figure(
        "equal at every bar", one["dense_equal"], "cells", _DENSE, one["dense_equal"] / _DENSE, "trade for trade"
    )


def _child(quick: bool, threads: int) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "aister.bench.sweep", "quick" if quick else "full", str(threads)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    result: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return result


def _main() -> None:
    quick, threads = sys.argv[1] == "quick", int(sys.argv[2])
    bars = SPANS["1 year"] // (4 if quick else 1)
    market, wanted = seeded_market(bars), search(quick)
    warm = msgspec.structs.replace(
        wanted, axes=tuple(msgspec.structs.replace(a, values=a.values[:1]) for a in wanted.axes)
    )
    sweep(RULES, seeded_market(3_000), warm)
    cpu_s, wall_s = time.process_time(), time.monotonic()
    table = sweep(RULES, market, wanted, runner=Threads(threads))
    cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1_048_576 if sys.platform == "darwin" else 1_024)
    told = {"cells": len(table), "bars": bars, "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak}
    told["trades"] = float(np.nansum(table["trades"]))
    if threads == 1:
        rows = np.random.default_rng(1).permutation(len(table))[: min(_SINGLY, len(table))]
        told |= {"singly": len(rows), "equal": _equal_singly(table, wanted, market, rows)}
        told["dense_s"], told["dense_equal"] = _dense(wanted, market)
    print(json.dumps(told))


def _equal_singly(table: Sweep, wanted: Search, market: Any, rows: Any) -> int:
    """How many of these cells are to the unit what a backtest of their rules makes."""
    cells, _ = grid(wanted.axes)
    settings, equal = Settings(random_draws=0), 0
    for row in rows:
        alone = backtest_spec(read_spec(placed(RULES, wanted.axes, cells[row])), market, settings, Record())
        equal += int(alone.trades_digest == table["digest"][row])
    return equal


def _dense(wanted: Search, market: Any) -> tuple[float, int]:
    """Seconds a cell of the loop at every bar, and how many cells came out equal."""
    cells, _ = grid(wanted.axes)
    settings, series = Settings(), market.series[0]
    columns, equal, spent = FeatureColumns(series), 0, 0.0
    for cell in cells[:: max(1, len(cells) // _DENSE)][:_DENSE]:
        spec = read_spec(placed(RULES, wanted.axes, cell))
        model, plan = model_of(spec, settings), plan_of(spec, settings)
        prepared = [prepare(series, model, [spec.interval_ms])]
        signals = {series.symbol: compile_spec(spec, columns, model.round_trip_e8(series.instrument))}
        jumped = run(prepared, signals, plan, model, settings.capital)
        began = time.process_time()
        every = run(prepared, signals, plan, model, settings.capital, dense=True)
        spent += time.process_time() - began
        equal += int(every.trades.tobytes() == jumped.trades.tobytes())
    return spent / _DENSE, equal


if __name__ == "__main__":
    _main()
