"""What trades came to, from their columns: hit rate, pay-off, costs, exposure. Money is int 1e-8 quote units on the way
in and quote currency on the way out; what is not defined is None."""

import numpy as np
import numpy.typing as npt

__all__ = [
    "AMBIGUOUS_SHARE",
    "cost_shares",
    "covered_ms",
    "expectancy_r",
    "needs_lower_timeframe",
    "profit_factor",
    "win_rate",
]

AMBIGUOUS_SHARE = 0.10
"""Share of the net profit above which a gain from target-first marks a result (Q3)."""

Ints = npt.NDArray[np.int64]


def win_rate(pnl: Ints) -> float | None:
    """Share of trades with net P&L above 0. None without trades."""
    return float((pnl > 0).mean()) if len(pnl) else None


def profit_factor(pnl: Ints) -> float | None:
    """Sum of winning net P&L / -sum of losing net P&L. None without a losing trade."""
    won, lost = int(pnl[pnl > 0].sum()), -int(pnl[pnl < 0].sum())
    return won / lost if lost else None


def expectancy_r(pnl: Ints, risk: Ints) -> float | None:
    """Mean of net P&L / planned risk over the trades that had one. None without any."""
    known = risk > 0
    return float((pnl[known] / risk[known]).mean()) if known.any() else None


def cost_shares(net: int, costs: dict[str, int]) -> tuple[int, dict[str, float] | None]:
    """(Profit before costs = net + costs, each cost's share of it); the shares are None where nothing was earned before
    costs."""
    before = net + sum(costs.values())
    return before, {name: paid / before for name, paid in costs.items()} if before > 0 else None


def covered_ms(opened_ms: Ints, closed_ms: Ints, span_ms: tuple[int, int]) -> int:
    """Length of the union of the intervals [opened, closed), cut to the span."""
    start, end = span_ms
    order = np.argsort(opened_ms, kind="stable")
    opened = np.clip(opened_ms[order], start, end)
    closed = np.clip(closed_ms[order], start, end)
    until = np.concatenate([[start], np.maximum.accumulate(closed)[:-1]]) if len(closed) else closed
    return int(np.maximum(0, closed - np.maximum(opened, until)).sum())


def needs_lower_timeframe(gain: int, net: int) -> bool:
    """Whether the order inside ambiguous bars decides too much: target-first would add more than 10 % of the net
    result."""
    return gain > 0 and gain > AMBIGUOUS_SHARE * abs(net)
