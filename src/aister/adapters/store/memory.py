"""A journal that keeps nothing but its head and count: the same chain hash without a file, for backtests."""

import hashlib
from collections.abc import Iterator

from aister.adapters.store.chain import encode, genesis
from aister.core.audit import Audit
from aister.core.errors import JournalError

__all__ = ["MemoryJournal"]


class MemoryJournal:
    """Implements `ports.journal.Journal`. Its head equals that of a stored journal of the same owner, kind, identity
    and records. Nothing survives it, so it is always a run from the beginning."""

    durability = "memory: nothing is kept"

    def __init__(self, owner_id: str, identity: str, kind: str) -> None:
        self._head = genesis(owner_id, kind, identity)
        self._next = 0

    @property
    def sequence(self) -> int:
        return self._next

    @property
    def head(self) -> str:
        return self._head.hex()

    def append(self, audit: Audit) -> None:
        if audit.sequence != self._next:
            raise JournalError(f"Record {audit.sequence} was offered where {self._next} belongs.", self._next)
        self._head = hashlib.sha256(self._head + encode(audit)).digest()
        self._next += 1

    def flush(self) -> None:
        """Nothing to make durable."""

    def records(self) -> Iterator[Audit]:
        return iter(())

    def close(self) -> None:
        """Nothing to release."""
