"""Our trades of the oracle month: the batch loop under a fill model reduced to what the oracles have."""

from typing import NamedTuple

import numpy as np

from aister.bench.data import MINUTE_MS
from aister.core.money import RATE_ONE
from aister.execution.bracket import ManagementRules
from aister.kernels.signals import EXIT, SETUP
from aister.kernels.trades import REASONS
from aister.lab.batch import Plan, run
from aister.lab.prepare import prepare
from aister.ports.market import Series
from aister.ports.signals import Signals
from aister.sim.models import FillModel, Slippage

__all__ = ["Trade", "trades"]

MODEL = FillModel(
    slippage=Slippage((("BTC", 10_000),), stop_floor_e8=0, stop_range_percent=0), impact=None, volume_share_e4=0
)
PLAN = Plan(risk_e8=RATE_ONE // 100_000, management=ManagementRules(break_even_after=99, trail_share_e4=0))
"""So little at risk that size, margin and liquidation are nowhere felt; the stop stays where it is."""

CAPITAL = 10**15
NEVER_MS = 10**12


class Trade(NamedTuple):
    """Bars of entry and exit, side, prices in quote, and "stop" or "target" (or "close": refused orders)."""

    entry: int
    exit: int
    side: int
    paid: float
    got: float
    reason: str


def trades(series: Series, signals: list[list[int]]) -> list[Trade]:
    """One bracket at a time: a market entry at the open after a signal, its stop and target beside it at once."""
    setups = np.zeros(len(signals), SETUP)
    for row, (at, side, stop, target) in zip(setups, signals, strict=True):
        row["time_ms"], row["side"] = series.open_ms[at] + MINUTE_MS, side
        row["entry_ticks"], row["stop_ticks"] = round(series.close[at] * 100), stop
        row["targets"], row["target_ticks"][0], row["share_e4"][0] = 1, target, 10_000
        row["horizon_ms"] = row["life_ms"] = NEVER_MS
    given = {series.symbol: Signals(setups, np.zeros(0, EXIT))}
    made = run([prepare(series, MODEL, (MINUTE_MS,))], given, PLAN, MODEL, CAPITAL)
    entered, left = (
        np.searchsorted(series.open_ms, made.trades[name], "right") - 1 for name in ("entry_ms", "exit_ms")
    )
    return [
        Trade(int(a), int(b), int(t["side"]), t["entry_ticks"] / 100, t["exit_ticks"] / 100, REASONS[t["reason"]])
        for a, b, t in zip(entered, left, made.trades, strict=True)
    ]
