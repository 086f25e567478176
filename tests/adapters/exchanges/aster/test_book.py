"""The local book equals one rebuilt by hand over recorded streams; every hole makes it begin again."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.book import DepthBook
from aister.adapters.exchanges.aster.frames import DepthFrame
from aister.core.errors import DataError
from tests.adapters.exchanges.aster.recordings import frames, snapshots, stretch

E8 = Decimal("1e-8")
UNIT = 10**8


class Rebuilt:
    """The procedure of the documents, said once more with dictionaries of decimals."""

    def __init__(self, snapshot: Any) -> None:
        self.id = snapshot["lastUpdateId"]
        self.sides = {name: {Decimal(p): Decimal(q) for p, q in snapshot[name]} for name in ("bids", "asks")}
        self.last: int | None = None

    def take(self, row: Any) -> None:
        if row["u"] < self.id:
            return
        assert (row["U"] <= self.id) if self.last is None else (row["pu"] == self.last)
        for name, short in (("bids", "b"), ("asks", "a")):
            for price, size in row[short]:
                if Decimal(size):
                    self.sides[name][Decimal(price)] = Decimal(size)
                else:
                    self.sides[name].pop(Decimal(price), None)
        self.last = row["u"]

    def best(self, count: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        bids = sorted(self.sides["bids"].items(), reverse=True)[:count]
        return bids, sorted(self.sides["asks"].items())[:count]


def in_decimals(book: DepthBook, count: int) -> tuple[list[tuple[Decimal, Decimal]], ...]:
    return tuple([(price * E8, size * E8) for price, size in side(count)] for side in (book.bids, book.asks))


def frame(row: Any) -> DepthFrame:
    bids, asks = ([(p, q) for p, q in row[side]] for side in ("b", "a"))
    return DepthFrame(row["E"], row["s"], row["U"], row["u"], row["pu"], bids, asks)


@pytest.mark.parametrize("symbol", ["KEEPUSDT", "CTKUSDT"])
def test_equals_the_book_rebuilt_over_a_recording(symbol: str) -> None:
    rows = [json.loads(raw)["data"] for raw in frames()]
    rows = [row for row in rows if row["e"] == "depthUpdate" and row["s"] == symbol]
    snapshot = snapshots()[symbol]
    book, rebuilt = DepthBook(symbol), Rebuilt(json.loads(json.dumps(_plain(snapshot))))
    begun = False
    for row in rows:
        assert book.take(frame(row))
        rebuilt.take(row)
        if not begun and row["u"] >= snapshot.lastUpdateId:
            assert book.wants_snapshot
            begun = book.begin(snapshot.lastUpdateId, snapshot.bids, snapshot.asks)
            assert begun
        if begun:
            assert in_decimals(book, 50) == rebuilt.best(50)
    assert begun and book.update == rebuilt.last and book.resyncs == 0


def _plain(snapshot: Any) -> Any:
    return {name: getattr(snapshot, name) for name in ("lastUpdateId", "bids", "asks")}


def test_equals_the_book_rebuilt_over_the_shipped_stretch_and_its_best_prices() -> None:
    book = DepthBook("BTCUSDT")
    rows = [(row := json.loads(raw)).get("data", row) for raw in stretch()]
    tops = {row["u"]: row for row in rows if row.get("e") == "bookTicker"}
    rebuilt: Rebuilt | None = None
    waiting: list[Any] = []
    best: list[Any] = []
    compared = 0
    for row in rows:
        if "lastUpdateId" in row:
            rebuilt = Rebuilt(row)
            for one in waiting:
                rebuilt.take(one)
            assert book.begin(row["lastUpdateId"], row["bids"], row["asks"])
        elif row["e"] == "depthUpdate":
            assert book.take(frame(row))
            if rebuilt is None:
                waiting.append(row)
                continue
            rebuilt.take(row)
            if book.update % 20 == 0:
                assert in_decimals(book, 20) == rebuilt.best(20)
                compared += 1
            if (top := tops.get(book.update)) is not None:
                best.append((in_decimals(book, 1), top))
    assert best and len(best) == len(tops)  # the exchange's own best prices, told apart from the depth
    for told, top in best:
        bid, ask = ([(Decimal(top[price]), Decimal(top[size]))] for price, size in ("bB", "aA"))
        assert told == (bid, ask)
    assert rebuilt is not None and book.whole and compared > 50
    assert in_decimals(book, 10_000) == rebuilt.best(10_000)


def diff(first: int, last: int, previous: int, bid: str = "10.0", size: str = "1.000") -> DepthFrame:
    return DepthFrame(last, "BTCUSDT", first, last, previous, [(bid, size)], [])


def begun(snapshot: int = 10) -> DepthBook:
    book = DepthBook("BTCUSDT")
    book.take(diff(8, 12, 7))
    assert book.begin(snapshot, [("9.0", "1")], [("11.0", "2")])
    return book


def test_a_broken_chain_is_noticed_and_the_book_begins_again() -> None:
    book = begun()
    assert book.best() == (10 * UNIT, UNIT, 11 * UNIT, 2 * UNIT)
    assert book.take(diff(13, 15, 12))
    assert not book.take(diff(18, 19, 17))
    assert (book.whole, book.resyncs, book.best(), book.bids(5)) == (False, 1, None, [])
    assert book.wants_snapshot
    assert not book.begin(16, [], [])  # older than what was kept: ask again
    assert book.begin(19, [("8.0", "1")], [("9.5", "1")])
    assert book.bids(5) == [(10 * UNIT, UNIT), (8 * UNIT, UNIT)]


def test_frames_seen_before_change_nothing() -> None:
    book = begun()
    assert book.take(diff(8, 12, 7, "10.0", "0"))
    assert book.best() == (10 * UNIT, UNIT, 11 * UNIT, 2 * UNIT)
    assert book.take(diff(13, 14, 12, "10.0", "0"))
    assert book.best() == (9 * UNIT, UNIT, 11 * UNIT, 2 * UNIT)
    assert book.take(diff(15, 15, 14, "3.0", "0"))  # deleting what is not there is normal


def test_a_snapshot_older_than_the_first_difference_is_not_taken() -> None:
    book = DepthBook("BTCUSDT")
    book.take(diff(20, 25, 19))
    assert not book.begin(17, [], []) and not book.whole
    assert book.begin(19, [("1.0", "1")], [])  # nothing lies between


@pytest.mark.parametrize(
    ("price", "size"), [("1e1", "1"), ("ten", "1"), ("10", "0.000000001"), ("-1", "1"), ("1_0", "1")]
)
def test_a_level_that_is_no_number_breaks_the_book(price: str, size: str) -> None:
    book = begun()
    with pytest.raises(DataError, match="no price and size"):
        book.take(diff(13, 15, 12, price, size))
    assert not book.whole


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3)), max_size=60))
def test_best_prices_are_the_extremes_whatever_comes(levels: list[tuple[int, int]]) -> None:
    book, known, last = begun(), {90: 1, 100: 1}, 12
    for price, size in levels:
        book.take(diff(last + 1, last + 1, last, f"{price / 10:.1f}", str(size)))
        known[price] = size
        last += 1
    held = sorted((price for price, size in known.items() if size), reverse=True)
    assert [price * 10 // UNIT for price, _ in book.bids(100)] == held
