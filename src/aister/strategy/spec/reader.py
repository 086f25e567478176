"""From plain values to the rule tree: shapes, names, types and ranges. Every fault is noted with its place, and reading
goes on, so that one pass tells all."""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Any, TypeVar

from aister.features.timeframes import INTERVAL_MS
from aister.strategy.spec.grammar import BOUNDS, MOST_TARGETS, OPERATORS, WHEN, Bound
from aister.strategy.spec.parsing import Doubled, pointer
from aister.strategy.spec.refusal import Finding
from aister.strategy.spec.tree import Add, Ago, Call, Feature, Node, Number, Order, Side, Stop, Target, Use, When
from aister.strategy.spec.vocabulary import Kind, kind_of, unknown

__all__ = ["Reader"]

T = TypeVar("T")
E4 = 10_000


class Reader:
    """Reads the parts of one spec. `findings` grows; what could not be read is None."""

    def __init__(self, timeframe: str, constants: dict[str, Any]) -> None:
        self.findings: list[Finding] = []
        self.timeframe = timeframe
        self._constants = constants  # `let` as it stands: names of numbers may stand where only numbers can

    def refuse(self, path: str, reason: str) -> None:
        self.findings.append(Finding(path, reason))

    # ---- shapes -----------------------------------------------------------------------------------------------------

    def fields(
        self, value: Any, path: str, needed: Sequence[str], optional: Sequence[str] = ()
    ) -> dict[str, Any] | None:
        """The object, if it is one with these names and no others."""
        if not isinstance(value, dict):
            self.refuse(path, f"{_is(value)}; give an object with {', '.join(needed or optional)}")
            return None
        self._twice(value, path)
        known = (*needed, *optional)
        for key in value:
            if key not in known:
                self.refuse(f"{path}/{pointer(key)}", f"unknown key; {_choose(known)}")
        missing = [key for key in needed if key not in value]
        for key in missing:
            self.refuse(path, f"lacks {key!r}")
        return None if missing else value

    def many(self, value: Any, path: str, read: Callable[[Any, str], T | None], least: int, most: int) -> tuple[T, ...]:
        """A list of `least` to `most` things."""
        if not isinstance(value, list | tuple):
            self.refuse(path, f"{_is(value)}; give a list")
            return ()
        if not least <= len(value) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            self.refuse(path, f"has {len(value)} parts; give {count}")
            return ()
        found = [read(part, f"{path}/{index}") for index, part in enumerate(value)]
        return tuple(one for one in found if one is not None) if None not in found else ()

    def number(self, value: Any, path: str, what: str, bound: Bound | None = None) -> float | None:
        """A number within its bound (by default that of `what`), given as such or as {"use": a number of `let`}."""
        if isinstance(value, dict) and set(value) == {"use"}:
            named = self._constants.get(value["use"]) if isinstance(value["use"], str) else None
            if not _is_number(named):
                self.refuse(
                    f"{path}/use", f"{value['use']!r} is no number of `let`; here only a plain number can stand"
                )
                return None
            value = named
        if not _is_number(value):
            self.refuse(path, f"{_is(value)}; give a number")
            return None
        if not isfinite(value) if isinstance(value, float) else abs(value) > 10**15:
            self.refuse(path, f"{_spelled(value)} is not a usable number; give a finite one")
            return None
        reason = (bound or BOUNDS[what]).refusal(float(value))
        if reason:
            self.refuse(path, reason)
            return None
        return float(value)

    def names(self, value: Any, path: str, known: Sequence[str]) -> tuple[str, ...]:
        """One of these names or several, each once."""
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not given:
            self.refuse(path, f"{_is(value)}; {_choose(known)}")
            return ()
        for index, name in enumerate(given):
            place = path if isinstance(value, str) else f"{path}/{index}"
            if name not in known:
                self.refuse(place, f"there is no {name!r}; {_choose(known)}")
            elif name in given[:index]:
                self.refuse(place, f"{name!r} is named twice")
        return tuple(name for name in known if name in given)

    def _twice(self, value: dict[str, Any], path: str) -> None:
        for key in value.names if isinstance(value, Doubled) else ():
            self.refuse(f"{path}/{pointer(key)}", "given twice; keep one")

    # ---- nodes ------------------------------------------------------------------------------------------------------

    def node(self, value: Any, path: str) -> Node | None:
        """A number, feature, operator, test of time or name of `let`."""
        if _is_number(value):
            constant = self.number(value, path, "constant")
            return None if constant is None else Number(constant)
        if not isinstance(value, dict) or not value:
            self.refuse(path, f"{_is(value)}; give a number or an object such as {{'feature': 'close'}}")
            return None
        if "feature" in value:
            return self._feature(value, path)
        if "ago" in value or "of" in value:
            return self._ago(value, path)
        if len(value) > 1 or isinstance(value, Doubled):
            self.refuse(path, f"has {', '.join(value)} side by side; an object holds one operator")
            return None
        ((key, inside),) = value.items()
        if key == "use":
            if isinstance(inside, str):
                return Use(inside)
            self.refuse(f"{path}/use", f"{_is(inside)}; give a name of `let`")
            return None
        if key in WHEN:
            names = self.names(inside, f"{path}/{key}", WHEN[key])
            return When(key, names) if names else None
        if key == "silver_bullet":
            if inside is True:
                return When(key, ())
            self.refuse(f"{path}/{key}", f"{_is(inside)}; give true, or put it in 'not'")
            return None
        if key in OPERATORS:
            return self._call(key, inside, f"{path}/{pointer(key)}")
        words = (*OPERATORS, *WHEN, "silver_bullet", "feature", "ago", "use")
        self.refuse(f"{path}/{pointer(key)}", f"unknown operator; {_choose(words)}")
        return None

    def _call(self, key: str, inside: Any, path: str) -> Node | None:
        operator = OPERATORS[key]
        if operator.most == 1:
            part = self.node(inside, path)
            return None if part is None else Call(key, (part,))
        parts: tuple[Node, ...] = self.many(inside, path, self.node, operator.least, operator.most)
        return Call(key, parts) if parts else None

    def _ago(self, value: dict[str, Any], path: str) -> Node | None:
        given = self.fields(value, path, ("of", "ago"))
        if given is None:
            return None
        bars = given["ago"]
        if _is_number(bars) and bars < 0:
            self.refuse(f"{path}/ago", f"{bars:g} looks ahead: that close is not known yet; count back, from 0")
            return None
        count, of = self.number(bars, f"{path}/ago", "ago"), self.node(given["of"], f"{path}/of")
        return None if of is None or count is None else Ago(of, int(count))

    def _feature(self, value: dict[str, Any], path: str) -> Node | None:
        self._twice(value, path)
        name = value["feature"]
        kind = kind_of(name) if isinstance(name, str) else None
        if kind is None:
            self.refuse(f"{path}/feature", unknown(name) if isinstance(name, str) else f"{_is(name)}; name one")
            return None
        before = len(self.findings)
        allowed = tuple(given.name for given in kind.parameters)
        for key in value:
            if key not in ("feature", "timeframe", *allowed):
                has = f"it has {', '.join(allowed)}" if allowed else "it has none"
                self.refuse(f"{path}/{pointer(key)}", f"{name} has no such parameter; {has}")
        timeframe = self._timeframe(kind, value, path)
        parameters = self._parameters(kind, value, path)
        if len(self.findings) == before and (reason := kind.refusal(dict(parameters))):
            self.refuse(path, reason)
        sound = len(self.findings) == before and timeframe is not None
        return Feature(name, timeframe or "", parameters) if sound else None

    def _timeframe(self, kind: Kind, value: dict[str, Any], path: str) -> str | None:
        if not kind.of_bars:
            if "timeframe" in value:
                self.refuse(f"{path}/timeframe", f"{kind.name} belongs to no timeframe; leave it out")
            return ""
        timeframe = value.get("timeframe", self.timeframe)
        if isinstance(timeframe, str) and timeframe in INTERVAL_MS:
            return timeframe
        if "timeframe" in value:  # else the spec's own is wrong, which is said once
            self.refuse(f"{path}/timeframe", f"there is no timeframe {timeframe!r}; {_choose(INTERVAL_MS)}")
        return None

    def _parameters(self, kind: Kind, value: dict[str, Any], path: str) -> tuple[tuple[str, float], ...]:
        found: list[tuple[str, float]] = []
        for given in kind.parameters:
            if given.name not in value and given.standard is not None:
                found.append((given.name, given.standard))
            elif given.name not in value:
                self.refuse(path, f"lacks {given.name!r}: {kind.name} has no value without it")
            else:
                figure = self.number(value[given.name], f"{path}/{given.name}", "constant", given.bound)
                if figure is not None:
                    found.append((given.name, figure))
        return tuple(found)

    # ---- a side -----------------------------------------------------------------------------------------------------

    def side(self, value: Any, path: str) -> Side | None:
        given = self.fields(value, path, ("entry", "stop", "targets"), ("exit", "order", "add"))
        if given is None:
            return None
        entry = self.node(given["entry"], f"{path}/entry")
        leave = self.node(given["exit"], f"{path}/exit") if "exit" in given else None
        order = self._order(given.get("order", "market"), f"{path}/order")
        stop = self._stop(given["stop"], f"{path}/stop")
        targets = self.many(given["targets"], f"{path}/targets", self._target, 1, MOST_TARGETS)
        if targets and (total := sum(target.share_e4 for target in targets)) != E4:
            self.refuse(f"{path}/targets", f"the shares add up to {total / E4:g}; make them 1")
        add = self._add(given["add"], f"{path}/add") if "add" in given else None
        if entry is None or order is None or stop is None or not targets:
            return None
        return Side(entry, stop, targets, leave, order, add)

    def _add(self, value: Any, path: str) -> Add | None:
        given = self.fields(value, path, ("when",), ("stop",))
        if given is None:
            return None
        when = self.node(given["when"], f"{path}/when")
        stop = self._stop(given["stop"], f"{path}/stop") if "stop" in given else None
        return None if when is None else Add(when, stop)

    def _order(self, value: Any, path: str) -> Order | None:
        if value == "market":
            return Order()
        if not isinstance(value, dict):
            self.refuse(path, f"{_is(value)}; give 'market' or an object with limit, life")
            return None
        given = self.fields(value, path, ("limit", "life"))
        if given is None:
            return None
        limit, life = self.node(given["limit"], f"{path}/limit"), self.number(given["life"], f"{path}/life", "life")
        return None if limit is None or life is None else Order(limit, int(life))

    def _stop(self, value: Any, path: str) -> Stop | None:
        form = self._form(value, path, ("price", "distance", "percent"))
        if form is None:
            return None
        self.fields(value, path, (form,))
        inside = self._formed(form, value[form], f"{path}/{form}", "percent")
        return None if inside is None else Stop(form, inside)

    def _target(self, value: Any, path: str) -> Target | None:
        form = self._form(value, path, ("r", "price", "distance"))
        if form is None:
            return None
        given = self.fields(value, path, (form,), ("share",)) or {}
        inside = self._formed(form, value[form], f"{path}/{form}", "r")
        share_e4 = self.share(given.get("share", 1.0), f"{path}/share")
        return None if inside is None or share_e4 is None else Target(form, inside, share_e4)

    def share(self, value: Any, path: str) -> int | None:
        """A share, in 1e-4."""
        share = self.number(value, path, "share")
        if share is not None and abs(share * E4 - round(share * E4)) > 1e-9:
            self.refuse(path, f"{share:.15g} has more than four decimals; give whole 1/10000")
            return None
        return None if share is None else round(share * E4)

    def _form(self, value: Any, path: str, forms: Sequence[str]) -> str | None:
        if not isinstance(value, dict):
            self.refuse(path, f"{_is(value)}; give an object with one of {', '.join(forms)}")
            return None
        given = [form for form in forms if form in value]
        if len(given) != 1:
            self.refuse(path, f"gives {' and '.join(given) or 'none'} of {', '.join(forms)}; give one")
            return None
        return given[0]

    def _formed(self, form: str, value: Any, path: str, plain: str) -> Node | None:
        if form != plain:
            return self.node(value, path)
        constant = self.number(value, path, plain)
        return None if constant is None else Number(constant)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spelled(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:21]}..."


def _is(value: Any) -> str:
    """What was found where something else is needed, in JSON's own words."""
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "this is true or false"),
        ((int, float), "this is a number"),
        (str, "this is text"),
        ((list, tuple), "this is a list"),
        (dict, "this is an object"),
    )
    return next((word for kind, word in words if isinstance(value, kind)), "this is null")


def _choose(known: Iterable[str]) -> str:
    return f"choose one of {', '.join(known)}"
