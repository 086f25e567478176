"""Deflation against the published worked examples, an independent implementation's figures, and plain simulations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.analytics.deflation import (
    SAME_TRIAL,
    corrected_sharpe,
    deflate,
    effective_trials,
    expected_maximum,
    minimum_track,
    probabilistic_sharpe,
)
from aister.analytics.ratios import sharpe


def test_probabilistic_sharpe_of_the_paper() -> None:
    """Bailey & Lopez de Prado (2012), section on track record: 24 months of mean 3.6 %, deviation 7.9 %: 0.982 if they
    were normal, 0.913 with their skewness -2.448 and kurtosis 10.164."""
    ratio = 0.036 / 0.079
    assert probabilistic_sharpe(ratio, 24, 0.0, 3.0) == pytest.approx(0.982, abs=0.001)
    assert probabilistic_sharpe(ratio, 24, -2.448, 10.164) == pytest.approx(0.913, abs=0.001)


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_of_the_paper(periods: int, skew: float, kurtosis: float, years: float) -> None:
    """The same paper: an annual Sharpe ratio of 2 shown to be above 1 at 95 %, from daily, weekly and monthly returns,
    and with the skewness and kurtosis of hedge funds."""
    root = math.sqrt(periods)
    found = minimum_track(2 / root, skew, kurtosis, 1 / root)
    assert found is not None and found / periods == pytest.approx(years, abs=0.01)
    assert probabilistic_sharpe(2 / root, round(found), skew, kurtosis, 1 / root) == pytest.approx(0.95, abs=0.002)


def test_deflated_sharpe_of_the_paper() -> None:
    """Bailey & Lopez de Prado (2014), numerical example: annual ratio 2.5 over 1,250 days of 250 a year, skewness -3,
    kurtosis 10, variance of the trials 1/2 a year: after 100 trials threshold 0.1132 and 0.9004, after 46 0.9505; had
    the returns been normal 88 trials would still have given 0.9505."""
    ratio, variance = 2.5 / math.sqrt(250), 0.5 / 250
    assert expected_maximum(100, variance) == pytest.approx(0.1132, abs=5e-5)
    for trials, skew, kurtosis, expected in ((100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)):
        threshold = expected_maximum(trials, variance)
        assert probabilistic_sharpe(ratio, 1250, skew, kurtosis, threshold) == pytest.approx(expected, abs=1e-4)


def test_purgedcv_agrees() -> None:
    """purgedcv 0.1.11 on these 300 returns, whose moments it takes with small-sample corrections: equal to 0.002."""
    returns = np.round(np.random.default_rng(3).standard_t(5, 300) * 0.01 + 0.001, 6)
    third = float(np.mean((returns - returns.mean()) ** 3) / returns.std() ** 3)
    fourth = float(np.mean((returns - returns.mean()) ** 4) / returns.std() ** 4)
    ratio = sharpe(returns)
    assert ratio is not None
    assert probabilistic_sharpe(ratio, 300, third, fourth) == pytest.approx(PSR_0, abs=0.002)
    assert probabilistic_sharpe(ratio, 300, third, fourth, 0.05) == pytest.approx(PSR_005, abs=0.002)
    threshold = expected_maximum(40, 0.002)
    assert probabilistic_sharpe(ratio, 300, third, fourth, threshold) == pytest.approx(DSR_40, abs=0.002)
    assert minimum_track(0.1, -0.5, 5.0, 0.02) == pytest.approx(TRACK, abs=1.0)


PSR_0, PSR_005, DSR_40, TRACK = 0.76052, 0.448735, 0.175973, 450.0


@pytest.mark.parametrize("trials", [5, 10, 100])
def test_the_expected_maximum_is_what_luck_makes(trials: int) -> None:
    best = np.random.default_rng(trials).normal(0, 0.05, (20_000, trials)).max(axis=1)
    assert expected_maximum(trials, 0.05**2) == pytest.approx(best.mean(), rel=0.03)
    assert expected_maximum(1, 1.0) == expected_maximum(0, 1.0) == 0.0


def families(rng: np.random.Generator, count: int, each: int, days: int, alike: float) -> np.ndarray:
    """`count` independent series, each in `each` versions that correlate `alike` with one another."""
    core = rng.normal(size=(count, 1, days))
    own = rng.normal(size=(count, each, days))
    return (0.01 * (math.sqrt(alike) * core + math.sqrt(1 - alike) * own)).reshape(-1, days).astype(np.float32)


def test_effective_trials_counts_families_not_cells() -> None:
    rng = np.random.default_rng(5)
    assert effective_trials(families(rng, 7, 40, 400, 0.95)) == 7
    assert effective_trials(families(rng, 60, 1, 400, 0.0)) == 60
    same = np.tile(rng.normal(size=(1, 50)), (600, 1))
    assert effective_trials(same) == 1 and effective_trials(np.vstack([same, -same])) == 2
    assert effective_trials(np.zeros((30, 50))) == 1 and effective_trials(np.empty((0, 0))) == 0


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(5, 40), st.integers(0, 10_000))
def test_leaders_are_unlike_and_everyone_is_like_one(count: int, days: int, seed: int) -> None:
    """The plain reading of the rule, in Python, on correlations by numpy."""
    rows = np.random.default_rng(seed).integers(-2, 3, (count, days)).astype(float)
    rows = rows[np.ptp(rows, axis=1) > 0]
    leaders: list[np.ndarray] = []
    for row in rows:
        if not any(np.corrcoef(row, one)[0, 1] >= SAME_TRIAL + 1e-5 for one in leaders):
            if any(abs(np.corrcoef(row, one)[0, 1] - SAME_TRIAL) < 2e-5 for one in leaders):
                return  # on the edge: rounding decides
            leaders.append(row)
    assert effective_trials(rows) == len(leaders)


def test_trials_on_other_days_are_others() -> None:
    one = np.random.default_rng(1).normal(size=60)
    calendar = np.full((3, 180), np.nan)
    calendar[0, :60], calendar[1, :60], calendar[2, 120:] = one, one, one
    assert effective_trials(calendar) == 2


def test_the_best_of_many_without_skill_is_seen_through() -> None:
    """The best of 100 independent null strategies over a year: its PSR convinces, its deflated Sharpe ratio does not.
    Counting the trials as one would let it pass."""
    passed = convinced = 0
    for seed in range(60):
        trials = np.random.default_rng(seed).normal(0, 0.01, (100, 365))
        best = trials[np.argmax(trials.mean(axis=1) / trials.std(axis=1))]
        found, alone = deflate(best, trials.astype(np.float32)), deflate(best, best[None, :])
        assert found is not None and alone is not None and found.probability is not None
        assert (found.trials, found.effective, alone.threshold) == (100, 100, 0.0)
        assert found.probability == found.probability_raw
        passed += found.probability >= 0.95
        convinced += (alone.probability or 0.0) >= 0.95
    assert passed <= 3 and convinced >= 50


def test_repeating_a_trial_raises_n_but_not_the_effective_one() -> None:
    rng = np.random.default_rng(2)
    trials = rng.normal(0.001, 0.01, (10, 200))
    few, many = deflate(trials[0], trials), deflate(trials[0], np.tile(trials, (20, 1)))
    assert few is not None and many is not None
    assert (many.trials, many.effective, few.effective) == (200, 10, 10)
    assert many.threshold is not None and many.threshold_raw is not None
    assert many.threshold == pytest.approx(few.threshold, rel=0.06) and many.threshold_raw > many.threshold


def test_short_and_flat_trials_have_no_ratio() -> None:
    rng = np.random.default_rng(4)
    trials = np.full((4, 200), np.nan)
    trials[0] = rng.normal(0, 0.01, 200)
    trials[1, :29], trials[2], trials[3, :30] = rng.normal(0, 0.01, 29), 0.0, rng.normal(0, 0.01, 30)
    found = deflate(trials[0], trials)
    assert found is not None and found.variance == pytest.approx(
        np.var([sharpe(trials[0]), sharpe(trials[3, :30])], ddof=1)
    )
    assert deflate(np.zeros(100), trials) is None
    assert deflate(trials[0], trials[:1]).threshold == 0.0  # type: ignore[union-attr]


def test_where_no_variance_of_the_trials_is_known_luck_is_not_either() -> None:
    """Three trials of 29 days: a threshold of 0 would say that luck makes nothing of the best of them."""
    trials = np.random.default_rng(5).normal(0.001, 0.01, (3, 29))
    found = deflate(trials[0], trials)
    assert found is not None and (found.trials, found.effective, found.variance) == (3, 3, None)
    assert found.threshold is found.probability is found.threshold_raw is found.probability_raw is None
    alike = deflate(trials[0], np.tile(trials[0], (3, 1)))
    assert alike is not None and (alike.effective, alike.threshold, alike.threshold_raw) == (1, 0.0, None)


def test_autocorrelation_lowers_the_ratio_and_never_raises_it() -> None:
    noise = np.random.default_rng(6).normal(0.001, 0.01, 800)
    smooth = np.convolve(noise, np.ones(4) / 4, "valid")
    jagged = np.diff(noise) + 0.001
    assert corrected_sharpe(smooth) < 0.75 * sharpe(smooth)  # type: ignore[operator]
    assert corrected_sharpe(jagged) == sharpe(jagged)
    assert corrected_sharpe(np.zeros(9)) is None


def test_extreme_moments_are_refused() -> None:
    assert probabilistic_sharpe(2.0, 100, 3.0, 3.0) is minimum_track(2.0, 3.0, 3.0) is None
    assert minimum_track(0.1, 0.0, 3.0, 0.1) is None and probabilistic_sharpe(0.1, 1, 0.0, 3.0) is None
