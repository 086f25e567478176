"""Is the journal what was written? Every chain from its genesis to its head, and the first record that is not.

What is found and located: a changed byte in a record, a row or a head file; swapped or spliced records and segments;
missing segments and tails; an old file restored; a head slot copied over the other; a chain rewritten without the key;
a fork; a whole run removed with its head file; the row removed that set a run aside. What is not an error: segments
newer than the head file (the process died between commit and head write; they are sealed, so they are adopted), and, in
mode "normal" after the machine itself restarted, the loss of records that had not reached the disk (at most the last
second).
"""

import sqlite3
from pathlib import Path

import msgspec

from aister.adapters.store.catalogue import CATALOGUE, catalogue_fault, followed, removed
from aister.adapters.store.chain import Fault, examine
from aister.adapters.store.database import connect_reading, failure, journal_path
from aister.adapters.store.frames import owed
from aister.adapters.store.heads import Head, boot, head_path, read_heads
from aister.adapters.store.keys import JournalKey, journal_key
from aister.adapters.store.rows import Chain, chains, finished, segments
from aister.core.errors import UsageError

__all__ = ["ChainReport", "verify", "verify_chain"]


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
    """Every chain (or one) and, for all, the file itself, the catalogue, and chains that only a head file or a gap in
    the numbers remembers. An untouched home has no chains. Raises `UsageError` for an unknown chain, `StorageError`,
    `JournalError` when the file is no journal.

    What no check on one machine can find, until a signer keeps the heads as well, is an earlier state put back whole:
    journal.sqlite and heads/ (or all of AISTER_HOME) as they were copied at one moment. Every record, run and
    `--fresh` since then is hidden, and the next run continues the old chain as if nothing had been; with no journal,
    heads and key at all the home is simply new. Also hidden: the removal of a commit whose head was never written
    because the process was killed in between, and whatever the holder of keys/journal.key rewrites.
    """
    remembered = _remembered(home)
    if not journal_path(home).exists():
        lost = [name for name in remembered if chain_id in (None, name)]
        if chain_id is not None and not lost:
            raise _no_chain(chain_id)
        if not remembered and not head_path(home, CATALOGUE).exists():
            return []
        key = journal_key(home, make=False)
        return _unknown(home, key, lost) + (_catalogue(home, key, []) if chain_id is None else [])
    connection = connect_reading(home)
    try:
        key = journal_key(home, make=False)
        known = chains(connection)
        names = {chain.chain_id for chain in known}
        gone = removed(known, key, remembered)
        if chain_id is not None and chain_id not in {*names, *remembered, *gone}:
            raise _no_chain(chain_id)
        left = followed(known, key)
        reports = []
        for chain in known:
            if chain_id in (None, chain.chain_id):
                report = verify_chain(connection, chain, key, home)
                fault = left.get(chain.chain_id) if report.intact else None
                if fault and not finished(connection, chain.chain_id):
                    report = _broken(report.chain_id, fault, report)
                elif report.intact and (waiting := owed(home, key, chain.chain_id, report.records)):
                    note = f"{waiting} records wait in its emergency log; the next start of its run appends them"
                    report = msgspec.structs.replace(report, notes=(*report.notes, note))
                reports.append(report)
        lost = [name for name in remembered if name not in names and chain_id in (None, name)]
        reports += _unknown(home, key, lost)
        reports += [_broken(name, fault) for name, fault in gone.items() if chain_id in (None, name)]
        if chain_id is not None:
            return reports
        return reports + _strays(connection, names) + _catalogue(home, key, known) + _file(connection)
    except sqlite3.Error as error:
        raise failure(error, journal_path(home), 60.0) from None
    except UnicodeDecodeError as error:
        raise failure(sqlite3.DatabaseError(str(error)), journal_path(home), 60.0) from None
    finally:
        connection.close()


def _no_chain(chain_id: str) -> UsageError:
    return UsageError(f"There is no chain {chain_id!r}; `aister journal list` shows what there is.")


def _broken(chain_id: str, fault: Fault, so_far: ChainReport | None = None) -> ChainReport:
    """The report of a fault outside the chain's own records; `so_far` is what those gave."""
    records, head = (so_far.records, so_far.head) if so_far else (0, "")
    return ChainReport(chain_id, False, records, head, fault.code, fault.sequence, fault.message)


def _catalogue(home: Path, key: JournalKey, known: list[Chain]) -> list[ChainReport]:
    fault = catalogue_fault(home, key, known)
    return [_broken("catalogue", fault)] if fault else []


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
