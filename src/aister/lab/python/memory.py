"""One piece of memory that two processes read: bars as the loop takes them, rates of the settlements, and the closes of
the strategy's timeframe with the features it asked for. Tables lie one after the other, found from their lengths."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["BAR", "CLOSE", "Opening", "Shape", "Tables", "tables_in"]

Table = dict[str, npt.NDArray[Any]]

BAR = np.dtype(
    [
        *(("open_ms", "i8"), ("volume", "i8"), ("impact", "f8")),
        *(("o", "i4"), ("h", "i4"), ("l", "i4"), ("c", "i4"), ("settlements", "i4"), ("decides", "i4")),
    ],
    align=True,
)
"""One bar: prices in ticks, volume in steps; impact: as the batch loop takes it; settlements: funding rows due by this
bar's open, all told; decides: 1 when the deciding timeframe closes with it."""

CLOSE: tuple[tuple[str, str], ...] = (
    ("bar", "i8"),
    ("time_ms", "i8"),
    ("open", "f8"),
    ("high", "f8"),
    ("low", "f8"),
    ("close", "f8"),
    ("volume", "f8"),
)
"""Of each close: the base bar it falls on, its time (UTC), its bar in quote per base and base units; then features."""

_WIDTH = 8


class Shape(msgspec.Struct, frozen=True):
    """How many bars, settlements and closes there are; features: ids, in order."""

    bars: int
    settlements: int
    closes: int
    features: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        columns = len(CLOSE) + len(self.features)
        return max(1, self.bars * BAR.itemsize + _WIDTH * (self.settlements + columns * self.closes))


class Opening(msgspec.Struct, frozen=True):
    """The desk and the account before the first bar, as bytes of the batch loop's records; start: the span's first
    bar."""

    desk: bytes
    account: bytes
    start: int


class Tables(msgspec.Struct, frozen=True, eq=False):
    """bars: dtype BAR, or its fields as columns; rates_e8: of the settlements, in order; closes: by the
    names of `CLOSE` and the features' ids."""

    bars: Any
    rates_e8: npt.NDArray[np.int64]
    closes: Table

    @property
    def shape(self) -> Shape:
        known = {name for name, _ in CLOSE}
        features = tuple(id for id in self.closes if id not in known)
        return Shape(len(self.bars["c"]), len(self.rates_e8), len(self.closes["bar"]), features)


def tables_in(memory: Any, shape: Shape) -> Tables:
    """The tables that lie in this buffer, without copying. Raises ValueError when it is too small."""
    bars = np.frombuffer(memory, BAR, shape.bars)
    at = bars.nbytes
    rates_e8 = np.frombuffer(memory, np.int64, shape.settlements, at)
    at += rates_e8.nbytes
    closes: Table = {}
    for name, kind in (*CLOSE, *((id, "f8") for id in shape.features)):
        closes[name] = np.frombuffer(memory, np.dtype(kind), shape.closes, at)
        at += closes[name].nbytes
    return Tables(bars, rates_e8, closes)
