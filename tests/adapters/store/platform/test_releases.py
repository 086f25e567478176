"""A database that an earlier release made comes up to this one with its data whole, and goes down and up again."""

from pathlib import Path

import pytest

from aister.adapters.store.platform.connect import database_url
from aister.adapters.store.platform.migrate import differences, downgrade, newest, revisions, standing, upgrade
from aister.ports.audit_log import Entry
from tests.adapters.store.platform.ground import Ground
from tests.adapters.store.platform.kept import ENTRIES, ERASED, PEOPLE, RELEASES, restored

KINDS = ("sqlite", "postgres")


def test_every_revision_has_a_database_of_its_release_on_both() -> None:
    kept = sorted(path.name for path in RELEASES.iterdir())
    assert kept == sorted(f"{revision}.{kind}.sql" for revision in revisions() for kind in KINDS)


@pytest.mark.parametrize("revision", revisions())
@pytest.mark.parametrize("kind", KINDS)
def test_what_an_earlier_release_kept_is_all_there(tmp_path: Path, kind: str, revision: str) -> None:
    setting = restored(revision, kind, tmp_path)
    url = database_url(tmp_path, setting)
    ground = Ground(tmp_path, setting, up=False)

    async def whole() -> None:
        async with ground.database.look() as unit:
            assert await unit.people.all() == PEOPLE
            told = await unit.log.verify()
            erased = [entry for entry in ENTRIES if entry.owner_id == ERASED]
            assert (told.entries, told.erased, told.bad) == (len(ENTRIES), len(erased), None)
            found = [one.entry for one in await unit.log.newest(99)]
            assert found == [None if entry in erased else entry for entry in reversed(ENTRIES)]

    async def scene() -> None:
        assert await standing(url) == revision
        assert await upgrade(url) == revision
        assert await standing(url) == newest() and await differences(url) == []
        await whole()
        await downgrade(url, revision)
        assert await upgrade(url) == revision
        await whole()
        async with ground.database.begin() as unit:
            entry = Entry(time_ms=1_790_000_300_000, owner_id=PEOPLE[0].id, actor="system", action="db.migrate")
            assert await unit.log.add(entry) == len(ENTRIES)
            assert (await unit.log.verify()).bad is None

    try:
        ground.run(scene())
    finally:
        ground.close()
