"""The C loop beside the batch loop on one file of bars, trade by trade: `python -m bench.peers.c_equality BARS.npz`.

Both without impact, and with entries that may wait as long as they like: the C loop knows neither. Prints "equal" with
the number of trades, or the first difference, and ends with 1 then.
"""

import sys
from typing import Any

import msgspec
import numpy as np

from aister.bench.backtest import CAPITAL, RULES
from aister.features.columns import FeatureColumns
from aister.lab.batch import run
from aister.lab.prepare import prepare
from aister.lab.settings import Settings, model_of, plan_of
from aister.ports.signals import Signals
from aister.sim.models import FillModel
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.spec import read_spec
from bench.peers import c_loop
from bench.peers.aister_single import series_of
from bench.peers.shared import load

FOREVER_MS = 10**12


def ours(bars: dict[str, Any]) -> np.ndarray:
    """A row a trade as `c_loop.trades` has them, of the batch loop."""
    series, spec = series_of(bars), read_spec(RULES)
    settings = Settings(capital=CAPITAL, model=msgspec.structs.replace(FillModel(), impact=None))
    model = model_of(spec, settings)
    found = compile_spec(spec, FeatureColumns(series), cost_e8=0)
    setups = found.setups.copy()
    setups["life_ms"] = setups["horizon_ms"] = FOREVER_MS
    prepared = prepare(series, model, (series.interval_ms,))
    made = run([prepared], {series.symbol: Signals(setups, found.exits)}, plan_of(spec, settings), model, CAPITAL)
    opened = [made.trades[name] // series.interval_ms * series.interval_ms for name in ("entry_ms", "exit_ms")]
    return np.stack([*opened, CAPITAL + np.cumsum(made.trades["pnl"])], axis=1)


def difference(bars: dict[str, Any]) -> str:
    """The first difference in words; empty when there is none."""
    _, theirs = c_loop.trades(bars)
    mine = ours(bars)
    n = min(len(mine), len(theirs))
    for i in np.flatnonzero((mine[:n] != theirs[:n]).any(axis=1))[:1]:
        return f"trade {i}: (entry, exit, wallet) ours {mine[i].tolist()}, C {theirs[i].tolist()}"
    return "" if len(mine) == len(theirs) else f"ours {len(mine)} trades, C {len(theirs)}, the first {n} equal"


def main() -> int:
    bars = load(sys.argv[1])
    try:
        found = difference(bars)
    except FileNotFoundError as missing:
        print(f"not compared: {missing}")
        return 0
    print(found or f"equal: {len(c_loop.trades(bars)[1]):,} trades, bar for bar and to the unit of money")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
