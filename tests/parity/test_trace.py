"""Every trade of a real run is followed by ids alone: feature, setup, question, decision, plan, review, order, fill,
protection, exit."""

from collections.abc import Iterable

import msgspec
import pytest

from aister.analytics.trace import related_ids
from aister.core.audit import AskCouncil, Audit, PlaceOrder, PlanArmed, Reviewed, TradeClosed
from aister.core.council import Decision, Outcome, Question, Stance
from aister.core.events import BarClosed, DecisionMade, OrderAccepted, OrderFilled
from aister.core.trade import Fill, Order, Purpose
from aister.engine.runner import run_sync
from tests.parity.runs import built, settings


class Trail(msgspec.Struct):
    """One trade by ids: each step with the number of the record it was found in."""

    question: tuple[int, Question]
    decision: tuple[int, Decision]
    armed: tuple[int, PlanArmed]
    entry: tuple[int, Reviewed, Order]
    filled: tuple[int, Fill]
    protection: list[tuple[int, Order]]
    accepted: dict[str, int]
    exits: list[tuple[int, Fill]]
    closed: tuple[int, TradeClosed]


@pytest.fixture(scope="module")
def audits() -> list[Audit]:
    """Two weeks of all symbols; plain bars are left out."""
    kept: list[Audit] = []

    def keep(audit: Audit) -> None:
        if audit.outputs or not isinstance(audit.event, BarClosed):
            kept.append(audit)

    run_sync(built(settings(14), None, keep).run)
    return kept


@pytest.fixture(scope="module")
def trails(audits: list[Audit]) -> list[Trail]:
    return [_trail(audits, audit.sequence, closed) for audit in audits for closed in _outputs(audit, TradeClosed)]


def _outputs(audit: Audit, kind: type) -> list:  # type: ignore[type-arg]
    return [output for output in audit.outputs if isinstance(output, kind)]


def _one(found: Iterable[tuple]) -> tuple:  # type: ignore[type-arg]
    """The only one there is."""
    (one,) = found
    return one


def _trail(audits: list[Audit], sequence: int, closed: TradeClosed) -> Trail:
    def events(kind: type) -> list[tuple[int, object]]:
        return [(a.sequence, a.event) for a in audits if isinstance(a.event, kind)]

    def outputs(kind: type) -> list[tuple[int, object]]:
        return [(a.sequence, output) for a in audits for output in _outputs(a, kind)]

    setup_id = closed.setup_id
    question = _one((n, o.question) for n, o in outputs(AskCouncil) if o.question.setup.id == setup_id)
    decision = _one((n, e.decision) for n, e in events(DecisionMade) if e.decision.question_id == question[1].id)
    armed = _one(found for found in outputs(PlanArmed) if found[1].setup_id == setup_id)
    orders = [(n, o.order) for n, o in outputs(PlaceOrder) if o.order.intent_id.startswith(f"{setup_id}-")]
    number, order = _one(found for found in orders if found[1].purpose is Purpose.ENTRY)
    reviewed = _one((n, o) for n, o in outputs(Reviewed) if o.intent.id == order.intent_id and n >= armed[0])
    fills = [(n, e.fill) for n, e in events(OrderFilled)]
    sent = {one.client_id for _, one in orders}
    accepted = {e.client_id: n for n, e in events(OrderAccepted) if e.client_id in sent}
    return Trail(
        question=question,
        decision=decision,
        armed=armed,
        entry=(number, reviewed[1], order),
        filled=_one(found for found in fills if found[1].client_id == order.client_id),
        protection=[found for found in orders if found[1].purpose is not Purpose.ENTRY],
        accepted=accepted,
        exits=[found for found in fills if found[1].client_id in sent and found[1].client_id != order.client_id],
        closed=(sequence, closed),
    )


def test_there_are_trades_to_follow(trails: list[Trail]) -> None:
    assert len(trails) >= 5
    assert len({trail.closed[1].symbol for trail in trails}) > 1


