"""Stops and targets on the wrong side of the entry, where that can be told without a market.

An expression is written as a sum of terms, each a factor times something; prices of one bar are written from its close
(high = close + something not negative). A stop above a long's entry is refused when every term of stop - entry is known
not to be negative: `close + 2 atr`, `high`, `close x 1.01`. What cannot be told here is looked at when the setup fires.
"""

from msgspec.structs import replace

from aister.strategy.spec.refusal import Finding
from aister.strategy.spec.tree import Call, Feature, Node, Number, Order, Side, Spec, Use
from aister.strategy.spec.vocabulary import FEATURES, feature_id

__all__ = ["wrong_sides"]

_ABOVE_CLOSE, _BELOW_CLOSE = ("high", "highest"), ("low", "lowest")
_ONE = ""

Terms = dict[tuple[str, bool], float]
"""Factor by (what, whether it is never negative); `_ONE` is the number 1."""


def wrong_sides(spec: Spec) -> list[Finding]:
    """Every stop that is at or beyond the entry whatever the market does, and every target at or before it."""
    named = dict(spec.definitions)
    found: list[Finding] = []
    for sign, word, side in spec.sides:
        if word == "short" and spec.mirrored:
            continue
        judge = _Judge(spec, named, sign)
        away = ("above", "below")[sign < 0]
        if judge.not_ahead(side.stop.form, side.stop.value, side, -sign):
            found.append(
                Finding(
                    f"/{word}/stop/{side.stop.form}",
                    f"stop on the wrong side: for a {word} it is never {_other(away)} the entry",
                )
            )
        added = side.add.stop if side.add is not None else None
        if added is not None and judge.not_ahead(added.form, added.value, replace(side, order=Order()), -sign):
            place = f"/{word}/add/stop/{added.form}"
            found.append(Finding(place, f"stop on the wrong side: for a {word} it is never {_other(away)} the close"))
        for index, target in enumerate(side.targets):
            if judge.not_ahead(target.form, target.value, side, sign):
                place = f"/{word}/targets/{index}/{target.form}"
                found.append(Finding(place, f"target on the wrong side: for a {word} it is never {away} the entry"))
        found += _falling(side, word)
    return found


def _falling(side: Side, word: str) -> list[Finding]:
    """Targets in R that are not farther than the one before."""
    found: list[Finding] = []
    last = 0.0
    for index, target in enumerate(side.targets):
        if target.form == "r" and isinstance(target.value, Number):
            if target.value.value <= last:
                found.append(Finding(f"/{word}/targets/{index}/r", "is not farther than the target before it"))
            last = target.value.value
    return found


def _other(way: str) -> str:
    return "below" if way == "above" else "above"


class _Judge:
    """Tells signs of expressions of one side."""

    def __init__(self, spec: Spec, named: dict[str, Node], sign: int) -> None:
        self._timeframe, self._named, self._sign = spec.timeframe, named, sign
        self._sums: dict[str, Terms] = {}
        self._bounds: dict[tuple[str, int], bool] = {}

    def not_ahead(self, form: str, value: Node, side: Side, way: int) -> bool:
        """Whether it can never lie on the side `way` of the entry. A distance is counted towards its own side."""
        if form in ("r", "percent"):
            return False
        if form == "distance":
            self._bounds.clear()
            return self._never_negative(value, {}, -1)
        entry = self._terms(side.order.limit or Feature("close", self._timeframe))
        self._bounds.clear()  # known of one entry only
        return self._never_negative(value, entry, -way)

    def _never_negative(self, node: Node, less: Terms, way: int) -> bool:
        """Whether way x (node - less) >= 0 always."""
        if isinstance(node, Use):
            known = (node.name, way)
            if known not in self._bounds:
                self._bounds[known] = self._never_negative(self._named[node.name], less, way)
            return self._bounds[known]
        if isinstance(node, Call) and node.operator in ("min", "max"):
            enough = any if (node.operator == "max") == (way > 0) else all
            return enough(self._never_negative(part, less, way) for part in node.parts)
        terms = _joined(self._terms(node), less, -1.0)
        return all(factor * way >= 0 if positive else factor == 0 for (_, positive), factor in terms.items())

    def _terms(self, node: Node) -> Terms:
        if isinstance(node, Use):
            if node.name not in self._sums:
                self._sums[node.name] = self._terms(self._named[node.name])
            return self._sums[node.name]
        match node:
            case Number(value):
                return {(_ONE, True): value}
            case Feature(name, timeframe):
                return self._feature(node, name, timeframe)
            case Call("+", parts):
                terms: Terms = {}
                for part in parts:
                    terms = _joined(terms, self._terms(part), 1.0)
                return terms
            case Call("-", (one, other)):
                return _joined(self._terms(one), self._terms(other), -1.0)
            case Call("neg", (part,)):
                return _joined({}, self._terms(part), -1.0)
            case Call("*" | "/" as operator, parts):
                return self._product(operator, parts, node)
        return {(repr(node), isinstance(node, Call) and node.operator == "abs"): 1.0}

    def _feature(self, node: Feature, name: str, timeframe: str) -> Terms:
        id, kind = feature_id(node), FEATURES[name]
        if timeframe == self._timeframe and name in (*_ABOVE_CLOSE, *_BELOW_CLOSE):
            close = feature_id(Feature("close", timeframe))
            return {(close, True): 1.0, (f"{id} from close", True): 1.0 if name in _ABOVE_CLOSE else -1.0}
        return {(id, kind.positive): 1.0}

    def _product(self, operator: str, parts: tuple[Node, ...], node: Node) -> Terms:
        factors = [self._terms(part) for part in parts]
        fixed = [terms.get((_ONE, True)) if set(terms) <= {(_ONE, True)} else None for terms in factors]
        moving = [terms for terms, value in zip(factors, fixed, strict=True) if value is None]
        if len(moving) > 1 or (operator == "/" and fixed[1] in (None, 0.0)):
            positive = all(all(p and f >= 0 for (_, p), f in terms.items()) for terms in factors)
            return {(repr(node), positive): 1.0}
        scale = 1.0
        for index, value in enumerate(fixed):
            if value is not None:
                scale = scale / value if operator == "/" and index else scale * value
        return _joined({}, moving[0] if moving else {(_ONE, True): 1.0}, scale)


def _joined(one: Terms, other: Terms, factor: float) -> Terms:
    """one + factor x other; terms that cancel out are gone."""
    terms = dict(one)
    for what, value in other.items():
        terms[what] = terms.get(what, 0.0) + factor * value
    return {what: value for what, value in terms.items() if value != 0.0}
