"""House rules that neither ruff nor an import contract can say. Each is a function: tree in, findings out.

A finding is one line, `path:line: what is wrong and what to do`, so that an editor can jump to it.
"""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from checks.names import dotted, imported, last_name
from checks.tree import files, python

Rule = Callable[[Path], Iterator[str]]

# from the nouns up to the engine: time comes from events, chance from a seed
PURE_ROOMS = (
    "core", "kernels", "ports", "features", "strategy", "council", "risk", "execution", "portfolio", "analytics",
    "sim", "engine",
)  # fmt: skip
# what kernels may use besides numpy and numba (whose code generator is llvmlite): erased before they run, or pure
WITHOUT_STATE = ("__future__", "collections.abc", "functools", "hashlib", "math", "typing")
LONGEST_FILE = 500


def kernels_import_only_numbers(root: Path) -> Iterator[str]:
    """kernels/ imports numpy, numba and itself: what compiles knows no noun and reaches nothing outside, so that the
    digest of its sources misses nothing. Only the placing of the kernel cache uses the standard library."""
    for name, tree in python(root, "src/aister/kernels"):
        allowed = {"numpy", "numba", "llvmlite", "aister.kernels", *WITHOUT_STATE}
        if name in ("src/aister/kernels/__init__.py", "src/aister/kernels/cache.py"):
            allowed |= sys.stdlib_module_names
        for line, module in imported(tree, name):
            if not any(module == one or module.startswith(f"{one}.") for one in allowed):
                yield f"{name}:{line}: kernels import numpy, numba and themselves only, not {module}"


