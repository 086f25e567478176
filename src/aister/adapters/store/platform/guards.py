"""Append-only tables, guarded against every writer of the application (D2).

A table with info={"append_only": True} gets triggers that refuse UPDATE and DELETE, in SQLite also an INSERT that would
take a row's place (OR REPLACE deletes without asking a trigger), in PostgreSQL also TRUNCATE. The triggers themselves
are out of the application's reach: in SQLite by an authorizer on its every connection, which refuses every change of
the schema; in PostgreSQL by a role that does not own the tables (`grants`). Walls are made anew with every new revision
and where one is missing: who changes them adds a revision.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData, Table, UniqueConstraint

__all__ = ["GuardedConnection", "append_only", "grants", "walls"]

_DENIED = frozenset(
    getattr(sqlite3, f"SQLITE_{verb}_{kind}")
    for verb in ("CREATE", "DROP")
    for kind in (
        *("INDEX", "TABLE", "TRIGGER", "VIEW", "VTABLE"),
        *("TEMP_INDEX", "TEMP_TABLE", "TEMP_TRIGGER", "TEMP_VIEW"),
    )
) | {sqlite3.SQLITE_ALTER_TABLE, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
_SET = {
    ("foreign_keys", "ON"),
    ("journal_mode", "WAL"),
    ("query_only", "OFF"),
    ("query_only", "ON"),
    ("secure_delete", "ON"),
    ("synchronous", "FULL"),
}
_ASKED = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list", "quick_check"}


class GuardedConnection(sqlite3.Connection):
    """A connection that can write rows and not change what guards them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_authorizer(_allowed)


def _allowed(action: int, what: str | None, value: str | None, database: str | None, source: str | None) -> int:
    if action in _DENIED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and what not in _ASKED and value is not None and (what, value) not in _SET:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def append_only(metadata: MetaData) -> list[Table]:
    """The tables that only grow, by name."""
    return [table for _, table in sorted(metadata.tables.items()) if table.info.get("append_only")]


def walls(dialect: str, table: Table) -> dict[str, list[str]]:
    """The triggers that make a table append-only: name -> the statements that make it anew."""
    made, name = {}, table.name
    if dialect == "sqlite":
        for verb, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", f"WHEN {_taken(table)} ")):
            trigger = f"{name}_no_{'replace' if verb == 'INSERT' else verb.lower()}"
            made[trigger] = [
                f"DROP TRIGGER IF EXISTS {trigger}",
                f"CREATE TRIGGER {trigger} BEFORE {verb} ON {name} {when}"
                f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END",
            ]
        return made
    trigger = f"{name}_no_change"
    made[trigger] = [
        f"CREATE OR REPLACE FUNCTION {name}_wall() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name} is append-only'; END $$",
        f"DROP TRIGGER IF EXISTS {trigger} ON {name}",
        f"CREATE TRIGGER {trigger} BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_wall()",
        f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {trigger}",
    ]
    return made


def _taken(table: Table) -> str:
    """SQLite: whether a new row has a key of one that stands."""
    keys = [list(table.primary_key.columns)]
    keys += [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys += [list(one.columns) for one in table.indexes if one.unique]
    same = sorted(" AND ".join(f"{column.name} = NEW.{column.name}" for column in key) for key in keys)
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table.name} WHERE {one})" for one in same)


def grants(metadata: MetaData, role: str) -> Iterator[str]:
    """PostgreSQL: what the application's role (a quoted name) may do in tables that another role owns."""
    kept = {table.name for table in append_only(metadata)}
    yield f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    for name in ("alembic_version", *sorted(metadata.tables)):
        rights = "SELECT, INSERT" if name in kept else "SELECT, INSERT, UPDATE, DELETE"
        yield f"REVOKE ALL ON TABLE {name} FROM {role}"
        yield f"GRANT {'SELECT' if name == 'alembic_version' else rights} ON TABLE {name} TO {role}"
