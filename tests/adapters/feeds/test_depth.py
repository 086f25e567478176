"""Recorded frames into rows: the chain, the clocks, the grid, and what the venue's own best prices say of the book."""

import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from aister.adapters.feeds.depth import read_stream, sample_stretch
from aister.core.errors import DataError
from aister.kernels.depth import empty_depth, show
from aister.kernels.ticks import TICK, TRADE

LEAST = 1_000_000


def _lines() -> list[bytes]:
    return lzma.open(sample_stretch()).read().splitlines(keepends=True)


def _write(folder: Path, lines: list[bytes]) -> Path:
    path = folder / "cut.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_the_shipped_stretch_reads_whole() -> None:
    stream = read_stream(sample_stretch(), least_latency_ns=LEAST)
    rows = stream.rows
    assert TICK.itemsize == 32
    assert stream.symbol == "BTCUSDT" and len(rows) > 90_000
    assert (np.diff(rows["exchange_ns"]) >= 0).all()
    assert (np.diff(rows["local_ns"][rows["kind"] != TRADE]) >= 0).all()
    assert int((rows["local_ns"] - rows["exchange_ns"]).min()) == LEAST
    assert 1.2e9 < stream.shift_ns < 1.4e9
    assert sample_stretch().stat().st_size < 1_500_000
    assert "MIT" in (sample_stretch().parent / "LICENSE").read_text()
    assert "nkaz001/hftbacktest" in (sample_stretch().parent / "README.md").read_text()


def test_the_book_shows_what_the_venue_says_is_best() -> None:
    """A best-price frame that carries a depth frame's last update id must show the best of a book built up to it."""
    lines = _lines()
    frames = [json.loads(line[20:]) for line in lines]
    told = {f["data"]["u"]: f["data"] for f in frames if f.get("data", {}).get("e") == "bookTicker"}
    snapshot = next(f for f in frames if "lastUpdateId" in f)
    book, checked = empty_depth(), 0

    def apply(bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, levels in ((1, bids), (-1, asks)):
            for price, size in levels:
                show(book, side, round(float(price) * 10), round(float(size) * 1_000))

    apply(snapshot["bids"], snapshot["asks"])
    for frame in frames:
        depth = frame.get("data", {})
        if depth.get("e") != "depthUpdate" or depth["u"] < snapshot["lastUpdateId"]:
            continue
        apply(depth["b"], depth["a"])
        if (best := told.get(depth["u"])) is not None:
            assert int(book["best"][0, 0]) == round(float(best["b"]) * 10)
            assert int(book["best"][0, 1]) == round(float(best["a"]) * 10)
            checked += 1
    assert checked > 100


def test_a_lost_frame_is_refused_with_its_place(tmp_path: Path) -> None:
    lines = _lines()
    depth = [i for i, line in enumerate(lines) if b"depthUpdate" in line[:90]]
    del lines[depth[40]]
    with pytest.raises(DataError, match=rf"line {depth[41]}: depth follows update \d+ but the one before ended at"):
        read_stream(_write(tmp_path, lines), least_latency_ns=LEAST)


def test_clocks_that_disagree_ask_for_the_least_latency() -> None:
    with pytest.raises(DataError, match=r"arrive up to 1,27\d\.\d ms before they were sent.*least latency"):
        read_stream(sample_stretch())


def test_depth_without_or_after_its_snapshot_is_refused(tmp_path: Path) -> None:
    lines = _lines()
    first = next(i for i, line in enumerate(lines) if b"lastUpdateId" in line[:60])
    with pytest.raises(DataError, match="no depth after a snapshot"):
        read_stream(_write(tmp_path, lines[:first]), least_latency_ns=LEAST)
    follow = [i for i, line in enumerate(lines) if i > first and b"depthUpdate" in line[:90]]
    late = [lines[first], *lines[follow[3] :]]
    with pytest.raises(DataError, match="what lies between is lost"):
        read_stream(_write(tmp_path, late), least_latency_ns=LEAST)


def test_broken_lines_and_prices_are_refused_with_their_line(tmp_path: Path) -> None:
    lines = _lines()
    with pytest.raises(DataError, match="line 3 is no recorded frame"):
        read_stream(_write(tmp_path, [*lines[:2], b"what\n", *lines[2:]]), least_latency_ns=LEAST)
    trade = next(i for i, line in enumerate(lines) if b"@trade" in line[:60])
    lines[trade] = lines[trade].replace(b'.30","q"', b'.35","q"').replace(b'.20","q"', b'.25","q"')
    with pytest.raises(DataError, match=rf"line {trade + 1}: price \d+\.\d5 is not on the grid of BTCUSDT"):
        read_stream(_write(tmp_path, lines), least_latency_ns=LEAST)
    with pytest.raises(DataError, match="no instrument 'BTCUSDT' is known"):
        read_stream(sample_stretch(), {}, LEAST)
    torn = tmp_path / "torn.jsonl.xz"
    torn.write_bytes(sample_stretch().read_bytes()[:50_000])
    with pytest.raises(DataError, match="cannot be read to its end"):
        read_stream(torn, least_latency_ns=LEAST)
