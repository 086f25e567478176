"""What a database cannot do is one sentence with the remedy; what a caller does wrong stays what it is."""

import asyncio
import os
import sqlite3
import traceback
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from aister.adapters.store.platform.connect import database_url, open_engine, transaction
from aister.adapters.store.platform.copying import keep_copy
from aister.adapters.store.platform.migrate import upgrade
from aister.adapters.store.platform.tables.people import person
from aister.adapters.store.platform.unit import Database
from aister.core.errors import SettingsError, StorageError
from aister.core.people import Person, Role
from tests.adapters.store.platform.ground import Ground
from tests.servers.postgres import postgres_url

ANN = Person(id="usr_a", name="ann", role=Role.OWNER, password="canary-9d", active=True, made_ms=1, password_ms=1)


@pytest.mark.parametrize(
    "setting",
    [
        "nonsense",
        "mysql://u@h/d",
        "://",
        "postgresql://h:port/d",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x",
    ],
)
def test_a_setting_that_is_no_database_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingsError, match="AISTER_DATABASE_URL"):
        database_url(tmp_path, setting)


def test_a_url_is_read_as_its_users_write_it(tmp_path: Path) -> None:
    url = database_url(tmp_path, "postgres://me@host/aister?sslmode=require")
    assert url.drivername == "postgresql+asyncpg" and dict(url.query) == {"ssl": "require"}


def test_a_database_that_is_not_there_is_one_sentence_without_its_password(tmp_path: Path) -> None:
    url = database_url(tmp_path, "postgresql://me:hidden-canary@127.0.0.1:9/none")
    with pytest.raises(StorageError, match="see that it runs") as refused:
        asyncio.run(upgrade(url))
    assert "hidden-canary" not in str(refused.value) and "127.0.0.1:9" in str(refused.value)


def test_a_database_nobody_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"does not exist\); create it"):
        asyncio.run(upgrade(database_url(tmp_path, postgres_url("nobody_made_this"))))


def test_a_database_without_tables_says_what_to_run(tmp_path: Path, setting: str) -> None:
    database = Database(tmp_path, setting)

    async def scene() -> None:
        with pytest.raises(StorageError, match=r"(; |or )run: aister db migrate"):
            async with database.look() as unit:
                await unit.people.all()
        assert list(tmp_path.iterdir()) == []
        if not setting:
            (tmp_path / "platform.sqlite").touch(0o600)
            with pytest.raises(StorageError, match=r"no such table.*run: aister db migrate"):
                async with database.look() as unit:
                    await unit.people.all()
        await database.close()

    asyncio.run(scene())


def test_a_full_disk_is_one_sentence_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    ground = Ground(tmp_path, "")

    async def scene() -> None:
        async with ground.database.begin() as unit:
            assert await unit.people.add(ANN)
        engine = open_engine(ground.database.url, migrating=True)
        with pytest.raises(StorageError, match=r"full.*free some disk"):
            async with transaction(engine) as connection:
                await connection.execute(text("PRAGMA max_page_count = 1"))  # no page more than there are
                for number in range(200):
                    row = {**msgspec.structs.asdict(ANN), "id": str(number), "name": str(number), "password": "x" * 200}
                    await connection.execute(insert(person).values(row))
        await engine.dispose()
        async with ground.database.look() as unit:
            assert await unit.people.all() == [ANN]

    try:
        ground.run(scene())
    finally:
        ground.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_went_away_takes_no_more_rows(tmp_path: Path, replaced: bool) -> None:
    ground = Ground(tmp_path, "")
    file, aside = tmp_path / "platform.sqlite", tmp_path / "aside"

    async def scene() -> None:
        async with ground.database.begin() as unit:
            assert await unit.people.add(ANN)
        copy = keep_copy(file, "now")
        file.rename(aside)
        if replaced:
            copy.rename(file)
        with pytest.raises(StorageError, match="removed or replaced"):
            async with ground.database.begin() as unit:
                await unit.people.change(ANN.id, active=False)
        if not replaced:
            with pytest.raises(StorageError, match="aister db migrate"):
                async with ground.database.look() as unit:
                    await unit.people.all()
            assert not file.exists()
            aside.rename(file)
        async with ground.database.look() as unit:
            assert await unit.people.all() == [ANN]

    try:
        ground.run(scene())
    finally:
        ground.close()


def test_a_line_that_breaks_in_a_transaction_is_one_sentence_and_the_next_works(tmp_path: Path, setting: str) -> None:
    if not setting:
        return locked(tmp_path)
    ground = Ground(tmp_path, setting)

    async def scene() -> None:
        with pytest.raises(StorageError, match="see that it runs"):
            async with ground.database.begin() as unit:
                await unit.people.add(ANN)
                async with ground.database.begin() as other:
                    await other.connection.execute(
                        text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                    )
                await unit.people.all()
        async with ground.database.begin() as unit:
            assert await unit.people.all() == []

    try:
        ground.run(scene())
    finally:
        ground.close()
    return None


def locked(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aister.adapters.store.platform.connect._BUSY_S", 0.05)
        ground = Ground(tmp_path, "")
    holder = sqlite3.connect(tmp_path / "platform.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    async def scene() -> None:
        with pytest.raises(StorageError, match=r"locked.*end what holds it"):
            async with ground.database.begin() as unit:
                await unit.people.add(ANN)
        holder.close()
        async with ground.database.begin() as unit:
            assert await unit.people.add(ANN)

    try:
        ground.run(scene())
    finally:
        ground.close()
    assert os.stat(tmp_path / "platform.sqlite").st_mode & 0o077 == 0


@pytest.mark.parametrize("wrong", ["not a database", "read-only folder gone"])
def test_a_broken_or_missing_file_is_one_sentence(tmp_path: Path, wrong: str) -> None:
    if wrong == "not a database":
        (tmp_path / "platform.sqlite").write_bytes(b"no database at all " * 100)
        with pytest.raises(StorageError, match="restore a backup"):
            asyncio.run(upgrade(database_url(tmp_path)))
    else:
        with pytest.raises(StorageError, match="cannot be made"):
            asyncio.run(upgrade(database_url(tmp_path / "gone")))


def told(error: BaseException) -> str:
    """All that a log would show of it."""
    return "".join(traceback.format_exception(error))


def test_what_a_caller_does_wrong_is_not_the_databases_fault(ground: Ground) -> None:
    async def scene() -> None:
        with pytest.raises(FileNotFoundError):
            async with ground.database.begin():
                raise FileNotFoundError("a file of the caller's")
        with pytest.raises(DBAPIError) as refused:
            async with ground.database.begin() as unit:
                assert await unit.people.add(ANN)
                await unit.connection.execute(text("SELECT nothing(:word)"), {"word": ANN.password})
        assert ANN.password not in told(refused.value)
        with pytest.raises(IntegrityError) as wrong:
            async with ground.database.begin() as unit:
                await unit.people.add(msgspec.structs.replace(ANN, name=""))
        assert ANN.password not in told(wrong.value) and "ck_person_name" in told(wrong.value)

    ground.run(scene())
