"""A spec back as plain values, in one form whatever was written, and the hash of what it does."""

import hashlib
import json
from typing import Any

from aister.core.money import UNIT
from aister.strategy.spec.mirror import MIRRORED
from aister.strategy.spec.tree import Ago, Call, Feature, Node, Number, Side, Spec, Use, When

__all__ = ["canonical", "spec_hash"]

_MINUTE_MS = 60_000


def spec_hash(spec: Spec) -> str:
    """SHA-256, hex, of the canonical JSON without name and description: what is traded, not what it is called. Order of
    keys, white space, the form of a number (2, 2.0, 2e0) and parts left at their defaults make no difference; a
    renamed strategy is the same trial, one changed number is another."""
    decides = {key: value for key, value in canonical(spec).items() if key not in ("name", "description")}
    text = json.dumps(decides, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(spec: Spec) -> dict[str, Any]:
    """The spec as plain values that `read_spec` reads back as the same spec: every default written out, numbers that
    are whole as ints, times in minutes."""
    value: dict[str, Any] = {
        "version": spec.version,
        "name": spec.name,
        "description": spec.description,
        "timeframe": spec.timeframe,
        "let": {name: _plain(node) for name, node in spec.definitions if not name.endswith(MIRRORED)},
        "filter": _filter(spec),
        "horizon": {"minutes": spec.horizon_ms // _MINUTE_MS},
    }
    if spec.symbols:
        value["symbols"] = list(spec.symbols)
    if spec.long is not None:
        value["long"] = _side(spec.long)
    if spec.short is not None:
        value["short"] = "mirror" if spec.mirrored else _side(spec.short)
    if spec.management.break_even_after is not None:
        value["management"] = {
            "break_even_after": spec.management.break_even_after,
            "trail": _number(spec.management.trail_e4 / 10_000),
        }
    sizing = spec.sizing
    figures = (("risk", sizing.risk_e8 / UNIT), ("notional", sizing.notional_e8 / UNIT), ("leverage", sizing.leverage))
    if any(figure for _, figure in figures):
        value["sizing"] = {key: _number(figure) for key, figure in figures if figure}
    scale = spec.scale_in
    if scale.times:
        value["scale_in"] = {
            "times": scale.times,
            "share": _number(scale.share_e4 / 10_000),
            "first": _number(scale.first_e4 / 10_000),
            "beyond_risk": scale.beyond_risk,
        }
    return value


def _filter(spec: Spec) -> dict[str, list[str]]:
    given = spec.filter
    groups = (("kill_zones", given.kill_zones), ("sessions", given.sessions), ("weekdays", given.weekdays))
    return {key: list(names) for key, names in groups if names}


def _side(side: Side) -> dict[str, Any]:
    limit = side.order.limit
    value: dict[str, Any] = {
        "entry": _plain(side.entry),
        "order": "market" if limit is None else {"limit": _plain(limit), "life": side.order.life_bars},
        "stop": {side.stop.form: _plain(side.stop.value)},
        "targets": [{t.form: _plain(t.value), "share": _number(t.share_e4 / 10_000)} for t in side.targets],
    }
    if side.exit is not None:
        value["exit"] = _plain(side.exit)
    if side.add is not None:
        stop = side.add.stop
        stays = {} if stop is None else {"stop": {stop.form: _plain(stop.value)}}
        value["add"] = {"when": _plain(side.add.when)} | stays
    return value


def _plain(node: Node) -> Any:
    match node:
        case Number(value):
            return _number(value)
        case Use(name):
            return {"use": name}
        case Feature(name, timeframe, parameters):
            placed = {"feature": name, "timeframe": timeframe} if timeframe else {"feature": name}
            return placed | {key: _number(value) for key, value in parameters}
        case Ago(of, bars):
            return {"of": _plain(of), "ago": bars}
        case When(what, names):
            return {what: list(names) or True}
        case Call(operator, parts):
            plain = [_plain(part) for part in parts]
            return {operator: plain[0] if len(plain) == 1 else plain}
    raise AssertionError(node)


def _number(value: float) -> int | float:
    return int(value) if value == int(value) and abs(value) < 2**53 else value
