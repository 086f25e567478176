"""From a budget of money to a number of steps, rounded down: risk is never above its budget."""

from collections.abc import Callable
from typing import cast

from aister.core.money import RATE_ONE
from aister.kernels import sizing

__all__ = ["size_for_risk", "size_to_add", "steps_within"]

size_for_risk = cast(
    Callable[[int, int, int, int], int], getattr(sizing.size_for_risk, "py_func", sizing.size_for_risk)
)
"""`kernels.sizing.size_for_risk`(equity, risk_e8, stop_distance_ticks, unit) -> steps: the very rule of the batch loop,
run by the interpreter, because a review is rare and its integers must not wrap."""


def steps_within(budget: int, per_step: int) -> int:
    """The most steps whose cost stays within the budget: floor(budget / per_step), 0 when either is not positive."""
    return budget // per_step if budget > 0 and per_step > 0 else 0


def size_to_add(equity: int, risk_e8: int, *, share_e4: int, distance: int, unit: int, at_stop: int | None) -> int:
    """Steps of a further entry whose stop lies `distance` ticks away: those that lose `share_e4` of the risk of a trade
    there, no more than keep the whole position within that risk. at_stop: what the part already held would lose at that
    stop, money units; None: that does not count. 0 when there is no distance."""
    steps = size_for_risk(equity, risk_e8 * share_e4 // 10_000, distance, unit)
    if at_stop is None or steps == 0:
        return steps
    left = equity * risk_e8 // RATE_ONE - max(0, at_stop)
    return min(steps, steps_within(left, distance * unit))
