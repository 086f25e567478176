"""Resuming: the chain so far is repeated and checked record by record, then continued."""

from collections.abc import Callable, Iterator

from aister.core.audit import Audit
from aister.core.errors import JournalError
from aister.ports.journal import Journal

__all__ = ["RepeatedJournal"]


class RepeatedJournal:
    """How a run writes its journal (`kept`): its first records must be produced again, equal, before new ones are
    appended.

    Raises `JournalError` at the first record that differs: the configuration, data or code is not what the chain was
    made with, and continuing would join two different histories.
    """

    def __init__(self, journal: Journal) -> None:
        self.kept = journal
        self._recorded: Iterator[Audit] = journal.records() if journal.sequence else iter(())
        self._next: Audit | None = next(self._recorded, None)
        self.repeated = 0
        self.append: Callable[[Audit], None] = journal.append if self._next is None else self._repeat

    @property
    def repeating(self) -> bool:
        """Whether recorded audits are still to come."""
        return self._next is not None

    @property
    def expected(self) -> Audit | None:
        """The record that must come next; None when all were repeated."""
        return self._next

    def _repeat(self, audit: Audit) -> None:
        if self._next is None:
            self.kept.append(audit)
            return
        if audit != self._next:
            raise JournalError(
                f"Record {audit.sequence} comes out differently than the journal holds it: the data, settings or code "
                "changed since. Start over with --fresh (on a real account that holds something, --found adopt "
                "besides); the old chain is kept.",
                audit.sequence,
            )
        self.repeated += 1
        self._next = next(self._recorded, None)
        if self._next is None:
            self.append = self.kept.append

    def flush(self) -> None:
        if self._next is None:
            self.kept.flush()
