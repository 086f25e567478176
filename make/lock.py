"""Renew the two lists of exact versions from pyproject.toml.

constraints.txt holds a version of everything, tools and extras included, and only constrains: what is not asked for is
not installed. requirements.lock holds the base install with hashes, for `pip install --require-hashes`. Neither names
a folder of this machine, an index, or a build for one kind of processor, so both hold wherever packages come from.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from make.install import CONSTRAINTS, ROOT, UV, uv_settings

LOCK = ROOT / "requirements.lock"
HEADING = "# Made by `make lock` from pyproject.toml; do not edit.\n"
GPU_ONLY = re.compile(r"(nvidia|cuda|triton)\b")
LOCAL_VERSION = re.compile(r"(==[^\s;+]+)\+[\w.]+")  # 2.13.0+cpu -> 2.13.0: the same release, whatever it was built for


def neutral(lines: Iterable[str]) -> Iterator[str]:
    """The lines without comments, options, builds for one processor and what only a GPU build pulls in; each once."""
    seen: set[str] = set()
    for line in lines:
        kept = LOCAL_VERSION.sub(r"\1", line.rstrip())
        if kept and kept not in seen and kept[0] not in "#-" and not GPU_ONLY.match(kept):
            seen.add(kept)
            yield kept


def main(arguments: list[str]) -> int:
    # The first index alone decides: a wheel folder or a second index of this machine must not leave a trace.
    environment = {key: value for key, value in uv_settings().items() if key not in ("UV_FIND_LINKS", "UV_INDEX")}
    compiling = [str(UV), "pip", "compile", "pyproject.toml", "--universal", "--quiet", "--no-header", "--no-annotate"]
    targets: tuple[tuple[Path, list[str]], ...] = (
        (CONSTRAINTS, ["--all-extras", *arguments]),
        (LOCK, ["--generate-hashes", "--constraints", str(CONSTRAINTS)]),
    )
    for target, wanted in targets:
        draft = target.with_suffix(".draft")
        if target is CONSTRAINTS and target.exists():
            draft.write_text(target.read_text(encoding="utf-8"), encoding="utf-8")  # versions stay unless --upgrade
        try:
            code = subprocess.run(
                [*compiling, *wanted, "-o", str(draft)], cwd=ROOT, env=environment, check=False
            ).returncode
            if code:
                return code
            text = draft.read_text(encoding="utf-8")
        finally:
            draft.unlink(missing_ok=True)
        if target is CONSTRAINTS:
            text = "\n".join(neutral(text.splitlines())) + "\n"
        target.write_text(HEADING + text, encoding="utf-8")
        print(f"wrote {target.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
