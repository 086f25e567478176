"""Sealing the keys that lie in files, and giving all that is sealed a new key-encryption key.

A crash at any moment leaves every key readable: files are replaced whole, and an old key-encryption key leaves its file
only after nothing is wrapped with it any more. Whatever else comes to store sealed secrets has to be re-wrapped here,
before `retired`.
"""

import json
import secrets
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

import msgspec

from aister.adapters.store.files import locked
from aister.adapters.vault.entry import FIELDS, bound_to
from aister.adapters.vault.envelope import kek_of, opened, rewrapped, seal
from aister.adapters.vault.file import FileVault, is_sealed, written_in
from aister.adapters.vault.master import Master, master, renewed, retired
from aister.adapters.vault.private import write_private
from aister.core.errors import CredentialError, UsageError

__all__ = ["Kept", "Rotated", "kept", "rotate", "seal_files"]


class Kept(msgspec.Struct, frozen=True):
    """How a key lies in its file: `kek`, the id of the key it is sealed with, "" when it is plain; `why` it cannot be
    used, "" when it can."""

    name: str
    kek: str
    why: str


class Rotated(msgspec.Struct, frozen=True):
    """`kek`: the id of the current key; `names`: the keys that were wrapped anew; `place`: its file; `older`: how many
    keys of that file nothing is sealed with any more and somebody else has to remove."""

    kek: str
    names: list[str]
    place: str
    older: int


def kept(home: Path) -> list[Kept]:
    """Every key in a file."""
    vault = FileVault(home)
    return [_kept(vault, name) for name in vault.names()]


def seal_files(home: Path, names: list[str], chance: Callable[[int], bytes] = secrets.token_bytes) -> list[str]:
    """Seal these keys (all there are when none is named) and return those that were plain. The key-encryption key is
    made if there is none and nothing is sealed. Raises `CredentialError` before anything is changed: a key that cannot
    be used; `UsageError`: no keys."""
    vault = FileVault(home)
    wanted = names or vault.names()
    if not wanted:
        raise UsageError("There are no keys in files; docs/keys.md says how to make one.")
    for name in wanted:
        vault.credential(name)
    with locked(home / "keys"):
        sealed = _sealed(vault)
        plain = [name for name in wanted if name not in sealed]
        if plain:
            held = master(home, make=not sealed, chance=chance)
            for name in plain:
                path = vault.path(name)
                written = written_in(path)
                key = str(written["key"]).strip().encode()
                _replace(path, written, seal(held, key, bound_to(name, written, str(path)), chance))
    return plain


def rotate(home: Path, chance: Callable[[int], bytes] = secrets.token_bytes) -> Rotated:
    """A new key-encryption key, and every sealed key wrapped with it. Where the file is not ours, its owner has put the
    new key above the old one, which is removed by hand afterwards. Raises `CredentialError` before anything is changed:
    something sealed opens no more; `UsageError`: nothing is sealed, or there is no new key to wrap with."""
    vault = FileVault(home)
    with locked(home / "keys"):
        names = _sealed(vault)
        if not names:
            raise UsageError("Nothing is sealed, so there is nothing to rotate; `aister secrets seal` seals your keys.")
        held = master(home)
        for name in names:
            _opens(held, vault.path(name), name)
        if held.ours:
            held = renewed(_finished(held, vault, names, chance), chance)
        elif not held.older:
            raise UsageError(
                f"{held.place} is not ours to write: put a new key (openssl rand -hex 32) as a line above the old one "
                "and rotate again."
            )
        if held.ours:
            held = _finished(held, vault, names, chance)
        else:
            _wrap(held, vault, names, chance)
        return Rotated(held.current.id, names, str(held.place), len(held.older))


def _finished(held: Master, vault: FileVault, names: list[str], chance: Callable[[int], bytes]) -> Master:
    """Everything wrapped with the current key and no other left, also where a rotation was cut off before."""
    _wrap(held, vault, names, chance)
    return retired(held) if held.older else held


def _wrap(held: Master, vault: FileVault, names: list[str], chance: Callable[[int], bytes]) -> None:
    for name in names:
        path = vault.path(name)
        written = written_in(path)
        sealed, bond = str(written["key"]).strip(), bound_to(name, written, str(path))
        if kek_of(sealed) != held.current.id:
            _replace(path, written, rewrapped(held, sealed, bond, chance))


def _sealed(vault: FileVault) -> list[str]:
    """The keys that are sealed. Raises `CredentialError` for a file nobody can tell of: it may be sealed too."""
    found = []
    for name in vault.names():
        try:
            if is_sealed(written_in(vault.path(name))):
                found.append(name)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise CredentialError(f"{vault.path(name)} is no TOML; mend it or move it away first.") from None
    return found


def _kept(vault: FileVault, name: str) -> Kept:
    why, kek = "", ""
    try:
        if vault.sealed(name):
            kek = kek_of(str(written_in(vault.path(name))["key"]).strip()) or "unknown"
        vault.credential(name)
    except CredentialError as error:
        why = str(error)
    return Kept(name, kek, why)


def _opens(held: Master, path: Path, name: str) -> None:
    written = written_in(path)
    try:
        opened(held, str(written["key"]).strip(), bound_to(name, written, str(path)))
    except CredentialError as error:
        raise CredentialError(f"{path}: {error}") from None


def _replace(path: Path, written: Mapping[str, object], key: str) -> None:
    """The file with this key. Its comments go: one may hold what was just sealed."""
    fields = {**written, "key": key}
    text = "".join(f"{field} = {_toml(fields[field])}\n" for field in FIELDS if field in fields)
    if tomllib.loads(text) != fields:
        raise CredentialError(f"{path} holds something that cannot be written back; write its fields as plain text.")
    write_private(path, text)


def _toml(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else json.dumps(value, ensure_ascii=False)
