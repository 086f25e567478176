"""Whether a result is more than being in the market: alpha against holding the traded instruments, exposure removed
(Q12)."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.daily import ANNUAL_DAYS
from aister.ports.market import Market

__all__ = ["ALPHA_T", "BETA_DAYS", "Alpha", "alpha", "hac_variance", "instrument_returns"]

ALPHA_T = 1.645
"""Bar for the t statistic, one-sided 5 %."""

BETA_DAYS = 90
"""Length of the stretches within which exposure is taken as constant."""

_DAY_MS = 86_400_000
Floats = npt.NDArray[np.float64]


class Alpha(msgspec.Struct, frozen=True):
    """`daily`: return on allotted capital a day that exposure does not explain; `t`: its t statistic (HAC); `above`:
    t > 1.645. `beta`: mean exposure to each symbol, in the market's order. `stretches`: how many betas each has."""

    days: int
    daily: float
    t: float
    above: bool
    beta: tuple[float, ...]
    stretches: int


def instrument_returns(market: Market, first_day: int, days: int) -> Floats:
    """Close-to-close return of each series on each UTC day, shape (days, series): the last close known at 24:00 over
    that at 00:00 (the first open where none is known yet), less 1."""
    marks = (first_day + np.arange(days + 1, dtype=np.int64)) * _DAY_MS
    columns = []
    for one in market.series:
        known = np.searchsorted(one.open_ms + one.interval_ms, marks, "right") - 1
        price = np.where(known >= 0, one.close[np.maximum(known, 0)], one.open[0])
        columns.append(price[1:] / price[:-1] - 1.0)
    return np.column_stack(columns)


def alpha(returns: Floats, held: Floats) -> Alpha | None:
    """r_t = alpha + sum_s beta_{s,k(t)} R_{s,t} + e_t by least squares: R the instruments' own daily returns, and a
    beta of its own for each instrument in each stretch k of `BETA_DAYS` days (what is left over joins the last one), so
    that an exposure that changes with time is removed as well.

    t = alpha / sqrt(HAC variance). returns: shape (T,), held: shape (T, series). None below `ANNUAL_DAYS` days, with
    fewer than ten days per coefficient, or where the returns leave no residual. Sources: Jensen (1968), Journal of
    Finance 23(2); Newey & West (1987), Econometrica 55(3)."""
    days = len(returns)
    stretches = max(1, days // BETA_DAYS)
    if days < ANNUAL_DAYS or days < 10 * (1 + stretches * held.shape[1]):
        return None
    stretch = np.minimum(np.arange(days) // BETA_DAYS, stretches - 1)
    parts = [np.where((stretch == k)[:, None], held, 0.0) for k in range(stretches)]
    x = np.hstack([np.ones((days, 1)), *parts])
    coefficients = np.linalg.lstsq(x, returns, rcond=None)[0]
    residuals = returns - x @ coefficients
    variance = hac_variance(x, residuals)[0, 0]
    if not variance > 1e-30:
        return None
    t = float(coefficients[0]) / math.sqrt(variance)
    beta = coefficients[1:].reshape(stretches, held.shape[1]).mean(axis=0)
    return Alpha(days, float(coefficients[0]), t, t > ALPHA_T, tuple(beta.tolist()), stretches)


def hac_variance(x: Floats, residuals: Floats) -> Floats:
    """Newey-West covariance of least-squares coefficients, Bartlett weights 1 - l / (L + 1), L = floor(4 (T /
    100)^(2/9)), times T / (T - k). x: shape (T, k)."""
    days, k = x.shape
    scores = x * residuals[:, None]
    middle = scores.T @ scores
    lags = min(days - 1, math.floor(4 * (days / 100) ** (2 / 9)))
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (cross + cross.T)
    bread = np.linalg.pinv(x.T @ x)
    covariance: Floats = bread @ middle @ bread * days / (days - k)
    return covariance
