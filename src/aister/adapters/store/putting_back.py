"""When the journal's database is deleted under the trader: what was in it is still open here, and is put back."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from aister.adapters.store.database import connect, failure, file_failure, journal_path
from aister.core.errors import StorageError

__all__ = ["place_of", "put_back"]


def place_of(path: Path | str) -> tuple[int, int] | None:
    """Which file lies there (device, inode); None for nothing, or nothing but an empty file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


def put_back(connection: sqlite3.Connection, home: Path, busy_s: float) -> sqlite3.Connection:
    """Everything the deleted database held, in a file of its name, opened. The old connection is closed. Raises
    `StorageError` when there is no room, or another file has taken its place: that one may hold another history."""
    path = journal_path(home)
    if place_of(path) is not None:
        raise StorageError(
            f"{path} was exchanged while it was in use; put the right one back and start again: everything since is "
            "in the emergency log."
        )
    draft = path.with_name(f"{path.name}.put-back")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        connection.close()  # it removes the write-ahead log of its name, so it goes before the copy comes
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        draft.replace(path)
    except sqlite3.Error as error:
        raise failure(error, path, busy_s) from None
    except OSError as error:
        raise file_failure(error, path) from None
    return connect(home, busy_s)
