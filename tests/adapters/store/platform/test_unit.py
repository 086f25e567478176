"""One transaction: all of it or nothing; accounts; another person's rows are not there; money to the unit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, insert, select
from sqlalchemy.exc import DBAPIError, StatementError

from aister.adapters.store.platform.owned import OwnedRows, new_id
from aister.adapters.store.platform.types import Id, Millis, Money
from aister.core.people import Person, Role, Scope
from tests.adapters.store.platform.ground import Ground

OTHER = MetaData()
THING = Table(
    "thing",
    OTHER,
    Column("id", Id, primary_key=True),
    Column("owner_id", Id, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("worth", Money, nullable=False),
    Column("word", String(20), nullable=False),
)


def person(name: str, role: Role = Role.TRADER) -> Person:
    return Person(id=new_id("usr"), name=name, role=role, password="$", active=True, made_ms=1, password_ms=1)


def test_a_unit_that_fails_leaves_nothing(ground: Ground) -> None:
    async def scene() -> None:
        with pytest.raises(RuntimeError, match="half way"):
            async with ground.database.begin() as unit:
                assert await unit.people.add(person("ann"))
                raise RuntimeError("half way")
        async with ground.database.look() as unit:
            assert await unit.people.all() == []

    ground.run(scene())


def test_accounts_are_found_by_name_in_any_case_and_names_are_taken_once(ground: Ground) -> None:
    ann = person("Ann", Role.OWNER)

    async def scene() -> None:
        async with ground.database.begin() as unit:
            assert await unit.people.add(ann)
            assert not await unit.people.add(person("aNN"))
            assert await unit.people.add(person("bob"))
            assert await unit.people.owners() == 1
        for wrong in (person(""), person("x" * 65)):
            with pytest.raises(DBAPIError):
                async with ground.database.begin() as unit:
                    await unit.people.add(wrong)
        async with ground.database.begin() as unit:
            found = await unit.people.named("ANN")
            assert found is not None and (found.id, found.role, found.name) == (ann.id, Role.OWNER, "ann")
            assert await unit.people.change(ann.id, role=Role.VIEWER, active=False, password=("new", 7))
            assert not await unit.people.change("usr_none", active=True)
        async with ground.database.look() as unit:
            found = await unit.people.get(ann.id)
            assert found is not None
            assert (found.role, found.active, found.password, found.password_ms) == (Role.VIEWER, False, "new", 7)
            assert sorted(one.name for one in await unit.people.all()) == ["ann", "bob"]
            assert await unit.people.owners() == 0

    ground.run(scene())


MONEY = st.integers(-(2**63) + 1, 2**63 - 1)


def test_money_comes_back_to_the_unit(ground: Ground) -> None:
    async def put(amounts: list[int]) -> list[int]:
        async with ground.database.begin() as unit:
            rows = OwnedRows(unit.connection, THING, Scope("usr_a"))
            ids = [new_id("thg") for _ in amounts]
            for id_, amount in zip(ids, amounts, strict=True):
                await rows.insert(id=id_, made_ms=1, worth=amount, word="")
            found = [await rows.get(id_) for id_ in ids]
            return [row["worth"] for row in found if row is not None]

    ground.make(OTHER)

    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(MONEY, min_size=1, max_size=5))
    def come_back(amounts: list[int]) -> None:
        assert ground.run(put(amounts)) == amounts

    come_back()
    for wrong in (1.5, True, "1"):
        with pytest.raises((StatementError, TypeError), match="int of 1e-8"):
            ground.run(put([wrong]))  # type: ignore[list-item]


def test_another_persons_rows_are_not_there(ground: Ground) -> None:
    ground.make(OTHER)

    async def scene() -> None:
        async with ground.database.begin() as unit:
            ann, bob = (OwnedRows(unit.connection, THING, Scope(one)) for one in ("usr_ann", "usr_bob"))
            for number in range(5):
                await ann.insert(id=f"thg_{number}", made_ms=number // 2, worth=number, word="ann's")
            assert await bob.get("thg_3") is None and await bob.page(10) == []
            for given in ({"owner_id": "usr_bob"}, {"id": "thg_9", "word": ""}, {}):
                with pytest.raises(ValueError, match="cannot be set"):
                    await ann.update("thg_3", given)
            with pytest.raises(TypeError, match="owner_id"):
                await ann.insert(id="thg_9", owner_id="usr_bob", made_ms=1, worth=1, word="")
            assert not await bob.update("thg_3", {"word": "bob's"}) and not await bob.delete("thg_3")
            first = await ann.page(2)
            rest = await ann.page(10, after=(first[-1]["made_ms"], first[-1]["id"]))
            assert [row["id"] for row in (*first, *rest)] == [f"thg_{number}" for number in (4, 3, 2, 1, 0)]
            assert await ann.update("thg_3", {"word": "new"}, THING.c.word == "ann's")
            assert not await ann.update("thg_3", {"word": "new"}, THING.c.word == "ann's")
            assert await ann.delete("thg_3") and await ann.get("thg_3") is None
            every = (await unit.connection.execute(select(THING.c.owner_id).distinct())).scalars().all()
            assert every == ["usr_ann"]
            await unit.connection.execute(insert(THING).values(id="x", owner_id="c", made_ms=1, worth=1, word=""))

    ground.run(scene())
