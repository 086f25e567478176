"""kill -9 at every point of the order path, of its recovery and of the watcher, before and after: the list is read from
the source, and every moment of it is visited. (One process dies here under virtual time; real processes die by real
signals elsewhere.)"""

import functools

import msgspec
import pytest

from aister.core.council import Setup
from aister.core.trade import OrderType
from aister.exchange_sim import Fault
from tests.faults.crash import Moment, every_point
from tests.faults.dying import MOMENTS, WATCHING
from tests.faults.house import House
from tests.faults.scenario import Scenario, scenario
from tests.faults.verdict import verdict
from tests.faults.wrong import Death

SEEDS = range(14)
_STRAY = (
    "symbol=ETHUSDT&side=BUY&type=STOP_MARKET&stopPrice=5000&closePosition=true&newClientOrderId=ai00000000-ws-{}-1"
)
"""A stop as a watcher puts it, in no book of the trader's."""
LONG_MS = 40_000
"""How long the trader is gone in runs in which the watcher is left alone, with entries that rest."""
ENDLESS = {("aister.execution.recovery", "Recovery.run", 1): "it waits for what goes on until it is cancelled"}
"""Awaits after which nothing comes."""
AFTER_AN_ERROR = {("aister.execution.inquirer", "Inquirer._find_out", 2): "it waits after a fault of the program"}
"""Awaits that only an error in the order path itself leads to; `test_courier` makes one."""
REACHABLE = {
    moment: number
    for moment, number in MOMENTS.items()
    if not (moment.after and tuple(moment.point)[:3] in ENDLESS) and tuple(moment.point)[:3] not in AFTER_AN_ERROR
}
Way = tuple[str, int, tuple[Death, ...]]


@functools.cache
def reached() -> dict[Moment, Way]:
    """By which run (class, seed, deaths) each moment is come by: found by runs in which nobody dies, and, for what only
    a restart or a watcher left alone comes by, by runs with one death."""
    found: dict[Moment, Way] = {}
    for way in range(4):
        for seed in SEEDS:
            long = Death(-1, at_ms=(1 + seed % 8) * 60_000 + 3_000, down_ms=LONG_MS)
            kind = "fills and stops" if way == 3 else "crash"
            deaths = ((), (Death(0),), (long,), ())[way]
            if len(found) < len(REACHABLE):
                for moment in House(_dying(kind, seed, deaths), points=True).play().reaper.visited:
                    found.setdefault(moment, (kind, seed, deaths))
    return found


def test_every_listed_moment_is_reached() -> None:
    missed = [moment for moment in REACHABLE if moment not in reached()]
    assert not missed, missed
    assert len(reached()) == 2 * len(list(every_point())) - len(ENDLESS) - 2 * len(AFTER_AN_ERROR)


@pytest.mark.parametrize("number", REACHABLE.values())
def test_a_death_there_breaks_nothing(number: int) -> None:
    """The process dies there, is started again, and trades on; what else befalls the run may make further lives."""
    kind, seed, before = next(how for moment, how in reached().items() if MOMENTS[moment] == number)
    again = 1 + number % 7 if number % 4 == 0 else 0
    house = House(_dying(kind, seed, (*before, Death(number, again=again)))).play()
    assert MOMENTS[house.reaper.died[len(before)]] == number
    assert house.lives >= 1 + sum(one.point.module != WATCHING for one in house.reaper.died)
    found = [(what, text) for what, _, text in verdict(house).breaches if not (what == "orphan" and "-ws-" in text)]
    failed = found + house.problems  # `_STRAY` comes while lists cannot be read: when it goes is judged elsewhere
    assert not failed, failed
    assert house.closed


def _dying(kind: str, seed: int, deaths: tuple[Death, ...]) -> Scenario:
    """A run of the class with just these deaths; where fills and stops go wrong, stops vanish for certain."""
    scene = scenario(seed, kind)
    unread = Fault("request", method="GET", path="openOrders", code=-1007, count=8)  # a watcher's too
    strays = [Fault("foreign_order", at_ms=at_ms, text=_STRAY.format(at_ms)) for at_ms in (150_000, 333_000)]
    faults = (*scene.wrong.faults, unread, *strays)
    if kind == "fills and stops":
        faults = (*faults, Fault("cancel_stop", at_ms=65_000, count=6, ms=40_000))
    if any(one.down_ms == LONG_MS for one in deaths):
        scene = msgspec.structs.replace(scene, setups=tuple(map(_resting, scene.setups)), protection="before")
    return msgspec.structs.replace(scene, wrong=msgspec.structs.replace(scene.wrong, deaths=deaths, faults=faults))


def _resting(setup: Setup) -> Setup:
    """The same a quarter of a percent away from the price."""
    away = -int(setup.side) * (setup.entry_ticks // 400)
    targets = tuple(msgspec.structs.replace(one, ticks=one.ticks + away) for one in setup.targets)
    return msgspec.structs.replace(
        setup,
        entry_type=OrderType.LIMIT,
        entry_ticks=setup.entry_ticks + away,
        stop_ticks=setup.stop_ticks + away,
        targets=targets,
    )
