"""What this installation is called in its client order ids: made once for an AISTER_HOME, and not taken over by a copy
of it, so that two installations on one account can tell each other's orders apart (C5)."""

import os
import secrets
from pathlib import Path

import msgspec

from aister.adapters.store.files import write_once
from aister.core.errors import StorageError
from aister.execution.identity import instance_id

__all__ = ["installation"]


class _Kept(msgspec.Struct, frozen=True):
    """`place`: the file's own number on its disk, which a copy of it does not have."""

    id: str
    place: int


def installation(home: Path) -> str:
    """Its id, made at the first call. Raises `StorageError` in a copy of another home, and when the file cannot be
    used."""
    path = home / "instance"
    try:
        if not path.exists():
            write_once(path, _content)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            kept = msgspec.json.decode(os.read(descriptor, 4_096), type=_Kept)
            here = os.fstat(descriptor).st_ino
        finally:
            os.close(descriptor)
    except (OSError, msgspec.MsgspecError) as error:
        raise StorageError(
            f"{path} cannot be used ({type(error).__name__}); delete it once nothing of this installation rests at "
            "the venue, a new one is made."
        ) from None
    if kept.place != here:
        raise StorageError(
            f"{home} is a copy of another AISTER_HOME, or was moved here: do not trade with both. If the other one "
            f"will never trade again, delete {path} and start again; else set AISTER_HOME to a folder of its own."
        )
    return kept.id


def _content(place: int) -> bytes:
    return msgspec.json.encode(_Kept(instance_id(secrets.token_bytes(8)), place))
