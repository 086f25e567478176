"""Trades from setup to flat over the wire, whatever goes wrong on the way, judged by the exchange's books."""

import pytest

from aister.core.audit import PlaceOrder, TradeClosed
from aister.core.trade import OrderType, Purpose
from aister.exchange_sim import READINGS, Fault, Settings
from aister.exchange_sim.rules import Readings
from aister.execution.traits import VenueTraits
from tests.engine.rig import setup
from tests.execution.trader import Trader

LONG = setup(2, stop=99_000.0, targets=((101_000.0, 5_000), (103_000.0, 5_000)))
FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)
FALL = (100_000.0, 100_000.0, 98_000.0, 98_500.0)
RISE = (100_000.0, 103_500.0, 100_000.0, 103_400.0)
BEFORE = VenueTraits("before", "limit")
AFTER = VenueTraits("after", "limit")
BOTH = pytest.mark.parametrize("traits", [BEFORE, AFTER], ids=["before", "after"])


def stopped(*faults: Fault, traits: VenueTraits = BEFORE, settings: Settings | None = None) -> Trader:
    """In at minute 4, stopped out in minute 6."""
    prices = [FLAT] * 6 + [FALL] + [(98_500.0,) * 4] * 3
    return Trader(LONG, prices=prices, faults=faults, traits=traits, settings=settings).trade(9)


def whole(trader: Trader) -> None:
    """Nothing is held, nothing rests, the books agree, and the trade was told."""
    assert trader.there == trader.steps == 0
    assert trader.books.venue.open_orders("BTCUSDT") == []
    assert trader.free
    assert len(trader.said(TradeClosed)) == 1
    sent = [one.order for one in trader.said(PlaceOrder)]
    assert len({one.intent_id for one in sent}) == len(sent)


@BOTH
def test_a_trade_is_protected_and_stopped_out(traits: VenueTraits) -> None:
    trader = stopped(traits=traits)
    whole(trader)
    assert [one.reason for one in trader.closed] == ["stop"]
    purposes = [one.order.purpose for one in trader.said(PlaceOrder)]
    first = [Purpose.STOP, Purpose.ENTRY] if traits is BEFORE else [Purpose.ENTRY, Purpose.STOP]
    assert purposes == [*first, Purpose.TARGET, Purpose.TARGET]
    assert trader.longest_naked_ms <= (0 if traits is BEFORE else 300)


@BOTH
def test_targets_are_limits_and_take_it_all(traits: VenueTraits) -> None:
    trader = Trader(LONG, prices=[FLAT] * 6 + [RISE] + [(103_400.0,) * 4] * 3, traits=traits).trade(9)
    whole(trader)
    assert [one.reason for one in trader.closed] == ["target"]
    targets = [one.order for one in trader.said(PlaceOrder) if one.order.purpose is Purpose.TARGET]
    assert {one.type for one in targets} == {OrderType.LIMIT} and all(one.reduce_only for one in targets)


def test_a_venue_that_takes_no_stop_while_flat_gets_it_with_the_fill() -> None:
    readings = Readings(close_position_while_flat=False)
    assert False in READINGS["close_position_while_flat"]
    trader = stopped(settings=Settings(readings=readings))
    whole(trader)
    assert trader.longest_naked_ms <= 300


@pytest.mark.parametrize(
    "fault",
    [
        Fault("request", path="order", method="POST", outcome="done", code=-1007, count=1),
        Fault("request", path="order", method="POST", outcome="done", status=0, count=2),
        Fault("request", path="order", method="POST", outcome="late", ms=3_000, count=1),
        Fault("request", path="order", method="POST", outcome="refused", code=-1006, count=1),
        Fault("drop", user_streams=True, stream="ORDER_TRADE_UPDATE", share_e4=5_000),
        Fault("drop", user_streams=True),
        Fault("duplicate", user_streams=True, ms=1_500),
        Fault("reorder", user_streams=True, ms=1_500),
        Fault("partial", fill_e4=3_000, ms=1_000),
        Fault("refuse_stop", code=-1000, count=1),
        Fault("cancel_stop", ms=2_000, count=1),
        Fault("request", path="order", method="POST", status=429, ms=2_000, count=1),
        Fault("cut", at_ms=245_000),
    ],
    ids=lambda one: f"{one.kind}-{one.outcome}-{one.code}-{one.stream}",
)
def test_one_fault_at_a_time_leaves_nothing_behind(fault: Fault) -> None:
    trader = stopped(fault, traits=AFTER if fault.kind in ("refuse_stop", "partial", "request") else BEFORE)
    assert trader.there == trader.steps == 0
    assert trader.books.venue.open_orders("BTCUSDT") == []
    sent = [one.order for one in trader.said(PlaceOrder)]
    assert len({one.intent_id for one in sent}) == len(sent)
    bought = sum(one.steps for one in sent if one.purpose is Purpose.ENTRY)
    assert bought <= 50
    assert trader.longest_naked_ms <= (35_000 if fault.kind == "cancel_stop" else 5_000)


@pytest.mark.parametrize(
    ("at_ms", "traits"),
    [
        *((at_ms, BEFORE) for at_ms in (240_100, 240_155, 240_162)),
        *((at_ms, AFTER) for at_ms in (240_155, 240_162, 240_171, 391_000)),
    ],
)
def test_killed_at_any_moment_it_goes_on_from_its_journal_and_sends_nothing_twice(
    at_ms: int, traits: VenueTraits
) -> None:
    """The entry leaves 150 ms after the close at 240,000; the stop-out is in minute 6."""
    prices = [FLAT] * 6 + [FALL] + [(98_500.0,) * 4] * 4
    trader = Trader(LONG, prices=prices, traits=traits).trade(10, at_ms)
    assert trader.there == trader.steps == 0
    assert trader.books.venue.open_orders("BTCUSDT") == []
    arrived = [seen for seen in trader.exchange.log if seen.done and seen.request.path.endswith("/order")]
    assert sum(b"side=BUY" in seen.request.body and b"type=STOP" not in seen.request.body for seen in arrived) <= 1
    assert trader.longest_naked_ms <= (0 if traits is BEFORE else 5_000)
