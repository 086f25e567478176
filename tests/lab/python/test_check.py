"""Bytes from somebody else's program: one wrong field and nothing is used."""

from collections.abc import Callable

import numpy as np
import pytest

from aister.core.errors import StrategyError
from aister.kernels.signals import EXIT, SETUP
from aister.lab.python.check import checked_exits, checked_setups
from tests.strategy.scenes import instrument

BTC = instrument()
TIMES = np.arange(1, 6, dtype=np.int64) * 60_000
CLOSES = np.full(5, 100.0)


def sound(count: int = 2) -> np.ndarray:
    rows = np.zeros(count, SETUP)
    entry = BTC.to_ticks(100.0)
    rows["time_ms"], rows["side"], rows["entry_ticks"], rows["stop_ticks"] = TIMES[:count], 1, entry, entry - 10
    rows["targets"], rows["target_ticks"][:, 0], rows["share_e4"][:, 0] = 1, entry + 10, 10_000
    rows["horizon_ms"], rows["life_ms"] = 60_000, 60_000
    return rows


def test_sound_rows_pass() -> None:
    assert np.array_equal(checked_setups(sound().tobytes(), TIMES, CLOSES, BTC), sound())
    assert len(checked_setups(b"", TIMES, CLOSES, BTC)) == 0


WRONG: dict[str, Callable[[np.ndarray], object]] = {
    "side": lambda r: r["side"].__setitem__(0, 2),
    "limit": lambda r: r["limit"].__setitem__(0, 7),
    "entry": lambda r: r["entry_ticks"].__setitem__(0, 1 << 60),
    "entry that is not the close": lambda r: r["entry_ticks"].__setitem__(0, r["entry_ticks"][0] + 1),
    "stop": lambda r: r["stop_ticks"].__setitem__(0, r["entry_ticks"][0] + 1),
    "negative stop": lambda r: r["stop_ticks"].__setitem__(0, -1),
    "targets": lambda r: r["targets"].__setitem__(0, 4),
    "no targets": lambda r: r["targets"].__setitem__(0, 0),
    "target prices": lambda r: r["target_ticks"].__setitem__((0, 0), r["entry_ticks"][0]),
    "hidden target": lambda r: r["target_ticks"].__setitem__((0, 2), 5),
    "shares": lambda r: r["share_e4"].__setitem__((0, 0), 9_999),
    "horizon": lambda r: r["horizon_ms"].__setitem__(0, 0),
    "life": lambda r: r["life_ms"].__setitem__(0, 1 << 62),
    "time between closes": lambda r: r["time_ms"].__setitem__(0, 60_001),
    "time of another block": lambda r: r["time_ms"].__setitem__(0, 0),
    "time twice": lambda r: r["time_ms"].__setitem__(1, 60_000),
}


@pytest.mark.parametrize("what", WRONG)
def test_one_wrong_field_and_nothing_is_used(what: str) -> None:
    rows = sound()
    WRONG[what](rows)
    with pytest.raises(StrategyError, match="nothing of it is used"):
        checked_setups(rows.tobytes(), TIMES, CLOSES, BTC)


def test_rows_cut_short_or_too_many_are_refused() -> None:
    with pytest.raises(StrategyError):
        checked_setups(sound().tobytes()[:-1], TIMES, CLOSES, BTC)
    with pytest.raises(StrategyError):
        checked_setups(np.zeros(6, SETUP).tobytes(), TIMES, CLOSES, BTC)


def test_exits_are_looked_at_too() -> None:
    good = np.array([(60_000, 1), (120_000, -1)], EXIT)
    assert np.array_equal(checked_exits(good.tobytes(), TIMES), good)
    for bad in ([(60_000, 0)], [(90_000, 1)], [(120_000, 1), (60_000, 1)]):
        with pytest.raises(StrategyError):
            checked_exits(np.array(bad, EXIT).tobytes(), TIMES)
