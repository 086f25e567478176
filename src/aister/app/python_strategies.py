"""A Python strategy as rules: what the user named, read but not run (`python_runs` does that)."""

import ast
from pathlib import Path

import msgspec

from aister.adapters.sandbox.protocol import Parameter
from aister.adapters.sandbox.source import PythonSource, read_strategy
from aister.core.errors import UsageError

__all__ = ["PythonRules", "parameters_of", "python_rules"]


class PythonRules(msgspec.Struct, frozen=True):
    """A strategy file as it was read, its parameters, and what the user typed where walls are missing."""

    source: PythonSource
    parameters: dict[str, Parameter] = {}
    accepted: str = ""


def python_rules(path: Path | str, parameters: dict[str, Parameter] | None = None, accepted: str = "") -> PythonRules:
    """The rules in this file; nothing of it runs yet. Raises `UsageError` when it cannot be read."""
    return PythonRules(read_strategy(Path(path).expanduser()), dict(parameters or {}), accepted)


def parameters_of(given: list[str]) -> dict[str, Parameter]:
    """`name=value` texts as parameters: numbers and True or False become values, everything else stays text."""
    found: dict[str, Parameter] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--set {one!r} is not name=value; write --set stop_atr=2.5.")
        if name in found:
            raise UsageError(f"--set names {name} twice; give it once.")
        found[name] = _value(text)
    return found


def _value(text: str) -> Parameter:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return found if isinstance(found, bool | int | float | str) else text
