"""Arithmetic of stated probabilities: log-odds, shifts against the baseline, their spread, what makes odds valid."""

import math

from aister.core.council import Odds

__all__ = ["deviation", "logit", "probability", "shift_between", "shifted", "sound"]

_EDGE = 1e-6
_SURE = 1.0 - _EDGE


def logit(p: float) -> float:
    """ln(p / (1 - p)); p is kept 1e-6 away from certainty, which nobody has."""
    if p < _EDGE:
        p = _EDGE
    elif p > _SURE:
        p = _SURE
    return math.log(p / (1.0 - p))


def probability(log_odds: float) -> float:
    """The inverse of `logit`."""
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > 0 else 1.0 - 1.0 / (1.0 + math.exp(log_odds))


def shift_between(odds: Odds, p0: Odds) -> float:
    """How far an agent's P(target first) lies from the baseline's, in log-odds."""
    return logit(odds.target) - logit(p0.target)


def shifted(p0: Odds, shift: float) -> Odds:
    """The baseline with its P(target first) moved by `shift` log-odds; stop and neither share the rest as they did."""
    target = probability(logit(p0.target) + shift)
    rest = p0.stop + p0.neither
    stop = (1.0 - target) * (p0.stop / rest if rest > 0.0 else 1.0)
    return Odds(target, stop, max(0.0, 1.0 - target - stop))


def sound(odds: Odds) -> bool:
    """Whether these are three probabilities that sum to 1."""
    target, stop, neither = odds.target, odds.stop, odds.neither
    possible = 0.0 <= target <= 1.0 and 0.0 <= stop <= 1.0 and 0.0 <= neither <= 1.0
    return possible and abs(target + stop + neither - 1.0) < 1e-6


def deviation(values: tuple[float, ...]) -> float:
    """Sample standard deviation of at least two, correctly rounded (`statistics.stdev`, seven times as fast): exact in
    integers of the finest binary place among them, up to the one root."""
    ratios = [value.as_integer_ratio() for value in values]
    finest, n = max(below for _, below in ratios), len(values)
    places = [above * (finest // below) for above, below in ratios]
    square, one = n * sum(place * place for place in places) - sum(places) ** 2, n * (n - 1) * finest * finest
    shift = max(0, (one.bit_length() - square.bit_length() + 112) // 2)  # the root has more bits than a double
    scaled, rest = divmod(square << 2 * shift, one)
    root = math.isqrt(scaled)
    return (root | (rest > 0 or root * root != scaled)) / (1 << shift)
