"""Keys in files: `AISTER_HOME/keys/NAME.toml`, each readable by its owner only.

scheme = "v3"                 # an agent; "v1" = an old API key with its secret, testnet and simulator only
net = "testnet"               # testnet | mainnet | simulator
account = "0x..."             # your main wallet's address (v1: the API key)
key = "0x..."                 # the agent's private key, never the main wallet's (v1: the secret)
expires = 2027-03-31          # when the agent ends, as the venue shows it
origin = "https://..."        # only for another of the net's own hosts, or the simulator's address
"""

import os
import stat
import tomllib
from pathlib import Path

from aister.adapters.vault.entry import credential_of, name_of
from aister.core.errors import CredentialError
from aister.ports.vault import Credential

__all__ = ["FileVault"]

_LARGEST = 16_384


class FileVault:
    """Port `Vault` over the folder `keys` of a home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys"

    def names(self) -> list[str]:
        """Of the keys there are, readable or not."""
        return sorted(path.stem for path in self._folder.glob("*.toml"))

    def path(self, name: str) -> Path:
        """The file of a key. Raises `CredentialError` when it is no name of one."""
        return self._folder / f"{name_of(name)}.toml"

    def holds(self, name: str) -> bool:
        """Whether there is a file of that name, readable or not."""
        return os.path.lexists(self.path(name))

    def credential(self, name: str) -> Credential:
        """Read anew at every call. Raises `CredentialError`: none of that name, open to others, or not right."""
        told = _told(name, self.path(name))
        if isinstance(told, str):
            raise CredentialError(told)
        return told

    def __repr__(self) -> str:
        return f"FileVault({self._folder})"


def _told(name: str, path: Path) -> Credential | str:
    """The key, or why not: a sentence and not an error, whose traceback would hold what was read."""
    try:
        return credential_of(name, tomllib.loads(_private_text(path)), str(path))
    except CredentialError as error:
        return str(error)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return f'{path} is no TOML; write lines such as net = "testnet" into it.'


def _private_text(path: Path) -> str:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CredentialError(f"There is no key {path.stem}; write {path} as docs/keys.md shows.") from None
    except OSError as error:
        raise CredentialError(f"{path} cannot be read ({error.strerror}); make it a plain file of your own.") from None
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise CredentialError(f"{path} can be read by others; make it a plain file of your own and chmod 600 it.")
        folder = path.parent.stat()
        if folder.st_uid != os.getuid() or stat.S_IMODE(folder.st_mode) & 0o022:
            raise CredentialError(f"{path.parent} can be written by others; make it yours and chmod 700 it.")
        return os.read(opened, _LARGEST).decode("utf-8")
    finally:
        os.close(opened)
