"""Tables that only grow refuse everything else, and the application cannot take their walls down (D2)."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from aister.adapters.store.platform.guards import append_only
from aister.adapters.store.platform.migrate import upgrade
from aister.adapters.store.platform.tables import everything
from aister.adapters.store.platform.unit import Database
from aister.core.errors import StorageError
from aister.ports.audit_log import Entry
from tests.adapters.store.platform.ground import Ground
from tests.servers.postgres import fresh_database, fresh_role, postgres_url

CHANGES = {
    "both": [
        "UPDATE audit_record SET owner_id = 'x'",
        "DELETE FROM audit_record",
        "INSERT INTO audit_record SELECT * FROM audit_record WHERE true ON CONFLICT (number) DO UPDATE SET time_ms = 2",
    ],
    "sqlite": [
        "UPDATE OR IGNORE audit_record SET owner_id = 'x'",
        "UPDATE OR REPLACE audit_record SET number = 1",
        "REPLACE INTO audit_record SELECT number, time_ms, 'x', payload_hash, previous, hash FROM audit_record",
        "REPLACE INTO audit_record SELECT 9, time_ms, 'x', payload_hash, previous, hash FROM audit_record",
    ],
    "postgres": [
        "TRUNCATE audit_record CASCADE",
        "MERGE INTO audit_record USING person ON true WHEN MATCHED THEN DELETE",
    ],
}
SQLITE_WALLS = [
    "DROP TRIGGER audit_record_no_delete",
    "DROP TABLE audit_record",
    "DROP INDEX ix_audit_record_owner_id_number",
    "PRAGMA writable_schema = ON",
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = OFF",
    "ALTER TABLE audit_record RENAME TO other",
    "ATTACH DATABASE ':memory:' AS other",
    "CREATE TEMP TABLE audit_record (number)",
    "CREATE TRIGGER silent BEFORE INSERT ON audit_record BEGIN SELECT RAISE(IGNORE); END",
    "DELETE FROM sqlite_master",
]
POSTGRES_WALLS = [
    *CHANGES["both"],
    "TRUNCATE audit_record CASCADE",
    "DROP TRIGGER audit_record_no_change ON audit_record",
    "ALTER TABLE audit_record DISABLE TRIGGER ALL",
    "ALTER TABLE audit_record OWNER TO CURRENT_USER",
    "DROP TABLE audit_record CASCADE",
    "CREATE OR REPLACE FUNCTION audit_record_wall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "CREATE TABLE public.mine (number int)",
    "SET session_replication_role = replica",
    "UPDATE alembic_version SET version_num = '0000'",
]


async def an_entry(database: Database) -> None:
    async with database.begin() as unit:
        await unit.log.add(Entry(time_ms=1, owner_id="usr_a", actor="usr_a", action="key.add"))


async def refused(database: Database, statement: str) -> str:
    with pytest.raises((DBAPIError, StorageError)) as found:
        async with database.begin() as unit:
            await unit.connection.execute(text(statement))
    async with database.look() as unit:
        seen = await unit.log.verify()
        assert (seen.entries, seen.erased, seen.bad) == (1, 0, None)
    return str(found.value)


def test_a_table_that_only_grows_refuses_everything_else(ground: Ground) -> None:
    kind = "postgres" if ground.setting else "sqlite"
    assert [table.name for table in append_only(everything())] == ["audit_record"]

    async def scene() -> None:
        await an_entry(ground.database)
        for statement in CHANGES["both"] + CHANGES[kind]:
            assert "append-only" in await refused(ground.database, statement), statement

    ground.run(scene())


def test_the_application_cannot_take_the_walls_of_sqlite_down(tmp_path: Path) -> None:
    ground = Ground(tmp_path, "")

    async def scene() -> None:
        await an_entry(ground.database)
        for statement in SQLITE_WALLS:
            said = await refused(ground.database, statement)
            assert any(word in said for word in ("not authorized", "prohibited", "may not be modified")), statement

    try:
        ground.run(scene())
    finally:
        ground.close()


def test_a_role_that_does_not_own_the_tables_cannot_take_the_walls_of_postgresql_down(tmp_path: Path) -> None:
    owner, role = fresh_database(), fresh_role()
    ground = Ground(tmp_path, owner, role=role)
    mine = postgres_url(ground.database.url.database or "", role)
    application = Database(tmp_path, mine)

    async def scene() -> None:
        assert await upgrade(application.url) != ""  # nothing to be done needs no right to do it
        await an_entry(application)
        for statement in POSTGRES_WALLS:
            said = await refused(application, statement)
            assert any(word in said for word in ("permission denied", "must be owner", "must be able to")), (
                statement,
                said,
            )
        async with application.begin() as unit:
            assert await unit.log.erase("usr_a") == 1
        await application.close()

    try:
        ground.run(scene())
    finally:
        ground.close()


def test_what_looks_cannot_write(ground: Ground) -> None:
    async def scene() -> None:
        with pytest.raises(StorageError, match=r"read-?only"):
            async with ground.database.look() as unit:
                await unit.log.add(Entry(time_ms=1, owner_id="usr_a", actor="usr_a", action="key.add"))
        await an_entry(ground.database)

    ground.run(scene())
