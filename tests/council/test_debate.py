"""Blindness, rebuttal, and everything that can go wrong with a mind: it ends as no trade, with the reason on record."""

from collections.abc import Callable

import msgspec
import pytest

from aister.core.council import Agent, Odds, Outcome, Proposal, Stance, Statement, Target, Timing, Verdict
from aister.core.trade import Side
from aister.council.brief import Brief, brief
from aister.council.debate import Reply, Seat, Speaker, heard_shift
from aister.council.odds import shift_between, shifted
from aister.council.priors import packaged_priors
from aister.council.rules import SEATS, RuleCouncil
from tests.council.questions import TUESDAY_MS, question

Change = Callable[[Reply], object]


def changed(agent: Agent, change: Change) -> Seat:
    """The agent's rule mind with its replies changed."""

    def seat(brief: Brief) -> Speaker:
        honest = SEATS[agent](brief)
        return lambda round, heard: change(honest(round, heard))  # type: ignore[return-value]

    return seat


def with_statement(**fields: object) -> Change:
    return lambda reply: Reply(msgspec.structs.replace(reply.statement, **fields), reply.paper)


def with_paper(**fields: object) -> Change:
    return lambda reply: Reply(reply.statement, msgspec.structs.replace(reply.paper, **fields))


def broken(reply: Reply) -> Reply:
    raise ZeroDivisionError("division by zero")


BAD: dict[str, tuple[Agent, Change]] = {
    "officer raises": (Agent.OFFICER, broken),
    "officer says nothing": (Agent.OFFICER, lambda _: None),
    "officer says text": (Agent.OFFICER, lambda _: "APPROVE"),
    "officer abstains": (
        Agent.OFFICER,
        lambda r: Reply(msgspec.structs.replace(r.statement, stance=Stance.ABSTAIN, odds=None), None),
    ),
    "officer takes another's stance": (Agent.OFFICER, with_statement(stance=Stance.NOW)),
    "officer speaks for another": (Agent.OFFICER, with_statement(agent=Agent.ANALYST)),
    "officer speaks for another round": (Agent.OFFICER, with_statement(round=7)),
    "officer without verdict": (Agent.OFFICER, lambda r: Reply(r.statement, None)),
    "officer's verdict contradicts": (Agent.OFFICER, with_paper(stance=Stance.REDUCE)),
    "officer raises size": (Agent.OFFICER, with_paper(factor_e4=20_000)),
    "officer reduces to nothing": (
        Agent.OFFICER,
        lambda r: Reply(msgspec.structs.replace(r.statement, stance=Stance.REDUCE), Verdict(Stance.REDUCE, 0, ("x",))),
    ),
    "officer reduces without reason": (
        Agent.OFFICER,
        lambda r: Reply(msgspec.structs.replace(r.statement, stance=Stance.REDUCE), Verdict(Stance.REDUCE, 5_000, ())),
    ),
    "officer's odds are no number": (Agent.OFFICER, with_statement(odds=Odds(float("nan"), 0.5, 0.5))),
    "consultant raises": (Agent.CONSULTANT, broken),
    "consultant's odds sum to two": (Agent.CONSULTANT, with_statement(odds=Odds(1.0, 0.5, 0.5))),
    "consultant proposes without odds": (Agent.CONSULTANT, with_statement(odds=None)),
    "consultant proposes nothing": (Agent.CONSULTANT, lambda r: Reply(r.statement, None)),
    "consultant turns the side": (Agent.CONSULTANT, with_paper(side=Side.SELL)),
    "consultant widens the stop": (Agent.CONSULTANT, with_paper(stop_ticks=1_040_000)),
    "consultant puts the stop beyond the entry": (Agent.CONSULTANT, with_paper(stop_ticks=1_050_001)),
    "consultant invents a target": (Agent.CONSULTANT, with_paper(targets=(Target(2_000_000, 10_000),))),
    "consultant stretches the horizon": (Agent.CONSULTANT, with_paper(horizon_ms=10**9)),
    "consultant passes with a proposal": (Agent.CONSULTANT, with_statement(stance=Stance.PASS)),
}


@pytest.mark.parametrize("case", BAD)
def test_whatever_is_wrong_with_a_needed_mind_ends_as_no_trade(case: str) -> None:
    agent, change = BAD[case]
    decision = RuleCouncil(seats={**SEATS, agent: changed(agent, change)}).deliberate(question())
    absent = {Agent.OFFICER: "officer_absent", Agent.CONSULTANT: "consultant_absent"}[agent]
    assert (decision.outcome, decision.reason) == (Outcome.NO_TRADE, absent)
    said = [one for one in decision.statements if one.agent == agent]
    assert {one.stance for one in said} == {Stance.ABSTAIN}
    if agent == Agent.OFFICER:
        assert decision.verdict == Verdict(Stance.VETO, 0, ("officer_absent",))


