"""What must hold of a spec beyond its grammar: names, types, sides; with instruments and costs, the rest."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from aister.core.instrument import Instrument
from aister.features.timeframes import INTERVAL_MS, interval_name
from aister.strategy.spec.grammar import CONDITION, MOST_LEVELS, NUMBER, OPERATORS
from aister.strategy.spec.refusal import Finding, SpecRefused
from aister.strategy.spec.sides import wrong_sides
from aister.strategy.spec.tree import Call, Feature, Node, Side, Spec, Use, When, children, walk
from aister.strategy.strategy import COST_MULTIPLE

__all__ = ["check", "everything", "findings_of", "roots", "unfit"]


def findings_of(spec: Spec) -> list[Finding]:
    """Everything wrong with the tree by itself."""
    named = dict(spec.definitions)
    found = _unknown_names(spec, named)
    found += _circles(named)
    found = found or _too_deep(spec, named)
    if found:
        return found
    placed = [(f"/let/{name}", node, _gives(node, named)) for name, node in named.items()] + roots(spec)
    found = [finding for path, node, kind in placed for finding in _mistyped(node, path, kind, named)]
    return found or wrong_sides(spec)


def unfit(
    spec: Spec,
    instruments: Mapping[str, Instrument] | None = None,
    *,
    base_interval_ms: int = 0,
    costs_e8: Mapping[str, int] | None = None,
) -> list[Finding]:
    """What keeps a sound spec from being traded here: symbols that are not offered or have no brackets, timeframes the
    bars cannot carry, stops nearer than three round-trip costs (fractions in 1e-8, by symbol)."""
    found = list(_untradable(spec, instruments)) if instruments is not None else []
    if base_interval_ms:
        found += _too_short(spec, base_interval_ms)
    for symbol, cost_e8 in (costs_e8 or {}).items():
        if not spec.symbols or symbol in spec.symbols:
            found += _too_near(spec, symbol, cost_e8)
    return found


def check(
    spec: Spec,
    instruments: Mapping[str, Instrument] | None = None,
    *,
    base_interval_ms: int = 0,
    costs_e8: Mapping[str, int] | None = None,
) -> Spec:
    """The spec, if it is fit; else raises `SpecRefused` with every finding of `unfit`."""
    found = unfit(spec, instruments, base_interval_ms=base_interval_ms, costs_e8=costs_e8)
    if found:
        raise SpecRefused(f"Strategy {spec.name}", found)
    return spec


def roots(spec: Spec) -> list[tuple[str, Node, str]]:
    """(path, node, number or condition) of every expression of the sides as they were written."""
    found: list[tuple[str, Node, str]] = []
    for _, word, side in spec.sides:
        found += [] if word == "short" and spec.mirrored else _roots_of(side, f"/{word}")
    return found


def _roots_of(side: Side, path: str) -> list[tuple[str, Node, str]]:
    found: list[tuple[str, Node, str]] = [(f"{path}/entry", side.entry, CONDITION)]
    if side.exit is not None:
        found.append((f"{path}/exit", side.exit, CONDITION))
    if side.order.limit is not None:
        found.append((f"{path}/order/limit", side.order.limit, NUMBER))
    found.append((f"{path}/stop/{side.stop.form}", side.stop.value, NUMBER))
    found += [(f"{path}/targets/{i}/{target.form}", target.value, NUMBER) for i, target in enumerate(side.targets)]
    if side.add is not None:
        found.append((f"{path}/add/when", side.add.when, CONDITION))
        if side.add.stop is not None:
            found.append((f"{path}/add/stop/{side.add.stop.form}", side.add.stop.value, NUMBER))
    return found


# ---- names ----------------------------------------------------------------------------------------------------------


def everything(spec: Spec) -> Iterable[tuple[str, Node]]:
    """Every node with its path: `let` first."""
    for name, node in spec.definitions:
        yield from walk(node, f"/let/{name}")
    for path, node, _ in roots(spec):
        yield from walk(node, path)


def _unknown_names(spec: Spec, named: dict[str, Node]) -> list[Finding]:
    known = f"; it has {', '.join(named)}" if named else ""
    return [
        Finding(f"{path}/use", f"`let` has no {node.name!r}{known}")
        for path, node in everything(spec)
        if isinstance(node, Use) and node.name not in named
    ]


def _circles(named: dict[str, Node]) -> list[Finding]:
    """Definitions that rest on themselves, one finding per circle, at the reference that closes it."""
    found: list[Finding] = []
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        for path, node in walk(named[name], f"/let/{name}"):
            if not isinstance(node, Use) or node.name not in named:
                continue
            if node.name in way:
                circle = " > ".join((*way[way.index(node.name) :], node.name))
                found.append(Finding(f"{path}/use", f"cyclic reference: {circle}; a name cannot rest on itself"))
            elif node.name not in done:
                follow(node.name, (*way, node.name))
        done.add(name)

    for name in named:
        if name not in done:
            follow(name, (name,))
    return found


def _too_deep(spec: Spec, named: dict[str, Node]) -> list[Finding]:
    """Sides that rest on longer chains of names and operators than anyone could follow."""
    levels: dict[str, int] = {}

    def level(node: Node) -> int:
        if isinstance(node, Use):
            if node.name not in levels:
                levels[node.name] = level(named[node.name])
            return 1 + levels[node.name]
        levels_below = [level(part) for _, part in children(node)]
        return max(1, len(levels_below) - 1) + max(levels_below, default=0)  # many parts are joined one by one

    for name in _inside_out(named):
        levels[name] = level(named[name])
    reason = f"rests on more than {MOST_LEVELS} levels of names and operators; make it shorter"
    return [Finding(path, reason) for path, node, _ in roots(spec) if level(node) > MOST_LEVELS]


def _inside_out(named: dict[str, Node]) -> list[str]:
    """The names in an order in which each comes after those it rests on."""
    needs = {name: {n.name for _, n in walk(node, "") if isinstance(n, Use)} for name, node in named.items()}
    return list(TopologicalSorter(needs).static_order())


# ---- numbers and conditions -----------------------------------------------------------------------------------------


def _gives(node: Node, named: dict[str, Node]) -> str:
    while isinstance(node, Use):
        node = named[node.name]
    if isinstance(node, Call):
        return OPERATORS[node.operator].gives
    return CONDITION if isinstance(node, When) else NUMBER


def _mistyped(node: Node, path: str, wanted: str, named: dict[str, Node]) -> Iterable[Finding]:
    """Where a condition stands in the place of a number, or the other way round."""
    actual = _gives(node, named)
    if actual != wanted:
        yield Finding(path, f"is a {actual} where a {wanted} is needed")
        return
    takes = OPERATORS[node.operator].takes if isinstance(node, Call) else NUMBER
    for place, part in children(node):
        yield from _mistyped(part, path + place, takes, named)


# ---- instruments, data, costs ---------------------------------------------------------------------------------------


def _untradable(spec: Spec, instruments: Mapping[str, Instrument]) -> Iterable[Finding]:
    for index, symbol in enumerate(spec.symbols):
        instrument = instruments.get(symbol)
        if instrument is None:
            yield Finding(f"/symbols/{index}", f"{symbol} is not offered here; choose of {', '.join(instruments)}")
        elif not instrument.brackets:
            yield Finding(f"/symbols/{index}", f"{symbol} has no maintenance brackets; add them to its instrument")
    if not spec.symbols:
        for symbol, instrument in instruments.items():
            if not instrument.brackets:
                yield Finding("/symbols", f"any symbol is meant, but {symbol} has no maintenance brackets")


def _too_short(spec: Spec, base_interval_ms: int) -> list[Finding]:
    base = interval_name(base_interval_ms)
    reason = f"is below the bars that are fed, {base}; feed smaller bars"
    found = [Finding("/timeframe", f"{spec.timeframe} {reason}")] if spec.interval_ms < base_interval_ms else []
    return found + [
        Finding(f"{path}/timeframe", f"{node.timeframe} {reason}")
        for path, node in everything(spec)
        if isinstance(node, Feature) and node.timeframe and INTERVAL_MS[node.timeframe] < base_interval_ms
    ]


def _too_near(spec: Spec, symbol: str, cost_e8: int) -> Iterable[Finding]:
    least = COST_MULTIPLE * cost_e8 / 1e6
    for _, word, side in spec.sides:
        if word == "short" and spec.mirrored:
            continue
        value = getattr(side.stop.value, "value", None)
        if side.stop.form == "percent" and value is not None and value < least:
            yield Finding(
                f"/{word}/stop/percent",
                f"{value:g} is nearer than 3 round-trip costs of {symbol} ({least:.3g} %); give at least that",
            )
