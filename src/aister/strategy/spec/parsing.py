"""JSON text to plain values, strictly: names given twice and numbers that are none survive as what they are, to be
refused with their place."""

import json
from typing import Any

from aister.strategy.spec.grammar import MOST_DEPTH, MOST_TEXT
from aister.strategy.spec.refusal import Finding, SpecRefused

__all__ = ["Doubled", "parse"]


class Doubled(dict[str, Any]):
    """An object of which some names came twice; `names` are those."""

    names: tuple[str, ...] = ()


def parse(text: str | bytes, name: str = "The spec") -> Any:
    """The value of a JSON text. NaN and infinities come through as floats. Raises `SpecRefused` when it is no JSON, too
    long or nested too deeply."""
    if len(text) > MOST_TEXT:
        raise SpecRefused(name, [Finding("", f"longer than {MOST_TEXT:,} characters; a spec is a page of rules")])
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise SpecRefused(name, [_too_deep("")]) from None
    except ValueError as error:
        raise SpecRefused(name, [Finding("", f"not JSON ({error}); write one JSON object")]) from None
    return value


def too_deep(value: Any, path: str = "", level: int = 0) -> Finding | None:
    """The first place that is nested more than the grammar allows."""
    if level > MOST_DEPTH:
        return _too_deep(path)
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list | tuple):
        inside = list(enumerate(value))
    for key, part in inside:
        found = too_deep(part, f"{path}/{pointer(key)}", level + 1)
        if found:
            return found
    return None


def pointer(key: object) -> str:
    """A name as a JSON pointer writes it."""
    return str(key).replace("~", "~0").replace("/", "~1")


def _too_deep(path: str) -> Finding:
    return Finding(path, f"nested more than {MOST_DEPTH} levels deep; name parts in `let`")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = Doubled(pairs)
    if len(value) == len(pairs):
        return dict(value)
    seen: set[str] = set()
    value.names = tuple(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return value
