"""`make bench`: the peers and this engine, side by side in one run, each in a process (and environment) of its own.

`python -m bench.compare [--quick]` prints one table a question and writes build/bench.json; last, the tick path beside
hftbacktest (`bench.ticks`). Every row says what its engine models. A peer that cannot be installed here, or a missing
gcc, is a row that says so. A whole run in which all of them answered is published: docs/results/peers.json.
"""

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aister.bench.data import SPANS, seeded_series
from bench import ticks
from bench.environments import ROOT, build, python_of
from checks.results import write_result

__all__ = ["Row", "main"]

BUILD = ROOT / "build"
OURS = "aister"


@dataclass
class Row:
    """One script on one span: its measurement, or why there is none."""

    script: str
    span: str
    peer: str = ""
    found: dict[str, Any] = field(default_factory=dict)
    missing: str = ""

    @property
    def rate(self) -> float:
        return float(self.found.get("bars_per_s", 0.0))


SINGLE = (
    ("aister_single", OURS),
    ("c_loop", OURS),
    ("vectorbt_single", "vectorbt"),
    ("backtesting_single", "backtesting"),
    ("nautilus_single", "nautilus"),
)
SLOW = {"backtesting_single": "1 month", "nautilus_single": "1 month"}
"""Peers whose rate is that of a month: a year of theirs takes minutes and says nothing more."""

TARGETS = (
    ("single", "single run, bars/s", "aister_single", None, 30e6),
    ("single_vectorbt", "single run against vectorbt", "aister_single", "vectorbt_single", 10.0),
    ("single_c", "single run against C", "aister_single", "c_loop", 0.5),
    ("sweep_vectorbt", "sweep against vectorbt", "aister_sweep", "vectorbt_sweep", 25.0),
    ("on_bar", "on_bar strategy, bars/s", "aister_strategy", None, 300_000.0),
    ("on_bar_backtesting", "on_bar strategy against backtesting.py", "aister_strategy", "backtesting_single", 5.0),
    ("prefiltered", "pre-filtered strategy, bars/s", "aister_prefiltered", None, 5e6),
)
"""(key, question, ours, theirs or None for a plain rate, at least)."""

MEASURED = ("bench", *(f"src/aister/{room}" for room in ("bench", "features", "kernels", "lab", "strategy/spec")))


def bars_file(span: str) -> Path:
    """The seeded bars of a span as the peers read them."""
    path = BUILD / f"bars-{span.replace(' ', '-')}.npz"
    if not path.exists():
        series = seeded_series(SPANS[span])
        names = ("open_ms", "open", "high", "low", "close", "volume", "funding_ms", "funding_e8")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **{name: getattr(series, name) for name in names})
    return path


