"""From signals to an argument: each signal reads facts and scores them in the trade's direction; priors say what
that is worth.

A signal is a pure function (reading, levels) -> (score in [-1, 1], phrase). Its contribution is weight x score
log-odds. A signal that cannot read its input contributes nothing and says so.
"""

from collections.abc import Callable, Mapping

import msgspec

from aister.core.council import Evidence
from aister.core.errors import SettingsError
from aister.council.brief import Brief, Reading, Unreadable

__all__ = ["Case", "Point", "Signal", "clipped", "weigh"]

_AUDIBLE = 0.005  # log-odds below which a point is counted but not spoken

Signal = Callable[[Reading, dict[str, float]], tuple[float, str]]


class Point(msgspec.Struct, frozen=True):
    """One signal that spoke: its phrase with the citations it rests on, its contribution in log-odds."""

    phrase: str
    cited: str
    part: float


class Case(msgspec.Struct, frozen=True):
    """The sum of an agent's signals: `shift` in log-odds, points strongest first, what it rests on by feature, what it
    lacked."""

    shift: float
    points: tuple[Point, ...]
    evidence: dict[str, Evidence]
    unread: tuple[str, ...]

    @property
    def text(self) -> str:
        said = "; ".join([f"{point.cited} {point.part:+.2f}" for point in self.points if abs(point.part) >= _AUDIBLE])
        lacked = f"cannot read {', '.join(self.unread)}" if self.unread else ""
        return ". ".join(part for part in (said, lacked) if part) + "."


def clipped(score: float) -> float:
    return -1.0 if score < -1.0 else 1.0 if score > 1.0 else score


def weigh(brief: Brief, signals: Mapping[str, Signal], weights: dict[str, float], levels: dict[str, float]) -> Case:
    """Sum the weighted signals. Raises `SettingsError` for a weight that names no signal."""
    shift, points, reading = 0.0, [], Reading(brief)
    evidence: dict[str, Evidence] = {}
    unread: dict[str, None] = {}
    for name, weight in weights.items():
        signal = signals.get(name)
        if signal is None:
            raise SettingsError(f"{name} is not a signal; the priors may weigh {', '.join(signals)}.")
        if weight == 0.0:
            continue
        try:
            score, phrase = signal(reading.anew(), levels)
        except Unreadable as missing:
            unread[missing.feature] = None
            continue
        part = weight * clipped(score)
        shift += part
        points.append(Point(phrase, f"{phrase} ({brief.quote(reading.read)})", part))
        evidence.update(reading.read)
    points.sort(key=lambda point: (-abs(point.part), point.phrase))
    return Case(shift, tuple(points), evidence, tuple(unread))
