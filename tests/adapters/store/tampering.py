"""What an attacker does to a journal, and what verification must say of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from aister.adapters.store.chain import Fault, Segment, examine, sealed_segment
from aister.adapters.store.database import journal_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.keys import JournalKey, journal_key
from aister.adapters.store.rows import segments
from aister.adapters.store.verify import ChainReport, verify
from aister.core.errors import JournalError
from tests.stories import bars

COUNT = 2_500  # two full segments and a half
CHAIN = "run-abc-1"


def write(home: Path, count: int = COUNT, owner: str = "local", identity: str = "abc") -> None:
    with open_chain(home, owner, identity, "run") as journal:
        for audit in bars(count, first=journal.sequence):
            journal.append(audit)


@contextmanager
def attacker(home: Path) -> Iterator[sqlite3.Connection]:
    """The file opened by somebody who knows SQLite, has removed the triggers and has no key."""
    with closing(sqlite3.connect(journal_path(home), isolation_level=None)) as connection:
        triggers = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection


def rows(connection: sqlite3.Connection, chain: str = CHAIN) -> list[Segment]:
    return list(segments(connection, chain))


def put(connection: sqlite3.Connection, segment: Segment) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(segment)
    )


def unpacked(segment: Segment) -> list[bytes]:
    found = examine(segment, segment.first, segment.previous, journal_key(HOME[0], make=False))
    assert not isinstance(found, Fault)
    return found.records


HOME: list[Path] = []


def repacked(segment: Segment, records: list[bytes], previous: bytes | None = None) -> Segment:
    """The segment with other records and everything recomputed, sealed with a key that is not the installation's."""
    wrong = JournalKey(b"x" * 32)
    before = segment.previous if previous is None else previous
    return sealed_segment(wrong, segment.chain_id, segment.owner_id, segment.first, before, records, segment.side)


def expect(home: Path, code: str, sequence: int | None, chain: str = CHAIN) -> ChainReport:
    """The one report that is not intact; and opening or reading the chain refuses at the same place."""
    bad = [report for report in verify(home) if not report.intact]
    assert bad, "nothing was found"
    report = bad[0]
    assert (report.chain_id, report.code, report.sequence) == (chain, code, sequence), report
    assert report.message and "\n" not in report.message
    return report


def refused(home: Path, sequence: int) -> None:
    with pytest.raises(JournalError, match="--fresh") as error:
        open_chain(home, "local", "abc", "run")
    assert error.value.sequence == sequence
    open_chain(home, "local", "abc", "run", fresh=True).close()
