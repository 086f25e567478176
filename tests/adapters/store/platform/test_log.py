"""The platform's audit log: a chain that survives erasure and shows every change."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from aister.adapters.store.platform.connect import open_engine
from aister.ports.audit_log import Entry
from tests.adapters.store.platform.ground import Ground

CHANGES = {
    "UPDATE audit_record SET time_ms = 9 WHERE number = 2": 2,
    "UPDATE audit_record SET owner_id = 'usr_x' WHERE number = 1": 1,
    "UPDATE audit_record SET payload_hash = hash WHERE number = 3": 3,
    "UPDATE audit_payload SET body = salt WHERE number = 2": 2,
    "UPDATE audit_payload SET salt = body WHERE number = 0": 0,
    "DELETE FROM audit_payload WHERE number = 2; DELETE FROM audit_record WHERE number = 2": 2,
}


async def written(ground: Ground, count: int) -> None:
    for number in range(count):
        owner = f"usr_{number % 2}"
        async with ground.database.begin() as unit:
            entry = Entry(time_ms=number, owner_id=owner, actor=owner, action="key.add", subject=str(number))
            assert await unit.log.add(entry) == number


def test_erasing_what_a_person_did_leaves_the_chain(ground: Ground) -> None:
    async def scene() -> None:
        await written(ground, 6)
        async with ground.database.begin() as unit:
            seen = [(one.number, one.entry.subject) for one in await unit.log.newest(2) if one.entry]
            assert seen == [(5, "5"), (4, "4")]
            assert [one.number for one in await unit.log.newest(9, before=4, owner_id="usr_1")] == [3, 1]
            assert await unit.log.erase("usr_1") == 3
        async with ground.database.look() as unit:
            told = await unit.log.verify()
            assert (told.entries, told.erased, told.bad) == (6, 3, None)
            assert [one.entry is None for one in await unit.log.newest(3)] == [True, False, True]
        async with ground.database.begin() as unit:
            assert await unit.log.add(Entry(time_ms=6, owner_id="usr_1", actor="system", action="key.drop")) == 6
            assert (await unit.log.verify()).entries == 7

    ground.run(scene())


def test_what_was_erased_is_in_no_file(tmp_path: Path) -> None:
    ground = Ground(tmp_path, "")

    async def scene() -> None:
        async with ground.database.begin() as unit:
            entry = Entry(time_ms=1, owner_id="usr_a", actor="usr_a", action="key.add", detail={"note": "canary-7f3a"})
            await unit.log.add(entry)
        found = [path.name for path in tmp_path.iterdir() if b"canary-7f3a" in path.read_bytes()]
        assert found
        async with ground.database.begin() as unit:
            await unit.log.erase("usr_a")

    ground.run(scene())
    ground.close()  # the last one to leave writes the log of changes back
    assert [path.name for path in tmp_path.iterdir() if b"canary-7f3a" in path.read_bytes()] == []


@pytest.mark.parametrize("kind", ["record", "payload"])
def test_every_change_by_somebody_with_the_file_is_seen(tmp_path: Path, kind: str) -> None:
    for place, (change, bad) in enumerate(CHANGES.items()):
        if f"UPDATE audit_{kind}" not in change and f"FROM audit_{kind}" not in change:
            continue
        folder = tmp_path / str(place)
        folder.mkdir()
        ground = Ground(folder, "")

        async def scene(ground: Ground = ground, change: str = change, bad: int = bad) -> None:
            await written(ground, 4)
            engine = open_engine(ground.database.url, migrating=True)
            async with engine.begin() as connection:
                for trigger in ("update", "delete"):
                    await connection.execute(text(f"DROP TRIGGER audit_record_no_{trigger}"))
                for statement in change.split(";"):
                    await connection.execute(text(statement))
            await engine.dispose()
            async with ground.database.look() as unit:
                told = await unit.log.verify()
                assert told.bad == bad and told.why.endswith("."), change

        try:
            ground.run(scene())
        finally:
            ground.close()


def test_parallel_entries_stand_one_behind_the_other(ground: Ground) -> None:
    async def one(number: int) -> None:
        async with ground.database.begin() as unit:
            await unit.log.add(Entry(time_ms=number, owner_id="usr_a", actor="system", action="test.add"))

    async def scene() -> None:
        await asyncio.gather(*(one(number) for number in range(12)))
        async with ground.database.look() as unit:
            seen = await unit.log.verify()
            assert (seen.entries, seen.bad) == (12, None)

    ground.run(scene())
