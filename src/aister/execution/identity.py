"""Client order ids: who sent an order, and which record of whose journal asked for it (C5, D1).

`{instance}-{sequence in hex}-{n}`: the instance id is made once for an installation, the sequence is that of the pass
in the journal, n counts within it. At most 36 characters of `.A-Z:/a-z0-9_-`, which is what the venue takes.
"""

import re

from aister.core.errors import SettingsError

__all__ = ["client_id", "instance_id", "instance_of", "sequence_of"]

_OURS = re.compile(r"(ai[0-9a-z]{8})-([0-9a-f]{1,12})-([0-9a-f]{1,4})")


def instance_id(random: bytes) -> str:
    """The id of an installation from at least 5 random bytes. Raises `SettingsError` for fewer."""
    if len(random) < 5:
        raise SettingsError("An instance id needs 5 random bytes; draw them once and keep the id.")
    letters, number = "0123456789abcdefghijklmnopqrstuvwxyz", int.from_bytes(random[:8])
    return "ai" + "".join(letters[number // 36**place % 36] for place in range(8))


def client_id(instance: str, sequence: int, number: int) -> str:
    """The id of the order that is output `number` of pass `sequence`."""
    return f"{instance}-{sequence:x}-{number:x}"


def instance_of(client_id: str) -> str | None:
    """Which installation of AISTER an order is of; None: not one's at all."""
    found = _OURS.fullmatch(client_id)
    return found[1] if found else None


def sequence_of(client_id: str) -> int | None:
    """The journal record that asked for the order; None: it is not an id of AISTER's."""
    found = _OURS.fullmatch(client_id)
    return int(found[2], 16) if found else None
