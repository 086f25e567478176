"""Alpha: exposure is taken out, skill is not, and the HAC variance is its formula."""

import math

import numpy as np
import pytest

from aister.analytics.alpha import alpha, hac_variance, instrument_returns
from tests.fakes.rows import HOUR_MS, START_DAY, market, series


def test_returns_are_from_midnight_to_midnight() -> None:
    close = np.arange(100.0, 148.0)
    other = np.full(48, 50.0)
    found = instrument_returns(
        market(series(close, interval_ms=HOUR_MS), series(other, "ETHUSDT", interval_ms=HOUR_MS)), START_DAY, 2
    )
    assert found[:, 0].tolist() == pytest.approx([123 / 100 - 1, 147 / 123 - 1])
    assert found[:, 1].tolist() == [0.0, 0.0]


def test_an_exposure_that_changes_is_not_skill() -> None:
    """Long 1.5 in the first quarter, short 1 in the second, flat in the third: a lucky guess of the drift of each."""
    rng = np.random.default_rng(1)
    passed = fooled = 0
    for _ in range(200):
        held = rng.normal(0, 0.02, (270, 1)) + np.repeat([0.004, -0.004, 0.0], 90)[:, None]
        exposure = np.repeat([1.5, -1.0, 0.0], 90)
        returns = exposure * held[:, 0] + rng.normal(0, 0.003, 270)
        found = alpha(returns, held)
        assert found is not None and found.beta[0] == pytest.approx(0.5 / 3, abs=0.05)
        passed += found.above
        x = np.hstack([np.ones((270, 1)), held])
        fit = np.linalg.lstsq(x, returns, rcond=None)[0]
        fooled += fit[0] / math.sqrt(hac_variance(x, returns - x @ fit)[0, 0]) > 1.645
    assert passed <= 20  # nominal 5 % of 200, upper 99.9 % bound 20
    assert fooled > 100, "one beta for all the time would have called the guess alpha"


def test_skill_beside_exposure_is_found() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(60):
        held = rng.normal(0, 0.02, (365, 2))
        returns = 0.0005 + held @ [0.5, -0.2] + rng.normal(0, 0.004, 365)
        one = alpha(returns, held)
        assert one is not None and one.stretches == 4
        found.append(one)
    assert np.mean([one.daily for one in found]) == pytest.approx(0.0005, abs=1e-4)
    assert sum(one.above for one in found) >= 40
    assert np.mean([one.beta for one in found], axis=0) == pytest.approx([0.5, -0.2], abs=0.01)


def test_hac_is_its_formula() -> None:
    """Newey & West (1987) written out as sums over days and lags."""
    rng = np.random.default_rng(3)
    days = 120
    x = np.column_stack([np.ones(days), rng.normal(size=days)])
    residuals = np.convolve(rng.normal(size=days + 2), [1, 0.6, 0.3], "valid")
    lags = math.floor(4 * (days / 100) ** (2 / 9))
    middle = np.zeros((2, 2))
    for t in range(days):
        for s in range(days):
            if abs(t - s) <= lags:
                weight = 1 - abs(t - s) / (lags + 1)
                middle += weight * residuals[t] * residuals[s] * np.outer(x[t], x[s])
    bread = np.linalg.inv(x.T @ x)
    assert hac_variance(x, residuals) == pytest.approx(bread @ middle @ bread * days / (days - 2))


def test_dependence_widens_it() -> None:
    """The mean of a moving average: the plain variance is too small by a factor of about 3, the HAC one is near."""
    rng = np.random.default_rng(4)
    means, plain, robust = [], [], []
    for _ in range(300):
        series_ = np.convolve(rng.normal(size=403), np.ones(4) / 2, "valid")
        ones = np.ones((400, 1))
        means.append(series_.mean())
        plain.append(series_.var(ddof=1) / 400)
        robust.append(hac_variance(ones, series_ - series_.mean())[0, 0])
    truth = np.var(means)
    assert np.mean(plain) < 0.4 * truth < 0.55 * truth < np.mean(robust) < 1.2 * truth


def test_too_little_is_none() -> None:
    rng = np.random.default_rng(5)
    assert alpha(rng.normal(size=89), rng.normal(size=(89, 1))) is None
    assert alpha(rng.normal(size=90), rng.normal(size=(90, 9))) is None
    assert alpha(np.zeros(100), rng.normal(size=(100, 1))) is None
