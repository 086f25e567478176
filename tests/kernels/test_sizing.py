"""Sizing against exact integers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.kernels.sizing import size_for_risk


def test_by_hand() -> None:
    """10,000 x 0.5 % = 50 at risk. 2,000 ticks x 0.0001 a tick and step = 0.2 a step: 250 steps. A tick more: 249.9."""
    assert size_for_risk(10_000 * 10**8, 500_000, 2_000, 10_000) == 250
    assert size_for_risk(10_000 * 10**8, 500_000, 2_001, 10_000) == 249


def test_nothing_without_equity_risk_or_distance() -> None:
    assert size_for_risk(0, 500_000, 10, 1) == 0
    assert size_for_risk(-5, 500_000, 10, 1) == 0
    assert size_for_risk(10**12, 0, 10, 1) == 0
    assert size_for_risk(10**12, 500_000, 0, 1) == 0
    assert size_for_risk(10**12, 500_000, -3, 1) == 0


@given(
    equity=st.integers(1, 2**62),
    risk=st.integers(1, 10**8),
    distance=st.integers(1, 10**7),
    unit=st.integers(1, 10**8),
)
@settings(max_examples=300)
def test_the_largest_size_whose_loss_fits(equity: int, risk: int, distance: int, unit: int) -> None:
    steps = size_for_risk(equity, risk, distance, unit)
    assert steps * distance * unit * 10**8 <= equity * risk < (steps + 1) * distance * unit * 10**8
