"""That the process which trades an account lives: a file it has locked until it ends, however it ends.

The lease alone cannot tell a dead holder from a silent one before its time is over. The kernel can: it lets go of the
lock when the process is gone, and not while it is merely stopped. Whoever gets the lock is alone on this machine.
"""

import fcntl
import hashlib
import os
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["Presence"]


class Presence:
    """Of one account, in this home. `alone`: nobody else who trades it lives. Raises `StorageError` when the file
    cannot be used."""

    def __init__(self, home: Path, account: str) -> None:
        path = home / "locks" / f"account-{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.alone = self._locked()
        except OSError as error:
            raise StorageError(f"{path} cannot be used ({error.strerror}); make it a file of your own.") from None

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """May be called twice."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
