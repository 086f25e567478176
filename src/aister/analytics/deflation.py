"""How much of a Sharpe ratio is luck: probabilistic and deflated Sharpe ratio, and the track record it would take.

All Sharpe ratios here are those of one day, not annualised. Sources: Bailey & Lopez de Prado (2012), The Sharpe Ratio
Efficient Frontier, Journal of Risk 15(2) [PSR, MinTRL]; (2014), The Deflated Sharpe Ratio, Journal of Portfolio
Management 40(5) [DSR]."""

import math
from statistics import NormalDist

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.daily import YEAR_DAYS
from aister.analytics.ratios import kurtosis, lo_factor, sharpe, skew

__all__ = [
    "FEWEST_TRIAL_DAYS",
    "SAME_TRIAL",
    "Deflation",
    "corrected",
    "corrected_sharpe",
    "deflate",
    "effective_trials",
    "expected_maximum",
    "minimum_track",
    "probabilistic_sharpe",
]

FEWEST_TRIAL_DAYS = 30
"""Days below which a trial's Sharpe ratio says nothing and is left out of the variance across trials."""

SAME_TRIAL = 1 / math.sqrt(2)
"""Correlation from which two trials count as one: they share at least half of their variance."""

_NORMAL = NormalDist()
_EULER = 0.5772156649015329
_BLOCK = 256

Floats = npt.NDArray[np.float64]


class Deflation(msgspec.Struct, frozen=True):
    """A Sharpe ratio against the best that luck would have made of the trials.

    sharpe       `corrected_sharpe` of the returns;   days: their number
    trials       N, all trials that touched these instruments in this time;   effective: `effective_trials` of them
    variance     of the trials' Sharpe ratios (None with fewer than two that have one)
    threshold    `expected_maximum` of the effective trials;   probability = PSR against it: the deflated Sharpe ratio
    threshold_raw, probability_raw   the same with all N trials as if they were independent
    Thresholds are None, and so the probabilities, where there are several trials and no variance of theirs is known.
    """

    sharpe: float
    days: int
    trials: int
    effective: int
    variance: float | None
    threshold: float | None
    probability: float | None
    threshold_raw: float | None
    probability_raw: float | None


def corrected(ratio: float | None, eta: float | None) -> float | None:
    """The day's Sharpe ratio x min(1, eta(365) / sqrt(365)), eta of `lo_factor`. Positive autocorrelation lowers it;
    negative never raises it here, for eta is itself an estimate."""
    return ratio if ratio is None or eta is None else ratio * min(1.0, eta / math.sqrt(YEAR_DAYS))


def corrected_sharpe(returns: Floats) -> float | None:
    """`corrected` of daily returns. None without a Sharpe ratio."""
    return corrected(sharpe(returns), lo_factor(returns))


def probabilistic_sharpe(ratio: float, days: int, skew: float, kurtosis: float, benchmark: float = 0.0) -> float | None:
    """PSR = Phi((SR - SR*) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)): the probability that the true ratio
    exceeds `benchmark`. g4 = 3 for the normal. None when the moments are too extreme for it, or T < 2."""
    spread = _spread(ratio, skew, kurtosis)
    if days < 2 or spread <= 0.0:
        return None
    return _NORMAL.cdf((ratio - benchmark) * math.sqrt(days - 1) / math.sqrt(spread))


def minimum_track(
    ratio: float, skew: float, kurtosis: float, benchmark: float = 0.0, confidence: float = 0.95
) -> float | None:
    """MinTRL = 1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (z / (SR - SR*))^2 days, until PSR reaches `confidence`. None when
    the ratio is not above the benchmark (no length would do) or the moments are too extreme."""
    spread = _spread(ratio, skew, kurtosis)
    if ratio <= benchmark or spread <= 0.0:
        return None
    return 1.0 + spread * (_NORMAL.inv_cdf(confidence) / (ratio - benchmark)) ** 2


