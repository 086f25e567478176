"""What each agent's stated odds have been worth, and the weight that follows (Q1, Q14).

Every resolved proposal is a label: which barrier was met first. An agent's gain on it is the log score of its stated
odds over the baseline's, in nats, on "target first or not": g = ln(q_agent / q_0), q = p if the target came first,
else 1 - p.

Labels overlap in time and are not independent. Each counts with its uniqueness u = mean over its life of 1 / (labels
alive); effective n = sum u (Lopez de Prado, 2018, chapter 4). All symbols share one count: they move together.

    gain = sum u g / sum u         se^2 = sum over UTC days (sum_day u (g - gain))^2 / (sum u)^2
    skill = gain - z se            (90 % lower bound, day clusters)

    measured = clip(skill / full_skill, 0, cap)
    weight   = prior (strength + n measured) / (strength + n)         the prior, shrunk to measured skill
             = 0                 if n >= opens_at and gain + silence_z se <= 0: shown to be no better than the baseline

An agent whose skill cannot be told from none keeps fading, 50 / (50 + n) of its prior, but is silenced only by
evidence;
silence_z is stricter than z because the question is put again at every label.

Only what was recorded counts: a label enters when it resolves, never before.
"""

import math

import msgspec
import numpy as np
import numpy.typing as npt

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
        self._unique: dict[tuple[bool, ...], tuple[npt.NDArray[np.float64], float]] = {}

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
        self._unique.clear()

    def standings(self) -> tuple[Standing, ...]:
        """Every agent's weight now, with its prior, effective n and skill (nats per outcome; 0 before any outcome)."""
        if self._standings is None:
            self._standings = tuple(self._standing(index, agent) for index, agent in enumerate(Agent))
        return self._standings

    def _standing(self, index: int, agent: Agent) -> Standing:
        rules, prior = self._priors.calibration, self._priors.agents[agent]
        spoke = tuple(label.gains[index] is not None for label in self._labels)
        if not any(spoke):
            return Standing(agent, prior, prior, 0.0, 0.0)
        weights, total = self._uniqueness(spoke)
        gains = np.array([gain for label in self._labels if (gain := label.gains[index]) is not None])
        mean = float(weights @ gains) / total
        days = np.array([label.start_ms // _DAY_MS for label, said in zip(self._labels, spoke, strict=True) if said])
        daily = np.bincount(days - days.min(), weights=weights * (gains - mean))
        error = math.sqrt(float(daily @ daily)) / total
        skill = mean - rules.z * error
        measured = min(rules.cap, max(0.0, skill / rules.full_skill))
        weight = prior * (rules.strength + total * measured) / (rules.strength + total)
        if total >= rules.opens_at and mean + rules.silence_z * error <= 0.0:
            weight = 0.0
        return Standing(agent, weight, prior, total, skill)

    def _uniqueness(self, spoke: tuple[bool, ...]) -> tuple[npt.NDArray[np.float64], float]:
        """The uniqueness of the labels an agent spoke on, and effective n; shared by agents who spoke on the same
        ones."""
        known = self._unique.get(spoke)
        if known is None:
            spans = [(x.start_ms, x.end_ms) for x, said in zip(self._labels, spoke, strict=True) if said]
            weights = uniqueness(spans)
            known = self._unique[spoke] = weights, float(weights.sum())
        return known


def _gain(odds: Odds | None, p0: float, hit: bool) -> float | None:
    if odds is None:
        return None
    stated, base = (odds.target, p0) if hit else (1.0 - odds.target, 1.0 - p0)
    return math.log(max(stated, 1e-6) / max(base, 1e-6))


def uniqueness(spans: list[tuple[int, int]]) -> npt.NDArray[np.float64]:
    """For each [start, end] the time-average of 1 / (spans alive); a span without length counts as 1 ms long."""
    starts = np.array([start for start, _ in spans], dtype=np.int64)
    ends = np.maximum(np.array([end for _, end in spans], dtype=np.int64), starts + 1)
    edges = np.unique(np.concatenate((starts, ends)))
    first, last = np.searchsorted(edges, starts), np.searchsorted(edges, ends)
    change = np.bincount(first, minlength=edges.size) - np.bincount(last, minlength=edges.size)
    alive = np.cumsum(change)[:-1]
    shares = np.divide(np.diff(edges), alive, out=np.zeros(alive.size), where=alive > 0)
    area = np.concatenate(([0.0], np.cumsum(shares)))  # area[k] = integral of 1 / alive up to edges[k]
    return np.asarray((area[last] - area[first]) / (ends - starts))
