import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aister.council.baseline import TRUE_RANGE_PER_DEVIATION, _images, _spectral, barrier_odds

distances = st.floats(0.05, 20.0)


@given(distances, distances, st.floats(0.01, 200.0))
def test_the_three_odds_are_probabilities_that_sum_to_one(reward: float, risk: float, deviation: float) -> None:
    odds = barrier_odds(reward, risk, deviation)
    assert min(odds.target, odds.stop, odds.neither) >= 0.0
    assert odds.target + odds.stop + odds.neither == pytest.approx(1.0, abs=1e-12)


@given(distances, distances)
def test_a_long_horizon_forgets_the_volatility(reward: float, risk: float) -> None:
    odds = barrier_odds(reward, risk, 20.0 * (reward + risk))
    assert odds.target == pytest.approx(risk / (reward + risk), abs=1e-12)
    assert barrier_odds(reward, risk, None).target == pytest.approx(odds.target, abs=1e-12)


@given(st.floats(0.02, 0.98), st.floats(0.15, 1.5))
def test_both_series_are_the_same_function(share: float, deviation: float) -> None:
    assert _spectral(share, deviation) == pytest.approx(_images(1.0 - share, 1.0, deviation), abs=1e-12)


@given(distances, distances, st.floats(0.1, 20.0))
def test_swapping_the_barriers_swaps_the_odds(reward: float, risk: float, deviation: float) -> None:
    here, there = barrier_odds(reward, risk, deviation), barrier_odds(risk, reward, deviation)
    assert here.target == pytest.approx(there.stop, abs=1e-12)


@given(distances, distances, st.floats(0.1, 5.0))
def test_more_time_only_takes_from_neither(reward: float, risk: float, deviation: float) -> None:
    early, late = barrier_odds(reward, risk, deviation), barrier_odds(reward, risk, 1.5 * deviation)
    assert late.target >= early.target - 1e-12
    assert late.stop >= early.stop - 1e-12


def test_no_volatility_reaches_nothing() -> None:
    assert barrier_odds(1.0, 1.0, 0.0).neither == 1.0


@pytest.mark.parametrize(("reward", "risk"), [(0.0, 1.0), (1.0, -0.5)])
def test_barriers_on_one_side_are_refused(reward: float, risk: float) -> None:
    with pytest.raises(ValueError, match="either side"):
        barrier_odds(reward, risk, 1.0)


@pytest.mark.parametrize(("reward", "risk", "deviation"), [(1.5, 1.0, 1.2), (1.5, 1.0, 4.0), (0.8, 1.6, 0.9)])
def test_equals_a_monte_carlo(reward: float, risk: float, deviation: float) -> None:
    """Fine random walks; barriers are brought in by 0.5826 of a step for the moments between steps (Broadie, 1997)."""
    paths, steps = 20_000, 1_000
    step = deviation / math.sqrt(steps)
    chance = np.random.default_rng(7)
    at, met = np.zeros(paths), np.zeros(paths)
    for _ in range(steps):
        at += chance.normal(0.0, step, paths)
        met = np.where(
            met == 0, np.where(at >= reward - 0.5826 * step, 1, np.where(at <= -risk + 0.5826 * step, -1, 0)), met
        )
    odds = barrier_odds(reward, risk, deviation)
    error = 4.0 * 0.5 / math.sqrt(paths)
    assert (met == 1).mean() == pytest.approx(odds.target, abs=error)
    assert (met == -1).mean() == pytest.approx(odds.stop, abs=error)


def test_a_true_range_is_that_many_deviations() -> None:
    chance = np.random.default_rng(3)
    walk = np.cumsum(chance.normal(0.0, 1.0 / 40.0, (4_000, 1_600)), axis=1)
    spread = np.maximum(walk.max(axis=1), 0.0) - np.minimum(walk.min(axis=1), 0.0)
    assert spread.mean() == pytest.approx(TRUE_RANGE_PER_DEVIATION, rel=0.03)
