"""Figures of a series of daily returns: volatility, Sharpe with Lo's correction, Sortino, growth, time under water.

r = daily returns on allotted capital, shape (T,). A year has 365 days; what is not defined is None."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.daily import YEAR_DAYS

__all__ = [
    "UnderWater",
    "calmar",
    "growth",
    "kurtosis",
    "lo_factor",
    "sharpe",
    "skew",
    "sortino",
    "under_water",
    "volatility",
]

Floats = npt.NDArray[np.float64]


class UnderWater(msgspec.Struct, frozen=True):
    """A value below its peaks, seen once a day: the longest wait in days from a peak to the day it was met again (or
    the end), and the share of the days below the peak."""

    longest_days: int
    share: float


def volatility(returns: Floats) -> float | None:
    """Sample standard deviation of a day (T - 1 in the denominator). None with fewer than two days."""
    return float(returns.std(ddof=1)) if len(returns) > 1 else None


def sharpe(returns: Floats) -> float | None:
    """mean(r) / volatility of a day. None with fewer than two days or returns that do not vary."""
    if len(returns) < 2 or float(np.ptp(returns)) == 0.0:
        return None
    return float(returns.mean() / returns.std(ddof=1))


def lo_factor(returns: Floats, periods: int = YEAR_DAYS) -> float | None:
    """eta(q) = q / sqrt(q + 2 sum_{k=1}^{L} (q - k) rho_k): the annual Sharpe ratio is eta x the daily one.

    rho_k: autocorrelation at lag k, taken as zero beyond L = floor(4 (T / 100)^(2/9)), the usual bandwidth for T
    returns. With independent returns eta = sqrt(q). None where it is not defined (no variance, or the sum is not
    positive). Source: Lo (2002), The Statistics of Sharpe Ratios, FAJ 58(4), equation 20.
    """
    n = len(returns)
    centred = returns - returns.mean() if n else returns
    variance = float(centred @ centred)
    if n < 3 or float(np.ptp(returns)) == 0.0:
        return None
    lags = min(n - 1, math.floor(4 * (n / 100) ** (2 / 9)))
    total = float(periods)
    for k in range(1, lags + 1):
        total += 2 * (periods - k) * float(centred[k:] @ centred[:-k]) / variance
    return periods / math.sqrt(total) if total > 0 else None


def sortino(returns: Floats) -> float | None:
    """mean(r) / sqrt(mean(min(r, 0)^2)) of a day: all days in the denominator, those above 0 as 0. None without a
    losing day. Source: Sortino & Price (1994), Journal of Investing 3(3), target 0."""
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2))) if len(returns) else 0.0
    return float(returns.mean()) / downside if downside > 0.0 else None


def growth(net_return: float, days: float) -> float | None:
    """CAGR = (1 + net return)^(365 / days) - 1. None when the capital was lost or without days."""
    if days <= 0 or net_return <= -1.0:
        return None
    return math.expm1(math.log1p(net_return) * YEAR_DAYS / days)


def calmar(cagr: float | None, depth: float) -> float | None:
    """CAGR / deepest drawdown. None without a drawdown. Source: Young (1991), Futures 20(1)."""
    return cagr / depth if cagr is not None and depth > 0.0 else None


def skew(returns: Floats) -> float | None:
    """Third central moment / sigma^3, population moments. None where returns do not vary."""
    return _moment(returns, 3)


def kurtosis(returns: Floats) -> float | None:
    """Fourth central moment / sigma^4, population moments: 3 for the normal. None where returns do not vary."""
    return _moment(returns, 4)


def under_water(values: Floats) -> UnderWater:
    """From one value a day (unit NAV)."""
    if len(values) < 2:
        return UnderWater(0, 0.0)
    below = values < np.maximum.accumulate(values)
    at_peak = np.flatnonzero(~below)
    ends = np.append(at_peak[1:], len(values) - 1)
    waits = (ends - at_peak)[below[np.minimum(at_peak + 1, len(values) - 1)]]
    return UnderWater(int(waits.max(initial=0)), float(np.count_nonzero(below)) / (len(values) - 1))


def _moment(returns: Floats, order: int) -> float | None:
    if len(returns) < 2 or float(np.ptp(returns)) == 0.0:
        return None
    centred = returns - returns.mean()
    square = centred * centred
    power = square * (centred if order == 3 else square)
    return float(power.mean() / square.mean() ** (order / 2))
