"""Trades told apart: by side, symbol, weekday, kill zone and cash session of their entry."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.outcomes import expectancy_r, profit_factor, win_rate
from aister.core.money import UNIT
from aister.features.sessions import KILL_ZONES, session_values

__all__ = ["WEEKDAYS", "Group", "groups"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]


class Group(msgspec.Struct, frozen=True):
    """The trades of one group, net of everything; `pnl`, `costs` (fees + funding + slippage) and `expectancy` (mean
    P&L) in quote currency; None where not defined."""

    name: str
    trades: int
    pnl: float
    costs: float
    win_rate: float | None
    profit_factor: float | None
    expectancy: float
    expectancy_r: float | None


def groups(trades: Rows, symbols: Sequence[str]) -> dict[str, tuple[Group, ...]]:
    """Tables by name: side, symbol, weekday (UTC), kill_zone (New York spans of `features.sessions`, else "outside"),
    session (London and New York cash hours: "london", "london + new_york", "new_york", "closed"). A trade belongs
    where it was entered. Groups without trades are left out.

    trades: dtype TRADE, shape (n,); symbols: name of each series that `symbol` counts."""
    keys: dict[str, tuple[list[str], Callable[[np.void], str]]] = {
        "side": (["long", "short"], lambda t: "long" if t["side"] > 0 else "short"),
        "symbol": (list(symbols), lambda t: symbols[t["symbol"]]),
        "weekday": (list(WEEKDAYS), lambda t: WEEKDAYS[(int(t["entry_ms"]) // _DAY_MS + 3) % 7]),
        "kill_zone": ([*KILL_ZONES, "outside"], lambda t: _kill_zone(int(t["entry_ms"]))),
        "session": (["london", "london + new_york", "new_york", "closed"], lambda t: _session(int(t["entry_ms"]))),
    }
    tables = {}
    for table, (names, key) in keys.items():
        belongs = np.array([key(t) for t in trades], object)
        tables[table] = tuple(_group(name, trades[belongs == name]) for name in names if (belongs == name).any())
    return tables


def _group(name: str, trades: Rows) -> Group:
    pnl, risk = trades["pnl"], trades["risk"]
    costs = int((trades["fees"] + trades["funding"] + trades["slippage"]).sum())
    total = int(pnl.sum()) / UNIT
    return Group(
        name=name,
        trades=len(trades),
        pnl=total,
        costs=costs / UNIT,
        win_rate=win_rate(pnl),
        profit_factor=profit_factor(pnl),
        expectancy=total / len(trades),
        expectancy_r=expectancy_r(pnl, risk),
    )


def _at(time_ms: int) -> dict[str, Any]:
    return session_values(time_ms - time_ms % _MINUTE_MS)


def _kill_zone(time_ms: int) -> str:
    values = _at(time_ms)
    return next((zone for zone in KILL_ZONES if values[f"session.kill_zone_{zone}"]), "outside")


def _session(time_ms: int) -> str:
    values = _at(time_ms)
    open_now = [name for name in ("london", "new_york") if values[f"session.{name}_is_open"]]
    return " + ".join(open_now) or "closed"
