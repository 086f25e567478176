"""The rule tree as a short list of operations: shared parts once, names followed, `not` worked into the comparisons.

A condition is a plain yes or no here. Whether it is *known not to hold* is another operation, so that "unknown" needs
no third value: a comparison of anything unknown is no either way, and `not` asks for the opposite comparison. That is
Kleene's three-valued logic, of which only "true" is looked at (S. C. Kleene, Introduction to Metamathematics, 1952,
section 64).
"""

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from aister.features.sessions import KILL_ZONES
from aister.strategy.spec.grammar import WEEKDAYS
from aister.strategy.spec.operations import SCALARS
from aister.strategy.spec.tree import Ago, Call, Feature, Filter, Node, Number, Side, Spec, Use, When
from aister.strategy.spec.vocabulary import feature_id

__all__ = ["Operation", "Program", "SideProgram", "program_of"]

MARKET_LIFE_BARS = 2
"""How many bars of its timeframe a market entry may wait to be filled whole."""

_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "and": "or", "or": "and"}


class Operation(msgspec.Struct, frozen=True):
    """name: of `operations`, or const, feature, ago; first, second: earlier operations; value: the constant or how many
    closes ago; id: the feature; key: what it computes, the same in every spec."""

    name: str
    key: str
    first: int = -1
    second: int = -1
    value: float = 0.0
    id: str = ""


class SideProgram(msgspec.Struct, frozen=True):
    """Where the values of one side are: index of an operation, -1 for none. targets: (form, operation, share_e4). add:
    when more is entered; add_stop: where the stop then goes."""

    sign: int
    word: str
    entry: int
    exit: int
    limit: int
    life_ms: int
    stop_form: str
    stop: int
    targets: tuple[tuple[str, int, int], ...]
    reads: tuple[str, ...]
    add: int = -1
    add_stop_form: str = ""
    add_stop: int = -1


class Program(msgspec.Struct, frozen=True):
    """Operations in an order in which each comes after what it needs; close: the operation of the decision close."""

    operations: tuple[Operation, ...]
    sides: tuple[SideProgram, ...]
    close: int
    reads: tuple[str, ...]


def program_of(spec: Spec) -> Program:
    """The program of a spec that has been checked."""
    return _Builder(spec).program()


