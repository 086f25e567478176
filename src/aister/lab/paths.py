"""Prices that might have been: whole days of a market put in another order, some of them upside down.

A symmetric block bootstrap (quant Q9): blocks of 1 to 10 consecutive UTC days are drawn with replacement until the span
is full, and each is turned upside down with probability 1/2. A bar is carried as four log steps from the close before

    (ln o - ln c_before, ln h - ln c_before, ln l - ln c_before, ln c - ln c_before), volume

and upside down these are (-o, -l, -h, -c): its shape, range and volume stay, its direction does not. So a path has no
drift in expectation, and keeps what lies inside days and blocks: volatility and its clustering, the hours' season, fat
tails, the ties between symbols (all of them take the same days, the same way up). Settlements go with their days, their
rates with the sign of the block. Prices are on the tick grid. After D. N. Politis and J. P. Romano, "The stationary
bootstrap", JASA 89 (1994), with uniform instead of geometric lengths.
"""

import hashlib

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import DataError
from aister.ports.market import Market, Series

__all__ = ["LONGEST_DAYS", "Days", "bootstrap_path", "drawn_days", "whole_days"]

DAY_MS = 86_400_000
LONGEST_DAYS = 10

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Days(msgspec.Struct, frozen=True, eq=False):
    """A drawn order: day k of the path is day `source[k]` (days since 1970) of the data, upside down where `sign[k]` is
    -1; block[k]: the number of its block."""

    source: Ints
    sign: Ints
    block: Ints


def whole_days(market: Market) -> Ints:
    """The UTC days from the first to the last midnight that all series span, history included."""
    first = max(int(one.open_ms[0]) for one in market.series)
    end = min(int(one.open_ms[-1]) + one.interval_ms for one in market.series)
    return np.arange(-(-first // DAY_MS), end // DAY_MS, dtype=np.int64)


def drawn_days(days: Ints, seed: int, *, longest: int = LONGEST_DAYS) -> Days:
    """Blocks of 1 to `longest` days until there are as many days as given; blocks go round at the end of the data."""
    rng = np.random.default_rng(seed)
    source, sign, block = (np.empty(len(days), np.int64) for _ in range(3))
    filled = number = 0
    while filled < len(days):
        length = min(int(rng.integers(1, longest + 1)), len(days) - filled)
        begin, up = int(rng.integers(len(days))), 1 if rng.random() < 0.5 else -1
        place = slice(filled, filled + length)
        source[place] = days[(begin + np.arange(length)) % len(days)]
        sign[place], block[place] = up, number
        filled, number = filled + length, number + 1
    return Days(source, sign, block)


def bootstrap_path(market: Market, seed: int, *, longest: int = LONGEST_DAYS) -> Market:
    """One path over the market's whole days; its bars open at the times of its days, so sessions stay where they were.

    The same seed makes the same path. Its data hash names the data and the draw. Raises `DataError` for data of less
    than two whole days."""
    days = whole_days(market)
    if len(days) < 2:
        raise DataError("Paths are made of whole UTC days and these data have fewer than two; give a longer span.")
    drawn = drawn_days(days, seed, longest=longest)
    series = tuple(_series(one, days, drawn, market.span_ms[0]) for one in market.series)
    begin = min(int(one.open_ms[one.start]) for one in series)
    end = max(int(one.open_ms[-1]) + one.interval_ms for one in series)
    digest = hashlib.sha256(f"{market.data_hash} path of seed {seed}, blocks to {longest} days".encode()).hexdigest()
    return Market(series, (begin, end), digest, (*market.flags, f"prices: block bootstrap, seed {seed}"))


def _series(one: Series, days: Ints, drawn: Days, begin_ms: int) -> Series:
    before = np.log(np.concatenate((one.open[:1], one.close[:-1])))
    steps = {name: np.log(getattr(one, name)) - before for name in ("open", "high", "low", "close")}
    at, target = _gathered(one.open_ms, days, drawn.source)
    up = drawn.sign[target]
    o, c = up * steps["open"][at], up * steps["close"][at]
    h = np.where(up > 0, steps["high"][at], -steps["low"][at])
    low = np.where(up > 0, steps["low"][at], -steps["high"][at])
    began = np.log(one.open[np.searchsorted(one.open_ms, days[0] * DAY_MS)])
    base = began + np.concatenate(([0.0], np.cumsum(c)[:-1]))
    open_ms = one.open_ms[at] + (days[target] - drawn.source[target]) * DAY_MS
    settled, on = _gathered(one.funding_ms, days, drawn.source)
    covers = one.funding_interval_ms
    ticks = [_ticks(one, base + step) for step in (o, h, low, c)]
    return msgspec.structs.replace(
        one,
        open_ms=open_ms,
        open=ticks[0],
        high=np.maximum.reduce(ticks),
        low=np.minimum.reduce(ticks),
        close=ticks[3],
        volume=one.volume[at],
        funding_ms=one.funding_ms[settled] + (days[on] - drawn.source[on]) * DAY_MS,
        funding_e8=one.funding_e8[settled] * drawn.sign[on],
        funding_interval_ms=None if covers is None else covers[settled],
        funding_assumed=None if one.funding_assumed is None else one.funding_assumed[settled],
        start=min(int(np.searchsorted(open_ms, begin_ms)), len(open_ms) - 1),
    )


def _gathered(times_ms: Ints, days: Ints, source: Ints) -> tuple[Ints, Ints]:
    """Rows of each source day in turn, and which day of the path each belongs to."""
    first = np.searchsorted(times_ms, source * DAY_MS)
    count = np.searchsorted(times_ms, (source + 1) * DAY_MS) - first
    target = np.repeat(np.arange(len(days)), count)
    begins = np.cumsum(count) - count
    return np.arange(count.sum()) - begins[target] + first[target], target


def _ticks(one: Series, logs: Floats) -> Floats:
    per_quote = one.instrument.ticks_per_quote
    priced: Floats = np.maximum(np.rint(np.exp(logs) * per_quote), 1.0) / per_quote
    return priced
