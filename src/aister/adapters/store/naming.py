"""What a recording's file name says: SYMBOL-INTERVAL-anything (BTCUSDT-1m-2025-05.zip), funding when it says so
(BTCUSDT-fundingRate-2025-05.zip)."""

import re
from pathlib import Path

import msgspec

from aister.adapters.store.intervals import INTERVALS

__all__ = ["SUFFIXES", "Named", "name_of", "recordings_in"]

SUFFIXES = (".csv", ".zip", ".parquet")
_NAME = re.compile(r"([A-Z0-9]{2,20})-(.+)")


class Named(msgspec.Struct, frozen=True):
    """`symbol` is "" and `interval_ms` None when the name does not say."""

    symbol: str
    kind: str
    interval_ms: int | None


def name_of(path: Path) -> Named:
    found = _NAME.fullmatch(path.stem)
    if not found:
        return Named("", "klines", None)
    parts = found[2].split("-")
    return Named(found[1], "funding" if "funding" in found[2].lower() else "klines", INTERVALS.get(parts[0]))


def recordings_in(path: Path) -> list[Path]:
    """The file itself, or every recording below a folder, by name."""
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
