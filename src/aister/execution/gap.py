"""How long positions stood without a stop: from the sending of an entry to the venue's word that its stop rests (C6).

What rests before its entry leaves no gap. Only as long as this process lives can it close one: the gap is what remains
of the risk that the machine dies.
"""

from collections import deque
from typing import TypeAlias

import msgspec

from aister.core.trade import OrderType, Purpose
from aister.execution.states import Course

__all__ = ["GapFigures", "Gaps"]

_KEPT = 10_000
Leg: TypeAlias = tuple[str, int]


class GapFigures(msgspec.Struct, frozen=True):
    """`count` positions entered; ms without a stop, by nearest rank (0 when none was entered)."""

    count: int
    p50_ms: int
    p99_ms: int
    max_ms: int

    @property
    def sentence(self) -> str:
        """For the summary of a run."""
        if not self.count:
            return "no position was entered"
        if not self.max_ms:
            return f"no position stood without a stop ({self.count} entered)"
        return (
            f"positions stood without a stop for {self.p50_ms} ms (p50), {self.p99_ms} ms (p99), {self.max_ms} ms at "
            f"most ({self.count} entered)"
        )


class Gaps:
    """Fed with every course of which something was learnt. Times are venue time, ms."""

    def __init__(self) -> None:
        self._resting: dict[Leg, set[str]] = {}
        self._open: dict[Leg, int] = {}
        self._entered: dict[str, None] = {}
        self._gaps: deque[int] = deque(maxlen=_KEPT)

    def learnt(self, course: Course, now_ms: int) -> None:
        """An entry that has begun to fill opens a gap unless a stop rests; a stop that rests closes it. A limit entry
        that waited counts from its first fill, every other from its sending."""
        order = course.order
        leg = order.symbol, order.leg
        resting = self._resting.setdefault(leg, set())
        if order.purpose is Purpose.STOP:
            if course.state.ended:
                resting.discard(order.client_id)
            elif course.state.arrived:
                resting.add(order.client_id)
                if (since_ms := self._open.pop(leg, None)) is not None:
                    self._gaps.append(max(0, now_ms - since_ms))
        elif order.purpose is Purpose.ENTRY and course.told_filled and order.client_id not in self._entered:
            self._entered[order.client_id] = None
            if len(self._entered) > _KEPT:
                del self._entered[next(iter(self._entered))]
            if resting:
                self._gaps.append(0)
            elif leg not in self._open:
                self._open[leg] = now_ms if order.type is OrderType.LIMIT else course.sent_ms

    @property
    def figures(self) -> GapFigures:
        gaps = sorted(self._gaps)
        if not gaps:
            return GapFigures(0, 0, 0, 0)
        return GapFigures(len(gaps), _rank(gaps, 50), _rank(gaps, 99), gaps[-1])


def _rank(ordered: list[int], percent: int) -> int:
    return ordered[-(-percent * len(ordered) // 100) - 1]
