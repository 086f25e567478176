"""Published figures: what a document says must be what a result holds, and the result must have measured this code.

A figure in README.md or docs/ is written between two comments that name the result and the key in it:

    it takes <!-- result: first-run.install_s -->94<!-- /result --> seconds

Numbers are compared at the precision of the text (`94` holds for 94.3, `94.1` does not); commas group thousands.

Every result also has a `code` (twelve letters of the hash of what it measured) and a `date`. A document that shows both
says which code its figures of that result are of, so they may be older than the code beside it: that is for campaigns
of an hour and more, which nobody repeats at each change. All other figures must be of the code as it is.
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
        dated = _dated(old)
        new = FIGURE.sub(lambda found: _filled(found, root, dated=found["name"] in dated), old)  # noqa: B023
        if new != old:
            path.write_text(new, encoding="utf-8")
            changed.append(path.relative_to(root).as_posix())
    return changed


def _documents(root: Path) -> list[Path]:
    return [path for path in files(root, "*.md") if path.parent == root or path.is_relative_to(root / "docs")]


def _dated(text: str) -> set[str]:
    """The results whose code and date a document shows."""
    shown = {(found["name"], found["key"]) for found in FIGURE.finditer(text)}
    return {name for name, _ in shown if {(name, "code"), (name, "date")} <= shown}


def _filled(found: re.Match[str], root: Path, *, dated: bool) -> str:
    text = found["text"].strip()
    if not _wrong(found["name"], found["key"], text, root, dated=dated).startswith("says "):
        return found.group()
    figure = _figure(read_result(found["name"], root), found["key"])
    try:
        places = max(0, -int(_unit(Decimal(text.replace(",", ""))).as_tuple().exponent))
        figure = f"{Decimal(str(figure)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):,}"
    except (InvalidOperation, ValueError):
        figure = str(figure)
    start, end = found.start("text") - found.start(), found.end("text") - found.start()
    return f"{found.group()[:start]}{figure}{found.group()[end:]}"


def _document(path: Path, root: Path) -> Iterator[str]:
    text = EXAMPLE.sub(lambda quoted: re.sub(r"[^\n]", " ", quoted.group()), path.read_text(encoding="utf-8"))
    whole, dated = {found.start(): found for found in FIGURE.finditer(text)}, _dated(text)
    for opening in ANY_OPENING.finditer(text):
        where = f"{path.relative_to(root).as_posix()}:{text.count(chr(10), 0, opening.start()) + 1}"
        found = whole.get(opening.start())
        if found is None:
            yield f"{where}: a figure is opened but not closed; write <!-- result: NAME.key -->12.3<!-- /result -->"
        elif wrong := _wrong(found["name"], found["key"], found["text"].strip(), root, dated=found["name"] in dated):
            yield f"{where}: {wrong}"


def _wrong(name: str, key: str, text: str, root: Path, *, dated: bool) -> str:
    """Why the figure cannot be trusted; empty when it can. One whose code and date are shown may be of older code."""
    try:
        record = read_result(name, root)
    except FileNotFoundError:
        return f"the result {name} is missing from docs/results; measure it (make campaign; first-run: make fresh)"
    except ValueError as broken:
        return f"{broken}; measure it again"
    if not dated and measured_other_code(record, root):
        paths = ", ".join(record["measured"]["paths"])
        return f"the result {name} measured other code than this ({paths}); run {record['command']}"
    try:
        figure = _figure(record, key)
    except KeyError:
        return f"the result {name} has no figure {key}"
    return "" if _same(text, figure) else f"says {text!r}, but the result {name} has {key} = {figure!r}"


def _figure(record: dict[str, Any], key: str) -> Any:
    """Raises KeyError when the result does not hold it."""
    if key == "code":
        return record["measured"]["sha256"][:12]
    if key == "date":
        return record["date"]
    figure: Any = record["figures"]
    for part in key.split("."):
        if not isinstance(figure, dict):
            raise KeyError(key)
        figure = figure[part]
    return figure


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
