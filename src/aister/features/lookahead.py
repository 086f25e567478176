"""Look-ahead detector: does anything that claims to be known at a moment change when only later bars change?

    table = compute(bars)                    every row says when it claims to be known
    for each cut: bars closing after it are dropped, or replaced by noise; rows claimed at or before the cut must stay

It needs no knowledge of how the values are made, so it judges our own features and anybody's code alike (Q19).
"""

from collections.abc import Callable, Iterable

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Bars", "Lookahead", "Table", "every_cut", "find_lookahead", "random_cuts", "with_other_future"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Bars(msgspec.Struct, frozen=True):
    """Bars of one symbol and interval as columns, oldest first; bar i closes at open_time_ms[i] + interval_ms."""

    interval_ms: int
    open_time_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.open_time_ms)

    @property
    def close_time_ms(self) -> Ints:
        return self.open_time_ms + self.interval_ms

    def first(self, count: int) -> "Bars":
        """A copy of the first `count` bars."""
        prices = [column[:count].copy() for column in (self.open, self.high, self.low, self.close, self.volume)]
        return Bars(self.interval_ms, self.open_time_ms[:count].copy(), *prices)


class Table(msgspec.Struct, frozen=True):
    """Values by column, a row each, and when each row claims to be known (ms). Rows need not be one per bar."""

    known_at_ms: Ints
    columns: dict[str, Floats]


Compute = Callable[[Bars], Table]


class Lookahead(msgspec.Struct, frozen=True):
    """Proof that `column` looks ahead: row `row`, claimed known at `claimed_ms`, is another one when the bars
    closing after `cut_ms` (not before the claim) are. `reach_ms`: bars closing up to that long after the claim
    still change it; None where a row appeared or vanished, so that there is no value to follow."""

    column: str
    row: int
    claimed_ms: int
    cut_ms: int
    reach_ms: int | None

    def __str__(self) -> str:
        how = (
            f"comes or goes with bars that close after {self.cut_ms}"
            if self.reach_ms is None
            else f"changes with bars that close up to {self.reach_ms} ms later"
        )
        return f"{self.column}: row {self.row}, claimed known at {self.claimed_ms}, {how}"


def every_cut(bars: Bars) -> Ints:
    """Every moment at which one bar has closed and another is still to come."""
    return bars.close_time_ms[:-1]


def random_cuts(bars: Bars, count: int, seed: int) -> Ints:
    """`count` such moments, drawn without replacement (all of them where there are fewer), ascending."""
    moments = every_cut(bars)
    return np.sort(np.random.default_rng(seed).choice(moments, min(count, len(moments)), replace=False))


def with_other_future(bars: Bars, cut_ms: int, seed: int) -> Bars:
    """The bars with all that close after `cut_ms` replaced by valid, wild ones: 2 % a bar, volumes 1 to 10^4 times
    usual."""
    kept = int(np.searchsorted(bars.close_time_ms, cut_ms, side="right"))
    changed = bars.first(len(bars))
    count = len(bars) - kept
    if count == 0:
        return changed
    rng = np.random.default_rng((seed, kept))
    start = bars.close[kept - 1] if kept else bars.open[0]
    closes = start * np.exp(np.cumsum(rng.normal(0.0, 0.02, count)))
    opens = np.concatenate(([start * 1.01], closes[:-1]))
    changed.open[kept:], changed.close[kept:] = opens, closes
    changed.high[kept:] = np.maximum(opens, closes) * (1.0 + rng.exponential(0.01, count))
    changed.low[kept:] = np.minimum(opens, closes) / (1.0 + rng.exponential(0.01, count))
    changed.volume[kept:] = (1.0 + bars.volume.mean()) * 10.0 ** rng.uniform(0.0, 4.0, count)
    return changed


def find_lookahead(compute: Compute, bars: Bars, cuts_ms: Iterable[int], seed: int) -> tuple[Lookahead, ...]:
    """The first offending row of each column that looks ahead, in the order of the columns; empty if none was found.

    Two computations per cut (future dropped, future replaced). "First" is the lowest row that any of the cuts
    exposed. Values are compared bit for bit, nan equal to nan.
    """
    truth = compute(bars)
    worst: dict[str, tuple[int, int]] = {}
    for cut_ms in cuts_ms:
        kept = int(np.searchsorted(bars.close_time_ms, cut_ms, side="right"))
        for other in (bars.first(kept), with_other_future(bars, int(cut_ms), seed)):
            for column, row in _changed(truth, compute(other), int(cut_ms)):
                if column not in worst or row < worst[column][0]:
                    worst[column] = (row, int(cut_ms))
    return tuple(
        _finding(compute, bars, truth, column, *worst[column], seed) for column in truth.columns if column in worst
    )


def _changed(truth: Table, other: Table, cut_ms: int) -> Iterable[tuple[str, int]]:
    rows = np.flatnonzero(truth.known_at_ms <= cut_ms)
    others = np.flatnonzero(other.known_at_ms <= cut_ms)
    shared = min(len(rows), len(others))
    moved = truth.known_at_ms[rows[:shared]] != other.known_at_ms[others[:shared]]
    for column, values in truth.columns.items():
        a, b = values[rows[:shared]], other.columns[column][others[:shared]]
        different = np.flatnonzero(moved | ~((a == b) | (np.isnan(a) & np.isnan(b))))
        if len(different):
            yield column, int(rows[different[0]])
        elif len(rows) != len(others):
            yield column, int(rows[shared]) if len(rows) > shared else len(truth.known_at_ms)


def _finding(compute: Compute, bars: Bars, truth: Table, column: str, row: int, cut_ms: int, seed: int) -> Lookahead:
    """Where a value stops reacting to later and later changes is how far it looks."""
    if row >= len(truth.known_at_ms):
        return Lookahead(column, row, cut_ms, cut_ms, None)
    claimed_ms, value = int(truth.known_at_ms[row]), truth.columns[column][row]

    def reacts(kept: int) -> bool:
        other = compute(with_other_future(bars, int(bars.close_time_ms[kept - 1]), seed))
        if row >= len(other.known_at_ms) or other.known_at_ms[row] != claimed_ms:
            raise _Vanished
        return not _same(value, other.columns[column][row])

    low, high = int(np.searchsorted(bars.close_time_ms, cut_ms, side="right")), len(bars)
    try:
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if reacts(middle) else (low, middle)
    except _Vanished:
        return Lookahead(column, row, claimed_ms, cut_ms, None)
    return Lookahead(column, row, claimed_ms, cut_ms, int(bars.close_time_ms[high - 1]) - claimed_ms)


class _Vanished(Exception):
    pass


def _same(a: float, b: float) -> bool:
    return bool(a == b or (np.isnan(a) and np.isnan(b)))
