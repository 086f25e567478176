"""The bench's rules in C (`c_loop.c`), compiled with gcc where it is, run through ctypes."""

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.shared import measured

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parent.parent / "build" / "peers" / "c_loop.so"
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")
WARMUP = 396
"""Bars after which EMA50 no longer feels where its history started (`FeatureColumns` serves it from there on)."""

TERMS = {
    "unit": 1_000, "tick_e8": 1_000_000, "taker_e8": 35_000, "liquidation_e8": 1_250_000, "half_spread_e8": 5_000,
    "floor_e8": 10_000, "percent": 10, "cap_e8": 5_000_000, "risk_e8": 10_000, "leverage": 3, "capital": 10**13,
    "min_steps": 1, "market_max_steps": 120_000, "min_notional": 500_000_000,
}  # fmt: skip
TIERS = ((400_000, 0), (500_000, 5_000_000_000), (1_000_000, 130_000_000_000), (2_500_000, 1_630_000_000_000),
         (5_000_000, 26_630_000_000_000))  # fmt: skip
RESULT = ("trades", "wallet", "fees", "funding", "slippage", "liquidations", "exits", "partial")


class Terms(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in TERMS),
        ("tiers", ctypes.c_int64),
        ("rate_e8", ctypes.c_int64 * 8),
        ("deduction", ctypes.c_int64 * 8),
    ]


class Result(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in RESULT]


def library() -> ctypes.CDLL:
    """Compile when the source is newer. Raises FileNotFoundError where there is no gcc."""
    source = HERE / "c_loop.c"
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < source.stat().st_mtime:
        if shutil.which("gcc") is None:
            raise FileNotFoundError("gcc is not installed; the C loop is left out")
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", *FLAGS, "-o", str(LIBRARY), str(source), "-lm"], check=True)
    return ctypes.CDLL(str(LIBRARY))


def trades(bars: dict[str, Any]) -> tuple[dict[str, int], np.ndarray]:
    """Its figures, and a row a trade: open time of the bars of entry and exit, wallet after it."""
    terms = Terms(*TERMS.values(), len(TIERS))
    for i, (rate, deduction) in enumerate(TIERS):
        terms.rate_e8[i], terms.deduction[i] = rate, deduction
    names = ("open", "high", "low", "close", "volume")
    columns = [bars[name].ctypes.data_as(ctypes.c_void_p) for name in names]
    rows, result = np.empty((3, len(bars["close"]) + 1), np.int64), Result()
    library().run(
        ctypes.byref(terms),
        ctypes.c_int64(len(bars["close"])),
        bars["open_ms"].ctypes.data_as(ctypes.c_void_p),
        *columns,
        ctypes.c_int64(len(bars["funding_ms"])),
        bars["funding_ms"].ctypes.data_as(ctypes.c_void_p),
        bars["funding_e8"].ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(WARMUP),
        rows[1].ctypes.data_as(ctypes.c_void_p),
        rows[0].ctypes.data_as(ctypes.c_void_p),
        rows[2].ctypes.data_as(ctypes.c_void_p),
        ctypes.byref(result),
    )
    return {name: int(getattr(result, name)) for name in RESULT}, rows[:, : result.trades].T


def run(bars: dict[str, Any]) -> dict[str, Any]:
    return dict(trades(bars)[0])


if __name__ == "__main__":
    try:
        library()
    except FileNotFoundError as missing:
        sys.exit(str(missing))
    measured("C loop", "the full fill model: fees, half-spread, stop extra, funding, liquidation, volume cap", run, 7)
