"""What a database could not do, as one sentence with the remedy."""

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from aister.core.errors import StorageError

__all__ = ["impaired"]

_MIGRATE = "run: aister db migrate"
_HELD = "end what holds it, then try again"
_ADDRESS = "see that it runs, or correct AISTER_DATABASE_URL"

_SQLITE = {
    "BUSY": _HELD,
    "LOCKED": _HELD,
    "PROTOCOL": _HELD,
    "READONLY": "make it writable again",
    "FULL": "free some disk",
    "IOERR": "see that its disk works",
    "CANTOPEN": "see that its folder is yours, or run: aister db migrate",
    "CORRUPT": "restore a backup",
    "NOTADB": "restore a backup",
}
"""By the second word of SQLite's error name: SQLITE_IOERR_READ -> IOERR."""

_POSTGRES = {
    "08": _ADDRESS,
    "25006": "make it writable again",
    "28": "correct AISTER_DATABASE_URL",
    "3D": "create it or correct AISTER_DATABASE_URL",
    "40": "try again",
    "42501": "let the owner of its tables run: aister db migrate",
    "42P01": _MIGRATE,
    "53100": "free some disk",
    "53": "give it more room",
    "55P03": _HELD,
    "57": _ADDRESS,
    "58": "see that its disk works",
    "XX": "restore a backup",
}
"""By SQLSTATE or its class; the longest that fits counts."""


def impaired(error: BaseException, url: URL) -> StorageError | None:
    """The sentence for a database that is gone, locked, full, read-only, broken, or without its tables; None where the
    statement is at fault, and for violated constraints, which mean something to whoever asked."""
    if isinstance(error, IntegrityError):
        return None
    where = url.render_as_string(hide_password=True)
    cause = error.orig if isinstance(error, DBAPIError) else error
    remedy = _remedy(error, cause)
    if remedy is None:
        return None
    why = " ".join(str(cause).split()).removesuffix(".") or type(cause).__name__
    if url.password:
        why = why.replace(str(url.password), "***")
    return StorageError(f"The database {where} cannot be used ({why}); {remedy}.")


def _remedy(error: BaseException, cause: BaseException | None) -> str | None:
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        if name == "SQLITE_ERROR" and str(cause).startswith("no such table"):
            return _MIGRATE
        return _SQLITE.get(name.split("_")[1])
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        found = next((state[:length] for length in (5, 2) if state[:length] in _POSTGRES), None)
        return None if found is None else _POSTGRES[found]
    if isinstance(error, PoolTimeout):
        return "too much is asked of it at once, try again"
    if isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return _ADDRESS
    return None
