"""The platform's own record of sensitive actions: who did what to what, chained."""

from typing import Protocol

import msgspec

__all__ = ["AuditLog", "Entry", "Numbered", "Verified"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One action. `owner_id`: whose data it concerns (and with whose erasure it goes); `actor`: who did it, an account,
    an API key or "system"; `action` in the form noun.verb; `subject`: the id of what it was done to; `detail`: further
    facts, never a secret."""

    time_ms: int
    owner_id: str
    actor: str
    action: str
    subject: str = ""
    address: str = ""
    detail: dict[str, str] = {}


class Numbered(msgspec.Struct, frozen=True):
    """An entry in its place; None: it was erased."""

    number: int
    entry: Entry | None


class Verified(msgspec.Struct, frozen=True):
    """`entries` follow each other without a fault, `erased` of them without their payload; `bad`: the first that does
    not, and `why`."""

    entries: int
    erased: int
    bad: int | None
    why: str


class AuditLog(Protocol):
    """Entries are only ever added; `erase` removes what the entries of a person say and leaves their hashes. `add`
    gives the entry's number, counted from 0; `newest` those numbered below `before`, the newest first."""

    async def add(self, entry: Entry) -> int: ...
    async def newest(self, limit: int, *, before: int | None = None, owner_id: str | None = None) -> list[Numbered]: ...
    async def erase(self, owner_id: str) -> int: ...
    async def verify(self) -> Verified: ...
