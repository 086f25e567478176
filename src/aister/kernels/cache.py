"""Where compiled kernels are kept, so that an edited rule never answers from an old compilation.

numba's file cache looks at the file of the function it caches and not at the steps that function calls: after editing a
step, a cached batch loop would go on running the old one. So the folder is named by a digest of every kernel source
together with the numba and numpy versions, and whatever changes any of them starts an empty folder. The cache is not
state: it lies in the user's cache folder (or `AISTER_CACHE`), never beside the code, and may be deleted at any time.

numba's cache files are pickles, hence the folder is private (0700) and refused if anybody else owns it or may write
into it.
"""

import atexit
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import event

_OLD_S = 7 * 86_400
_PREFIX = "kernels-"


class CacheRefused(RuntimeError):
    """The kernel cache folder could be altered by somebody else, who could thereby run code here."""


def source_digest(sources: Path) -> str:
    """16 hex digits over every Python file below `sources` (its path and bytes) and the numba and numpy versions."""
    digest = hashlib.blake2b(f"numba {numba.__version__} numpy {np.__version__}".encode(), digest_size=8)
    for path in sorted(sources.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(sources).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def user_cache_root() -> Path:
    """`AISTER_CACHE` if set, else the platform's cache folder for this user with `aister` below it.

    Raises RuntimeError when the user has no home folder.
    """
    if chosen := os.environ.get("AISTER_CACHE"):
        return Path(chosen).absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "aister" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "aister"
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if xdg.startswith("/") else Path.home() / ".cache") / "aister"


def settle(sources: Path) -> Path:
    """Point numba at the folder for these sources and at no other; say so when it has to compile. Return the folder.

    Raises CacheRefused as `private_folder` does.
    """
    folder = private_folder(sources)
    config: Any = numba.config
    config.CACHE_DIR = str(folder)
    config.CACHE_LOCATOR_CLASSES = "UserProvidedCacheLocator,IPythonCacheLocator"  # never beside the code
    listen: Any = event.register
    listen("numba:compile", _SayOnce(folder))
    return folder


def private_folder(sources: Path) -> Path:
    """Make the folder named by the digest of these sources, drop folders unused for a week, return it.

    When it cannot be written (read-only or full disk, no home) a fresh folder that dies with this process is used and
    one line on stderr says so: slower, never stale. Raises CacheRefused when it exists but others own it or may write
    into it.
    """
    try:
        root = user_cache_root()
        folder = root / f"{_PREFIX}{source_digest(sources)}"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        _refuse_shared(root.resolve())
        _refuse_shared(folder)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)
        _drop_old(root, folder)
    except CacheRefused:
        raise
    except (OSError, RuntimeError) as problem:
        folder = Path(tempfile.mkdtemp(prefix="aister-kernels-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _say(
            f"the kernel cache cannot be written ({problem}): kernels compile anew in each process until AISTER_CACHE "
            "names a folder that can"
        )
    return folder


def _refuse_shared(folder: Path) -> None:
    if not hasattr(os, "getuid"):
        return
    status = folder.lstat()
    remedy = f"delete {folder} or set AISTER_CACHE to a folder of your own"
    if not stat.S_ISDIR(status.st_mode):
        raise CacheRefused(f"the kernel cache {folder} is not a plain folder: {remedy}")
    if status.st_uid != os.getuid():
        raise CacheRefused(f"the kernel cache {folder} belongs to user {status.st_uid}, not to you: {remedy}")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheRefused(f"the kernel cache {folder} may be written by others: chmod go-w it, or {remedy}")


def _drop_old(root: Path, current: Path) -> None:
    newest = current.stat().st_mtime
    for folder in root.glob(f"{_PREFIX}*"):
        if folder != current and folder.lstat().st_mtime < newest - _OLD_S:
            shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    print(f"aister: {line}", file=sys.stderr, flush=True)


class _SayOnce(event.Listener):
    """Says once that kernels are being compiled. numba sends the event on a cache miss only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = False

    def on_start(self, happened: event.Event) -> None:
        if not self.said and happened.data["dispatcher"].py_func.__module__.startswith("aister."):
            self.said = True
            _say(f"compiling kernels (first use on this machine; kept in {self.folder})")

    def on_end(self, happened: event.Event) -> None:
        pass
