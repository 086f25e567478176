"""What a strategy says over a whole series, handed to a batch run: when to enter and how, when to leave."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.kernels.signals import EXIT, SETUP

__all__ = ["ADD", "Signals"]

ADD = np.dtype([("time_ms", "i8"), ("side", "i8"), ("stop_ticks", "i8")], align=True)
"""At this close more of a position of that side may be entered; stop_ticks: where its stop then belongs, 0: it stays.
By rising time_ms; two rows of one time for both sides."""


class Signals(msgspec.Struct, frozen=True, eq=False):
    """One symbol's setups (dtype `kernels.signals.SETUP`) and exits (EXIT), each by rising time; at one close at most
    one setup, long before short. adds: where more may be entered (ADD). unsound: how many more would have fired but for
    a price that was unknown, off the grid or on the wrong side of the entry."""

    setups: npt.NDArray[Any]
    exits: npt.NDArray[Any]
    unsound: int = 0
    adds: npt.NDArray[Any] = msgspec.field(default_factory=lambda: np.zeros(0, ADD))

    @staticmethod
    def none() -> "Signals":
        return Signals(np.zeros(0, SETUP), np.zeros(0, EXIT))
