"""Published measurements: one JSON file per campaign in docs/results, tied to the code it measured.

A figure is worth as much as one's ability to repeat it, so each file holds the command that made it, the seeds, how
long it took, the versions, and a hash of the content of the source it measured. The hash knows no git: the same files
give the same hash in a checkout, a wheel or a tarball. `checks.figures` compares what the documents say with these.

    with measuring("lottery", command="make campaign", seeds=range(1000), paths=["src/aister/kernels"]) as figures:
        figures["mean_loss_quote"] = ...
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from checks.tree import ROOT

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
VERSIONS_OF = ("aister", "numpy", "numba", "llvmlite", "msgspec", "pyarrow")


def place(name: str, root: Path = ROOT) -> Path:
    """Where the result `name` is kept. Raises ValueError for a name that is not lower-case words joined by hyphens."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no result name: use lower-case words joined by hyphens")
    return root / "docs" / "results" / f"{name}.json"


def code_hash(paths: Iterable[str], root: Path = ROOT) -> str:
    """SHA-256 over path and content of every file at or below `paths` (relative to `root`), in order of path.
    Raises FileNotFoundError when a path is not there: a result must not measure nothing."""
    named: set[Path] = set()
    for path in paths:
        target = root / path
        if not target.exists():
            raise FileNotFoundError(f"{path} is not in the tree, so nothing there can have been measured")
        below = [target] if target.is_file() else [found for found in target.rglob("*") if found.is_file()]
        named.update(found for found in below if "__pycache__" not in found.parts and found.name[0] != ".")
    if not named:
        raise FileNotFoundError("no file was named, so nothing can have been measured")
    digest = hashlib.sha256()
    for name in sorted(found.relative_to(root).as_posix() for found in named):
        content = (root / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def write_result(
    name: str,
    *,
    command: str,
    seeds: Sequence[int],
    figures: dict[str, Any],
    paths_measured: Sequence[str],
    duration_s: float,
    root: Path = ROOT,
) -> Path:
    """Write docs/results/NAME.json whole or not at all, and return its path."""
    if not figures:
        raise ValueError(f"the result {name!r} has no figures")
    target = place(name, root)
    record = {
        "name": name,
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "seeds": _seeds(seeds),
        "duration_s": round(duration_s, 1),
        "versions": _versions(),
        "measured": {"paths": sorted(paths_measured), "sha256": code_hash(paths_measured, root)},
        "figures": figures,
    }
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(f".{os.getpid()}.part")
    half.write_text(text, encoding="utf-8")
    half.replace(target)
    return target


@contextmanager
def measuring(
    name: str, *, command: str, seeds: Sequence[int], paths: Sequence[str], root: Path = ROOT
) -> Iterator[dict[str, Any]]:
    """Time the block and publish the figures it fills in. A block that raises publishes nothing; nor does one during
    which the measured code changed."""
    before, started = code_hash(paths, root), time.monotonic()
    figures: dict[str, Any] = {}
    yield figures
    if code_hash(paths, root) != before:
        raise RuntimeError(f"the code measured by {name!r} changed while it ran; run it again")
    took = time.monotonic() - started
    write_result(name, command=command, seeds=seeds, figures=figures, paths_measured=paths, duration_s=took, root=root)


def read_result(name: str, root: Path = ROOT) -> dict[str, Any]:
    """The published result. Raises FileNotFoundError when there is none, ValueError when it is not a result."""
    try:
        record = json.loads(place(name, root).read_text(encoding="utf-8"))
        missing = {"command", "seeds", "duration_s", "versions", "measured", "figures"} - record.keys()
        missing |= {"paths", "sha256"} - record.get("measured", {}).keys()
    except (json.JSONDecodeError, AttributeError) as broken:
        raise ValueError(f"docs/results/{name}.json is not a result: {broken}") from broken
    if missing:
        raise ValueError(f"docs/results/{name}.json lacks {', '.join(sorted(missing))}")
    return dict(record)


def measured_other_code(record: dict[str, Any], root: Path = ROOT) -> bool:
    """Has the code changed (or gone) since this result was measured?"""
    try:
        return bool(code_hash(record["measured"]["paths"], root) != record["measured"]["sha256"])
    except FileNotFoundError:
        return True


def _seeds(seeds: Sequence[int]) -> list[int] | str:
    """Few seeds are listed; a long run of them is written as its ends."""
    listed = [int(seed) for seed in seeds]
    unbroken = listed == list(range(listed[0], listed[0] + len(listed))) if listed else False
    return f"{listed[0]}..{listed[-1]}" if unbroken and len(listed) > 8 else listed


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": f"{sys.platform} {platform.machine()}"}
    for package in VERSIONS_OF:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