def no_wall_clock(root: Path) -> Iterator[str]:
    """Below the adapters the time is the event's: a clock read makes a replay differ from the run."""
    forbidden = {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"}
    for name, tree in _pure(root):
        for node, called in dotted(tree):
            if called in forbidden:
                yield f"{name}:{node.lineno}: {called} reads the wall clock; take the time from the event"


def no_unseeded_chance(root: Path) -> Iterator[str]:
    """Chance comes from a generator that was given a seed; numpy's global generator is shared state nobody owns."""
    seeded = {"default_rng", "SeedSequence", "RandomState", "PCG64", "PCG64DXSM", "Philox", "MT19937", "SFC64"}
    for name, tree in _pure(root):
        calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node, called in dotted(tree):
            module, _, function = called.rpartition(".")
            if module != "numpy.random":
                continue
            call = calls.get(id(node))
            if function in seeded:
                # default_rng handed on as a value (a default factory) will be called bare; a class may be named
                if not _has_argument(call) if call else function == "default_rng":
                    yield f"{name}:{node.lineno}: {function} without a seed; take the seed as an argument"
            elif function[0].islower():
                yield f"{name}:{node.lineno}: np.random.{function} uses numpy's global generator; use a seeded one"


def only_risk_approves(root: Path) -> Iterator[str]:
    """Permission is a type, and one room makes it: whoever else builds an `Approved` has gone round every limit."""
    for name, tree in python(root, "src"):
        if name.startswith("src/aister/risk/"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and last_name(node.func) == "Approved":
                yield f"{name}:{node.lineno}: Approved is made in aister/risk only; ask risk.review"


def only_the_gateway_sends(root: Path) -> Iterator[str]:
    """One place hands orders to a venue, after the journal holds them. Rule of thumb: `.send` of something called
    (or annotated as) a venue. The simulated exchange is the other side of the wire: it may work its own books."""
    for name, tree in python(root, "src"):
        if name == "src/aister/execution/gateway.py" or name.startswith("src/aister/exchange_sim/"):
            continue
        venues = {
            argument.arg
            for argument in ast.walk(tree)
            if isinstance(argument, ast.arg) and argument.annotation and last_name(argument.annotation) == "Venue"
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "send":
                holder = last_name(node.value)
                if holder in venues or holder.lower().strip("_").endswith("venue"):
                    yield f"{name}:{node.lineno}: only execution/gateway.py sends to a venue; return the order instead"


def nobody_asks_if_it_is_live(root: Path) -> Iterator[str]:
    """Backtest, paper and live differ in what app/build.py puts in the seats, and nowhere else."""
    words = {"live", "backtest", "paper"}
    questions = {f"is_{word}" for word in words}
    for name, tree in python(root, "src"):
        if name == "src/aister/app/build.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Name | ast.Attribute) and last_name(node) in questions:
                yield f"{name}:{node.lineno}: asks {last_name(node)}; let app/build.py seat the right part instead"
            if not isinstance(node, ast.If | ast.IfExp | ast.While):
                continue
            for part in _conditions(node.test):
                word = last_name(part) if isinstance(part, ast.Name | ast.Attribute) else _compared_word(part)
                if word.lower() in words:
                    yield f"{name}:{node.lineno}: asks whether this is {word}; let app/build.py seat the right part"


def files_fit_in_the_head(root: Path) -> Iterator[str]:
    """A file one cannot hold in the head is two files."""
    for path in files(root, "*.py"):
        name = path.relative_to(root).as_posix()
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            yield f"{name}:{LONGEST_FILE}: {lines} lines; carve it (at most {LONGEST_FILE})"


def no_machine_paths(root: Path) -> Iterator[str]:
    """What is committed works on every machine: no folder of this one, no registry's address."""
    telling = re.compile(
        r"(?<![\w.~-])/(work|opt|root|home|Users)/[\w.]|files\.pythonhosted|pypi\.org/simple|--(extra-|default-)?index-url"
    )
    for path in files(root):
        raw = path.read_bytes()
        if b"\0" in raw[:4096]:
            continue
        for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
            if found := telling.search(line):
                where = f"{path.relative_to(root).as_posix()}:{number}"
                yield f"{where}: {found.group()!r} names one machine or one registry; remove it"


def tests_can_fail(root: Path) -> Iterator[str]:
    """A test that asserts nothing passes whatever the code does."""
    words = ("assert", "raises", "warns", "check", "verify", "expect", "fail", "run_state_machine_as_test")
    for name, tree in python(root, "tests"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test"):
                continue
            if not any(
                (isinstance(inner, ast.Assert) and not isinstance(inner.test, ast.Constant))
                or (isinstance(inner, ast.Call) and any(word in last_name(inner.func).lower() for word in words))
                for inner in ast.walk(node)
            ):
                yield f"{name}:{node.lineno}: {node.name} asserts nothing; say what must hold"


def contracts_name_every_room(root: Path) -> Iterator[str]:
    """A room that opens comes under the contracts written for it; none slips past because it was not there before."""
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter", encoding="utf-8")
    wanted = [("pure", "source_modules", room) for room in PURE_ROOMS] + [
        ("torch", "source_modules", "exchange_sim"),
        ("exchanges", "modules", "adapters/exchanges"),
        ("sender", "allowed_importers", "adapters/exchanges"),
    ]
    for contract, field, room in wanted:
        if not (root / "src/aister" / room / "__init__.py").exists():
            continue
        module = f"aister.{room.replace('/', '.')}"
        listed = contracts.get(f"importlinter:contract:{contract}", field, fallback="").split()
        if not {module, f"{module}.*"} & set(listed):
            yield f".importlinter:1: the contract {contract!r} does not name {module} in {field}; add it"


RULES: tuple[Rule, ...] = (
    kernels_import_only_numbers,
    no_wall_clock,
    no_unseeded_chance,
    only_risk_approves,
    only_the_gateway_sends,
    nobody_asks_if_it_is_live,
    files_fit_in_the_head,
    no_machine_paths,
    tests_can_fail,
    contracts_name_every_room,
)


def findings(root: Path) -> list[str]:
    """Everything every rule has to say about the tree at `root`."""
    return [finding for rule in RULES for finding in rule(root)]


def _pure(root: Path) -> Iterator[tuple[str, ast.Module]]:
    return python(root, *(f"src/aister/{room}" for room in PURE_ROOMS))


def _has_argument(call: ast.Call) -> bool:
    """Was the call given anything other than None?"""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(not (isinstance(value, ast.Constant) and value.value is None) for value in given)


def _conditions(test: ast.expr) -> Iterator[ast.expr]:
    """The parts of a condition joined by and, or, not."""
    if isinstance(test, ast.BoolOp):
        for value in test.values:
            yield from _conditions(value)
    elif isinstance(test, ast.UnaryOp):
        yield from _conditions(test.operand)
    else:
        yield test


def _compared_word(part: ast.expr) -> str:
    """`mode == "live"` or `Mode.LIVE`: the word a comparison is with, else empty."""
    if isinstance(part, ast.Compare):
        for side in [part.left, *part.comparators]:
            if isinstance(side, ast.Constant) and isinstance(side.value, str):
                return side.value
            if isinstance(side, ast.Attribute) and side.attr.isupper():
                return side.attr
    return ""
