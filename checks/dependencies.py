"""Each direct dependency is in docs/dependencies.md with a reason: nobody adds one without saying what it is for.

The page holds one table row per dependency: `| name | reason |`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROW = re.compile(r"^\|\s*`?(?P<name>[A-Za-z0-9._-]+)`?\s*\|\s*(?P<reason>[^|]*?)\s*\|", re.MULTILINE)
SHORTEST_REASON = 15
PAGE = "docs/dependencies.md"


def declared(root: Path) -> set[str]:
    """Names of every direct dependency: base, extras and build system, as PEP 503 writes them."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"].get("optional-dependencies", {}).values()
    lines = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    return {_name(line) for line in [*lines, *project["build-system"]["requires"]]}


def findings(root: Path) -> Iterator[str]:
    """One line per dependency without a reason, and per row without a dependency."""
    page = root / PAGE
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    rows = {_name(row["name"]): row["reason"] for row in ROW.finditer(text) if not set(row["name"]) <= {"-"}}
    rows.pop("name", None)  # the heading
    wanted = declared(root)
    for name in sorted(wanted - rows.keys()):
        yield f"{PAGE}:1: the direct dependency {name} is not listed; add a row that says why it is needed"
    for name in sorted(rows.keys() - wanted):
        yield f"{PAGE}:1: {name} is listed but pyproject.toml does not ask for it; remove the row"
    for name in sorted(wanted & rows.keys()):
        if len(rows[name]) < SHORTEST_REASON:
            yield f"{PAGE}:1: {name} is listed without a reason; say what it is needed for"


def _name(requirement: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9._-]+)", requirement)
    return re.sub(r"[-_.]+", "-", found.group(1)).lower() if found else requirement
