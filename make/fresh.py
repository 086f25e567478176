"""What a newcomer meets: clone HEAD, with an empty home and empty caches, and run the README's two commands.

Only what lets packages be reached is kept: pip's settings for this machine and this user, certificates, proxies. How
long it took is published as docs/results/first-run.json, when the clone is what stands in this checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from checks.figures import fill
from checks.results import code_hash, write_result
from make.install import ROOT

REPORT = Path("build/first-light.html")
DECIDES_THE_TIME = ["Makefile", "make", "pyproject.toml", "constraints.txt"]
FORGOTTEN = (
    "AISTER_",
    "UV_",
    "XDG_",
    "NUMBA_",
    "PYTHON",
    "PYTEST_",
    "VIRTUAL_ENV",
    "MAKE",
    "MFLAGS",
    "GIT_DIR",
    "GIT_",
)


def newcomer(environ: Mapping[str, str], home: Path, pip_conf: Path | None) -> dict[str, str]:
    """`environ` as somebody who has just opened an account would have it, below `home`. Packages stay reachable:
    PIP_* settings and certificates are kept, and this user's pip.conf is pointed at."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith(FORGOTTEN) or name == "GIT_SSL_CAINFO"
    }
    caches = home / ".cache"
    kept.update(
        HOME=str(home),
        XDG_CACHE_HOME=str(caches),
        UV_CACHE_DIR=str(caches / "uv"),
        PIP_CACHE_DIR=str(caches / "pip"),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    if pip_conf and "PIP_CONFIG_FILE" not in environ:
        kept["PIP_CONFIG_FILE"] = str(pip_conf)
    return kept


def user_pip_conf(environ: Mapping[str, str], home: Path) -> Path | None:
    """This user's own pip settings: they lie below the home that the newcomer does not have."""
    configured = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    places = (configured / "pip/pip.conf", home / "Library/Application Support/pip/pip.conf", home / ".pip/pip.conf")
    return next((place for place in places if place.is_file()), None)


def main(arguments: list[str]) -> int:
    commands = {
        "run_s": ["make", "run"],
        "start_again_s": ["make", "run", "RUN_ARGS=--help"],
        "test_s": ["make", "test"],
    }
    if "--set-up-only" in arguments:
        commands = {"set_up_s": ["make", "setup"], "start_again_s": ["make", "setup"]}
    folder = Path(tempfile.mkdtemp(prefix="aister-fresh-"))
    try:
        clone, home = folder / "aister", folder / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        environment = newcomer(os.environ, home, user_pip_conf(os.environ, Path.home()))
        figures: dict[str, float] = {}
        for name, command in commands.items():
            print(f"\n== {' '.join(command)}", flush=True)
            started = time.monotonic()
            code = subprocess.run(command, cwd=clone, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
            figures[name] = round(time.monotonic() - started, 1)
            print(f"== {' '.join(command)}: {'done' if code == 0 else f'FAILED with {code}'} after {figures[name]} s")
            if code:
                return code
        if "--set-up-only" in arguments:
            return 0
        return _judge(clone, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(clone: Path, figures: dict[str, float]) -> int:
    report = clone / REPORT
    if not report.is_file() or not report.stat().st_size:
        print(f"make fresh: FAILS, make run left no report at {REPORT}", file=sys.stderr)
        return 1
    figures["report_mb"] = round(report.stat().st_size / 1e6, 2)
    figures["cpus"] = os.cpu_count() or 0
    if code_hash(DECIDES_THE_TIME, clone) == code_hash(DECIDES_THE_TIME, ROOT):
        write_result(
            "first-run",
            command="make fresh",
            seeds=[],
            figures=figures,
            paths_measured=DECIDES_THE_TIME,
            duration_s=sum(figures[name] for name in ("run_s", "start_again_s", "test_s")),
        )
        fill(ROOT)
    else:
        print("Not published: the set-up in this checkout differs from HEAD, which is what was measured.")
    print(
        f"make fresh: report of {figures['report_mb']} MB after {figures['run_s']} s (set-up and run), "
        f"tests passed after {figures['test_s']} s more; a later run starts in {figures['start_again_s']} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
