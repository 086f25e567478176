"""A journal that was put back to an earlier state, and the person who answers for going on with it (D1).

A live trader does not start on one: orders that its lost records asked for may be at the venue. Who looked and takes
that on says so once, for exactly this state; the next start tells it to the signer and writes it into the journal.
`rollbacks/CHAIN.json` holds the acceptance until then, sealed; `rollbacks/CHAIN.seen` what a start was told elsewhere
(signer, venue) of records that are not there.
"""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import msgspec

from aister.adapters.store.database import connect, failure, journal_path
from aister.adapters.store.files import write_whole
from aister.adapters.store.heads import HeadFile, head_path, read_heads
from aister.adapters.store.journal import hold_chain
from aister.adapters.store.keys import JournalKey, journal_key
from aister.adapters.store.rows import Chain, chains
from aister.adapters.store.verify import ChainReport, verify_chain
from aister.core.errors import JournalError, UsageError

__all__ = ["Acceptance", "accept_rollback", "acceptance", "done_with", "note_remembered"]

_BUSY_S = 5.0


class Acceptance(msgspec.Struct, frozen=True):
    """`by` goes on with `chain_id` as it stands: at `sequence` records, the newest hashing to `head`, though
    `remembered` were there before; `wall_ms` when that was said."""

    chain_id: str
    sequence: int
    head: str
    remembered: int
    by: str
    reason: str
    wall_ms: int
    seal: str

    def genuine(self, key: JournalKey) -> bool:
        with contextlib.suppress(ValueError):
            return key.genuine(bytes.fromhex(self.seal), "rollback", *msgspec.structs.astuple(self)[:-1])
        return False


def accept_rollback(home: Path, by: str, reason: str, chain_id: str = "") -> Acceptance:
    """Take responsibility for the chain (default: the newest live one) as it stands now: its head file is brought down
    to it, and the acceptance kept for the next start. Raises `UsageError` when there is nothing to accept or nobody's
    name, `JournalError` when something else is wrong than a missing end, `StorageError` while a trader writes it."""
    if not by.strip() or not reason.strip():
        raise UsageError("A rollback is accepted by somebody and for a reason; give --by and --reason.")
    if not journal_path(home).exists():
        raise UsageError(f"There is no journal in {home} yet, so there is nothing to accept.")
    connection = connect(home, _BUSY_S)
    try:
        key = journal_key(home, make=False)
        chain = _chosen(chains(connection), chain_id)
        lock = hold_chain(home, chain.chain_id)
        try:
            return _accepted(home, connection, chain, key, by.strip(), reason.strip())
        finally:
            os.close(lock)
    except sqlite3.Error as error:
        raise failure(error, journal_path(home), _BUSY_S) from None
    finally:
        connection.close()


def _chosen(known: list[Chain], chain_id: str) -> Chain:
    traded = [one for one in known if one.kind == "live" and chain_id in ("", one.chain_id)]
    if not traded:
        which = f"{chain_id!r} is no chain" if chain_id else "There is no chain"
        raise UsageError(f"{which} of a live trader; `aister journal list` shows what there is.")
    return traded[-1]


def _accepted(
    home: Path, connection: sqlite3.Connection, chain: Chain, key: JournalKey, by: str, reason: str
) -> Acceptance:
    report = verify_chain(connection, chain, key, home)
    if not report.intact and report.code != "tail":
        raise JournalError(
            f"Chain {chain.chain_id} does not verify: {report.message} That is no rollback and cannot be accepted; "
            "restore a backup.",
            report.sequence,
        )
    heads, _ = read_heads(head_path(home, chain.chain_id), key, chain.chain_id)
    remembered = max(heads[0].sequence, _seen(home, chain.chain_id))
    if remembered <= report.records and not _seen(home, chain.chain_id):
        raise UsageError(
            f"Chain {chain.chain_id} has all {report.records:,} records that are remembered here; there is nothing to "
            "accept. A trader that is told of more elsewhere says so when it starts."
        )
    fields = chain.chain_id, report.records, report.head, remembered, by, reason, time.time_ns() // 1_000_000
    given = Acceptance(*fields, seal=key.seal("rollback", *fields).hex())
    write_whole(_path(home, chain.chain_id), msgspec.json.encode(given))
    if not report.intact:
        _bring_down(home, chain, key, report, heads[0].turn, heads[0].mode)
    return given


def _bring_down(home: Path, chain: Chain, key: JournalKey, report: ChainReport, turn: int, mode: str) -> None:
    """Both slots of the head file say what is there now."""
    file = HeadFile(head_path(home, chain.chain_id), key, chain.chain_id, mode, turn)
    try:
        for _ in range(2):
            file.write(report.records, bytes.fromhex(report.head), report.records, durable=True)
    finally:
        file.close()


def acceptance(home: Path, chain_id: str, sequence: int, head: str) -> Acceptance | None:
    """What a person accepted of exactly this state of the chain, or None."""
    try:
        given = msgspec.json.decode(_path(home, chain_id).read_bytes(), type=Acceptance)
    except (OSError, msgspec.MsgspecError):
        return None
    fits = (given.chain_id, given.sequence, given.head) == (chain_id, sequence, head)
    return given if fits and given.genuine(journal_key(home, make=False)) else None


def note_remembered(home: Path, chain_id: str, remembered: int) -> None:
    """Somebody else (signer, venue) knows of so many records of this chain."""
    if remembered > _seen(home, chain_id):
        write_whole(_path(home, chain_id).with_suffix(".seen"), str(remembered).encode())


def done_with(home: Path, chain_id: str) -> None:
    """The acceptance is in the journal now."""
    for path in (_path(home, chain_id), _path(home, chain_id).with_suffix(".seen")):
        path.unlink(missing_ok=True)


def _seen(home: Path, chain_id: str) -> int:
    try:
        return int(_path(home, chain_id).with_suffix(".seen").read_text())
    except (OSError, ValueError):
        return 0


def _path(home: Path, chain_id: str) -> Path:
    return home / "rollbacks" / f"{chain_id}.json"
