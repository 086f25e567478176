"""Future-shuffle of whole runs (Q19): bars, funding and instruments after t replaced by noise change nothing that was
decided at or before t. And the control: a trader that peeks is caught, by whichever door."""

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import msgspec
import pytest

from aister.app.build import Built
from aister.core.council import Setup
from aister.core.events import FundingSettled
from aister.core.instrument import Instrument
from aister.features.featureset import FeatureSet
from aister.strategy.strategy import Strategy
from checks.results import measuring
from tests.deciding import deciding
from tests.fakes.feed import OtherFuture
from tests.parity.futures import Bend, Compared, Feed, compare, moments, straight
from tests.parity.runs import DAY_MS, SAMPLE_START_MS

DAYS, CUTS, SEED, HOUR_MS = 14, 15, 20_250_603, 3_600_000
ETH = ("ETHUSDT",)
ALL = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
WHOLE = 29


def test_noise_after_the_cut_changes_nothing_decided_by_then() -> None:
    """A quick slice of the campaign: one symbol, two weeks."""
    cuts = moments(DAYS, ETH, CUTS, SEED)
    print(f"seed {SEED}, cuts {cuts}")
    found = [compare(DAYS, ETH, cut_ms, SEED, 12 * HOUR_MS) for cut_ms in cuts]
    assert [one for one in found if one.difference] == []
    assert sum(one.parted for one in found) > CUTS // 2
    assert sum(one.lines for one in found) > 1_000


class Peeking:
    """Takes only the setups that what lies ahead agrees with."""

    def __init__(self, inner: Strategy, agrees: Callable[[Setup], bool]) -> None:
        self.name, self.mask = inner.name, inner.mask
        self._inner, self._agrees = inner, agrees

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        return tuple(filter(self._agrees, self._inner.setups(features, instrument, cost_e8)))


def tomorrows_close(built: Built, feed: Feed) -> None:
    closes = {bar.time_ms: bar.close for market in feed.slices() for bar in market.bars}
    _only(built, lambda setup: setup.side * (closes.get(setup.time_ms + DAY_MS, 0.0) - closes[setup.time_ms]) > 0)


def next_settlement(built: Built, feed: Feed) -> None:
    settled: list[FundingSettled] = [one for market in feed.slices() for one in market.funding]

    def agrees(setup: Setup) -> bool:
        rate = next((one.rate_e8 for one in settled if one.time_ms > setup.time_ms), 0)
        return setup.side * rate < 0

    _only(built, agrees)


def terms_to_come(built: Built, feed: Feed) -> None:
    changes = [market.open_time_ms for market in feed.slices() if market.instruments]
    _only(built, lambda setup: not any(0 < change - setup.time_ms < DAY_MS for change in changes))


def fills_at_the_close(built: Built, feed: Feed) -> None:
    """The venue gives market orders the price the bar will end with."""
    honest = built.floor.open
    built.floor.open = lambda bars: honest([msgspec.structs.replace(bar, open=bar.close) for bar in bars])  # type: ignore[method-assign]


def _only(built: Built, agrees: Callable[[Setup], bool]) -> None:
    built.engine.strategy = Peeking(built.engine.strategy, agrees)


@pytest.mark.parametrize("peek", [tomorrows_close, next_settlement, terms_to_come, fills_at_the_close])
def test_a_trader_that_peeks_is_caught(peek: Bend) -> None:
    """A few cuts are enough, at the time of a fill each; two of them at an open, whose bar's rest is still to come."""
    _, honest = straight(DAYS, ETH)
    filled = sorted({json.loads(line)[0] for line in honest.trades})
    opens = [time_ms for time_ms in filled if time_ms % 60_000 == 0]
    cuts = [*(filled[len(filled) * part // 4] for part in range(1, 4)), opens[0], opens[-1]]
    found = [compare(DAYS, ETH, cut_ms, SEED, HOUR_MS, peek) for cut_ms in cuts]
    assert any(one.difference for one in found)
    assert compare(DAYS, ETH, cuts[0], SEED, HOUR_MS).difference == ""


def test_the_other_future_is_other_and_its_past_is_the_same() -> None:
    feed, _ = straight(6, ETH)
    cut_ms = SAMPLE_START_MS + 3 * DAY_MS + 90_000
    true, other = list(feed.slices()), list(OtherFuture(feed, cut_ms, SEED, DAY_MS).slices())
    assert other == list(OtherFuture(feed, cut_ms, SEED, DAY_MS).slices())
    for mine, theirs in zip(true, other, strict=False):
        for bar, noise in zip(mine.bars, theirs.bars, strict=True):
            assert (bar.time_ms, bar.symbol) == (noise.time_ms, noise.symbol)
            assert (bar == noise) == (bar.time_ms <= cut_ms)
            assert bar.open == noise.open or bar.open_time_ms > cut_ms
            assert noise.low <= min(noise.open, noise.close) <= max(noise.open, noise.close) <= noise.high
        for settled, noisy in zip(mine.funding, theirs.funding, strict=True):
            assert (settled == noisy) == (settled.time_ms <= cut_ms)
        assert not theirs.instruments or theirs.open_time_ms > cut_ms
    assert sum(len(market.instruments) for market in other) == 6


MEASURED = deciding("council", "app/build.py", "app/strategies.py")
"""Where a look into the future could hide."""


@pytest.mark.campaign
def test_campaign_noise_after_200_cuts_and_every_quarter_hour_of_a_day() -> None:
    """All symbols, the whole recording; two processes, each with its own true run."""
    day_ms = SAMPLE_START_MS + 9 * DAY_MS
    quarters = [day_ms + quarter * 900_000 for quarter in range(96)]
    command = "make campaign CAMPAIGN_ARGS='-k noise_after_200'"
    with measuring("future-shuffle", command=command, seeds=[SEED], paths=MEASURED) as figures:
        drawn = moments(WHOLE, ALL, 200, SEED)
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
            work = (repeat(WHOLE), repeat(ALL), [*drawn, *quarters], repeat(SEED), repeat(12 * HOUR_MS))
            found: list[Compared] = list(pool.map(compare, *work, chunksize=4))
        looked = [one for one in found if one.difference]
        figures["random_cuts"] = len(drawn)
        figures["quarter_hours"] = len(quarters)
        figures["symbols"] = list(ALL)
        figures["lines_compared"] = sum(one.lines for one in found)
        figures["passes_compared"] = sum(one.audits for one in found)
        figures["worlds_that_part_after_the_cut"] = sum(one.parted for one in found)
        figures["look_ahead_found"] = len(looked)
        assert looked == []
        assert figures["worlds_that_part_after_the_cut"] > len(found) // 2
