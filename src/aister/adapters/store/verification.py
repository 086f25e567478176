"""When the journal was last verified and with what result, for `aister doctor` to tell."""

import contextlib
import time
from pathlib import Path

import msgspec

from aister.adapters.store.verify import ChainReport

__all__ = ["Verification", "last_verification", "note_verification"]


class Verification(msgspec.Struct, frozen=True):
    """Wall clock (UTC ms), how many chains and records, and whether all were intact."""

    wall_ms: int
    chains: int
    records: int
    intact: bool


def note_verification(home: Path, reports: list[ChainReport]) -> None:
    """Keep the result; where the home cannot be written it is simply not kept."""
    if not reports:
        return
    done = Verification(
        time.time_ns() // 1_000_000, len(reports), sum(r.records for r in reports), all(r.intact for r in reports)
    )
    draft = home / ".journal.verified"
    with contextlib.suppress(OSError):
        draft.write_bytes(msgspec.json.encode(done))
        draft.replace(home / "journal.verified.json")


def last_verification(home: Path) -> Verification | None:
    """The kept result, or None when there is none or it cannot be read."""
    with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
        return msgspec.json.decode((home / "journal.verified.json").read_bytes(), type=Verification)
    return None
