"""Is the journal what was written? Every chain from its genesis to its head, and the first record that is not.

What is found and located: a changed byte in a record, a row or a head file; swapped or spliced records and segments;
missing segments and tails; an old file restored; a chain rewritten without the key; a fork. What is not an error:
segments newer than the head file (the process died between commit and head write; they are sealed, so they are
adopted), and, in mode "normal" after the machine itself restarted, the loss of records that had not reached the disk
(at most the last second).

What no check on one machine can find is the whole of AISTER_HOME put back to an earlier state.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aister.adapters.store.chain import Fault, Opened, Segment, examine, genesis, last_record
from aister.adapters.store.database import connect_reading, failure, journal_path
from aister.adapters.store.heads import Head, boot, head_path, read_heads
from aister.adapters.store.keys import JournalKey, journal_key
from aister.core.errors import UsageError
from aister.core.events import RunEnded

__all__ = [
    "Chain",
    "ChainReport",
    "chains",
    "finished",
    "newest_segment",
    "opened_segments",
    "segments",
    "verify",
    "verify_chain",
]


class Chain(msgspec.Struct, frozen=True):
    """A chain's own row. `number` counts the runs of one identity; `aside_seal` is None unless it was set aside
    unfinished, never to be resumed."""

    chain_id: str
    owner_id: str
    kind: str
    identity: str
    number: int
    side: str
    seal: bytes
    aside_side: str | None
    aside_seal: bytes | None

    @property
    def aside(self) -> bool:
        return self.aside_seal is not None

    @property
    def genesis(self) -> bytes:
        return genesis(self.owner_id, self.kind, self.identity)

    def genuine(self, key: JournalKey) -> bool:
        row = key.genuine(
            self.seal, "chain", self.chain_id, self.owner_id, self.kind, self.identity, self.number, self.side
        )
        return row and (
            not self.aside or key.genuine(self.aside_seal, "aside", self.chain_id, self.owner_id, self.aside_side)
        )


class ChainReport(msgspec.Struct, frozen=True):
    """`records` verified from the first on, the newest hashing to `head`; `code` is empty when intact, else what is
    wrong from record `sequence` on (None: the whole file)."""

    chain_id: str
    intact: bool
    records: int
    head: str
    code: str = ""
    sequence: int | None = None
    message: str = ""
    notes: tuple[str, ...] = ()


_CHAIN = (
    "SELECT c.chain_id, c.owner_id, c.kind, c.identity, c.number, c.side, c.seal, a.side, a.seal "
    "FROM chain c LEFT JOIN aside a USING (chain_id) ORDER BY c.rowid"
)
_SEGMENT = (
    "SELECT chain_id, owner_id, first_sequence, last_sequence, previous, head, side, mac, blob "
    "FROM segment WHERE chain_id = ?"
)


def chains(connection: sqlite3.Connection) -> list[Chain]:
    """Every chain, oldest first."""
    return [Chain(*row) for row in connection.execute(_CHAIN)]


def segments(connection: sqlite3.Connection, chain_id: str, after: int = -1) -> Iterator[Segment]:
    """The chain's segments in order, beginning with the first that starts past `after`. One row is held at a time and
    no transaction is left open, so a writer and its checkpoints go on."""
    while row := connection.execute(
        f"{_SEGMENT} AND first_sequence > ? ORDER BY first_sequence LIMIT 1", (chain_id, after)
    ).fetchone():
        yield Segment(*row)
        if not isinstance(row[2], int):
            return  # sorts after every number: the row itself is damaged, and has just been handed out
        after = row[2]


def newest_segment(connection: sqlite3.Connection, chain_id: str) -> Segment | None:
    row = connection.execute(f"{_SEGMENT} ORDER BY first_sequence DESC LIMIT 1", (chain_id,)).fetchone()
    return Segment(*row) if row else None


def finished(connection: sqlite3.Connection, chain_id: str) -> bool:
    """Whether the newest record is `RunEnded`."""
    newest = newest_segment(connection, chain_id)
    record = last_record(newest) if newest else None
    return record is not None and isinstance(record.event, RunEnded)


def opened_segments(connection: sqlite3.Connection, chain: Chain, key: JournalKey) -> Iterator[tuple[Segment, Opened]]:
    """Every segment with its records, examined as it is read; raises `JournalError` at the first bad record."""
    expected, previous = 0, chain.genesis
    for segment in segments(connection, chain.chain_id):
        found = examine(segment, expected, previous, key)
        if isinstance(found, Fault):
            raise found.error(chain.chain_id)
        yield segment, found
        expected, previous = segment.last + 1, found.hashes[-1]


def verify_chain(connection: sqlite3.Connection, chain: Chain, key: JournalKey, home: Path) -> ChainReport:
    """One chain against its own hashes, seals and head file. The head file is read first: a writer may go on
    meanwhile."""
    heads, whole = read_heads(head_path(home, chain.chain_id), key, chain.chain_id)
    wanted = {head.sequence: "" for head in heads}
    expected, previous = 0, chain.genesis
    wanted[0] = previous.hex()

    def report(fault: Fault | None, *notes: str) -> ChainReport:
        if fault is None:
            return ChainReport(chain.chain_id, True, expected, previous.hex(), notes=notes)
        return ChainReport(chain.chain_id, False, expected, previous.hex(), fault.code, fault.sequence, fault.message)

    if not chain.genuine(key):
        return report(
            Fault(
                "chain_row",
                0,
                "its own row (owner, kind, identity) was changed or not sealed with this installation's key.",
            )
        )
    try:
        for segment in segments(connection, chain.chain_id):
            found = examine(segment, expected, previous, key)
            if isinstance(found, Fault):
                return report(found)
            for sequence in wanted:
                if expected < sequence <= segment.last + 1:
                    wanted[sequence] = found.hashes[sequence - expected - 1].hex()
            expected, previous = segment.last + 1, found.hashes[-1]
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        return report(Fault("unreadable", expected, f"the file cannot be read from record {expected} on ({error})."))
    if not heads or not whole:
        lost = "is missing" if whole else "was changed"
        return report(
            Fault(
                "head_file",
                expected,
                f"its head file heads/{chain.chain_id} {lost}, so nothing proves that record {expected} never was.",
            )
        )
    for head in heads:
        if head.sequence <= expected and wanted[head.sequence] != head.head:
            return report(
                Fault(
                    "fork",
                    max(head.sequence - 1, 0),
                    f"its head file knows another record {head.sequence - 1}: two histories of one chain.",
                )
            )
    newest = heads[0]
    if newest.sequence > expected:
        if not _power_loss(newest, expected):
            return report(_tail(newest, expected))
        return report(
            None,
            f"records {expected} to {newest.sequence - 1} were lost with the machine's power "
            "(mode normal: at most the last second).",
        )
    if newest.sequence < expected:
        return report(
            None, f"records {newest.sequence} to {expected - 1} are newer than the head file and sealed: adopted."
        )
    return report(None)


def _power_loss(head: Head, expected: int) -> bool:
    """Only what had not reached the disk, only in mode normal, and only if the machine has been started anew since."""
    now = boot()
    return head.mode == "normal" and expected >= head.synced and bool(now and head.boot) and now != head.boot


def _tail(head: Head, expected: int) -> Fault:
    gone = (
        f"record {expected} is" if head.sequence == expected + 1 else f"records {expected} to {head.sequence - 1} are"
    )
    return Fault("tail", expected, f"{gone} missing at the end: the tail was dropped or an older file was put back.")


def verify(home: Path, chain_id: str | None = None) -> list[ChainReport]:
    """Every chain (or one) and, for all, the file itself and chains that only a head file remembers. An untouched
    home has no chains. Raises `UsageError` for an unknown chain, `StorageError`, `JournalError` when the file is no
    journal."""
    remembered = _remembered(home)
    if not journal_path(home).exists():
        if chain_id is not None and chain_id not in remembered:
            raise UsageError(f"There is no chain {chain_id!r}; `aister journal list` shows what there is.")
        key = journal_key(home, make=False) if remembered else None
        return _unknown(home, key, remembered if chain_id is None else [chain_id]) if key else []
    connection = connect_reading(home)
    try:
        key = journal_key(home, make=False)
        known = chains(connection)
        names = {chain.chain_id for chain in known}
        lost = [name for name in remembered if name not in names]
        if chain_id is not None:
            if chain_id not in names and chain_id not in lost:
                raise UsageError(f"There is no chain {chain_id!r}; `aister journal list` shows what there is.")
            return [
                verify_chain(connection, chain, key, home) for chain in known if chain.chain_id == chain_id
            ] or _unknown(home, key, [chain_id])
        reports = [verify_chain(connection, chain, key, home) for chain in known]
        return reports + _unknown(home, key, lost) + _strays(connection, names) + _file(connection)
    except sqlite3.Error as error:
        raise failure(error, journal_path(home), 60.0) from None
    except UnicodeDecodeError as error:
        raise failure(sqlite3.DatabaseError(str(error)), journal_path(home), 60.0) from None
    finally:
        connection.close()


def _remembered(home: Path) -> list[str]:
    folder = home / "heads"
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []


def _unknown(home: Path, key: JournalKey, names: list[str]) -> list[ChainReport]:
    """Chains with a head file and no row. A head at zero records is a start that was killed before its first row."""
    reports = []
    for name in names:
        heads, whole = read_heads(head_path(home, name), key, name)
        if not (whole and heads and heads[0].sequence == 0):
            count = f"{heads[0].sequence} records" if heads else "its records"
            message = (
                f"the journal does not know it any more, the head file remembers {count}: "
                "the file was replaced or an older one put back."
            )
            reports.append(ChainReport(name, False, 0, "", "tail", 0, message))
    return reports


def _strays(connection: sqlite3.Connection, names: set[str]) -> list[ChainReport]:
    rows = connection.execute("SELECT DISTINCT chain_id FROM segment").fetchall()
    message = "records of a chain that has no row of its own: a row was removed or renamed."
    return [ChainReport(str(name), False, 0, "", "unknown", 0, message) for (name,) in rows if name not in names]


def _file(connection: sqlite3.Connection) -> list[ChainReport]:
    """SQLite's own opinion of the file."""
    said = "; ".join(str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)"))
    return (
        []
        if said == "ok"
        else [ChainReport("journal.sqlite", False, 0, "", "unreadable", None, f"SQLite finds the file damaged: {said}")]
    )
