"""What every peer's script reads and prints. Nothing here but numpy and the standard library.

The file is an npz of one-minute bars (`open_ms`, `open`, `high`, `low`, `close`, `volume`). The rules: EMA20 crosses
EMA50 with RSI14 above 50 (long) or below 50 (short); in at the next open; stop 2 x ATR14, target 3 x ATR14 from there;
one position; size = 1,000 / stop distance (1 % of a fixed 100,000: a driftless walk ruins whoever compounds); 4 bp fee
and 1 bp slippage a side.
"""

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

FEE, SLIPPAGE, RISK, CASH = 4e-4, 1e-4, 1_000.0, 100_000.0
STOP_ATR, TARGET_ATR = 2.0, 3.0


def load(path: str) -> dict[str, Any]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def user_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(peer: str, models: str, run: Callable[[dict[str, Any]], dict[str, Any]], repeats: int = 3) -> None:
    """Run on the file named on the command line and print one JSON object: best CPU of the repeats, the first call
    apart (it may compile), bars a second, trades, peak memory. A run in a process of its own answers `child_cpu_s`."""
    bars = load(sys.argv[1])
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else repeats
    seconds, result = [], {}
    for _ in range(repeats + 1 if repeats > 1 else 1):
        before = user_seconds()
        result = run(bars)
        seconds.append(result.pop("child_cpu_s", user_seconds() - before))
    best = min(seconds[1:] or seconds)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    count = len(bars["close"]) * result.get("combinations", 1)
    told = {"peer": peer, "models": models, "bars": count, "cpu_s": best, "first_cpu_s": seconds[0]}
    print(json.dumps({**told, "bars_per_s": count / best, "peak_mb": peak, "python": sys.version.split()[0], **result}))
