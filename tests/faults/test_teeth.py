"""Defects seeded into the trader, one at a time: the campaign has teeth when each of them is caught."""

import functools

import pytest

from tests.faults.defects import DEFECTS, Defect
from tests.faults.house import House
from tests.faults.scenario import scenario


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_is_caught(defect: Defect) -> None:
    """Within 20 runs of its class (the campaign allows 500), by a breach that the same run without it does not have."""
    for seed in range(20):
        if _kinds(House(scenario(seed, defect.kind), defect.parts)) - _clean(seed, defect.kind):
            return
    pytest.fail(f"{defect.name} went unnoticed")


@functools.cache
def _clean(seed: int, kind: str) -> set[str]:
    return _kinds(House(scenario(seed, kind)))


def _kinds(house: House) -> set[str]:
    house.play()
    return {one.what for one in house.oracle.breaches} | {"problem" for _ in house.problems}
