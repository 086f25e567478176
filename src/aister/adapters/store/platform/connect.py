"""An engine for a URL, and one transaction on it.

SQLite: WAL, one writer at a time (`BEGIN IMMEDIATE`), what is deleted is overwritten, through `GuardedConnection`.
PostgreSQL: by asyncpg. What only reads sees one moment and cannot write, on both.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from aister.adapters.store.platform.failures import impaired
from aister.adapters.store.platform.guards import GuardedConnection
from aister.core.errors import SettingsError, StorageError

__all__ = ["database_url", "open_engine", "transaction"]

_BUSY_S = 10.0
_REACH_S = 10.0
_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
_READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def database_url(home: Path, setting: str = "") -> URL:
    """Where the platform keeps its rows: `setting` (AISTER_DATABASE_URL), or platform.sqlite in the state folder.
    Raises `SettingsError` for a URL that is none, or of another kind of database."""
    if not setting:
        return URL.create("sqlite+aiosqlite", database=str(home / "platform.sqlite"))
    try:
        url = make_url(setting)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "AISTER_DATABASE_URL is not a URL; write postgresql://USER:PASSWORD@HOST/NAME, or leave it out."
        ) from None
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise SettingsError(
            f"AISTER_DATABASE_URL names {url.drivername}; AISTER keeps its rows in PostgreSQL or SQLite."
        )
    if driver.startswith("sqlite") and (url.database or ":memory:").startswith((":memory:", "file:")):
        raise SettingsError("AISTER_DATABASE_URL names no file; write sqlite:////FOLDER/NAME.sqlite.")
    if (mode := url.query.get("sslmode")) is not None:  # libpq's word for what asyncpg calls ssl
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url.set(drivername=driver)


def open_engine(url: URL, *, migrating: bool = False) -> AsyncEngine:
    """An engine; nothing is opened yet. `migrating`: it may make SQLite's file and change the schema, and SQLite looks
    at foreign keys at the end only, as a table that is rebuilt would take its children's rows with it."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, migrating)
    connect = {"timeout": _REACH_S, "server_settings": {"application_name": "aister"}}
    return create_async_engine(
        url, connect_args=connect, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=10
    )


def _sqlite(url: URL, migrating: bool) -> AsyncEngine:
    path = Path(str(url.database)).absolute()
    made: dict[str, Any] = {} if migrating else {"factory": GuardedConnection}
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_S, **made}, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "do_connect")
    def open_it(_dialect: object, _record: object, given: list[Any], named: dict[str, Any]) -> None:
        if migrating:
            _private(path)
        given[0], named["uri"] = f"{path.as_uri()}?mode=rw", True  # a file that is gone is not made anew, empty

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        record.info["file"] = _identity(path)
        connection.isolation_level = None  # transactions are begun below, in the right mode
        cursor = connection.cursor()
        keys = "OFF" if migrating else "ON"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", f"foreign_keys={keys}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        if connection.info["file"] != _identity(path):  # SQLite would go on with the file that has no name any more
            connection.invalidate()
            raise StorageError(f"The database {path} was removed or replaced; put it back, then try again.")
        reading = connection.get_execution_options().get("reading", False)
        if connection.info.get("reading", False) is not reading:  # each statement goes to a thread and back three times
            connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
            connection.info["reading"] = reading
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, reading: bool = False) -> AsyncIterator[AsyncConnection]:
    """All of it or nothing. Raises `StorageError` for what the database could not do; what else is raised inside
    passes as it is, also an `OSError` that has nothing to do with the database."""
    options: dict[str, Any] = {"reading": reading}
    if reading and engine.dialect.name == "postgresql":
        options.update(_READING)
    inside: Exception | None = None
    try:
        async with engine.connect() as connection:
            await connection.execution_options(**options)
            async with connection.begin():
                try:
                    yield connection
                except Exception as error:
                    inside = error
                    raise
    except Exception as error:
        if isinstance(error, SQLAlchemyError) or error is not inside:
            found = impaired(error, engine.url)
            if found is not None:
                raise found from None
        if isinstance(error, DBAPIError):  # what PostgreSQL says beneath it names whole rows
            raise error from None
        raise


def _private(path: Path) -> None:
    """Made for its owner only, before SQLite makes it for everybody."""
    try:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageError(f"{path} cannot be made ({error.strerror}); free the disk or set AISTER_HOME.") from None
