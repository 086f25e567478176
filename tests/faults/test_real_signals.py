"""Real processes, real sockets, real signals: 20 runs (seeds rotate by date), and as
`make campaign CAMPAIGN_ARGS="-k real_signals"` 600, in slices that are kept."""

from collections import Counter
from datetime import date

import msgspec
import pytest

from checks.results import code_hash, measuring
from checks.tree import ROOT
from tests.faults.arena import Ended, real_runs
from tests.faults.test_campaign import MEASURED

RUNS, AT_ONCE = 20, 8
FIRST = date.today().toordinal() * 100


def told(one: Ended) -> str:
    return f"seed {one.seed}, {', '.join(one.blows)}: {one.breaches}\n{one.said}"


@pytest.fixture(scope="module")
def runs() -> tuple[Ended, ...]:
    print(f"seeds {FIRST} to {FIRST + RUNS - 1}")
    return real_runs(range(FIRST, FIRST + RUNS), AT_ONCE)


def test_signals_break_nothing(runs: tuple[Ended, ...]) -> None:
    """By the exchange's books and log, and the journal that is left."""
    assert all(not one.breaches for one in runs), "\n".join(told(one) for one in runs if one.breaches)


def test_what_is_killed_comes_back_and_trades(runs: tuple[Ended, ...]) -> None:
    for one in runs:
        assert one.lives == 1 + sum(blow in ("kill trader", "kill all") for blow in one.blows), told(one)
    assert sum(one.orders > 0 for one in runs) >= len(runs) - 1, "\n".join(told(one) for one in runs)


SLICES, EACH, CAMPAIGN_FIRST = 30, 20, 60_000_000
REAL = [
    *MEASURED,
    "src/aister/app",
    "src/aister/adapters",
    "tests/faults/arena.py",
    "tests/faults/forked.py",
    "tests/faults/turns.py",
]


@pytest.mark.campaign
def test_campaign_six_hundred_real_signals() -> None:
    """`faults-signals` is what it publishes; runs that breach are named by seed."""
    kept = ROOT / "build" / "faults-signals" / code_hash(REAL)[:16]
    kept.mkdir(parents=True, exist_ok=True)
    seeds = range(CAMPAIGN_FIRST, CAMPAIGN_FIRST + SLICES * EACH)
    command = "make campaign CAMPAIGN_ARGS='-k real_signals'"
    with measuring("faults-signals", command=command, seeds=seeds, paths=REAL) as figures:
        runs: list[Ended] = []
        for number in range(SLICES):
            place = kept / f"{number}.json"
            if not place.exists():
                made = real_runs(seeds[number * EACH : (number + 1) * EACH], AT_ONCE)
                place.with_suffix(".part").write_bytes(msgspec.json.encode(made))
                place.with_suffix(".part").replace(place)
            runs += msgspec.json.decode(place.read_bytes(), type=tuple[Ended, ...])
            print(f"slice {number + 1} of {SLICES}: breached {[one.seed for one in runs if one.breaches]}", flush=True)
        figures["runs"] = len(runs)
        figures["breached_runs"] = dict(Counter(what for one in runs for what in {what for what, _, _ in one.breaches}))
        figures["seeds_breached"] = {
            str(one.seed): [what for what, _, _ in one.breaches] for one in runs if one.breaches
        }
        figures["zero_means_under_percent"] = round(300 / len(runs), 3)
        figures["blows"] = dict(Counter(blow for one in runs for blow in one.blows))
        figures["lives"] = sum(one.lives for one in runs)
        figures["orders"] = sum(one.orders for one in runs)
        figures["round_trips"] = sum(one.trips for one in runs)
        figures["trading_percent"] = round(100 * sum(one.orders > 0 for one in runs) / len(runs), 2)
        print("\n".join(told(one)[:500] for one in runs if one.breaches))
    assert not figures["breached_runs"], figures["seeds_breached"]
    assert figures["trading_percent"] >= 95
