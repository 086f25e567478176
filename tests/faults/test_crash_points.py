"""kill -9 at every point of the order path, before and after: the list is read from the source, and every moment of it
is visited. (One process dies here under virtual time; real processes die by real signals elsewhere.)"""

import functools

import msgspec
import pytest

from checks.tree import ROOT
from tests.faults.classes import Death
from tests.faults.crash import NOT_COMPOSED, Moment, every_point
from tests.faults.dying import MOMENTS, WATCHING
from tests.faults.house import House
from tests.faults.scenario import Scenario, scenario
from tests.faults.test_campaign import OPEN, told

SEEDS = range(14)


@functools.cache
def reached() -> dict[Moment, tuple[int, tuple[Death, ...]]]:
    """By which seed of the crash class each moment is come by, and after which death: found by runs in which nobody
    dies, and, for what only a restart comes by, by runs with one death."""
    found: dict[Moment, tuple[int, tuple[Death, ...]]] = {}
    for deaths in ((), (Death(0),), (Death(0, down_ms=40_000),)):
        for seed in SEEDS:
            if len(found) < len(MOMENTS):
                for moment in House(_dying(seed, deaths), points=True).play().reaper.visited:
                    found.setdefault(moment, (seed, deaths))
    return found


def test_every_listed_moment_is_reached() -> None:
    missed = [moment for moment in MOMENTS if moment not in reached()]
    assert not missed, missed
    assert len(reached()) == 2 * len(list(every_point()))


def test_what_is_left_out_is_part_of_no_trader() -> None:
    sources = (ROOT / "src").rglob("*.py")
    assert not [path for path in sources for name in NOT_COMPOSED if f"from {name} " in path.read_text("utf-8")]


@pytest.mark.parametrize("number", range(len(MOMENTS)))
def test_a_death_there_doubles_nothing(number: int) -> None:
    """The process dies there, is started again, and trades on."""
    seed, before = next(how for moment, how in reached().items() if MOMENTS[moment] == number)
    again = 1 + number % 7 if number % 4 == 0 else 0
    house = House(_dying(seed, (*before, Death(number, again=again)))).play()
    assert MOMENTS[house.reaper.died[len(before)]] == number
    assert house.lives == 1 + sum(one.point.module != WATCHING for one in house.reaper.died)
    failed = [line for line in told(seed, house) if not any(f": {kind} at " in line for kind in OPEN)]
    assert not failed, "\n".join(failed)
    assert house.closed


def _dying(seed: int, deaths: tuple[Death, ...]) -> Scenario:
    """A run of the crash class with just these deaths."""
    scene = scenario(seed, "crash")
    return msgspec.structs.replace(scene, wrong=msgspec.structs.replace(scene.wrong, deaths=deaths))
