"""Chains to write into."""

from pathlib import Path

from aister.adapters.store.journal import SqliteJournal, open_chain
from aister.core.audit import Audit


def begin(home: Path, identity: str = "abc", **options: object) -> SqliteJournal:
    return open_chain(home, "local", identity, "run", **options)  # type: ignore[arg-type]


def write(home: Path, story: list[Audit], identity: str = "abc", **options: object) -> str:
    with begin(home, identity, **options) as journal:
        for audit in story:
            journal.append(audit)
        return journal.head
