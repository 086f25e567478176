"""One transaction on the platform's database, and what can be done in it."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aister.ports.audit_log import AuditLog
from aister.ports.people import People

__all__ = ["Unit", "Units"]


class Unit(Protocol):
    """Everything in it happens, or nothing does."""

    @property
    def people(self) -> People: ...
    @property
    def log(self) -> AuditLog: ...


class Units(Protocol):
    """`begin` for what writes; `look` sees one moment and cannot write. Raises `StorageError` for a database
    that cannot."""

    def begin(self) -> AbstractAsyncContextManager[Unit]: ...
    def look(self) -> AbstractAsyncContextManager[Unit]: ...
