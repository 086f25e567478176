"""From a budget of money to a number of steps, rounded down: risk is never above its budget."""

from aister.core.money import RATE_ONE

__all__ = ["size_for_risk", "steps_within"]


def steps_within(budget: int, per_step: int) -> int:
    """The most steps whose cost stays within the budget: floor(budget / per_step), 0 when either is not positive."""
    return budget // per_step if budget > 0 and per_step > 0 else 0


def size_for_risk(equity: int, risk_e8: int, stop_distance_ticks: int, unit: int) -> int:
    """floor(equity x risk / (stop distance x unit)): the size that loses at most the risk between entry and stop.

    `equity` in money units, `risk_e8` a fraction in 1e-8, `unit` the money of one tick x one step. Big integers on the
    way, so nothing overflows. 0 without equity or without distance.
    """
    return steps_within(equity * risk_e8, RATE_ONE * stop_distance_ticks * unit)