@pytest.mark.parametrize("missing", list(Agent))
def test_an_empty_seat_abstains(missing: Agent) -> None:
    decision = RuleCouncil(seats={agent: seat for agent, seat in SEATS.items() if agent != missing}).deliberate(
        question()
    )
    assert f"the {missing} did not answer" in [one.argument for one in decision.statements]
    # the Analyst is not needed for a quorum, but what he would have added to the shift is lost
    assert decision.ballot.quorum == (missing == Agent.ANALYST)
    assert len(decision.ballot.odds) == 2


def test_a_mind_that_breaks_on_reading_is_on_record() -> None:
    def unable(brief: Brief) -> Speaker:
        raise RuntimeError("no route")

    decision = RuleCouncil(seats={**SEATS, Agent.OFFICER: unable}).deliberate(question())
    assert decision.reason == "officer_absent"
    assert "RuntimeError: no route" in decision.statements[2].argument


def test_an_invalid_timing_only_abstains() -> None:
    late = changed(Agent.ANALYST, with_paper(not_before_ms=TUESDAY_MS - 1))
    decision = RuleCouncil(seats={**SEATS, Agent.ANALYST: late}).deliberate(question())
    assert decision.timing.stance == Stance.ABSTAIN
    assert len(decision.ballot.odds) == 2


def test_round_one_is_blind_and_round_two_is_not() -> None:
    heard_by: dict[tuple[Agent, int], tuple[Statement, ...]] = {}

    def listening(agent: Agent) -> Seat:
        def seat(brief: Brief) -> Speaker:
            honest = SEATS[agent](brief)

            def speak(round: int, heard: tuple[Statement, ...]) -> Reply:
                heard_by[agent, round] = heard
                return honest(round, heard)

            return speak

        return seat

    RuleCouncil(seats={agent: listening(agent) for agent in Agent}).deliberate(question())
    assert all(heard_by[agent, 1] == () for agent in Agent)
    for agent in Agent:
        assert {one.agent for one in heard_by[agent, 2]} == set(Agent) - {agent}
        assert {one.round for one in heard_by[agent, 2]} == {1}


def test_the_blind_round_does_not_depend_on_the_others() -> None:
    silent = {Agent.CONSULTANT: SEATS[Agent.CONSULTANT]}
    alone, together = (RuleCouncil(seats=seats).deliberate(question()).statements[0] for seats in (silent, SEATS))
    assert alone == together


def test_a_rebuttal_takes_over_the_heard_share_of_the_others_evidence() -> None:
    council = RuleCouncil()
    prepared = brief(question(), council.priors)
    said = council.deliberate(question()).statements
    blind = [shift_between(one.odds, prepared.p0) for one in said[:3] if one.odds is not None]
    revised = [shift_between(one.odds, prepared.p0) for one in said[3:] if one.odds is not None]
    share = council.priors.debate.hearing
    assert revised == pytest.approx([mine + share * (sum(blind) - mine) for mine in blind])


def test_an_agent_without_skill_is_not_heard() -> None:
    from aister.core.council import Standing

    prepared = brief(question(standings=(Standing(Agent.CONSULTANT, 0.0, 1.0, 60.0, -0.1),)), packaged_priors())
    loud = Statement(Agent.CONSULTANT, 1, Stance.PROPOSE, "", shifted(prepared.p0, 0.9), ())
    assert heard_shift(prepared, (loud,)) == 0.0


def test_evidence_can_turn_a_pass_into_a_proposal() -> None:
    # the chart alone is not enough; hour, regime and room make up for it
    weak = question(
        f15m__ema_spread=0.0,
        f1h__swing_high_before=106_600.0,
        f1h__ema_20_slope=0.0,
        f15m__macd_histogram=0.0,
        f15m__vwap_distance=0.0,
    )
    first, last = (RuleCouncil(rounds=rounds).deliberate(weak).statements for rounds in (1, 2))
    assert first[0].stance == Stance.PASS
    assert last[3].stance == Stance.PROPOSE


def test_more_rounds_end_when_nobody_moves() -> None:
    two, many = RuleCouncil(rounds=2).deliberate(question()), RuleCouncil(rounds=9).deliberate(question())
    assert max(one.round for one in many.statements) == 3
    assert many.ballot == two.ballot


def test_the_papers_are_those_of_the_last_round() -> None:
    decision = RuleCouncil().deliberate(question())
    assert isinstance(decision.proposal, Proposal)
    assert isinstance(decision.timing, Timing)
    assert decision.proposal.setup_id == decision.setup_id
    assert "1h.swing_high=106500" in decision.proposal.thesis
