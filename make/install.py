"""Set up `.venv`: the environment, uv inside it, then AISTER with its tools at the versions of constraints.txt.

uv does not read pip's settings, so whoever has configured pip (a wheel folder, a company index, a certificate)
would find them ignored. They are read through pip itself and handed to uv in its own words. What the user has
already set for uv wins.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
CONSTRAINTS = ROOT / "constraints.txt"


def pip_settings(listing: str) -> dict[str, str]:
    """The settings printed by `pip config list`, weighed as pip does: environment, then [install], then [global]."""
    found: dict[str, dict[str, str]] = {":env:": {}, "install": {}, "global": {}}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.strip().rpartition(".")
        if section in found:
            try:
                found[section][name] = str(ast.literal_eval(value.strip()))
            except (SyntaxError, ValueError):
                continue
    return {**found["global"], **found["install"], **found[":env:"]}


def uv_environment(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with pip's settings in uv's words: find-links and indexes are separated by white space in pip,
    find-links by commas in uv. A wheel folder that is not there is passed over, as pip does; uv would stop."""
    words = {name: value.split() for name, value in settings.items()}
    links = [link for link in words.get("find-links", []) if _reachable(link)]
    wanted = {
        "UV_FIND_LINKS": ",".join(links),
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(words.get("extra-index-url", [])),
        "UV_INSECURE_HOST": " ".join(words.get("trusted-host", [])),
        "UV_HTTP_TIMEOUT": settings.get("timeout", settings.get("default-timeout", "")),
        "SSL_CERT_FILE": settings.get("cert", ""),
        "SSL_CLIENT_CERT": settings.get("client-cert", ""),
        "ALL_PROXY": settings.get("proxy", ""),
    }
    if wanted["UV_INDEX"]:
        # pip takes the best version over all indexes; uv would stop at the first index that knows the name.
        wanted["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        wanted["UV_NO_INDEX"] = "1"
    return {**{key: value for key, value in wanted.items() if value}, **environ}


def uv_settings() -> dict[str, str]:
    """This machine's environment for uv, with what pip has been told."""
    asked = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return uv_environment(pip_settings(asked.stdout), os.environ)


def _reachable(link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme in ("http", "https"):
        return True
    return Path(unquote(parts.path) if parts.scheme == "file" else link).expanduser().exists()


def _steps() -> Iterator[tuple[str, list[str], dict[str, str] | None]]:
    """Sentence, command, environment of each step; a generator, because pip must exist before it can be asked."""
    pinned = ["-c", str(CONSTRAINTS)]
    if not _works():
        shutil.rmtree(VENV, ignore_errors=True)
        yield "Creating .venv ...", [sys.executable, "-m", "venv", str(VENV)], None
    if not UV.exists():
        yield "Installing uv ...", [str(PYTHON), "-m", "pip", "install", "-q", *pinned, "uv"], None
    target = ["--python", str(PYTHON), *pinned, "-b", str(CONSTRAINTS)]
    yield "Installing AISTER ...", [str(UV), "pip", "install", *target, "-e", ".[dev]"], uv_settings()


def _works() -> bool:
    """Is there an environment here, with a Python that starts, is new enough and lives at this path?"""
    if not PYTHON.exists():
        return False
    asked = [str(PYTHON), "-c", "import pip, sys; print(sys.version_info >= (3, 11), sys.prefix)"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split(" ", 1)
    except OSError:
        return False
    if len(said) != 2 or said[0] != "True" or not Path(said[1].strip()).samefile(VENV):
        return False
    shebang = (VENV / "bin" / "pip").read_bytes().splitlines()[0:2]
    return any(os.fsencode(VENV) in line for line in shebang)  # a moved checkout leaves the old path here


def main() -> int:
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian leaves it out of python3
    except ImportError:
        if not _works():
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            print(
                f"This Python ({sys.executable}) cannot create environments: install its venv module "
                f"(Debian, Ubuntu: sudo apt install python{version}-venv) and run make again.",
                file=sys.stderr,
            )
            return 2
    for sentence, command, environment in _steps():
        print(sentence, flush=True)
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if code:
            print(f"Set-up stopped at: {' '.join(command)}", file=sys.stderr)
            print("The lines above say why; run make again when it is mended.", file=sys.stderr)
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
