"""Recorded depth and trade frames of a USD-M stream -> rows to replay.

A line is the local time of arrival in nanoseconds, a space, and a frame as received: combined (`{"stream":...,
"data":...}`) or bare depthUpdate and trade frames, and one REST snapshot (`lastUpdateId`, bids, asks). The book begins
with the snapshot. A frame that ended before it is left out, the first used must contain its id, and from there on every
`pu` must be the `u` before: a gap is refused with its line, never bridged. A level's exchange time is its frame's `T`.
"""

import gzip
import hashlib
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.store.sample import sample_folder, shipped_instruments
from aister.core.errors import DataError
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.kernels.ticks import LEVEL, TICK, TRADE
from aister.ports.ticks import TickStream

__all__ = ["read_stream", "sample_stretch"]

Levels = list[tuple[str, str]]


class _Frame(msgspec.Struct):
    e: str = ""
    s: str = ""
    T: int = 0
    U: int = 0
    u: int = 0
    pu: int = 0
    t: int = 0
    b: Levels | str = ""
    a: Levels | str = ""
    p: str = ""
    q: str = ""
    X: str = "MARKET"
    m: bool = False
    lastUpdateId: int = 0
    bids: Levels = []
    asks: Levels = []


class _Combined(msgspec.Struct):
    stream: str
    data: _Frame


_OPEN = {".xz": lzma.open, ".gz": gzip.open}
_bare = msgspec.json.Decoder(_Frame)
_combined = msgspec.json.Decoder(_Combined)


def sample_stretch() -> Path:
    """The shipped recording; its README says where it came from."""
    return sample_folder() / "ticks" / "BTCUSDT-20240808.jsonl.xz"


def read_stream(
    path: Path, instruments: dict[str, Instrument] | None = None, least_latency_ns: int | None = None
) -> TickStream:
    """The rows of one recorded file of one symbol (.jsonl, .jsonl.xz or .jsonl.gz).

    `least_latency_ns`: how long the fastest frame took; every local stamp is shifted by one constant so that it did.
    It must be given when the two clocks disagree so far that frames seem to arrive before they were sent. Raises
    `DataError` with the line: unreadable frame, no snapshot, gap, off-grid price or size, two symbols.
    """
    columns = _Columns(path)
    try:
        for line, local_ns, frame in _frames(path):
            columns.take(line, local_ns, frame)
    except (OSError, EOFError, lzma.LZMAError) as problem:
        raise DataError(f"{path} cannot be read to its end ({problem}); copy or record it again.") from None
    if not columns.chain:
        raise DataError(f"{path} holds no depth after a snapshot; record a REST snapshot beside the depth stream.")
    known = shipped_instruments() if instruments is None else instruments
    if columns.symbol not in known:
        raise DataError(f"{path}: no instrument {columns.symbol!r} is known; give an instruments file that has it.")
    return columns.stream(known[columns.symbol], least_latency_ns)


def _frames(path: Path) -> Iterator[tuple[int, int, _Frame]]:
    opened: IO[bytes] = _OPEN.get(path.suffix, open)(path, "rb")  # type: ignore[operator]
    with opened as lines:
        for number, raw in enumerate(lines, 1):
            stamp, _, text = raw.partition(b" ")
            try:
                frame = _combined.decode(text).data if text.startswith(b'{"stream"') else _bare.decode(text)
                yield number, int(stamp), frame
            except (msgspec.DecodeError, ValueError) as problem:
                raise DataError(
                    f"{path} line {number} is no recorded frame ({problem}); expected local nanoseconds and a frame."
                ) from None


