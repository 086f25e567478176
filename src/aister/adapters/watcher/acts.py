"""What a watcher has done: one JSON object per line in `AISTER_HOME/watch/NAME.jsonl`, readable by its owner only."""

import contextlib
import os
from pathlib import Path

import msgspec

from aister.execution.watchman import Act

__all__ = ["ActLog", "acts_path", "read_acts"]

_LARGEST = 4 << 20


def acts_path(home: Path, name: str) -> Path:
    return home / "watch" / f"{name}.jsonl"


class ActLog:
    """Written at once, synced, never in the way: what cannot be written is still done. A file grown beyond 4 MB is set
    aside as NAME.jsonl.1."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.written = 0

    def write(self, act: Act) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > _LARGEST:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, msgspec.json.encode(act) + b"\n")
                os.fdatasync(file)
            finally:
                os.close(file)
            self.written += 1


def read_acts(path: Path) -> list[Act]:
    """Every whole line; a last one cut off by a power loss is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    acts = []
    for line in lines:
        with contextlib.suppress(msgspec.MsgspecError):
            acts.append(msgspec.json.decode(line, type=Act))
    return acts
