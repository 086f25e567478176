"""Slices of closed bars under virtual time, from a past that answers, is late, silent, or has a hole."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from aister.adapters.feeds.live import LiveBars, LiveSettings
from aister.core.errors import UsageError
from aister.core.events import BarClosed, FundingSettled
from aister.ports.exchange import Answer, Refused, Unreachable
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedEvent, FeedNews
from tests.fakes.virtual import VirtualLoop
from tests.sim.market import instrument

MINUTE, HOUR = 60_000, 3_600_000
START = 1_700_006_400_000  # a full hour, and a settlement of the 8-hour grid
SYMBOLS = ("BTCUSDT", "ETHUSDT")


def bar(symbol: str, minute: int, close: float = 100.0) -> BarClosed:
    open_ms = START + minute * MINUTE
    return BarClosed(open_ms + MINUTE, symbol, open_ms, 100.0, 101.0, 99.0, close, 5.0)


class Rig:
    """A venue whose bars close every minute (`holes` excepted), a stream that brings those that `carries` lets
    through, and a REST interface that answers while `reachable` says so."""

    def __init__(
        self,
        *,
        carries: Callable[[str, int], bool] = lambda symbol, minute: True,
        holes: frozenset[tuple[str, int]] = frozenset(),
        reachable: Callable[[int], bool] = lambda now_ms: True,
        start_ms: int | None = None,
    ) -> None:
        self.loop: VirtualLoop | None = None
        self.carries, self.holes, self.reachable = carries, holes, reachable
        self.asked: list[tuple[str, int]] = []
        self.news: list[FeedNews] = []
        self.rates: dict[tuple[str, int], int] = {}
        self.known = {symbol: instrument(symbol) for symbol in SYMBOLS}
        self.begin = START if start_ms is None else start_ms
        self.feed: LiveBars

    def now_ms(self) -> int:
        return START + round(self.loop.now * 1000 if self.loop else 0)

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    async def bars(self, symbol: str, interval_ms: int, first_ms: int, last_ms: int) -> tuple[BarClosed, ...] | Answer:
        self.asked.append((symbol, first_ms))
        if not self.reachable(self.now_ms()):
            return Unreachable("no network")
        minutes = range((first_ms - START) // MINUTE, (last_ms - START) // MINUTE + 1)
        closed = [m for m in minutes if (m + 1) * MINUTE + START <= self.now_ms() and (symbol, m) not in self.holes]
        return tuple(bar(symbol, minute) for minute in closed[:1500])

    async def settlements(
        self, symbol: str, interval_ms: int, after_ms: int, until_ms: int
    ) -> tuple[FundingSettled, ...] | Answer:
        if not self.reachable(self.now_ms()):
            return Unreachable("no network")
        due = sorted(time for s, time in self.rates if s == symbol and after_ms < time <= until_ms)
        return tuple(FundingSettled(time, symbol, self.rates[symbol, time], interval_ms) for time in due)

    async def carry(self) -> None:
        for minute in range(10_000):
            await self.sleep(START + (minute + 1) * MINUTE + 40 - self.now_ms())
            for symbol in SYMBOLS:
                if (symbol, minute) not in self.holes and self.carries(symbol, minute):
                    self.feed.take(bar(symbol, minute))

    def slices(self, count: int, settings: LiveSettings | None = None) -> list[tuple[int, MarketSlice]]:
        """The first slices, with when each was released (ms after START)."""

        async def scene() -> list[tuple[int, MarketSlice]]:
            self.feed = LiveBars(
                self,
                self.known,
                MINUTE,
                self.news.append,
                now_ms=self.now_ms,
                sleep=self.sleep,
                start_ms=self.begin,
                settings=settings,
            )
            carrier = asyncio.ensure_future(self.carry())
            found: list[tuple[int, MarketSlice]] = []
            async for one in self.feed.slices():
                found.append((self.now_ms() - START, one))
                if len(found) == count:
                    break
            carrier.cancel()
            return found

        loop = self.loop = VirtualLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(scene())

    def events(self, symbol: str = "") -> list[FeedEvent]:
        return [one.event for one in self.news if not symbol or one.what == symbol]


def opens(found: list[tuple[int, MarketSlice]]) -> list[int]:
    return [(one.open_time_ms - START) // MINUTE for _, one in found]


def names(one: MarketSlice) -> list[str]:
    return [told.symbol for told in one.bars]


def funded(rig: Rig) -> Rig:
    rig.rates = {(symbol, START): 1_000 for symbol in SYMBOLS}
    return rig


def test_a_slice_comes_as_soon_as_its_last_bar_has_come() -> None:
    rig = funded(Rig())
    found = rig.slices(5)
    assert opens(found) == [0, 1, 2, 3, 4]
    assert [released for released, _ in found] == [(m + 1) * MINUTE + 40 for m in range(5)]
    assert all(names(one) == list(SYMBOLS) for _, one in found)
    assert not rig.asked and not rig.news


def test_a_bar_the_stream_lost_is_asked_for_before_the_slice_is_released() -> None:
    rig = funded(Rig(carries=lambda symbol, minute: (symbol, minute) != ("ETHUSDT", 1)))
    found = rig.slices(3)
    assert [names(one) for _, one in found] == [list(SYMBOLS)] * 3
    assert rig.asked == [("ETHUSDT", START + MINUTE)]
    assert found[1][0] == 2 * MINUTE + 2_000
    assert not rig.news


def test_a_bar_the_venue_does_not_have_is_absent_and_said_to_be() -> None:
    rig = funded(Rig(holes=frozenset({("ETHUSDT", 1)})))
    found = rig.slices(3)
    assert [names(one) for _, one in found] == [list(SYMBOLS), ["BTCUSDT"], list(SYMBOLS)]
    assert rig.events() == [FeedEvent.ABSENT]
    assert found[1][0] <= 2 * MINUTE + 22_000


def test_a_minute_nobody_has_is_no_slice() -> None:
    rig = funded(Rig(holes=frozenset((symbol, 1) for symbol in SYMBOLS)))
    assert opens(rig.slices(3)) == [0, 2, 3]


def test_while_the_venue_cannot_be_asked_nothing_is_released_and_then_everything_in_order() -> None:
    rig = funded(
        Rig(
            carries=lambda symbol, minute: not 2 <= minute < 9,
            reachable=lambda now_ms: not 2 * MINUTE <= now_ms - START < 8 * MINUTE,
        )
    )
    found = rig.slices(12)
    assert opens(found) == list(range(12))
    assert all(names(one) == list(SYMBOLS) for _, one in found)
    released = [at for at, _ in found]
    assert released[2] >= 8 * MINUTE and released[7] == released[2]  # six late slices at once
    assert rig.events("BTCUSDT") == [FeedEvent.STALE, FeedEvent.FRESH]


def test_a_start_in_the_past_is_filled_from_the_venue() -> None:
    rig = funded(Rig(start_ms=START - 3_000 * MINUTE))
    rig.rates |= {(s, START - hour * HOUR): 7 for s in SYMBOLS for hour in (8, 16, 24, 32, 40, 48)}
    found = rig.slices(3_002)
    assert opens(found) == list(range(-3_000, 2))
    assert len(rig.asked) <= 2 * 4
    told = [one for _, market in found for one in market.funding]
    assert len(told) == 2 * 7 and len({(one.symbol, one.time_ms) for one in told}) == 14


def test_a_symbol_listed_later_is_absent_until_then_in_one_sentence() -> None:
    rig = funded(Rig(start_ms=START - 50 * MINUTE, holes=frozenset(("ETHUSDT", m) for m in range(-50, -10))))
    found = rig.slices(50)
    assert [names(one) for _, one in found] == [["BTCUSDT"]] * 40 + [list(SYMBOLS)] * 10
    assert rig.events("ETHUSDT") == [FeedEvent.ABSENT]


def test_funding_comes_with_the_slice_that_opens_at_its_time() -> None:
    rig = Rig()
    rig.rates = {("BTCUSDT", START): 10_000, ("ETHUSDT", START): -5_000, ("BTCUSDT", START + HOUR): 3}
    found = rig.slices(62)
    told = {(one.open_time_ms - START) // MINUTE: one.funding for _, one in found if one.funding}
    assert told.keys() == {0, 60}  # an hour's settlement of a contract that settles every eight: read, never assumed
    assert [(f.symbol, f.rate_e8) for f in told[0]] == [("BTCUSDT", 10_000), ("ETHUSDT", -5_000)]
    assert told[60] == (FundingSettled(START + HOUR, "BTCUSDT", 3, 8 * HOUR),)
    assert not rig.news


def test_funding_that_was_due_and_is_not_told_is_absent_not_zero() -> None:
    rig = Rig()
    rig.rates = {("BTCUSDT", START): 10_000}
    found = rig.slices(2)
    assert [f.symbol for f in found[0][1].funding] == ["BTCUSDT"]
    assert rig.events("ETHUSDT") == [FeedEvent.ABSENT]
    assert "funding" in rig.news[0].why


def test_a_symbol_whose_bars_have_stopped_holds_the_others_up_once() -> None:
    """Halted at minute 1, back at minute 4: believed after 20 s, then waited for no longer than until it is asked."""
    rig = funded(Rig(holes=frozenset(("ETHUSDT", m) for m in (1, 2, 3))))
    found = rig.slices(7)
    late = [at - (one.open_time_ms - START + MINUTE) for at, one in found]
    assert late[1] >= 20_000 and all(lateness <= 2_000 for lateness in late[2:4] + late[5:]), late
    assert [names(one) == list(SYMBOLS) for _, one in found] == [True, False, False, False, True, True, True]


def test_a_symbol_that_is_known_not_to_trade_holds_nobody_up() -> None:
    rig = Rig(holes=frozenset(("ETHUSDT", m) for m in range(10)))
    rig.known["ETHUSDT"] = msgspec.structs.replace(rig.known["ETHUSDT"], status="HALT")
    found = rig.slices(3)
    assert all(at - (one.open_time_ms - START + MINUTE) <= 2_000 for at, one in found[1:])
    assert all(names(one) == ["BTCUSDT"] for _, one in found)


def test_a_refused_symbol_does_not_hold_the_others() -> None:
    rig = funded(Rig(carries=lambda symbol, minute: symbol == "BTCUSDT"))
    plain = rig.bars

    async def delisted(symbol: str, interval_ms: int, first_ms: int, last_ms: int) -> Any:
        answer = await plain(symbol, interval_ms, first_ms, last_ms)
        return Refused(-1121, "ETHUSDT is not listed.") if symbol == "ETHUSDT" else answer

    rig.bars = delisted  # type: ignore[method-assign]
    assert [names(one) for _, one in rig.slices(3)] == [["BTCUSDT"]] * 3
    assert rig.news[0].why == "ETHUSDT is not listed."


def test_what_cannot_be_a_bar_is_asked_for_instead() -> None:
    rig = funded(Rig(carries=lambda symbol, minute: symbol == "BTCUSDT"))

    async def spoil() -> None:
        await rig.sleep(MINUTE + 10)
        for broken in (float("nan"), float("inf"), 98.0, 102.0):
            rig.feed.take(bar("ETHUSDT", 0, broken))

    async def scene_with_spoilers() -> None:
        await asyncio.gather(plain(), spoil())

    plain = rig.carry
    rig.carry = scene_with_spoilers  # type: ignore[method-assign]
    found = rig.slices(1)
    assert [one.close for one in found[0][1].bars] == [100.0, 100.0]
    assert rig.asked == [("ETHUSDT", START)]


def test_changed_terms_come_with_the_next_slice_once() -> None:
    rig = funded(Rig())
    finer = instrument("ETHUSDT", tick_e8=1_000_000)
    plain = rig.carry

    async def carry_and_change() -> None:
        carrier = asyncio.ensure_future(plain())
        await rig.sleep(MINUTE + 5_000)
        rig.feed.change(finer)
        rig.feed.change(instrument("DOGEUSDT"))
        await carrier

    rig.carry = carry_and_change  # type: ignore[method-assign]
    found = rig.slices(4)
    assert [one.instruments for _, one in found] == [(), (finer,), (), ()]
    assert rig.feed.instruments["ETHUSDT"] == finer and rig.feed.symbols == SYMBOLS


def test_bars_longer_than_an_hour_are_refused() -> None:
    rig = Rig()
    with pytest.raises(UsageError, match="1h or less"):
        LiveBars(rig, rig.known, 4 * HOUR, rig.news.append, now_ms=rig.now_ms, sleep=rig.sleep)
