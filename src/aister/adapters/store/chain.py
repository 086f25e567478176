"""The chain itself: how records hang together and how a segment is packed, sealed and examined. No files here.

    hash_0 = SHA-256("aister journal 1", owner, kind, identity)        the genesis
    hash_i = SHA-256(hash_(i-1) || record_i)                           record = msgpack of one `Audit`

The genesis names the run's identity and not the chain's id, so that two runs of the same thing end in the same
journal hash (Q2); the id is bound by the seal of every row instead.

A segment holds up to 1,000 records in one blob: n lengths (uint32, little endian), n checks (the first 8 bytes of
each record's hash, so that a bad record is located and not only its segment), then the records. Its row carries the
hash before and after it, and a seal over all its columns but the blob, which the hash covers. Wall-clock stamp, host
and version lie in `side`: sealed, outside the hash.
"""

import hashlib
import struct
from collections.abc import Sequence

import msgspec

from aister.adapters.store.keys import JournalKey
from aister.core.audit import Audit
from aister.core.errors import JournalError

__all__ = [
    "SEGMENT_RECORDS",
    "Fault",
    "Opened",
    "Segment",
    "decode",
    "encode",
    "examine",
    "follow",
    "genesis",
    "last_record",
    "sealed_segment",
]

SEGMENT_RECORDS = 1_000
_CHECK = 8

encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Audit).decode


class Segment(msgspec.Struct, frozen=True):
    """One row: records first..last (inclusive) of a chain, the hash before them, the hash after them."""

    chain_id: str
    owner_id: str
    first: int
    last: int
    previous: bytes
    head: bytes
    side: str
    seal: bytes
    blob: bytes


class Fault(msgspec.Struct, frozen=True):
    """What is wrong and from which record on. `code`: changed, recomputed, row, moved, missing, fork, tail, head_file,
    chain_row, aside, removed, catalogue, unknown, unreadable."""

    code: str
    sequence: int | None
    message: str

    def error(self, chain_id: str) -> JournalError:
        return JournalError(f"Chain {chain_id} does not verify: {self.message}", self.sequence)


class Opened(msgspec.Struct, frozen=True):
    """A segment that verified: its records and the hash after each."""

    records: list[bytes]
    hashes: list[bytes]


def genesis(owner_id: str, kind: str, identity: str) -> bytes:
    """The hash before the first record."""
    return hashlib.sha256(msgspec.msgpack.encode(("aister journal 1", owner_id, kind, identity))).digest()


def follow(head: bytes, records: Sequence[bytes]) -> list[bytes]:
    """The hash after each record, continuing from `head`."""
    sha256 = hashlib.sha256
    return [head := sha256(head + record).digest() for record in records]


def sealed_segment(
    key: JournalKey, chain_id: str, owner_id: str, first: int, previous: bytes, records: list[bytes], side: str
) -> Segment:
    """The row for these records, the first of them number `first`."""
    hashes = follow(previous, records)
    blob = b"".join(
        (
            struct.pack(f"<{len(records)}I", *map(len, records)),
            b"".join([value[:_CHECK] for value in hashes]),
            *records,
        )
    )
    last, head = first + len(records) - 1, hashes[-1]
    seal = key.seal("segment", chain_id, owner_id, first, last, previous, head, side)
    return Segment(chain_id, owner_id, first, last, previous, head, side, seal, blob)


def decode(record: bytes, sequence: int) -> Audit:
    """The record as a value; raises `JournalError` when this version cannot read it."""
    try:
        return _decode(record)
    except (msgspec.MsgspecError, ValueError) as error:
        raise JournalError(
            f"Record {sequence} cannot be read by this version ({error}); read it with the version that wrote it.",
            sequence,
        ) from None


def last_record(segment: Segment) -> Audit | None:
    """The newest record of a segment that has not been examined, or None when it cannot be read."""
    try:
        count = segment.last - segment.first + 1
        size = struct.unpack_from("<I", segment.blob, 4 * (count - 1))[0]
        return _decode(segment.blob[len(segment.blob) - size :])
    except (struct.error, msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        return None


def examine(segment: Segment, expected: int, previous: bytes, key: JournalKey) -> Opened | Fault:
    """Whether the segment continues a chain whose next record is `expected` and whose hash so far is `previous`."""
    one = segment
    genuine = key.genuine(
        one.seal, "segment", one.chain_id, one.owner_id, one.first, one.last, one.previous, one.head, one.side
    )
    if one.first != expected:
        if not genuine:
            return Fault(
                "moved",
                expected,
                f"where record {expected} belongs lies a segment that was renumbered, moved or spliced in.",
            )
        if one.first > expected:
            return Fault(
                "missing", expected, f"records {expected} to {one.first - 1} are missing between two segments."
            )
        return Fault(
            "fork",
            one.first,
            f"records {one.first} to {expected - 1} exist twice: the chain was continued from an old copy.",
        )
    if one.previous != previous:
        if genuine:
            return Fault(
                "fork",
                expected,
                f"record {expected} continues another history of this chain: an old copy was continued.",
            )
        return Fault(
            "moved",
            expected,
            f"the segment at record {expected} does not follow the one before: swapped, spliced or rewritten.",
        )
    sizes = _sizes(one)
    if sizes is None:
        return Fault(
            "row",
            expected,
            f"the segment at record {expected} was changed: its row and its records disagree in number or length.",
        )
    records, checks, at = [], 4 * len(sizes), len(sizes) * (4 + _CHECK)
    for size in sizes:
        records.append(one.blob[at : at + size])
        at += size
    hashes = follow(previous, records)
    for number, value in enumerate(hashes):
        if value[:_CHECK] != one.blob[checks : checks + _CHECK]:
            return Fault("changed", expected + number, f"record {expected + number} was changed, swapped or replaced.")
        checks += _CHECK
    if hashes[-1] != one.head:
        return Fault(
            "recomputed",
            expected,
            f"records {expected} to {one.last} do not lead to the head their row names: one of them was rewritten.",
        )
    if not genuine:
        return Fault(
            "recomputed",
            expected,
            f"records {expected} to {one.last} agree with each other but were not sealed with this installation's key.",
        )
    return Opened(records, hashes)


def _sizes(segment: Segment) -> tuple[int, ...] | None:
    """The records' lengths, or None when the row is not of the right form."""
    columns: tuple[object, ...] = (segment.last, segment.blob)  # SQLite keeps whatever type a tamperer stores
    if [type(one) for one in columns] != [int, bytes]:
        return None
    count = segment.last - segment.first + 1
    if not 0 < count * (4 + _CHECK) <= len(segment.blob):
        return None
    sizes = struct.unpack_from(f"<{count}I", segment.blob)
    return sizes if count * (4 + _CHECK) + sum(sizes) == len(segment.blob) else None
