"""What the engine does with a venue's own ways: stops attached to entries, one stop only, positions found there, fills
that nobody here asked for."""

import msgspec
import pytest

from aister.core.audit import CancelOrder, PlaceOrder, Reviewed, TradeClosed
from aister.core.commands import AcceptAbsence, AcceptRollback
from aister.core.events import (
    BarClosed,
    CommandGiven,
    EntriesFrozen,
    Event,
    InstrumentListed,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PositionFound,
)
from aister.core.trade import Fill, FillKind, Order, OrderType, Purpose, Side
from aister.execution.traits import VenueTraits
from tests.engine.rig import BTC, START_MS, Rig, setup
from tests.sim.market import MINUTE_MS

LONG = setup(2, stop=99_000.0, targets=((101_000.0, 5_000), (103_000.0, 5_000)))


def told(rig: Rig, event: Event) -> tuple[list[Order], list[str]]:
    """What the engine orders and cancels on this event, which the simulated venue never hears of."""
    outputs = rig.engine.process(event).outputs
    return (
        [one.order for one in outputs if isinstance(one, PlaceOrder)],
        [one.client_id for one in outputs if isinstance(one, CancelOrder)],
    )


def outside(rig: Rig, side: Side, steps: int, ticks: int = 1_000_000, **changes: object) -> OrderFilled:
    """A fill that no order here made."""
    fill = Fill(rig.engine.time_ms, BTC, "web_1", "", "", side, steps, ticks, 0, False, FillKind.TRADE)
    return OrderFilled(rig.engine.time_ms, msgspec.structs.replace(fill, **changes), True)


def later(rig: Rig, minutes: int, close: float = 100_000.0) -> BarClosed:
    """The bar that closes so many minutes after the newest one."""
    at = rig.engine.time_ms + minutes * MINUTE_MS
    return BarClosed(at, BTC, at - MINUTE_MS, 100_000.0, max(close, 100_000.0), min(close, 100_000.0), close, 1.0)


def test_an_attached_stop_leaves_in_the_pass_of_its_entry_and_no_other_follows_the_fill() -> None:
    rig = Rig(LONG, traits=VenueTraits(protection="attached")).bars(4)
    entry, stop = rig.placed
    assert (entry.purpose, stop.purpose, stop.trigger_ticks, stop.close_position) == (
        Purpose.ENTRY,
        Purpose.STOP,
        990_000,
        True,
    )
    filled = outside(rig, Side.BUY, 50, client_id=entry.client_id, intent_id=entry.intent_id, purpose="entry")
    placed, _ = told(rig, filled)
    assert [one.purpose for one in placed] == [Purpose.TARGET, Purpose.TARGET]
    assert told(rig, OrderAccepted(rig.engine.time_ms, BTC, stop.client_id)) == ([], [])
    assert rig.engine.desks[BTC].resident_stop_ticks == 990_000


def test_an_attached_stop_that_the_venue_did_not_place_is_placed_from_here() -> None:
    rig = Rig(LONG, traits=VenueTraits(protection="attached")).bars(4)
    entry, stop = rig.placed
    told(rig, outside(rig, Side.BUY, 50, client_id=entry.client_id, intent_id=entry.intent_id, purpose="entry"))
    placed, _ = told(rig, OrderRejected(rig.engine.time_ms, BTC, stop.client_id, "0 the venue did not place it"))
    assert [(one.purpose, one.trigger_ticks) for one in placed] == [(Purpose.STOP, 990_000)]


def test_an_attached_stop_goes_with_an_entry_that_never_filled() -> None:
    rig = Rig(LONG, traits=VenueTraits(protection="attached")).bars(4)
    entry, stop = rig.placed
    assert told(rig, OrderCanceled(rig.engine.time_ms, BTC, entry.client_id, "expired")) == ([], [stop.client_id])
    told(rig, OrderCanceled(rig.engine.time_ms, BTC, stop.client_id, "no entry filled"))
    assert rig.free


