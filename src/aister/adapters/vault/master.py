"""The key-encryption key: what every sealed secret of this installation can be opened with, and nothing else can.

It lies in one file, a line of 64 hexadecimal digits for each key, the current one first, older ones below it until
`aister secrets rotate` is through. The file is, in this order: the one `AISTER_KEK_FILE` names, the container's secret
`aister_kek` (/run/secrets/aister_kek), `AISTER_HOME/keys/master`. Only the last is ever made or written by us.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from aister.adapters.store.files import write_once
from aister.adapters.vault.private import private_text, write_private
from aister.core.errors import CredentialError, StorageError

__all__ = ["FROM", "Kek", "Master", "master", "master_place", "renewed", "retired"]

FROM = "AISTER_KEK_FILE"
_CONTAINER = Path("/run/secrets/aister_kek")
_LENGTH = 32
_MOST = 8
_LINE = re.compile(r"[0-9a-fA-F]{64}")
_HOW = "openssl rand -hex 32 makes one"
_WORDS = ("", "admin", "aister", "changeme", "change-me", "default", "example", "key", "master", "password", "secret")
_DEFAULTS = {hashlib.sha256(word.encode()).digest() for word in _WORDS}


class Kek:
    """One key-encryption key of 32 bytes. `id`: 16 hexadecimal digits of a hash of it. Never printed, never pickled."""

    __slots__ = ("id", "secret")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.id = hashlib.sha256(b"aister key-encryption key\0" + secret).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Kek({self.id})"

    def __reduce__(self) -> str:
        raise TypeError("Keys are not pickled.")


class Master:
    """The keys of one file: the first seals, all of them open. `ours`: whether we may write the file."""

    def __init__(self, place: Path, keks: tuple[Kek, ...], *, ours: bool) -> None:
        self.place, self.ours, self._keks = place, ours, keks

    @property
    def current(self) -> Kek:
        return self._keks[0]

    @property
    def older(self) -> tuple[Kek, ...]:
        return self._keks[1:]

    def find(self, id_: str) -> Kek | None:
        """The key of that id, if the file holds it."""
        return next((kek for kek in self._keks if kek.id == id_), None)

    def __repr__(self) -> str:
        return f"Master({self.place}, {[kek.id for kek in self._keks]})"

    def __reduce__(self) -> str:
        raise TypeError("Keys are not pickled.")


def master_place(home: Path) -> tuple[Path, bool]:
    """The file, there or not, and whether it is ours."""
    if named := os.environ.get(FROM, ""):
        return Path(named).expanduser().absolute(), False
    if os.path.lexists(_CONTAINER):
        return _CONTAINER, False
    return home / "keys" / "master", True


def master(home: Path, *, make: bool = False, chance: Callable[[int], bytes] = secrets.token_bytes) -> Master:
    """The keys, read anew. `make`: where the file is ours and missing, a good one is made; say so only where nothing is
    sealed yet. `chance`: n bytes nobody can guess. Raises `CredentialError`: missing, open to others, weak, a default,
    or no key; `StorageError`: it cannot be made."""
    place, ours = master_place(home)
    if make and ours and not os.path.lexists(place):
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_once(place, lambda inode: _lines((Kek(chance(_LENGTH)),)).encode())
        except OSError as error:
            raise StorageError(f"{place} cannot be made ({error.strerror}); make room or give {FROM}.") from None
    told = _told(place, ours)
    if isinstance(told, str):
        raise CredentialError(told)
    return told


def renewed(held: Master, chance: Callable[[int], bytes] = secrets.token_bytes) -> Master:
    """A new current key, written above the ones there are. Only for a file of ours. Raises `StorageError`."""
    return _written(held.place, (Kek(chance(_LENGTH)), held.current, *held.older))


def retired(held: Master) -> Master:
    """Only the current key is left in the file: what is sealed with an older one opens no more. Raises
    `StorageError`."""
    return _written(held.place, (held.current,))


def _written(place: Path, keks: tuple[Kek, ...]) -> Master:
    write_private(place, _lines(keks))
    return Master(place, keks, ours=True)


def _lines(keks: tuple[Kek, ...]) -> str:
    return "".join(f"{kek.secret.hex()}\n" for kek in keks)


def _told(place: Path, ours: bool) -> Master | str:
    """The keys, or why not: a sentence and not an error, whose traceback would hold what was read."""
    absent = f"The key-encryption key {place} is missing; put it back from where you keep it, or enter your keys anew."
    try:
        lines = private_text(place, absent, roots=not ours).split()
    except CredentialError as error:
        return str(error)
    except UnicodeDecodeError:
        lines = []
    if not 1 <= len(lines) <= _MOST or not all(_LINE.fullmatch(line) for line in lines):
        return f"{place} is no key-encryption key: it has one line of 64 hexadecimal digits ({_HOW})."
    found = [bytes.fromhex(line) for line in lines]
    if any(_weak(one) for one in found):
        return f"{place} holds a weak or well-known key; use one made by chance ({_HOW})."
    if len(set(found)) < len(found):
        return f"{place} holds the same key twice; remove one of the lines."
    return Master(place, tuple(map(Kek, found)), ours=ours)


def _weak(key: bytes) -> bool:
    """What chance does not make (less than once in 1e12 keys): few different bytes, a repeated piece, a ladder, a text;
    or the hash of a word everybody tries."""
    steps = {(later - sooner) % 256 for sooner, later in pairwise(key)}
    return (
        len(set(key)) < 16
        or any(key[period:] == key[:-period] for period in range(1, 17))
        or len(steps) < 8
        or all(0x20 <= byte < 0x7F for byte in key)
        or key in _DEFAULTS
    )
