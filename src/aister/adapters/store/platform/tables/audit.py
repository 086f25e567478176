"""The platform's audit log. The chain of hashes stays when a person's data are erased; what it hashed need not."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table

from aister.adapters.store.platform.tables import METADATA
from aister.adapters.store.platform.types import Id, Millis

__all__ = ["audit_payload", "audit_record"]

audit_record = Table(
    "audit_record",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", Millis, nullable=False),
    Column("owner_id", Id, nullable=False),
    Column("payload_hash", LargeBinary(32), nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Index(None, "owner_id", "number"),
    info={"append_only": True},
)
"""One entry: whose data it concerns, and the chain; `log` says what is hashed."""

audit_payload = Table(
    "audit_payload",
    METADATA,
    Column("number", BigInteger, ForeignKey(audit_record.c.number), primary_key=True, autoincrement=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""What was done, as JSON. Deleted when the person's data are erased, with the salt, so that nobody can guess what the
hash that stays was made of."""
