"""The key that makes a journal's word binding: HMAC-SHA256 over every row and every head, so that whoever rewrites
the journal without it is found out. It proves nothing against whoever holds the key and the folder; that takes a
second place (the signer's state, the client order ids), which later parts add."""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

import msgspec

from aister.adapters.store.files import write_once
from aister.core.errors import JournalError, StorageError

__all__ = ["JournalKey", "journal_key"]

_LENGTH = 32


class JournalKey:
    """Seals fields and tells whether a seal is genuine. Never printed, never pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _LENGTH:
            raise JournalError(f"The journal key must have {_LENGTH} bytes; restore keys/journal.key from your backup.")
        self._secret = secret

    def __repr__(self) -> str:
        return "JournalKey(...)"

    def __reduce__(self) -> str:
        raise TypeError("a journal key is not written anywhere but its own file")

    def seal(self, what: str, *fields: str | int | bytes) -> bytes:
        """HMAC-SHA256 over the kind of thing sealed and its fields, unambiguously encoded."""
        return hmac.digest(self._secret, msgspec.msgpack.encode((what, *fields)), hashlib.sha256)

    def genuine(self, seal: object, what: str, *fields: object) -> bool:
        """Whether `seal` was made with this key over exactly these fields; wrong types are simply not genuine."""
        if not isinstance(seal, bytes) or not all(isinstance(field, str | int | bytes) for field in fields):
            return False
        try:
            return hmac.compare_digest(seal, self.seal(what, *fields))  # type: ignore[arg-type]
        except (OverflowError, UnicodeEncodeError):
            return False


def journal_key(home: Path, make: bool) -> JournalKey:
    """The key in `home/keys/journal.key` (0600, 32 random bytes), made first if `make` and there is none.

    Raises `JournalError` when it is absent and may not be made, `StorageError` when others could have read it or it
    cannot be read or written.
    """
    path = home / "keys" / "journal.key"
    try:
        if make and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.chmod(0o700)
            write_once(path, lambda place: secrets.token_bytes(_LENGTH))
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise StorageError(
                    f"{path} can be read by other users; make it yours and chmod 600 it, or restore it from a backup."
                )
            return JournalKey(os.read(descriptor, 2 * _LENGTH))
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise JournalError(
            f"{path} is missing, so nothing in the journal can be proven; restore it from your backup."
        ) from None
    except OSError as error:
        raise StorageError(
            f"{path} cannot be used ({error.strerror}); make it a plain file of your own, mode 600."
        ) from None
