"""What a strategy says over a whole series, handed to a batch run: when to enter and how, when to leave."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.kernels.signals import EXIT, SETUP

__all__ = ["Signals"]


class Signals(msgspec.Struct, frozen=True, eq=False):
    """One symbol's setups (dtype `kernels.signals.SETUP`) and exits (EXIT), each by rising time; at one close at most
    one setup, long before short. unsound: how many more would have fired but for a price that was unknown, off the grid
    or on the wrong side of the entry."""

    setups: npt.NDArray[Any]
    exits: npt.NDArray[Any]
    unsound: int = 0

    @staticmethod
    def none() -> "Signals":
        return Signals(np.zeros(0, SETUP), np.zeros(0, EXIT))
