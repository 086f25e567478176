"""A copy of SQLite's file as it was before its schema changed."""

import os
import sqlite3
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["keep_copy"]


def keep_copy(file: Path, revision: str) -> Path:
    """Beside it, named after the revision it is at, for its owner only; whole and on the disk when this returns, also
    when somebody writes meanwhile. Nothing is replaced. Raises `StorageError` when it cannot be made."""
    target = _free(file, revision)
    try:
        with (
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file and nothing beside it
        _to_disk(target)
        _to_disk(target.parent)
    except (OSError, sqlite3.Error) as error:
        for leaf in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                Path(f"{target}{leaf}").unlink()
        raise StorageError(
            f"{file} could not be copied first ({error}); free some disk, nothing was changed."
        ) from None
    return target


def _free(file: Path, revision: str) -> Path:
    for number in count(1):
        target = file.with_name(f"{file.stem}.at-{revision}{'' if number == 1 else f'-{number}'}{file.suffix}")
        try:
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        except OSError as error:
            raise StorageError(
                f"{target} cannot be made ({error.strerror}); free the disk; nothing was changed."
            ) from None
        return target
    raise AssertionError


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
