"""The trial ledger on SQLite, and one in memory.

`trials.sqlite` in `AISTER_HOME` (0600), shared by all owners and processes of the instance: any number may add at once,
each batch is one transaction that waits for the disk. Rows are only ever added; triggers refuse UPDATE and DELETE. A
record carries a digest of its bytes, so that a damaged one is refused instead of believed."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aister.adapters.store.database import failure, open_database
from aister.core.errors import StorageError
from aister.core.trial import Calendar, Trial, TrialOutcome, aligned, touches

__all__ = ["MemoryTrials", "SqliteTrials", "trials_path"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS trial (
    number INTEGER PRIMARY KEY, trial_id TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL, kind TEXT NOT NULL,
    made_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS touched (
    symbol TEXT NOT NULL, trial_id TEXT NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    PRIMARY KEY (symbol, trial_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
    trial_id TEXT NOT NULL, outcome TEXT NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (trial_id, outcome)
);
""" + "".join(
    f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the trial ledger is append-only'); END;\n"
    for table in ("trial", "touched", "record")
    for verb in ("UPDATE", "DELETE")
)
_PAGE = 500
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Trial).decode


def trials_path(home: Path) -> Path:
    return home / "trials.sqlite"


class SqliteTrials:
    """Implements `ports.trials.TrialLedger` on `home`/trials.sqlite. One object serves one thread at a time; other
    processes and objects may use the same file. Raises `StorageError` from every method when the file is locked for
    longer than `busy_s` seconds, cannot be written, was written by a newer version, or is damaged."""

    def __init__(self, home: Path, *, busy_s: float = 60.0) -> None:
        self._path, self._busy_s = trials_path(home), busy_s
        with self._errors():
            self._connection = open_database(self._path, _SCHEMA, _VERSION, busy_s)
            self._connection.execute("PRAGMA synchronous=FULL")

    def add(self, trial: Trial) -> bool:
        return self.add_many((trial,)) == 1

    def add_many(self, trials: Iterable[Trial]) -> int:
        kept = [(one.id, one) for one in trials]
        bodies = [(trial_id, str(one.outcome), _encode(one)) for trial_id, one in kept]
        records = [(trial_id, outcome, _digest(body), body) for trial_id, outcome, body in bodies]
        rows = [(trial_id, one.owner_id, one.kind, one.made_ms) for trial_id, one in kept]
        spans = [(symbol, trial_id, *one.span_ms) for trial_id, one in kept for symbol in one.symbols]
        with self._errors():
            add = self._connection.executemany
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                new = add("INSERT OR IGNORE INTO trial (trial_id, owner_id, kind, made_ms) VALUES (?, ?, ?, ?)", rows)
                add("INSERT OR IGNORE INTO touched (symbol, trial_id, start_ms, end_ms) VALUES (?, ?, ?, ?)", spans)
                add("INSERT OR IGNORE INTO record (trial_id, outcome, digest, body) VALUES (?, ?, ?, ?)", records)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return max(0, new.rowcount)

    def count(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> int:
        names = sorted(set(symbols))
        with self._errors():
            found = self._connection.execute(
                f"SELECT count(DISTINCT trial_id) FROM touched WHERE {_touching(names)}", (*names, *reversed(span_ms))
            )
            return int(found.fetchone()[0])

    def overlapping(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> Iterator[Trial]:
        names, after = sorted(set(symbols)), 0
        query = (
            f"SELECT number, trial_id FROM trial WHERE number > ? AND trial_id IN "
            f"(SELECT trial_id FROM touched WHERE {_touching(names)}) ORDER BY number LIMIT {_PAGE}"
        )
        while True:
            with self._errors():
                page = self._connection.execute(query, (after, *names, *reversed(span_ms))).fetchall()
                found = [self._read(trial_id) for _, trial_id in page]
            yield from found
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def returns(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> Calendar:
        return aligned(list(self.overlapping(symbols, span_ms)))

    def close(self) -> None:
        self._connection.close()

    def _read(self, trial_id: str) -> Trial:
        """What it finished with, if it did. Outcomes sort: aborted, finished."""
        row = self._connection.execute(
            "SELECT digest, body FROM record WHERE trial_id = ? ORDER BY outcome DESC LIMIT 1", (trial_id,)
        ).fetchone()
        if row is None or row[0] != _digest(row[1]):
            raise StorageError(
                f"{self._path}: the record of trial {trial_id[:12]} is damaged; restore a backup of that file."
            )
        return _decode(row[1])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(str(failure(error, self._path, self._busy_s, "the trial ledger's file"))) from None


class MemoryTrials:
    """Implements `ports.trials.TrialLedger` without a file: nothing survives it."""

    def __init__(self) -> None:
        self._trials: dict[str, Trial] = {}

    def add(self, trial: Trial) -> bool:
        return self.add_many((trial,)) == 1

    def add_many(self, trials: Iterable[Trial]) -> int:
        before = len(self._trials)
        for one in trials:
            known = self._trials.setdefault(one.id, one)
            if known.outcome is TrialOutcome.ABORTED and one.outcome is TrialOutcome.FINISHED:
                self._trials[one.id] = one
        return len(self._trials) - before

    def count(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> int:
        return sum(1 for _ in self.overlapping(symbols, span_ms))

    def overlapping(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> Iterator[Trial]:
        names = frozenset(symbols)
        return (one for one in tuple(self._trials.values()) if touches(one, names, span_ms))

    def returns(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> Calendar:
        return aligned(list(self.overlapping(symbols, span_ms)))

    def close(self) -> None:
        """Nothing to release."""


def _touching(names: list[str]) -> str:
    return f"symbol IN ({', '.join('?' * len(names))}) AND start_ms < ? AND end_ms > ?"


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
