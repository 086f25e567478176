"""Accounts: who can log in. Administration sees them all; nobody else has this."""

from typing import Protocol

from aister.core.people import Person, Role

__all__ = ["People"]


class People(Protocol):
    """Names are compared in lower case."""

    async def add(self, person: Person) -> bool:
        """False: the name is taken."""
        ...

    async def get(self, id_: str) -> Person | None: ...
    async def named(self, name: str) -> Person | None: ...
    async def all(self) -> list[Person]: ...
    async def change(
        self, id_: str, *, role: Role | None = None, active: bool | None = None, password: tuple[str, int] | None = None
    ) -> bool:
        """False: there is no such account. `password`: the new hash and when it was set."""
        ...

    async def owners(self) -> int:
        """How many active owners there are."""
        ...
