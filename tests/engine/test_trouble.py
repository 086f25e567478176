"""What the engine does when the venue refuses, forgets or does things nobody asked for."""

import pytest

from aister.core.audit import Breaker, BreakerChanged, CancelOrder, PlaceOrder, PlanVoided, Reviewed
from aister.core.commands import ResumeTrading
from aister.core.events import (
    BarClosed,
    CommandGiven,
    EntriesFrozen,
    EntriesThawed,
    Event,
    MoneyBooked,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PositionBare,
    PositionShown,
)
from aister.core.trade import Fill, FillKind, Order, Purpose, Side
from aister.execution.traits import VenueTraits
from aister.risk.state import STOPS_OF, State
from tests.engine.rig import BTC, START_MS, Rig, setup
from tests.sim.market import MINUTE_MS, MONEY

LONG = setup(2, stop=99_000.0, targets=((101_000.0, 5_000), (103_000.0, 5_000)))


def holding() -> Rig:
    rig = Rig(LONG).bars(5)
    assert rig.steps == 50
    return rig


def told(rig: Rig, event: Event) -> list[Order]:
    """What the engine orders on this event, which the simulated venue never hears of."""
    return [one.order for one in rig.engine.process(event).outputs if isinstance(one, PlaceOrder)]


def fills(rig: Rig, order: Order, steps: int, *, ticks: int = 1_000_000, done: bool = True) -> list[Order]:
    """What the engine orders on so many steps of this order."""
    fill = Fill(
        rig.engine.time_ms, BTC, order.client_id, order.intent_id, str(order.purpose), order.side, steps, ticks, 0,
        False, FillKind.TRADE,
    )  # fmt: skip
    return told(rig, OrderFilled(rig.engine.time_ms, fill, done))


def just_filled() -> tuple[Rig, Order]:
    """A rig whose entry filled, and its stop on the way: no answer yet."""
    rig = Rig(LONG).bars(4)
    (entry,) = [one.order for one in rig.said(PlaceOrder)]
    placed = fills(rig, entry, 50)
    assert [one.purpose for one in placed] == [Purpose.STOP, Purpose.TARGET, Purpose.TARGET]
    return rig, placed[0]


def test_a_refused_stop_is_tried_again_then_the_position_is_closed_then_a_person_is_called() -> None:
    rig, stop = just_filled()
    now, ids = rig.engine.time_ms, {stop.intent_id}
    for purpose in [Purpose.STOP] * 2 + [Purpose.CLOSE] * 4:
        placed = told(rig, OrderRejected(now, BTC, stop.client_id, "-1000 no idea"))
        assert [(one.purpose, one.side) for one in placed] == [(purpose, Side.SELL)]
        (stop,) = placed
        assert stop.intent_id not in ids
        ids.add(stop.intent_id)
        assert purpose is Purpose.STOP or (stop.reduce_only and stop.steps == 50)
    audit = rig.engine.process(OrderRejected(now, BTC, stop.client_id, "-1000 no idea"))
    (shout,) = [one for one in audit.outputs if isinstance(one, BreakerChanged)]
    assert shout.state is Breaker.HALTED and "cannot be closed" in shout.reason
    assert not [one for one in audit.outputs if isinstance(one, PlaceOrder)]


def test_a_stop_type_the_venue_does_not_take_bars_further_entries() -> None:
    rig, stop = just_filled()
    for _ in range(3):
        (stop,) = told(rig, OrderRejected(rig.engine.time_ms, BTC, stop.client_id, "-4120 no such type"))
    assert stop.purpose is Purpose.CLOSE
    assert list(rig.risk.frozen) == [f"stops of {BTC}"]


