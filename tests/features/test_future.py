"""Future-shuffle: bars and settlements after t replaced by noise change nothing known at or before t.

Cuts: every bar of one day, and 200 drawn over five days. For each cut a market of its own is fed from the start of
its four hours (the memory of that moment is loaded from bytes: nothing of it can depend on the cut), truth up to the
cut and noise after it. Whatever it says at or before the cut is compared with what was said in the one true run.
"""

from functools import cache

import msgspec
import numpy as np
import pytest

from aister.core.events import BarClosed, FundingSettled
from aister.features.featureset import FeatureSet
from aister.features.lookahead import Bars, with_other_future
from aister.features.market import Features
from aister.features.timeframes import mask
from tests.features.markets import events_of, funding_of
from tests.kernels.walks import MINUTE_MS, START_MS, walk
from tests.kernels.walks import Bars as Walk

SYMBOL = "BTCUSDT"
DAY = 1_440
DAYS = 5
STRETCH = 240
NOISE_BARS = 45
QUESTIONS = mask("15m")
Said = dict[int, tuple[dict[str, float], dict[str, str]]]


@cache
def market() -> tuple[Bars, tuple[FundingSettled, ...]]:
    return Bars(MINUTE_MS, *walk(DAYS * DAY, 11)), tuple(funding_of(DAYS * 3))


def events(bars: Bars) -> list[BarClosed]:
    return events_of(
        Walk(bars.open_time_ms, bars.open, bars.high, bars.low, bars.close, bars.volume), SYMBOL, bars.interval_ms
    )


def told(features: Features, bars: list[BarClosed], funding: tuple[FundingSettled, ...]) -> dict[int, FeatureSet]:
    """Feed in the engine's order; a snapshot at every close of a 15m bar and at the last bar, by time, read only
    afterwards."""
    taken: dict[int, FeatureSet] = {}
    due = [one for one in funding if bars[0].open_time_ms <= one.time_ms <= bars[-1].open_time_ms]
    for bar in bars:
        while due and due[0].time_ms <= bar.open_time_ms:
            features.settle(due.pop(0))
        if features.update(bar) & QUESTIONS or bar is bars[-1]:
            taken[bar.time_ms] = features.snapshot(SYMBOL, bar.time_ms)
    return taken


def read(taken: dict[int, FeatureSet]) -> Said:
    return {time_ms: (one.values, one.unavailable) for time_ms, one in taken.items()}


@cache
def truth() -> tuple[list[bytes], list[Said], list[BarClosed]]:
    """The memory at the start of each stretch, what was said in it, and the bars."""
    bars, funding = market()
    features = Features(MINUTE_MS, [SYMBOL])
    memories, said, all_bars = [], [], events(bars)
    for start in range(0, DAYS * DAY, STRETCH):
        memories.append(features.save())
        said.append(read(told(features, all_bars[start : start + STRETCH], funding)))
    return memories, said, all_bars


def other(cut: int, seed: int) -> tuple[list[BarClosed], tuple[FundingSettled, ...]]:
    """What follows bar `cut` in a world whose past is the same: wild bars, and settlements of any rate."""
    bars, funding = market()
    stretch = Bars(MINUTE_MS, *(column[cut : cut + 1 + NOISE_BARS] for column in msgspec.structs.astuple(bars)[1:]))
    cut_ms = int(bars.close_time_ms[cut])
    rng = np.random.default_rng((seed, cut))
    noise = tuple(
        one if one.time_ms <= cut_ms else msgspec.structs.replace(one, rate_e8=int(rng.integers(-(10**6), 10**6)))
        for one in funding
    )
    return events(with_other_future(stretch, cut_ms, seed))[1:], noise


@cache
def replayed() -> Features:
    """One for all cuts: `load` replaces its whole memory, and making one is slow."""
    return Features(MINUTE_MS, [SYMBOL])


def compare(cut: int) -> int:
    """How many moments at or before the cut were compared with the true run, and found the same."""
    memories, said, all_bars = truth()
    stretch, cut_ms = cut // STRETCH, all_bars[cut].time_ms
    future, funding = other(cut, seed=99)
    features = replayed()
    features.load(memories[stretch])
    taken = told(features, all_bars[stretch * STRETCH : cut + 1], funding)
    if future:
        told(features, future, funding)
    past = {time_ms: expected for time_ms, expected in said[stretch].items() if time_ms <= cut_ms}
    got = read(taken)
    assert {time_ms: got[time_ms] for time_ms in past} == past, f"bars after {cut_ms} changed what was known before"
    return len(past)


def test_noise_after_every_bar_of_one_day() -> None:
    checked = sum(compare(3 * DAY + minute) for minute in range(DAY))
    assert checked == sum((minute + 1) // 15 for minute in range(STRETCH)) * (DAY // STRETCH)


def test_noise_after_200_bars_drawn_over_the_days() -> None:
    cuts = np.random.default_rng(2025).choice(DAYS * DAY - 1, 200, replace=False)
    assert sum(compare(int(cut)) for cut in cuts) > 1_000


def test_the_noise_is_noise() -> None:
    """The control: had the features read it, these would be equal and the tests above blind."""
    all_bars = truth()[2]
    cut = 2 * DAY + 700
    future, funding = other(cut, seed=99)
    assert len(future) == NOISE_BARS
    for noise, true in zip(future, all_bars[cut + 1 :], strict=False):
        assert (noise.time_ms, noise.open_time_ms) == (true.time_ms, true.open_time_ms)
        assert noise.close != true.close
    changed = [a != b for a, b in zip(funding, market()[1], strict=True)]
    assert changed == [one.time_ms > all_bars[cut].time_ms for one in funding]


@pytest.mark.parametrize("minute", [0, 14, 479, 480, 481])
def test_a_settlement_is_unknown_until_it_is_settled(minute: int) -> None:
    """At the bar that closes at the settlement's own time it has not been told yet; at the next one it has."""
    bars, funding = market()
    features = Features(MINUTE_MS, [SYMBOL])
    taken = told(features, events(bars)[: minute + 1], funding)
    last = taken[START_MS + (minute + 1) * MINUTE_MS]
    assert last.get("funding.rate") == funding[0 if minute < 480 else 1].rate_e8 / 1e8
