"""Swings: which bars are pivots, and that nobody hears of one before it is confirmed."""

import numpy as np
import pytest

from aister.kernels.state import allocate
from aister.kernels.structure import set_swings, swings, swings_layout
from tests.kernels.walks import walk

K = 3


def fresh() -> np.void:
    state = allocate(swings_layout(K))
    set_swings(state[0])
    return state[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_swings_equal_a_search_with_hindsight_shifted_to_when_it_was_known(seed: int) -> None:
    bars = walk(300, seed)
    h = np.round(bars.h, 1)  # coarse ticks, so that equal highs occur
    l = np.round(bars.l, 1)
    s = fresh()
    highs: list[int] = []
    lows: list[int] = []
    for i in range(300):
        known = swings(s, i, 1_000 + i, h[i], l[i])
        middle = i - K
        left, right = slice(middle - K, middle), slice(middle + 1, i + 1)
        decided = middle >= K
        is_high = decided and h[middle] > h[left].max() and h[middle] >= h[right].max()
        is_low = decided and l[middle] < l[left].min() and l[middle] <= l[right].min()
        assert known == int(is_high) + 2 * int(is_low)
        highs += [middle] if is_high else []
        lows += [middle] if is_low else []
        for pivot, found, price, back in (
            ("high", highs, h, 1),
            ("high_before", highs, h, 2),
            ("low", lows, l, 1),
            ("low_before", lows, l, 2),
        ):
            if len(found) < back:
                assert np.isnan(s[pivot]["price"])
            else:
                at = found[-back]
                assert s[pivot].tolist() == (price[at], at, 1_000 + at + K)
    assert len(highs) > 10 < len(lows)


def test_of_equal_highs_the_first_is_the_pivot_and_a_drift_has_none() -> None:
    s = fresh()
    for i, h in enumerate([1.0, 2.0, 3.0, 5.0, 5.0, 4.0, 3.0, 2.0, 1.0]):
        swings(s, i, i + 1, h, 0.5)
    assert s["high"].tolist() == (5.0, 3, 7)
    assert np.isnan(s["low"]["price"])
    s = fresh()
    assert [swings(s, i, i + 1, 10.0 + i, 9.0 + i) for i in range(50)] == [0] * 50
