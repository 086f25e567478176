"""The fault campaign, as much of it as a test run has time for: seeds rotate by date, each failure names its own.

python -m tests.faults.replay SEED        tells the story of one run
"""

import functools
from collections import Counter
from datetime import date

import pytest

from tests.faults.classes import SHARES
from tests.faults.defects import DEFECTS, Defect
from tests.faults.house import House
from tests.faults.scenario import scenario

RUNS = 300
FIRST = date.today().toordinal() * 1_000

OPEN = {
    "orphan": "one run in a hundred: what a life before placed and no book holds is found by a survey",
    "naked": "several faults at once: stops of unknown outcome while answers are held back",
    "lost": "a trade is read half a second after the venue shows it, and that can be the 31st second",
    "duplicate": "after a journal is put back, client ids are given out again",
}
"""What the order path does not hold yet, with the reason; every other kind of breach fails at once."""


def told(seed: int, house: House) -> list[str]:
    """The breaches of a run, with what repeats it."""
    found = [f"{one.what} at {one.time_ms} ms: {one.text}" for one in house.oracle.breaches] + house.problems
    return [f"python -m tests.faults.replay {seed} ({house.scene.kind}): {one}" for one in found]


@pytest.fixture(scope="module")
def runs() -> list[tuple[int, House]]:
    print(f"seeds {FIRST} to {FIRST + RUNS - 1}")
    return [(seed, House(scenario(seed)).play()) for seed in range(FIRST, FIRST + RUNS)]


def test_nothing_is_doubled_invented_or_unsafe_and_no_task_fails(runs: list[tuple[int, House]]) -> None:
    """By the exchange's books. Zero of n runs is under 3/n at 95 % (rule of three)."""
    failed = [
        line for seed, house in runs for line in told(seed, house) if not any(f": {kind} at " in line for kind in OPEN)
    ]
    assert not failed, "\n".join(failed)


def test_most_runs_hold_every_bar(runs: list[tuple[int, House]]) -> None:
    kinds = Counter(one.what for _, house in runs for one in house.oracle.breaches)
    clean = sum(not house.oracle.breaches for _, house in runs)
    print(f"{clean} of {len(runs)} runs without any breach; breaches: {dict(kinds)}")
    assert clean >= 0.94 * len(runs)


def test_runs_are_composed_as_the_campaign_says(runs: list[tuple[int, House]]) -> None:
    """Shares of the classes, two symbols, at least 12 intents, at least 4 faults of at least 2 classes."""
    kinds = Counter(house.scene.kind for _, house in runs)
    for kind, share in SHARES.items():
        assert abs(kinds[kind] / len(runs) - share / 100) < 0.1, (kind, kinds)
    assert all(
        house.scene.wrong.count >= 4 and house.scene.kind != house.scene.other and len(house.books.instruments) == 2
        for _, house in runs
    )
    intents = sorted(len({one.intent_id for one in house.oracle.orders.values()}) for _, house in runs)
    assert intents[len(runs) // 50] >= 12


def test_trading_goes_on(runs: list[tuple[int, House]]) -> None:
    """A trader that froze would break nothing: nearly all runs end with round trips made."""
    alive = sum(bool(house.closed) for _, house in runs)
    assert alive >= 0.95 * len(runs)


def test_a_run_is_the_same_every_time() -> None:
    one, two = (House(scenario(7)).play() for _ in range(2))
    assert one.paper.durable == two.paper.durable
    assert [seen.request for seen in one.exchange.log] == [seen.request for seen in two.exchange.log]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_is_caught(defect: Defect) -> None:
    """Within 12 runs of its class (the campaign allows 500), by a breach that the same run without it does not have."""
    for seed in range(12):
        if _kinds(House(scenario(seed, defect.kind), defect.parts)) - _clean(seed, defect.kind):
            return
    pytest.fail(f"{defect.name} went unnoticed")


@functools.cache
def _clean(seed: int, kind: str) -> set[str]:
    return _kinds(House(scenario(seed, kind)))


def _kinds(house: House) -> set[str]:
    house.play()
    return {one.what for one in house.oracle.breaches} | {"problem" for _ in house.problems}