def test_a_stop_of_unknown_outcome_gets_another_beside_it_and_the_late_one_is_cancelled_when_seen() -> None:
    rig, stop = just_filled()
    now = rig.engine.time_ms
    (second,) = told(rig, OrderUnknown(now, BTC, stop.client_id, "silence"))
    assert (second.purpose, second.close_position) == (Purpose.STOP, True)
    assert second.intent_id == f"{stop.intent_id}~1"
    audit = rig.engine.process(OrderAccepted(now, BTC, second.client_id))
    assert [one.client_id for one in audit.outputs if isinstance(one, CancelOrder)] == [stop.client_id]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (OrderRejected, "-2021 it would trigger at once"),
        (OrderRejected, "-1000 no idea"),
        (OrderCanceled, "taken away"),
        (OrderUnknown, "silence"),
    ],
)
def test_the_end_of_an_order_of_the_position_before_says_nothing_about_this_one(
    event: type[OrderRejected | OrderCanceled | OrderUnknown], reason: str
) -> None:
    """20 of 50 fill, their stop is of unknown outcome, the one beside it takes them out; then the other 30 fill."""
    rig = Rig(LONG).bars(4)
    (entry,) = [one.order for one in rig.said(PlaceOrder)]
    (stop,) = fills(rig, entry, 20, done=False)
    (beside,) = told(rig, OrderUnknown(rig.engine.time_ms, BTC, stop.client_id, "silence"))
    assert fills(rig, beside, 20, ticks=990_000) == []
    purposes = [one.purpose for one in fills(rig, entry, 30)]
    assert purposes == [Purpose.STOP, Purpose.TARGET, Purpose.TARGET]
    desk = rig.engine.desks[BTC]
    assert told(rig, event(rig.engine.time_ms, BTC, stop.client_id, reason)) == []
    assert (desk.tries, desk.stop_moves) == (0, False)


def test_an_unknown_stop_beside_a_resident_one_and_an_unknown_entry_change_nothing() -> None:
    rig = holding()
    (stop,) = [one for one in rig.resting if one.purpose is Purpose.STOP]
    assert told(rig, OrderUnknown(rig.engine.time_ms, BTC, stop.client_id, "silence")) == []
    rig = Rig(LONG).bars(4)
    (entry,) = rig.placed
    assert told(rig, OrderUnknown(rig.engine.time_ms, BTC, entry.client_id, "silence")) == []
    assert not rig.free


def test_frozen_entries_are_withdrawn_and_refused_until_thawed_while_protection_stays() -> None:
    rig = Rig(LONG).bars(4)
    (entry,) = rig.placed
    assert rig.run.hear(EntriesFrozen(rig.engine.time_ms, "stream", "the stream is lost"))
    assert rig.cancels()[0][0] == entry.client_id and rig.resting == []
    again = Rig(LONG).bars(2)
    again.run.hear(EntriesFrozen(again.engine.time_ms, "stream", "the stream is lost"))
    again.bars(3)
    (refused,) = again.said(Reviewed)
    assert (refused.granted_steps, refused.limit, refused.reason) == (
        0,
        "kill_switch",
        "entries are frozen: the stream is lost",
    )
    again.run.hear(EntriesThawed(again.engine.time_ms, "stream"))
    assert again.risk.frozen == {}
    assert again.said(PlanVoided) == []


def test_a_held_position_keeps_its_stop_through_a_freeze() -> None:
    rig = holding()
    rig.run.hear(EntriesFrozen(rig.engine.time_ms, "foreign", "somebody else trades here"))
    assert rig.cancels() == [] and len(rig.resting) == 3
    rig.bar(98_900.0, open=100_000.0, low=98_800.0)
    assert rig.steps == 0


def unasked(rig: Rig, side: Side, steps: int) -> OrderFilled:
    now = rig.engine.time_ms
    return OrderFilled(now, Fill(now, BTC, "web_1", "", "", side, steps, 1_000_000, MONEY, False, FillKind.TRADE), True)


def test_a_position_that_somebody_else_opened_is_ledgered_and_closed() -> None:
    rig = Rig().bars(2)
    (close,) = told(rig, unasked(rig, Side.BUY, 7))
    assert (close.purpose, close.side, close.steps, close.reduce_only) == (Purpose.CLOSE, Side.SELL, 7, True)
    assert rig.steps == 7


