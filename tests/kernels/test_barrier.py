"""Triple-barrier labels."""

import numpy as np
import pytest

from aister.kernels.barrier import BARRIER, EXPIRED, OPEN, STOP, TARGET, barrier
from aister.kernels.state import allocate


def trade(side: int) -> np.void:
    """Entry 100, risk 2, target 3 away; expires at 300."""
    s = allocate(BARRIER)[0]
    s["side"], s["entry"], s["stop"], s["target"], s["expires_at_ms"] = (
        side,
        100.0,
        100.0 - 2 * side,
        100.0 + 3 * side,
        300,
    )
    return s


def mirrored(side: int, o: float, h: float, l: float, c: float) -> tuple[float, float, float, float]:
    return (o, h, l, c) if side > 0 else (200.0 - o, 200.0 - l, 200.0 - h, 200.0 - c)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("bar", "outcome", "exit_from_entry", "r"),
    [
        ((100.0, 102.9, 98.1, 101.0), OPEN, None, None),
        ((100.0, 103.0, 98.1, 101.0), TARGET, 3.0, 1.5),
        ((100.0, 102.9, 98.0, 101.0), STOP, -2.0, -1.0),
        ((100.0, 103.0, 98.0, 101.0), STOP, -2.0, -1.0),
        ((97.0, 103.0, 96.0, 101.0), STOP, -3.0, -1.5),
        ((105.0, 106.0, 104.0, 105.0), TARGET, 3.0, 1.5),
    ],
)
def test_first_barrier_met(
    side: int, bar: tuple[float, float, float, float], outcome: int, exit_from_entry: float | None, r: float | None
) -> None:
    s = trade(side)
    assert barrier(s, 200, *mirrored(side, *bar)) == outcome
    if exit_from_entry is not None:
        assert (s["exit"] - 100.0) * side == exit_from_entry
        assert s["r"] == r
        assert s["resolved_at_ms"] == 200


@pytest.mark.parametrize("side", [1, -1])
def test_expiry_takes_the_close_and_no_later_bar_changes_an_outcome(side: int) -> None:
    s = trade(side)
    assert barrier(s, 299, *mirrored(side, 100.0, 101.0, 99.0, 100.5)) == OPEN
    assert barrier(s, 300, *mirrored(side, 100.5, 101.0, 99.0, 101.0)) == EXPIRED
    assert (s["exit"] - 100.0) * side == 1.0
    assert s["r"] == 0.5
    assert barrier(s, 301, *mirrored(side, 100.0, 100.0, 90.0, 90.0)) == EXPIRED
    assert s["resolved_at_ms"] == 300


def test_a_barrier_met_in_the_last_bar_comes_before_expiry() -> None:
    s = trade(1)
    assert barrier(s, 300, 100.0, 103.0, 99.0, 100.0) == TARGET
