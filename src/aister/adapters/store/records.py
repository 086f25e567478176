"""Reading a journal back: chains, records with their hashes, and everything that mentions an id."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aister.adapters.store.chain import Fault, decode, examine
from aister.adapters.store.database import connect_reading, failure, journal_path
from aister.adapters.store.keys import journal_key
from aister.adapters.store.rows import Chain, chains, finished, newest_segment, segments
from aister.core.audit import Audit
from aister.core.errors import UsageError

__all__ = ["AuditReader", "ChainSummary", "Entry"]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A verified record: its number, the chain's hash after it (hex), the value, and the bytes that were hashed."""

    sequence: int
    hash: str
    audit: Audit
    raw: bytes


class ChainSummary(msgspec.Struct, frozen=True):
    """A chain as `aister journal list` shows it. `state`: finished, unfinished (will be resumed) or aside. Times are
    wall clock, UTC ms, of the first row and the newest segment, taken from beside the records."""

    chain_id: str
    owner_id: str
    kind: str
    identity: str
    state: str
    records: int
    head: str
    started_ms: int | None
    written_ms: int | None


class AuditReader:
    """Read-only access to the journal of a home; a writer may go on meanwhile.

    Raises `UsageError` when there is no journal, `JournalError` at the first bad record, `StorageError`.
    """

    def __init__(self, home: Path) -> None:
        self._path = journal_path(home)
        if not self._path.exists():
            raise UsageError(f"There is no journal in {home}; `aister run` starts one.")
        self._connection = connect_reading(home)
        try:
            self._key = journal_key(home, make=False)
            self._chains = {chain.chain_id: chain for chain in chains(self._connection)}
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.Error | UnicodeDecodeError):
                raise self._said(error) from None
            raise

    def __enter__(self) -> "AuditReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def chain(self, chain_id: str | None = None) -> Chain:
        """The chain of that id, or the newest when None."""
        if chain_id is None and self._chains:
            return list(self._chains.values())[-1]
        if chain_id not in self._chains:
            raise UsageError(f"There is no chain {chain_id!r}; `aister journal list` shows what there is.")
        return self._chains[chain_id]

    def summaries(self) -> list[ChainSummary]:
        """Every chain, oldest first, as its rows say (`verify` tells whether they are true)."""
        return [self._summary(chain) for chain in self._chains.values()]

    def entries(
        self, chain_id: str | None = None, first: int = 0, last: int | None = None, containing: tuple[bytes, ...] = ()
    ) -> Iterator[Entry]:
        """Records first..last (inclusive) in order; with `containing` only those whose bytes contain one of these
        strings, the others are verified but not decoded."""
        chain = self.chain(chain_id)
        expected, previous = 0, chain.genesis
        try:
            for segment in segments(self._connection, chain.chain_id):
                found = examine(segment, expected, previous, self._key)
                if isinstance(found, Fault):
                    raise found.error(chain.chain_id)
                for sequence, (raw, head) in enumerate(zip(found.records, found.hashes, strict=True), expected):
                    if sequence < first:
                        continue
                    if last is not None and sequence > last:
                        return
                    if not containing or any(part in raw for part in containing):
                        yield Entry(sequence, head.hex(), decode(raw, sequence), raw)
                expected, previous = segment.last + 1, found.hashes[-1]
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._said(error) from None

    def audits(self, chain_id: str | None = None) -> Iterator[Audit]:
        """Every record's value, from the first."""
        return (entry.audit for entry in self.entries(chain_id))

    def _summary(self, chain: Chain) -> ChainSummary:
        newest = newest_segment(self._connection, chain.chain_id)
        state = "aside" if chain.aside else "finished" if finished(self._connection, chain.chain_id) else "unfinished"
        head = newest.head if newest else chain.genesis
        return ChainSummary(
            chain.chain_id,
            chain.owner_id,
            chain.kind,
            chain.identity,
            state,
            newest.last + 1 if newest else 0,
            head.hex(),
            _wall_ms(chain.side),
            _wall_ms(newest.side) if newest else None,
        )

    def _said(self, error: Exception) -> Exception:
        return failure(
            error if isinstance(error, sqlite3.Error) else sqlite3.DatabaseError(str(error)), self._path, 60.0
        )


def _wall_ms(side: str) -> int | None:
    try:
        return int(msgspec.json.decode(side)["wall_ms"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return None
