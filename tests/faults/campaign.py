"""The campaign over many runs: slices that are kept, so that what was stopped goes on where it was, over all cores, and
what they say together.

python -m tests.faults.campaign FIRST COUNT        a slice of any seeds, told in a few lines
"""

import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.classes import SHARES
from tests.faults.coverage import STATES, missed
from tests.faults.house import House
from tests.faults.scenario import scenario
from tests.faults.verdict import Verdict, verdict

__all__ = ["Slice", "matrix_lines", "played", "slice_of", "summary", "told"]

_SHOWN = 40


class Slice(msgspec.Struct, frozen=True):
    """The verdicts of some seeds, and the CPU seconds they took."""

    verdicts: tuple[Verdict, ...]
    cpu_s: float


def slice_of(seeds: Sequence[int]) -> Slice:
    """Play these runs. What the program itself does wrong (an exception out of a run) is a problem of that run."""
    started, verdicts = time.process_time(), []
    for seed in seeds:
        house = House(scenario(seed))
        try:
            house.play()
        except Exception as error:
            house.problems.append(repr(error))
        verdicts.append(verdict(house))
    return Slice(tuple(verdicts), round(time.process_time() - started, 2))


def kept(folder: Path, number: int, seeds: Sequence[int]) -> Slice:
    """The slice as an earlier sitting left it, else played now and kept."""
    place = folder / f"{number}.json"
    if not place.exists():
        made = slice_of(seeds)
        folder.mkdir(parents=True, exist_ok=True)
        half = place.with_suffix(".part")
        half.write_bytes(msgspec.json.encode(made))
        half.replace(place)
    return msgspec.json.decode(place.read_bytes(), type=Slice)


def played(folder: Path, first: int, slices: int, each: int, workers: int) -> Iterator[Slice]:
    """Every slice, over `workers` processes; each is told as it is done."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        work = [
            pool.submit(kept, folder, number, range(first + number * each, first + (number + 1) * each))
            for number in range(slices)
        ]
        for number, one in enumerate(work, 1):
            made = one.result()
            breached = [item.seed for item in made.verdicts if not item.clean]
            print(f"slice {number} of {slices}: {made.cpu_s / each:.2f} CPU-s a run, breached {breached}", flush=True)
            yield made


def summary(slices: Iterable[Slice]) -> dict[str, Any]:
    """The figures of a campaign. A rate of zero breaches in n runs is under 3/n at 95 % (rule of three)."""
    all_slices = tuple(slices)
    runs = [one for part in all_slices for one in part.verdicts]
    naked = sorted(ms for one in runs for ms in one.naked)
    breaches = Counter(what for one in runs for what in {what for what, _, _ in one.breaches})
    breached = [one for one in runs if not one.clean]
    free = [one for one in runs if not one.person]
    calm = sum(one.calm_ms for one in free)
    cells: Counter[tuple[str, str]] = Counter()
    for one in runs:
        for kind, state, count in one.cells:
            cells[kind, state] += count
    return {
        "runs": len(runs),
        "clean": len(runs) - len(breached),
        "breached_percent": round(100 * len(breached) / len(runs), 3),
        "zero_means_under_percent": round(300 / len(runs), 3),
        "breached_runs": {what: breaches[what] for what in _KINDS} | {"problem": sum(bool(r.problems) for r in runs)},
        "seeds_breached": {
            str(one.seed): sorted({what for what, _, _ in one.breaches} | ({"problem"} if one.problems else set()))
            for one in breached[:_SHOWN]
        },
        "classes": {kind: sum(one.kind == kind for one in runs) for kind in SHARES},
        "intents_least": min(one.intents for one in runs),
        "intents_under_12": sum(one.intents < 12 for one in runs),
        "faults_least": min(one.faults for one in runs),
        "naked_stretches": len(naked),
        "naked_p99_ms": naked[int(0.99 * (len(naked) - 1))] if naked else 0,
        "naked_max_ms": naked[-1] if naked else 0,
        "refused_max_ms": max((ms for one in runs for ms in one.refused), default=0),
        "silent_max_ms": max((ms for one in runs for ms in one.silent), default=0),
        "active_at_end_percent": round(100 * sum(one.active for one in free) / len(free), 2),
        "with_a_round_trip_percent": round(100 * sum(one.trips > 0 for one in runs) / len(runs), 2),
        "entries_allowed_percent": round(100 * (1 - sum(one.shut_ms for one in free) / calm), 3) if calm else 0.0,
        "back_late_runs": sum(one.shut_ms > 0 for one in free),
        "needing_a_person": len(runs) - len(free),
        "lives": sum(one.lives for one in runs),
        "cells_hit": len(cells),
        "cells_under_30": missed(cells),
        "matrix": {
            kind: {state: cells[kind, state] for state in STATES} for kind in sorted({kind for kind, _ in cells})
        },
        "cpu_s_per_run": round(sum(part.cpu_s for part in all_slices) / len(runs), 3),
    }


_KINDS = ("duplicate", "lost", "invented", "nonce", "unsafe", "orphan", "naked", "fenced", "twin")


def told(one: Verdict) -> list[str]:
    """The breaches of a run, with what repeats it."""
    found = [f"{what} at {time_ms} ms: {text}" for what, time_ms, text in one.breaches] + list(one.problems)
    return [f"python -m tests.faults.replay {one.seed} ({one.kind}, {one.other}): {line}" for line in found]


def matrix_lines(figures: dict[str, Any]) -> Iterator[str]:
    """The coverage matrix as text."""
    yield f"{'':34}" + "".join(f"{state[:9]:>10}" for state in STATES)
    for kind, row in figures["matrix"].items():
        yield f"{kind:34}" + "".join(f"{row[state]:>10}" for state in STATES)


def main() -> None:
    first, count = int(sys.argv[1]), int(sys.argv[2])
    made = slice_of(range(first, first + count))
    for one in made.verdicts:
        for line in told(one)[:4]:
            print(line)
    figures = summary([made])
    print("\n".join(matrix_lines(figures)))
    del figures["matrix"]
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
