"""Reading names in a syntax tree: what is imported, and what a name in the text really refers to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath


def imported(tree: ast.Module, name: str) -> Iterator[tuple[int, str]]:
    """Line and full module name of every import in the file `name` (its path from the root)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, _absolute(node, name)


def dotted(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Every name or attribute chain that starts at an import, with its full dotted name: `dt.now` after
    `from datetime import datetime as dt` is `datetime.datetime.now`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                known[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (chain := _chain(node)) and chain[0] in known:
            yield node, ".".join([known[chain[0]], *chain[1:]])


def last_name(node: ast.expr) -> str:
    """`self.venue` -> `venue`, `Approved` -> `Approved`, `f(x)[0]` -> ``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # an annotation in quotes
        return node.value.rpartition(".")[2]
    return node.id if isinstance(node, ast.Name) else ""


def _chain(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Attribute):
        before = _chain(node.value)
        return [*before, node.attr] if before else []
    return [node.id] if isinstance(node, ast.Name) else []


def _absolute(node: ast.ImportFrom, name: str) -> str:
    """The module a `from` import reads; a relative one is resolved from the file's place below src/."""
    if not node.level:
        return node.module or ""
    package = PurePosixPath(name).parent.parts
    package = package[1:] if package[:1] == ("src",) else package
    kept = package[: len(package) - (node.level - 1)]
    return ".".join([*kept, *([node.module] if node.module else [])])
