"""Cost steps against exact fractions, and worked by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aister.core.money import apply_rate as exact_apply_rate
from aister.kernels import kernel
from aister.kernels.bars import BAR, mean_range
from aister.kernels.cost import COSTS, apply_rate, worsen
from aister.kernels.state import allocate

INT64 = st.integers(-(2**63) + 1, 2**63 - 1)


@given(amount=INT64, rate=st.integers(-(10**9), 10**9))
@example(amount=50_000_000, rate=1)
@example(amount=150_000_000, rate=1)
@example(amount=-50_000_000, rate=1)
@example(amount=250_000_000, rate=-1)
@example(amount=2**63 - 1, rate=100_000_000)
@settings(max_examples=400)
def test_rate_of_an_amount_is_the_core_function(amount: int, rate: int) -> None:
    whole = amount * rate
    if abs(whole) // 10**8 + 1 < 2**63:
        assert apply_rate(amount, rate) == exact_apply_rate(amount, rate)


@given(amount=st.integers(-(10**6), 10**6), rate=INT64)
@settings(max_examples=200)
def test_rate_of_an_amount_with_a_huge_rate(amount: int, rate: int) -> None:
    if abs(amount * rate) // 10**8 + 1 < 2**63:
        assert apply_rate(amount, rate) == exact_apply_rate(amount, rate)


@kernel
def _worsen(costs: np.ndarray, ticks: int, side: int, extra: int, range_e8: int) -> int:
    return worsen(costs[0], ticks, side, extra, range_e8, 0)


def _costs(half_spread: int = 5_000, floor: int = 10_000, percent: int = 10) -> np.ndarray:
    costs = allocate(COSTS)
    costs[0] = (10_000, 35_000, 1_250_000, half_spread, floor, percent, 0, 0)
    return costs


@pytest.mark.parametrize(
    ("side", "extra", "range_ticks", "fill"),
    [
        (1, 0, 0, 1_000_050),  # 1,000,000 x 0.5 bp = 50 ticks
        (-1, 0, 0, 999_950),
        (1, 1, 0, 1_000_150),  # + floor of 1 bp = 100 ticks
        (-1, 1, 2_000, 999_750),  # + 10 % of 2,000 ticks = 200, more than the floor
    ],
)
def test_fill_prices_by_hand(side: int, extra: int, range_ticks: int, fill: int) -> None:
    assert _worsen(_costs(), 1_000_000, side, extra, range_ticks * 10**8) == fill


def test_a_fraction_of_a_tick_is_a_whole_tick_against_us_and_rounded_once() -> None:
    """100,001 ticks: half-spread 5.00005 + floor 10.0001 = 15.00015 ticks, which is 16, not 6 + 11 = 17."""
    assert _worsen(_costs(), 100_001, 1, 1, 0) == 100_017
    assert _worsen(_costs(), 100_001, -1, 1, 0) == 99_985
    assert _worsen(_costs(half_spread=0), 100_001, 1, 0, 0) == 100_001


@given(
    ticks=st.integers(1, 10**9),
    side=st.sampled_from([-1, 1]),
    extra=st.sampled_from([0, 1]),
    range_e8=st.integers(0, 10**16),
    half=st.integers(0, 10**6),
)
@settings(max_examples=200)
def test_fill_prices_are_the_formula_and_never_better(
    ticks: int, side: int, extra: int, range_e8: int, half: int
) -> None:
    fill = _worsen(_costs(half), ticks, side, extra, range_e8)
    slip = Fraction(ticks * half, 10**8)
    if extra:
        slip += max(Fraction(ticks * 10_000, 10**8), Fraction(math.ceil(range_e8 * Fraction(1, 10)), 10**8))
    assert fill == max(1, ticks + side * math.ceil(slip))


@kernel
def _ranges(bars: np.ndarray, out: np.ndarray) -> None:
    for i in range(bars.size):
        out[i] = mean_range(bars, 0, i)


def test_mean_true_range_is_the_plain_mean_of_the_fourteen_before() -> None:
    rng = np.random.default_rng(5)
    c = 10_000 + rng.integers(-50, 51, 60).cumsum()
    h, l = c + rng.integers(0, 60, 60), c - rng.integers(0, 60, 60)
    out = np.zeros(60, "i8")
    bars = np.zeros(60, BAR)
    bars["h"], bars["l"], bars["c"] = h, l, c
    _ranges(bars, out)
    assert out[:2].tolist() == [0, 0]
    for i in range(2, 60):
        ranges = [int(max(h[k], c[k - 1]) - min(l[k], c[k - 1])) for k in range(max(1, i - 14), i)]
        assert out[i] == math.ceil(Fraction(sum(ranges) * 10**8, len(ranges)))
