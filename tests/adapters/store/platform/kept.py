"""What the databases in releases/ hold, and how one is made for a new revision:

    python -m tests.adapters.store.platform.kept

writes releases/REVISION.sqlite.sql and releases/REVISION.postgres.sql for the newest one. They are made once, by the
release that brings the revision, and never again: what an older release wrote is what a newer one must be able to read.
A revision that brings tables adds rows of them to `fill`, and what is to be found again to `test_releases.py`.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import asyncpg

from aister.adapters.store.platform.migrate import newest, upgrade
from aister.adapters.store.platform.unit import Database
from aister.core.people import Person, Role
from aister.ports.audit_log import Entry
from tests.servers.postgres import dumped, fresh_database

__all__ = ["ENTRIES", "ERASED", "PEOPLE", "RELEASES", "restored"]

RELEASES = Path(__file__).parent / "releases"

PEOPLE = [
    Person(
        id=f"usr_{number:032x}",
        name=name,
        role=role,
        password=f"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA${name}",
        active=role is not Role.VIEWER,
        made_ms=1_790_000_000_000 + number,
        password_ms=1_790_000_100_000 + number,
    )
    for number, (name, role) in enumerate([("ann", Role.OWNER), ("bob", Role.TRADER), ("žofie", Role.VIEWER)])
]
ENTRIES = [
    Entry(
        time_ms=1_790_000_200_000 + number,
        owner_id=PEOPLE[number % 3].id,
        actor=PEOPLE[0].id,
        action="user.change",
        subject=PEOPLE[number % 3].id,
        address="192.0.2.7",
        detail={"role": "trader", "note": f"entry {number}, 'quoted' – ž"},
    )
    for number in range(7)
]
ERASED = PEOPLE[1].id


async def fill(database: Database) -> None:
    async with database.begin() as unit:
        for person in PEOPLE:
            assert await unit.people.add(person)
        for entry in ENTRIES:
            await unit.log.add(entry)
        await unit.log.erase(ERASED)


def restored(revision: str, kind: str, home: Path) -> str:
    """A database as the release of that revision left it; what AISTER_DATABASE_URL would say for it."""
    script = (RELEASES / f"{revision}.{kind}.sql").read_text(encoding="utf-8")
    if kind == "sqlite":
        with closing(sqlite3.connect(home / "platform.sqlite")) as connection:
            connection.executescript(script)
        return ""
    setting = fresh_database()

    async def put_back() -> None:
        connection = await asyncpg.connect(setting)
        await connection.execute(script)
        await connection.close()

    asyncio.run(put_back())
    return setting


def make() -> None:
    for kind in ("sqlite", "postgres"):
        target = RELEASES / f"{newest()}.{kind}.sql"
        if target.exists():
            raise SystemExit(f"{target.name} is there; what a release left is never made again.")
        with tempfile.TemporaryDirectory() as folder:
            setting = "" if kind == "sqlite" else fresh_database()
            database = Database(Path(folder), setting)

            async def write(database: Database = database) -> None:
                await upgrade(database.url)
                await fill(database)
                await database.close()

            asyncio.run(write())
            if setting:
                script = dumped(setting)
            else:
                with closing(sqlite3.connect(Path(folder) / "platform.sqlite")) as connection:
                    script = "\n".join(connection.iterdump()) + "\n"
        target.write_text(script, encoding="utf-8")


if __name__ == "__main__":
    make()