def test_every_setup_rests_on_features_of_its_question(trails: list[Trail]) -> None:
    for trail in trails:
        question = trail.question[1]
        assert question.setup.evidence
        for evidence in question.setup.evidence:
            assert question.features[evidence.feature] == evidence.value


def test_every_argument_rests_on_features_of_its_question(trails: list[Trail]) -> None:
    for trail in trails:
        features = trail.question[1].features | trail.question[1].account
        spoken = [one for one in trail.decision[1].statements if one.stance is not Stance.ABSTAIN]
        assert len({one.agent for one in spoken}) == 3
        for statement in spoken:
            assert all(features.get(one.feature, one.value) == one.value for one in statement.evidence)
        assert sum(one.feature in features for statement in spoken for one in statement.evidence) >= 3


def test_the_decision_is_what_was_armed_reviewed_and_ordered(trails: list[Trail]) -> None:
    for trail in trails:
        decision, armed, (_, reviewed, order) = trail.decision[1], trail.armed[1], trail.entry
        proposal = decision.proposal
        assert decision.outcome is Outcome.TRADE
        assert proposal is not None
        assert decision.setup_id == proposal.setup_id == armed.setup_id
        assert proposal.side is armed.side is reviewed.intent.side is order.side
        assert reviewed.intent.stop_ticks == proposal.stop_ticks
        assert reviewed.granted_steps == order.steps > 0
        assert order.price_ticks in (0, proposal.entry_ticks)


def test_the_order_is_what_was_filled_protected_and_closed(trails: list[Trail]) -> None:
    for trail in trails:
        (_, fill), (_, closed) = trail.filled, trail.closed
        assert (fill.side, fill.steps, fill.time_ms) == (closed.side, closed.steps, closed.opened_ms)
        proposal = trail.decision[1].proposal
        assert proposal is not None
        number, stop = trail.protection[0]
        assert (stop.purpose, stop.trigger_ticks, stop.close_position) == (Purpose.STOP, proposal.stop_ticks, True)
        assert number == trail.filled[0], "the first stop leaves in the pass that learns of the fill"
        targets = [one for _, one in trail.protection if one.purpose is Purpose.TARGET]
        assert {one.trigger_ticks for one in targets} <= {one.ticks for one in proposal.targets}
        assert sum(one.steps for one in targets) == fill.steps
        assert sum(one.steps for _, one in trail.exits) == fill.steps
        assert {one.side for _, one in trail.exits} == {fill.side.opposite}
        assert trail.exits[-1][0] == trail.closed[0]
        assert trail.exits[-1][1].time_ms == closed.closed_ms


def test_nothing_happens_before_what_it_rests_on(trails: list[Trail]) -> None:
    for trail in trails:
        order = trail.entry[2]
        chain = (
            trail.question[0], trail.decision[0], trail.armed[0], trail.entry[0], trail.accepted[order.client_id],
            trail.filled[0], trail.accepted[trail.protection[0][1].client_id], trail.exits[0][0], trail.closed[0],
        )  # fmt: skip
        assert list(chain) == sorted(chain)
        assert trail.question[0] < trail.decision[0] < trail.entry[0] < trail.filled[0] < trail.exits[0][0]
        assert trail.decision[0] == trail.armed[0]


def test_from_any_id_of_a_trade_one_finds_all_of_them(audits: list[Audit], trails: list[Trail]) -> None:
    for trail in trails[:3]:
        question, order = trail.question[1], trail.entry[2]
        expected = {question.id, question.setup.id, order.intent_id, order.client_id}
        expected |= {one.client_id for _, one in trail.protection} | {one.intent_id for _, one in trail.protection}
        for start in (question.id, order.client_id, trail.exits[-1][1].client_id):
            assert related_ids(audits, start) >= expected
    strangers = {trail.entry[2].client_id for trail in trails[1:]}
    assert not strangers & related_ids(audits, trails[0].question[1].id)
