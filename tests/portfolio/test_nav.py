"""Unitised NAV."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.errors import UsageError
from aister.portfolio import Nav


@given(steps=st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(-0.9, 3.0)), max_size=40))
@settings(max_examples=150)
def test_random_transfers_change_no_nav_per_unit(steps: list[tuple[float, float]]) -> None:
    """The same returns with and without transfers give the same NAV; each transfer leaves it as it was, to the bit."""
    nav = Nav(10**12)
    equity, plain = 10**12, 1.0
    for gain, flow in steps:
        before = equity
        equity = max(1_000_000, equity + int(equity * gain))
        plain *= equity / before
        value = nav.per_unit(equity)
        units = nav.units
        amount = max(int(equity * flow), 1_000_000 - equity)
        nav.transfer(equity, amount)
        equity += amount
        assert nav.per_unit(equity) == value
        assert nav.units == pytest.approx(units + amount / value, rel=1e-9)
        assert value == pytest.approx(plain, rel=1e-9)


def test_by_hand() -> None:
    """1,000 grows to 1,100: NAV 1.1. 1,100 more buys 1,000 units. Then 10 % lost: NAV 0.99."""
    nav = Nav(1_000)
    assert nav.per_unit(1_100) == pytest.approx(1.1)
    nav.transfer(1_100, 1_100)
    assert nav.units == pytest.approx(2_000)
    assert nav.per_unit(1_980) == pytest.approx(0.99)


def test_units_without_a_price() -> None:
    with pytest.raises(UsageError):
        Nav(0)
    nav = Nav(1_000)
    with pytest.raises(UsageError, match="not positive"):
        nav.transfer(0, 100)
    with pytest.raises(UsageError, match="withdraw less"):
        nav.transfer(1_000, -1_000)
    assert nav.per_unit(1_000) == 1.0
