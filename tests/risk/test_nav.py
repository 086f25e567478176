"""The drawdown breaker at its edges, the roll of day and week, and that moving money moves no state (Q23)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.audit import Breaker, BreakerChanged
from aister.core.commands import EngageKill, ReleaseKill, ResumeTrading
from aister.core.money import money
from aister.risk.nav import Nav
from aister.risk.profile import Limits
from tests.risk.world import DAY, HOUR, MONDAY, NOON, kernel

START = money(10_000)
RESUME = ResumeTrading("ann", "looked at it")


@pytest.mark.parametrize(
    ("equity", "stage"),
    [
        (money(9_200) + 1, Breaker.ACTIVE),
        (money(9_200), Breaker.REDUCING),
        (money(9_200) - 1, Breaker.REDUCING),
        (money(8_500) + 1, Breaker.REDUCING),
        (money(8_500), Breaker.HALTED),
        (money(8_500) - 1, Breaker.HALTED),
        (-1, Breaker.HALTED),
    ],
)
def test_reaching_a_drawdown_moves_the_breaker(equity: int, stage: Breaker) -> None:
    one = kernel()
    assert one.mark(NOON, START) is None
    changed = one.mark(NOON + 60_000, equity)
    assert (changed.state if changed else Breaker.ACTIVE) is stage
    assert one.breaker is stage


@pytest.mark.parametrize(
    ("equity", "stage"),
    [(money(9_400) - 1, Breaker.REDUCING), (money(9_400), Breaker.ACTIVE), (money(9_400) + 1, Breaker.ACTIVE)],
)
def test_reducing_ends_only_well_above_where_it_began(equity: int, stage: Breaker) -> None:
    one = kernel()
    one.mark(NOON, START)
    one.mark(NOON + 1, money(9_000))
    changed = one.mark(NOON + 2, equity)
    assert (changed is None) == (stage is Breaker.REDUCING)
    assert one.breaker is stage


def test_the_drawdown_is_from_the_peak() -> None:
    one = kernel()
    for equity in (10_000, 20_000, 18_400):
        changed = one.mark(NOON, money(equity))
    assert changed == BreakerChanged(Breaker.REDUCING, "drawdown 8.00% from the peak")
    assert one.drawdown(money(18_400)) == pytest.approx(0.08)


def test_halted_stays_until_a_person_resumes_and_the_peak_is_kept() -> None:
    one = kernel()
    one.mark(NOON, START)
    one.mark(NOON + 1, money(8_400))
    assert one.mark(NOON + 2, money(9_990)) is None
    assert one.breaker is Breaker.HALTED
    one.mark(NOON + 3, money(8_400))
    changed = one.command(NOON + 4, RESUME)
    assert changed is not None and changed.state is Breaker.REDUCING
    assert one.drawdown(money(8_400)) == pytest.approx(0.16)


@pytest.mark.parametrize(
    ("equity", "halted"), [(money(7_812) + 1, False), (money(7_812), True), (money(7_812) - 1, True)]
)
def test_a_resumed_account_is_halted_after_another_seven_percent(equity: int, halted: bool) -> None:
    one = kernel()
    one.mark(NOON, START)
    one.mark(NOON + 1, money(8_400))
    one.command(NOON + 2, RESUME)
    assert one.mark(NOON + 3, money(8_300)) is None
    assert (one.mark(NOON + 4, equity) is not None) == halted


def test_a_resume_after_recovery_is_active_at_once() -> None:
    one = kernel()
    one.mark(NOON, START)
    one.mark(NOON + 1, money(8_400))
    one.mark(NOON + 2, money(9_500))
    changed = one.command(NOON + 3, RESUME)
    assert changed is not None and changed.state is Breaker.ACTIVE


def test_the_kill_switch_covers_the_stage_and_uncovers_it() -> None:
    one = kernel()
    one.mark(NOON, START)
    assert one.command(NOON, EngageKill("ann", "a")) == BreakerChanged(Breaker.HALTED, "kill switch engaged by ann: a")
    assert one.mark(NOON + 1, money(9_000)) is None
    assert one.command(NOON + 2, RESUME) is None
    changed = one.command(NOON + 3, ReleaseKill("ann", "b"))
    assert changed is not None and changed.state is Breaker.REDUCING


def test_the_day_opens_at_midnight_and_the_week_on_monday() -> None:
    one = kernel()
    tuesday = MONDAY + DAY
    one.mark(MONDAY - HOUR, START)
    one.mark(MONDAY, money(9_900))
    assert one.day_loss(NOON, money(9_801)) == pytest.approx(0.01)
    one.mark(tuesday - 1, money(9_800))
    assert one.day_loss(tuesday - 1, money(9_800)) == pytest.approx(1 / 99)
    one.mark(tuesday, money(9_700))
    assert one.day_loss(tuesday, money(9_700)) == 0
    assert one.snapshot().nav.week_open == money(9_900)


def test_a_day_that_nobody_marked_opened_with_the_last_equity_known() -> None:
    one = kernel()
    one.mark(MONDAY + HOUR, START)
    assert one.day_loss(MONDAY + DAY + HOUR, money(9_900)) == pytest.approx(0.01)
    one.mark(MONDAY + DAY + HOUR, money(9_900))
    assert one.day_loss(MONDAY + DAY + HOUR, money(9_900)) == pytest.approx(0.01)


def test_a_profit_is_no_negative_loss() -> None:
    one = kernel()
    one.mark(NOON, START)
    assert one.day_loss(NOON, money(11_000)) == 0


moves = st.integers(-400, 400)  # e4
amounts = st.integers(-9_000, 40_000)  # e4 of equity


@settings(max_examples=200)
@given(st.lists(st.tuples(moves, amounts), min_size=1, max_size=40))
def test_transfers_change_units_and_no_state(steps: list[tuple[int, int]]) -> None:
    """Q23: whatever is paid in or out, every breaker, loss and drawdown is what it was."""
    one, limits, equity, time_ms = kernel(), Limits(), START, NOON
    one.mark(time_ms, equity)
    for move, amount in steps:
        time_ms += 3 * HOUR
        equity = max(1_000_000, equity * (10_000 + move) // 10_000)
        one.mark(time_ms, equity)
        before, nav, lost = one.breaker, one.nav, one.snapshot().nav
        paid = equity * amount // 10_000
        if equity + paid < 1_000_000:
            continue
        assert one.transfer(time_ms, paid, equity) is None
        after = equity + paid
        assert one.mark(time_ms, after) is None
        assert one.breaker is before
        assert one.nav == pytest.approx(nav, rel=1e-5)
        now = one.snapshot().nav
        assert now.drawdown(after) == pytest.approx(lost.drawdown(equity), abs=1e-5)
        for view, old in ((now.today(time_ms, after), lost.today(time_ms, equity)),):
            assert view[0] / view[1] == pytest.approx(old[0] / old[1], abs=1e-5)
        assert now.stage_at(after, limits) is before
        equity = after


@settings(max_examples=300)
@given(st.integers(10**6, 10**14), st.integers(5_000, 10_000), st.integers(-9_000, 90_000))
def test_one_transfer_at_any_edge_moves_nothing(peak: int, depth: int, amount: int) -> None:
    """Depths of whole basis points sit exactly on the bounds; rounding to the unit may not decide there."""
    one = kernel()
    one.mark(NOON, peak)
    one.mark(NOON + 1, peak * 91 // 100)
    equity = max(1, peak * depth // 10_000)
    one.mark(NOON + 2, equity)
    before = one.breaker
    after = equity + equity * amount // 10_000
    assert one.transfer(NOON + 3, after - equity, equity) is None
    assert one.mark(NOON + 4, after) is None
    assert one.breaker is before


@pytest.mark.parametrize(
    ("peak", "equity", "after"),
    [
        (549_977_048, 516_978_425, 2_138_741_399),
        (812_538_590, 763_786_274, 483_673_639),
        (984_541_586, 925_469_090, 152_855_557),
    ],
)
def test_rounding_to_the_unit_does_not_end_reducing(peak: int, equity: int, after: int) -> None:
    """One unit short of recovery; scaled and rounded down alone, the peak would come within reach."""
    one = kernel()
    one.mark(NOON, peak)
    one.mark(NOON + 1, peak * 9 // 10)
    assert one.mark(NOON + 2, equity) is None
    assert one.transfer(NOON + 3, after - equity, equity) is None
    assert one.mark(NOON + 4, after) is None
    assert one.breaker is Breaker.REDUCING


def test_a_transfer_into_nothing_halts_because_no_nav_survives_it() -> None:
    one = kernel()
    one.mark(NOON, START)
    changed = one.transfer(NOON, -START, START)
    assert changed is not None and changed.state is Breaker.HALTED


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(1, 40 * HOUR), st.integers(-600, 600)), max_size=60))
def test_the_short_way_through_a_mark_leads_where_the_long_way_does(walk: list[tuple[int, int]]) -> None:
    """`RiskKernel.mark` skips the book while nothing can change; the book itself never skips."""
    one, nav, limits, equity, time_ms = kernel(), Nav(), Limits(), START, NOON
    for wait, move in [(0, 0), *walk]:
        time_ms += wait
        equity = max(1, equity * (10_000 + move) // 10_000)
        one.mark(time_ms, equity)
        nav.mark(time_ms, equity, limits)
        assert one.snapshot().nav == nav
