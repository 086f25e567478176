"""Frames that real exchanges sent: those beside this file, and the stretch that ships with the program."""

import lzma
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aister.adapters.feeds.depth import sample_stretch

_FOLDER = Path(__file__).parent / "recorded"
Levels = list[tuple[str, str]]


class Snapshot(msgspec.Struct):
    lastUpdateId: int
    bids: Levels
    asks: Levels


def frames() -> list[bytes]:
    """Combined frames of KEEPUSDT and CTKUSDT."""
    return (_FOLDER / "frames.jsonl").read_bytes().splitlines()


def snapshots() -> dict[str, Snapshot]:
    lines = (line.split(b" ", 1) for line in (_FOLDER / "snapshots.txt").read_bytes().splitlines())
    return {symbol.decode(): msgspec.json.decode(text, type=Snapshot) for symbol, text in lines}


def stretch() -> Iterator[bytes]:
    """Frames of BTCUSDT, a bare REST snapshot among them."""
    with lzma.open(sample_stretch(), "rb") as lines:
        for line in lines:
            yield line.partition(b" ")[2].strip()
