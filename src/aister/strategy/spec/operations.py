"""What an operation does to two floats, and to two columns: the same IEEE double operation, side by side.

Unknown is nan. A result that is not finite (division by zero, overflow) is unknown; a comparison with unknown is false.
"""

from collections.abc import Callable
from math import inf, isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["COLUMNS", "CONDITIONS", "SCALARS"]

Column = npt.NDArray[Any]


def _finite(value: float) -> float:
    return value if -inf < value < inf else nan


def _quotient(one: float, other: float) -> float:
    return _finite(one / other) if other else nan


def _least(one: float, other: float) -> float:
    return one if isnan(one) or one <= other else other


def _greatest(one: float, other: float) -> float:
    return one if isnan(one) or one >= other else other


SCALARS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda one, other: _finite(one + other),
    "-": lambda one, other: _finite(one - other),
    "*": lambda one, other: _finite(one * other),
    "/": _quotient,
    "min": _least,
    "max": _greatest,
    "abs": lambda one, _: abs(one),
    "neg": lambda one, _: -one,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one < other or one > other,
    "and": lambda one, other: one and other,
    "or": lambda one, other: one or other,
}
"""On floats and bools. Of one part, the second is ignored."""


def _known(value: Column) -> Column:
    endless = np.isinf(value)
    if endless.any():
        value[endless] = nan
    return value


def _quotients(one: Column, other: Column) -> Column:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _known(one / other)


def _bounded(do: Callable[[Column, Column], Column]) -> Callable[[Column, Column], Column]:
    def done(one: Column, other: Column) -> Column:
        with np.errstate(over="ignore"):
            return _known(do(one, other))

    return done


COLUMNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _bounded(np.add),
    "-": _bounded(np.subtract),
    "*": _bounded(np.multiply),
    "/": _quotients,
    "min": np.minimum,
    "max": np.maximum,
    "abs": lambda one, _: np.abs(one),
    "neg": lambda one, _: np.negative(one),
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": lambda one, other: (one < other) | (one > other),
    "and": np.logical_and,
    "or": np.logical_or,
}
"""On columns of float64 and of bool, or on a column and a constant."""

CONDITIONS = frozenset((">", ">=", "<", "<=", "==", "!=", "and", "or"))
"""Which of them give yes or no."""