class _Columns:
    """Rows as they are read: one entry per level or trade."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.symbol = ""
        self.chain = 0
        self.known_from = 0
        self.depth_local = 0
        self.waiting: list[tuple[int, int, _Frame]] = []
        self.exchange: list[int] = []
        self.local: list[int] = []
        self.price: list[str] = []
        self.size: list[str] = []
        self.kind: list[int] = []
        self.side: list[int] = []
        self.line: list[int] = []
        self.left_out: dict[str, int] = {}

    def take(self, line: int, local_ns: int, frame: _Frame) -> None:
        if frame.lastUpdateId:
            self._snapshot(line, local_ns, frame)
        elif frame.e == "depthUpdate":
            self._name(line, frame)
            if self.known_from:
                self._depth(line, local_ns, frame)
            else:
                self.waiting.append((line, local_ns, frame))
        elif frame.e == "trade":
            self._name(line, frame)
            if frame.X != "MARKET":
                self._leave_out(f"trade of kind {frame.X}")
            else:
                self._row(line, frame.T, local_ns, frame.p, frame.q, TRADE, -1 if frame.m else 1)
        else:
            self._leave_out(frame.e or "unknown")

    def _name(self, line: int, frame: _Frame) -> None:
        if self.symbol and frame.s != self.symbol:
            raise DataError(
                f"{self.path} line {line} is of {frame.s}, those before of {self.symbol}; keep one symbol a file."
            )
        self.symbol = frame.s

    def _leave_out(self, reason: str) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1

    def _row(self, line: int, time_ms: int, local_ns: int, price: str, size: str, kind: int, side: int) -> None:
        self.exchange.append(time_ms * 1_000_000)
        self.local.append(local_ns)
        self.price.append(price)
        self.size.append(size)
        self.kind.append(kind)
        self.side.append(side)
        self.line.append(line)

    def _levels(self, line: int, frame: _Frame, local_ns: int, bids: Levels | str, asks: Levels | str) -> None:
        self.depth_local = max(self.depth_local, local_ns)
        for side, levels in ((1, bids), (-1, asks)):
            for price, size in levels if isinstance(levels, list) else ():
                self._row(line, frame.T, self.depth_local, price, size, LEVEL, side)

    def _snapshot(self, line: int, local_ns: int, frame: _Frame) -> None:
        if self.known_from:
            self._leave_out("later snapshot")
            return
        self.known_from, self.snapshot_id = line, frame.lastUpdateId
        self.start_ns = frame.T * 1_000_000
        self._levels(line, frame, local_ns, frame.bids, frame.asks)
        for waited in self.waiting:
            self._depth(*waited)
        self.waiting.clear()

    def _depth(self, line: int, local_ns: int, frame: _Frame) -> None:
        if not self.chain:
            if frame.u < self.snapshot_id:
                self._leave_out("depth before the snapshot")
                return
            if self.snapshot_id < frame.U:
                raise DataError(
                    f"{self.path} line {line}: depth begins at update {frame.U}, after the snapshot's "
                    f"{self.snapshot_id}; what lies between is lost, record again."
                )
        elif frame.pu != self.chain:
            raise DataError(
                f"{self.path} line {line}: depth follows update {frame.pu} but the one before ended at {self.chain}; "
                "frames are lost here, cut the recording at the gap."
            )
        self.chain = frame.u
        self._levels(line, frame, local_ns, frame.b, frame.a)

    def stream(self, instrument: Instrument, least_latency_ns: int | None) -> TickStream:
        rows = np.zeros(len(self.exchange), TICK)
        rows["exchange_ns"], rows["local_ns"] = self.exchange, self.local
        rows["kind"], rows["side"] = self.kind, self.side
        rows["ticks"] = self._grid(self.price, instrument.tick_e8, "price", 1 << 31)
        rows["steps"] = self._grid(self.size, instrument.step_e8, "size", 1 << 53)
        early = rows["exchange_ns"] < self.start_ns
        rows = rows[~early]
        if early.any():
            self.left_out["rows before the snapshot"] = int(early.sum())
        rows = rows[np.argsort(rows["exchange_ns"], kind="stable")]
        depth = rows["kind"] == LEVEL
        if np.any(np.diff(rows["local_ns"][depth]) < 0):
            raise DataError(f"{self.path}: depth frames go back in exchange time; the recording is out of order.")
        shift = self._shift(rows, least_latency_ns)
        rows["local_ns"] += shift
        digest = hashlib.blake2b(instrument.symbol.encode() + rows.tobytes(), digest_size=16).hexdigest()
        return TickStream(instrument, rows, shift, self.left_out, self.path.name, digest)

    def _grid(self, texts: list[str], grid_e8: int, what: str, limit: int) -> npt.NDArray[np.int64]:
        try:
            values = np.array(list(map(float, texts)))
        except ValueError as problem:
            raise DataError(f"{self.path} holds a {what} that is no number ({problem}); record it again.") from None
        scaled = values * (UNIT / grid_e8)
        counted = np.rint(scaled)
        lowest = 1 if what == "price" else 0
        bad = ~((np.abs(scaled - counted) < 1e-4) & (counted >= lowest) & (counted < limit))
        if bad.any():
            first = int(np.argmax(bad))
            raise DataError(
                f"{self.path} line {self.line[first]}: {what} {texts[first]} is not on the grid of {self.symbol}; "
                "give the instruments file of the venue it was recorded at."
            )
        return counted.astype(np.int64)

    def _shift(self, rows: npt.NDArray[np.void], least_latency_ns: int | None) -> int:
        fastest = int((rows["local_ns"] - rows["exchange_ns"]).min())
        if least_latency_ns is not None:
            return least_latency_ns - fastest
        if fastest < 0:
            raise DataError(
                f"{self.path}: frames seem to arrive up to {-fastest / 1e6:,.1f} ms before they were sent, so the "
                "clocks disagree; say how long the fastest frame took (least latency), local times are shifted to it."
            )
        return 0
