"""The file a user named: read once, whole, and hashed, so that what was shown is what runs."""

import hashlib
import os
import stat
from pathlib import Path

import msgspec

from aister.core.errors import UsageError

__all__ = ["PythonSource", "read_strategy"]

_LARGEST = 1_048_576


class PythonSource(msgspec.Struct, frozen=True):
    """name: of the file; text: its source; sha256: of its bytes, in hex."""

    name: str
    text: str
    sha256: str


def read_strategy(path: Path) -> PythonSource:
    """The strategy in this local file. Raises `UsageError` when it is no plain file, larger than 1 MB or not UTF-8.

    Nothing of it runs here, and what runs later is this text, not what the file then holds.
    """
    try:
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as refused:
        raise UsageError(f"{path} cannot be read ({refused.strerror}); name a Python file on this machine.") from None
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise UsageError(f"{path} is not a plain file; name a Python file on this machine.")
    with open(opened, "rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise UsageError(f"{path} is larger than 1 MB; a strategy's source is not.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    return PythonSource(path.name, text, hashlib.sha256(data).hexdigest())
