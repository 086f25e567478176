"""The journal's SQLite file: its tables, how it is opened, and every way it can fail as one sentence.

The standard library's sqlite3 and not SQLAlchemy: a durable flush stands before every order, and one row with its
commit costs 42 us here against 127 us through SQLAlchemy Core, whose import alone takes longer than verifying a month
of records. PostgreSQL later means a second file of this size behind the same port.

Rows are only ever added; triggers refuse UPDATE and DELETE through any connection that has not removed them, and the
seals find whoever did.
"""

import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from aister.core.errors import AisterError, JournalError, StorageError

__all__ = ["connect", "connect_reading", "failure", "file_failure", "journal_path", "open_database"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (
    chain_id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, kind TEXT NOT NULL, identity TEXT NOT NULL,
    number INTEGER NOT NULL, side TEXT NOT NULL, seal BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS segment (
    chain_id TEXT NOT NULL, owner_id TEXT NOT NULL, first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
    previous BLOB NOT NULL, head BLOB NOT NULL, side TEXT NOT NULL, mac BLOB NOT NULL, blob BLOB NOT NULL,
    PRIMARY KEY (chain_id, first_sequence)
);
CREATE TABLE IF NOT EXISTS aside (
    chain_id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, side TEXT NOT NULL, seal BLOB NOT NULL
);
"""
_WALLS = "".join(
    f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;\n"
    for table in ("chain", "segment", "aside")
    for verb in ("UPDATE", "DELETE")
)


def journal_path(home: Path) -> Path:
    return home / "journal.sqlite"


def connect(home: Path, busy_s: float) -> sqlite3.Connection:
    """The journal opened for writing (made if need be, 0600, WAL). Raises `StorageError`, or `JournalError` when the
    file is no journal."""
    path = journal_path(home)
    try:
        return open_database(path, _SCHEMA + _WALLS, _VERSION, busy_s)
    except sqlite3.Error as error:
        raise failure(error, path, busy_s) from None


def open_database(path: Path, schema: str, version: int, busy_s: float) -> sqlite3.Connection:
    """An SQLite file opened for writing (made if need be, 0600, WAL), with this schema when it is new. Raises
    `sqlite3.Error`, or `StorageError` when the folder cannot be used or the file is of a newer version."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        try:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, version):
                raise StorageError(
                    f"{path} was written by a newer AISTER (form {found}); upgrade, or set AISTER_HOME elsewhere."
                )
            _write_ahead(connection, busy_s)
            if found == 0:
                connection.executescript(f"BEGIN IMMEDIATE;{schema}PRAGMA user_version={version};COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection
    except OSError as error:
        raise file_failure(error, path) from None


def _write_ahead(connection: sqlite3.Connection, busy_s: float) -> None:
    """Switches a new file to WAL. SQLite does not wait for its lock here, so two first starts at once are waited
    out."""
    until = time.monotonic() + busy_s
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                raise
            time.sleep(0.01)


def connect_reading(home: Path, busy_s: float = 60.0) -> sqlite3.Connection:
    """The journal opened for reading only, also from a read-only place. Raises as `connect`; the file must exist."""
    path = journal_path(home)
    address = f"file:{quote(str(path))}?mode=ro"
    try:
        try:
            return _reading(address, busy_s)
        except sqlite3.OperationalError as error:
            log = path.with_name(f"{path.name}-wal")
            if os.access(path.parent, os.W_OK) or not path.exists() or (log.exists() and log.stat().st_size):
                raise error
            return _reading(f"{address}&immutable=1", busy_s)
    except sqlite3.Error as error:
        raise failure(error, path, busy_s) from None


def _reading(address: str, busy_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def failure(error: sqlite3.Error, path: Path, busy_s: float, what: str = "the journal's file") -> AisterError:
    """The sentence for what SQLite said."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StorageError(
            f"{path} has been locked by another program for {busy_s:g} s; close that program and start again."
        )
    if name.startswith("SQLITE_READONLY"):
        return StorageError(f"{path} is read-only; make it writable or set AISTER_HOME to a folder of your own.")
    if path.is_dir():
        return StorageError(f"{path} is a folder where {what} belongs; move it away and start again.")
    if name.startswith("SQLITE_CANTOPEN"):
        return StorageError(
            f"{path} cannot be opened; check that the folder exists, is yours and its disk is not full or read-only."
        )
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StorageError(
            f"{path} cannot be written ({error}): the disk is full, over quota or failing; "
            "free space and start again, everything flushed is intact."
        )
    return JournalError(
        f"{path} is damaged ({error}); move it away with its -wal file (keep both) or restore a backup, "
        "then start again."
    )


def file_failure(error: OSError, path: Path) -> StorageError:
    """The sentence for what the operating system said."""
    return StorageError(
        f"{error.filename or path} cannot be used ({error.strerror}); "
        "free the disk or set AISTER_HOME to a folder you can write."
    )
