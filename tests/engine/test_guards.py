"""What becomes of an entry whose stop the venue does not want, and of what a stop by size no longer covers."""

import pytest

from aister.core.audit import CancelOrder, PlaceOrder, PlanVoided
from aister.core.events import (
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PositionBare,
    PositionShown,
)
from aister.core.trade import Fill, FillKind, Order, Purpose, Side
from aister.execution.traits import VenueTraits
from tests.engine.rig import BTC, Rig, setup

LONG = setup(2, stop=99_000.0, targets=((103_000.0, 10_000),))


def told(rig: Rig, event: Event) -> tuple[list[Order], list[str]]:
    """What the engine orders and cancels on this event, which the simulated venue never hears of."""
    outputs = rig.engine.process(event).outputs
    return (
        [one.order for one in outputs if isinstance(one, PlaceOrder)],
        [one.client_id for one in outputs if isinstance(one, CancelOrder)],
    )


def waiting() -> tuple[Rig, Order]:
    """A rig whose entry waits for its stop, which the venue has not answered yet."""
    rig = Rig(LONG, traits=VenueTraits("before", "limit")).bars(3)
    rig.venue.take_reports = list  # type: ignore[method-assign]  # the venue says nothing
    rig.bar()
    guard = rig.placed[-1]
    assert guard.purpose is Purpose.STOP and rig.engine.desks[BTC].entering is not None
    return rig, guard


def refuse(rig: Rig, order: Order, reason: str) -> list[Order]:
    return told(rig, OrderRejected(rig.engine.time_ms, BTC, order.client_id, reason))[0]


def fill(rig: Rig, order: Order, steps: int, *, done: bool) -> list[Order]:
    one = Fill(
        rig.engine.time_ms, BTC, order.client_id, order.intent_id, str(order.purpose), order.side, steps, 1_000_000, 0,
        False, FillKind.TRADE,
    )  # fmt: skip
    return told(rig, OrderFilled(rig.engine.time_ms, one, done))[0]


@pytest.mark.parametrize(
    ("reason", "frozen"),
    [
        ("-4120 no such stop type", [f"stops of {BTC}"]),
        ("-4045 too many stops", []),
        ("-4130 one rests already", []),
        ("-2021 would trigger at once", []),
        ("-9999 a reason nobody has listed", []),
    ],
)
def test_behind_a_stop_that_would_not_rest_after_the_fill_either_no_entry_leaves(
    reason: str, frozen: list[str]
) -> None:
    rig, guard = waiting()
    outputs = rig.engine.process(OrderRejected(rig.engine.time_ms, BTC, guard.client_id, reason)).outputs
    (voided,) = outputs
    assert isinstance(voided, PlanVoided) and reason in voided.reason
    assert rig.free and list(rig.risk.frozen) == frozen


@pytest.mark.parametrize("reason", ["-2024 nothing is held", "-2022 it would reduce nothing"])
def test_where_the_venue_takes_no_stop_while_flat_the_stop_follows_the_fill(reason: str) -> None:
    rig, guard = waiting()
    (entry,) = refuse(rig, guard, reason)
    assert entry.purpose is Purpose.ENTRY
    assert [one.purpose for one in fill(rig, entry, entry.steps, done=True)] == [Purpose.STOP, Purpose.TARGET]


def by_size() -> tuple[Rig, Order, Order]:
    """Ten steps of an entry filled, protected by size beside somebody else's stop; the entry and the stop."""
    rig = Rig(LONG).bars(4)
    (entry,) = [one.order for one in rig.said(PlaceOrder)]
    (stop,) = fill(rig, entry, 10, done=False)
    (sized,) = refuse(rig, stop, "-4130 one rests already")
    assert (sized.steps, sized.reduce_only) == (10, True)
    assert told(rig, OrderAccepted(rig.engine.time_ms, BTC, sized.client_id)) == ([], [])
    return rig, entry, sized


def test_a_stop_by_size_grows_with_what_is_held() -> None:
    rig, entry, sized = by_size()
    grown = fill(rig, entry, 15, done=False)
    assert [(one.purpose, one.steps, one.trigger_ticks) for one in grown] == [(Purpose.STOP, 25, sized.trigger_ticks)]
    more, target = fill(rig, entry, entry.steps - 25, done=True)
    assert (more.purpose, more.steps, target.purpose) == (Purpose.STOP, entry.steps, Purpose.TARGET)
    assert len({sized.intent_id, grown[0].intent_id, more.intent_id}) == 3
    now = rig.engine.time_ms
    assert told(rig, OrderAccepted(now, BTC, more.client_id)) == ([], [sized.client_id, grown[0].client_id])
    assert fill(rig, target, 5, done=False) == []  # a smaller position is covered as it is


def test_a_stop_for_less_than_is_held_is_no_protection_when_the_larger_one_is_refused_or_lost() -> None:
    rig, entry, _ = by_size()
    larger, _ = fill(rig, entry, entry.steps - 10, done=True)
    (whole,) = refuse(rig, larger, "-2010 refused")
    assert whole.purpose is Purpose.STOP and whole.close_position
    (again,) = refuse(rig, whole, "-4130 one rests already")
    assert again.steps == entry.steps
    told(rig, OrderAccepted(rig.engine.time_ms, BTC, again.client_id))
    orders, _ = told(rig, OrderCanceled(rig.engine.time_ms, BTC, again.client_id, "taken away"))
    assert [one.purpose for one in orders] == [Purpose.STOP]
    (close,) = refuse(rig, orders[0], "-2010 refused")
    assert (close.purpose, close.steps) == (Purpose.CLOSE, entry.steps)


@pytest.mark.parametrize("what", [PositionShown, PositionBare])
def test_what_somebody_does_in_another_position_mode_touches_nothing_of_the_traders(
    what: type[PositionShown | PositionBare],
) -> None:
    rig = Rig(LONG).bars(5)
    held, cash = rig.steps, rig.portfolio.equity
    other = Fill(rig.engine.time_ms, BTC, "web_1", "", "", Side.BUY, 5, 1_000_000, 0, False, FillKind.TRADE, 1)
    assert told(rig, what(rig.engine.time_ms, BTC, 1, 5)) == ([], [])
    assert told(rig, OrderFilled(rig.engine.time_ms, other, True)) == ([], [])
    assert (rig.steps, rig.portfolio.equity) == (held, cash)
    assert rig.portfolio.holding(BTC, 1).steps == 0