def measure(script: str, peer: str, span: str) -> Row:
    """Run one script in its environment."""
    row = Row(script, span, peer)
    if not (ROOT / "bench" / "peers" / f"{script}.py").exists():
        row.missing = "not built yet"
        return row
    if peer != OURS and (problem := build(peer)):
        row.missing = f"not installed here: {problem}"
        return row
    python = sys.executable if peer == OURS else str(python_of(peer))
    path = f"{ROOT}:{ROOT / 'src'}" if peer == OURS else str(ROOT)
    ran = subprocess.run(
        [python, "-m", f"bench.peers.{script}", str(bars_file(span))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if ran.returncode or not lines:
        said = (ran.stderr or ran.stdout).strip().splitlines() or [f"it ended with status {ran.returncode}"]
        row.missing = f"it did not run: {said[-1][:160]}"
    else:
        row.found = json.loads(lines[-1])
    return row


def interleaved(asked: list[tuple[str, str, str]], rounds: int) -> list[Row]:
    """Every (script, peer, span) in turns, so that a busy minute of the machine strikes none alone; the fastest
    round of each counts, one that failed only if all did."""
    found = [[measure(*one) for one in asked] for _ in range(rounds)]
    return [max(rows, key=lambda row: row.rate) for rows in zip(*found, strict=True)]


def equality(span: str) -> str:
    """Whether the C loop makes our trades on these bars: what `bench.peers.c_equality` says."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.peers.c_equality", str(bars_file(span))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (ran.stdout or ran.stderr).strip().splitlines() or [f"it ended with status {ran.returncode}"]
    return said[-1]


def table(title: str, rows: list[Row]) -> None:
    """Rates beside ours, trades, memory and what each engine models."""
    ours = next((row.rate for row in rows if row.script.startswith(OURS)), 0.0)
    print(f"\n{title}")
    for row in rows:
        if row.missing:
            print(f"  {row.script:20} {row.span:8} {row.missing}")
            continue
        beside = f"{ours / row.rate:10.2f} x" if ours else " " * 12
        peak, trades = row.found["peak_mb"], row.found.get("trades", "")
        print(f"  {row.script:20} {row.span:8} {row.rate:14,.0f} bars/s {beside} {peak:8,.0f} MB {trades!s:>8} trades")
        print(f"  {'':20} {row.found['models']}")


def judged(rows: list[Row]) -> list[dict[str, Any]]:
    """Each target with what was measured: met, MISSED, or not measured and why."""
    by_script = {(row.script, row.span): row for row in rows}
    found: list[dict[str, Any]] = []
    for key, question, mine, theirs, least in TARGETS:
        ours = by_script.get((mine, "1 year"))
        other = by_script.get((theirs, SLOW.get(theirs, "1 year"))) if theirs else None
        lacking = next((row.missing for row in (ours, other) if row is not None and row.missing), "")
        if ours is None or lacking or (theirs and other is None):
            found.append(
                {"key": key, "target": question, "least": least, "verdict": f"not measured ({lacking or 'quick run'})"}
            )
            continue
        value = ours.rate / other.rate if other else ours.rate
        verdict = "met" if value >= least else "MISSED"
        found.append({"key": key, "target": question, "least": least, "value": value, "verdict": verdict})
    return found


def publish(rows: list[Row], targets: list[dict[str, Any]], slowest: float, duration_s: float) -> None:
    """A whole run as docs/results/peers.json: rates, peak memory and trades by row, value and verdict by target."""
    figures: dict[str, Any] = {"ticks_slowest": round(slowest, 1)}
    for row in rows:
        name = (
            row.script if row.span == SLOW.get(row.script, "1 year") else f"{row.script}_{row.span.replace(' ', '_')}"
        )
        figures[name] = {"rate": round(row.rate), "peak_mb": round(row.found["peak_mb"])}
        figures[name] |= {"trades": row.found["trades"]} if "trades" in row.found else {}
    figures |= {one["key"]: {"value": round(one["value"], 2), "verdict": one["verdict"]} for one in targets}
    month, years = figures["aister_single_1_month"]["rate"], figures["aister_single_5_years"]["rate"]
    figures["cost_a_bar_5_years"] = round(month / years, 2)
    write_result(
        "peers", command="make bench", seeds=[1], figures=figures, paths_measured=MEASURED, duration_s=duration_s
    )


def main(arguments: list[str]) -> int:
    quick, began = "--quick" in arguments, time.monotonic()
    span = "1 month" if quick else "1 year"
    rounds = 1 if quick else 3
    singles = interleaved([(script, peer, SLOW.get(script, span)) for script, peer in SINGLE], rounds)
    table("One run: EMA20/50 + RSI14, stop 2 x ATR, target 3 x ATR (ours = 1; user + system CPU)", singles)
    print(f"  C loop and ours, trade by trade: {equality(span)}")
    sweeps = interleaved([("aister_sweep", OURS, span), ("vectorbt_sweep", "vectorbt", span)], rounds)
    table("Sweep (bars x combinations)", sweeps)
    strategies = interleaved([(name, OURS, span) for name in ("aister_strategy", "aister_prefiltered")], rounds)
    table("Python strategy", strategies)
    lengths = [] if quick else [measure("aister_single", OURS, length) for length in ("1 month", "5 years")]
    if lengths:
        table("Cost over length", lengths)
    rows = [*singles, *sweeps, *strategies, *lengths]
    targets = judged(rows)
    print("\nTargets, on one year")
    for target in targets:
        value = f"{target['value']:,.2f}" if "value" in target else "-"
        print(f"  {target['target']:42} {value:>16}  at least {target['least']:,.1f}: {target['verdict']}")
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    report = {"machine": machine, "quick": quick, "rows": [vars(row) for row in rows], "targets": targets}
    (BUILD / "bench.json").write_text(json.dumps(report, indent=1))
    beside = ticks.main(["--quick"] if quick else [])
    print("\nAll of it is in build/bench.json and build/bench-ticks.json.")
    if beside and not quick and not any(row.missing for row in rows):
        publish(rows, targets, min(one.faster for one in beside), time.monotonic() - began)
        print("Published in docs/results/peers.json.")
    print("Two shared cores: believe ratios, and only those above 1.5.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
