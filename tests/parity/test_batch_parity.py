"""Random setups, markets and fill models: the batch loop and the whole event engine make equal fills and equal trades,
to the unit; the loop that jumps, the one at every bar and the one for several symbols agree to the byte."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.sim.models import Margin
from tests.parity.both import expect_equal, kinds_of
from tests.parity.cases import falling_case, random_case

EXAMPLES = 60


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 10**9))
def test_one_symbol(seed: int) -> None:
    expect_equal(random_case(seed, bars=200))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**9))
def test_several_symbols_on_one_wallet(seed: int) -> None:
    expect_equal(random_case(seed, bars=150, symbols=3))


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 10**9))
def test_a_long_and_a_short_leg_of_a_symbol(seed: int) -> None:
    expect_equal(random_case(seed, bars=150, hedge=True))


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 10**9))
def test_further_entries(seed: int) -> None:
    expect_equal(random_case(seed, bars=150, adds=True))


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 3))
def test_cross_margin_over_several_symbols(seed: int, symbols: int) -> None:
    expect_equal(random_case(seed, bars=120, symbols=symbols, cross=True))


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 10**9))
def test_all_of_it_on_one_account(seed: int) -> None:
    expect_equal(random_case(seed, bars=120, symbols=2, hedge=True, cross=True, adds=True))


@pytest.mark.parametrize("hedge", [False, True])
@pytest.mark.parametrize("symbols", [2, 3])
def test_a_falling_market_liquidates_a_cross_account(symbols: int, hedge: bool) -> None:
    for seed in range(3):
        mine = expect_equal(falling_case(seed, symbols=symbols, hedge=hedge))
        assert "liquidation" in kinds_of(mine), (seed, symbols, hedge)


def test_a_falling_market_liquidates_an_isolated_position() -> None:
    for seed in range(3):
        case = falling_case(seed, symbols=1, hedge=False)
        model = msgspec.structs.replace(case.model, margin=Margin("isolated", 50))
        mine = expect_equal(msgspec.structs.replace(case, model=model))
        assert "liquidation" in kinds_of(mine), seed


def test_these_cases_hold_everything_that_can_happen() -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        mine = expect_equal(random_case(seed))
        seen.update(kinds_of(mine))
        seen["ambiguous"] += mine.ambiguous
    for kind in ("entry", "stop", "target", "close", "time", "exit", "maker", "partial", "ambiguous"):
        assert seen[kind] > 0, seen
