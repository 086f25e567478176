"""Reading a file that only its owner may read, and writing one."""

import os
import stat
from pathlib import Path

from aister.core.errors import CredentialError, StorageError

__all__ = ["private_text", "write_private"]

_LARGEST = 16_384


def private_text(path: Path, absent: str, *, roots: bool = False) -> str:
    """What the plain file holds. `absent`: the sentence when it is not there; `roots`: root may own it and its folder
    as well. Raises `CredentialError`."""
    owners = {os.getuid(), 0} if roots else {os.getuid()}
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CredentialError(absent) from None
    except OSError as error:
        raise CredentialError(f"{path} cannot be read ({error.strerror}); make it a plain file of your own.") from None
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in owners or stat.S_IMODE(found.st_mode) & 0o077:
            raise CredentialError(f"{path} can be read by others; make it a plain file of your own and chmod 600 it.")
        folder = path.parent.stat()
        if folder.st_uid not in owners or stat.S_IMODE(folder.st_mode) & 0o022:
            raise CredentialError(f"{path.parent} can be written by others; make it yours and chmod 700 it.")
        return os.read(opened, _LARGEST).decode("utf-8")
    finally:
        os.close(opened)


def write_private(path: Path, text: str) -> None:
    """Replace the file whole, 0600 from its first byte on, one writer at a time. Raises `StorageError`; the old one is
    then as it was."""
    draft = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written ({error.strerror}); nothing was changed in it.") from None
