"""Keys in files: `AISTER_HOME/keys/NAME.toml`, each readable by its owner only.

scheme = "v3"                 # an agent; "v1" = an old API key with its secret, testnet and simulator only
net = "testnet"               # testnet | mainnet | simulator
account = "0x..."             # your main wallet's address (v1: the API key)
key = "0x..."                 # the agent's private key, never the main wallet's (v1: the secret); or its sealed form
expires = 2027-03-31          # when the agent ends, as the venue shows it
origin = "https://..."        # only for another of the net's own hosts, or the simulator's address
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from aister.adapters.vault.bond import SEALED
from aister.adapters.vault.entry import bound_to, credential_of, name_of
from aister.adapters.vault.private import private_text
from aister.core.errors import CredentialError
from aister.ports.vault import Credential

__all__ = ["FileVault", "is_sealed", "written_in"]


class FileVault:
    """Port `Vault` over the folder `keys` of a home."""

    def __init__(self, home: Path) -> None:
        self._home, self._folder = home, home / "keys"

    def names(self) -> list[str]:
        """Of the keys there are, readable or not."""
        return sorted(path.stem for path in self._folder.glob("*.toml"))

    def path(self, name: str) -> Path:
        """The file of a key. Raises `CredentialError` when it is no name of one."""
        return self._folder / f"{name_of(name)}.toml"

    def holds(self, name: str) -> bool:
        """Whether there is a file of that name, readable or not."""
        return os.path.lexists(self.path(name))

    def sealed(self, name: str) -> bool:
        """Whether there is a file of that name whose key is sealed."""
        try:
            return is_sealed(written_in(self.path(name)))
        except (CredentialError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            return False

    def credential(self, name: str) -> Credential:
        """Read anew at every call. Raises `CredentialError`: none of that name, open to others, or not right."""
        told = _told(self._home, name, self.path(name))
        if isinstance(told, str):
            raise CredentialError(told)
        return told

    def __repr__(self) -> str:
        return f"FileVault({self._folder})"


def written_in(path: Path) -> dict[str, object]:
    """The fields of a key's file as they stand there. Raises `CredentialError`, `UnicodeDecodeError`,
    `tomllib.TOMLDecodeError`."""
    absent = f"There is no key {path.stem}; write {path} as docs/keys.md shows."
    return tomllib.loads(private_text(path, absent))


def is_sealed(written: Mapping[str, object]) -> bool:
    """Whether the key among these fields is its sealed form."""
    key = written.get("key")
    return isinstance(key, str) and key.strip().startswith(SEALED)


def _told(home: Path, name: str, path: Path) -> Credential | str:
    """The key, or why not: a sentence and not an error, whose traceback would hold what was read."""
    try:
        return credential_of(name, _open(home, name, written_in(path), str(path)), str(path))
    except CredentialError as error:
        return str(error)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return f'{path} is no TOML; write lines such as net = "testnet" into it.'


def _open(home: Path, name: str, written: Mapping[str, object], where: str) -> Mapping[str, object]:
    """The fields with the key opened, where it is sealed."""
    if not is_sealed(written):
        return written
    from aister.adapters.vault.envelope import opened  # noqa: PLC0415  a plain key needs no cipher
    from aister.adapters.vault.master import master  # noqa: PLC0415

    bond = bound_to(name, written, where)
    try:
        return {**written, "key": opened(master(home), str(written["key"]).strip(), bond).decode()}
    except CredentialError as error:
        raise CredentialError(f"{where}: {error}") from None
