"""The platform's audit log: a chain of hashes over payloads that may be erased.

hash_0 = SHA-256("aister platform 1")
hash_i = SHA-256(hash_(i-1) || number || time_ms || SHA-256(salt || payload) || owner_id)
with both numbers as 8 bytes, big endian, and 16 random bytes of salt that go when the payload goes.
"""

import hashlib
import secrets
import struct
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, text
from sqlalchemy import delete as erased_rows
from sqlalchemy.ext.asyncio import AsyncConnection

from aister.adapters.store.platform.tables.audit import audit_payload, audit_record
from aister.ports.audit_log import Entry, Numbered, Verified

__all__ = ["ChainedLog"]

_FIRST = hashlib.sha256(b"aister platform 1").digest()
_LOCK = 0x41495354
_PAGE = 1_000


class ChainedLog:
    """Implements `ports.audit_log.AuditLog` in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: Entry) -> int:
        if self._connection.dialect.name == "postgresql":  # one writer at a time; SQLite has no more anyway
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        newest = await self._connection.execute(
            select(audit_record.c.number, audit_record.c.hash).order_by(audit_record.c.number.desc()).limit(1)
        )
        last = newest.first()
        number, previous = (last.number + 1, bytes(last.hash)) if last is not None else (0, _FIRST)
        body, salt = msgspec.json.encode(entry), secrets.token_bytes(16)
        digest = hashlib.sha256(salt + body).digest()
        await self._connection.execute(
            insert(audit_record).values(
                number=number,
                time_ms=entry.time_ms,
                owner_id=entry.owner_id,
                payload_hash=digest,
                previous=previous,
                hash=_next(previous, number, entry.time_ms, digest, entry.owner_id),
            )
        )
        await self._connection.execute(insert(audit_payload).values(number=number, salt=salt, body=body))
        return number

    async def newest(self, limit: int, *, before: int | None = None, owner_id: str | None = None) -> list[Numbered]:
        asked = (
            select(audit_record.c.number, audit_payload.c.body)
            .select_from(audit_record.outerjoin(audit_payload))
            .order_by(audit_record.c.number.desc())
            .limit(limit)
        )
        if before is not None:
            asked = asked.where(audit_record.c.number < before)
        if owner_id is not None:
            asked = asked.where(audit_record.c.owner_id == owner_id)
        found = await self._connection.execute(asked)
        return [
            Numbered(row.number, None if row.body is None else msgspec.json.decode(row.body, type=Entry))
            for row in found
        ]

    async def erase(self, owner_id: str) -> int:
        theirs = select(audit_record.c.number).where(audit_record.c.owner_id == owner_id)
        done = await self._connection.execute(erased_rows(audit_payload).where(audit_payload.c.number.in_(theirs)))
        return done.rowcount

    async def verify(self) -> Verified:
        number, head, erased = 0, _FIRST, 0
        asked = (
            select(audit_record, audit_payload.c.salt, audit_payload.c.body)
            .select_from(audit_record.outerjoin(audit_payload))
            .order_by(audit_record.c.number)
            .limit(_PAGE)
        )
        while rows := (await self._connection.execute(asked.where(audit_record.c.number >= number))).all():
            for row in rows:
                wrong = _wrong(row, number, head)
                if wrong:
                    return Verified(number, erased, number, wrong)
                number, head, erased = number + 1, bytes(row.hash), erased + (row.body is None)
        return Verified(number, erased, None, "")


def _next(previous: bytes, number: int, time_ms: int, digest: bytes, owner_id: str) -> bytes:
    return hashlib.sha256(previous + struct.pack(">QQ", number, time_ms) + digest + owner_id.encode()).digest()


def _wrong(row: Row[Any], number: int, head: bytes) -> str:
    if row.number != number:
        return f"Entry {number} is missing."
    digest = bytes(row.payload_hash)
    if bytes(row.previous) != head or bytes(row.hash) != _next(head, number, row.time_ms, digest, row.owner_id):
        return f"Entry {number} does not follow the one before it."
    if row.body is not None and hashlib.sha256(bytes(row.salt) + bytes(row.body)).digest() != digest:
        return f"What entry {number} says was changed."
    return ""
