"""What lies in the journal's tables: chains and their segments, read in order, not yet believed."""

import sqlite3
from collections.abc import Iterator

import msgspec

from aister.adapters.store.chain import Fault, Opened, Segment, examine, genesis, last_record
from aister.adapters.store.keys import JournalKey
from aister.core.events import RunEnded

__all__ = ["Chain", "chains", "finished", "newest_segment", "opened_segments", "segments", "stem"]


class Chain(msgspec.Struct, frozen=True):
    """A chain's own row. `number` counts the runs that share a `stem`; `aside_seal` is None unless it was set aside
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
    def stem(self) -> str:
        return stem(self.kind, self.identity)

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


def stem(kind: str, identity: str) -> str:
    """What the chain ids of a kind and an identity begin with. Identities that share 12 characters, and owners, share
    it, so their runs are numbered together."""
    return f"{kind}-{identity[:12]}-"


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
