"""`make oracles`: run the peers on the oracle month and write their trades to tests/oracles/goldens.json."""

import json
import os
import subprocess
import sys

import numpy as np

from aister.bench.data import seeded_series
from bench.environments import PEERS, ROOT, build, python_of
from bench.oracles.month import BARS, SEED, signals

GOLDENS = ROOT / "tests" / "oracles" / "goldens.json"


def main() -> int:
    series = seeded_series(BARS, SEED)
    given = signals(series.high, series.low, series.close)
    names = ("open_ms", "open", "high", "low", "close", "volume")
    path = ROOT / "build" / "oracle-month.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, signals=np.array(given, np.int64), **{name: getattr(series, name) for name in names})
    goldens: dict[str, object] = {"bars": BARS, "seed": SEED, "closes": int(np.rint(series.close * 100).sum())}
    goldens["signals"] = given
    failed = 0
    for peer in ("vectorbt", "backtesting", "nautilus"):
        problem = build(peer)
        if not problem:
            ran = subprocess.run(
                [str(python_of(peer)), "-m", f"bench.oracles.{peer}_trades", str(path)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
            )
            problem = "" if ran.returncode == 0 else (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
        if problem:
            print(f"{peer}: not run: {problem}", file=sys.stderr)
            failed = 1
            continue
        rows = [
            [int(a), int(b), int(side), round(paid, 4), round(got, 4)]
            for a, b, side, paid, got in json.loads(ran.stdout.strip().splitlines()[-1])
        ]
        goldens[peer] = {"versions": PEERS[peer], "trades": rows}
        print(f"{peer}: {len(rows)} trades")
    if not failed:
        GOLDENS.parent.mkdir(exist_ok=True)
        GOLDENS.write_text(json.dumps(goldens, separators=(",", ":")).replace("],[", "],\n[") + "\n")
        print(f"written: {GOLDENS.relative_to(ROOT)} ({GOLDENS.stat().st_size:,} bytes)")
    return failed


if __name__ == "__main__":
    sys.exit(main())
