"""The schema that migrations make is the one the code has; up and down are whole or nothing."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from aister.adapters.store.platform import migrate
from aister.adapters.store.platform.connect import database_url, open_engine, transaction
from aister.adapters.store.platform.migrate import differences, downgrade, newest, standing, upgrade
from aister.core.errors import StorageError, UsageError


async def tables(connection: AsyncConnection) -> set[str]:
    return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


def test_migrations_make_what_the_tables_say_and_take_it_away_again(tmp_path: Path, setting: str) -> None:
    url = database_url(tmp_path, setting)

    async def scene() -> None:
        assert await standing(url) is None
        assert await upgrade(url) == ""
        assert await standing(url) == newest()
        assert await differences(url) == []
        assert await upgrade(url) == newest()
        with pytest.raises(UsageError, match="no revision 0000"):
            await downgrade(url, "0000")
        await downgrade(url, newest())
        assert await standing(url) == newest()
        await downgrade(url, "base")
        engine = open_engine(url, migrating=True)
        async with transaction(engine, reading=True) as connection:
            assert await tables(connection) <= {"alembic_version"}
        await engine.dispose()
        with pytest.raises(UsageError, match="bring it up first"):
            await downgrade(url, newest())
        assert await asyncio.gather(upgrade(url), upgrade(url)) in (["", newest()], [newest(), ""])
        assert await differences(url) == []

    asyncio.run(scene())


def test_a_migration_that_fails_half_way_leaves_nothing(
    tmp_path: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database_url(tmp_path, setting)

    def fails(connection: Connection, *, anew: bool) -> None:
        raise RuntimeError("half way")

    async def scene() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(migrate, "_guard", fails)
            with pytest.raises(RuntimeError, match="half way"):
                await upgrade(url)
        assert await standing(url) is None
        engine = open_engine(url, migrating=True)
        async with transaction(engine, reading=True) as connection:
            assert await tables(connection) == set()
        await engine.dispose()
        assert await upgrade(url) == ""

    asyncio.run(scene())


def test_a_database_of_a_newer_aister_is_refused_and_left_alone(tmp_path: Path, setting: str) -> None:
    url = database_url(tmp_path, setting)

    async def scene() -> None:
        await upgrade(url)
        engine = open_engine(url, migrating=True)
        async with transaction(engine) as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await engine.dispose()
        with pytest.raises(StorageError, match="newer AISTER"):
            await upgrade(url)
        with pytest.raises(StorageError, match="newer AISTER"):
            await downgrade(url, "base")
        assert await standing(url) == "9999"

    asyncio.run(scene())


def test_a_migration_that_would_leave_rows_pointing_nowhere_is_undone(tmp_path: Path) -> None:
    url = database_url(tmp_path)

    async def scene() -> None:
        await upgrade(url)
        engine = open_engine(url, migrating=True)
        async with transaction(engine) as connection:
            await connection.execute(text("INSERT INTO audit_payload VALUES (7, x'00', x'00')"))
        await engine.dispose()
        with pytest.raises(StorageError, match="audit_payload would point at none in audit_record"):
            await upgrade(url)

    asyncio.run(scene())


def test_the_same_tests_ran_on_both(request: pytest.FixtureRequest) -> None:
    here = [item.nodeid for item in request.session.items if "store/platform/" in item.nodeid]
    on = {
        kind: {one.removesuffix(f"[{kind}]") for one in here if one.endswith(f"[{kind}]")}
        for kind in ("sqlite", "postgres")
    }
    assert on["sqlite"] == on["postgres"] != set()
