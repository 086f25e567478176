"""Files that are there whole or not at all."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["TEMPORARY", "locked", "sha256_of", "write_once", "write_whole"]

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


def write_once(path: Path, content: Callable[[int], bytes]) -> None:
    """Writes beside the name, syncs, and links it there, for its owner only: of two first starts at once, one wins,
    whole. `content` is told the file's inode number. Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content(os.fstat(descriptor).st_ino))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


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
