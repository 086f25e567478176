"""Crash points: every await and every journal write of the order path, listed from the source itself.

`points_of` reads a module's syntax tree; `instrumented` compiles the same source with each of these places told to a
hook just before and just after. The hook decides where the process dies. Nothing else of the module is changed, and a
new await is a new point without anybody writing it down.
"""

import ast
import functools
import importlib.util
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import msgspec

from aister import execution

__all__ = [
    "JOURNALED",
    "ORDER_PATH",
    "Crash",
    "Hooks",
    "Moment",
    "Point",
    "every_point",
    "instrumented",
    "points_of",
]

_WRITES = ("append", "flush")


class Crash(BaseException):
    """The process dies here."""


class Point(NamedTuple):
    """One place in the source: `place` counts within its function, so that it stays the same when lines move."""

    module: str
    function: str
    place: int
    what: str


class Moment(NamedTuple):
    """A point, and whether what stands there has happened."""

    point: Point
    after: bool


class Hooks(msgspec.Struct):
    """What instrumented modules call. `awaiting` and `writing` may never return."""

    awaiting: Callable[[Point, Awaitable[Any]], Awaitable[Any]]
    writing: Callable[[Point, Callable[[], Any]], Any]


def source_of(module: str) -> str | None:
    """The module's source, None where there is no such module."""
    found = importlib.util.find_spec(module)
    return None if found is None or found.origin is None else Path(found.origin).read_text("utf-8")


def _awaiting() -> Iterator[str]:
    """Every module of the room that waits for something, those first that others are built on."""
    sources = {}
    for found in pkgutil.iter_modules(execution.__path__, "aister.execution."):
        source = source_of(found.name)
        if source is not None and any(isinstance(node, ast.Await) for node in ast.walk(ast.parse(source))):
            sources[found.name] = ast.parse(source)
    needs = {
        name: {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} & sources.keys()
        for name, tree in sources.items()
    }
    return TopologicalSorter(needs).static_order()  # type: ignore[arg-type, return-value]


ORDER_PATH = tuple(_awaiting())
"""Modules of which every await counts."""
JOURNALED = ("aister.engine.runner",)
"""Modules of which every journal write counts."""


def points_of(module: str) -> list[Point]:
    """Every point of a module, in the order of its source."""
    source = source_of(module)
    if source is None:
        return []
    marked = _Marked(module)
    marked.visit(ast.parse(source))
    return marked.points


def every_point() -> Iterator[Point]:
    """Every point of the order path."""
    for module in (*ORDER_PATH, *JOURNALED):
        yield from points_of(module)


def instrumented(hooks: Hooks) -> dict[str, ModuleType]:
    """The modules once more, by name, with their points told to the hooks; they know each other, and nobody knows
    them."""
    made: dict[str, ModuleType] = {}
    plain = {name: sys.modules[name] for name in (*ORDER_PATH, *JOURNALED) if name in sys.modules}
    try:
        for name in (*ORDER_PATH, *JOURNALED):
            code, points = _compiled(name)
            module = ModuleType(name)
            module.__dict__["__awaiting__"] = lambda place, work, points=points: hooks.awaiting(points[place], work)
            module.__dict__["__writing__"] = lambda place, work, points=points: hooks.writing(points[place], work)
            sys.modules[name] = made[name] = module
            exec(code, module.__dict__)
    finally:
        sys.modules.update(plain)
    return made


@functools.cache
def _compiled(module: str) -> tuple[CodeType, list[Point]]:
    source = source_of(module)
    assert source is not None, f"there is no {module}"
    marked = _Marked(module)
    tree = ast.fix_missing_locations(marked.visit(ast.parse(source)))
    return compile(tree, f"<{module} with points>", "exec"), marked.points


class _Marked(ast.NodeTransformer):
    def __init__(self, module: str) -> None:
        self.module = module
        self.points: list[Point] = []
        self._inside: list[str] = []
        self._counted: dict[str, int] = {}
        self._awaits = module in ORDER_PATH

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._within(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._within(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._within(node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        what = ast.unparse(node)
        self.generic_visit(node)
        if not self._awaits:
            return node
        place = self._mark(what)
        node.value = ast.Call(ast.Name("__awaiting__", ast.Load()), [ast.Constant(place), node.value], [])
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        what = ast.unparse(node)
        self.generic_visit(node)
        target = node.func
        writes = isinstance(target, ast.Attribute) and target.attr in _WRITES
        if not writes or not ast.unparse(target.value).endswith("journal"):
            return node
        nothing = ast.arguments([], [], None, [], [], None, [])
        later = ast.Lambda(nothing, node)
        return ast.Call(ast.Name("__writing__", ast.Load()), [ast.Constant(self._mark(what)), later], [])

    def _mark(self, what: str) -> int:
        function = ".".join(self._inside)
        place = self._counted[function] = self._counted.get(function, 0) + 1
        self.points.append(Point(self.module, function, place, what))
        return len(self.points) - 1

    def _within(self, node: Any) -> ast.AST:
        self._inside.append(node.name)
        self.generic_visit(node)
        self._inside.pop()
        return node
