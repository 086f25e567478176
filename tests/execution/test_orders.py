"""Our view of one symbol's live orders, and what should rest there."""

import msgspec

from aister.core.council import Proposal, Target
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.bracket import bracket_for
from aister.execution.orders import OrderBook, OrderState
from aister.execution.plan import close_intent, obsolete, stop_intent, superseded_stops, target_intents


def order(client_id: str, purpose: Purpose = Purpose.STOP) -> Order:
    return Order(
        client_id, f"i-{client_id}", "BTCUSDT", Side.SELL, OrderType.STOP_MARKET, purpose, 0, 0, 90, False, True
    )


def test_life_of_an_order() -> None:
    book = OrderBook()
    book.sent(order("a"))
    assert [w.state for w in book.of(Purpose.STOP)] == [OrderState.SENT]
    assert book.accepted("a") == order("a")
    assert [w.state for w in book.of(Purpose.STOP)] == [OrderState.WORKING]
    assert book.canceling("a") and not book.canceling("a")
    assert book.of(Purpose.STOP) == [] and len(book.live()) == 1
    assert book.gone("a") == order("a") and book.gone("a") is None
    assert len(book) == 0


def test_an_acceptance_after_the_cancel_was_sent_does_not_revive_it() -> None:
    book = OrderBook()
    book.sent(order("a"))
    book.canceling("a")
    book.accepted("a")
    assert book.of(Purpose.STOP) == []


def test_flat_ends_the_time_of_all_orders_but_the_entry() -> None:
    book = OrderBook()
    for client_id, purpose in (("s", Purpose.STOP), ("t", Purpose.TARGET), ("e", Purpose.ENTRY)):
        book.sent(order(client_id, purpose))
    assert not book.outlived("s")
    book.flat()
    book.sent(order("next"))
    assert [name for name in ("s", "t", "e", "next", "x") if book.outlived(name)] == ["s", "t"]


def test_partial_fills_keep_the_order() -> None:
    book = OrderBook()
    book.sent(order("a"))
    book.filled("a", 3, done=False)
    assert book.live()[0].filled == 3
    book.filled("a", 2, done=True)
    assert len(book) == 0


def test_reports_of_strangers_change_nothing() -> None:
    book = OrderBook()
    assert book.accepted("x") is None and book.filled("x", 1, True) is None and not book.canceling("x")


def test_a_new_stop_supersedes_the_others_and_flat_makes_all_but_entries_obsolete() -> None:
    book = OrderBook()
    for client_id in ("old", "new"):
        book.sent(order(client_id))
    book.sent(order("t", Purpose.TARGET))
    book.sent(order("e", Purpose.ENTRY))
    assert superseded_stops(book, "new") == ["old"]
    assert obsolete(book) == ["old", "new", "t"]


def test_intents_that_protect_only_reduce() -> None:
    targets = (Target(900, 4_000), Target(800, 6_000))
    wanted = Proposal("s", "BTCUSDT", Side.SELL, OrderType.MARKET, 1_000, 1_100, targets, 0, "")
    bracket = bracket_for(wanted, entry_ticks=1_000, planned_ticks=1_000, steps=10, unit=1, opened_ms=0, cost_e8=0)
    stop = stop_intent(bracket)
    assert (stop.side, stop.close_position, stop.trigger_ticks, stop.type) == (
        Side.BUY,
        True,
        1_100,
        OrderType.STOP_MARKET,
    )
    targets = target_intents(bracket, 10)
    assert [(t.trigger_ticks, t.steps, t.reduce_only, t.side) for t in targets] == [
        (900, 4, True, Side.BUY),
        (800, 6, True, Side.BUY),
    ]
    close = close_intent("BTCUSDT", Side.BUY, 7, 500, "why")
    assert (close.side, close.steps, close.reduce_only, close.purpose) == (Side.SELL, 7, True, Purpose.CLOSE)
    assert len({i.id for i in (stop, *targets, close)}) == 4
    assert msgspec.structs.asdict(close)["id"] == "why-close"
