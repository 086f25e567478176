"""Published figures: what a document says must be what a result holds, and the result must have measured this code.

A figure in README.md or docs/ is written between two comments that name the result and the key in it:

    it takes <!-- result: first-run.install_s -->94<!-- /result --> seconds

Numbers are compared at the precision of the text (`94` holds for 94.3, `94.1` does not); commas group thousands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from checks.results import measured_other_code, read_result
from checks.tree import files

OPENING = re.compile(r"<!--\s*result:\s*(?P<name>[a-z0-9-]+)\.(?P<key>[\w.-]+)\s*-->")
FIGURE = re.compile(OPENING.pattern + r"(?P<text>[^<]*)<!--\s*/result\s*-->")
ANY_OPENING = re.compile(r"<!--\s*result\s*:")
EXAMPLE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.MULTILINE | re.DOTALL)  # code in a document quotes, not claims


def findings(root: Path) -> Iterator[str]:
    """One line per figure that cannot be trusted."""
    for path in _documents(root):
        yield from _document(path, root)


def fill(root: Path) -> list[str]:
    """Write into the documents what the results now hold, at the precision of the text; return what changed.
    A figure without a trustworthy result is left as it is, for `findings` to report."""
    changed = []
    for path in _documents(root):
        old = path.read_text(encoding="utf-8")
        new = FIGURE.sub(lambda found: _filled(found, root), old)
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed.append(path.relative_to(root).as_posix())
    return changed


def _documents(root: Path) -> list[Path]:
    return [path for path in files(root, "*.md") if path.parent == root or path.is_relative_to(root / "docs")]


def _filled(found: re.Match[str], root: Path) -> str:
    text = found["text"].strip()
    if not _wrong(found["name"], found["key"], text, root).startswith("says "):
        return found.group()
    figure: Any = read_result(found["name"], root)["figures"]
    for part in found["key"].split("."):
        figure = figure[part]
    try:
        places = max(0, -int(_unit(Decimal(text.replace(",", ""))).as_tuple().exponent))
        figure = f"{Decimal(str(figure)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):,}"
    except (InvalidOperation, ValueError):
        figure = str(figure)
    start, end = found.start("text") - found.start(), found.end("text") - found.start()
    return f"{found.group()[:start]}{figure}{found.group()[end:]}"


def _document(path: Path, root: Path) -> Iterator[str]:
    text = EXAMPLE.sub(lambda quoted: re.sub(r"[^\n]", " ", quoted.group()), path.read_text(encoding="utf-8"))
    whole = {found.start(): found for found in FIGURE.finditer(text)}
    for opening in ANY_OPENING.finditer(text):
        where = f"{path.relative_to(root).as_posix()}:{text.count(chr(10), 0, opening.start()) + 1}"
        found = whole.get(opening.start())
        if found is None:
            yield f"{where}: a figure is opened but not closed; write <!-- result: NAME.key -->12.3<!-- /result -->"
        elif wrong := _wrong(found["name"], found["key"], found["text"].strip(), root):
            yield f"{where}: {wrong}"


def _wrong(name: str, key: str, text: str, root: Path) -> str:
    """Why the figure cannot be trusted; empty when it can."""
    try:
        record = read_result(name, root)
    except FileNotFoundError:
        return f"the result {name} is missing from docs/results; measure it (make campaign; first-run: make fresh)"
    except ValueError as broken:
        return f"{broken}; measure it again"
    if measured_other_code(record, root):
        paths = ", ".join(record["measured"]["paths"])
        return f"the result {name} measured other code than this ({paths}); run {record['command']}"
    figure: Any = record["figures"]
    for part in key.split("."):
        if not isinstance(figure, dict) or part not in figure:
            return f"the result {name} has no figure {key}"
        figure = figure[part]
    return "" if _same(text, figure) else f"says {text!r}, but the result {name} has {key} = {figure!r}"


def _same(text: str, figure: Any) -> bool:
    if isinstance(figure, bool) or not isinstance(figure, int | float):
        return text == str(figure)
    try:
        said = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return False
    return said.is_finite() and Decimal(str(figure)).quantize(_unit(said), ROUND_HALF_EVEN) == said


def _unit(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
