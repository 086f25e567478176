"""Arithmetic of stated probabilities: log-odds, shifts against the baseline, what makes odds valid."""

import math

from aister.core.council import Odds

__all__ = ["logit", "probability", "shift_between", "shifted", "sound"]

_EDGE = 1e-6


def logit(p: float) -> float:
    """ln(p / (1 - p)); p is kept 1e-6 away from certainty, which nobody has."""
    p = min(max(p, _EDGE), 1.0 - _EDGE)
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
    parts = (odds.target, odds.stop, odds.neither)
    return all(math.isfinite(p) and 0.0 <= p <= 1.0 for p in parts) and abs(sum(parts) - 1.0) < 1e-6
