"""`make check`: every check runs, each says how long it took, and one failure fails the whole."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from checks import dependencies, figures, rules
from checks.tree import ROOT

BIN = Path(sys.executable).parent


def _tool(*command: str) -> Callable[[], bool]:
    def run() -> bool:
        return subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, check=False).returncode == 0

    return run


def _house(findings: Callable[[Path], object]) -> Callable[[], bool]:
    def run() -> bool:
        found = list(findings(ROOT))  # type: ignore[call-overload]
        print("\n".join(found) or "nothing found")
        return not found

    return run


CHECKS: dict[str, Callable[[], bool]] = {
    "style": _tool("ruff", "check", "--quiet", "."),
    "format": _tool("ruff", "format", "--check", "--quiet", "."),
    "imports": _tool("lint-imports"),
    "rules": _house(rules.findings),
    "dependencies": _house(dependencies.findings),
    "figures": _house(figures.findings),
    "types": _tool("mypy"),
}


def main(chosen: list[str]) -> int:
    if unknown := [name for name in chosen if name not in CHECKS]:
        print(f"No check is called {unknown[0]}; there are: {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    failed = []
    for name in chosen or CHECKS:
        print(f"== {name}", flush=True)
        started = time.monotonic()
        held = CHECKS[name]()
        print(f"== {name}: {'holds' if held else 'FAILS'} ({time.monotonic() - started:.1f} s)\n", flush=True)
        if not held:
            failed.append(name)
    print(f"make check: {'FAILS: ' + ', '.join(failed) if failed else 'everything holds'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
