"""Whether an order book is fresh, by what the venue shows of it."""

import asyncio

import msgspec
import pytest

from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.wire import Reply
from aister.app.trader_books import look_at_books, stale_book
from aister.core.events import EntriesFrozen, EntriesThawed
from aister.execution.resuming import Resuming
from aister.execution.telling import Teller
from tests.adapters.exchanges.aster.scripted import START_MS, Hands, ScriptedWire, Sent

MOVED = {"lastUpdateId": 1, "T": START_MS + 60_000, "bids": [["99.9", "1"]], "asks": [["100.1", "1"]]}


def rest(hands: Hands, books: list[object]) -> Rest:
    """Answers these one after the other, the last for ever; None: it is away."""

    def answer(sent: Sent) -> Reply:
        shown = books.pop(0) if len(books) > 1 else books[0]
        return Reply(200 if shown else 503, {}, msgspec.json.encode(shown))

    return Rest(ScriptedWire(answer, hands), hands)


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (MOVED, ""),
        (MOVED | {"asks": []}, "that of BTCUSDT has no asks"),
        (MOVED | {"bids": []}, "that of BTCUSDT has no bids"),
        (MOVED | {"bids": [["100.1", "1"]]}, "that of BTCUSDT is crossed"),
        (MOVED | {"T": START_MS - 1}, "that of BTCUSDT has not moved since"),
        (None, "that of BTCUSDT cannot be read"),
    ],
)
def test_a_fresh_book_has_both_sides_apart_and_has_moved_since(shown: object, why: str) -> None:
    told = asyncio.run(stale_book(rest(Hands(), [shown]), "BTCUSDT", START_MS))
    assert told.startswith(why) and bool(told) == bool(why)


def test_entries_wait_for_a_bar_and_for_the_book_and_it_is_looked_at_every_ten_seconds() -> None:
    hands, looks = Hands(), []
    teller = Teller(hands.now_ms, lambda: None)
    resuming = Resuming(teller, 300_000, booked=True)
    resuming.failed(START_MS - 400_000)
    resuming.read(START_MS, observed=True)
    resuming.bar(START_MS + 1)

    async def sleep(ms: float) -> None:
        looks.append((hands.wall, dict(teller.frozen)))
        if len(looks) == 4:
            raise asyncio.CancelledError
        hands.move(round(ms))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(look_at_books(resuming, rest(hands, [None, MOVED | {"asks": []}, MOVED]), ("BTCUSDT",), sleep))
    assert ["cannot be read" in told.get("resume", "") for _, told in looks] == [True, False, False, False]
    assert ["has no asks" in told.get("resume", "") for _, told in looks] == [False, True, False, False]
    assert looks[2][1] == looks[3][1] == {} and resuming.back_ms == 0
    assert looks[1][0] - looks[0][0] >= 10_000
    assert {type(one) for one in teller.take()} == {EntriesFrozen, EntriesThawed}
