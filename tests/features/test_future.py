"""Future-shuffle on the packaged sample: what comes after t replaced by noise changes nothing known at t (Q19).

Two ways by which a value comes to be, both handed whole arrays, future included:
- the batch path: `tabulate` over the arrays, a table for each timeframe;
- the stream: a recorded feed over the arrays and all settlements, told to `Features`, a snapshot at every close,
  read only after the last bar. Here are funding, sessions, the midnight open, and the reasons of what is unavailable.

Cuts: every bar of one day, and 200 drawn over the four weeks. Each is worked from a memory saved at the start of its
four hours, and everything claimed known at or before the cut must be, byte for byte, what the true arrays gave. The
same comparison catches, at the end, four ways of looking ahead.
"""

from collections.abc import Callable, Container, Iterator
from functools import cache, lru_cache
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from aister.adapters.feeds.recorded import RecordedFeed, open_feed
from aister.adapters.store.reading import Batch
from aister.core.events import FundingSettled
from aister.features.featureset import FeatureSet
from aister.features.lookahead import Bars, with_other_future
from aister.features.market import Features
from aister.kernels.features import SYMBOL, TIMEFRAMES, batch, symbol_state, tabulate
from aister.kernels.outputs import OUT
from aister.kernels.state import State, allocate, restore, snapshot
from aister.ports.feed import MarketSlice
from tests.kernels.walks import MINUTE_MS

NAME = "BTCUSDT"
DAY = 1_440
STRETCH = 240
"""Bars from one saved memory to the next: the longest timeframe."""
NOISE_BARS = 250
"""A bar of every timeframe closes in it."""
STREAMED_BARS = 20
"""Of these, what the stream is told: enough to close one of 15m."""
THE_DAY = 15
"""2025-05-20, far enough into the sample that every feature has warmed up."""

Tabulate = Callable[[State, Bars, int], tuple[np.ndarray, np.ndarray]]
Slices = Callable[[RecordedFeed], Iterator[MarketSlice]]


def columns_of(bars: Bars) -> list[np.ndarray]:
    return [bars.open_time_ms, bars.open, bars.high, bars.low, bars.close, bars.volume]


def part(bars: Bars, first: int, last: int) -> Bars:
    return Bars(bars.interval_ms, *(column[first:last] for column in columns_of(bars)))


@cache
def sample() -> tuple[RecordedFeed, Bars]:
    feed = open_feed("sample", (NAME,))
    columns = feed.columns(NAME)
    names = ("open_time", "open", "high", "low", "close", "volume")
    return feed, Bars(MINUTE_MS, *(columns[name] for name in names))


def random_cuts() -> list[int]:
    drawn = np.random.default_rng(2025).choice(np.arange(5 * DAY, len(sample()[1]) - NOISE_BARS), 200, replace=False)
    return sorted(drawn.tolist())


@lru_cache(maxsize=4)
def noise_after(cut: int) -> Bars:
    """Bars from the start of the cut's four hours on: the true ones to the cut, wild ones after it."""
    bars = sample()[1]
    start = cut - cut % STRETCH
    return with_other_future(part(bars, start, cut + 1 + NOISE_BARS), int(bars.close_time_ms[cut]), seed=99)


# ---- the batch path --------------------------------------------------------------------------------------------------


@cache
def states() -> list[bytes]:
    """The kernel's memory at the start of every stretch."""
    bars, state, kept = sample()[1], symbol_state(MINUTE_MS), []
    opened, out = np.zeros(STRETCH, "i8"), np.zeros(STRETCH, OUT)
    for start in range(0, len(bars), STRETCH):
        kept.append(snapshot(state))
        assert batch(state, *columns_of(part(bars, start, start + STRETCH)), -1, opened, out) == 0
    return kept


def honest(state: State, bars: Bars, slot: int) -> tuple[np.ndarray, np.ndarray]:
    return tabulate(state, *columns_of(bars), slot)


