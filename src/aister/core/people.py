"""Who may do what, and whose rows a statement may touch."""

from enum import StrEnum

import msgspec

__all__ = ["Person", "Role", "Scope"]


class Role(StrEnum):
    """What an account may do: a viewer reads, a trader trades too, the owner also administers."""

    VIEWER = "viewer"
    TRADER = "trader"
    OWNER = "owner"

    def covers(self, wanted: "Role") -> bool:
        """Whether this role includes another: owner > trader > viewer."""
        order = list(Role)
        return order.index(self) >= order.index(wanted)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `password` is a hash that says how it was made; `password_ms` when it was set."""

    id: str
    name: str
    role: Role
    password: str
    active: bool
    made_ms: int
    password_ms: int

    def __repr__(self) -> str:
        return f"Person({self.id}, {self.name}, {self.role})"


class Scope(msgspec.Struct, frozen=True):
    """Rows of one person and of nobody else. Every repository of owned rows is made for one of these."""

    owner_id: str
