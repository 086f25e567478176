"""The public side against the simulated exchange under virtual time: whatever happens to the streams, the slices are
the exchange's own bars, each once and in order, and the books are its own depth."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from aister.adapters.exchanges.aster.frames import DepthFrame, KlineFrame, MarketFrame, TradeFrame
from aister.adapters.exchanges.aster.line import LineSettings
from aister.adapters.exchanges.aster.market import AsterMarket, Choice
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.stream import PER_LINE, MarketStreams, StreamSettings, streams_of
from aister.adapters.feeds.live import LiveSettings
from aister.core.errors import UsageError
from aister.exchange_sim import Exchange, Fault, Faults
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedEvent, FeedNews
from tests.exchange_sim.floor import MINUTE_MS, START_MS, slices
from tests.fakes.virtual import World
from tests.sim.market import instrument

SYMBOLS = ("BTCUSDT", "ETHUSDT")
SECOND = 1_000
PRICES = [(100_000.0 + 10 * i, 100_040.0 + 10 * i, 99_980.0 + 10 * i, 100_010.0 + 10 * i) for i in range(16)]
QUICK = StreamSettings(line=LineSettings(renew_ms=150 * SECOND, overlap_ms=20 * SECOND))


class Scene:
    """Four streams a symbol, sixteen minutes."""

    def __init__(self, *faults: Fault, choice: Choice | None = None) -> None:
        self.faults = Faults()
        listed = {symbol: instrument(symbol) for symbol in SYMBOLS}
        self.exchange = Exchange(listed, slices(*PRICES, symbols=SYMBOLS), MINUTE_MS, faults=self.faults)
        for fault in faults:
            until = fault.until_ms and fault.until_ms + START_MS
            self.faults.add(msgspec.structs.replace(fault, at_ms=fault.at_ms + START_MS, until_ms=until))
        self.world = World(self.exchange)
        self.news: list[FeedNews] = []
        self.frames: list[MarketFrame] = []
        self.marks: dict[str, int] = {}
        self.market: AsterMarket
        self.choice = choice or Choice(trades=True, best=True, depth=True)
        self.rest = Rest(self.world, self.world)

    def play(self, count: int, look: Callable[[MarketSlice], None] = lambda market: None) -> list[MarketSlice]:
        async def scene() -> list[MarketSlice]:
            listed = {symbol: instrument(symbol) for symbol in SYMBOLS}
            self.market = AsterMarket(
                self.rest,
                self.world,
                self.world,
                listed,
                MINUTE_MS,
                self.news.append,
                self.choice,
                heard=self.frames.append,
                mark=self.marks.__setitem__,
            )
            running = asyncio.ensure_future(self.market.run())
            found: list[MarketSlice] = []
            async for one in self.market.feed.slices():
                found.append(one)
                look(one)
                if len(found) == count:
                    break
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return found

        return self.world.run(scene())

    def own_bars(self, symbol: str, count: int) -> list[tuple[float, ...]]:
        ticker = self.exchange.market.tickers[symbol]
        price = ticker.instrument.price
        return [
            (bar.open_ms, price(bar.open), price(bar.high), price(bar.low), price(bar.close), bar.volume)
            for bar in list(ticker.klines)[:count]
        ]

    def same_as_the_exchange(self, found: list[MarketSlice]) -> bool:
        for symbol in SYMBOLS:
            bars = [one for market in found for one in market.bars if one.symbol == symbol]
            told = [(b.open_time_ms, b.open, b.high, b.low, b.close, b.volume) for b in bars]
            assert told == self.own_bars(symbol, len(found))
        return True

    def same_books(self) -> bool:
        for symbol in SYMBOLS:
            book, depth = self.market.books.books[symbol], self.exchange.depth
            ticker = self.exchange.market.tickers[symbol]
            bids, asks = depth.levels(ticker, 10)
            tick, step = ticker.instrument.tick_e8, ticker.instrument.step_e8
            assert book.whole and book.update == ticker.update_id
            assert book.bids(10) == [(ticks * tick, steps * step) for ticks, steps in bids]
            assert book.asks(10) == [(ticks * tick, steps * step) for ticks, steps in asks]
        return True


def test_slices_marks_and_books_are_the_exchange_s_own() -> None:
    scene = Scene()
    assert scene.same_as_the_exchange(scene.play(8))
    assert scene.same_books()
    assert scene.marks == {s: t.mark_ticks * t.instrument.tick_e8 for s, t in scene.exchange.market.tickers.items()}
    assert scene.market.funding.keys() == set(SYMBOLS)
    assert {one.event for one in scene.news} == {FeedEvent.UP, FeedEvent.FRESH}
    numbers = [one.number for one in scene.frames if isinstance(one, TradeFrame) and one.symbol == "BTCUSDT"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


STORMS = {
    "drop": (Fault("drop", share_e4=3_000),),
    "duplicate": (Fault("duplicate", share_e4=5_000, ms=900),),
    "reorder": (Fault("reorder", share_e4=5_000, ms=9_000),),
    "delay": (Fault("delay", share_e4=2_000, ms=30_000),),
    "cut": (Fault("cut", at_ms=70 * SECOND), Fault("cut", at_ms=190 * SECOND), Fault("cut", at_ms=191 * SECOND)),
    "half open": (Fault("half_open", at_ms=100 * SECOND),),
    "stall": (Fault("stall", at_ms=100 * SECOND, until_ms=250 * SECOND),),
    "restart": (Fault("restart", at_ms=100 * SECOND, ms=100_000),),
    "banned": (Fault("cut", at_ms=130 * SECOND), Fault("ban", at_ms=131 * SECOND, ms=120_000)),
}


@pytest.mark.parametrize("storm", STORMS)
def test_through_every_storm_each_bar_once_and_in_order(storm: str) -> None:
    scene = Scene(*STORMS[storm])
    found = scene.play(9)
    assert scene.same_as_the_exchange(found)
    assert FeedEvent.ABSENT not in [one.event for one in scene.news]
    places: dict[Any, Any] = {}
    for frame in scene.frames:
        key = type(frame), frame.symbol
        assert key not in places or frame.place > places[key]
        places[key] = frame.place
    for symbol in SYMBOLS:
        numbers = [one.number for one in scene.frames if isinstance(one, TradeFrame) and one.symbol == symbol]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("storm", ["cut", "half open", "restart"])
def test_after_a_storm_the_books_are_whole_again(storm: str) -> None:
    scene = Scene(*STORMS[storm])
    scene.play(9)
    assert scene.same_books()


@pytest.mark.parametrize("step_ms", [-90_000, 90_000, 3_600_000])
def test_setting_this_machine_s_clock_makes_no_open_bar_a_closed_one(step_ms: int) -> None:
    scene = Scene(Fault("drop", stream="kline", share_e4=6_000))

    def step(market: MarketSlice) -> None:
        if market.open_time_ms % (3 * MINUTE_MS) == 0:
            scene.world.wall_ahead_ms = step_ms - scene.world.wall_ahead_ms

    assert scene.same_as_the_exchange(scene.play(9, step))


def test_a_book_is_not_whole_while_its_line_is_down() -> None:
    scene = Scene(Fault("cut", at_ms=100 * SECOND))
    whole: list[tuple[FeedEvent, bool]] = []

    def heard(news: FeedNews) -> None:
        whole.append((news.event, scene.market.books.books["BTCUSDT"].whole))

    scene.news = _Told(heard)
    scene.play(4)
    assert (FeedEvent.DOWN, False) in whole and (FeedEvent.DOWN, True) not in whole


class _Told(list[FeedNews]):
    """Hands on what is appended."""

    def __init__(self, heard: Callable[[FeedNews], None]) -> None:
        super().__init__()
        self.heard = heard

    def append(self, news: FeedNews) -> None:
        self.heard(news)


def test_a_line_that_carries_nothing_is_made_anew() -> None:
    scene = Scene(*STORMS["stall"])
    scene.play(5)
    down = [one for one in scene.news if one.event is FeedEvent.DOWN]
    assert down and "Nothing came" in down[0].why
    assert 110 * SECOND <= down[0].time_ms - START_MS <= 120 * SECOND


def test_what_is_under_way_on_the_older_connection_is_waited_for() -> None:
    scene = Scene(Fault("delay", ms=3_000), choice=Choice(trades=True, depth=True, streams=QUICK))
    assert scene.same_as_the_exchange(scene.play(8))
    assert {one.event for one in scene.news} == {FeedEvent.UP, FeedEvent.FRESH}
    assert not [one for one in scene.world.sent if one.path.endswith("/aggTrades")]


def test_a_book_with_a_hole_begins_again() -> None:
    scene = Scene(Fault("drop", stream="btcusdt@depth", at_ms=100 * SECOND, count=1))
    scene.play(4)
    assert scene.same_books()
    told = [one.event for one in scene.news if one.what == "BTCUSDT"]
    assert told == [FeedEvent.FRESH, FeedEvent.STALE, FeedEvent.FRESH]


def test_connections_are_renewed_with_an_overlap_and_nothing_is_missed_or_told_twice() -> None:
    scene = Scene(choice=Choice(trades=True, depth=True, streams=QUICK))
    assert scene.same_as_the_exchange(scene.play(12))
    assert scene.same_books()
    assert len(scene.world.opened) >= 4
    assert FeedEvent.DOWN not in [one.event for one in scene.news]
    for symbol in SYMBOLS:
        numbers = [one.number for one in scene.frames if isinstance(one, TradeFrame) and one.symbol == symbol]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        updates = [one for one in scene.frames if isinstance(one, DepthFrame) and one.symbol == symbol]
        assert all(later.previous == earlier.last for earlier, later in pairwise(updates))


def test_silence_of_a_stream_that_always_speaks_is_an_event() -> None:
    scene = Scene(
        Fault("stall", stream="ethusdt@markPrice", at_ms=60 * SECOND, until_ms=100 * SECOND),
        choice=Choice(trades=True),
    )
    scene.play(3)
    told = [one for one in scene.news if one.what == "ethusdt@markPrice@1s"]
    assert [one.event for one in told] == [FeedEvent.STALE, FeedEvent.FRESH]
    assert 65 * SECOND <= told[0].time_ms - START_MS <= 80 * SECOND
    assert not [one for one in scene.news if one.what == "btcusdt@markPrice@1s"]


def test_a_start_in_the_past_is_read_from_the_venue_and_then_goes_on_live() -> None:
    scene = Scene(choice=Choice(start_ms=START_MS, bars=LiveSettings(patience_ms=500)))
    scene.exchange.advance(START_MS + 5 * MINUTE_MS + 10 * SECOND)
    scene.world.start_us = scene.exchange.now_us
    assert scene.same_as_the_exchange(scene.play(9))
    klines = [one for one in scene.world.sent if one.path.endswith("/klines")]
    assert len(klines) == 2
    assert [one for one in scene.frames if isinstance(one, KlineFrame) and one.bar.closed]


def test_many_streams_are_spread_over_connections() -> None:
    scene = Scene()
    names = streams_of((f"S{number}USDT" for number in range(2 * PER_LINE + 1)), "kline_1m")

    async def listen() -> None:
        streams = MarketStreams(
            scene.world, scene.world, names, scene.frames.append, scene.news.append, now_ms=scene.world.now_ms
        )
        running = asyncio.ensure_future(streams.run())
        await scene.world.sleep(100)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    scene.world.run(listen())
    counts = [len(path.partition("=")[2].split("/")) for path in scene.world.opened]
    assert sum(counts) == len(names) and max(counts) <= 200


def test_bars_the_venue_does_not_make_are_refused() -> None:
    scene = Scene()
    with pytest.raises(UsageError, match="no bars"):
        AsterMarket(scene.rest, scene.world, scene.world, {}, 7_000, scene.news.append)
    scene.world.loop.close()