def expected_maximum(trials: int, variance: float) -> float:
    """SR0 = sqrt(V) ((1 - gamma) Z(1 - 1 / N) + gamma Z(1 - 1 / (N e))): the highest Sharpe ratio to expect of N
    independent trials without skill; Z the normal quantile, gamma Euler's constant. 0 for a single trial; 8 %
    below the exact value for two, within 3 % from five on."""
    if trials <= 1:
        return 0.0
    ahead = (1 - _EULER) * _NORMAL.inv_cdf(1 - 1 / trials) + _EULER * _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ahead


def effective_trials(returns: npt.NDArray[np.floating], same: float = SAME_TRIAL) -> int:
    """How many clusters the trials form by the correlation of their daily returns.

    returns: shape (trials, days) on one calendar, NaN where a trial has no day. In order, a trial joins the first
    leader with which its correlation is at least `same`, or becomes a leader; the number of leaders is the answer: so
    many trials of which no two are alike. Each trial is centred and scaled over its own days and missing days count as
    0, so trials that overlap little are different ones. Trials that never vary form one cluster.
    """
    rows, flat = _unit_rows(returns)
    leaders = np.empty((0, rows.shape[1]), np.float32)
    for at in range(0, len(rows), _BLOCK):
        block = rows[at : at + _BLOCK]
        free = np.flatnonzero((block @ leaders.T).max(axis=1, initial=-1.0) < same)
        alike = block[free] @ block[free].T >= same
        chosen: list[int] = []
        for i in range(len(free)):
            if not alike[i, chosen].any():
                chosen.append(i)
        leaders = np.vstack([leaders, block[free[chosen]]])
    return len(leaders) + int(flat)


def deflate(returns: Floats, trials: npt.NDArray[np.floating]) -> Deflation | None:
    """The deflated Sharpe ratio of daily returns among the trials of the ledger, this one with them (`Calendar`
    returns: shape (trials, days), NaN = no day). None when the returns have no Sharpe ratio."""
    ratio, g3, g4 = corrected_sharpe(returns), skew(returns), kurtosis(returns)
    if ratio is None or g3 is None or g4 is None:
        return None
    ratios = _ratios(trials)
    variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else None
    count, effective = len(trials), effective_trials(trials)
    best = [_threshold(n, variance) for n in (effective, count)]
    chance = [None if one is None else probabilistic_sharpe(ratio, len(returns), g3, g4, one) for one in best]
    return Deflation(ratio, len(returns), count, effective, variance, best[0], chance[0], best[1], chance[1])


def _threshold(trials: int, variance: float | None) -> float | None:
    """`expected_maximum`, None where it hangs on a variance that is not known: 0 would say that luck makes nothing."""
    if trials <= 1:
        return 0.0
    return None if variance is None else expected_maximum(trials, variance)


def _spread(ratio: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * ratio + (kurtosis - 1.0) / 4.0 * ratio**2


def _ratios(trials: npt.NDArray[np.floating]) -> Floats:
    """Sharpe ratio of each trial that has enough days and varies."""
    known = np.isfinite(trials)
    some = trials[known.sum(axis=1) >= FEWEST_TRIAL_DAYS].astype(np.float64)
    if not len(some):
        return np.empty(0)
    mean, sigma = np.nanmean(some, axis=1), np.nanstd(some, axis=1, ddof=1)
    varies = np.nanmax(some, axis=1) > np.nanmin(some, axis=1)
    ratios: Floats = mean[varies] / sigma[varies]
    return ratios


def _unit_rows(returns: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.float32], bool]:
    """Rows that vary, centred and of length 1, and whether there are others."""
    known = np.isfinite(returns)
    days = np.maximum(1, known.sum(axis=1, keepdims=True))
    held = np.where(known, returns, 0.0)
    centred = np.where(known, held - held.sum(axis=1, keepdims=True) / days, 0.0)
    highest = np.where(known, returns, -np.inf).max(axis=1, initial=-np.inf)
    varies = highest > np.where(known, returns, np.inf).min(axis=1, initial=np.inf)
    some = centred[varies]
    rows = some / np.linalg.norm(some, axis=1, keepdims=True)
    return rows.astype(np.float32), bool((~varies).any())
