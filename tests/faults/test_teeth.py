"""Defects seeded into the trader, one at a time: the campaign has teeth when each of them is caught by what it does
wrong, and the same runs without it show nothing of the kind."""

import functools

import pytest

from tests.faults.defects import DEFECTS, Defect
from tests.faults.house import House
from tests.faults.parts import Parts
from tests.faults.scenario import scenario

SEEDS = range(20)
"""Runs of its class within which a defect must be caught; the campaign allows 500."""


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_is_caught(defect: Defect) -> None:
    seed = caught(defect)
    assert seed is not None, f"{defect.name} went unnoticed"
    control = {one: _clean(one, defect.kind) for one in range(seed + 1)}
    assert not [one for one, found in control.items() if defect.breaches & found], control


def test_nothing_is_caught_where_nothing_is_wrong() -> None:
    assert caught(Defect("none", Parts(), "limits", frozenset({"naked", "lost", "orphan"})), range(2)) is None


def caught(defect: Defect, seeds: range = SEEDS) -> int | None:
    """The first run that notices it."""
    for seed in seeds:
        if defect.breaches & _kinds(House(scenario(seed, defect.kind), defect.parts)):
            return seed
    return None


@functools.cache
def _clean(seed: int, kind: str) -> set[str]:
    return _kinds(House(scenario(seed, kind)))


def _kinds(house: House) -> set[str]:
    """What was found. A defect may break the program itself: that is not how it is to be noticed."""
    house.play()
    return {one.what for one in house.oracle.breaches}