class _Builder:
    """Adds operations, each once."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._named = dict(spec.definitions)
        self._done: dict[tuple[str, bool], int] = {}  # a name of `let`, and which way it is asked
        self._operations: list[Operation] = []
        self._places: dict[tuple[str, int, int, float, str], int] = {}

    def program(self) -> Program:
        close = self._add("feature", id=f"{self._spec.timeframe}.close")
        sides = tuple(self._side(*given) for given in self._spec.sides)
        reads = tuple(o.id for o in self._operations if o.name == "feature")
        return Program(tuple(self._operations), sides, close, reads)

    def _side(self, sign: int, word: str, side: Side) -> SideProgram:
        entry = self._filtered(side.entry)
        add = -1 if side.add is None else self._filtered(side.add.when)
        moved = side.add.stop if side.add is not None else None
        leave = -1 if side.exit is None else self._condition(side.exit, True)
        limit = -1 if side.order.limit is None else self._number(side.order.limit)
        stop = self._number(side.stop.value)
        targets = tuple((t.form, self._number(t.value), t.share_e4) for t in side.targets)
        roots = (entry, limit, stop, *(index for _, index, _ in targets))
        return SideProgram(
            sign=sign,
            word=word,
            entry=entry,
            exit=leave,
            limit=limit,
            life_ms=(side.order.life_bars or MARKET_LIFE_BARS) * self._spec.interval_ms,
            stop_form=side.stop.form,
            stop=stop,
            targets=targets,
            reads=self._below(roots),
            add=add,
            add_stop_form="" if moved is None else moved.form,
            add_stop=-1 if moved is None else self._number(moved.value),
        )

    def _filtered(self, when: Node) -> int:
        """The condition, inside the spec's times only."""
        index = self._condition(when, True)
        for allowed in _filters(self._spec.filter):
            index = self._add("and", self._condition(allowed, True), index)
        return index

    def _below(self, roots: tuple[int, ...]) -> tuple[str, ...]:
        """The features these operations rest on."""
        found: set[int] = set()
        waiting = [index for index in roots if index >= 0]
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                one = self._operations[index]
                waiting += [place for place in (one.first, one.second) if place >= 0]
        return tuple(self._operations[i].id for i in sorted(found) if self._operations[i].name == "feature")

    def _add(self, name: str, first: int = -1, second: int = -1, value: float = 0.0, id: str = "") -> int:
        place = (name, first, second, value, id)
        index = self._places.get(place)
        if index is None:
            parts = (self._operations[i].key if i >= 0 else "" for i in (first, second))
            text = "\0".join((name, *parts, repr(value), id))
            key = blake2b(text.encode(), digest_size=16).hexdigest()
            index = self._places[place] = len(self._operations)
            self._operations.append(Operation(name, key, first, second, value, id))
        return index

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def _number(self, node: Node) -> int:
        match node:
            case Number(value):
                return self._add("const", value=value)
            case Feature():
                return self._add("feature", id=feature_id(node))
            case Use(name):
                return self._use(name, True, self._number)
            case Ago(of, bars):
                return self._ago(self._number(of), bars)
            case Call(operator, parts):
                places = [self._number(part) for part in parts]
                if len(places) == 1:
                    return self._reckon(operator, places[0], -1)
                index = places[0]
                for place in places[1:]:
                    index = self._reckon(operator, index, place)
                return index
        raise AssertionError(node)

    def _reckon(self, operator: str, first: int, second: int) -> int:
        """The operation, or its result where it rests on constants alone."""
        parts = [self._operations[i] for i in (first, second) if i >= 0]
        if all(part.name == "const" for part in parts):
            return self._add("const", value=SCALARS[operator](parts[0].value, parts[-1].value))
        return self._add(operator, first, second)

    def _ago(self, index: int, bars: int) -> int:
        fixed = bars == 0 or self._operations[index].name == "const"
        return index if fixed else self._add("ago", index, value=float(bars))

    def _use(self, name: str, way: bool, make: Callable[[Node], int]) -> int:
        index = self._done.get((name, way))
        if index is None:
            index = self._done[name, way] = make(self._named[name])
        return index

    # ---- conditions -------------------------------------------------------------------------------------------------

    def _condition(self, node: Node, way: bool) -> int:
        """Whether it holds (`way`) or is known not to hold."""
        match node:
            case Use(name):
                return self._use(name, way, lambda named: self._condition(named, way))
            case When():
                return self._condition(_test_of_time(node), way)
            case Call("not", (part,)):
                return self._condition(part, not way)
            case Call("and" | "or" as operator, parts):
                joined = operator if way else _OPPOSITE[operator]
                index = self._condition(parts[0], way)
                for part in parts[1:]:
                    index = self._add(joined, index, self._condition(part, way))
                return index
            case Call("between", (value, low, high)):
                return self._condition(Call("and", (Call(">=", (value, low)), Call("<=", (value, high)))), way)
            case Call("crosses_above" | "crosses_below" as operator, (one, other)):
                before, now = ("<=", ">") if operator == "crosses_above" else (">=", "<")
                crossed = (Call(before, (Ago(one, 1), Ago(other, 1))), Call(now, (one, other)))
                return self._condition(Call("and", crossed), way)
            case Call(operator, (one, other)):
                name = operator if way else _OPPOSITE[operator]
                return self._add(name, self._number(one), self._number(other))
        raise AssertionError(node)


def _test_of_time(node: When) -> Node:
    """The same as a comparison of session features."""

    def holds(name: str, value: float) -> Node:
        return Call("==", (Feature(name, ""), Number(value)))

    match node.what:
        case "silver_bullet":
            tests = [holds("session.silver_bullet", 1.0)]
        case "weekday":
            tests = [holds("session.weekday", float(WEEKDAYS.index(name))) for name in node.names]
        case "session":
            tests = [holds(f"session.{name}_is_open", 1.0) for name in node.names]
        case _:
            zones = [name for name in KILL_ZONES if name in node.names]
            names = ["kill_zone"] if "any" in node.names else [f"kill_zone_{name}" for name in zones]
            tests = [holds(f"session.{name}", 1.0) for name in names]
    return tests[0] if len(tests) == 1 else Call("or", tuple(tests))


def _filters(given: Filter) -> list[Node]:
    groups = (("kill_zone", given.kill_zones), ("session", given.sessions), ("weekday", given.weekdays))
    return [When(what, names) for what, names in groups if names]