def test_a_position_closed_by_somebody_else_leaves_no_order() -> None:
    rig = holding()
    audit = rig.engine.process(unasked(rig, Side.SELL, 50))
    assert rig.steps == 0
    assert len([one for one in audit.outputs if isinstance(one, CancelOrder)]) == 3
    assert rig.engine.desks[BTC].bracket is None


def test_a_close_that_finds_nothing_to_reduce_is_not_repeated() -> None:
    rig = Rig().bars(2)
    (close,) = told(rig, unasked(rig, Side.BUY, 7))
    assert told(rig, OrderRejected(rig.engine.time_ms, BTC, close.client_id, "-2022 nothing to reduce")) == []


def test_more_of_a_held_position_from_elsewhere_joins_it_under_its_stop() -> None:
    rig = holding()
    assert told(rig, unasked(rig, Side.BUY, 7)) == []
    assert rig.steps == 57


def test_a_position_shown_before_its_fill_is_told_gets_its_stop_and_no_second_one_with_the_fill() -> None:
    rig = Rig(LONG).bars(4)
    (entry,), now = rig.placed, rig.engine.time_ms
    assert told(rig, PositionShown(now, BTC, 0, -50)) == []  # not what is entering
    (stop,) = told(rig, PositionShown(now, BTC, 0, 50))
    assert (stop.purpose, stop.side, stop.trigger_ticks, stop.close_position) == (
        Purpose.STOP,
        Side.SELL,
        990_000,
        True,
    )
    assert told(rig, PositionShown(now, BTC, 0, 50)) == []
    assert told(rig, OrderRejected(now, BTC, stop.client_id, "-1000 no idea")) == []
    (second,) = told(rig, PositionShown(now, BTC, 0, 50))
    assert second.intent_id != stop.intent_id
    rig.engine.process(OrderAccepted(now, BTC, second.client_id))
    fill = Fill(now, BTC, entry.client_id, entry.intent_id, "entry", Side.BUY, 50, 1_000_000, 0, False, FillKind.TRADE)
    assert [one.purpose for one in told(rig, OrderFilled(now, fill, True))] == [Purpose.TARGET, Purpose.TARGET]
    assert told(rig, PositionShown(now, BTC, 0, 50)) == []


def test_a_position_shown_where_nothing_enters_is_not_guessed_at() -> None:
    rig = Rig().bars(2)
    assert rig.engine.process(PositionShown(rig.engine.time_ms, BTC, 0, 7)).outputs == ()


def test_a_person_resumes_after_a_halt() -> None:
    rig = Rig().bars(1)
    assert rig.risk.halt("protection", "x") == BreakerChanged(Breaker.HALTED, "x")
    rig.command(ResumeTrading("owner", "looked")).bar()
    assert rig.risk.breaker is Breaker.ACTIVE
    assert rig.engine.time_ms == START_MS + 2 * MINUTE_MS


def test_closes_of_unknown_outcome_call_nobody_and_a_person_who_resumes_lets_refused_ones_be_tried_again() -> None:
    rig, stop = just_filled()
    now = rig.engine.time_ms
    for _ in range(3):
        (stop,) = told(rig, OrderRejected(now, BTC, stop.client_id, "-4120 no such type"))
    ids, lost = {stop.intent_id}, stop
    for _ in range(10):
        (lost,) = told(rig, OrderUnknown(now, BTC, lost.client_id, "silence"))
        assert lost.purpose is Purpose.CLOSE and lost.intent_id not in ids
        ids.add(lost.intent_id)
    assert rig.risk.breaker is Breaker.ACTIVE
    for _ in range(3):
        (lost,) = told(rig, OrderRejected(now, BTC, lost.client_id, "-1000 no idea"))
    assert told(rig, OrderRejected(now, BTC, lost.client_id, "-1000 no idea")) == []
    assert rig.risk.breaker is Breaker.HALTED
    told(rig, CommandGiven(now, ResumeTrading("owner", "looked")))
    assert (rig.risk.breaker, rig.engine.desks[BTC].tries, rig.risk.frozen) == (Breaker.ACTIVE, 0, {})


