"""The ledger step under random fills, against plain Python with fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.kernels.ledger import (
    ACCOUNT,
    MONEY_LIMIT,
    POSITION,
    STEPS_LIMIT,
    add_turnover,
    book_fill,
    book_funding,
    book_transfer,
    part_of,
    roll_turnover,
)
from aister.kernels.state import allocate

UNIT = 10_000

FILLS = st.lists(
    st.tuples(
        st.sampled_from([-1, 1]), st.integers(1, 10_000), st.integers(1, 2_000_000), st.integers(-(10**9), 10**9)
    ),
    max_size=40,
)


class Plain:
    """Position and account as one writes them without thinking about size."""

    def __init__(self) -> None:
        self.steps = self.cost = self.realised = self.fees = 0

    def fill(self, side: int, steps: int, ticks: int, fee: int) -> None:
        self.fees += fee
        closing = min(steps, abs(self.steps)) if self.steps * side < 0 else 0
        if closing:
            removed = round(Fraction(self.cost * closing, abs(self.steps)))  # Fraction rounds half to even
            self.realised += -side * ticks * closing * UNIT - removed
            self.cost -= removed
            self.steps += side * closing
        self.cost += side * ticks * (steps - closing) * UNIT
        self.steps += side * (steps - closing)


def _wallet(account: np.ndarray) -> int:
    a = account[0]
    return int(a["transfers"]) + int(a["realised"]) - int(a["fees"]) - int(a["funding"])


@given(fills=FILLS, flows=st.lists(st.integers(-(10**12), 10**12), max_size=5))
@settings(max_examples=150)
def test_identities_hold_exactly(fills: list[tuple[int, int, int, int]], flows: list[int]) -> None:
    position, account, plain = allocate(POSITION), allocate(ACCOUNT), Plain()
    for flow in flows:
        book_transfer(account, flow)
        book_funding(account, flow // 3)
    for side, steps, ticks, fee in fills:
        book_fill(position, account, UNIT, side, steps, ticks, fee)
        plain.fill(side, steps, ticks, fee)
        held, booked = position[0], account[0]
        assert (held["steps"], held["cost"]) == (plain.steps, plain.cost)
        assert (booked["realised"], booked["fees"]) == (plain.realised, plain.fees)
        assert booked["wallet"] == _wallet(account)
        assert held["steps"] != 0 or held["cost"] == 0
    assert account[0]["overflow"] == 0
    if plain.steps:
        book_fill(position, account, UNIT, -1 if plain.steps > 0 else 1, abs(plain.steps), 777, 0)
    assert (position[0]["steps"], position[0]["cost"]) == (0, 0)


@given(cost=st.integers(-(2**62), 2**62), held=st.integers(1, STEPS_LIMIT), share=st.floats(0, 1))
@settings(max_examples=300)
def test_part_of_a_cost_is_the_exact_fraction_half_even(cost: int, held: int, share: float) -> None:
    closing = max(1, min(held, int(held * share)))
    assert part_of(cost, closing, held) == round(Fraction(cost * closing, held))
    assert part_of(cost, held, held) == cost


def test_a_long_opened_twice_halved_and_flipped_by_hand() -> None:
    """Unit 0.0001. Buy 10 at 1,000 and 10 at 1,001 ticks: cost (10,000 + 10,010) x 0.0001 = 2.001.
    Sell 10 at 1,010: removes 1.0005, realises 1.01 - 1.0005 = 0.0095. Sell 15 at 990: the last 10 realise
    0.99 - 1.0005 = -0.0105, five open short at cost -0.495.
    """
    position, account = allocate(POSITION), allocate(ACCOUNT)
    book_fill(position, account, UNIT, 1, 10, 1_000, 0)
    book_fill(position, account, UNIT, 1, 10, 1_001, 0)
    assert tuple(position[0]) == (20, 200_100_000)
    assert book_fill(position, account, UNIT, -1, 10, 1_010, 0) == 950_000
    assert book_fill(position, account, UNIT, -1, 15, 990, 0) == -1_050_000
    assert tuple(position[0]) == (-5, -49_500_000)
    assert account[0]["wallet"] == account[0]["realised"] == -100_000


def test_a_reduction_that_does_not_divide_rounds_half_even() -> None:
    """Cost 5 over 2 steps: half of it is 2.5, which is 2; then 3 is left for the other step, and nothing after it."""
    assert part_of(5, 1, 2) == 2
    assert part_of(7, 1, 2) == 4
    assert part_of(-5, 1, 2) == -2


@pytest.mark.parametrize(
    ("steps", "ticks", "fee"),
    [
        (STEPS_LIMIT, 2**40, 0),  # the value of the fill
        (STEPS_LIMIT + 1, 1, 0),  # the size
        (1, 1, MONEY_LIMIT),  # the fee
    ],
)
def test_what_does_not_fit_is_refused_and_flagged(steps: int, ticks: int, fee: int) -> None:
    position, account = allocate(POSITION), allocate(ACCOUNT)
    book_transfer(account, 1_000)
    before = (position.tobytes(), int(account[0]["wallet"]))
    book_fill(position, account, UNIT, 1, steps, ticks, fee)
    assert account[0]["overflow"] == 1
    assert (position.tobytes(), int(account[0]["wallet"])) == before
    book_fill(position, account, UNIT, 1, 1, 1, 0)
    assert (position.tobytes(), int(account[0]["wallet"])) == before


def test_sums_that_grow_out_of_range_are_flagged_not_wrapped() -> None:
    account = allocate(ACCOUNT)
    book_transfer(account, MONEY_LIMIT - 1)
    assert account[0]["overflow"] == 0
    book_transfer(account, 1)
    assert (account[0]["overflow"], account[0]["wallet"]) == (1, MONEY_LIMIT - 1)
    account = allocate(ACCOUNT)
    book_funding(account, MONEY_LIMIT - 1)
    book_funding(account, 1)
    assert (account[0]["overflow"], account[0]["wallet"]) == (1, 1 - MONEY_LIMIT)


def test_turnover_beyond_its_range_is_counted_as_far_as_it_fits_and_stops_nobody() -> None:
    account, third = allocate(ACCOUNT), MONEY_LIMIT // 3
    for day in range(3):
        add_turnover(account[0], third)
        assert account[0]["turnover"]["today"] == min(third, MONEY_LIMIT - 1 - 2 * third if day == 2 else third)
        roll_turnover(account[0], day + 1)
    for _ in range(2):
        add_turnover(account[0], third)
    assert account[0]["turnover"]["today"] == MONEY_LIMIT - 1 - int(account[0]["turnover"]["sum"])
    assert account[0]["overflow"] == 0
    roll_turnover(account[0], 40)
    assert account[0]["turnover"]["sum"] == 0
