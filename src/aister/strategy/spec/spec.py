"""Reading a spec: text or plain values in, a checked `Spec` out, or every reason why not."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from aister.core.money import UNIT
from aister.features.timeframes import INTERVAL_MS
from aister.strategy.spec.checks import everything, findings_of
from aister.strategy.spec.grammar import KILL_ZONE_NAMES, MOST_NODES, SESSION_NAMES, VERSION, WEEKDAYS
from aister.strategy.spec.mirror import mirrored_definitions, mirrored_side, without_mirror
from aister.strategy.spec.parsing import parse, pointer, too_deep
from aister.strategy.spec.reader import Reader
from aister.strategy.spec.refusal import Finding, SpecRefused
from aister.strategy.spec.tree import Filter, Management, Node, ScaleIn, Side, Sizing, Spec

__all__ = ["read_spec"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")
_NEEDED = ("version", "name", "timeframe", "horizon")
_OPTIONAL = ("description", "symbols", "let", "filter", "long", "short", "management", "sizing", "scale_in")
_MINUTE_MS = 60_000
_SYMBOLS, _DEFINITIONS, _DESCRIPTION = 200, 200, 2_000


def read_spec(source: str | bytes | Mapping[str, Any], label: str = "The spec") -> Spec:
    """The strategy that a JSON text (or what it decodes to) describes; see docs/strategy-spec.md.

    Raises `SpecRefused` with a path and a reason for everything that is wrong with it by itself. What also depends on
    instruments, data or costs is `checks.unfit`'s.
    """
    value = parse(source, label) if isinstance(source, str | bytes) else source
    deep = too_deep(value)
    if deep is not None:
        raise SpecRefused(label, [deep])
    if not isinstance(value, dict):
        raise SpecRefused(label, [Finding("", "a spec is one JSON object")])
    spec, findings = _Whole(value).read()
    if spec is None or findings:
        raise SpecRefused(label, findings)
    return spec


class _Whole:
    """One spec being read."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value
        given = value.get("let")
        timeframe = value.get("timeframe")
        known = isinstance(timeframe, str) and timeframe in INTERVAL_MS
        self._timeframe = str(timeframe) if known else ""
        self._read = Reader(self._timeframe, given if isinstance(given, dict) else {})

    def read(self) -> tuple[Spec | None, list[Finding]]:
        read, value = self._read, self._value
        whole = read.fields(value, "", _NEEDED, _OPTIONAL) is not None
        if value.get("version") != VERSION and "version" in value:
            read.refuse("/version", f"this program reads version {VERSION} only")
        self._text("name", _NAME, "a name of small letters, digits and _, at most 40, a letter first")
        if not self._timeframe and "timeframe" in value:
            read.refuse("/timeframe", f"no such timeframe; choose one of {', '.join(INTERVAL_MS)}")
        description = value.get("description", "")
        if not isinstance(description, str) or len(description) > _DESCRIPTION:
            read.refuse("/description", f"give text of at most {_DESCRIPTION:,} characters")
        symbols = self._symbols()
        definitions = self._definitions()
        allowed = self._filter() if "filter" in value else Filter()
        long = read.side(value["long"], "/long") if "long" in value else None
        mirrored = value.get("short") == "mirror"
        short = read.side(value["short"], "/short") if "short" in value and not mirrored else None
        if whole and "long" not in value and (mirrored or "short" not in value):
            read.refuse("", "has no long side to mirror" if mirrored else "has neither a long nor a short side")
        management = self._management(long, short) if "management" in value else Management()
        horizon_ms = self._horizon() if "horizon" in value else 0
        sizing = self._sizing() if "sizing" in value else Sizing()
        scale_in = self._scale_in(long, short)
        if read.findings or not whole:
            return None, read.findings
        spec = Spec(
            version=VERSION,
            name=value["name"],
            description=description,
            timeframe=self._timeframe,
            symbols=symbols,
            definitions=definitions,
            filter=allowed,
            long=long,
            short=short,
            mirrored=mirrored,
            management=management,
            horizon_ms=horizon_ms,
            sizing=sizing,
            scale_in=scale_in,
        )
        return self._checked(spec)

    def _checked(self, spec: Spec) -> tuple[Spec | None, list[Finding]]:
        nodes = sum(1 for _ in everything(spec))
        if nodes > MOST_NODES:
            return None, [Finding("", f"{nodes:,} parts are more than {MOST_NODES:,}; a spec is a page of rules")]
        findings = findings_of(spec)
        if spec.mirrored and not findings:
            assert spec.long is not None
            named = dict(spec.definitions)
            findings = without_mirror(spec.long, named, "/long")
            if not findings:
                definitions = (*spec.definitions, *mirrored_definitions(spec.long, named))
                return replace(spec, definitions=definitions, short=mirrored_side(spec.long)), []
        return (None, findings) if findings else (spec, [])

    def _text(self, key: str, form: re.Pattern[str], what: str) -> None:
        value = self._value.get(key)
        if key in self._value and not (isinstance(value, str) and form.fullmatch(value)):
            self._read.refuse(f"/{key}", f"give {what}")

    def _symbols(self) -> tuple[str, ...]:
        read = self._read
        if "symbols" not in self._value:
            return ()
        found = read.many(self._value["symbols"], "/symbols", self._symbol, 1, _SYMBOLS)
        for index, symbol in enumerate(found):
            if symbol in found[:index]:
                read.refuse(f"/symbols/{index}", f"{symbol} is named twice")
        return tuple(sorted(found))

    def _symbol(self, value: Any, path: str) -> str | None:
        if isinstance(value, str) and _SYMBOL.fullmatch(value):
            return value
        self._read.refuse(path, "give a symbol such as BTCUSDT")
        return None

    def _definitions(self) -> tuple[tuple[str, Node], ...]:
        given = self._value.get("let", {})
        read = self._read
        if not isinstance(given, dict) or len(given) > _DEFINITIONS:
            read.refuse("/let", f"give an object of at most {_DEFINITIONS} names")
            return ()
        read.fields(given, "/let", (), tuple(given))
        found: list[tuple[str, Node]] = []
        for name, value in given.items():
            path = f"/let/{pointer(name)}"
            if not _NAME.fullmatch(name):
                read.refuse(path, "a name has small letters, digits and _, at most 40, a letter first")
                continue
            node = read.node(value, path)
            if node is not None:
                found.append((name, node))
        return tuple(found)

    def _filter(self) -> Filter:
        groups = (("kill_zones", KILL_ZONE_NAMES), ("sessions", SESSION_NAMES), ("weekdays", WEEKDAYS))
        given = self._read.fields(self._value["filter"], "/filter", (), tuple(key for key, _ in groups)) or {}
        named = {key: self._read.names(given[key], f"/filter/{key}", known) for key, known in groups if key in given}
        return Filter(**named)

    def _management(self, *sides: Side | None) -> Management:
        read = self._read
        given = read.fields(self._value["management"], "/management", ("break_even_after",), ("trail",)) or {}
        after = self._within(given, "/management", "break_even_after")
        trail = self._within(given, "/management", "trail")
        most = max((len(side.targets) for side in sides if side is not None), default=3)
        if after is not None and after > most:
            read.refuse("/management/break_even_after", f"{after:g} targets never fill: there are {most}")
        return Management(None if after is None else int(after), round((trail or 0.0) * 10_000))

    def _horizon(self) -> int:
        read, value = self._read, self._value["horizon"]
        keys = tuple(value) if isinstance(value, dict) else ()
        key = keys[0] if len(keys) == 1 and keys[0] in ("bars", "minutes") else ""
        if not key:
            read.refuse("/horizon", "give an object with either bars or minutes")
            return 0
        count = read.number(value[key], f"/horizon/{key}", key) or 0.0
        return int(count) * (INTERVAL_MS.get(self._timeframe, 0) if key == "bars" else _MINUTE_MS)

    def _sizing(self) -> Sizing:
        given = self._read.fields(self._value["sizing"], "/sizing", (), ("risk", "notional", "leverage")) or {}
        figures = {key: self._sized(given, key) for key in ("risk", "notional", "leverage")}
        return Sizing(
            round((figures["risk"] or 0.0) * UNIT),
            round((figures["notional"] or 0.0) * UNIT),
            int(figures["leverage"] or 0),
        )

    def _scale_in(self, *sides: Side | None) -> ScaleIn:
        read = self._read
        words = ("long", "short")
        adding = [word for word, side in zip(words, sides, strict=True) if side is not None and side.add is not None]
        if "scale_in" not in self._value:
            for word in adding:
                read.refuse(f"/{word}/add", "says when to add, but not how much; give scale_in")
            return ScaleIn()
        given = read.fields(self._value["scale_in"], "/scale_in", ("times", "share"), ("first", "beyond_risk"))
        if given is None:
            return ScaleIn()
        if not adding and not read.findings:
            read.refuse("/scale_in", "says how much to add, but no side says when; give it an add")
        times = self._within(given, "/scale_in", "times")
        share = read.share(given["share"], "/scale_in/share")
        first = read.share(given.get("first", 1), "/scale_in/first")
        beyond = given.get("beyond_risk", False)
        if not isinstance(beyond, bool):
            read.refuse("/scale_in/beyond_risk", "give true or false")
        return ScaleIn(int(times or 0), share or 0, first or 0, beyond is True)

    def _sized(self, given: dict[str, Any], key: str) -> float | None:
        value = given.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == 0:
            self._read.refuse(f"/sizing/{key}", "zero size: nothing would ever be traded; leave it out or give more")
            return None
        figure = self._within(given, "/sizing", key)
        if figure is not None and key != "leverage" and round(figure * UNIT) < 1:
            self._read.refuse(f"/sizing/{key}", "zero size: it is below the smallest share, 1e-8")
        return figure

    def _within(self, given: dict[str, Any], path: str, key: str) -> float | None:
        return self._read.number(given[key], f"{path}/{key}", key) if key in given else None
