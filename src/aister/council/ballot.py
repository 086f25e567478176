"""The vote, in code (Q16): quorum, pooled odds, net expected value, size. One record that anybody can recompute.

Over the agents i that still speak in the last round, with the odds p_i they stated in the *blind* round:

    w_i     = standing weight of i: 1 at the start, fading with the outcomes that show no skill (Q1)
    shift   = sum w_i (logit p_i - logit p0), clipped to +-cap
    p*      = the baseline p0 moved by shift;  spread = sample sd of p_i;  se = spread / sqrt(n)
    E_low   = expected_r(p* - se);  size = max(0, 1 - spread / full_spread) x the Officer's factor

Blind odds rest on what each agent read itself, so they may be added, and they are what calibration scores. Later
odds already hold what the others said: pooling those would count one case several times. The rebuttal moves stances,
verdict and size. An abstainer adds nothing, and agents who lose their weight to calibration take their part of the
shift with them.
Trade only if the quorum holds (Consultant PROPOSE, Analyst not AVOID, Officer neither absent nor VETO, weighted mean
of the stances' scores over the threshold), E_low >= minimum_r, and size > 0. The first condition that fails is the
reason; `no_weight` means that calibration has taken every agent's weight.
"""

import math

from aister.core.council import Agent, Ballot, Decision, Outcome, Question, Stance, Statement, Timing, Verdict
from aister.council.brief import Brief, brief
from aister.council.debate import AGENTS, Debate
from aister.council.odds import deviation, logit, probability
from aister.council.payoff import expected_r
from aister.council.priors import Priors

__all__ = ["ABSENT_OFFICER", "count", "explain", "recount"]

ABSENT_OFFICER = Verdict(Stance.VETO, 0, ("officer_absent",))
"""What the vote takes for an Officer that is missing, late or invalid."""


def count(brief: Brief, held: Debate) -> Ballot:
    """Count the votes of a debate."""
    return _count(brief, held.statements, held.timing, held.verdict or ABSENT_OFFICER)


def recount(question: Question, decision: Decision, priors: Priors) -> Ballot:
    """The ballot again, from the recorded question and statements alone; equal to `decision.ballot` or something is
    wrong."""
    return _count(brief(question, priors), decision.statements, decision.timing, decision.verdict)


def _count(brief: Brief, said: tuple[Statement, ...], timing: Timing | None, verdict: Verdict) -> Ballot:
    rules = brief.priors.ballot
    standing = _weights(brief)
    last = {statement.agent: statement for statement in said}
    blind = {one.agent: one.odds for one in said if one.round == 1 and last[one.agent].odds is not None}
    voices = [(agent, odds) for agent in AGENTS if (odds := blind.get(agent)) is not None]
    weights = tuple([standing[agent] for agent, _ in voices])
    stated = tuple([odds.target for _, odds in voices])
    base = logit(brief.p0.target)
    pull = sum(weight * (logit(p) - base) for weight, p in zip(weights, stated, strict=True))
    shift = min(max(pull, -rules.shift_cap), rules.shift_cap)
    p_star = probability(base + shift)
    spread = deviation(stated) if len(stated) > 1 else 0.0
    error = spread / math.sqrt(len(stated)) if stated else 0.0
    expected = expected_r(p_star, brief.p0, brief.pay)
    expected_low = expected_r(max(0.0, p_star - error), brief.p0, brief.pay)
    size = max(0.0, 1.0 - spread / rules.full_spread) * verdict.factor_e4 / 10_000
    missing = _missing_from_quorum(brief, last, verdict, standing)
    if missing:
        reason = missing
    elif len(stated) < 2:
        reason = "too_few_voices"
    elif expected_low < rules.minimum_r:
        reason = "expected_value"
    elif size <= 0.0:
        reason = "disagreement"
    else:
        reason = "trade"
    return Ballot(
        p0=brief.p0.target,
        weights=weights,
        odds=stated,
        shift=shift,
        p_star=p_star,
        spread=spread,
        expected_r=expected,
        expected_r_low=expected_low,
        threshold_r=rules.minimum_r,
        size_factor=size,
        quorum=not missing,
        outcome=Outcome.TRADE if reason == "trade" else Outcome.NO_TRADE,
        reason=reason,
    )


def _missing_from_quorum(
    brief: Brief, last: dict[Agent, Statement], verdict: Verdict, standing: dict[Agent, float]
) -> str:
    """Why there is no quorum, or an empty string."""
    stances = {agent: last[agent].stance if agent in last else Stance.ABSTAIN for agent in AGENTS}
    if stances[Agent.OFFICER] == Stance.ABSTAIN:
        return "officer_absent"
    if stances[Agent.OFFICER] == Stance.VETO or verdict.stance == Stance.VETO:
        return f"veto:{verdict.reasons[0]}"
    if stances[Agent.CONSULTANT] != Stance.PROPOSE:
        return "no_proposal" if stances[Agent.CONSULTANT] == Stance.PASS else "consultant_absent"
    if stances[Agent.ANALYST] == Stance.AVOID:
        return "bad_moment"
    total = sum(standing.values())
    if total <= 0.0:
        return "no_weight"
    said = sum(standing[agent] * brief.priors.ballot.scores[stance] for agent, stance in stances.items())
    score = said / total
    return "" if score > brief.priors.ballot.threshold else "score"


def _weights(brief: Brief) -> dict[Agent, float]:
    """Everybody's standing weight; one without a standing has its prior."""
    weights = {agent: brief.priors.agents[agent] for agent in AGENTS}
    weights.update((one.agent, one.weight) for one in brief.question.standings)
    return weights


def explain(question: Question, decision: Decision, priors: Priors) -> tuple[str, ...]:
    """The vote as lines to read: every input, every term, and whether the recount equals the record."""
    prepared, again = brief(question, priors), recount(question, decision, priors)
    p0, pay = prepared.p0, prepared.pay
    last = {statement.agent: statement for statement in decision.statements}
    blind = [one.agent for one in decision.statements if one.round == 1 and one.odds and last[one.agent].odds]
    voices = [agent for agent in AGENTS if agent in blind]
    lines = [
        f"baseline: target {p0.target:.4f}, stop {p0.stop:.4f}, neither {p0.neither:.4f}",
        *(
            f"{agent}: p {p:.4f}, weight {weight:.4f}, pulls {weight * (logit(p) - logit(p0.target)):+.4f} log-odds"
            for agent, weight, p in zip(voices, again.weights, again.odds, strict=True)
        ),
        f"shift {again.shift:+.4f} (cap {priors.ballot.shift_cap}), p* {again.p_star:.4f}, spread {again.spread:.4f}",
        f"pays in R: target {pay.target_r:+.4f}, stop {pay.stop_r:+.4f}, neither {pay.neither_r:+.4f}, "
        f"costs {-pay.cost_r:+.4f}, funding {-pay.funding_r:+.4f}",
        f"expected R {again.expected_r:+.4f}, one standard error lower {again.expected_r_low:+.4f}, "
        f"needs {again.threshold_r:+.4f}",
        f"size factor {again.size_factor:.4f}, quorum {'holds' if again.quorum else 'fails'}",
        f"{again.outcome}: {again.reason}",
        "the recount equals the record" if again == decision.ballot else "THE RECOUNT DIFFERS FROM THE RECORD",
    ]
    return tuple(lines)
