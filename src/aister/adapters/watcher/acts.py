"""What a watcher has done: one JSON object per line in `AISTER_HOME/watch/NAME.jsonl`, readable by its owner only."""

import contextlib
import os
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import msgspec

from aister.execution.watchman import Act

__all__ = ["ActLog", "acts_path", "read_acts"]

_LARGEST = 4 << 20


def acts_path(home: Path, name: str) -> Path:
    return home / "watch" / f"{name}.jsonl"


class ActLog:
    """Written and synced in a thread of its own, never in the way: nobody waits for the disk, and what cannot be
    written is still done. A file grown beyond 4 MB is set aside as NAME.jsonl.1."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: SimpleQueue[Act | None] = SimpleQueue()
        self._writer = Thread(target=self._write_all, daemon=True)

    def write(self, act: Act) -> None:
        """Have it written soon, after those before it."""
        if self._writer.ident is None:
            self._writer.start()
        self._waiting.put(act)

    def close(self, patience_s: float = 2.0) -> None:
        """Wait for what is not written yet, unless the disk takes too long. Nothing is written after it."""
        if self._writer.ident is not None:
            self._waiting.put(None)
            self._writer.join(patience_s)

    def _write_all(self) -> None:
        while (act := self._waiting.get()) is not None:
            with contextlib.suppress(OSError):
                self._write(act)

    def _write(self, act: Act) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > _LARGEST:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, msgspec.json.encode(act) + b"\n")
            os.fdatasync(file)
        finally:
            os.close(file)


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
