"""The tick path beside hftbacktest: the same rows, queue rule, constant latencies and quotes; fills one by one, rows a
second of CPU.

    python -m bench.ticks [--quick] [RECORDING ...]

Without recordings: the shipped stretch and seeded rows. `make bench` runs that too. Fills are compared as (exchange
time, side, ticks, steps); where they differ the first difference is shown. What may differ: docs/tick-path.md.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from aister.adapters.feeds.depth import read_stream, sample_stretch
from aister.adapters.store.sample import shipped_instruments
from aister.bench.ticks import seeded_rows
from aister.lab.ticks import Latency, Queue, Quoting, TickPlan, replay
from aister.ports.ticks import TickStream
from bench.environments import ROOT, build, python_of

__all__ = ["Beside", "compare", "main", "sources"]

PEER = "hftbacktest"
MS = 1_000_000
LEAST = 3.0
"""Times the peer's rows a second."""

Setting = tuple[TickPlan, Quoting]


class Beside(msgspec.Struct, frozen=True):
    """One plan on one source. only_ours, only_theirs: fills the other does not have; faster: CPU of theirs / ours."""

    source: str
    plan: str
    rows: int
    ours: int
    theirs: int
    only_ours: int
    only_theirs: int
    rows_per_s: float
    faster: float
    first_difference: str = ""


def settings() -> Iterator[tuple[str, Setting]]:
    """Queue rules, decision intervals and latencies, each with quotes that lean against the position."""
    for name, queue, interval, entry, response in (
        ("risk averse, 100 ms", Queue(whole=True), 100, 1, 1),
        ("risk averse, 10 ms", Queue(whole=True), 10, 1, 1),
        ("risk averse, late", Queue(whole=True), 50, 30, 20),
        ("power 3", Queue("power", 3.0, whole=True), 100, 5, 5),
        ("log", Queue("log", whole=True), 100, 5, 5),
    ):
        plan = TickPlan(interval_ns=interval * MS, latency=Latency(entry * MS, response * MS), queue=queue)
        yield name, (plan, Quoting(steps=10, max_steps=100, half_ticks=1, skew_e4=10_000))


def sources(recordings: list[str], quick: bool) -> Iterator[TickStream]:
    """The recordings named; without any the shipped stretch, and rows that are no market."""
    for path in recordings:
        yield read_stream(Path(path), least_latency_ns=MS)
    if not recordings:
        yield read_stream(sample_stretch(), least_latency_ns=MS)
        rows = seeded_rows(200_000 if quick else 2_000_000, 1)
        yield TickStream(shipped_instruments()["BTCUSDT"], rows, 0, {}, "seeded rows", "seed 1")


def compare(stream: TickStream, name: str, setting: Setting, rounds: int) -> Beside:
    """Both on one source under one plan. Raises `RuntimeError` with the peer's last line when it does not run."""
    plan, quotes = setting
    found = replay(stream, plan, quotes)
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        replay(stream, plan, quotes)
        spent.append(time.process_time() - began)
    answer = peers(stream, plan, quotes, rounds)
    ours = sorted(tuple(int(fill[key]) for key in ("time_ns", "side", "ticks", "steps")) for fill in found.fills)
    theirs = sorted(tuple(fill) for fill in answer["fills"])
    differing = next((k for k, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    first = ""
    if differing is not None:
        first = f"fill {differing}: ours {ours[differing]}, theirs {theirs[differing]}"
    elif len(ours) != len(theirs):
        first = f"one of them ends after {min(len(ours), len(theirs))} fills"
    return Beside(
        source=stream.source,
        plan=name,
        rows=len(stream.rows),
        ours=len(ours),
        theirs=len(theirs),
        only_ours=len(set(ours) - set(theirs)),
        only_theirs=len(set(theirs) - set(ours)),
        rows_per_s=len(stream.rows) / min(spent),
        faster=answer["cpu_s"] / min(spent),
        first_difference=first,
    )


def peers(stream: TickStream, plan: TickPlan, quotes: Quoting, rounds: int) -> dict[str, Any]:
    """What the peer made of it, in a process and environment of its own."""
    rows, told = ROOT / "build" / "ticks.npy", ROOT / "build" / "ticks.json"
    rows.parent.mkdir(exist_ok=True)
    np.save(rows, stream.rows)
    contract, latency = stream.instrument, plan.latency
    parameters = {
        **{"tick": contract.price(1), "lot": contract.size(1)},
        **{"maker": contract.maker_e8 / 1e8, "taker": contract.taker_e8 / 1e8},
        **{"entry_ns": latency.entry_ns, "response_ns": latency.response_ns, "interval_ns": plan.interval_ns},
        **{"rule": plan.queue.rule, "power": plan.queue.power, "rounds": rounds},
        **{"half_ticks": quotes.half_ticks, "skew_e4": quotes.skew_e4},
        **{"steps": quotes.steps, "max_steps": quotes.max_steps},
    }
    told.write_text(json.dumps(parameters))
    command = [str(python_of(PEER)), "-m", "bench.peers.hftbacktest_ticks", str(rows), str(told)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError((ran.stderr.strip().splitlines() or [f"it ended with status {ran.returncode}"])[-1])
    answer: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return answer


def main(arguments: list[str]) -> list[Beside]:
    quick = "--quick" in arguments
    recordings = [argument for argument in arguments if not argument.startswith("-")]
    print("\nTick path beside hftbacktest (fills one by one; user + system CPU)")
    if problem := build(PEER):
        print(f"  not installed here: {problem}")
        return []
    found: list[Beside] = []
    for stream in sources(recordings, quick):
        for name, setting in settings():
            try:
                row = compare(stream, name, setting, 2 if quick else 4)
            except RuntimeError as problem:
                print(f"  {name:20} it did not run: {str(problem)[:160]}")
                continue
            found.append(row)
            same = "equal" if not row.first_difference else f"{row.only_ours} only here, {row.only_theirs} only there"
            print(f"  {row.plan:20} {row.rows:9,} rows {row.rows_per_s:13,.0f} rows/s {row.faster:6.1f} x", end="")
            print(f" {row.ours:6,} fills: {same}  ({Path(row.source).name})")
            if row.first_difference:
                print(f"  {'':20} {row.first_difference}")
    slowest = min((row.faster for row in found), default=0.0)
    verdict = "met" if slowest >= LEAST else "MISSED"
    print(f"  at least {LEAST:g} times its rows a second: {slowest:.1f} x in the slowest row: {verdict}")
    (ROOT / "build" / "bench-ticks.json").write_text(json.dumps([msgspec.to_builtins(row) for row in found], indent=1))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
