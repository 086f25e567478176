import math
from statistics import stdev
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.council import Agent, Decision, Outcome, Question, Stance, Standing, Statement, Timing, Verdict
from aister.council.ballot import count, explain, recount
from aister.council.brief import Brief, brief
from aister.council.debate import Debate, Reply, Seat, Speaker
from aister.council.odds import deviation, logit, probability, shifted
from aister.council.payoff import expected_r
from aister.council.priors import packaged_priors
from aister.council.rules import SEATS, RuleCouncil
from tests.council.questions import question

PRIORS = packaged_priors()
STANCES = {
    Agent.CONSULTANT: (Stance.PROPOSE, Stance.PASS, Stance.ABSTAIN),
    Agent.ANALYST: (Stance.NOW, Stance.WAIT, Stance.AVOID, Stance.ABSTAIN),
    Agent.OFFICER: (Stance.APPROVE, Stance.REDUCE, Stance.VETO, Stance.ABSTAIN),
}


def held(
    shifts: tuple[float, float, float] = (0.6, 0.6, 0.6),
    stances: tuple[Stance, Stance, Stance] = (Stance.PROPOSE, Stance.NOW, Stance.APPROVE),
    factor_e4: int = 10_000,
    asked: Question | None = None,
) -> tuple[Brief, Debate]:
    prepared = brief(asked or question(), PRIORS)
    statements = tuple(
        Statement(agent, 1, stance, "", None if stance == Stance.ABSTAIN else shifted(prepared.p0, shift), ())
        for agent, stance, shift in zip(Agent, stances, shifts, strict=True)
    )
    officer = stances[2]
    factor = {Stance.APPROVE: 10_000, Stance.REDUCE: factor_e4, Stance.VETO: 0}.get(officer, 0)
    verdict = (
        None if officer == Stance.ABSTAIN else Verdict(officer, factor, () if officer == Stance.APPROVE else ("why",))
    )
    timing = None if stances[1] == Stance.ABSTAIN else Timing(stances[1], prepared.question.time_ms, "")
    return prepared, Debate(statements, None, timing, verdict)


def weights(consultant: float, analyst: float, officer: float) -> tuple[Standing, ...]:
    pairs = zip(Agent, (consultant, analyst, officer), strict=True)
    return tuple(Standing(agent, weight, 1.0, 0.0, 0.0) for agent, weight in pairs)


def test_the_formula_by_hand() -> None:
    prepared, debate = held((0.3, 0.2, 0.1), asked=question(standings=weights(1.0, 0.5, 2.0)))
    ballot = count(prepared, debate)
    p0 = prepared.p0.target
    assert ballot.weights == (1.0, 0.5, 2.0)
    assert ballot.shift == pytest.approx(0.3 + 0.1 + 0.2)
    assert ballot.p_star == pytest.approx(probability(logit(p0) + 0.6))
    p = [probability(logit(p0) + shift) for shift in (0.3, 0.2, 0.1)]
    sd = math.sqrt(sum((one - sum(p) / 3) ** 2 for one in p) / 2)
    assert ballot.spread == pytest.approx(sd)
    assert ballot.expected_r == pytest.approx(expected_r(ballot.p_star, prepared.p0, prepared.pay))
    assert ballot.expected_r_low == pytest.approx(
        expected_r(ballot.p_star - sd / math.sqrt(3), prepared.p0, prepared.pay)
    )
    assert ballot.size_factor == pytest.approx(1 - sd / 0.15)


def test_at_the_start_every_voice_counts_whole() -> None:
    assert count(*held((0.2, 0.2, 0.2))).shift == pytest.approx(0.6)


@pytest.mark.parametrize("far", [3.0, -3.0])
def test_the_shift_is_capped(far: float) -> None:
    assert count(*held((far, far, far))).shift == math.copysign(1.0, far)


def test_an_abstainer_adds_nothing() -> None:
    ballot = count(*held((0.2, 0.2, 0.2), (Stance.PROPOSE, Stance.ABSTAIN, Stance.APPROVE)))
    assert ballot.shift == pytest.approx(0.4)
    assert len(ballot.weights) == len(ballot.odds) == 2


def test_lost_weight_takes_the_shift_with_it() -> None:
    whole, half = (count(*held((0.2, 0.1, 0.3), asked=question(standings=weights(w, w, w)))) for w in (1.0, 0.5))
    assert half.shift == pytest.approx(whole.shift / 2)


def test_nobody_with_weight_is_nobody() -> None:
    ballot = count(*held(asked=question(standings=weights(0.0, 0.0, 0.0))))
    assert (ballot.outcome, ballot.reason, ballot.shift) == (Outcome.NO_TRADE, "no_weight", 0.0)


TABLE = [
    ((Stance.PROPOSE, Stance.NOW, Stance.APPROVE), "trade"),
    ((Stance.PROPOSE, Stance.WAIT, Stance.REDUCE), "trade"),
    ((Stance.PROPOSE, Stance.ABSTAIN, Stance.APPROVE), "trade"),
    ((Stance.PROPOSE, Stance.AVOID, Stance.APPROVE), "bad_moment"),
    ((Stance.PASS, Stance.NOW, Stance.APPROVE), "no_proposal"),
    ((Stance.ABSTAIN, Stance.NOW, Stance.APPROVE), "consultant_absent"),
    ((Stance.PROPOSE, Stance.NOW, Stance.VETO), "veto:why"),
    ((Stance.PROPOSE, Stance.NOW, Stance.ABSTAIN), "officer_absent"),
    ((Stance.PASS, Stance.AVOID, Stance.VETO), "veto:why"),
    ((Stance.ABSTAIN, Stance.ABSTAIN, Stance.ABSTAIN), "officer_absent"),
]


