"""Minds that say yes to every setup, as it stands, after a fixed time; what they were asked is kept."""

from aister.core.council import (
    Ballot,
    Decision,
    Outcome,
    Proposal,
    Question,
    Stance,
    Timing,
    Verdict,
)

__all__ = ["Willing"]


class Willing:
    """`wait_ms` after the question: NOW when 0, else WAIT. Implements `ports.Minds`."""

    name = "willing"

    def __init__(self, latency_ms: int = 250, wait_ms: int = 0) -> None:
        self.latency, self.wait_ms = latency_ms, wait_ms
        self.asked: list[Question] = []

    def latency_ms(self, question: Question) -> int:
        return self.latency

    def deliberate(self, question: Question) -> Decision:
        self.asked.append(question)
        setup, until_ms = question.setup, question.time_ms + self.wait_ms
        timing = Timing(Stance.WAIT, until_ms, "later") if self.wait_ms else Timing(Stance.NOW, question.time_ms, "")
        ballot = Ballot(0.4, (1.0,), (0.5,), 0.4, 0.5, 0.0, 0.35, 0.3, 0.1, 1.0, True, Outcome.TRADE, "value")
        return Decision(
            question_id=question.id,
            setup_id=setup.id,
            symbol=setup.symbol,
            mind=self.name,
            outcome=Outcome.TRADE,
            reason="value",
            proposal=Proposal(
                setup_id=setup.id,
                symbol=setup.symbol,
                side=setup.side,
                entry_type=setup.entry_type,
                entry_ticks=setup.entry_ticks,
                stop_ticks=setup.stop_ticks,
                targets=setup.targets,
                horizon_ms=setup.horizon_ms,
                thesis=setup.rule,
            ),
            timing=timing,
            verdict=Verdict(Stance.APPROVE, 10_000, ()),
            statements=(),
            ballot=ballot,
        )
