"""Following one trade through a journal: from any of its ids to every id that belongs to it."""

from collections import defaultdict
from collections.abc import Iterable

from aister.core.audit import (
    AskCouncil,
    Audit,
    PlaceOrder,
    PlanArmed,
    PlanVoided,
    ProposalResolved,
    Reviewed,
    TradeClosed,
)
from aister.core.events import BarClosed, DecisionMade, OrderFilled

__all__ = ["related_ids"]


def related_ids(audits: Iterable[Audit], wanted: str) -> set[str]:
    """Every id of the trade that `wanted` belongs to, itself included; empty when no record has such an id.

    Question and setup name each other, an order names its intent, and an intent's id begins with its setup's.
    """
    links: dict[str, set[str]] = defaultdict(set)
    setups: set[str] = set()
    intents: set[str] = set()

    def link(*ids: str) -> None:
        known = [one for one in ids if one]
        for one in known:
            links[one].update(known)

    for audit in audits:
        event = audit.event
        if type(event) is BarClosed and not audit.outputs:
            continue
        if isinstance(event, DecisionMade):
            setups.add(event.decision.setup_id)
            link(event.decision.question_id, event.decision.setup_id)
        elif isinstance(event, OrderFilled):
            intents.add(event.fill.intent_id)
            link(event.fill.client_id, event.fill.intent_id)
        for output in audit.outputs:
            if isinstance(output, AskCouncil):
                setups.add(output.question.setup.id)
                link(output.question.id, output.question.setup.id)
            elif isinstance(output, PlaceOrder):
                intents.add(output.order.intent_id)
                link(output.order.client_id, output.order.intent_id)
            elif isinstance(output, Reviewed):
                intents.add(output.intent.id)
                link(output.intent.id)
            elif isinstance(output, PlanArmed | PlanVoided | TradeClosed | ProposalResolved):
                setups.add(output.setup_id)
                link(output.setup_id)
    for setup in setups:
        for intent in intents:
            if intent.startswith(setup) and intent[len(setup) : len(setup) + 1] in ("", "-", "/", ":", "@", "#", "."):
                link(setup, intent)
    found: set[str] = set()
    ahead = [wanted] if wanted in links else []
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += links[one]
    return found
