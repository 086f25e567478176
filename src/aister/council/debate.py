"""The debate: round 1 blind, then rebuttals in which each agent hears what the others said and may revise.

A seat reads the brief once and returns its speaker, a pure function (round, heard) -> Reply. What a seat returns is
checked before anybody hears it: an invalid reply, an exception or silence is an abstention, and an Officer who
abstains has vetoed (`ballot`). Numbers that do not match their feature are struck before the others hear them
(`grounding`).
"""

from collections.abc import Callable, Mapping

import msgspec

from aister.core.council import Agent, Proposal, Stance, Statement, Timing, Verdict
from aister.council.brief import Brief
from aister.council.grounding import ground, ground_text
from aister.council.odds import shift_between, sound

__all__ = ["AGENTS", "Debate", "Reply", "Seat", "Speaker", "debate", "heard_shift", "in_reply_to"]

AGENTS = tuple(Agent)
"""In the order in which they speak."""


class Reply(msgspec.Struct, frozen=True):
    """One agent's turn: the statement and, by agent, its proposal, timing or verdict."""

    statement: Statement
    paper: Proposal | Timing | Verdict | None


Speaker = Callable[[int, tuple[Statement, ...]], Reply]
Seat = Callable[[Brief], Speaker]

STANCES = {
    Agent.CONSULTANT: (Stance.PROPOSE, Stance.PASS),
    Agent.ANALYST: (Stance.NOW, Stance.WAIT, Stance.AVOID),
    Agent.OFFICER: (Stance.APPROVE, Stance.REDUCE, Stance.VETO),
}


class Debate(msgspec.Struct, frozen=True):
    """Every statement in order (round, then agent), and the last valid paper of each agent: None = it abstained."""

    statements: tuple[Statement, ...]
    proposal: Proposal | None
    timing: Timing | None
    verdict: Verdict | None

    @property
    def last(self) -> dict[Agent, Statement]:
        """What each agent said in the last round."""
        return {statement.agent: statement for statement in self.statements}


def debate(brief: Brief, seats: Mapping[Agent, Seat], rounds: int) -> Debate:
    """Hold up to `rounds` rounds; it ends early when a rebuttal changed nobody's mind. An agent without a seat
    abstains."""
    spoken: list[Statement] = []
    papers: dict[Agent, Proposal | Timing | Verdict | None] = {}
    before: list[tuple[Stance, float | None]] = []
    speakers = {agent: _seated(agent, seats.get(agent), brief) for agent in AGENTS}
    for number in range(1, rounds + 1):
        turn: list[Statement] = []
        for agent in AGENTS:
            heard = tuple([statement for statement in spoken if statement.agent != agent])
            reply = _ask(agent, speakers[agent], brief, number, heard)
            turn.append(reply.statement)
            papers[agent] = reply.paper
        spoken += turn
        positions = [_position(one) for one in turn]
        if positions == before:
            break
        before = positions
    proposal, timing, verdict = papers.get(Agent.CONSULTANT), papers.get(Agent.ANALYST), papers.get(Agent.OFFICER)
    return Debate(
        tuple(spoken),
        proposal if isinstance(proposal, Proposal) else None,
        timing if isinstance(timing, Timing) else None,
        verdict if isinstance(verdict, Verdict) else None,
    )


def heard_shift(brief: Brief, heard: tuple[Statement, ...]) -> float:
    """What the others' blind evidence is worth to a listener, in log-odds.

    hearing x sum over them of trust x (logit p - logit p0): only round 1 counts, since later odds already hold the
    listener's own words; trust = weight / prior of the speaker's standing, at most 1.
    """
    total = 0.0
    for one in heard:
        if one.round == 1 and one.odds is not None:
            total += brief.trust.get(one.agent, 1.0) * shift_between(one.odds, brief.p0)
    return brief.priors.debate.hearing * total


def in_reply_to(brief: Brief, heard: tuple[Statement, ...], before: float, after: float) -> str:
    """A rebuttal in words: what was heard last from each, and how far it moved the listener (log-odds)."""
    last = {one.agent: one for one in heard}
    words = [f"the {one.agent} says {one.stance}{_stated(one)}" for one in last.values()]
    moved = f"my own case is worth {before:+.2f}, with theirs {after:+.2f} log-odds against the baseline"
    return f"Having heard that {' and '.join(words)}: {moved}."


