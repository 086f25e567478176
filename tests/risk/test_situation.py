"""Exposure and reservation at their worst, to the unit."""

import pytest

from aister.core.money import money
from aister.core.trade import Side
from aister.risk.profile import Limits
from aister.risk.situation import exposure, reservation, slip_ticks
from aister.risk.sizing import size_for_risk, steps_within
from tests.risk.world import ALT, BTC, PRICE, STOP, quiet

LIMITS = Limits()


@pytest.mark.parametrize(
    ("atr", "base", "ticks"),
    [
        (0, "BTC", 10_000),
        (3_333, "ETH", 10_000),
        (3_334, "BTC", 10_002),
        (3_334, "SOL", 30_000),
        (10_001, "SOL", 30_003),
    ],
)
def test_a_stop_slips_by_three_atr_or_the_least_of_its_class(atr: int, base: str, ticks: int) -> None:
    assert slip_ticks(PRICE, atr, base, LIMITS) == ticks


def test_the_least_slip_rounds_up() -> None:
    assert slip_ticks(PRICE + 1, 0, "BTC", LIMITS) == 10_001


def test_a_long_loses_from_mark_to_stop_and_a_short_the_other_way() -> None:
    long = exposure(BTC, LIMITS, steps=5, mark_ticks=PRICE, stop_ticks=STOP, atr_1m_ticks=0, margin=7)
    short = exposure(BTC, LIMITS, steps=-5, mark_ticks=PRICE, stop_ticks=PRICE + 6_000, atr_1m_ticks=0, margin=7)
    assert (long.notional, long.stop_risk, long.slip, long.margin) == (money(500), money(3), money(5), 7)
    assert (short.notional, short.stop_risk, short.slip, short.protected) == (money(500), money(3), money(5), True)


def test_a_stop_behind_the_mark_loses_nothing_more_but_its_slip() -> None:
    passed = exposure(BTC, LIMITS, steps=5, mark_ticks=STOP - 10, stop_ticks=STOP, atr_1m_ticks=0, margin=0)
    assert passed.stop_risk == 0 and passed.slip > 0


def test_what_is_unprotected_or_unknown_counts_whole() -> None:
    naked = exposure(BTC, LIMITS, steps=-5, mark_ticks=PRICE, stop_ticks=None, atr_1m_ticks=0, margin=0)
    dark = exposure(BTC, LIMITS, steps=5, mark_ticks=PRICE, stop_ticks=STOP, atr_1m_ticks=None, margin=0)
    assert (naked.stop_risk, naked.protected, dark.slip) == (money(500), False, money(500))
    plan = reservation(BTC, LIMITS, side=Side.BUY, steps=5, entry_ticks=PRICE, stop_ticks=STOP, atr_1m_ticks=None)
    assert plan.slip == money(500)


def test_a_plan_reserves_its_risk_slip_margin_and_fee() -> None:
    plan = reservation(
        ALT, LIMITS, side=Side.SELL, steps=3, entry_ticks=PRICE, stop_ticks=PRICE + 6_000, atr_1m_ticks=1
    )
    assert (plan.notional, plan.stop_risk, plan.slip) == (money(300), money("1.8"), money(9))
    assert plan.margin == money(100) + money("0.105")


def test_a_situation_adds_everything_up() -> None:
    plan = reservation(ALT, LIMITS, side=Side.BUY, steps=3, entry_ticks=PRICE, stop_ticks=STOP, atr_1m_ticks=0)
    long = exposure(BTC, LIMITS, steps=5, mark_ticks=PRICE, stop_ticks=STOP, atr_1m_ticks=0, margin=0)
    both = quiet(positions=(long,), reserved=(plan,))
    assert (both.stop_risk, both.worst_loss, both.gross) == (money("4.8"), money("18.8"), money(800))
    assert (both.notional_of("BTCUSDT"), both.notional_of("ALTUSDT")) == (money(500), money(300))


@pytest.mark.parametrize(
    ("equity", "steps"), [(12_000, 100), (11_999, 99), (12_119, 100), (12_120, 101), (0, 0), (-5, 0)]
)
def test_the_size_never_risks_more_than_its_part(equity: int, steps: int) -> None:
    """0.5 % of 12,000 is 60: a hundred steps of 0.6."""
    assert size_for_risk(money(equity), 500_000, 6_000, BTC.unit) == steps


def test_no_distance_is_no_size_and_large_money_does_not_overflow() -> None:
    assert size_for_risk(money(1), 500_000, 0, 1) == 0
    assert steps_within(-1, 5) == 0
    assert size_for_risk(2**70, 10**8, 1, 1) == 2**70
    assert steps_within(2**70, 1) == 2**70
