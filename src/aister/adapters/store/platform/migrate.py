"""The schema, up and down, by Alembic's versions inside the package. Each way is one transaction."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.engine import URL

from aister.adapters.store.platform.connect import open_engine, transaction
from aister.adapters.store.platform.guards import append_only, grants, walls
from aister.adapters.store.platform.tables import everything
from aister.core.errors import StorageError, UsageError

__all__ = ["check_way", "differences", "downgrade", "newest", "revisions", "standing", "upgrade"]

T = TypeVar("T")
_HERE = Path(__file__).parent / "migrations"
_LOCK = 0x41495355


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def revisions() -> list[str]:
    """Every revision this code knows, the oldest first."""
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    return known[::-1]


def newest() -> str:
    """The revision this code is written for."""
    return revisions()[-1]


def check_way(before: str | None, down: str = "") -> None:
    """Whether this code can bring a database from there to its newest revision, or down to another. Raises
    `StorageError` for one that a newer AISTER made, `UsageError` for a revision there is none of or that lies above."""
    known = ["base", *revisions()]
    if before is not None and before not in known:
        raise StorageError(
            f"The database was made by a newer AISTER (revision {before}, this one knows {known[-1]}); upgrade AISTER, "
            "or restore a backup of this version."
        )
    if down and down not in known:
        raise UsageError(f"There is no revision {down}; there are: {', '.join(known)}.")
    if down and known.index(down) > known.index(before or "base"):
        raise UsageError(f"The database is at {before or 'base'}, which is older than {down}; bring it up first.")


async def standing(url: URL) -> str | None:
    """The revision a database is at; None: it is empty. Nothing is made where SQLite has no file yet."""
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return None
    return await _with(url, _current)


async def upgrade(url: URL, *, role: str = "") -> str:
    """Bring a database to this code's schema; the revision it was at is returned ("" for an empty one). `role`:
    PostgreSQL, the application's role when another owns the tables. Where nothing is to be done nothing is written, so
    that a role without the right to can still ask. Raises as `check_way`."""

    def up(connection: Connection) -> str:
        postgres = connection.dialect.name == "postgresql"
        if postgres:  # two that start at the same time; SQLite lets one write anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _current(connection)
        check_way(before)
        if before != newest():
            command.upgrade(_config(connection), "head")
        _guard(connection, anew=before != newest())
        if role and postgres:
            _run(connection, grants(everything(), connection.dialect.identifier_preparer.quote(role)))
        return before or ""

    return await _with(url, up)


async def downgrade(url: URL, revision: str) -> None:
    """Back to an older schema; "base" removes everything. Raises as `check_way`."""

    def down(connection: Connection) -> None:
        check_way(_current(connection), revision)
        command.downgrade(_config(connection), revision)
        kept = set(inspect(connection).get_table_names())
        for table in append_only(everything()):
            if table.name in kept:  # a table that was rebuilt has lost them
                older = Table(table.name, MetaData(), autoload_with=connection)
                for statements in walls(connection.dialect.name, older).values():
                    _run(connection, statements)

    await _with(url, down)


async def differences(url: URL) -> list[object]:
    """What the tables in the code and those in a database differ by; nothing when the migrations are whole."""
    return await _with(url, lambda connection: compare_metadata(MigrationContext.configure(connection), everything()))


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _guard(connection: Connection, *, anew: bool) -> None:
    """Every append-only table stands behind its walls."""
    postgres = connection.dialect.name == "postgresql"
    asked = "SELECT tgname FROM pg_trigger" if postgres else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    there = set(connection.execute(text(asked)).scalars())
    for table in append_only(everything()):
        for name, statements in walls(connection.dialect.name, table).items():
            if anew or name not in there:
                _run(connection, statements)


def _run(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


async def _with(url: URL, work: Callable[[Connection], T]) -> T:
    """In one transaction, that leaves no row without the one it points at."""

    def whole(connection: Connection) -> T:
        done = work(connection)
        if connection.dialect.name == "sqlite":
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if lost is not None:
                raise StorageError(f"A row of {lost[0]} would point at none in {lost[2]}; restore a backup.")
        return done

    engine = open_engine(url, migrating=True)
    try:
        async with transaction(engine) as connection:
            return await connection.run_sync(whole)
    finally:
        await engine.dispose()