def _stated(said: Statement) -> str:
    return "" if said.odds is None else f" at {said.odds.target:.0%}"


def _position(statement: Statement) -> tuple[Stance, float | None]:
    return statement.stance, None if statement.odds is None else round(statement.odds.target, 12)


def _seated(agent: Agent, seat: Seat | None, brief: Brief) -> Speaker | str:
    """The seat's speaker for this question, or why there is none."""
    if seat is None:
        return f"the {agent} did not answer"
    try:
        return seat(brief)
    except Exception as failure:  # whatever breaks a mind must end as no trade, on record
        return f"the {agent} failed: {type(failure).__name__}: {failure}"


def _ask(agent: Agent, speaker: Speaker | str, brief: Brief, number: int, heard: tuple[Statement, ...]) -> Reply:
    if isinstance(speaker, str):
        return _abstention(agent, number, speaker)
    try:
        reply = speaker(number, heard)
    except Exception as failure:  # as above
        return _abstention(agent, number, f"the {agent} failed: {type(failure).__name__}: {failure}")
    if complaint := _complaint(agent, number, reply, brief):
        return _abstention(agent, number, f"the {agent}'s reply is invalid: {complaint}")
    statement, paper = ground(reply.statement, brief), reply.paper
    if isinstance(paper, Proposal) and (thesis := ground_text(paper.thesis, brief)) != paper.thesis:
        paper = msgspec.structs.replace(paper, thesis=thesis)
    return Reply(statement, None if statement.stance == Stance.ABSTAIN else paper)


def _abstention(agent: Agent, number: int, why: str) -> Reply:
    return Reply(Statement(agent, number, Stance.ABSTAIN, why, None, ()), None)


def _complaint(agent: Agent, number: int, reply: object, brief: Brief) -> str:
    """What is wrong with a reply, or an empty string."""
    if not isinstance(reply, Reply):
        return "it is not a Reply"
    said, paper = reply.statement, reply.paper
    if said.agent != agent or said.round != number:
        return "it speaks for somebody else or another round"
    if said.stance == Stance.ABSTAIN:
        return "" if paper is None and said.odds is None else "an abstention carries nothing"
    if said.stance not in STANCES[agent]:
        return f"{said.stance} is not a stance of the {agent}"
    if said.odds is not None and not sound(said.odds):
        return "its odds are not probabilities that sum to 1"
    match agent:
        case Agent.CONSULTANT:
            return _bad_proposal(said, paper, brief)
        case Agent.ANALYST:
            if not isinstance(paper, Timing) or paper.stance != said.stance:
                return "its timing is missing or contradicts its stance"
            return "it waits for the past" if paper.not_before_ms < brief.question.time_ms else ""
        case Agent.OFFICER:
            return _bad_verdict(said, paper)


def _bad_verdict(said: Statement, paper: object) -> str:
    if not isinstance(paper, Verdict) or paper.stance != said.stance:
        return "its verdict is missing or contradicts its stance"
    allowed = {Stance.APPROVE: (10_000, 10_000), Stance.REDUCE: (1, 9_999), Stance.VETO: (0, 0)}[said.stance]
    if not allowed[0] <= paper.factor_e4 <= allowed[1]:
        return f"a factor of {paper.factor_e4} does not go with {said.stance}"
    return "" if paper.reasons or said.stance == Stance.APPROVE else "it gives no reason"


def _bad_proposal(said: Statement, paper: object, brief: Brief) -> str:
    if said.stance == Stance.PASS:
        return "" if paper is None else "a PASS carries no proposal"
    if not isinstance(paper, Proposal):
        return "a PROPOSE needs a proposal"
    if said.odds is None:
        return "a PROPOSE needs odds"
    setup = brief.question.setup
    if (paper.setup_id, paper.symbol, paper.side, paper.entry_type) != (
        setup.id,
        setup.symbol,
        setup.side,
        setup.entry_type,
    ):
        return "the proposal is for something else"
    if paper.entry_ticks != setup.entry_ticks or paper.targets != setup.targets or paper.horizon_ms > setup.horizon_ms:
        return "entry and targets are the setup's, and the horizon may only shrink"
    if int(setup.side) * (paper.stop_ticks - setup.stop_ticks) < 0:
        return "the stop may only be tightened"
    return (
        "the stop is not below the entry's risk side"
        if int(setup.side) * (setup.entry_ticks - paper.stop_ticks) <= 0
        else ""
    )
