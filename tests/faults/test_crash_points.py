"""kill -9 at every point of the order path, before and after: the list is read from the source, and every moment of it
is visited. (One process dies here under virtual time; real processes die by real signals elsewhere.)"""

import functools

import msgspec
import pytest

from tests.faults.crash import Moment, every_point
from tests.faults.house import MOMENTS, House
from tests.faults.scenario import Death, scenario
from tests.faults.test_campaign import OPEN, told

SEEDS = range(12)


@functools.cache
def reached() -> dict[Moment, int]:
    """Which seed of the crash class comes by each moment, found by runs in which nobody dies."""
    found: dict[Moment, int] = {}
    for seed in SEEDS:
        spared = msgspec.structs.replace(scenario(seed, "crash"), deaths=())
        for moment in House(spared, points=True).play().visited:
            found.setdefault(moment, seed)
        if len(found) == len(MOMENTS):
            break
    return found


def test_every_listed_moment_is_reached() -> None:
    missed = [moment for moment in MOMENTS if moment not in reached()]
    assert not missed, missed
    assert len(reached()) == 2 * len(list(every_point()))


@pytest.mark.parametrize("number", range(len(MOMENTS)))
def test_a_death_there_doubles_nothing(number: int) -> None:
    """The process dies there, is started again, and trades on."""
    seed = next(seed for moment, seed in reached().items() if MOMENTS[moment] == number)
    again = 1 + number % 7 if number % 4 == 0 else 0
    scene = msgspec.structs.replace(scenario(seed, "crash"), deaths=(Death(number, again=again),))
    house = House(scene).play()
    assert [MOMENTS[moment] for moment in house.died][:1] == [number]
    assert house.lives == 1 + len(house.died)
    failed = [line for line in told(seed, house) if not any(f": {kind} at " in line for kind in OPEN)]
    assert not failed, "\n".join(failed)
    assert house.closed