def test_where_only_one_closing_stop_may_rest_a_better_one_goes_beside_it_by_size_and_then_takes_its_place() -> None:
    rig = Rig(LONG).bars(5)
    (first,) = [one for one in rig.resting if one.purpose is Purpose.STOP]
    assert rig.engine.desks[BTC].bracket is not None
    rig.engine.desks[BTC].bracket.targets_hit = 1  # type: ignore[union-attr]
    rig.engine.desks[BTC].stop_moves = True
    (better,), _ = told(rig, later(rig, 1, 100_800.0))
    assert better.close_position and better.trigger_ticks > first.trigger_ticks
    now = rig.engine.time_ms
    (sized,), _ = told(rig, OrderRejected(now, BTC, better.client_id, "-4130 one rests already"))
    assert (sized.close_position, sized.reduce_only, sized.steps) == (False, True, rig.steps)
    assert sized.trigger_ticks == better.trigger_ticks
    assert told(rig, OrderAccepted(now, BTC, sized.client_id)) == ([], [first.client_id])
    (whole,), _ = told(rig, OrderCanceled(now, BTC, first.client_id, "replaced"))
    assert whole.close_position and whole.trigger_ticks == better.trigger_ticks
    assert len({better.intent_id, sized.intent_id, whole.intent_id}) == 3
    assert told(rig, OrderAccepted(now, BTC, whole.client_id)) == ([], [sized.client_id])


def test_beside_somebody_elses_stop_ours_goes_by_size_where_the_venue_takes_only_one() -> None:
    rig = Rig().bars(3)
    told(rig, PositionFound(rig.engine.time_ms, BTC, 0, 985_000, None, 3_600_000))
    (ours,), _ = told(rig, outside(rig, Side.BUY, 30))
    assert ours.close_position and ours.trigger_ticks == 985_000
    now = rig.engine.time_ms
    (sized,), _ = told(rig, OrderRejected(now, BTC, ours.client_id, "-4130 one rests already"))
    assert (sized.purpose, sized.close_position, sized.reduce_only, sized.steps) == (Purpose.STOP, False, True, 30)
    assert sized.trigger_ticks == 985_000
    assert told(rig, OrderAccepted(now, BTC, sized.client_id)) == ([], [])
    assert rig.engine.desks[BTC].resident_stop_ticks == 985_000 and rig.steps == 30
    orders, _ = told(rig, OrderCanceled(now, BTC, sized.client_id, "taken away"))
    for _ in range(8):  # and should none be taken any more, what is held is closed
        if orders[0].purpose is not Purpose.STOP:
            break
        why = "-4130 one rests" if orders[0].close_position else "-2010 refused"
        orders, _ = told(rig, OrderRejected(now, BTC, orders[0].client_id, why))
    assert [one.purpose for one in orders] == [Purpose.CLOSE]


def test_a_position_found_with_our_stop_is_kept_and_not_protected_twice() -> None:
    rig = Rig().bars(3)
    stop = Order(
        "ai00000000-7-1", "found", BTC, Side.SELL, OrderType.STOP_MARKET, Purpose.STOP, 0, 0, 985_000, False, True
    )
    told(rig, PositionFound(rig.engine.time_ms, BTC, 0, 985_000, stop, 3_600_000))
    assert told(rig, outside(rig, Side.BUY, 30)) == ([], [])
    bracket = rig.engine.desks[BTC].bracket
    assert bracket is not None and (bracket.stop_ticks, bracket.side) == (985_000, Side.BUY)
    assert rig.engine.desks[BTC].resident_stop_ticks == 985_000
    (close,), _ = told(rig, later(rig, 61))
    assert (close.purpose, close.steps, close.reduce_only) == (Purpose.CLOSE, 30, True)


def test_a_position_found_with_somebody_elses_stop_gets_one_of_ours_beside_it() -> None:
    rig = Rig().bars(3)
    told(rig, PositionFound(rig.engine.time_ms, BTC, 0, 1_020_000, None, 3_600_000))
    (stop,), _ = told(rig, outside(rig, Side.SELL, 30))
    assert (stop.side, stop.trigger_ticks, stop.close_position) == (Side.BUY, 1_020_000, True)


