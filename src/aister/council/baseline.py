"""The geometric baseline p0 (Q14): what distances, volatility and horizon alone say, for a price without drift.

The price is a Brownian motion W started between two barriers: the first target `reward` above it and the stop `risk`
below (mirrored for a short), with standard deviation sigma = `deviation` over the whole horizon T; L = reward +
risk, all in one unit of price. Two exact series of the first passage (Darling and Siegert, 1953; Borodin and
Salminen, 2002, part II, 1.3.0):

    images    P(target by T) = sum_{k>=0} erfc((2kL + reward) / (sigma sqrt 2))
                                        - erfc((2(k+1)L - reward) / (sigma sqrt 2))
    spectral  P(target by T) = risk/L + sum_{n>=1} 2/(n pi) (-1)^n sin(n pi risk/L) exp(-n^2 pi^2 sigma^2 / (2 L^2))

P(stop by T) swaps the barriers, P(neither) is what is left. As T grows, P(target) tends to risk / (reward + risk).
"""

import math

from aister.core.council import Odds

__all__ = ["TRUE_RANGE_PER_DEVIATION", "barrier_odds"]

TRUE_RANGE_PER_DEVIATION = math.sqrt(8.0 / math.pi)
"""Mean range of a driftless Brownian motion over an interval, in standard deviations of that interval (Feller,
1951)."""

_SPECTRAL_FROM = 0.25  # (sigma / L)^2 above which the spectral series is the short one; both are exact everywhere
_NEGLIGIBLE = 40.0  # exp(-40) is below a double's resolution of 1


def barrier_odds(reward: float, risk: float, deviation: float | None) -> Odds:
    """P(target first), P(stop first), P(neither) within a horizon whose standard deviation is `deviation`.

    `deviation` None means the horizon cannot be priced: the odds without a horizon, neither = 0. Distances are
    positive and in the unit of `deviation`. Raises ValueError for a distance that is not positive.
    """
    if not (reward > 0.0 and risk > 0.0):
        raise ValueError(f"target and stop must lie on either side of the price, not at {reward} and {risk} from it")
    width = reward + risk
    if deviation is None:
        return Odds(risk / width, reward / width, 0.0)
    if deviation <= 0.0:
        return Odds(0.0, 0.0, 1.0)
    if (deviation / width) ** 2 > _SPECTRAL_FROM:
        target, stop = _spectral(risk / width, deviation / width), _spectral(reward / width, deviation / width)
    else:
        target, stop = _images(reward, width, deviation), _images(risk, width, deviation)
    target, stop = min(max(target, 0.0), 1.0), min(max(stop, 0.0), 1.0)
    return Odds(target, stop, max(0.0, 1.0 - target - stop))


def _spectral(share: float, deviation: float) -> float:
    """P(reaching the barrier that lies 1 - share of the width away), width = 1."""
    decay = 0.5 * (math.pi * deviation) ** 2
    total, n, sign = share, 1, -1.0
    while decay * n * n < _NEGLIGIBLE:
        total += 2.0 / (n * math.pi) * sign * math.sin(n * math.pi * share) * math.exp(-decay * n * n)
        n, sign = n + 1, -sign
    return total


def _images(distance: float, width: float, deviation: float) -> float:
    """P(reaching the barrier at `distance` before the one on the other side)."""
    scale = deviation * math.sqrt(2.0)
    total, k = 0.0, 0
    while True:
        direct = math.erfc((2 * k * width + distance) / scale)
        total += direct - math.erfc((2 * (k + 1) * width - distance) / scale)
        k += 1
        if direct < 1e-17:
            return total