@pytest.mark.parametrize(("stances", "reason"), TABLE)
def test_the_quorum_is_a_table(stances: tuple[Stance, Stance, Stance], reason: str) -> None:
    ballot = count(*held((0.9, 0.9, 0.9), stances, factor_e4=5_000))
    assert ballot.reason == reason
    assert (ballot.outcome == Outcome.TRADE) == (reason == "trade")
    assert ballot.quorum == (reason == "trade")


def test_ties_do_not_trade() -> None:
    prepared, debate = held()
    # PROPOSE + NOW + APPROVE score exactly 1.0 with equal weights
    tie = msgspec.structs.replace(PRIORS, ballot=msgspec.structs.replace(PRIORS.ballot, threshold=1.0))
    ballot = count(msgspec.structs.replace(prepared, priors=tie), debate)
    assert (ballot.outcome, ballot.reason) == (Outcome.NO_TRADE, "score")


def test_too_little_expected_value_does_not_trade() -> None:
    ballot = count(*held((0.1, 0.1, 0.1)))
    assert (ballot.outcome, ballot.reason, ballot.quorum) == (Outcome.NO_TRADE, "expected_value", True)


def test_the_value_counts_at_its_low_end() -> None:
    asked = question(standings=weights(1 / 3, 1 / 3, 1 / 3))
    agreed, split = count(*held((0.5, 0.5, 0.5), asked=asked)), count(*held((0.9, 0.5, 0.1), asked=asked))
    assert agreed.expected_r == pytest.approx(split.expected_r)
    assert agreed.outcome == Outcome.TRADE
    assert split.expected_r_low < split.threshold_r <= split.expected_r
    assert split.reason == "expected_value"


def test_the_officers_factor_is_inside_the_size() -> None:
    whole = count(*held((0.8, 0.7, 0.6)))
    half = count(*held((0.8, 0.7, 0.6), (Stance.PROPOSE, Stance.NOW, Stance.REDUCE), factor_e4=5_000))
    assert half.size_factor == pytest.approx(whole.size_factor / 2)


def scripted(said: tuple[Statement, Any]) -> Seat:
    def seat(brief: Brief) -> Speaker:
        return lambda round, heard: Reply(msgspec.structs.replace(said[0], round=round), said[1])

    return seat


shift = st.floats(-1.5, 1.5)
weight = st.floats(0.0, 2.0)


@settings(max_examples=150)
@given(
    st.tuples(shift, shift, shift),
    st.tuples(*(st.sampled_from(STANCES[agent]) for agent in Agent)),
    st.tuples(weight, weight, weight),
    st.integers(1, 9_999),
)
def test_whatever_is_said_the_record_can_be_recounted_and_stays_in_bounds(
    shifts: tuple[float, float, float],
    stances: tuple[Stance, Stance, Stance],
    given_weights: tuple[float, float, float],
    factor_e4: int,
) -> None:
    asked = question(standings=weights(*given_weights))
    _, debate = held(shifts, stances, factor_e4, asked)
    papers = (RuleCouncil().deliberate(question()).proposal, debate.timing, debate.verdict)
    seats = {
        one.agent: scripted((one, None if one.stance in (Stance.PASS, Stance.ABSTAIN) else paper))
        for one, paper in zip(debate.statements, papers, strict=True)
    }
    decision = RuleCouncil(PRIORS, seats=seats).deliberate(asked)
    ballot = decision.ballot
    assert recount(asked, decision, PRIORS) == ballot
    assert [one.stance for one in decision.statements[-3:]] == list(stances)
    assert abs(ballot.shift) <= 1.0
    assert 0.0 <= ballot.size_factor <= 1.0
    assert ballot.expected_r_low <= ballot.expected_r + 1e-12
    if ballot.outcome == Outcome.TRADE:
        assert stances[0] == Stance.PROPOSE
        assert stances[1] != Stance.AVOID
        assert stances[2] in (Stance.APPROVE, Stance.REDUCE)
        assert ballot.expected_r_low >= ballot.threshold_r
        assert ballot.size_factor > 0.0


def test_explain_shows_the_inputs_and_finds_a_changed_record() -> None:
    asked = question()
    decision = RuleCouncil().deliberate(asked)
    lines = explain(asked, decision, PRIORS)
    assert lines[-1] == "the recount equals the record"
    assert any(line.startswith("consultant: p 0.") for line in lines)
    forged = msgspec.structs.replace(decision, ballot=msgspec.structs.replace(decision.ballot, p_star=0.9))
    assert explain(asked, forged, PRIORS)[-1] == "THE RECOUNT DIFFERS FROM THE RECORD"


def test_a_record_survives_the_journal() -> None:
    asked = question()
    decision = RuleCouncil().deliberate(asked)
    stored = msgspec.msgpack.encode((asked, decision))
    asked_again, again = msgspec.msgpack.decode(stored, type=tuple[Question, Decision])
    assert again == decision
    assert recount(asked_again, again, PRIORS) == decision.ballot
    assert SEATS.keys() == set(Agent)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=5))
@settings(max_examples=500)
def test_the_spread_is_the_sample_standard_deviation_to_the_last_bit(stated: list[float]) -> None:
    assert deviation(tuple(stated)) == stdev(stated)
