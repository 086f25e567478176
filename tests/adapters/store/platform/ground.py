"""One event loop and a database at the newest schema."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import MetaData

from aister.adapters.store.platform.connect import open_engine
from aister.adapters.store.platform.migrate import upgrade
from aister.adapters.store.platform.unit import Database

__all__ = ["Ground"]

T = TypeVar("T")


class Ground:
    """`setting` as AISTER_DATABASE_URL would say it; "" for the file in `home`."""

    def __init__(self, home: Path, setting: str, *, role: str = "", up: bool = True) -> None:
        self.runner = asyncio.Runner()
        self.home, self.setting = home, setting
        self.database = Database(home, setting)
        if up:
            self.run(upgrade(self.database.url, role=role))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def make(self, tables: MetaData) -> None:
        """Tables of a test's own."""

        async def work() -> None:
            engine = open_engine(self.database.url, migrating=True)
            async with engine.begin() as connection:
                await connection.run_sync(tables.create_all)
            await engine.dispose()

        self.run(work())

    def close(self) -> None:
        self.run(self.database.close())
        self.runner.close()
