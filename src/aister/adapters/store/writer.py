"""Writing one chain: records gather in memory, leave as sealed segments, and the head follows each commit."""

import contextlib
import fcntl
import os
import platform
import sqlite3
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import msgspec

from aister.adapters.store.chain import SEGMENT_RECORDS, Segment, decode, encode, last_record, sealed_segment
from aister.adapters.store.database import failure, file_failure, journal_path
from aister.adapters.store.heads import HeadFile, head_path, read_heads
from aister.adapters.store.keys import JournalKey
from aister.adapters.store.putting_back import place_of, put_back
from aister.adapters.store.rows import Chain, newest_segment, opened_segments
from aister.adapters.store.verify import verify_chain
from aister.core.audit import Audit
from aister.core.errors import JournalError, StorageError

__all__ = ["DURABILITY", "SqliteJournal", "beside"]

DURABILITY = {
    "normal": "normal: a killed process loses nothing flushed, a power loss at most the last second",
    "full": "full: every flush waits for the disk, nothing flushed is ever lost",
}
_SYNC_S = 0.5
_ELSE = ", or answer for going on without them: aister journal accept-rollback"
_LOG_BYTES = 4 << 20
_LOG_PAGES = 16_384
_VERSION = version("aister")
_INSERT = (
    "INSERT INTO segment (chain_id, owner_id, first_sequence, last_sequence, previous, head, side, mac, blob) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class SqliteJournal:
    """Implements `ports.journal.Journal`; made by `open_chain`. `notes` says what opening found that was not an
    error.

    After a `StorageError` from `append` or `flush` nothing that had been flushed is lost and what was not is still
    held: once the disk has room again, `flush` may be called again.
    """

    def __init__(
        self,
        home: Path,
        chain: Chain,
        key: JournalKey,
        connection: sqlite3.Connection,
        lock: int,
        mode: str,
        busy_s: float,
    ) -> None:
        report = verify_chain(connection, chain, key, home)
        if not report.intact:
            rolled_back = chain.kind == "live" and report.code == "tail"
            raise JournalError(
                f"Chain {chain.chain_id} does not verify: {report.message} "
                f"Run with --fresh to set it aside (it is kept), or restore a backup{_ELSE if rolled_back else ''}.",
                report.sequence,
            )
        self.chain, self.notes = chain, report.notes
        self._home, self._key, self._connection, self._lock, self._mode, self._busy_s = (
            home,
            key,
            connection,
            lock,
            mode,
            busy_s,
        )
        self._next = self._first = report.records
        self._previous = bytes.fromhex(report.head)
        self._records: list[bytes] = []
        self._unsaved: list[Segment] = []
        self._saved = (self._next, self._previous)
        self._synced = 0
        self._created_ms = -1
        self._side = ""
        path = head_path(home, chain.chain_id)
        self._heads = HeadFile(path, key, chain.chain_id, mode, read_heads(path, key, chain.chain_id)[0][0].turn)
        self._set_durability()
        self._path = str(journal_path(home))
        self._place, self._gone = place_of(self._path), False
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._sync_error: OSError | None = None
        self._syncer = threading.Thread(target=self._keep_syncing, name="journal-sync", daemon=True)
        if mode == "normal":
            self._syncer.start()
        self._write_head()

    @property
    def durability(self) -> str:
        """The mode and what it promises, for benches and reports to print."""
        return DURABILITY[self._mode]

    @property
    def sequence(self) -> int:
        return self._next

    @property
    def head(self) -> str:
        self._pack()
        return self._previous.hex()

    def append(self, audit: Audit) -> None:
        """Chain one record. Every 1,000 records are written at once, so memory stays flat without a flush."""
        if audit.sequence != self._next:
            raise JournalError(
                f"Record {audit.sequence} was offered where {self._next} belongs; start the run again.", self._next
            )
        records = self._records
        records.append(encode(audit))
        self._next += 1
        if len(records) >= SEGMENT_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Commit everything appended, then write the head."""
        self._pack()
        if self._unsaved:
            self._commit()
            self._write_head()

    def records(self) -> Iterator[Audit]:
        """Every durable record from the first, one segment in memory at a time."""
        for segment, opened in opened_segments(self._connection, self.chain, self._key):
            for sequence, record in enumerate(opened.records, segment.first):
                yield decode(record, sequence)

    def newest(self) -> Audit | None:
        """The newest durable record, None when there is none."""
        segment = newest_segment(self._connection, self.chain.chain_id)
        return last_record(segment) if segment else None

    def close(self) -> None:
        """Flush, make durable and let go of the chain. Closing twice is harmless."""
        if self._lock < 0:
            return
        try:
            self.flush()
            self._stop_syncing()
            self._synced = self._sync_log(self._saved[0])
            self._write_head(durable=True)
        finally:
            self._stop_syncing()
            self._connection.close()
            self._heads.close()
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> "SqliteJournal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pack(self) -> None:
        """Turn the buffered records into a sealed segment, still unsaved."""
        if not self._records:
            return
        segment = sealed_segment(
            self._key,
            self.chain.chain_id,
            self.chain.owner_id,
            self._first,
            self._previous,
            self._records,
            self._beside(),
        )
        self._unsaved.append(segment)
        self._records = []
        self._first, self._previous = self._next, segment.head

    def _beside(self) -> str:
        """What lies beside the records: when (wall clock), where, which version."""
        now = time.time_ns() // 1_000_000
        if now != self._created_ms:
            self._created_ms, self._side = now, beside(now)
        return self._side

    def _commit(self) -> None:
        if self._sync_error:
            raise file_failure(self._sync_error, journal_path(self._home))
        if place_of(self._path) != self._place:
            self._put_back()
        connection = self._connection
        try:
            if len(self._unsaved) == 1:  # a statement of its own is a transaction of its own
                connection.execute(_INSERT, msgspec.structs.astuple(self._unsaved[0]))
            else:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_INSERT, map(msgspec.structs.astuple, self._unsaved))
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise failure(error, journal_path(self._home), self._busy_s) from None
        newest = self._unsaved[-1]
        self._unsaved = []
        self._saved = (newest.last + 1, newest.head)
        if self._mode == "full":
            self._synced = newest.last + 1

    def _put_back(self) -> None:
        """Somebody deleted the database. That is said first, because what is to leave now cannot wait for a copy."""
        if not self._gone:
            self._gone = True
            raise StorageError(f"{journal_path(self._home)} is gone; it is put back from what is open here.")
        self._connection = put_back(self._connection, self._home, self._busy_s)
        self._set_durability()
        self._place, self._gone = place_of(self._path), False

    def _set_durability(self) -> None:
        self._connection.execute(f"PRAGMA synchronous={self._mode.upper()}")
        self._connection.execute("PRAGMA fullfsync=ON")
        if self._mode == "normal":
            self._connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")

    def _write_head(self, durable: bool = False) -> None:
        with self._guard:
            self._heads.write(*self._saved, self._synced, durable or self._mode == "full")

    def _keep_syncing(self) -> None:
        """While it fails nothing is committed, and it is tried again. A system that could not write a log says so once
        and then takes it for written: what a failed sync leaves in doubt is written anew, into the database itself."""
        doubtful = False
        while not self._stop.wait(_SYNC_S):
            saved = self._saved[0]
            if self._synced < saved or self._sync_error:
                try:
                    if doubtful:
                        self._empty_log()
                    doubtful = True
                    self._synced = self._sync_log(saved)
                    doubtful = False
                    self._write_head()
                    self._sync_error = None
                    self._move_log()
                except (OSError, StorageError, sqlite3.Error) as error:
                    self._sync_error = error if isinstance(error, OSError) else OSError(5, str(error))

    def _sync_log(self, saved: int) -> int:
        """Ask the disk to hold the write-ahead log, and with it everything saved. Only ever the log: closing another
        descriptor of the database file itself would drop SQLite's own locks on it."""
        path = journal_path(self._home)
        try:
            descriptor = os.open(path.with_name(f"{path.name}-wal"), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return saved
        try:
            if hasattr(fcntl, "F_FULLFSYNC"):
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            else:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return saved

    def _move_log(self) -> None:
        """Move a long write-ahead log into the database here, where nobody waits for it. The writer does so itself only
        when it is so fast that the log never rests (`_LOG_PAGES`)."""
        path = journal_path(self._home)
        there = f"{path.as_uri()}?mode=rw"  # a database that was deleted is not begun anew
        with contextlib.ExitStack() as held:
            held.enter_context(contextlib.suppress(sqlite3.Error, FileNotFoundError))
            mover = held.enter_context(contextlib.closing(sqlite3.connect(there, uri=True, timeout=0)))
            if path.with_name(f"{path.name}-wal").stat().st_size > _LOG_BYTES:
                mover.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _empty_log(self) -> None:
        """Move the whole write-ahead log into the database and have the disk hold that."""
        if place_of(self._path) != self._place:
            return  # somebody deleted the database: the next commit puts it back whole
        there = f"{journal_path(self._home).as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(there, uri=True, timeout=0)) as mover:
            (busy, *_) = mover.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageError("the log is in use while it is written anew.")

    def _stop_syncing(self) -> None:
        self._stop.set()
        if self._syncer.is_alive():
            self._syncer.join()


_MAKER = f'"host":{msgspec.json.encode(platform.node()).decode()},"version":{msgspec.json.encode(_VERSION).decode()}'


def beside(now_ms: int) -> str:
    """What is said of the making of a row: sealed with it, never part of the chain's hash."""
    return f'{{"wall_ms":{now_ms},{_MAKER},"pid":{os.getpid()}}}'
