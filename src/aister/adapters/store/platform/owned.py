"""Rows of one person: no statement leaves here without the owner in it."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from aister.core.people import Scope

__all__ = ["OwnedRows", "new_id"]


_FIXED = {"id", "owner_id"}


def new_id(prefix: str) -> str:
    """An identifier nobody can guess: what it is of, and 128 random bits."""
    return f"{prefix}_{secrets.token_hex(16)}"


class OwnedRows:
    """One table for one owner. The table has `id`, `owner_id` and `made_ms`. Another person's row is not there."""

    def __init__(self, connection: AsyncConnection, table: Table, scope: Scope) -> None:
        self._connection, self._table, self._scope = connection, table, scope

    @property
    def mine(self) -> ColumnElement[bool]:
        """The condition that every statement carries; for joins of a repository's own."""
        return self._table.c.owner_id == self._scope.owner_id

    async def insert(self, **values: Any) -> None:
        await self._connection.execute(insert(self._table).values(**values, owner_id=self._scope.owner_id))

    async def get(self, id_: str) -> RowMapping | None:
        found = await self._connection.execute(select(self._table).where(self.mine, self._table.c.id == id_))
        return found.mappings().first()

    async def page(
        self, limit: int, *where: ColumnElement[bool], after: tuple[int, str] | None = None
    ) -> Sequence[RowMapping]:
        """The newest first; `after`: (made_ms, id) of the last one seen."""
        made, id_ = self._table.c.made_ms, self._table.c.id
        asked = select(self._table).where(self.mine, *where)
        if after is not None:
            asked = asked.where(or_(made < after[0], and_(made == after[0], id_ < after[1])))
        found = await self._connection.execute(asked.order_by(made.desc(), id_.desc()).limit(limit))
        return found.mappings().all()

    async def update(self, id_: str, values: Mapping[str, Any], *where: ColumnElement[bool]) -> bool:
        """Whether there was such a row. Whose it is and what it is called never change."""
        if not values or _FIXED & values.keys():
            raise ValueError(f"{sorted(values)} cannot be set; name columns other than {sorted(_FIXED)}")
        asked = update(self._table).where(self.mine, self._table.c.id == id_, *where).values(**values)
        return (await self._connection.execute(asked)).rowcount == 1

    async def delete(self, id_: str) -> bool:
        asked = delete(self._table).where(self.mine, self._table.c.id == id_)
        return (await self._connection.execute(asked)).rowcount == 1
