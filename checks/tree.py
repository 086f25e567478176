"""The files the checks look at: what git tracks or would track; every file where there is no repository."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_CACHES = {".venv", ".git", "__pycache__", "build", "dist"}


def files(root: Path, pattern: str = "*") -> list[Path]:
    """Every file of the tree at `root` whose name matches `pattern`, sorted."""
    if (root / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
        found = {root / name for name in listed if name}
    else:
        found = {path for path in root.rglob("*") if not _CACHES & set(path.relative_to(root).parts)}
    return sorted(path for path in found if path.match(pattern) and path.is_file())


def python(root: Path, *folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Each Python file below the named folders, as (path from the root, syntax tree)."""
    for path in files(root, "*.py"):
        name = path.relative_to(root).as_posix()
        if name.startswith(tuple(f"{folder}/" for folder in folders)) or name in folders:
            yield name, parse(path)


def parse(path: Path) -> ast.Module:
    return _parsed(path, path.read_text(encoding="utf-8"))


@cache
def _parsed(path: Path, text: str) -> ast.Module:
    return ast.parse(text, filename=str(path))
