import msgspec
import pytest

from aister.core.council import Agent, Evidence, Outcome, Stance, Statement
from aister.council import consultant
from aister.council.brief import Brief, Reading, Unreadable, brief
from aister.council.debate import Reply, Speaker
from aister.council.grounding import STRUCK, ground, strikes
from aister.council.odds import shift_between, shifted
from aister.council.priors import packaged_priors
from aister.council.rules import SEATS, RuleCouncil
from tests.council.questions import FEATURES, question

BRIEF = brief(question(), packaged_priors())
RIGHT = Evidence("15m.rsi_14", FEATURES["15m.rsi_14"])
WRONG = Evidence("15m.adx_14", FEATURES["15m.adx_14"] + 0.5)
INVENTED = Evidence("15m.moon_phase", 0.5)


def said(
    *evidence: Evidence, argument: str = "because", shift: float = 0.6, stance: Stance = Stance.PROPOSE
) -> Statement:
    return Statement(Agent.CONSULTANT, 1, stance, argument, shifted(BRIEF.p0, shift), evidence)


def test_true_numbers_stand() -> None:
    statement = said(RIGHT, argument="strong (15m.rsi_14=56, setup.reward_risk=1.90438, account.day_loss=0)")
    assert ground(statement, BRIEF) is statement
    assert strikes(statement) == 0


@pytest.mark.parametrize("bad", [WRONG, INVENTED, Evidence("15m.rsi_14", float("nan"))])
def test_a_wrong_number_is_struck_with_its_share_of_the_pull(bad: Evidence) -> None:
    grounded = ground(said(Evidence("1h.volume", 1_200.0), bad), BRIEF)
    assert grounded.evidence == (Evidence("1h.volume", 1_200.0),)
    assert strikes(grounded) == 1
    assert f"{bad.feature} {STRUCK}" in grounded.argument
    assert grounded.odds is not None
    assert shift_between(grounded.odds, BRIEF.p0) == pytest.approx(0.3)


def test_quotes_of_the_brief_stand_where_rounding_is_allowed_and_only_as_they_were_rendered() -> None:
    prepared = brief(question(), packaged_priors())
    quote = prepared.quote(["setup.reward_risk", "15m.rsi_14"])
    statement = said(RIGHT, argument=f"strong ({quote}); so it is: {quote}.")
    assert ground(statement, prepared) is statement
    assert ground(said(RIGHT, argument=f"strong ({quote}9)"), prepared).argument.endswith(f"15m.rsi_14={STRUCK})")
    priors = packaged_priors()
    exact = msgspec.structs.replace(priors.debate, grounding_tolerance=0.0)
    strict = brief(question(), msgspec.structs.replace(priors, debate=exact))
    strict.quote(["setup.reward_risk", "15m.rsi_14"])
    assert f"setup.reward_risk={STRUCK}, 15m.rsi_14=56" in ground(statement, strict).argument


def test_a_fact_that_is_not_finite_cannot_be_read() -> None:
    odd = question()
    odd.features["15m.rsi_14"] = float("inf")
    with pytest.raises(Unreadable, match="not a finite number"):
        Reading(brief(odd, packaged_priors()))("15m.rsi_14")


def test_a_wrong_number_in_the_text_is_struck_too() -> None:
    grounded = ground(said(RIGHT, argument="trend is strong (15m.adx_14=48.2)"), BRIEF)
    assert "48.2" not in grounded.argument
    assert f"15m.adx_14={STRUCK}" in grounded.argument
    assert strikes(grounded) == 1
    assert grounded.odds is not None
    assert shift_between(grounded.odds, BRIEF.p0) == pytest.approx(0.3)


def test_who_cites_nothing_true_abstains() -> None:
    grounded = ground(said(WRONG, INVENTED), BRIEF)
    assert (grounded.stance, grounded.odds, strikes(grounded)) == (Stance.ABSTAIN, None, 2)


@pytest.mark.parametrize("stance", [Stance.PASS, Stance.AVOID, Stance.VETO])
def test_a_wrong_number_never_makes_a_trade_more_likely(stance: Stance) -> None:
    statement = said(WRONG, shift=-0.4, stance=stance)
    grounded = ground(statement, BRIEF)
    assert (grounded.stance, grounded.odds) == (stance, statement.odds)
    assert strikes(grounded) == 1


def lying(brief: Brief) -> Speaker:
    """A Consultant who doubles every value he cites."""
    honest = consultant.seat(brief)

    def speak(round: int, heard: tuple[Statement, ...]) -> Reply:
        reply = honest(round, heard)
        lies = tuple(Evidence(one.feature, 2 * one.value + 1) for one in reply.statement.evidence)
        return Reply(msgspec.structs.replace(reply.statement, evidence=lies), reply.paper)

    return speak


def test_the_vote_never_hears_a_liar() -> None:
    decision = RuleCouncil(seats={**SEATS, Agent.CONSULTANT: lying}).deliberate(question())
    assert (decision.outcome, decision.reason) == (Outcome.NO_TRADE, "consultant_absent")
    assert decision.proposal is None
    # and neither did the others: their rebuttals took nothing over from him
    analyst = [one for one in decision.statements if one.agent == Agent.ANALYST]
    truthful = [one for one in RuleCouncil().deliberate(question()).statements if one.agent == Agent.ANALYST]
    assert analyst[1].odds is not None and truthful[1].odds is not None
    assert analyst[1].odds.target < truthful[1].odds.target


def test_rule_minds_are_never_struck() -> None:
    for statement in RuleCouncil().deliberate(question()).statements:
        assert statement.evidence
        assert strikes(statement) == 0


def test_a_thesis_is_grounded_as_well() -> None:
    def boasting(brief: Brief) -> Speaker:
        honest = consultant.seat(brief)

        def speak(round: int, heard: tuple[Statement, ...]) -> Reply:
            reply = honest(round, heard)
            assert reply.paper is not None
            return Reply(reply.statement, msgspec.structs.replace(reply.paper, thesis="setup.reward_risk=9.5"))

        return speak

    decision = RuleCouncil(seats={**SEATS, Agent.CONSULTANT: boasting}).deliberate(question())
    assert decision.proposal is not None
    assert decision.proposal.thesis == f"setup.reward_risk={STRUCK}"
