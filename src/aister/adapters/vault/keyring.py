"""The keys of this installation: those in files, and where there is no file of a name, the environment's."""

import os
from pathlib import Path

from aister.adapters.vault.environment import PREFIX, EnvironmentVault, prefix_of
from aister.adapters.vault.file import FileVault
from aister.adapters.vault.master import FROM
from aister.core.errors import CredentialError
from aister.ports.vault import Credential

__all__ = ["Keyring", "take_environment"]

_TAKEN: dict[str, str] = {}
"""What the environment of this process held, since it was taken out of it."""


def take_environment() -> None:
    """Take keys out of this process's environment, first of all, so that no child inherits them."""
    _TAKEN.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith(PREFIX)})


class Keyring:
    """Port `Vault`. A file goes before the environment, which is asked only where there is none."""

    def __init__(self, home: Path) -> None:
        take_environment()
        self._files, self._given = FileVault(home), EnvironmentVault(dict(_TAKEN))

    def names(self) -> list[str]:
        """Of the keys there are, right or not."""
        return sorted({*self._files.names(), *self._given.names()})

    def filed(self, name: str) -> bool:
        """Whether a file holds it, which another process of ours can read for itself: one without our environment
        cannot where that says what opens a sealed key."""
        return self._files.holds(name) and not (os.environ.get(FROM) and self._files.sealed(name))

    def given(self, name: str) -> bool:
        """Whether the environment gives it, as no file does."""
        return not self._files.holds(name)

    def credential(self, name: str) -> Credential:
        """Raises `CredentialError`: none of that name, a file open to others, or not right."""
        if self._files.holds(name):
            return self._files.credential(name)
        if self._given.holds(name):
            return self._given.credential(name)
        raise CredentialError(
            f"There is no key {name}; write {self._files.path(name)} as docs/keys.md shows, or give "
            f"{prefix_of(name)}KEY and its other fields in the environment."
        )

    def __repr__(self) -> str:
        return f"Keyring({self._files!r}, ...)"

    def __reduce__(self) -> str:
        raise TypeError("Keys are not pickled.")
