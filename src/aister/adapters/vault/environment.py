"""Keys from the environment, for containers: `AISTER_KEY_NAME_FIELD`, NAME in capitals with _ for -.

They are taken out of the environment at once, so that no child inherits them; what started this process still shows
them to its own user, which is why a file is better.
"""

import os
from collections.abc import Mapping, MutableMapping

from aister.adapters.vault.entry import FIELDS, credential_of, name_of
from aister.core.errors import CredentialError
from aister.ports.vault import Credential

__all__ = ["PREFIX", "EnvironmentVault", "prefix_of"]

PREFIX = "AISTER_KEY_"


class EnvironmentVault:
    """Port `Vault`. Make it first of all: from then on it alone has the keys."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        held = os.environ if environment is None else environment
        self._written = {name: held.pop(name) for name in list(held) if name.startswith(PREFIX)}

    def names(self) -> list[str]:
        """Of the keys there are, right or not."""
        ends = f"_{FIELDS[3].upper()}"
        return sorted(
            name[len(PREFIX) : -len(ends)].lower().replace("_", "-") for name in self._written if name.endswith(ends)
        )

    def holds(self, name: str) -> bool:
        """Whether anything is said of a key of that name."""
        prefix = prefix_of(name)
        return any(prefix + field.upper() in self._written for field in FIELDS)

    def credential(self, name: str) -> Credential:
        """Raises `CredentialError`: none of that name, or not right."""
        told = _told(name, prefix_of(name), self._written)
        if isinstance(told, str):
            raise CredentialError(told)
        return told

    def __repr__(self) -> str:
        return "EnvironmentVault(...)"

    def __reduce__(self) -> str:
        raise TypeError("Keys are not pickled.")


def prefix_of(name: str) -> str:
    """How the variables of a key begin. Raises `CredentialError` when it is no name of one."""
    return f"{PREFIX}{name_of(name).upper().replace('-', '_')}_"


def _told(name: str, prefix: str, held: Mapping[str, str]) -> Credential | str:
    """The key, or why not: a sentence and not an error, whose traceback would hold what was read."""
    written = {field: held[prefix + field.upper()] for field in FIELDS if prefix + field.upper() in held}
    if not written:
        return f"There is no key {name} in the environment; set {prefix}KEY and its other fields."
    try:
        return credential_of(name, written, f"The environment's key {name}")
    except CredentialError as error:
        return str(error)
