"""Cases of the queue worked by hand. Feed latency 0 and both order latencies 1 ms unless a case says otherwise;
decisions every 10 ms; what is placed at decision n (10 n ms) arrives 1 ms later. Tick 0.1, step 0.001, so one tick x
one step is 10,000 units of 1e-8."""

from typing import Any

from aister.lab.ticks import Latency, Queue, Replayed, TickPlan, replay
from tests.kernels.tick_worlds import CONTRACT, FREE, MS, T0, scripted, written

BOOK = ((0, "bid", 1_000, 50), (0, "bid", 999, 80), (0, "ask", 1_001, 40), (0, "ask", 1_002, 60), (0, "ask", 1_003, 5))
FAST = Latency(MS, MS)
BUY = ("place", 1, 1_000, 10)


def _run(
    *lines: tuple[int, str, int, int],
    script: dict[int, list[tuple[Any, ...]]],
    rule: Any = "risk_averse",
    whole: bool = False,
    latency: Latency = FAST,
    contract: Any = CONTRACT,
) -> Replayed:
    plan = TickPlan(interval_ns=10 * MS, latency=latency, queue=Queue(rule, 1.0, whole))
    end = (500, "bid", 900, 1)
    return replay(written(*BOOK, *lines, end, contract=contract), plan, scripted(script))


