"""Daily returns and what may be said of them: Sharpe corrected for autocorrelation, and a bootstrap interval (Q11,
Q40)."""

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["DAY_MS", "YEAR_DAYS", "block_length", "bootstrap_mean", "daily_returns", "lo_factor"]

DAY_MS = 86_400_000
YEAR_DAYS = 365

Floats = npt.NDArray[np.float64]


def daily_returns(
    times_ms: Sequence[int],
    amounts: Sequence[int],
    transfers: Sequence[tuple[int, int]],
    capital: int,
    span_ms: tuple[int, int],
) -> Floats:
    """Mark-to-market change from one 00:00 UTC to the next over allotted capital, flat days included, transfers taken
    out.

    Only whole days inside the span count. Equity at a midnight is that of the newest point not after it.
    """
    first, last = -(-span_ms[0] // DAY_MS), span_ms[1] // DAY_MS
    marks = [_at(times_ms, amounts, day * DAY_MS, capital) for day in range(first, last + 1)]
    moved = [0] * max(0, last - first)
    for time_ms, amount in transfers:
        day = (time_ms - 1) // DAY_MS - first
        if 0 <= day < len(moved):
            moved[day] += amount
    return np.array([(marks[i + 1] - marks[i] - moved[i]) / capital for i in range(len(moved))], np.float64)


def _at(times_ms: Sequence[int], amounts: Sequence[int], time_ms: int, before: int) -> int:
    index = bisect_right(times_ms, time_ms) - 1
    return amounts[index] if index >= 0 else before


def lo_factor(returns: Floats, periods: int = YEAR_DAYS) -> float | None:
    """eta(q) = q / sqrt(q + 2 sum_{k=1}^{L} (q - k) rho_k): the annual Sharpe ratio is eta x the daily one.

    rho_k: autocorrelation at lag k, taken as zero beyond L = floor(4 (T / 100)^(2/9)), the usual bandwidth for T
    returns. With independent returns eta = sqrt(q). None where it is not defined (no variance, or the sum is not
    positive). Source: Lo (2002), The Statistics of Sharpe Ratios, FAJ 58(4), equation 20.
    """
    n = len(returns)
    centred = returns - returns.mean() if n else returns
    variance = float(centred @ centred)
    if n < 3 or variance <= 0.0:
        return None
    lags = min(n - 1, math.floor(4 * (n / 100) ** (2 / 9)))
    total = float(periods)
    for k in range(1, lags + 1):
        total += 2 * (periods - k) * float(centred[k:] @ centred[:-k]) / variance
    return periods / math.sqrt(total) if total > 0 else None


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
    if n < 8 or variance <= 0.0:
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


def bootstrap_mean(
    returns: Floats, *, seed: int, draws: int = 1_000, level: float = 0.95
) -> tuple[float, float] | None:
    """Interval of the mean daily return from the stationary bootstrap (Politis & Romano 1994): blocks of geometric
    length with the mean above, wrapped at the end. None with fewer than 8 days."""
    n = len(returns)
    if n < 8:
        return None
    rng = np.random.default_rng(seed)
    begin = 1.0 / block_length(returns)
    index = np.empty((draws, n), np.int64)
    index[:, 0] = rng.integers(0, n, draws)
    for t in range(1, n):
        fresh = rng.random(draws) < begin
        index[:, t] = np.where(fresh, rng.integers(0, n, draws), (index[:, t - 1] + 1) % n)
    means = returns[index].mean(axis=1)
    tail = (1.0 - level) / 2
    return float(np.quantile(means, tail)), float(np.quantile(means, 1.0 - tail))
