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
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.audit import ProposalResolved
from aister.core.council import Agent, Odds, Standing
from aister.core.errors import SequenceError
from aister.council.debate import AGENTS
from aister.council.priors import Priors

__all__ = ["TARGET", "Calibration", "uniqueness"]

TARGET = "target"
"""The label of a proposal whose first target came before its stop; any other label is the other side."""

_DAY_MS = 86_400_000


class _Column:
    """Numbers that only grow in number, as one array."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._room, self._size = np.empty(256, dtype), 0

    def append(self, value: float) -> None:
        if self._size == self._room.size:
            self._room = np.concatenate((self._room, np.empty_like(self._room)))
        self._room[self._size] = value
        self._size += 1

    @property
    def values(self) -> npt.NDArray[Any]:
        return self._room[: self._size]


class _Labels(msgspec.Struct, frozen=True, gc=False):
    """Labels that somebody spoke on: which, their uniqueness, effective n, and the day of each, from 0."""

    which: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.float64]
    total: float
    days: npt.NDArray[np.int64]


class Calibration:
    """Collects labels and answers with standings; deterministic in the labels recorded, in order."""

    def __init__(self, priors: Priors) -> None:
        self._priors = priors
        self._starts, self._ends = _Column(np.int64), _Column(np.int64)
        self._gains = {agent: _Column(np.float64) for agent in AGENTS}
        self._spoke = {agent: bytearray() for agent in AGENTS}  # one byte a label: whether the agent stated odds
        self._last_ms = -1
        self._standings: tuple[Standing, ...] | None = None
        self._shared: dict[bytes, _Labels] = {}

    def record(self, resolved: ProposalResolved, time_ms: int) -> None:
        """Take a label that became known at `time_ms`. Raises `SequenceError` if that lies before the question or
        before a label already taken."""
        if time_ms < resolved.asked_ms:
            raise SequenceError(
                f"Proposal {resolved.setup_id} resolved before it was asked; feed labels when they resolve."
            )
        if time_ms < self._last_ms:
            raise SequenceError(
                f"Proposal {resolved.setup_id} resolved before the label recorded last; feed them in order."
            )
        said = dict(resolved.odds)
        hit = resolved.label == TARGET
        self._last_ms = time_ms
        self._starts.append(resolved.asked_ms)
        self._ends.append(time_ms)
        for agent in AGENTS:
            odds = said.get(agent)
            self._spoke[agent].append(odds is not None)
            self._gains[agent].append(0.0 if odds is None else _gain(odds, resolved.p0, hit))
        self._standings = None
        self._shared.clear()

    def standings(self) -> tuple[Standing, ...]:
        """Every agent's weight now, with its prior, effective n and skill (nats per outcome; 0 before any outcome)."""
        if self._standings is None:
            self._standings = tuple([self._standing(agent) for agent in AGENTS])
        return self._standings

    def _standing(self, agent: Agent) -> Standing:
        rules, prior = self._priors.calibration, self._priors.agents[agent]
        spoke = bytes(self._spoke[agent])
        if True not in spoke:
            return Standing(agent, prior, prior, 0.0, 0.0)
        labels = self._labels(spoke)
        weights, total, gains = labels.weights, labels.total, self._gains[agent].values[labels.which]
        mean = float(weights @ gains) / total
        daily = np.bincount(labels.days, weights=weights * (gains - mean))
        error = math.sqrt(float(daily @ daily)) / total
        skill = mean - rules.z * error
        measured = min(rules.cap, max(0.0, skill / rules.full_skill))
        weight = prior * (rules.strength + total * measured) / (rules.strength + total)
        if total >= rules.opens_at and mean + rules.silence_z * error <= 0.0:
            weight = 0.0
        return Standing(agent, weight, prior, total, skill)

    def _labels(self, spoke: bytes) -> _Labels:
        """Shared by agents who spoke on the same ones."""
        labels = self._shared.get(spoke)
        if labels is None:
            which = np.frombuffer(spoke, np.bool_)
            starts, ends = self._starts.values[which], self._ends.values[which]
            weights, days = uniqueness(starts, ends), starts // _DAY_MS
            labels = self._shared[spoke] = _Labels(which, weights, float(weights.sum()), days - days.min())
        return labels


def _gain(odds: Odds, p0: float, hit: bool) -> float:
    stated, base = (odds.target, p0) if hit else (1.0 - odds.target, 1.0 - p0)
    return math.log(max(stated, 1e-6) / max(base, 1e-6))


def uniqueness(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """For each [start, end] the time-average of 1 / (spans alive); a span without length counts as 1 ms long."""
    ends = np.maximum(ends, starts + 1)
    edges = np.unique(np.concatenate((starts, ends)))
    first, last = np.searchsorted(edges, starts), np.searchsorted(edges, ends)
    change = np.bincount(first, minlength=edges.size) - np.bincount(last, minlength=edges.size)
    alive = np.cumsum(change)[:-1]
    shares = np.divide(np.diff(edges), alive, out=np.zeros(alive.size), where=alive > 0)
    area = np.concatenate(([0.0], np.cumsum(shares)))  # area[k] = integral of 1 / alive up to edges[k]
    return np.asarray((area[last] - area[first]) / (ends - starts))
