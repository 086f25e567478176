"""Accounts as rows."""

from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from aister.adapters.store.platform.tables.people import person
from aister.core.people import Person, Role

__all__ = ["PersonRows"]


class PersonRows:
    """Implements `ports.people.People`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, one: Person) -> bool:
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        asked = insert(person).values(
            id=one.id,
            name=one.name.lower(),
            role=str(one.role),
            password=one.password,
            active=one.active,
            made_ms=one.made_ms,
            password_ms=one.password_ms,
        )
        done = await self._connection.execute(asked.on_conflict_do_nothing(index_elements=[person.c.name]))
        return done.rowcount == 1

    async def get(self, id_: str) -> Person | None:
        return await self._first(person.c.id == id_)

    async def named(self, name: str) -> Person | None:
        return await self._first(person.c.name == name.lower())

    async def all(self) -> list[Person]:
        found = await self._connection.execute(select(person).order_by(person.c.made_ms, person.c.id))
        return [_person(row) for row in found.mappings()]

    async def change(
        self, id_: str, *, role: Role | None = None, active: bool | None = None, password: tuple[str, int] | None = None
    ) -> bool:
        values: dict[str, Any] = {}
        if role is not None:
            values["role"] = str(role)
        if active is not None:
            values["active"] = active
        if password is not None:
            values["password"], values["password_ms"] = password
        if not values:
            return await self.get(id_) is not None
        return (await self._connection.execute(update(person).where(person.c.id == id_).values(**values))).rowcount == 1

    async def owners(self) -> int:
        asked = select(func.count()).where(person.c.role == str(Role.OWNER), person.c.active)
        return int((await self._connection.execute(asked)).scalar_one())

    async def _first(self, where: ColumnElement[bool]) -> Person | None:
        found = (await self._connection.execute(select(person).where(where))).mappings().first()
        return None if found is None else _person(found)


def _person(row: RowMapping) -> Person:
    return Person(**{**row, "role": Role(row["role"])})
