"""What each agent's stated odds have been worth, and the weight that follows (Q1, Q14).

Every resolved proposal is a label: which barrier was met first. An agent's gain on it is the log score of its stated
odds over the baseline's, in nats, on "target first or not": g = ln(q_agent / q_0), q = p if the target came first,
else 1 - p.

Labels overlap in time and are not independent. Each counts with its uniqueness u = mean over its life of 1 / (labels
alive); effective n = sum u (Lopez de Prado, 2018, chapter 4). All symbols share one count: they move together.

    gain = sum u g / sum u         se^2 = sum over UTC days (sum_day u (g - gain))^2 / (sum u)^2
    skill = gain - z se            (90 % lower bound, day clusters)

    weight = prior                                                     effective n < opens_at
           = 0                                                         skill <= 0
           = prior (strength + n min(cap, skill / full_skill)) / (strength + n)    otherwise

Only what was recorded counts: a label enters when it resolves, never before.
"""

import math

import msgspec

from aister.core.audit import ProposalResolved
from aister.core.council import Agent, Odds, Standing
from aister.core.errors import SequenceError
from aister.council.priors import Priors

__all__ = ["TARGET", "Calibration", "uniqueness"]

TARGET = "target"
"""The label of a proposal whose first target came before its stop; any other label is the other side."""

_DAY_MS = 86_400_000


class _Label(msgspec.Struct, frozen=True, gc=False):
    start_ms: int
    end_ms: int
    gains: tuple[float | None, ...]


class Calibration:
    """Collects labels and answers with standings; deterministic in the labels recorded, in order."""

    def __init__(self, priors: Priors) -> None:
        self._priors = priors
        self._labels: list[_Label] = []
        self._standings: tuple[Standing, ...] | None = None

    def record(self, resolved: ProposalResolved, time_ms: int) -> None:
        """Take a label that became known at `time_ms`. Raises `SequenceError` if that lies before the question or
        before a label already taken."""
        if time_ms < resolved.asked_ms:
            raise SequenceError(
                f"Proposal {resolved.setup_id} resolved before it was asked; feed labels when they resolve."
            )
        if self._labels and time_ms < self._labels[-1].end_ms:
            raise SequenceError(
                f"Proposal {resolved.setup_id} resolved before the label recorded last; feed them in order."
            )
        said = dict(resolved.odds)
        hit = resolved.label == TARGET
        gains = tuple(_gain(said.get(agent), resolved.p0, hit) for agent in Agent)
        self._labels.append(_Label(resolved.asked_ms, time_ms, gains))
        self._standings = None

    def standings(self) -> tuple[Standing, ...]:
        """Every agent's weight now, with its prior, effective n and skill (nats per outcome; 0 before any outcome)."""
        if self._standings is None:
            self._standings = tuple(self._standing(index, agent) for index, agent in enumerate(Agent))
        return self._standings

    def _standing(self, index: int, agent: Agent) -> Standing:
        rules, prior = self._priors.calibration, self._priors.agents[agent]
        labels = [(label, gain) for label in self._labels if (gain := label.gains[index]) is not None]
        if not labels:
            return Standing(agent, prior, prior, 0.0, 0.0)
        weights = uniqueness([(label.start_ms, label.end_ms) for label, _ in labels])
        total = sum(weights)
        mean = sum(u * gain for u, (_, gain) in zip(weights, labels, strict=True)) / total
        days: dict[int, float] = {}
        for u, (label, gain) in zip(weights, labels, strict=True):
            day = label.start_ms // _DAY_MS
            days[day] = days.get(day, 0.0) + u * (gain - mean)
        skill = mean - rules.z * math.sqrt(sum(part * part for part in days.values())) / total
        if total < rules.opens_at:
            weight = prior
        elif skill <= 0.0:
            weight = 0.0
        else:
            measured = min(rules.cap, skill / rules.full_skill)
            weight = prior * (rules.strength + total * measured) / (rules.strength + total)
        return Standing(agent, weight, prior, total, skill)


def _gain(odds: Odds | None, p0: float, hit: bool) -> float | None:
    if odds is None:
        return None
    stated, base = (odds.target, p0) if hit else (1.0 - odds.target, 1.0 - p0)
    return math.log(max(stated, 1e-6) / max(base, 1e-6))


def uniqueness(spans: list[tuple[int, int]]) -> list[float]:
    """For each [start, end] the time-average of 1 / (spans alive); a span without length counts as 1 ms long."""
    spans = [(start, max(end, start + 1)) for start, end in spans]
    edges = sorted({edge for span in spans for edge in span})
    place = {edge: index for index, edge in enumerate(edges)}
    change = [0] * len(edges)
    for start, end in spans:
        change[place[start]] += 1
        change[place[end]] -= 1
    alive, area = 0, [0.0]  # area[k] = integral of 1 / alive up to edges[k]
    for index in range(len(edges) - 1):
        alive += change[index]
        area.append(area[-1] + ((edges[index + 1] - edges[index]) / alive if alive else 0.0))
    return [(area[place[end]] - area[place[start]]) / (end - start) for start, end in spans]
