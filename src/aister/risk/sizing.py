"""From a budget of money to a number of steps, rounded down: risk is never above its budget."""

from collections.abc import Callable
from typing import cast

from aister.kernels import sizing

__all__ = ["size_for_risk", "steps_within"]

size_for_risk = cast(
    Callable[[int, int, int, int], int], getattr(sizing.size_for_risk, "py_func", sizing.size_for_risk)
)
"""`kernels.sizing.size_for_risk`(equity, risk_e8, stop_distance_ticks, unit) -> steps: the very rule of the batch loop,
run by the interpreter, because a review is rare and its integers must not wrap."""


def steps_within(budget: int, per_step: int) -> int:
    """The most steps whose cost stays within the budget: floor(budget / per_step), 0 when either is not positive."""
    return budget // per_step if budget > 0 and per_step > 0 else 0
