"""The indicators that somebody asked for beyond the catalogue: one slot of the kernel's table each."""

from collections.abc import Iterable
from math import isfinite
from typing import NamedTuple

from aister.features.catalogue import CATALOGUE
from aister.features.indicators import Indicator, indicator
from aister.features.timeframes import NAMES, bit
from aister.kernels.state import State
from aister.kernels.table import table

__all__ = ["Asked", "asked_for"]


class Place(NamedTuple):
    """Where a value lies, and what is needed to say why it is not there."""

    at: int
    slot: int
    warmup: int
    undetermined: str


class Asked(NamedTuple):
    """The ids in the order of their slots, and for each where its value is found."""

    places: dict[str, Place]
    indicators: tuple[tuple[int, Indicator], ...]

    def memory(self) -> tuple[State, State]:
        """(slots, rings) of one symbol: nothing seen yet."""
        return table([(slot, *(made.opcode or (0, 0)), made.parameters) for slot, made in self.indicators])

    def read(
        self, id: str, values: list[float], counts: list[tuple[int, int, int, int]], reasons: list[str]
    ) -> float | str:
        """The value of an id, or why it is unavailable. `counts` and `reasons`: per timeframe, as `Recorded` holds
        them."""
        at, slot, warmup, undetermined = self.places[id]
        if reasons[slot]:
            return reasons[slot]
        bars = counts[slot][0]
        if bars < warmup:
            return f"needs {warmup - bars} more closed {NAMES[slot]} bars of {warmup}"
        return values[at] if isfinite(values[at]) else undetermined


def asked_for(wanted: Iterable[tuple[str, str]]) -> Asked:
    """Slots for (timeframe, name) pairs, each once; what the catalogue has anyway needs none. Raises `UsageError` for
    a timeframe or an indicator that does not exist."""
    places: dict[str, Place] = {}
    found: list[tuple[int, Indicator]] = []
    for timeframe, name in wanted:
        slot, made = bit(timeframe).bit_length() - 1, indicator(name)
        id = f"{timeframe}.{name}"
        if id in CATALOGUE or id in places:
            continue
        places[id] = Place(len(found), slot, made.warmup, made.undetermined)
        found.append((slot, made))
    return Asked(places, tuple(found))
