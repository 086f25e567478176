"""What a strategy's process answers, looked at as what it is: bytes from somebody else's program."""

import numpy as np
import numpy.typing as npt

from aister.core.errors import StrategyError
from aister.core.instrument import Instrument
from aister.kernels.signals import EXIT, SETUP

__all__ = ["checked_exits", "checked_setups"]

Rows = npt.NDArray[np.void]
Times = npt.NDArray[np.int64]

_WHOLE_E4 = 10_000
_MOST_TARGETS = 3
_MOST_TICKS = 1 << 53
_LONGEST_MS = 10 * 366 * 86_400_000


def checked_setups(data: bytes, times: Times, closes: npt.NDArray[np.float64], instrument: Instrument) -> Rows:
    """Rows of dtype SETUP for closes at `times`, the only ones that may be answered now. Raises `StrategyError` for
    bytes of another size, times that are not among them or do not rise, and rows that make no sense."""
    rows = _rows(data, SETUP, times)
    side, entry, stop = rows["side"], rows["entry_ticks"], rows["stop_ticks"]
    count, ticks, shares = rows["targets"], rows["target_ticks"], rows["share_e4"]
    slots = np.arange(_MOST_TARGETS)
    used = slots < count[:, None]
    steps = np.diff(np.column_stack((entry, ticks)), axis=1) * side[:, None]
    at_close = np.rint(closes[np.searchsorted(times, rows["time_ms"])] * instrument.ticks_per_quote)
    sound = {
        "side": np.isin(side, (1, -1)),
        "limit": np.isin(rows["limit"], (0, 1)),
        "entry": (entry > 0) & (entry < _MOST_TICKS) & ((rows["limit"] == 1) | (entry == at_close)),
        "stop": (stop > 0) & (stop < _MOST_TICKS) & ((entry - stop) * side > 0),
        "targets": (count >= 1) & (count <= _MOST_TARGETS),
        "target prices": np.where(used, (ticks > 0) & (ticks < _MOST_TICKS) & (steps > 0), ticks == 0).all(axis=1),
        "shares": np.where(used, (shares > 0) & (shares <= _WHOLE_E4), shares == 0).all(axis=1)
        & (shares.sum(axis=1) == _WHOLE_E4),
        "horizon": (rows["horizon_ms"] > 0) & (rows["horizon_ms"] <= _LONGEST_MS),
        "life": (rows["life_ms"] > 0) & (rows["life_ms"] <= _LONGEST_MS),
    }
    for name, holds in sound.items():
        if not holds.all():
            raise _lied(f"a signal whose {name} makes no sense")
    return rows


def checked_exits(data: bytes, times: Times) -> Rows:
    """Rows of dtype EXIT for closes at `times`. Raises as `checked_setups`."""
    rows = _rows(data, EXIT, times)
    if not np.isin(rows["side"], (1, -1)).all():
        raise _lied("an exit whose side makes no sense")
    return rows


def _rows(data: bytes, kind: np.dtype[np.void], times: Times) -> Rows:
    if len(data) % kind.itemsize or len(data) // kind.itemsize > times.size:
        raise _lied("rows of another size")
    rows = np.frombuffer(data, kind)
    if not np.isin(rows["time_ms"], times).all() or (np.diff(rows["time_ms"]) <= 0).any():
        raise _lied("a signal for a close that it was not asked about")
    return rows


def _lied(what: str) -> StrategyError:
    return StrategyError(
        f"The strategy's process answered {what}; nothing of it is used: a strategy answers through on_bar alone."
    )
