"""What is known of one symbol at one moment: values, and reasons where there is none."""

from functools import lru_cache
from math import isfinite

import numpy as np
import numpy.typing as npt

from aister.core.errors import UsageError
from aister.features.asked import Asked
from aister.features.catalogue import CATALOGUE, feature_ids
from aister.features.context import Facts, context_values
from aister.features.indicators import indicator
from aister.features.timeframes import NAMES

__all__ = ["FeatureSet", "Recorded"]

_IDS = {name: feature_ids(name) for name in NAMES}
_PLACE = {id: (slot, at, CATALOGUE[id].warmup) for slot, name in enumerate(NAMES) for at, id in enumerate(_IDS[name])}
_LONGEST = {name: max(CATALOGUE[id].warmup for id in _IDS[name]) for name in NAMES}
_NOTHING = Asked({}, ())


class FeatureSet:
    """Everything known about `symbol` at `time_ms` (engine time, not before its newest bar's close). Never changes.

    An id of the catalogue, or of an indicator that was asked for, is either in `values`, finite, or in `unavailable`
    with one reason in words.
    """

    __slots__ = ("_unavailable", "_values", "symbol", "time_ms")

    def __init__(self, symbol: str, time_ms: int, values: dict[str, float], unavailable: dict[str, str]) -> None:
        self.symbol = symbol
        self.time_ms = time_ms
        self._values = values
        self._unavailable = unavailable

    def __repr__(self) -> str:
        return (
            f"FeatureSet({self.symbol}, {self.time_ms}, {len(self.values)} values, {len(self.unavailable)} unavailable)"
        )

    @property
    def values(self) -> dict[str, float]:
        return self._values

    @property
    def unavailable(self) -> dict[str, str]:
        return self._unavailable

    def get(self, id: str) -> float | None:
        """The value, or None where it is unavailable. Raises `UsageError` for an id that is neither in the catalogue
        nor was asked for."""
        value = self._values.get(id)
        if value is None and id not in CATALOGUE and id not in self._unavailable:
            raise _no_such(id)
        return value


class Recorded(FeatureSet):
    """A `FeatureSet` over values copied from the kernel: `rows` (slot, output) and `counts` (bars closed so far,
    complete, unbroken, open time) and `reasons` (why none of it counts, or "") per slot; `outs`, the values of the
    indicators `asked` for. Lists and dictionaries are made when somebody asks for them: a rule that reads five ids out
    of 240 and does not fire should not pay for the rest."""

    __slots__ = ("_asked", "_composed", "_context", "_counts", "_facts", "_lists", "_outs", "_reasons", "_rows")

    def __init__(
        self,
        symbol: str,
        time_ms: int,
        rows: npt.NDArray[np.float64],
        counts: list[tuple[int, int, int, int]],
        reasons: list[str],
        facts: Facts,
        asked: Asked = _NOTHING,
        outs: list[float] | None = None,
    ) -> None:
        self.symbol = symbol
        self.time_ms = time_ms
        self._rows = rows
        self._counts = counts
        self._reasons = reasons
        self._lists: list[list[float] | None] = [None] * len(NAMES)
        self._facts = facts
        self._asked = asked
        self._outs = outs or []
        self._context: tuple[dict[str, float], dict[str, str]] | None = None
        self._composed: tuple[dict[str, float], dict[str, str]] | None = None

    @property
    def values(self) -> dict[str, float]:
        return (self._composed or self._compose())[0]

    @property
    def unavailable(self) -> dict[str, str]:
        return (self._composed or self._compose())[1]

    def get(self, id: str) -> float | None:
        place = _PLACE.get(id)
        if place is None:
            if id in self._asked.places:
                found = self._read_asked(id)
                return None if isinstance(found, str) else found
            if id not in CATALOGUE:
                raise _no_such(id)
            return self._read_context()[0].get(id)
        slot, at, warmup = place
        if self._counts[slot][0] < warmup or self._reasons[slot]:
            return None
        value = (self._lists[slot] or self._list(slot))[at]
        return value if isfinite(value) else None

    def _list(self, slot: int) -> list[float]:
        bars, complete, unbroken, _ = self._counts[slot]
        row: list[float] = self._rows[slot].tolist()
        row += (float(bars), float(complete), float(unbroken))
        self._lists[slot] = row
        return row

    def _read_context(self) -> tuple[dict[str, float], dict[str, str]]:
        if self._context is None:
            self._context = context_values(self._facts, self.time_ms)
        return self._context

    def _read_asked(self, id: str) -> float | str:
        return self._asked.read(id, self._outs, self._counts, self._reasons)

    def _compose(self) -> tuple[dict[str, float], dict[str, str]]:
        known: dict[str, float] = {}
        unknown: dict[str, str] = {}
        for slot, name in enumerate(NAMES):
            if self._reasons[slot]:
                unknown.update(dict.fromkeys(_IDS[name], self._reasons[slot]))
                continue
            row = self._lists[slot] or self._list(slot)
            missing = _warming(name, min(self._counts[slot][0], _LONGEST[name]))
            if not missing and isfinite(sum(row)):  # a sum is finite only if all its terms are
                known.update(zip(_IDS[name], row, strict=True))
                continue
            for id, value in zip(_IDS[name], row, strict=True):
                if id in missing:
                    unknown[id] = missing[id]
                elif isfinite(value):
                    known[id] = value
                else:
                    unknown[id] = indicator(id.partition(".")[2]).undetermined
        of_context, reasons = self._read_context()
        known.update(of_context)
        unknown.update(reasons)
        for id in self._asked.places:
            found = self._read_asked(id)
            if isinstance(found, str):
                unknown[id] = found
            else:
                known[id] = found
        self._composed = known, unknown
        return self._composed


@lru_cache(maxsize=4_096)
def _warming(name: str, bars: int) -> dict[str, str]:
    """Which ids have not seen enough bars, and how many are missing. Shared: read it, do not change it."""
    return {
        id: f"needs {CATALOGUE[id].warmup - bars} more closed {name} bars of {CATALOGUE[id].warmup}"
        for id in _IDS[name]
        if CATALOGUE[id].warmup > bars
    }


def _no_such(id: str) -> UsageError:
    timeframe, _, name = id.partition(".")
    if timeframe not in NAMES:
        return UsageError(f"There is no feature {id!r}; the catalogue lists every id.")
    try:
        indicator(name)
    except UsageError as refused:
        return UsageError(f"There is no feature {id!r}: {refused}")
    return UsageError(f"There is no feature {id!r} here: name it among the indicators when the features are made.")
