"""Which numbers of a spec a sweep varies, and over what.

    axis("fast=10:100:10", rules)                a name of `let`: 10, 20, ... 100
    axis("/long/targets/0/r=2,3,4", rules)       a JSON pointer into the spec
    axis("stop_atr=1.5..4.0", rules)             a range, for random and TPE sweeps
    condition("2 * fast < slow", axes)           cells outside are no cells

A name stands for the number that `let` gives it, or for the one parameter of the feature that `let` gives it. Values
are put into the rules as they were written, so a mirrored side and every `use` of a name vary with them.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from aister.core.errors import UsageError

__all__ = ["Axis", "Condition", "Rules", "axis", "condition", "grid", "placed"]

Rules = Mapping[str, Any]
Value = float | int

MOST_CELLS = 1_000_000
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_NAME = r"[^\s*+<>=!-]+"
_TERM = re.compile(rf"\s*(?P<sign>[+-])?\s*((?P<factor>\d[\d.eE]*)\s*(?:\*\s*(?P<of>{_NAME}))?|(?P<name>{_NAME}))\s*")
_COMPARISON = re.compile(r"(<=|>=|==|!=|<|>)")
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


class Axis(msgspec.Struct, frozen=True):
    """One number that varies. name: what it is called in results; pointer: its place in the spec; values: what it may
    be, rising; for a range instead low and high, both possible, `whole` when it takes whole numbers only."""

    name: str
    pointer: str
    values: tuple[Value, ...] = ()
    low: Value = 0
    high: Value = 0
    whole: bool = False


class Condition(msgspec.Struct, frozen=True):
    """left `operator` right, each side a sum of (factor, index of an axis; -1: the factor alone)."""

    text: str
    operator: str
    left: tuple[tuple[float, int], ...]
    right: tuple[tuple[float, int], ...]

    def holds(self, cell: Sequence[Value]) -> bool:
        """Whether a cell, one value per axis, satisfies it."""
        return _HOLDS[self.operator](_sum(self.left, cell), _sum(self.right, cell))


def axis(text: str, rules: Rules) -> Axis:
    """The axis that `NAME=VALUES` describes: `a,b,c`, `first:last:step` (the last included) or `low..high`,
    whole numbers when both ends are written so. Raises
    `UsageError` when there is no such number in the rules or the values are none."""
    name, sign, values = text.partition("=")
    name, values = name.strip(), values.strip()
    if not sign or not name or not values:
        raise UsageError(f"{text!r} names no values; write NAME=10:100:10, NAME=20,50,100 or NAME=1.5..4.0.")
    pointer = _pointer_of(name, rules)
    if ".." in values:
        low, _, high = values.partition("..")
        ends = _number(low, text), _number(high, text)
        if not ends[0] < ends[1]:
            raise UsageError(f"{text!r} is an empty range; the first end lies below the second.")
        return Axis(name, pointer, (), *ends, all(_WHOLE.fullmatch(one.strip()) for one in (low, high)))
    found = _steps(values, text) if ":" in values else [_number(one, text) for one in values.split(",")]
    if len(set(found)) < len(found):
        raise UsageError(f"{text!r} gives a value twice; give each once.")
    return Axis(name, pointer, tuple(sorted(found)))


def condition(text: str, axes: Sequence[Axis]) -> Condition:
    """A comparison of sums of axes and numbers. Raises `UsageError` for anything else."""
    parts = _COMPARISON.split(text)
    if len(parts) != 3:
        raise UsageError(f"{text!r} is no comparison; write for example 'fast < slow' or '2 * fast <= slow'.")
    names = [one.name for one in axes]
    left, operator, right = parts
    return Condition(text, operator, _terms(left, text, names), _terms(right, text, names))


def grid(axes: Sequence[Axis], conditions: Sequence[Condition] = ()) -> tuple[list[tuple[Value, ...]], int]:
    """All cells, the last axis varying fastest, and how many were left out by the conditions. Raises `UsageError` for a
    range among the axes, or more than a million cells."""
    for one in axes:
        if not one.values:
            raise UsageError(f"{one.name} is a range; a grid needs values: {one.name}=FIRST:LAST:STEP.")
    if math.prod(len(one.values) for one in axes) > MOST_CELLS:
        raise UsageError(f"The grid has more than {MOST_CELLS:,} cells; take coarser steps or --random.")
    cells: list[tuple[Value, ...]] = [()]
    for one in axes:
        cells = [(*cell, value) for cell in cells for value in one.values]
    kept = [cell for cell in cells if all(one.holds(cell) for one in conditions)]
    return kept, len(cells) - len(kept)


def placed(rules: Rules, axes: Sequence[Axis], cell: Sequence[Value]) -> dict[str, Any]:
    """The rules with the values of a cell in their places."""
    made: dict[str, Any] = _copied(rules)
    for one, value in zip(axes, cell, strict=True):
        *way, last = _steps_of(one.pointer)
        place: Any = made
        for key in way:
            place = place[int(key) if isinstance(place, list) else key]
        place[int(last) if isinstance(place, list) else last] = value
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(part) for part in value]
    return value if isinstance(value, str | int | float | None) else deepcopy(value)


def _pointer_of(name: str, rules: Rules) -> str:
    pointer = name if name.startswith("/") else f"/let/{name}"
    found: Any = rules
    for key in _steps_of(pointer):
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif isinstance(found, list | tuple) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise UsageError(f"The spec has no number at {pointer}; {_choices(rules)}.")
    if _is_number(found):
        return pointer
    numbers = [key for key, value in found.items() if _is_number(value)] if isinstance(found, Mapping) else []
    if len(numbers) == 1 and "feature" in found:
        return f"{pointer}/{numbers[0]}"
    raise UsageError(f"What the spec has at {pointer} is no number; {_choices(rules)}.")


def _choices(rules: Rules) -> str:
    """Every place where a number stands."""
    places: list[str] = []

    def look(value: Any, path: str) -> None:
        parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        for key, part in parts:
            place = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if _is_number(part):
                places.append(place)
            look(part, place)

    look({key: value for key, value in rules.items() if key != "version"}, "")
    return f"numbers stand at {', '.join(places[:40])}" if places else "it has no numbers"


def _steps_of(pointer: str) -> list[str]:
    return [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]


def _steps(values: str, text: str) -> list[Value]:
    parts = values.split(":")
    if len(parts) != 3:
        raise UsageError(f"{text!r} is no row of values; write NAME=FIRST:LAST:STEP, such as fast=10:100:10.")
    try:
        first, last, step = (Decimal(one) for one in parts)
        count = (last - first) / step
    except ArithmeticError:
        raise UsageError(f"{text!r} is no row of values; give three numbers, the step not 0.") from None
    if count.is_finite() and count >= MOST_CELLS:
        raise UsageError(f"{text!r} gives more than {MOST_CELLS:,} values; take a wider step.")
    if not count.is_finite() or count < 0:
        raise UsageError(f"{text!r} gives no values; the step leads from the first to the last.")
    return [_plain(first + step * index) for index in range(int(count) + 1)]


def _number(text: str, whole: str) -> Value:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise UsageError(f"{text.strip()!r} in {whole!r} is not a number.") from None
    if not value.is_finite():
        raise UsageError(f"{text.strip()!r} in {whole!r} is not a finite number.")
    return _plain(value)


def _plain(value: Decimal) -> Value:
    return int(value) if value == value.to_integral_value() else float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _terms(side: str, text: str, names: Sequence[str]) -> tuple[tuple[float, int], ...]:
    found: list[tuple[float, int]] = []
    at = 0
    while at < len(side):
        term = _TERM.match(side, at)
        if term is None or (found and not term["sign"]):
            raise UsageError(f"{side.strip()!r} in {text!r} is no sum of numbers and names; write 2 * fast + 1.")
        factor, name = term["factor"] or "1", term["of"] or term["name"]
        if not _NUMBER.fullmatch(factor):
            raise UsageError(f"{factor!r} in {text!r} is not a number.")
        if name is not None and name not in names:
            raise UsageError(f"{text!r} names {name!r}, which does not vary; {', '.join(names)} do.")
        sign = -1.0 if term["sign"] == "-" else 1.0
        found.append((sign * float(factor), -1 if name is None else names.index(name)))
        at = term.end()
    if not found:
        raise UsageError(f"{text!r} has an empty side.")
    return tuple(found)


def _sum(terms: Sequence[tuple[float, int]], cell: Sequence[Value]) -> float:
    return sum(factor if index < 0 else factor * cell[index] for factor, index in terms)
