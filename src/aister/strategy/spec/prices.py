"""Where a side enters, stops and takes profit: from values at its firing closes to rows in ticks.

One function for a column of closes and for a single one: a batch run and the event engine get the same integers.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from aister.core.instrument import Instrument
from aister.kernels.signals import SETUP, UNIT
from aister.ports.signals import ADD
from aister.strategy.spec.program import SideProgram
from aister.strategy.strategy import COST_MULTIPLE

__all__ = ["add_rows", "setup_rows"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def setup_rows(
    side: SideProgram,
    instrument: Instrument,
    cost_e8: int,
    time_ms: Ints,
    close: Floats,
    limit: Floats | None,
    stop: Floats,
    targets: tuple[Floats, ...],
    horizon_ms: int,
) -> npt.NDArray[Any]:
    """Rows of SETUP of the closes at `time_ms` whose prices are sound; others are left out.

    Stop as stated, but at least 3 x cost x entry away (Q30); every computed price is rounded outward: stop and targets
    away from the entry, a limit away from the market. Sound: all known and on the venue's grid, the stated stop on the
    losing side, each target on the winning side and not before the one before it.
    """
    sign = side.sign
    with np.errstate(invalid="ignore", over="ignore"):
        entry = close if limit is None else limit
        stated = _stated(side.stop_form, entry, stop, sign)
        least = entry - sign * (COST_MULTIPLE * entry * cost_e8 / 1e8)
        level = np.minimum(stated, least) if sign > 0 else np.maximum(stated, least)
        distance = sign * (entry - level)
        aims = [
            _aimed(form, entry, value, distance, sign)
            for (form, _, _), value in zip(side.targets, targets, strict=True)
        ]
        sound = np.isfinite(entry) & np.isfinite(level) & (sign * (entry - stated) > 0)
        for aim in aims:
            sound &= np.isfinite(aim)
        ticks = [_reference(entry, instrument) if limit is None else _outward(entry, instrument, -sign)]
        ticks += [_outward(level, instrument, -sign), *(_outward(aim, instrument, sign) for aim in aims)]
        for one in ticks:
            sound &= (one >= max(1, instrument.min_ticks)) & (one <= instrument.max_ticks)
        for nearer, farther in pairwise(ticks[2:]):
            sound &= sign * (farther - nearer) >= 0
        sound &= sign * (ticks[2] - ticks[0]) > 0
        sound &= sign * (ticks[0] - ticks[1]) > 0
    rows = np.zeros(int(sound.sum()), SETUP)
    rows["time_ms"], rows["side"], rows["limit"] = time_ms[sound], sign, limit is not None
    rows["entry_ticks"], rows["stop_ticks"] = ticks[0][sound], ticks[1][sound]
    rows["targets"] = len(aims)
    for index, (aim, (_, _, share_e4)) in enumerate(zip(ticks[2:], side.targets, strict=True)):
        rows["target_ticks"][:, index], rows["share_e4"][:, index] = aim[sound], share_e4
    rows["horizon_ms"], rows["life_ms"] = horizon_ms, side.life_ms
    return rows


def add_rows(
    side: SideProgram, instrument: Instrument, time_ms: Ints, close: Floats, stop: Floats | None
) -> npt.NDArray[Any]:
    """Rows of ADD of the closes at `time_ms`; those whose stop is unknown, off the grid or not on the losing side of
    the close are left out. The stop is rounded away from the close."""
    rows = np.zeros(len(time_ms), ADD)
    rows["time_ms"], rows["side"] = time_ms, side.sign
    if stop is None:
        return rows
    with np.errstate(invalid="ignore", over="ignore"):
        stated = _stated(side.add_stop_form, close, stop, side.sign)
        ticks = _outward(stated, instrument, -side.sign)
        sound = np.isfinite(stated) & (side.sign * (close - stated) > 0)
        sound &= (ticks >= max(1, instrument.min_ticks)) & (ticks <= instrument.max_ticks)
    rows = rows[sound]
    rows["stop_ticks"] = ticks[sound]
    return rows


def _stated(form: str, entry: Floats, stop: Floats, sign: int) -> Floats:
    if form == "price":
        return stop
    away = stop if form == "distance" else entry * stop / 100.0
    stated: Floats = entry - sign * away
    return stated


def _aimed(form: str, entry: Floats, value: Floats, distance: Floats, sign: int) -> Floats:
    if form == "price":
        return value
    aimed: Floats = entry + sign * (value if form == "distance" else value * distance)
    return aimed


def _reference(price: Floats, instrument: Instrument) -> Floats:
    """As `Instrument.to_ticks`."""
    return np.rint(price * UNIT / instrument.tick_e8)


def _outward(price: Floats, instrument: Instrument, way: int) -> Floats:
    """As `Instrument.ticks_above` for way 1, `ticks_below` for way -1; nan stays."""
    if way > 0:
        return np.ceil(price * UNIT / instrument.tick_e8 - 1e-9)
    return np.floor(price * UNIT / instrument.tick_e8 + 1e-9)
