"""Client order ids: who sent an order, and which record of whose journal asked for it (C5, D1).

`{instance}-{sequence in hex}-{n}`: the instance id is made once for an installation, the sequence is that of the pass
in the journal, n counts within it; after the journal was put back n also holds when somebody answered for that. The
watcher has no journal: its orders are `{instance}-w{s|c}-{time in hex}-{n}`,
a stop put back or a close. At most 36 characters of `.A-Z:/a-z0-9_-`, which is what the venue takes.
"""

import re

from aister.core.errors import SettingsError
from aister.core.trade import Purpose

__all__ = ["by_hand", "client_id", "instance_id", "instance_of", "sequence_of", "watch_id", "watched"]

_OURS = re.compile(r"(ai[0-9a-z]{8})-(?:w([sc])-)?([0-9a-f]{1,12})-([0-9a-f]{1,10})")
_NOBODYS = ("autoclose-", "adl_autoclose", "settlement_autoclose-", "adopted-")
_WATCHED = {Purpose.STOP: "s", Purpose.CLOSE: "c"}


def instance_id(random: bytes) -> str:
    """The id of an installation from at least 5 random bytes. Raises `SettingsError` for fewer."""
    if len(random) < 5:
        raise SettingsError("An instance id needs 5 random bytes; draw them once and keep the id.")
    letters, number = "0123456789abcdefghijklmnopqrstuvwxyz", int.from_bytes(random[:8])
    return "ai" + "".join(letters[number // 36**place % 36] for place in range(8))


def client_id(instance: str, sequence: int, number: int) -> str:
    """The id of the order that is output `number` of pass `sequence`."""
    return f"{instance}-{sequence:x}-{number:x}"


def watch_id(instance: str, purpose: Purpose, time_ms: int, number: int) -> str:
    """The id of an order of the watcher: a stop or a close."""
    return f"{instance}-w{_WATCHED[purpose]}-{time_ms:x}-{number:x}"


def watched(client_id: str) -> Purpose | None:
    """What the watcher's order of this id was for; None: it is not one of a watcher's."""
    found = _OURS.fullmatch(client_id)
    return next((purpose for purpose, letter in _WATCHED.items() if found and found[2] == letter), None)


def instance_of(client_id: str) -> str | None:
    """Which installation of AISTER an order is of; None: not one's at all."""
    found = _OURS.fullmatch(client_id)
    return found[1] if found else None


def by_hand(client_id: str) -> bool:
    """Whether an order is somebody's at the venue: no installation's of AISTER, not the venue's own (liquidation, ADL,
    settlement), and not one that stands for a difference that was booked. Of an order without a name nobody knows."""
    return bool(client_id) and instance_of(client_id) is None and not client_id.startswith(_NOBODYS)


def sequence_of(client_id: str) -> int | None:
    """The journal record that asked for the order; None: no journal's record did."""
    found = _OURS.fullmatch(client_id)
    return int(found[3], 16) if found and found[2] is None else None
