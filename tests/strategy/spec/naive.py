"""The meaning of a spec's document, read off the docs page: recursion, three truth values, no compilation."""

from math import isfinite
from typing import Any

from aister.features.featureset import FeatureSet
from aister.features.indicators import KINDS, STANDARD, indicator, name_of
from aister.strategy.spec.grammar import WEEKDAYS

_STANDARD_NAMES = {canonical: name for name, canonical in STANDARD.items()}


class Naive:
    """Truths and numbers of one document. `closes`: the decision closes so far without a gap, the newest last."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.closes: list[FeatureSet] = []

    def take(self, features: FeatureSet, interval_ms: int) -> None:
        if self.closes and features.time_ms - self.closes[-1].time_ms != interval_ms:
            self.closes = []
        self.closes.append(features)

    def fires(self, side: dict[str, Any]) -> bool:
        allowed = self.document.get("filter", {})
        for group, what in (("kill_zones", "kill_zone"), ("sessions", "session"), ("weekdays", "weekday")):
            if group in allowed and self.truth({what: allowed[group]}) is not True:
                return False
        return self.truth(side["entry"]) is True

    def number(self, node: Any, ago: int = 0) -> float | None:
        if isinstance(node, int | float):
            return float(node)
        if "feature" in node:
            return None if ago >= len(self.closes) else self.closes[-1 - ago].get(self._id(node))
        if "of" in node:
            return self.number(node["of"], ago + node["ago"])
        if "use" in node:
            return self.number(self.document["let"][node["use"]], ago)
        ((operator, inside),) = node.items()
        parts = [self.number(part, ago) for part in (inside if isinstance(inside, list) else [inside])]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts) or (operator == "/" and known[1] == 0.0):
            return None
        result = known[0]
        for part in known[1:]:
            result = {
                "+": lambda a, b: a + b,
                "-": lambda a, b: a - b,
                "*": lambda a, b: a * b,
                "/": lambda a, b: a / b,
                "min": min,
                "max": max,
            }[operator](result, part)
        if operator in ("abs", "neg"):
            result = abs(result) if operator == "abs" else -result
        return result if isfinite(result) else None

    def truth(self, node: dict[str, Any]) -> bool | None:
        """True, False, or None where it is unknown (Kleene)."""
        ((operator, inside),) = node.items()
        if operator == "use":
            return self.truth(self.document["let"][inside])
        if operator in ("kill_zone", "session", "weekday", "silver_bullet"):
            return self._time(operator, [inside] if isinstance(inside, str) else inside)
        if operator == "not":
            told = self.truth(inside)
            return None if told is None else not told
        if operator in ("and", "or"):
            parts = [self.truth(part) for part in inside]
            decisive = operator == "or"
            return decisive if decisive in parts else None if None in parts else not decisive
        if operator == "between":
            return self.truth({"and": [{">=": inside[:2]}, {"<=": [inside[0], inside[2]]}]})
        if operator.startswith("crosses"):
            before, now = ("<=", ">") if operator == "crosses_above" else (">=", "<")
            past = [{"of": part, "ago": 1} for part in inside]
            return self.truth({"and": [{before: past}, {now: inside}]})
        one, other = (self.number(part) for part in inside)
        if one is None or other is None:
            return None
        return {">": one > other, ">=": one >= other, "<": one < other, "<=": one <= other, "==": one == other}[
            operator
        ]

    def _time(self, what: str, names: Any) -> bool:
        now = self.closes[-1]
        if what == "silver_bullet":
            return now.get("session.silver_bullet") == 1.0
        if what == "weekday":
            return any(now.get("session.weekday") == WEEKDAYS.index(name) for name in names)
        if what == "session":
            return any(now.get(f"session.{name}_is_open") == 1.0 for name in names)
        ids = ["session.kill_zone" + ("" if name == "any" else f"_{name}") for name in names]
        return any(now.get(id) == 1.0 for id in ids)

    def _id(self, node: dict[str, Any]) -> str:
        name = node["feature"]
        if "." in name:
            return str(name)
        given = [node[parameter.name] for parameter in KINDS[name].parameters if parameter.name in node]
        canonical = name_of(name, *given) if given or name not in STANDARD else indicator(name).name
        return f"{node.get('timeframe', self.document['timeframe'])}.{_STANDARD_NAMES.get(canonical, canonical)}"
