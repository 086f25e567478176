"""The machine dies (C6): what the venue protects stays protected, what it does not stands bare only within the gap."""

import pytest

from aister.execution.gap import GapFigures
from tests.execution.dying import MARKET, MODES, ONCE, PRICES, SETTINGS, breach, died, instants
from tests.execution.trader import Trader, VenueTraits

COUNT = 6
"""Instants a mode; `python -m tests.execution.dying 300` visits as many as C6 asks for."""


@pytest.mark.parametrize("mode", MODES)
def test_killed_at_any_instant_nothing_is_left_that_the_rules_do_not_allow(mode: str) -> None:
    deaths = [died(mode, at_ms) for at_ms in instants(mode, COUNT, seed=1)]
    assert [(one.at_ms, said) for one in deaths if (said := breach(mode, one))] == []
    assert any(one.held for one in deaths)


def test_a_death_between_entry_and_stop_is_the_gap_that_remains() -> None:
    """Between the arrival of the entry and the word of its fill."""
    assert died("after, market", 240_162.0).naked_ms >= 599_000
    assert died("before, market", 240_162.0).naked_ms == 0


@pytest.mark.parametrize(("protection", "most_ms"), [("before", 0), ("after", 300)])
def test_the_gap_is_measured_and_within_its_bar_at_50_ms_round_trip(protection: str, most_ms: int) -> None:
    traits = VenueTraits("before" if protection == "before" else "after", "limit")
    trader = Trader(MARKET, prices=PRICES, traits=traits, settings=SETTINGS, rules=ONCE)
    trader.world.delay_ms = 25.0
    figures = trader.trade(6).courier.gaps.figures
    assert figures.count == 1 and figures.p50_ms == figures.p99_ms == figures.max_ms <= most_ms
    assert (figures.max_ms > 0) == (protection == "after")
    assert ("no position stood" in figures.sentence) == (protection == "before")


def test_nothing_entered_is_no_figure() -> None:
    assert GapFigures(0, 0, 0, 0).sentence == "no position was entered"