def _told(result: Replayed) -> list[tuple[int, ...]]:
    """(ms, side, ticks, steps, maker) of every fill."""
    return [
        ((int(f["time_ns"]) - T0) // MS, int(f["side"]), int(f["ticks"]), int(f["steps"]), int(f["maker"]))
        for f in result.fills
    ]


def test_trades_at_the_price_eat_the_queue_then_us() -> None:
    """50 ahead. 30 trade: 20 ahead. 25 trade: 5 beyond the queue, so 5 of our 10 fill. 5 more: the rest."""
    told = _run((20, "sell", 1_000, 30), (21, "sell", 1_000, 25), (22, "sell", 1_000, 9), script={1: [BUY]})
    assert _told(told) == [(21, 1, 1_000, 5, 1), (22, 1, 1_000, 5, 1)]
    assert told.ahead == 50.0


def test_whole_fills_all_at_once() -> None:
    """The same, but an order that is reached fills whole: 10 at the second trade."""
    lines = ((20, "sell", 1_000, 30), (21, "sell", 1_000, 25), (22, "sell", 1_000, 9))
    assert _told(_run(*lines, script={1: [BUY]}, whole=True)) == [(21, 1, 1_000, 10, 1)]


def test_risk_averse_moves_only_as_far_as_the_level_shrinks() -> None:
    """50 ahead; the level falls to 20 by cancellations: at most 20 ahead. It grows to 90: those joined behind us.
    20 trade: 0 ahead, nothing for us. 3 trade: 3 for us."""
    lines = ((20, "bid", 1_000, 20), (21, "bid", 1_000, 90), (22, "sell", 1_000, 20), (23, "sell", 1_000, 3))
    assert _told(_run(*lines, script={1: [BUY]})) == [(23, 1, 1_000, 3, 1)]


def test_power_rule_splits_a_cancellation() -> None:
    """50 ahead; the level grows to 100, so 50 behind. It falls by 40, none of it traded: share behind 50 / 100, so 20
    left ahead of us: 30 ahead. 34 trade: 4 for us."""
    lines = ((20, "bid", 1_000, 100), (21, "bid", 1_000, 60), (22, "sell", 1_000, 34))
    assert _told(_run(*lines, script={1: [BUY]}, rule="power")) == [(22, 1, 1_000, 4, 1)]
    assert _told(_run(*lines, script={1: [BUY]})) == []  # risk-averse: still 50 ahead of the 34


def test_power_rule_does_not_count_trades_twice() -> None:
    """Level 100, 50 ahead. 20 trade: 30 ahead. The level then shows 80: the fall of 20 is that trade, so 30 stay ahead.
    33 trade: 3 for us."""
    lines = ((20, "bid", 1_000, 100), (21, "sell", 1_000, 20), (22, "bid", 1_000, 80), (23, "sell", 1_000, 33))
    assert _told(_run(*lines, script={1: [BUY]}, rule="power")) == [(23, 1, 1_000, 3, 1)]


def test_a_trade_through_the_price_fills_whole() -> None:
    """A sale of 1 step at 999, below our 1,000: everything at 1,000 must have gone first, our 10 too, at 1,000."""
    assert _told(_run((20, "sell", 999, 1), script={1: [BUY]})) == [(20, 1, 1_000, 10, 1)]


def test_an_ask_shown_at_our_bid_fills_whole() -> None:
    """Asks come down to 1,000: what we bid there is gone, at our price, as maker."""
    assert _told(_run((20, "ask", 1_000, 7), script={1: [BUY]})) == [(20, 1, 1_000, 10, 1)]


def test_the_fill_before_the_cancel_arrives() -> None:
    """Cancel sent at 30 ms arrives at 31. The trade through our price at 31 happens first: filled, cancel late."""
    told = _run((31, "sell", 999, 1), script={1: [BUY], 3: [("cancel", 0)]})
    assert _told(told) == [(31, 1, 1_000, 10, 1)]
    assert (told.cancelled, told.cancels_late) == (0, 1)
    told = _run((32, "sell", 999, 1), script={1: [BUY], 3: [("cancel", 0)]})
    assert (_told(told), told.cancelled, told.cancels_late) == ([], 1, 0)


def test_an_order_on_its_way_is_not_there() -> None:
    """Sent at 10 ms with 15 ms to go: trades at 24 ms pass it by, those at 26 ms do not."""
    slow = Latency(15 * MS, 1 * MS)
    lines = ((24, "sell", 999, 1), (26, "sell", 999, 1))
    assert _told(_run(*lines, script={1: [BUY]}, latency=slow)) == [(26, 1, 1_000, 10, 1)]


def test_post_only_that_would_take_expires() -> None:
    """Ask at 1,001: a post-only bid at 1,001 expires; one at 1,000 rests."""
    told = _run(script={1: [("place", 1, 1_001, 5), BUY]})
    assert (_told(told), told.expired, told.accepted) == ([], 1, 1)


def test_a_taker_walks_the_book() -> None:
    """Buy 70 up to 1,002: 40 at 1,001, 30 at 1,002. Fees 3.5 bp of 1,001 x 40 x 10,000 = 140,140 and of 1,002 x 30 x
    10,000 = 105,210 units."""
    told = _run(script={1: [("place", 1, 1_002, 70, "limit")]})
    assert _told(told) == [(11, 1, 1_001, 40, 0), (11, 1, 1_002, 30, 0)]
    assert told.fills["fee"].tolist() == [140_140, 105_210]
    assert told.fees == 245_350


def test_what_a_limit_cannot_take_rests_and_what_an_immediate_cannot_expires() -> None:
    """Buy 50 up to 1,001: 40 now; the other 10 rest at 1,001 with nothing ahead: a sale of 4 there fills 4 as maker."""
    taken = (11, 1, 1_001, 40, 0)
    told = _run((20, "sell", 1_001, 4), script={1: [("place", 1, 1_001, 50, "limit")]})
    assert _told(told) == [taken, (20, 1, 1_001, 4, 1)]
    told = _run((20, "sell", 1_001, 4), script={1: [("place", 1, 1_001, 50, "immediate")]})
    assert (_told(told), told.expired) == ([taken], 1)


def test_two_own_orders_at_one_price_share_a_trade_by_age() -> None:
    """Both joined behind 50. 65 trade: 50 the queue, 10 the older, 5 the younger; nothing is given out twice."""
    told = _run((20, "sell", 1_000, 65), script={1: [BUY, BUY]})
    assert _told(told) == [(20, 1, 1_000, 10, 1), (20, 1, 1_000, 5, 1)]
    assert told.fills["id"].tolist() == [1, 2]


def test_a_round_trip_earns_the_spread() -> None:
    """Bought 10 at 1,000, sold 10 at 1,001, no fees: 1 tick x 10 steps x 10,000 = 100,000 units, position 0. With 1 bp:
    fees 10,000 and 10,010."""
    lines = ((20, "sell", 999, 1), (40, "buy", 1_002, 1))
    script = {1: [BUY, ("place", -1, 1_001, 10)]}
    told = _run(*lines, script=script, contract=FREE)
    assert (told.pnl, told.realised, told.position_steps) == (100_000, 100_000, 0)
    told = _run(*lines, script=script)
    assert (told.fees, told.pnl) == (20_010, 79_990)
