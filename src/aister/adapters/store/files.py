"""Files that are there whole or not at all."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["TEMPORARY", "locked", "sha256_of", "write_whole"]

TEMPORARY = ".tmp-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_whole(path: Path, data: bytes) -> None:
    """Writes beside the target, syncs, then renames: after a crash the path holds the old file or the new one.

    Raises `StorageError` when the disk is full, read-only or the folder cannot be made; nothing is left behind then.
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise StorageError(
                f"There is no room to write {path} ({error.strerror}); free some space and try again."
            ) from error
        raise StorageError(f"{path} cannot be written ({error.strerror}); check the folder.") from error
    with suppress(OSError):  # the rename is done; some file systems cannot sync a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One writer at a time. Raises `StorageError` when another process is writing. The lock dies with its process."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written ({error.strerror}); check the folder.") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(f"Another process is writing {folder}; wait for it and try again.") from None
        yield
    finally:
        os.close(handle)
