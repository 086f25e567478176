"""Journal records as plain values and as lines for a terminal. Strings from data never reach it unescaped (B7)."""

import base64
import json
import math
import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

import msgspec

from aister.adapters.store.records import Entry
from aister.core.audit import Audit, Output
from aister.core.events import Event

__all__ = ["entry_lines", "entry_plain", "json_text", "kinds", "kinds_of", "plain", "utc_text"]


def plain(value: Any) -> Any:
    """The value with field names: structs as objects (tagged ones with `kind` first), enums by name, NaN and infinity
    as None, which JSON does not know."""
    if isinstance(value, msgspec.Struct):
        fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        tag = value.__struct_config__.tag
        return (
            fields if tag is None else {"kind": tag, **{("kind_" if n == "kind" else n): v for n, v in fields.items()}}
        )
    if isinstance(value, Enum):
        return value.value if isinstance(value, str) else value.name
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def entry_plain(entry: Entry, raw: bool = False) -> dict[str, Any]:
    """One record: number, hash, arrival in engine time, event, outputs; with `raw` the bytes that were hashed."""
    audit = entry.audit
    found = {
        "sequence": entry.sequence,
        "hash": entry.hash,
        "time_ms": audit.event.time_ms,
        "event": plain(audit.event),
        "outputs": [plain(output) for output in audit.outputs],
    }
    return {**found, "raw": base64.b64encode(entry.raw).decode()} if raw else found


def entry_lines(entry: Entry) -> Iterator[str]:
    """The record in words: the event's line, then one indented line for each output."""
    event = plain(entry.audit.event)
    kind = event.pop("kind")
    event.pop("time_ms")
    yield f"{entry.sequence:>9}  {utc_text(entry.audit.event.time_ms)}  {kind:<10} {_words(event)}"
    for output in entry.audit.outputs:
        value = plain(output)
        yield f"{'':>36}-> {value.pop('kind'):<8} {_words(value)}"


def kinds_of(audit: Audit) -> set[str]:
    return {str(one.__struct_config__.tag) for one in (audit.event, *audit.outputs)}


@cache
def kinds() -> tuple[str, ...]:
    """Every kind of event and output there is."""
    return tuple(sorted({str(one.__struct_config__.tag) for one in _members(Event | Output)}))


def utc_text(time_ms: int) -> str:
    """2025-05-05 00:06:00.250, UTC; the bare number where the calendar ends."""
    try:
        return datetime.fromtimestamp(time_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1_000:03d}"
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"


def json_text(value: Any) -> str:
    """JSON in ASCII on one line, so that no character of the data can steer a terminal or split a line."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _members(union: Any) -> Iterator[Any]:
    for one in typing.get_args(union):
        if isinstance(one, types.UnionType):
            yield from _members(one)
        else:
            yield one


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={_nested(one)}" for name, one in value.items())
    return _nested(value)


def _nested(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + _words(value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_nested(one) for one in value) + "]"
    if isinstance(value, str):
        return value if value and value.isascii() and value.isprintable() and " " not in value else json.dumps(value)
    return "-" if value is None else str(value)
