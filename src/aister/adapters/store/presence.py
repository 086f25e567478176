"""That the process which trades an account lives: a file it has locked until it ends, however it ends.

The lease alone cannot tell a dead holder from a silent one before its time is over. The kernel can: it lets go of the
lock when the process is gone, and not while it is merely stopped. Whoever locks the file writes the epoch of its lease
into it, and whoever gets the lock after it knows that the holder of that lease, and of no other, is dead: a trader that
took over from one that stood still could not have the lock.
"""

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["Presence"]

_DIGITS = 20


class Presence:
    """Of one account, in this home. `dead`: the epoch of a lease whose holder is known to have ended, -1 for none.
    `epoch`: the newest lease the file was told of, -1 for none. Raises `StorageError` when the file cannot be used."""

    def __init__(self, home: Path, account: str) -> None:
        path = home / "locks" / f"account-{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        self._locked = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._lock()
            self.epoch = self._read()
        except OSError as error:
            raise StorageError(f"{path} cannot be used ({error.strerror}); make it a file of your own.") from None
        self.dead = self.epoch if self._locked else -1

    def keep(self, epoch: int) -> None:
        """This process holds the lease of that epoch. Call it again from time to time: whoever had the lock may have
        ended. What cannot be written costs the next trader the wait for the lease's end, nothing else."""
        if self._file < 0 or (self._locked and self.epoch == epoch):
            return
        with suppress(OSError):
            self._lock()
            if self._locked:
                os.pwrite(self._file, f"{epoch:0{_DIGITS}d}".encode("ascii"), 0)
                self.epoch = epoch

    def close(self) -> None:
        """May be called twice."""
        file, self._file, self._locked = self._file, -1, False
        if file >= 0:
            os.close(file)

    def _lock(self) -> None:
        with suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._locked = True

    def _read(self) -> int:
        written = os.pread(self._file, _DIGITS + 1, 0)
        return int(written) if len(written) == _DIGITS and written.isdigit() else -1