def test_a_symbol_whose_stops_the_venue_does_not_take_freezes_no_other() -> None:
    state = State(frozen={f"{STOPS_OF}{BTC}": "no such stop"})
    assert (state.frozen_for(BTC), state.frozen_for("ETHUSDT")) == (["no such stop"], [])
    state.frozen["stream"] = "lost"
    assert state.frozen_for("ETHUSDT") == ["lost"]


def test_an_entry_does_not_wait_for_its_stop_longer_than_its_plan_would_live() -> None:
    rig = Rig(LONG, traits=VenueTraits(protection="before")).bars(3)
    rig.venue.take_reports = list  # type: ignore[method-assign]  # the venue says nothing
    rig.bar()
    desk = rig.engine.desks[BTC]
    waiting = desk.entering
    assert waiting is not None and waiting.expires_ms == rig.engine.time_ms + 30 * MINUTE_MS
    late = waiting.expires_ms
    bar = BarClosed(late, BTC, late - MINUTE_MS, 100_000.0, 100_000.0, 100_000.0, 100_000.0, 1.0)
    outputs = rig.engine.process(bar).outputs
    assert [one.client_id for one in outputs if isinstance(one, CancelOrder)] == [waiting.guard]
    assert told(rig, OrderAccepted(late, BTC, waiting.guard)) == []
    rig.engine.process(OrderCanceled(late, BTC, waiting.guard, "requested"))
    assert rig.free and desk.entry is None


def test_money_that_was_moved_changes_no_loss_and_what_leaves_nothing_is_one() -> None:
    rig = Rig().bars(2)
    equity = rig.portfolio.equity
    told(rig, MoneyBooked(rig.engine.time_ms, "", "TRANSFER", -equity // 2, True, 1))
    assert rig.portfolio.nav_per_unit == 1.0 and rig.portfolio.equity == equity - equity // 2
    told(rig, MoneyBooked(rig.engine.time_ms, BTC, "COMMISSION_REBATE", equity // 4, False, 1))
    assert rig.portfolio.nav_per_unit == pytest.approx(1.5)
    told(rig, MoneyBooked(rig.engine.time_ms, "", "TRANSFER", -rig.portfolio.equity, True, 1))
    assert rig.portfolio.equity == 0 and rig.portfolio.nav_per_unit == 0


def test_a_position_that_the_venue_shows_bare_gets_its_stop_once_more_or_is_closed_where_it_has_no_plan() -> None:
    rig = holding()
    now = rig.engine.time_ms
    assert told(rig, PositionBare(now, BTC, 0, 57)) == []  # it moved meanwhile
    (stop,) = told(rig, PositionBare(now, BTC, 0, 50))
    assert (stop.purpose, stop.side, stop.trigger_ticks, stop.close_position) == (
        Purpose.STOP,
        Side.SELL,
        990_000,
        True,
    )
    assert told(rig, PositionBare(now, BTC, 0, 50)) == []  # one is on its way
    unplanned = Rig().bars(2)
    (close,) = told(unplanned, unasked(unplanned, Side.BUY, 7))
    assert told(unplanned, PositionBare(unplanned.engine.time_ms, BTC, 0, 7)) == []
    assert told(unplanned, OrderRejected(unplanned.engine.time_ms, BTC, close.client_id, "-2022 nothing")) == []
    (close,) = told(unplanned, PositionBare(unplanned.engine.time_ms, BTC, 0, 7))
    assert (close.purpose, close.side, close.steps, close.reduce_only) == (Purpose.CLOSE, Side.SELL, 7, True)