def test_a_position_nobody_asked_for_is_closed() -> None:
    rig = Rig().bars(3)
    (close,), _ = told(rig, outside(rig, Side.BUY, 30))
    assert (close.purpose, close.side, close.steps) == (Purpose.CLOSE, Side.SELL, 30)


def test_a_position_that_somebody_turns_round_ends_its_trade_and_what_has_no_plan_is_closed() -> None:
    rig = Rig(LONG).bars(5)
    held, resting = rig.steps, {one.client_id for one in rig.resting}
    (close,), cancelled = told(rig, outside(rig, Side.SELL, held + 30))
    assert (close.purpose, close.side, close.steps, close.reduce_only) == (Purpose.CLOSE, Side.BUY, 30, True)
    assert set(cancelled) == resting and rig.steps == -30
    told(rig, outside(rig, Side.BUY, 30, client_id=close.client_id, intent_id=close.intent_id, purpose="close"))
    assert rig.steps == 0 and rig.engine.desks[BTC].bracket is None


@pytest.mark.parametrize(
    ("client_id", "kind", "reason"),
    [
        ("web_1", FillKind.TRADE, "outside"),
        ("adl_autoclose", FillKind.LIQUIDATION, "adl"),
        ("autoclose-17", FillKind.LIQUIDATION, "liquidation"),
    ],
)
def test_an_end_that_nobody_here_asked_for_names_its_cause_and_takes_all_orders_along(
    client_id: str, kind: FillKind, reason: str
) -> None:
    rig = Rig(LONG).bars(5)
    resting = {one.client_id for one in rig.resting}
    audit = rig.engine.process(outside(rig, Side.SELL, rig.steps, client_id=client_id, kind=kind))
    (closed,) = [one for one in audit.outputs if isinstance(one, TradeClosed)]
    assert closed.reason == reason
    assert {one.client_id for one in audit.outputs if isinstance(one, CancelOrder)} == resting
    assert rig.risk.snapshot().conduct.stopped_ms[BTC] == closed.closed_ms


def test_a_partial_adl_leaves_the_stop_that_closes_whatever_is_held() -> None:
    rig = Rig(LONG).bars(5)
    held = rig.steps
    part = outside(rig, Side.SELL, held // 2, client_id="adl_autoclose", kind=FillKind.LIQUIDATION)
    assert told(rig, part) == ([], [])
    assert rig.steps == held - held // 2
    assert rig.engine.desks[BTC].resident_stop_ticks == 990_000


def test_only_a_person_ends_the_freeze_of_an_absence() -> None:
    rig = Rig().bars(2)
    told(rig, EntriesFrozen(rig.engine.time_ms, "absence", "away for 10 days"))
    told(rig, CommandGiven(rig.engine.time_ms, AcceptRollback("owner", "the disk was restored", 5, 9)))
    assert list(rig.risk.frozen) == ["absence"]
    told(rig, CommandGiven(rig.engine.time_ms, AcceptAbsence("owner", "I looked")))
    assert rig.risk.frozen == {}
    assert rig.engine.time_ms > START_MS


def test_a_halted_symbol_is_not_entered_and_its_first_closed_bar_after_the_halt_may_be() -> None:
    again = setup(9, stop=99_000.0, targets=((101_000.0, 10_000),))
    rig = Rig(LONG, again)
    halted = msgspec.structs.replace(rig.instrument, status="HALT")
    rig.bar(instruments=(halted,)).bars(5)
    assert rig.placed == [] and not rig.said(PlaceOrder)
    assert any("HALT" in one.reason for one in rig.said(Reviewed))
    rig.bar(instruments=(rig.instrument,)).bars(5)
    assert rig.said(PlaceOrder)[0].order.purpose is Purpose.ENTRY


def test_an_entry_that_still_works_is_withdrawn_when_its_symbol_stops_trading() -> None:
    rig = Rig(setup(2, entry=99_500.0, stop=99_000.0, targets=((101_000.0, 10_000),))).bars(4)
    working = next(one for one in rig.placed if one.purpose is Purpose.ENTRY)
    halted = msgspec.structs.replace(rig.instrument, status="HALT")
    _, cancelled = told(rig, InstrumentListed(rig.engine.time_ms, halted))
    assert working.client_id in cancelled
