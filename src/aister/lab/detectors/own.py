"""The trades of a batch run as claims, so that they are judged like anybody's."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aister.kernels.trades import LIQUIDATION, STOP, TARGET
from aister.lab.batch import Simulated
from aister.lab.detectors.fills import ClaimedFill, ClaimedTrade, StopMove
from aister.ports.market import Market
from aister.ports.signals import Signals

__all__ = ["claims_of"]

_ORDERS = {STOP: "stop", TARGET: "target", LIQUIDATION: "liquidation"}


def claims_of(
    simulated: Simulated, signals: Mapping[str, Signals], market: Market, *, stops_stay: bool
) -> list[ClaimedTrade]:
    """First and last fill of each trade. stops_stay: stops are never moved and work from the bar of the entry on, so
    that they can be judged too."""
    by_symbol = {one.symbol: one for one in market.series}
    claims = []
    for row in simulated.trades:
        series = by_symbol[simulated.symbols[int(row["symbol"])]]
        setup = _setup(row, signals[series.symbol].setups)
        price, side = series.instrument.price, int(row["side"])
        order = "limit" if setup is not None and setup["limit"] else "market"
        entry = ClaimedFill(
            int(row["entry_ms"]),
            price(int(row["entry_ticks"])),
            order,
            None if setup is None else int(setup["time_ms"]),
            price(int(setup["entry_ticks"])) if setup is not None and setup["limit"] else None,
        )
        reason = _ORDERS.get(int(row["reason"]), "market")
        left = ClaimedFill(int(row["exit_ms"]), price(int(row["exit_ticks"])), reason, None, _target(price, row, setup))
        stops: tuple[StopMove, ...] = ()
        if stops_stay and setup is not None:
            stops = (StopMove(entry.time_ms, price(int(setup["stop_ticks"]))),)
        claims.append(ClaimedTrade(series.symbol, side, entry, left, stops))
    return claims


def _setup(row: Any, setups: Any) -> np.void | None:
    """The setup it came from: the last of its side before the entry."""
    before = np.flatnonzero((setups["time_ms"] <= row["entry_ms"]) & (setups["side"] == row["side"]))
    index = int(row["setup"])
    if 0 <= index < len(setups) and index in before:
        return setups[index]  # type: ignore[no-any-return]
    return None


def _target(price: Any, row: Any, setup: np.void | None) -> float | None:
    if setup is None or row["reason"] != TARGET:
        return None
    return float(price(int(setup["target_ticks"][int(setup["targets"]) - 1])))
