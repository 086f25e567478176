"""Accounts."""

from sqlalchemy import Boolean, CheckConstraint, Column, String, Table

from aister.adapters.store.platform.tables import METADATA
from aister.adapters.store.platform.types import Id, Millis

__all__ = ["person"]

person = Table(
    "person",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(8), nullable=False),
    Column("password", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("password_ms", Millis, nullable=False),
    CheckConstraint("length(name) BETWEEN 1 AND 64", name="name"),
    CheckConstraint("role IN ('viewer', 'trader', 'owner')", name="role"),
)
"""`name` is kept in lower case; `password` is an argon2id hash; `password_ms`: when it was set."""
