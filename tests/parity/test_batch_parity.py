"""Random setups, markets and fill models: the batch loop and the whole event engine make equal fills and equal trades,
to the unit; the loop that jumps, the one at every bar and the one for several symbols agree to the byte."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity.both import expect_equal, kinds_of
from tests.parity.cases import random_case

EXAMPLES = 60


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 10**9))
def test_one_symbol(seed: int) -> None:
    expect_equal(random_case(seed, bars=200))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**9))
def test_several_symbols_on_one_wallet(seed: int) -> None:
    expect_equal(random_case(seed, bars=150, symbols=3))


def test_these_cases_hold_everything_that_can_happen() -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        mine = expect_equal(random_case(seed))
        seen.update(kinds_of(mine))
        seen["ambiguous"] += mine.ambiguous
    for kind in ("entry", "stop", "target", "close", "time", "exit", "maker", "partial", "ambiguous"):
        assert seen[kind] > 0, seen
