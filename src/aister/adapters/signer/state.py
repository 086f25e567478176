"""What a signer remembers across its deaths: one file per key, replaced whole and synced, sealed with the key."""

import hmac
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aister.adapters.store.files import write_whole
from aister.core.errors import CredentialError, StorageError

__all__ = ["State", "StateFile", "epoch_seen"]

_SEAL = 64


class State(msgspec.Struct, frozen=True):
    """reserved_us: no nonce up to here is given out again; epoch: the highest lease epoch seen, -1 for none; day,
    orders: how many orders were signed in the last UTC day with any; heads: newest (sequence, hash) per journal chain
    (D1)."""

    reserved_us: int = 0
    epoch: int = -1
    day: int = 0
    orders: int = 0
    heads: Mapping[str, tuple[int, str]] = msgspec.field(default_factory=dict)


class StateFile:
    """`path` is in a folder of its owner's only. The seal is HMAC-SHA256 under a key derived from the signing key: who
    does not have that can put back an older file, and cannot write one."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._seal_key = hmac.digest(key, b"aister signer state", "sha256")

    def read(self) -> State:
        """Raises `CredentialError` when somebody else wrote it, `StorageError` when it cannot be read."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise StorageError(f"{self._path} cannot be read ({error.strerror}); make it readable for you.") from None
        seal, document = content[:_SEAL], content[_SEAL + 1 :]
        if not hmac.compare_digest(seal, self._seal(document)):
            raise CredentialError(
                f"{self._path} was not written by this key's signer; restore it from a backup, or remove it and wait a "
                "minute before trading, so that no nonce can repeat."
            )
        return msgspec.json.decode(document, type=State)

    def write(self, state: State) -> None:
        """On the disk itself when this returns. Raises `StorageError`."""
        document = msgspec.json.encode(state)
        write_whole(self._path, self._seal(document) + b"\n" + document)

    def _seal(self, document: bytes) -> bytes:
        return hmac.digest(self._seal_key, document, "sha256").hex().encode("ascii")


def epoch_seen(home: Path, name: str) -> int:
    """The highest lease epoch the signer of an agent (its address) or old key (its name) has seen, -1 for none or
    unknown. Read without the key: give it to `SqliteLease.take` as `above`, so that a lease file that was lost or
    restored does not hand out epochs the signer refuses."""
    try:
        content = (home / "signer" / f"{name.lower()}.json").read_bytes()
        return msgspec.json.decode(content[_SEAL + 1 :], type=State).epoch
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return -1
