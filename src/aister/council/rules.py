"""The council of rule minds: three pure seats, a debate, a vote. Deterministic, no network, no keys."""

from collections.abc import Mapping

from aister.core.council import Agent, Decision, Question, Stance, Timing
from aister.core.errors import SettingsError
from aister.council import analyst, consultant, officer
from aister.council.ballot import ABSENT_OFFICER, count
from aister.council.brief import brief
from aister.council.debate import Seat, debate
from aister.council.latency import FixedLatency, Latency
from aister.council.priors import Priors, packaged_priors

__all__ = ["SEATS", "RuleCouncil"]

SEATS: Mapping[Agent, Seat] = {
    Agent.CONSULTANT: consultant.seat,
    Agent.ANALYST: analyst.seat,
    Agent.OFFICER: officer.seat,
}
"""The rule minds. A seat may be replaced by any other mind of the same signature."""


class RuleCouncil:
    """Answers one question with a whole decision (port `Minds`).

    `rounds` >= 1; round 1 is blind. A latency at its timeout means that nobody
    spoke in time: everybody abstains, and an absent Officer is a veto. The verdict's factor is already inside
    `ballot.size_factor`.
    """

    def __init__(
        self,
        priors: Priors | None = None,
        *,
        rounds: int = 2,
        latency: Latency | None = None,
        seats: Mapping[Agent, Seat] = SEATS,
    ) -> None:
        if rounds < 1:
            raise SettingsError(f"A debate needs at least one round, not {rounds}; set rounds to 1 or more.")
        self.priors = packaged_priors() if priors is None else priors
        self._rounds = rounds
        self._latency: Latency = FixedLatency() if latency is None else latency
        self._seats = seats
        self._name = f"rules/{rounds}r/{self.priors.digest[:12]}"

    @property
    def name(self) -> str:
        """The deciding configuration (Q6): kind of mind, rounds, digest of the priors."""
        return self._name

    def latency_ms(self, question: Question) -> int:
        return self._latency.draw_ms(question.id)

    def deliberate(self, question: Question) -> Decision:
        """Hold the debate and count the votes. Raises ValueError for a setup whose prices contradict its side."""
        late = self.latency_ms(question) >= self._latency.timeout_ms
        prepared = brief(question, self.priors)
        held = debate(prepared, {} if late else self._seats, self._rounds)
        ballot = count(prepared, held)
        setup = question.setup
        return Decision(
            question_id=question.id,
            setup_id=setup.id,
            symbol=setup.symbol,
            mind=self._name,
            outcome=ballot.outcome,
            reason=ballot.reason,
            proposal=held.proposal,
            timing=held.timing or Timing(Stance.ABSTAIN, question.time_ms, "the analyst abstained"),
            verdict=held.verdict or ABSENT_OFFICER,
            statements=held.statements,
            ballot=ballot,
        )
