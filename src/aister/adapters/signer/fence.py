"""The newest lease of an account, for every signer of it: an account may have several keys, and the signer of one is
not told when a trader with another key takes over (C4)."""

import fcntl
import hashlib
import os
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["AccountFence"]

_DIGITS = 20


class AccountFence:
    """One small file beside what the signers of a home remember, read at every signature. It only ever rises."""

    def __init__(self, folder: Path, net: str, account: str) -> None:
        name = hashlib.sha256(f"{net} {account.lower()}".encode()).hexdigest()[:16]
        self._path = str(folder / f"account-{name}.epoch")

    def newest(self) -> int:
        """The highest epoch any signer of the account has seen, -1 for none or unknown."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1
        try:
            return _read(file)
        except OSError:
            return -1
        finally:
            os.close(file)

    def raise_to(self, epoch: int) -> None:
        """On the disk itself when this returns. Raises `StorageError`."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _read(file) < epoch:
                    os.pwrite(file, f"{epoch:0{_DIGITS}d}".encode("ascii"), 0)
                    os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written ({error.strerror}); free the disk.") from None


def _read(file: int) -> int:
    written = os.pread(file, _DIGITS + 1, 0)
    return int(written) if len(written) == _DIGITS and written.isdigit() else -1
