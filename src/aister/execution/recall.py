"""After a restart: what the journal says of every order that was sent."""

from aister.core.audit import Audit, CancelOrder, PlaceOrder
from aister.core.commands import ABSENCE, AcceptAbsence
from aister.core.events import (
    CommandGiven,
    EntriesFrozen,
    EntriesThawed,
    FundingPaid,
    MoneyBooked,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PositionFound,
)
from aister.execution.absence import NOT_SHOWN
from aister.execution.states import Course, Heard, State
from aister.execution.telling import Teller

__all__ = ["recall"]


def recall(audit: Audit, courses: dict[str, Course], teller: Teller) -> None:
    """Learn one record. An order that was handed on and of which nothing was told is SENT: whether it left, and what
    became of it, only the venue knows."""
    event = audit.event
    if isinstance(event, OrderFilled):
        teller.told_before(event.fill)
        course = courses.get(event.fill.client_id)
        if course is not None:
            course.told_before += event.fill.steps
            course.told_filled = max(course.told_filled, course.told_before)
            course.accepted, course.closed = True, course.closed or event.done
            course.hear(Heard.WHOLE if event.done else Heard.PART)
    elif isinstance(event, OrderUnknown) and event.client_id in courses:
        courses[event.client_id].hear(Heard.LOST, event.reason)
    elif isinstance(event, FundingPaid | MoneyBooked):
        teller.paid_before(event)
    elif isinstance(event, EntriesFrozen):
        teller.frozen_before(event.cause, event.reason)
    elif isinstance(event, EntriesThawed):
        teller.frozen_before(event.cause, "")
    elif isinstance(event, CommandGiven) and isinstance(event.command, AcceptAbsence):
        teller.frozen_before(ABSENCE, "")
    elif isinstance(event, PositionFound) and event.stop is not None:
        courses[event.stop.client_id] = Course(event.stop, State.ACKED, sent_ms=event.time_ms, accepted=True)
    elif isinstance(event, OrderAccepted) and event.client_id in courses:
        courses[event.client_id].accepted = True
        courses[event.client_id].hear(Heard.ACK)
    elif isinstance(event, OrderCanceled | OrderRejected) and event.client_id in courses:
        course = courses[event.client_id]
        course.closed = True
        if event.reason == NOT_SHOWN:
            course.doubted_ms = event.time_ms
        else:
            course.hear(Heard.GONE if isinstance(event, OrderCanceled) else Heard.REFUSED)
    for output in audit.outputs:
        if isinstance(output, PlaceOrder):
            order = output.order
            courses[order.client_id] = Course(order, State.SENT, sent_ms=event.time_ms)
        elif isinstance(output, CancelOrder) and output.client_id in courses:
            courses[output.client_id].cancel_wanted = True