def tables(stretch: int, bars: Bars, make: Tabulate) -> list[tuple[np.ndarray, np.ndarray]]:
    """(when known, values) of every timeframe, from whole arrays that begin where the stretch does."""
    made = []
    for slot, (_, interval_ms) in enumerate(TIMEFRAMES):
        state = allocate(SYMBOL)
        restore(state, states()[stretch])
        opened, values = make(state, bars, slot)
        made.append((opened + interval_ms, values))
    return made


@lru_cache(maxsize=4)
def true_tables(stretch: int, make: Tabulate) -> list[tuple[np.ndarray, np.ndarray]]:
    bars = sample()[1]
    return tables(stretch, part(bars, stretch * STRETCH, (stretch + 1) * STRETCH + NOISE_BARS), make)


def batch_differs(cut: int, make: Tabulate = honest) -> tuple[set[str], int]:
    """Names of the columns that noise after the cut changed at or before it, and how many rows were compared."""
    cut_ms = int(sample()[1].close_time_ms[cut])
    true, other = true_tables(cut // STRETCH, make), tables(cut // STRETCH, noise_after(cut), make)
    changed, compared = set(), 0
    for (name, _), (known_ms, values), (other_ms, others) in zip(TIMEFRAMES, true, other, strict=True):
        past, likewise = values[known_ms <= cut_ms], others[other_ms <= cut_ms]
        compared += len(past)
        if past.tobytes() != likewise.tobytes():
            changed |= {
                f"{name}.{column}"
                for column in values.dtype.names or ()
                if past[column].tobytes() != likewise[column].tobytes()
            }
    return changed, compared


# ---- the stream ------------------------------------------------------------------------------------------------------


class Arrays(msgspec.Struct, frozen=True):
    """A recording that is bars in memory."""

    symbol: str
    bars: Bars

    def batches(self, start_ms: int | None, end_ms: int | None, rows: int) -> Iterator[tuple[str, Batch]]:
        names = ("open_time", "open", "high", "low", "close", "volume")
        columns = dict(zip(names, columns_of(self.bars), strict=True))
        yield "memory", Batch(columns, np.arange(1, len(self.bars) + 1), "row")


def feed_over(bars: Bars, funding: tuple[FundingSettled, ...]) -> RecordedFeed:
    """The packaged feed with other bars and settlements behind it; those before the first bar have been told."""
    due = tuple(one for one in funding if one.time_ms >= bars.open_time_ms[0])
    return msgspec.structs.replace(sample()[0], recordings=(Arrays(NAME, bars),), funding=due)


@cache
def memories() -> list[bytes]:
    """What `Features` remembers at the start of every stretch."""
    features, kept = Features(MINUTE_MS, [NAME]), []
    for number, one in enumerate(feed_over(*everything()).slices()):
        if number % STRETCH == 0:
            kept.append(features.save())
        take(features, one)
    return kept


def everything() -> tuple[Bars, tuple[FundingSettled, ...]]:
    feed, bars = sample()
    return bars, tuple(one for one in feed.funding if one.symbol == NAME)


def take(features: Features, one: MarketSlice) -> None:
    for settled in one.funding:
        features.settle(settled)
    for bar in one.bars:
        features.update(bar)


def straight(feed: RecordedFeed) -> Iterator[MarketSlice]:
    return feed.slices()


@cache
def listener() -> Features:
    """One for all cuts: `load` replaces its whole memory, and making one is slow."""
    return Features(MINUTE_MS, [NAME])


def listened(
    stretch: int, bars: Bars, funding: tuple[FundingSettled, ...], slices: Slices, moments: Container[int]
) -> dict[int, FeatureSet]:
    """Snapshots at the closes of these bars, from whole arrays that begin where the stretch does."""
    features = listener()
    features.load(memories()[stretch])
    taken = {}
    for number, one in enumerate(slices(feed_over(bars, funding))):
        take(features, one)
        if number in moments:
            taken[number] = features.snapshot(NAME, one.open_time_ms + MINUTE_MS)
    return taken


def said(one: FeatureSet) -> bytes:
    return msgspec.msgpack.encode((one.time_ms, one.values, one.unavailable))


@lru_cache(maxsize=4)
def true_snapshots(stretch: int, slices: Slices) -> dict[int, FeatureSet]:
    bars, funding = everything()
    bars = part(bars, stretch * STRETCH, (stretch + 1) * STRETCH + STREAMED_BARS)
    return listened(stretch, bars, funding, slices, range(STRETCH))


@lru_cache(maxsize=STRETCH)
def true_words(stretch: int, slices: Slices, number: int) -> bytes:
    return said(true_snapshots(stretch, slices)[number])


def other_settlements(cut_ms: int) -> tuple[FundingSettled, ...]:
    """Those at or after the cut with any other rate: at a bar's close the settlement of that moment is still to be
    told."""
    rng = np.random.default_rng((99, cut_ms))
    return tuple(
        one if one.time_ms < cut_ms else msgspec.structs.replace(one, rate_e8=int(rng.integers(10**6, 10**7)))
        for one in everything()[1]
    )


def stream_differs(cut: int, slices: Slices = straight) -> tuple[set[str], int]:
    """Names of the values that noise after the cut changed at or before it, and how many moments were compared: the
    closes of 15m bars and the last three bars."""
    first = cut % STRETCH + 1
    noise = part(noise_after(cut), 0, first + STREAMED_BARS)
    funding = other_settlements(int(sample()[1].close_time_ms[cut]))
    moments = {i for i in range(first) if i % 15 == 14 or i > first - 4}
    taken = listened(cut // STRETCH, noise, funding, slices, moments)
    changed: set[str] = set()
    for i in moments:
        words = true_words(cut // STRETCH, slices, i)
        if said(taken[i]) != words:
            true = msgspec.msgpack.decode(words)
            now = (taken[i].time_ms, taken[i].values, taken[i].unavailable)
            changed |= {
                name
                for a, b in zip(true[1:], now[1:], strict=True)
                for name in a.keys() | b.keys()
                if a.get(name) != b.get(name)
            } or {"time"}
    return changed, len(moments)


# ---- nothing known depends on what comes -----------------------------------------------------------------------------

ONE_DAY = range(THE_DAY * DAY, (THE_DAY + 1) * DAY)


@pytest.mark.parametrize("differs", [batch_differs, stream_differs])
def test_noise_after_every_bar_of_one_day(differs: Callable[[int], tuple[set[str], int]]) -> None:
    compared = 0
    for cut in ONE_DAY:
        changed, count = differs(cut)
        assert not changed, f"bars after bar {cut} changed what was known before: {sorted(changed)}"
        compared += count
    assert compared > (STRETCH * DAY // 2 if differs is batch_differs else 8 * DAY)


@pytest.mark.parametrize("differs", [batch_differs, stream_differs])
def test_noise_after_200_bars_drawn_over_the_weeks(differs: Callable[[int], tuple[set[str], int]]) -> None:
    cuts = random_cuts()
    assert len(set(cuts)) == 200
    for cut in cuts:
        changed, _ = differs(cut)
        assert not changed, f"bars after bar {cut} changed what was known before: {sorted(changed)}"


# ---- and the comparison can tell -------------------------------------------------------------------------------------

SOME = ONE_DAY[7::60]


def next_close(state: State, bars: Bars, slot: int) -> tuple[np.ndarray, np.ndarray]:
    """The honest table, but its EMA is the close of the next bar of the array."""
    opened, values = honest(state, bars, slot)
    if slot == 0:
        values["ema_20"] = np.append(bars.close[1:], np.nan)
    return opened, values


def volume_of_the_next_bar(state: State, bars: Bars, slot: int) -> tuple[np.ndarray, np.ndarray]:
    """A driver off by one: the very kernel, reading the volume at t + 1."""
    volume = np.append(bars.volume[1:], 0.0)
    return tabulate(state, bars.open_time_ms, bars.open, bars.high, bars.low, bars.close, volume, slot)


def test_a_feature_that_reads_the_next_bar_is_caught_at_every_cut() -> None:
    assert [batch_differs(cut, next_close)[0] for cut in SOME] == [{"1m.ema_20"}] * len(SOME)


def test_a_driver_that_is_off_by_one_is_caught() -> None:
    expected = {f"1m.{name}" for name in ("volume", "vwap", "vwap_distance")}
    for cut in SOME:
        assert expected <= batch_differs(cut, volume_of_the_next_bar)[0]


def an_hour_early(feed: RecordedFeed) -> Iterator[MarketSlice]:
    """Settlements are told up to an hour before their time."""
    waiting = list(feed.funding)
    for one in feed.slices():
        early = []
        while waiting and waiting[0].time_ms <= one.open_time_ms + 60 * MINUTE_MS:
            early.append(msgspec.structs.replace(waiting.pop(0), time_ms=one.open_time_ms))
        yield msgspec.structs.replace(one, funding=tuple(early))


def test_funding_told_before_its_settlement_is_caught_in_exactly_that_hour() -> None:
    """By its rate; the hours in between stay clean, so it is nothing else that differs."""
    day_ms = int(sample()[1].open_time_ms[ONE_DAY[0]])
    caught = {cut - ONE_DAY[0]: stream_differs(cut, an_hour_early)[0] for cut in ONE_DAY[3::10]}
    settled = [(one.time_ms - day_ms) // MINUTE_MS for one in everything()[1]]
    for minute, changed in caught.items():
        told = any(at - 60 <= minute < at for at in settled)
        assert changed == ({"funding.rate", "funding.rate_8h"} if told else set()), minute
    assert sum(map(bool, caught.values())) == 3 * 6


def a_bar_ahead(feed: RecordedFeed) -> Iterator[MarketSlice]:
    """Every bar carries the prices of the one after it: a value labelled one bar too early."""
    slices = list(feed.slices())
    for one, after in pairwise(slices):
        times = {"time_ms": one.open_time_ms + MINUTE_MS, "open_time_ms": one.open_time_ms}
        yield msgspec.structs.replace(one, bars=tuple(msgspec.structs.replace(bar, **times) for bar in after.bars))


def test_a_stream_that_is_a_bar_ahead_is_caught_at_every_cut() -> None:
    for cut in SOME:
        assert {"1m.close", "1m.ema_20", "1m.vwap"} <= stream_differs(cut, a_bar_ahead)[0]


def test_the_noise_is_noise() -> None:
    bars, cut = sample()[1], ONE_DAY[700]
    noise, count = noise_after(cut), cut % STRETCH + 1
    true = part(bars, cut + 1 - count, cut + 1 + NOISE_BARS)
    for name in ("open", "high", "low", "close", "volume"):
        a, b = getattr(noise, name), getattr(true, name)
        assert a[:count].tobytes() == b[:count].tobytes()
        assert (a[count:] != b[count:]).all()
    assert noise.open_time_ms.tobytes() == true.open_time_ms.tobytes()
    cut_ms = int(bars.close_time_ms[cut])
    changed = [a != b for a, b in zip(other_settlements(cut_ms), everything()[1], strict=True)]
    assert changed == [one.time_ms >= cut_ms for one in everything()[1]]


@pytest.mark.parametrize("minute", [478, 479, 480])
def test_a_settlement_is_unknown_until_it_is_settled(minute: int) -> None:
    """At the close of 08:00 it has not been told yet; with the next bar it has."""
    bars, funding = everything()
    start = ONE_DAY[0] - DAY % STRETCH
    taken = listened(start // STRETCH, part(bars, start, start + 500), funding, straight, {minute})
    known = [one for one in funding if one.time_ms <= int(bars.open_time_ms[start + minute])]
    assert taken[minute].get("funding.rate") == known[-1].rate_e8 / 1e8
    assert (known[-1].time_ms == int(bars.open_time_ms[start + 480])) == (minute == 480)
