"""The JSON Schema of a spec (draft 2020-12), made from the same tables as the reader.

It tells shapes, names and ranges. Cyclic names, sides, shares and what depends on instruments are the reader's to
check: what the schema refuses, the reader refuses too.
"""

from typing import Any

from aister.features.timeframes import NAMES
from aister.strategy.spec.grammar import (
    BOUNDS,
    CONDITION,
    KILL_ZONE_NAMES,
    MOST_TARGETS,
    NUMBER,
    OPERATORS,
    SESSION_NAMES,
    VERSION,
    WEEKDAYS,
    WHEN,
    Bound,
)
from aister.strategy.spec.vocabulary import FEATURES, Kind

__all__ = ["spec_schema"]

_NAME = "^[a-z][a-z0-9_]{0,39}$"
_USE = {"$ref": "#/$defs/use"}


def spec_schema() -> dict[str, Any]:
    """The schema as plain values."""
    side, number, condition = (_ref(name) for name in ("side", NUMBER, CONDITION))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AISTER strategy spec",
        "description": "A strategy as a rule tree, decided at the closes of one timeframe.",
        **_object(
            {
                "version": {"const": VERSION},
                "name": {"type": "string", "pattern": _NAME},
                "description": {"type": "string", "maxLength": 2_000},
                "symbols": {
                    "type": "array",
                    "items": {"type": "string", "pattern": "^[A-Z0-9]{2,20}$"},
                    "minItems": 1,
                    "maxItems": 200,
                    "uniqueItems": True,
                },
                "timeframe": {"enum": list(NAMES)},
                "let": {
                    "type": "object",
                    "propertyNames": {"pattern": _NAME},
                    "additionalProperties": {"anyOf": [number, condition]},
                    "maxProperties": 200,
                },
                "filter": _object(
                    {
                        "kill_zones": _names(KILL_ZONE_NAMES),
                        "sessions": _names(SESSION_NAMES),
                        "weekdays": _names(WEEKDAYS),
                    }
                ),
                "long": side,
                "short": {"anyOf": [{"const": "mirror"}, side]},
                "management": _object(
                    {key: _constant(BOUNDS[key]) for key in ("break_even_after", "trail")}, "break_even_after"
                ),
                "horizon": {
                    "oneOf": [_object({key: _constant(BOUNDS[key])}, key) for key in ("bars", "minutes")],
                },
                "sizing": _object({key: _constant(BOUNDS[key]) for key in ("risk", "notional", "leverage")}),
                "scale_in": _object(
                    {
                        "times": _constant(BOUNDS["times"]),
                        "share": _constant(BOUNDS["share"]),
                        "first": _constant(BOUNDS["share"]),
                        "beyond_risk": {"type": "boolean"},
                    },
                    *("times", "share"),
                ),
            },
            *("version", "name", "timeframe", "horizon"),
        ),
        "anyOf": [{"required": ["long"]}, {"required": ["short"]}],
        "$defs": {
            "use": _object({"use": {"type": "string", "pattern": _NAME}}, "use"),
            "feature": {"oneOf": [_feature(kind) for kind in FEATURES.values()]},
            NUMBER: {"anyOf": [_plain(BOUNDS["constant"]), _USE, _ref("feature"), _ago(), *_operators(NUMBER)]},
            CONDITION: {"anyOf": [_USE, *_operators(CONDITION), *_times()]},
            "side": _side(number, condition),
        },
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | {"required": list(required)} if required else found


def _plain(bound: Bound) -> dict[str, Any]:
    least = "exclusiveMinimum" if bound.above else "minimum"
    return {"type": "integer" if bound.whole else "number", least: bound.least, "maximum": bound.most}


def _constant(bound: Bound) -> dict[str, Any]:
    return {"anyOf": [_plain(bound), _USE]}


def _names(known: tuple[str, ...]) -> dict[str, Any]:
    one = {"enum": list(known)}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}]}


def _feature(kind: Kind) -> dict[str, Any]:
    properties: dict[str, Any] = {"feature": {"const": kind.name}}
    if kind.of_bars:
        properties["timeframe"] = {"enum": list(NAMES)}
    properties |= {given.name: _constant(given.bound) for given in kind.parameters}
    needed = [given.name for given in kind.parameters if given.standard is None]
    return _object(properties, "feature", *needed)


def _ago() -> dict[str, Any]:
    return _object({"of": _ref(NUMBER), "ago": _constant(BOUNDS["ago"])}, "of", "ago")


def _operators(gives: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, operator in OPERATORS.items():
        part = _ref(operator.takes)
        several = {"type": "array", "items": part, "minItems": operator.least, "maxItems": operator.most}
        if operator.gives == gives:
            inside = part if operator.most == 1 else several
            found.append({"description": operator.meaning, **_object({name: inside}, name)})
    return found


def _times() -> list[dict[str, Any]]:
    tests = [_object({what: _names(known)}, what) for what, known in WHEN.items()]
    return [*tests, _object({"silver_bullet": {"const": True}}, "silver_bullet")]


def _side(number: dict[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
    share = {"share": _constant(BOUNDS["share"])}
    stops = {"price": number, "distance": number, "percent": _constant(BOUNDS["percent"])}
    stop = {"oneOf": [_object({form: value}, form) for form, value in stops.items()]}
    targets = {"r": _constant(BOUNDS["r"]), "price": number, "distance": number}
    return _object(
        {
            "entry": condition,
            "exit": condition,
            "order": {
                "anyOf": [
                    {"const": "market"},
                    _object({"limit": number, "life": _constant(BOUNDS["life"])}, "limit", "life"),
                ]
            },
            "stop": stop,
            "add": _object({"when": condition, "stop": stop}, "when"),
            "targets": {
                "type": "array",
                "items": {"oneOf": [_object({form: value, **share}, form) for form, value in targets.items()]},
                "minItems": 1,
                "maxItems": MOST_TARGETS,
            },
        },
        *("entry", "stop", "targets"),
    )
