"""One transaction and the repositories in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from aister.adapters.store.platform.connect import database_url, open_engine, transaction
from aister.adapters.store.platform.log import ChainedLog
from aister.adapters.store.platform.people import PersonRows

__all__ = ["Database", "DatabaseUnit"]


class DatabaseUnit:
    """Implements `ports.unit.Unit`: repositories made when first asked for."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    @cached_property
    def people(self) -> PersonRows:
        return PersonRows(self.connection)

    @cached_property
    def log(self) -> ChainedLog:
        return ChainedLog(self.connection)


class Database:
    """Implements `ports.unit.Units`. Bring the schema up first (`migrate.upgrade`)."""

    def __init__(self, home: Path, setting: str = "") -> None:
        self.url: URL = database_url(home, setting)
        self._engine: AsyncEngine = open_engine(self.url)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[DatabaseUnit]:
        async with transaction(self._engine) as connection:
            yield DatabaseUnit(connection)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[DatabaseUnit]:
        async with transaction(self._engine, reading=True) as connection:
            yield DatabaseUnit(connection)

    async def close(self) -> None:
        await self._engine.dispose()
