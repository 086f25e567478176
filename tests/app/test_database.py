"""The platform's database brought up and down: what stood before lies beside it, and two roles share PostgreSQL."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aister.adapters.store.platform.copying import keep_copy
from aister.adapters.store.platform.migrate import newest
from aister.adapters.store.platform.unit import Database
from aister.app.database import DatabaseSettings, database_settings, migrate, stands
from aister.core.errors import AisterError, SettingsError, StorageError, UsageError
from aister.core.people import Person, Role
from tests.servers.postgres import fresh_database, fresh_role

ANN = Person(id="usr_a", name="ann", role=Role.OWNER, password="$", active=True, made_ms=1, password_ms=1)
NONE = DatabaseSettings()
PLACE = "postgresql://ann:secret-4c@host/one"


async def put(home: Path, setting: str = "") -> None:
    database = Database(home, setting)
    async with database.begin() as unit:
        assert await unit.people.add(ANN)
    await database.close()


async def people(home: Path, setting: str = "") -> list[Person]:
    database = Database(home, setting)
    async with database.look() as unit:
        found = await unit.people.all()
    await database.close()
    return found


def test_before_a_file_changes_it_is_copied_and_the_copy_can_take_its_place(tmp_path: Path) -> None:
    file = tmp_path / "platform.sqlite"
    assert stands(tmp_path, NONE).revision == "" and not file.exists()
    done = migrate(tmp_path, NONE)
    assert (done.where, done.before, done.now, done.copy) == (str(file), "", newest(), "")
    asyncio.run(put(tmp_path))
    assert migrate(tmp_path, NONE).copy == ""
    for number in (1, 2):
        down = migrate(tmp_path, NONE, down="base")
        assert (down.before, down.now) == (newest(), "")
        assert Path(down.copy).name == f"platform.at-{newest()}{'' if number == 1 else '-2'}.sqlite"
        assert os.stat(down.copy).st_mode & 0o777 == 0o600
        for beside in ("-wal", "-shm"):
            Path(f"{file}{beside}").unlink(missing_ok=True)
        file.write_bytes(Path(down.copy).read_bytes())
        assert asyncio.run(people(tmp_path)) == [ANN]
        assert stands(tmp_path, NONE).revision == newest()


@pytest.mark.parametrize("down", ["0000", "", "base"])
def test_what_is_refused_leaves_no_copy(tmp_path: Path, down: str) -> None:
    migrate(tmp_path, NONE)
    if down != "0000":
        with closing(sqlite3.connect(tmp_path / "platform.sqlite")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()
    with pytest.raises(AisterError, match=r"no revision 0000|newer AISTER \(revision 9999"):
        migrate(tmp_path, NONE, down=down)
    assert list(tmp_path.glob("*.at-*")) == []


def test_a_copy_that_fails_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "platform.sqlite"
    file.write_bytes(b"no database at all " * 100)
    with pytest.raises(StorageError, match="could not be copied first"):
        keep_copy(file, "0001")
    assert list(tmp_path.iterdir()) == [file]


def test_the_owner_of_the_tables_migrates_and_the_application_writes_rows(tmp_path: Path) -> None:
    owner, role = fresh_database(), fresh_role()
    application = owner.replace("postgres@", f"{role}@")
    with pytest.raises(StorageError, match=r"permission denied.*let the owner of its tables run: aister db migrate"):
        migrate(tmp_path, DatabaseSettings(application))
    both = DatabaseSettings(application, owner)
    assert migrate(tmp_path, both).now == newest()
    asyncio.run(put(tmp_path, application))
    assert migrate(tmp_path, DatabaseSettings(application)).before == newest()
    assert stands(tmp_path, DatabaseSettings(application)).revision == newest()
    with pytest.raises(UsageError, match="--backed-up"):
        migrate(tmp_path, both, down="base")
    assert asyncio.run(people(tmp_path, application)) == [ANN]
    assert migrate(tmp_path, both, down="base", backed_up=True).now == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("application", "owner", "why"),
    [
        ("", PLACE, "leave it out"),
        (PLACE, "sqlite:////x", "leave it out"),
        (PLACE, "postgresql://bob@host/two", "two databases"),
        (PLACE, "postgresql://bob@other/one", "two databases"),
        (PLACE, "postgresql://ann@host:5432/one", "a role of its own"),
        ("postgresql://host/one", "postgresql://ann@host/one", "a role of its own"),
    ],
)
def test_addresses_that_do_not_fit_are_refused(tmp_path: Path, application: str, owner: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as refused:
        migrate(tmp_path, DatabaseSettings(application, owner))
    assert "secret-4c" not in str(refused.value)


def test_addresses_leave_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_DATABASE_URL", PLACE)
    monkeypatch.setenv("AISTER_DATABASE_OWNER_URL", "")
    found = database_settings()
    assert found.application == PLACE and "secret-4c" not in repr(found)
    assert not any("DATABASE" in name for name in os.environ)
