"""The words of a spec and their bounds, in one place: the reader, the JSON Schema and the docs page follow it."""

from typing import NamedTuple

from aister.features.sessions import CASH_SESSIONS, KILL_ZONES

__all__ = ["KILL_ZONE_NAMES", "NUMBER", "OPERATORS", "SESSION_NAMES", "VERSION", "WEEKDAYS", "Bound", "Operator"]

VERSION = 1
NUMBER, CONDITION = "number", "condition"


class Operator(NamedTuple):
    """takes: what its parts are; gives: what it is; least, most: how many parts. One part stands alone, several in a
    list."""

    takes: str
    gives: str
    least: int
    most: int
    meaning: str


MANY = 64

OPERATORS: dict[str, Operator] = {
    "+": Operator(NUMBER, NUMBER, 2, MANY, "Sum, from the left."),
    "-": Operator(NUMBER, NUMBER, 2, 2, "Difference."),
    "*": Operator(NUMBER, NUMBER, 2, MANY, "Product, from the left."),
    "/": Operator(NUMBER, NUMBER, 2, 2, "Quotient; unknown when the second is zero."),
    "min": Operator(NUMBER, NUMBER, 2, MANY, "The least; unknown when any is."),
    "max": Operator(NUMBER, NUMBER, 2, MANY, "The greatest; unknown when any is."),
    "abs": Operator(NUMBER, NUMBER, 1, 1, "Without its sign."),
    "neg": Operator(NUMBER, NUMBER, 1, 1, "With the other sign."),
    ">": Operator(NUMBER, CONDITION, 2, 2, "Greater."),
    ">=": Operator(NUMBER, CONDITION, 2, 2, "Greater or equal."),
    "<": Operator(NUMBER, CONDITION, 2, 2, "Less."),
    "<=": Operator(NUMBER, CONDITION, 2, 2, "Less or equal."),
    "==": Operator(NUMBER, CONDITION, 2, 2, "Equal, for features that are 0 or 1 or whole numbers."),
    "between": Operator(NUMBER, CONDITION, 3, 3, "The first is not below the second and not above the third."),
    "crosses_above": Operator(
        NUMBER, CONDITION, 2, 2, "The first was not above the second one decision close ago and is now."
    ),
    "crosses_below": Operator(
        NUMBER, CONDITION, 2, 2, "The first was not below the second one decision close ago and is now."
    ),
    "and": Operator(CONDITION, CONDITION, 2, MANY, "All of them."),
    "or": Operator(CONDITION, CONDITION, 2, MANY, "Any of them."),
    "not": Operator(CONDITION, CONDITION, 1, 1, "It is known not to hold. Unknown stays unknown."),
}
"""By the name under which a spec writes them."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Days of New York, in the order of `session.weekday`."""

KILL_ZONE_NAMES = ("any", *KILL_ZONES)
SESSION_NAMES = tuple(CASH_SESSIONS)

WHEN: dict[str, tuple[str, ...]] = {
    "kill_zone": KILL_ZONE_NAMES,
    "session": SESSION_NAMES,
    "weekday": WEEKDAYS,
}
"""The tests of time, each with the names it knows."""


class Bound(NamedTuple):
    """A number in [least, most]; with `above`, in (least, most]. whole: an integer."""

    least: float
    most: float
    whole: bool = False
    above: bool = False

    def refusal(self, value: float) -> str:
        """Why a value is not within, or an empty string."""
        if self.whole and value != int(value):
            return f"{value:g} is not a whole number"
        if value > self.most or value < self.least or (self.above and value == self.least):
            opening = "above" if self.above else "from"
            return f"{value:.15g} is out of range; give a number {opening} {self.least:g} up to {self.most:g}"
        return ""


BOUNDS: dict[str, Bound] = {
    "constant": Bound(-1e12, 1e12),
    "ago": Bound(0, 500, whole=True),
    "life": Bound(1, 1_000, whole=True),
    "percent": Bound(0.0, 50.0, above=True),
    "r": Bound(0.0, 100.0, above=True),
    "share": Bound(0.0, 1.0, above=True),
    "bars": Bound(1, 100_000, whole=True),
    "minutes": Bound(1, 1_000_000, whole=True),
    "break_even_after": Bound(0, 3, whole=True),
    "trail": Bound(0.0, 10.0),
    "times": Bound(1, 3, whole=True),
    "risk": Bound(0.0, 0.1, above=True),
    "notional": Bound(0.0, 100.0, above=True),
    "leverage": Bound(1, 125, whole=True),
}
"""By the key under which a spec gives them; "constant" for every other number."""

MOST_TEXT = 262_144
MOST_DEPTH = 32
MOST_NODES = 1_000
MOST_LEVELS = 100
MOST_TARGETS = 3
"""Characters of a file, levels of nesting as written, nodes of a tree, levels with names followed, targets of a
side."""
