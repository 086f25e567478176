"""Recorded depth and trades of one symbol as flat rows: what the tick path replays."""

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.instrument import Instrument

__all__ = ["TickStream"]


class TickStream(msgspec.Struct, frozen=True, eq=False):
    """rows: dtype TICK of `kernels.ticks`, shape (n,), sorted by exchange time, one time in order of arrival; the first
    are a snapshot of the book. shift_ns: what was added to every local stamp because the recording machine's clock
    disagreed with the exchange's (0: nothing). left_out: frames that are no part of the replay, by reason.
    data_hash: of the rows, hence of what is replayed."""

    instrument: Instrument
    rows: npt.NDArray[np.void]
    shift_ns: int
    left_out: dict[str, int]
    source: str
    data_hash: str

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def span_ns(self) -> tuple[int, int]:
        """Exchange times of the first and last row."""
        return int(self.rows["exchange_ns"][0]), int(self.rows["exchange_ns"][-1])
