"""The emergency log on the disk: sealed records one after the other, read without touching the file.

`frame = magic, length, sequence, generation, seal, record`. A frame without a record begins a generation; what lies
behind it is of an older one.
"""

import struct
from pathlib import Path

import msgspec

from aister.adapters.store.keys import JournalKey

__all__ = ["Frames", "emergency_path", "frame", "frames_of", "owed"]

_FRAME = struct.Struct("<4sIQQ32s")
_MAGIC = b"AEL1"


class Frames(msgspec.Struct, frozen=True):
    """What a file holds: its generation, where the next frame goes, the records kept, each with its sequence. `torn`:
    it begins with something else than a whole frame, which was never promised."""

    generation: int
    end: int
    kept: list[tuple[int, bytes]]
    torn: bool


def emergency_path(home: Path, chain_id: str) -> Path:
    """Where the emergency log of a chain lies."""
    return home / "emergency" / f"{chain_id}.log"


def frame(key: JournalKey, chain_id: str, generation: int, sequence: int, body: bytes) -> bytes:
    """One record, sealed; none (`b""`) clears what was before."""
    seal = key.seal("emergency", chain_id, generation, sequence, body)
    return _FRAME.pack(_MAGIC, len(body), sequence, generation, seal) + body


def frames_of(content: bytes, key: JournalKey, chain_id: str) -> Frames:
    """As many frames from the first as are whole, genuine, of one generation and in sequence."""
    generation, end = 0, 0
    kept: list[tuple[int, bytes]] = []
    while end + _FRAME.size <= len(content):
        magic, length, sequence, of, seal = _FRAME.unpack_from(content, end)
        body = content[end + _FRAME.size : end + _FRAME.size + length]
        follows = not kept or sequence == kept[-1][0] + 1
        if magic != _MAGIC or len(body) != length or not follows or (end and of != generation):
            break
        if not key.genuine(seal, "emergency", chain_id, of, sequence, body):
            break
        generation = of
        if not length:
            return Frames(generation, 0, [], False)
        kept.append((sequence, body))
        end += _FRAME.size + length
    return Frames(generation, end, kept, not kept and any(content[: _FRAME.size]))


def owed(home: Path, key: JournalKey, chain_id: str, records: int) -> int:
    """How many records beyond its first `records` the chain is still owed by its emergency log."""
    try:
        content = emergency_path(home, chain_id).read_bytes()
    except OSError:
        return 0
    return sum(sequence >= records for sequence, _ in frames_of(content, key, chain_id).kept)
