"""What may leave the house when the journal cannot be written: a file kept ready, and the journal that falls back on it
(C8).

Full disk, read-only disk, a lock somebody holds, a deleted database: none of them may stop a stop. Records then go into
4 MB that were written and synced when the run began, each sealed with the journal's key, and the runner hands on what
reduces and nothing else. They are the very records that the chain is still owed, so that they are merged by appending
them: when the journal can be written again, or at the next start. A record the chain has already is left out, however
often that is tried.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from aister.adapters.store.chain import decode, encode
from aister.adapters.store.database import file_failure
from aister.adapters.store.frames import emergency_path, frame, frames_of
from aister.adapters.store.journal import SqliteJournal
from aister.adapters.store.keys import JournalKey, journal_key
from aister.core.audit import Audit
from aister.core.errors import JournalError, JournalImpaired, StorageError

__all__ = ["EMERGENCY_BYTES", "EmergencyLog", "GuardedJournal", "emergency_path", "guarded"]

EMERGENCY_BYTES = 4 << 20
_RETRY_S = 1.0


class EmergencyLog:
    """Frames (see `frames`) in a file of `size` bytes. Clearing writes an empty frame of the next generation over the
    first. Raises `StorageError` when the file cannot be made or written."""

    def __init__(self, path: Path, key: JournalKey, chain_id: str, size: int = EMERGENCY_BYTES) -> None:
        self._path, self._key, self._chain_id, self._size = path, key, chain_id, size
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_size != size:
                self._wipe()
            self._generation, self._end, self._kept = self._read()
        except OSError as error:
            raise file_failure(error, path) from None

    def __len__(self) -> int:
        return len(self._kept)

    def records(self) -> list[Audit]:
        """What is in it, oldest first."""
        return [decode(body, sequence) for sequence, body in self._kept]

    def keep(self, audits: Sequence[Audit]) -> None:
        """On the disk itself when this returns."""
        bodies = [(audit.sequence, encode(audit)) for audit in audits]
        frames = b"".join(self._frame(sequence, body) for sequence, body in bodies)
        if self._end + len(frames) > self._size:
            raise StorageError(
                f"Neither the journal nor {self._path} takes any more: close the position on the venue's own page, "
                "free the disk, and start again."
            )
        try:
            os.pwrite(self._file, frames, self._end)
            os.fdatasync(self._file)
        except OSError as error:
            raise file_failure(error, self._path) from None
        self._end += len(frames)
        self._kept += bodies

    def clear(self) -> None:
        """Forget everything: the chain has it."""
        try:
            self._generation += 1
            os.pwrite(self._file, self._frame(0, b""), 0)
            os.fdatasync(self._file)
        except OSError as error:
            raise file_failure(error, self._path) from None
        self._end, self._kept = 0, []

    def close(self) -> None:
        """Let go of the file, and of its room when nothing is in it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            if not self._kept:
                with suppress(OSError):
                    self._path.unlink(missing_ok=True)

    def _frame(self, sequence: int, body: bytes) -> bytes:
        return frame(self._key, self._chain_id, self._generation, sequence, body)

    def _wipe(self) -> None:
        """Every byte is written now, so that no disk can say later that it has no room."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, bytes(self._size), 0)
        os.fsync(self._file)

    def _read(self) -> tuple[int, int, list[tuple[int, bytes]]]:
        """Generation, where the next frame goes, and what is kept."""
        found = frames_of(os.pread(self._file, self._size, 0), self._key, self._chain_id)
        if found.torn:
            self._wipe()
        return found.generation, found.end, found.kept


class GuardedJournal:
    """Port `Journal` over a chain that may fail. `flush` raises `JournalImpaired` when the records are in the emergency
    log instead: what reduces may then leave. It raises `StorageError` when they are nowhere: then nothing may. While it
    is `impaired` the chain is tried again every `retry_s` at most."""

    def __init__(
        self,
        journal: SqliteJournal,
        log: EmergencyLog,
        *,
        retry_s: float = _RETRY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal, self._log = journal, log
        self._retry_s, self._monotonic = retry_s, monotonic
        self._owed: list[Audit] = []
        self._again_s = 0.0
        self.impaired = ""
        """Why the chain cannot be written; "" while it can."""
        self.chain = journal.chain
        self.merged = self._merge()
        """How many records the chain was owed from before."""

    @property
    def sequence(self) -> int:
        return self._journal.sequence

    @property
    def head(self) -> str:
        return self._journal.head

    @property
    def durability(self) -> str:
        return self._journal.durability

    @property
    def notes(self) -> tuple[str, ...]:
        return self._journal.notes

    def append(self, audit: Audit) -> None:
        """Chain one record. The chain takes it whatever the disk says."""
        self._owed.append(audit)
        try:
            self._journal.append(audit)
        except StorageError as error:
            self._fails(error)

    def flush(self) -> None:
        if not self.impaired or self._monotonic() >= self._again_s:
            try:
                self._journal.flush()
            except StorageError as error:
                self._fails(error)
            else:
                self._whole()
                return
        self._log.keep(self._owed[len(self._log) :])
        raise JournalImpaired(self.impaired)

    def records(self) -> Iterator[Audit]:
        return self._journal.records()

    def newest(self) -> Audit | None:
        """The newest durable record, None when there is none."""
        return self._journal.newest()

    def close(self) -> None:
        """Let go of both; what the chain could not take stays in the emergency log for the next start."""
        with suppress(JournalImpaired):
            self.flush()
        with suppress(StorageError):
            self._journal.close()
        self._log.close()

    def __enter__(self) -> "GuardedJournal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fails(self, error: StorageError) -> None:
        self.impaired, self._again_s = str(error), self._monotonic() + self._retry_s

    def _whole(self) -> None:
        self._owed.clear()
        self.impaired = ""
        if len(self._log):
            self._log.clear()

    def _merge(self) -> int:
        """Give the chain what an earlier process owed it. Raises `JournalError` when records between are missing."""
        merged = 0
        for audit in self._log.records():
            if audit.sequence > self._journal.sequence:
                raise JournalError(
                    f"The journal ends at record {self._journal.sequence} and the emergency log begins at "
                    f"{audit.sequence}: the database is older than it. Restore it, or start over with --fresh.",
                    self._journal.sequence,
                )
            if audit.sequence == self._journal.sequence:
                self._journal.append(audit)
                merged += 1
        if len(self._log):
            self._journal.flush()
            self._log.clear()
        return merged


def guarded(home: Path, journal: SqliteJournal, *, retry_s: float = _RETRY_S) -> GuardedJournal:
    """A chain with its emergency log; what an earlier process left in that is in the chain when this returns. Open the
    chain with a `busy_s` well below a second: its lock is waited for in the trader's loop. Raises `StorageError`, or
    `JournalError` when the chain is older than the log."""
    log = None
    try:
        key, chain_id = journal_key(home, make=False), journal.chain.chain_id
        log = EmergencyLog(emergency_path(home, chain_id), key, chain_id)
        return GuardedJournal(journal, log, retry_s=retry_s)
    except BaseException:
        journal.close()
        if log is not None:
            log.close()
        raise
