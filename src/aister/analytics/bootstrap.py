"""Intervals from the stationary bootstrap (Politis & Romano 1994): blocks of daily returns of random length, so that
dependence from day to day is kept. The seed is an argument and is written beside what it made (Q40)."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["DRAWS", "FEWEST_DAYS", "Interval", "Intervals", "block_length", "bootstrap_mean", "intervals", "resampled"]

DRAWS = 1_000
FEWEST_DAYS = 8
"""Days below which no interval is given."""

Floats = npt.NDArray[np.float64]


class Interval(msgspec.Struct, frozen=True):
    """Percentiles of the draws that leave (1 - level) / 2 on each side."""

    low: float
    high: float


class Intervals(msgspec.Struct, frozen=True):
    """`by` name of the figure: mean_daily, net_return, volatility_daily, sharpe_daily, max_drawdown (of the resampled
    path). `loss_probability`: share of draws whose net return is below 0. `block_days`: mean length of the blocks."""

    level: float
    draws: int
    seed: int
    block_days: float
    by: dict[str, Interval]
    loss_probability: float


def block_length(returns: Floats) -> float:
    """Mean block length of the stationary bootstrap (Politis & White 2004, as corrected by Patton, Politis & White
    2009).

    b = (2 G^2 / D)^(1/3) T^(1/3), G = sum lambda(k/M) |k| R(k), D = 2 g(0)^2, g(0) = sum lambda(k/M) R(k), lambda the
    flat-top window, M twice the first lag after which K_T autocorrelations in a row are insignificant. Between 1 and 3
    sqrt(T).
    """
    n = len(returns)
    centred = returns - returns.mean() if n else returns
    variance = float(centred @ centred) / max(1, n)
    if n < 8 or float(np.ptp(returns)) == 0.0:
        return 1.0
    quiet = max(5, math.ceil(math.sqrt(math.log10(n))))
    longest = min(n - 1, math.ceil(math.sqrt(n)) + quiet)
    covariance = np.array([float(centred[k:] @ centred[: n - k]) / n for k in range(longest + 1)])
    significant = np.abs(covariance[1:] / variance) > 2 * math.sqrt(math.log10(n) / n)
    loud = np.flatnonzero(significant[: max(1, longest - quiet + 1)])
    window = min(longest, 2 * (int(loud[-1]) + 1 if len(loud) else 1))
    k = np.arange(1, window + 1)
    flat_top = np.minimum(1.0, 2.0 * (1.0 - k / window))
    at_zero = covariance[0] + 2 * float(flat_top @ covariance[1 : window + 1])
    slope = 2 * float((flat_top * k) @ covariance[1 : window + 1])
    if at_zero == 0.0 or slope == 0.0:
        return 1.0
    length = ((2 * slope**2) / (2 * at_zero**2)) ** (1 / 3) * n ** (1 / 3)
    return float(min(max(1.0, length), 3 * math.sqrt(n)))


def resampled(returns: Floats, *, seed: int, draws: int = DRAWS) -> Floats:
    """Draws of the stationary bootstrap, shape (draws, days): blocks of geometric length with the mean of
    `block_length`, wrapped at the end."""
    n = len(returns)
    rng = np.random.default_rng(seed)
    begin = 1.0 / block_length(returns)
    index = np.empty((draws, n), np.int64)
    index[:, 0] = rng.integers(0, n, draws)
    for t in range(1, n):
        fresh = rng.random(draws) < begin
        index[:, t] = np.where(fresh, rng.integers(0, n, draws), (index[:, t - 1] + 1) % n)
    drawn: Floats = returns[index]
    return drawn


def bootstrap_mean(
    returns: Floats, *, seed: int, draws: int = DRAWS, level: float = 0.95
) -> tuple[float, float] | None:
    """Interval of the mean daily return. None with fewer than `FEWEST_DAYS` days."""
    if len(returns) < FEWEST_DAYS:
        return None
    found = _interval(resampled(returns, seed=seed, draws=draws).mean(axis=1), level)
    return found.low, found.high


def intervals(returns: Floats, *, seed: int, draws: int = DRAWS, level: float = 0.95) -> Intervals | None:
    """Intervals of the figures of daily returns on allotted capital. None with fewer than `FEWEST_DAYS` days. A draw
    whose returns do not vary has no Sharpe ratio and is left out of that one."""
    if len(returns) < FEWEST_DAYS:
        return None
    drawn = resampled(returns, seed=seed, draws=draws)
    mean, sigma = drawn.mean(axis=1), drawn.std(axis=1, ddof=1)
    varies = np.ptp(drawn, axis=1) > 0
    path = np.hstack([np.ones((draws, 1)), 1.0 + np.cumsum(drawn, axis=1)])
    peak = np.maximum.accumulate(path, axis=1)
    figures = {
        "mean_daily": mean,
        "net_return": path[:, -1] - 1.0,
        "volatility_daily": sigma,
        "max_drawdown": np.minimum(1.0, (1.0 - path / peak).max(axis=1)),
    }
    if varies.any():
        figures["sharpe_daily"] = mean[varies] / sigma[varies]
    by = {name: _interval(values, level) for name, values in figures.items()}
    return Intervals(level, draws, seed, block_length(returns), by, float((figures["net_return"] < 0).mean()))


def _interval(values: Floats, level: float) -> Interval:
    tail = (1.0 - level) / 2
    return Interval(float(np.quantile(values, tail)), float(np.quantile(values, 1.0 - tail)))
