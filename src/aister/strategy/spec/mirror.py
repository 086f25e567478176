"""The short side of a long one: the same rules in the market turned upside down.

Turning p into -p makes each feature another or itself: `close` becomes -close, `high` -low, `rsi` 100 - rsi, `atr`
stays. Putting those into every expression of the long side gives the short one, prices turned back at the end;
comparisons stay as they are. That is right only for what moves with the price one for one (a price) or not at all (a
distance, an oscillator). `close x 0.99` moves by 0.99: it has no mirror, and neither has a feature without one.
"""

from aister.strategy.spec.grammar import NUMBER, OPERATORS
from aister.strategy.spec.refusal import Finding
from aister.strategy.spec.tree import (
    Add,
    Ago,
    Call,
    Feature,
    Node,
    Number,
    Order,
    Side,
    Stop,
    Target,
    Use,
    When,
    children,
    walk,
)
from aister.strategy.spec.vocabulary import mirror_of, moves_with_price

__all__ = ["MIRRORED", "mirrored_definitions", "mirrored_side", "without_mirror"]

MIRRORED = "~mirrored"
"""What the mirror of a name of `let` is called after; no spec can write it."""


class _NoMirror(Exception):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.finding = Finding(path, reason)


def mirrored_definitions(side: Side, definitions: dict[str, Node]) -> tuple[tuple[str, Node], ...]:
    """Every definition that the side rests on again, upside down, under a name of its own."""
    needed: list[str] = []
    waiting = [node for _, node, _ in _needs(side, "")]
    while waiting:
        for _, node in walk(waiting.pop(), ""):
            if isinstance(node, Use) and node.name not in needed:
                needed.append(node.name)
                waiting.append(definitions[node.name])
    return tuple((name + MIRRORED, _turned(definitions[name])) for name in needed)


def mirrored_side(side: Side) -> Side:
    """The short side."""
    limit = side.order.limit
    return Side(
        entry=_turned(side.entry),
        stop=_stop(side.stop),
        targets=tuple(
            Target(t.form, _price(t.value) if t.form == "price" else _turned(t.value), t.share_e4) for t in side.targets
        ),
        exit=None if side.exit is None else _turned(side.exit),
        order=side.order if limit is None else Order(_price(limit), side.order.life_bars),
        add=None if side.add is None else Add(_turned(side.add.when), side.add.stop and _stop(side.add.stop)),
    )


def _stop(stop: Stop) -> Stop:
    return Stop(stop.form, _price(stop.value) if stop.form == "price" else _turned(stop.value))


def without_mirror(side: Side, definitions: dict[str, Node], path: str) -> list[Finding]:
    """Every part of a long side that has no mirror, with the reason."""
    found: list[Finding] = []
    known: dict[str, float] = {}
    for place, node, degree in _needs(side, path):
        try:
            actual = _degree(node, place, definitions, known)
            if degree is not None and actual != degree:
                raise _NoMirror(place, _moves(actual, degree))
        except _NoMirror as refused:
            found.append(refused.finding)
    return found


def _needs(side: Side, path: str) -> list[tuple[str, Node, float | None]]:
    """(path, node, by how much of a price move it must move; None for a condition)."""
    needs: list[tuple[str, Node, float | None]] = [(f"{path}/entry", side.entry, None)]
    if side.exit is not None:
        needs.append((f"{path}/exit", side.exit, None))
    if side.order.limit is not None:
        needs.append((f"{path}/order/limit", side.order.limit, 1.0))
    parts = [(f"{path}/stop", side.stop.form, side.stop.value)]
    parts += [(f"{path}/targets/{index}", t.form, t.value) for index, t in enumerate(side.targets)]
    if side.add is not None:
        needs.append((f"{path}/add/when", side.add.when, None))
        if side.add.stop is not None:
            parts.append((f"{path}/add/stop", side.add.stop.form, side.add.stop.value))
    return [*needs, *((f"{at}/{form}", value, 1.0 if form == "price" else 0.0) for at, form, value in parts)]


def _degree(node: Node, path: str, named: dict[str, Node], known: dict[str, float]) -> float:
    """By how much a number moves when every price moves by one; 0 for a condition, whose sides must move alike.
    `known`: of names that have been looked at."""
    match node:
        case Number() | When():
            return 0.0
        case Use(name):
            if name not in known:
                known[name] = _degree(named[name], f"/let/{name}", named, known)
            return known[name]
        case Feature(name):
            if mirror_of(name) is None:
                raise _NoMirror(f"{path}/feature", f"{name} has no mirror; write the short side out")
            return moves_with_price(name)
        case Ago(of):
            return _degree(of, f"{path}/of", named, known)
        case Call(operator, parts):
            degrees = [_degree(part, path + place, named, known) for place, part in children(node)]
            return _combined(operator, degrees, parts, path, named)
    raise AssertionError(node)


def _combined(operator: str, degrees: list[float], parts: tuple[Node, ...], path: str, named: dict[str, Node]) -> float:
    if operator == "+":
        return sum(degrees)
    if operator == "-":
        return degrees[0] - degrees[1]
    if operator == "neg":
        return -degrees[0]
    if operator in ("*", "/") and any(degrees):
        factors = [_constant(part, named) for part in parts]
        moving = [index for index, degree in enumerate(degrees) if degree]
        others = [factor for index, factor in enumerate(factors) if index != moving[0]]
        if len(moving) > 1 or None in others or (operator == "/" and moving[0] == 1):
            raise _NoMirror(path, "a price times or over something that varies has no mirror; write the short side out")
        product = degrees[moving[0]]
        for factor in others:
            product = product / (factor or 1.0) if operator == "/" else product * (factor or 0.0)
        return product
    if operator == "abs" and degrees[0]:
        raise _NoMirror(path, "the amount of a price has no mirror; write the short side out")
    if len(set(degrees)) > 1 and OPERATORS[operator].takes == NUMBER and operator not in ("*", "/"):
        told = " and ".join(f"{degree:g}" for degree in sorted(set(degrees)))
        raise _NoMirror(
            path, f"compares what moves with the price by {told}: it has no mirror; write the short side out"
        )
    return degrees[0] if OPERATORS[operator].gives == NUMBER else 0.0


def _constant(node: Node, named: dict[str, Node]) -> float | None:
    while isinstance(node, Use):
        node = named[node.name]
    return node.value if isinstance(node, Number) else None


def _moves(actual: float, degree: float) -> str:
    what = "a price moves with the market one for one" if degree else "a distance does not move with the price"
    return f"moves by {actual:g} when the price moves by 1, but {what}: it has no mirror; write the short side out"


def _price(node: Node) -> Node:
    return Call("neg", (_turned(node),))


def _turned(node: Node) -> Node:
    match node:
        case Use(name):
            return Use(name + MIRRORED)
        case Feature(name, timeframe, parameters):
            mirror = mirror_of(name)
            assert mirror is not None
            partner = Feature(mirror.partner, timeframe, parameters)
            if mirror.fold is None:
                return partner
            return Call("neg", (partner,)) if mirror.fold == 0.0 else Call("-", (Number(mirror.fold), partner))
        case Ago(of, bars):
            return Ago(_turned(of), bars)
        case Call(operator, parts):
            return Call(operator, tuple(_turned(part) for part in parts))
    return node
