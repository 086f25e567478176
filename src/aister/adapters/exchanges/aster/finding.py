"""What was found out about a venue by trying, kept beside the key it was tried with: `keys/NAME.protection.json`."""

import os
from pathlib import Path
from typing import Literal

import msgspec

from aister.core.errors import StorageError

__all__ = ["Finding", "keep_finding", "kept_finding"]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the venue behind this net, address and account lets entries be protected (C6, `VenueTraits.protection`).
    `symbol` stands for all; `time_ms`: venue time of the trial."""

    net: str
    rest: str
    account: str
    protection: Literal["after", "before", "attached"]
    symbol: str
    time_ms: int


def keep_finding(home: Path, key: str, finding: Finding) -> None:
    """Whole or not at all, readable by its owner only. Raises `StorageError`."""
    path = _path(home, key)
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        beside.touch(0o600)
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(finding) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"{path} could not be written ({error.strerror}); make room and try again.") from None


def kept_finding(home: Path, key: str, net: str, rest: str, account: str) -> Finding | None:
    """What was found with this key; None when nothing was, or at another venue or account. Raises `StorageError` when
    it cannot be read."""
    path = _path(home, key)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Finding)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError):
        raise StorageError(f"{path} cannot be read; find it out again with aister keys check {key} --probe.") from None
    same = (found.net, found.rest, found.account.lower()) == (net, rest, account.lower())
    return found if same else None


def _path(home: Path, key: str) -> Path:
    return home / "keys" / f"{key}.protection.json"
