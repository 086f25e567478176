"""The event engine: base bars a second of CPU and peak memory, each configuration in a process of its own.

Plain loop: pure Python over lists of the same bars, EMA20/50, RSI14, ATR14 and one position with stop and target; no
features on five timeframes, no risk, no venue, no ledger. It bounds what an interpreter can do here today.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from aister.app.build import build_run, open_data, open_run_journal
from aister.app.settings import RunSettings
from aister.bench import Figure
from aister.core.audit import Audit
from aister.engine.runner import run_sync

__all__ = ["measure"]

_CASES = ("plain", "bare", "full")
_TARGET = {"bare": 400_000.0, "full": 200_000.0}


def measure(quick: bool) -> Iterator[Figure]:
    """Bars/s (best of the rounds, user + system CPU) of the plain loop, the bare engine and the engine with council and
    journal; peak memory on one and on four times the bars."""
    days, rounds = (20, 2) if quick else (29, 5)
    speed = {case: max((_child(case, days, 1) for _ in range(rounds)), key=lambda r: r["rate"]) for case in _CASES}
    plain = speed["plain"]["rate"]
    yield Figure("plain loop", plain, "bars/s", None, None, "pure Python, four indicators, one position")
    for case, what in (("bare", "engine, bare"), ("full", "engine, council and journal")):
        rate = speed[case]["rate"]
        met = "target met" if rate >= _TARGET[case] else "target MISSED"
        note = f"{met} ({_TARGET[case]:,.0f}); {speed[case]['bars']:,.0f} bars of the sample; {speed[case]['note']}"
        yield Figure(what, rate, "bars/s", plain, rate / plain, note)
    short, long = _child("full", days // 4, 1), _child("full", days, 1)
    growth = long["peak_mb"] / short["peak_mb"]
    yield Figure(
        "peak memory, full",
        long["peak_mb"],
        "MB",
        short["peak_mb"],
        growth,
        f"{long['bars']:,.0f} bars against {short['bars']:,.0f}; flat = ratio near 1",
    )
    yield Figure("peak memory, plain loop", speed["plain"]["peak_mb"], "MB", None, None, "holds every bar in lists")


def _child(case: str, days: int, seed: int) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "aister.bench.engine", case, str(days), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    result: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return result


class _Unrecorded:
    """A journal that keeps nothing: the bare engine."""

    sequence = 0
    head = ""

    def append(self, audit: Audit) -> None:
        return None

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None

    def records(self) -> Iterator[Audit]:
        return iter(())


def _run(case: str, days: int, seed: int) -> tuple[int, float, str]:
    start = 1_746_403_200_000
    full = case == "full"
    settings = RunSettings(
        end_ms=start + days * 86_400_000,
        seed=seed,
        mind="rules" if full else "none",
        strategy="confluence" if full else "ema_cross",
    )
    with tempfile.TemporaryDirectory() as home:
        feed = open_data(settings)
        bars = sum(len(market.bars) for market in feed.slices())
        journal = open_run_journal(Path(home), settings, feed) if full else _Unrecorded()
        warm = msgspec.structs.replace(settings, end_ms=start + 86_400_000)
        run_sync(build_run(warm, open_data(warm), _Unrecorded()).run)
        built = build_run(settings, feed, journal)
        began = time.process_time()
        run_sync(built.run)
        spent = time.process_time() - began
        note = f"durability {getattr(journal, 'durability', 'none')}" if full else "no council, no journal"
    return bars, spent, note


def _plain(days: int) -> tuple[int, float, str]:
    feed = open_data(RunSettings(end_ms=1_746_403_200_000 + days * 86_400_000))
    per_symbol: dict[str, list[tuple[float, float, float]]] = {}
    for market in feed.slices():
        for bar in market.bars:
            per_symbol.setdefault(bar.symbol, []).append((bar.high, bar.low, bar.close))
    began = time.process_time()
    for bars in per_symbol.values():
        _plain_loop(bars)
    return sum(map(len, per_symbol.values())), time.process_time() - began, "pure Python"


def _plain_loop(bars: list[tuple[float, float, float]]) -> float:
    fast = slow = before = bars[0][2]
    gain = loss = spread = pnl = entry = stop = target = 0.0
    side = 0
    for high, low, close in bars:
        if side and ((low <= stop or high >= target) if side > 0 else (high >= stop or low <= target)):
            hit = stop if (low <= stop if side > 0 else high >= stop) else target
            pnl += side * (hit - entry) - 0.0007 * entry
            side = 0
        was_above = fast > slow
        fast += (close - fast) * 2 / 21
        slow += (close - slow) * 2 / 51
        change = close - before
        gain += (max(change, 0.0) - gain) / 14
        loss += (max(-change, 0.0) - loss) / 14
        spread += (max(high, before) - min(low, before) - spread) / 14
        before = close
        above = fast > slow
        if not side and above != was_above:
            rsi = 100.0 * gain / (gain + loss) if gain + loss else 50.0
            if above == (rsi > 50.0):
                side, entry = (1, close) if above else (-1, close)
                stop, target = entry - side * 2 * spread, entry + side * 3 * spread
    return pnl


def _main() -> None:
    case, days, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    bars, spent, note = _plain(days) if case == "plain" else _run(case, days, seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mb = peak / (1_048_576 if sys.platform == "darwin" else 1_024)
    print(json.dumps({"bars": bars, "rate": bars / spent, "peak_mb": peak_mb, "note": note}))


if __name__ == "__main__":
    _main()
