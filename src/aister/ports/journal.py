"""The append-only, hash-chained record of everything a trader did."""

from collections.abc import Iterator
from typing import Protocol

from aister.core.audit import Audit

__all__ = ["Journal"]


class Journal(Protocol):
    """One chain, one writer. `append` chains a record; `flush` makes everything appended durable (called before any
    order leaves). Raises `StorageError` when it cannot, having lost nothing that was flushed; `JournalImpaired`, which
    is one, when the records are durable elsewhere, so that what reduces may leave."""

    @property
    def sequence(self) -> int:
        """The next record's number; 0 for an empty chain."""
        ...

    @property
    def head(self) -> str:
        """Hex hash of the newest record (the chain's own seed when empty)."""
        ...

    def append(self, audit: Audit) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None:
        """Flush and let go of the chain; closing twice is harmless."""
        ...

    def records(self) -> Iterator[Audit]:
        """Every durable record from the first, verified as it is read; raises `JournalError` at the first bad one."""
        ...
