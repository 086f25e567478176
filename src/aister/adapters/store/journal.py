"""The journal on SQLite: one chain, one writer, records in sealed segments (see `chain.py`), the head beside it.

Durability, by name: in mode "normal" a killed process loses nothing that `flush` returned for, and a power loss at
most the last second (a thread asks the disk every half second while there is something new); in mode "full" every
flush waits for the disk and nothing flushed is ever lost.
"""

import fcntl
import os
import re
import sqlite3
import time
from pathlib import Path

from aister.adapters.store.catalogue import count_chains, start_catalogue
from aister.adapters.store.database import connect, failure, file_failure, journal_path
from aister.adapters.store.heads import head_path, start_heads
from aister.adapters.store.keys import JournalKey, journal_key
from aister.adapters.store.rows import Chain, chains, finished, stem
from aister.adapters.store.writer import DURABILITY, SqliteJournal, beside
from aister.core.errors import StorageError, UsageError

__all__ = ["DURABILITY", "SqliteJournal", "hold_chain", "open_chain"]


def open_chain(
    home: Path,
    owner_id: str,
    identity: str,
    kind: str,
    *,
    fresh: bool = False,
    mode: str = "normal",
    busy_s: float = 60.0,
) -> SqliteJournal:
    """The chain to write for this owner and identity: its unfinished one, verified, to be resumed; else a new one.

    `fresh` sets an unfinished chain aside (it stays readable) and starts anew. Raises `JournalError` when the chain
    does not verify (saying from which record on), `StorageError` when the disk, a permission or another program is in
    the way or the chain has a writer already, `UsageError` for an identity that cannot be a file name.
    """
    _checked(owner_id, identity, kind, mode)
    connection = connect(home, busy_s)
    lock = -1
    try:
        key = journal_key(home, make=not _used(connection))
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        known = chains(connection)
        if not known:
            start_catalogue(home, key)
        runs = [c for c in known if (c.owner_id, c.kind, c.identity) == (owner_id, kind, identity)]
        chain = runs[-1] if runs and not runs[-1].aside and not finished(connection, runs[-1].chain_id) else None
        if chain:
            lock = hold_chain(home, chain.chain_id)
            if fresh:
                _set_aside(connection, chain, key)
                os.close(lock)
                lock, chain = -1, None
        if chain is None:
            chain = _started(home, connection, key, owner_id, identity, kind, mode)
            lock = hold_chain(home, chain.chain_id)
        connection.execute("COMMIT")
        count_chains(home, connection, key)
        return SqliteJournal(home, chain, key, connection, lock, mode, busy_s)
    except BaseException as error:
        connection.close()
        if lock >= 0:
            os.close(lock)
        if isinstance(error, sqlite3.Error):
            raise failure(error, journal_path(home), busy_s) from None
        if isinstance(error, OSError):
            raise file_failure(error, home) from None
        raise


def _checked(owner_id: str, identity: str, kind: str, mode: str) -> None:
    if mode not in DURABILITY:
        raise UsageError(f"There is no durability mode {mode!r}; choose normal or full.")
    if not (
        re.fullmatch(r"[0-9A-Za-z._-]{1,128}", identity)
        and re.fullmatch(r"[a-z]{1,20}", kind)
        and 0 < len(owner_id) <= 128
    ):
        raise UsageError(
            f"A journal needs an owner, a kind in small letters and an identity of letters and digits, "
            f"not {owner_id!r}, {kind!r}, {identity!r}."
        )


def _used(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM chain LIMIT 1").fetchone() is not None


def _started(
    home: Path, connection: sqlite3.Connection, key: JournalKey, owner_id: str, identity: str, kind: str, mode: str
) -> Chain:
    """A new chain's row and, before it, its head file: a row without a head file is therefore always somebody's
    doing. A head file that is there already is left alone, for what it remembers."""
    name = stem(kind, identity)
    taken = connection.execute(
        "SELECT max(number) FROM chain WHERE kind = ? AND substr(identity, 1, 12) = ? AND typeof(number) = 'integer'",
        (kind, identity[:12]),
    ).fetchone()[0]
    number = (taken or 0) + 1
    while head_path(home, f"{name}{number}").exists():
        number += 1
    chain_id, side = f"{name}{number}", beside(time.time_ns() // 1_000_000)
    seal = key.seal("chain", chain_id, owner_id, kind, identity, number, side)
    chain = Chain(chain_id, owner_id, kind, identity, number, side, seal, None, None)
    start_heads(head_path(home, chain_id), key, chain_id, mode, chain.genesis)
    row = (chain_id, owner_id, kind, identity, number, side, seal)
    connection.execute(
        "INSERT INTO chain (chain_id, owner_id, kind, identity, number, side, seal) VALUES (?, ?, ?, ?, ?, ?, ?)", row
    )
    return chain


def _set_aside(connection: sqlite3.Connection, chain: Chain, key: JournalKey) -> None:
    side = beside(time.time_ns() // 1_000_000)
    row = (chain.chain_id, chain.owner_id, side, key.seal("aside", chain.chain_id, chain.owner_id, side))
    connection.execute("INSERT INTO aside (chain_id, owner_id, side, seal) VALUES (?, ?, ?, ?)", row)


def hold_chain(home: Path, chain_id: str) -> int:
    """An open descriptor that holds the chain until it is closed or the process ends, however it ends."""
    path = home / "locks" / chain_id
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode() or "unknown"
        os.close(descriptor)
        raise StorageError(
            f"Chain {chain_id} is being written by process {holder}; "
            "wait for it, stop it, or set AISTER_HOME to another folder."
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
