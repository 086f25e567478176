"""Trades once and in order, whatever is lost, late or twice on the way."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster import trades as module
from aister.adapters.exchanges.aster.frames import TradeFrame
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.trades import Trades
from aister.adapters.exchanges.aster.wire import Lost, Reply
from aister.ports.live import FeedEvent, FeedNews
from tests.fakes.virtual import VirtualLoop


class Venue:
    """Remembers trades from `first` on; answers after 10 ms, or not at all for a while."""

    def __init__(self, first: int = 0, count: int = 10_000, silent_ms: int = 0) -> None:
        self.first, self.count, self.silent_ms = first, count, silent_ms
        self.loop = VirtualLoop()
        self.asked: list[dict[str, str]] = []
        self.heard: list[TradeFrame] = []
        self.news: list[FeedNews] = []

    def now_ms(self) -> int:
        return round(self.loop.now * 1000)

    def monotonic_ms(self) -> float:
        return self.loop.now * 1000

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        await self.sleep(10)
        if self.now_ms() < self.silent_ms:
            return Lost(False, "no way")
        asked = dict(pair.split("=") for pair in query.decode().split("&"))
        self.asked.append(asked)
        start = max(int(asked["fromId"]), self.first)
        rows = [row(number) for number in range(start, min(start + int(asked["limit"]), self.count))]
        return Reply(200, {}, msgspec.json.encode(rows))

    async def connect(self, path: str, timeout_ms: int) -> Lost:
        return Lost(False, path)

    def play(self, numbers: Sequence[int], then_ms: int = 20_000) -> list[int]:
        """Frames with these numbers, 1 ms apart; what was handed on in the end."""

        async def scene() -> None:
            run = Trades(Rest(self, self), self, self.heard.append, self.news.append)
            filler = asyncio.ensure_future(run.run())
            for number in numbers:
                run.take(frame(number))
                await self.sleep(1)
            await self.sleep(then_ms)
            filler.cancel()

        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(scene())
        return [one.number for one in self.heard]


def row(number: int) -> dict[str, object]:
    return {"a": number, "p": f"{100 + number}.5", "q": "0.25", "f": number, "l": number, "T": number, "m": False}


def frame(number: int) -> TradeFrame:
    return TradeFrame(number, "BTCUSDT", number, number + 100.5, 0.25, number, False)


def test_what_comes_in_order_goes_on_at_once() -> None:
    venue = Venue()
    assert venue.play(range(5, 50), then_ms=0) == list(range(5, 50))
    assert not venue.asked


def test_a_late_frame_fills_its_own_hole() -> None:
    venue = Venue()
    assert venue.play([1, 2, 4, 5, 3, 6, 4]) == [1, 2, 3, 4, 5, 6]
    assert not venue.asked


def test_a_hole_is_asked_for_by_number_page_by_page() -> None:
    venue = Venue()
    assert venue.play([1, 2, 2_600, 2_601]) == list(range(1, 2_602))
    assert [(one["fromId"], one["limit"]) for one in venue.asked] == [("3", "1000"), ("1003", "1000"), ("2003", "597")]
    assert venue.heard[500] == frame(501)


def test_while_the_venue_is_silent_what_follows_waits() -> None:
    venue = Venue(silent_ms=8_000)
    assert venue.play([1, 5, 6]) == [1, 2, 3, 4, 5, 6]
    assert not venue.news


def test_what_the_venue_no_longer_tells_is_absent_and_said_to_be() -> None:
    venue = Venue(first=50)
    assert venue.play([1, 60, 61]) == [1, *range(50, 62)]
    assert [one.event for one in venue.news] == [FeedEvent.ABSENT]
    assert "Trades 2 to 49 are missing" in venue.news[0].why


def test_a_hole_too_long_is_not_asked_for() -> None:
    venue = Venue()
    assert venue.play([1, module.LONGEST_HOLE + 3]) == [1, module.LONGEST_HOLE + 3]
    assert not venue.asked and venue.news


@pytest.mark.parametrize("silent_ms", [0, 3_000])
@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(10, 90), min_size=1, max_size=60))
def test_whatever_comes_each_number_goes_on_once_in_order(silent_ms: int, numbers: list[int]) -> None:
    venue = Venue(silent_ms=silent_ms)
    assert venue.play(numbers) == list(range(numbers[0], max(numbers[0], *numbers) + 1))
