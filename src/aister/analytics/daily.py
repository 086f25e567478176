"""Daily returns: mark to market from one 00:00 UTC to the next, on allotted capital, flat days included (Q11)."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = [
    "ANNUAL_DAYS",
    "DAY_MS",
    "YEAR_DAYS",
    "DailyEquity",
    "daily_returns",
    "returns_of",
    "seen_daily",
    "unit_values",
]

DAY_MS = 86_400_000
YEAR_DAYS = 365
ANNUAL_DAYS = 90
"""Whole days below which no annualised figure is shown (Q11)."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class DailyEquity(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An account seen once a day. Money is int64 1e-8 quote units.

    span_ms    open of the first bar, close of the last;   capital: allotted at the start;   final: equity at the end
    first_day  UTC day (days since 1970) of the first whole day in the span
    marks      equity at 00:00 UTC of first_day, first_day + 1, ..., shape (days + 1,); empty without a midnight
    transfers  moved in (negative: out) during each of these days, shape (days,); empty = none
    moved      all transfers of the span
    """

    span_ms: tuple[int, int]
    capital: int
    final: int
    first_day: int
    marks: Ints
    transfers: Ints = np.empty(0, np.int64)
    moved: int = 0

    @property
    def net(self) -> int:
        """What was gained: equity at the end, transfers taken out, less capital."""
        return self.final - self.capital - self.moved


def daily_returns(
    times_ms: Sequence[int],
    amounts: Sequence[int],
    transfers: Sequence[tuple[int, int]],
    capital: int,
    span_ms: tuple[int, int],
) -> Floats:
    """Mark-to-market change from one 00:00 UTC to the next over allotted capital, flat days included, transfers taken
    out.

    Only whole days inside the span count. Equity at a midnight is that of the newest point not after it.
    """
    first, last = -(-span_ms[0] // DAY_MS), span_ms[1] // DAY_MS
    marks = [_at(times_ms, amounts, day * DAY_MS, capital) for day in range(first, last + 1)]
    moved = [0] * max(0, last - first)
    for time_ms, amount in transfers:
        day = (time_ms - 1) // DAY_MS - first
        if 0 <= day < len(moved):
            moved[day] += amount
    return _returns(np.array(marks, np.int64), np.array(moved, np.int64), capital)


def seen_daily(times_ms: Ints, amounts: Ints, capital: int) -> DailyEquity:
    """Equity as a batch run gives it (at the start, each 00:00 UTC and the end, by rising time, no transfers) day by
    day. The mark of a midnight is the newest point not after it."""
    start, end = int(times_ms[0]), int(times_ms[-1])
    first, last = -(-start // DAY_MS), end // DAY_MS
    midnights = DAY_MS * np.arange(first, last + 1, dtype=np.int64)
    marks = amounts[np.searchsorted(times_ms, midnights, "right") - 1]
    return DailyEquity(span_ms=(start, end), capital=capital, final=int(amounts[-1]), first_day=first, marks=marks)


def returns_of(equity: DailyEquity) -> Floats:
    """(mark of the next day - mark - transfers) / capital, shape (days,). Fixed capital in the denominator: they add
    up to the net return, they do not compound."""
    moved = equity.transfers if len(equity.transfers) else np.zeros(max(0, len(equity.marks) - 1), np.int64)
    return _returns(equity.marks, moved, equity.capital)


def unit_values(equity: DailyEquity) -> Floats:
    """Value of one unit of NAV (Q23) at each mark, the first = 1: a day multiplies it by (next mark - transfers) /
    mark, so deposits and withdrawals never move it. 0 from the day on which the account was lost."""
    if len(equity.marks) < 2:
        return np.ones(len(equity.marks))
    moved = equity.transfers if len(equity.transfers) else np.zeros(len(equity.marks) - 1, np.int64)
    growth = np.maximum(0.0, (equity.marks[1:] - moved) / np.maximum(1, equity.marks[:-1]))
    return np.concatenate([[1.0], np.cumprod(growth)])


def _returns(marks: Ints, moved: Ints, capital: int) -> Floats:
    returns: Floats = (np.diff(marks) - moved) / capital if len(marks) > 1 else np.empty(0)
    return returns


def _at(times_ms: Sequence[int], amounts: Sequence[int], time_ms: int, before: int) -> int:
    index = bisect_right(times_ms, time_ms) - 1
    return amounts[index] if index >= 0 else before
