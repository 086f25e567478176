"""Mark and index price beside last (`Settings.mark` "model"): our own model, for the venue does not tell its formula.

Index: the mean of last over some seconds (what other places pay follows ours late), times 1 + a slow wave of a few bp
that only seed and symbol decide. Mark: the middle one of last, index, and index + the mean of (last - index) over a
minute. So all three are near each other in a calm market, and a wick of last moves mark late and in part. With
`Settings.mark` "last" all three are one.
"""

import math
import zlib

import msgspec

__all__ = ["Marks", "MarksState"]

_INDEX_MS = 10_000.0
_BASIS_MS = 60_000.0
_WAVE = 2e-4
_PERIODS_MS = (420_000.0, 1_380_000.0, 3_660_000.0)


class MarksState(msgspec.Struct, frozen=True):
    """Where the means stand: in ticks, ms."""

    smoothed: float
    basis: float
    time_ms: int
    last: int = 0


class Marks:
    """Mark and index of one symbol, in ticks. `follow` it with every price of the market."""

    def __init__(self, seed: int, symbol: str) -> None:
        drawn = zlib.crc32(f"{seed} {symbol}".encode())
        self._phases = tuple((drawn >> shift & 0x3FF) / 0x400 for shift in (0, 10, 20))
        self.state = MarksState(0.0, 0.0, 0)

    @property
    def index_ticks(self) -> int:
        return max(1, round(self._index(self.state)))

    @property
    def mark_ticks(self) -> int:
        index = self._index(self.state)
        return max(1, round(sorted((float(self.state.last), index, index + self.state.basis))[1]))

    def follow(self, last_ticks: int, now_ms: int) -> None:
        """The market trades at a price."""
        was = self.state
        if not was.time_ms:
            begun = MarksState(float(last_ticks), 0.0, now_ms, last_ticks)
            self.state = msgspec.structs.replace(begun, basis=last_ticks - self._index(begun))
            return
        passed = max(0, now_ms - was.time_ms)
        smoothed = last_ticks + (was.smoothed - last_ticks) * math.exp(-passed / _INDEX_MS)
        basis = last_ticks - self._index(MarksState(smoothed, 0.0, now_ms))
        basis += (was.basis - basis) * math.exp(-passed / _BASIS_MS)
        self.state = MarksState(smoothed, basis, now_ms, last_ticks)

    def _index(self, state: MarksState) -> float:
        waves = (
            math.sin(2 * math.pi * (state.time_ms / period + phase))
            for period, phase in zip(_PERIODS_MS, self._phases, strict=True)
        )
        return state.smoothed * (1 + _WAVE * sum(waves) / len(_PERIODS_MS))
