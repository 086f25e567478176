"""Permission: never above any limit; a reduction always passes and never grows; seals hold (C10, Q5)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.audit import Breaker
from aister.core.commands import EngageKill, ResumeTrading
from aister.core.money import money
from aister.core.permission import Approved, Intent, Refused, sealed
from aister.core.trade import OrderType, Purpose, Side
from aister.risk.kernel import RiskKernel
from aister.risk.limits import LIMITS
from aister.risk.situation import Situation
from tests.risk.world import (
    DAY,
    HOUR,
    KEY,
    MONDAY,
    NOON,
    PRICE,
    closed,
    entry,
    granted,
    held,
    kernel,
    order,
    planned,
    quiet,
)

REDUCING = st.sampled_from([Purpose.STOP, Purpose.TARGET, Purpose.CLOSE])
SIDES = st.sampled_from([Side.BUY, Side.SELL])


def everything_fired() -> RiskKernel:
    """Killed, liquidated, halted by drawdown, message limit and repetition, in cooldown, over the day's trades."""
    one = kernel()
    one.mark(MONDAY, money(10_000))
    one.mark(NOON - 1, money(10))
    for _ in range(100):
        one.sent(NOON, order())
    for _ in range(5):
        one.trade_closed(closed(money(-10), NOON, reason="liquidation"))
    one.command(NOON, EngageKill("ann", "all of it"))
    return one


# ---- sizes ----


@settings(max_examples=300)
@given(
    equity=st.integers(0, money(10_000_000)),
    side=SIDES,
    stop=st.integers(1, 200_000),
    steps=st.integers(0, 3_000),
    factor=st.integers(-5, 20_000),
    risk=st.integers(0, money(150)),
    slip=st.integers(0, money(150)),
    notional=st.integers(0, money(30_000)),
    atr=st.integers(0, 60_000),
)
def test_what_is_granted_is_below_every_limit_and_everything_asked(
    equity: int, side: Side, stop: int, steps: int, factor: int, risk: int, slip: int, notional: int, atr: int
) -> None:
    intent = entry(side=side, stop_ticks=PRICE - side * stop, steps=steps, size_factor_e4=factor)
    situation = quiet(
        equity=equity,
        free_margin=equity,
        cost_e8=0,
        atr_1m_ticks=atr,
        atr_1h_ticks=atr,
        positions=(held(stop_risk=risk, slip=slip, notional=notional),),
        reserved=(planned(stop_risk=slip, slip=risk, notional=notional, margin=notional // 3),),
    )
    permit, reviewed = kernel().review(intent, situation)
    assert all(reviewed.granted_steps <= line.steps for line in reviewed.caps)
    assert reviewed.granted_steps <= (steps or 10**9)
    assert reviewed.granted_steps <= min(line.steps for line in reviewed.caps) * min(10_000, max(0, factor)) // 10_000
    if isinstance(permit, Approved):
        assert permit.steps == reviewed.granted_steps > 0
        assert {line.limit for line in reviewed.caps} >= {reviewed.limit} - {""}
    else:
        assert reviewed.granted_steps == 0 and reviewed.limit == permit.limit != ""


@settings(max_examples=100)
@given(st.integers(0, 15_000), st.integers(0, 15_000))
def test_a_smaller_factor_never_grants_more_and_none_grants_more_than_all(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert granted(kernel(), entry(size_factor_e4=small)) <= granted(kernel(), entry(size_factor_e4=large))
    assert granted(kernel(), entry(size_factor_e4=large)) <= granted(kernel(), entry())


@settings(max_examples=60)
@given(st.integers(money(8_501), money(10_000)), st.integers(2_000, 50_000))
def test_reducing_never_grants_more_than_half_the_risk_of_active(equity: int, stop: int) -> None:
    fine, reducing = kernel(), kernel()
    for one, low in ((fine, 10_000), (reducing, 9_100)):
        one.mark(MONDAY - 20 * DAY, money(10_000))
        one.mark(MONDAY - 19 * DAY, money(low))
        one.mark(MONDAY - 18 * DAY, equity)
    intent = entry(stop_ticks=PRICE - stop)
    situation = {"equity": equity, "cost_e8": 0}
    assert granted(reducing, intent, **situation) <= granted(fine, intent, **situation)
    if reducing.breaker is Breaker.REDUCING and fine.breaker is Breaker.ACTIVE:
        assert granted(reducing, intent, **situation) <= granted(fine, intent, **situation) // 2 + 1


def test_the_council_shrinks_what_risk_allows() -> None:
    assert granted(kernel(), entry()) == 20
    assert granted(kernel(), entry(size_factor_e4=5_000)) == 10
    assert granted(kernel(), entry(steps=7)) == 7
    assert granted(kernel(), entry(steps=7, size_factor_e4=5_000)) == 3


def test_a_market_entry_is_counted_at_the_worse_of_mark_and_reference() -> None:
    """0.125 % of 10,000 is 12.5; a step loses its distance from there to the stop."""
    for side in Side:
        stop = PRICE - side * 6_000
        for mark, distance in ((PRICE + side * 1_000, 7_000), (PRICE - side * 1_000, 6_000)):
            steps = granted(kernel(), entry(side=side, stop_ticks=stop), mark_ticks=mark)
            assert steps == 125_000 // distance


def test_a_size_that_is_allowed_whole_names_no_limit() -> None:
    assert kernel().review(entry(steps=20), quiet())[1].limit == ""
    assert kernel().review(entry(steps=21), quiet())[1].limit == "kelly"


def test_what_the_factor_leaves_below_the_smallest_order_is_refused_naming_the_binding_limit() -> None:
    permit, _ = kernel().review(entry(size_factor_e4=499), quiet())
    assert isinstance(permit, Refused)
    assert (permit.limit, permit.reason) == (
        "kelly",
        "0.000 BTC is left of the size, under the smallest order of 0.001",
    )
    assert granted(kernel(), entry(size_factor_e4=500)) == 1
    assert granted(kernel(), entry(size_factor_e4=0)) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "NOPEUSDT"},
        {"reduce_only": True},
        {"close_position": True},
        {"type": OrderType.STOP_MARKET},
        {"price_ticks": 0},
        {"steps": -1},
    ],
)
def test_what_is_no_entry_is_refused_as_one(changes: dict[str, Any]) -> None:
    permit, reviewed = kernel().review(entry(**changes), quiet())
    assert isinstance(permit, Refused)
    assert permit.limit == reviewed.limit == "intent"


# ---- reductions ----


@settings(max_examples=300)
@given(
    purpose=REDUCING,
    side=SIDES,
    type_=st.sampled_from(OrderType),
    steps=st.integers(0, 10**9),
    close_position=st.booleans(),
    confirmed=st.integers(-(10**6), 10**6),
    flagged=st.booleans(),
)
def test_nothing_blocks_a_reduction_and_it_never_grows(
    purpose: Purpose, side: Side, type_: OrderType, steps: int, close_position: bool, confirmed: int, flagged: bool
) -> None:
    """I-1, with every limit fired at once and nothing known but the confirmed position."""
    one = everything_fired()
    assert granted(one, entry()) == 0
    intent = Intent("r", "BTCUSDT", purpose, side, type_, steps, 0, 1, 0, 1, flagged, close_position)
    known = {"time_ms", "bar_interval_ms", "confirmed_steps", "positions", "reserved"}
    unknown = dict.fromkeys(set(Situation.__struct_fields__) - known)
    permit, reviewed = one.review(intent, quiet(confirmed_steps=confirmed, time_ms=NOON + DAY, **unknown))
    reduces = confirmed * side < 0 and (close_position or steps > 0)
    guards = not confirmed and purpose is Purpose.STOP and close_position  # it can do nothing but close (C6)
    assert isinstance(permit, Approved) == (reduces or guards)
    if isinstance(permit, Approved):
        assert permit.steps == (0 if close_position else min(steps, abs(confirmed)))
        assert permit.reduce_only != permit.close_position and permit.close_position == close_position
        assert 0 < reviewed.granted_steps <= max(guards, abs(confirmed))
        assert permit.expires_ms > NOON + 100 * 365 * DAY and sealed(KEY, permit)
    else:
        assert (permit.limit, reviewed.granted_steps) == ("reduction", 0)


def test_a_reduction_needs_no_instrument_and_no_registry() -> None:
    one = RiskKernel(kernel().limits, {}, KEY, "owner", "trader", registry=())
    intent = Intent("r", "GONEUSDT", Purpose.CLOSE, Side.SELL, OrderType.MARKET, 9, 1, 0, 0, 10_000, True, False)
    permit, _ = one.review(intent, quiet(confirmed_steps=5))
    assert isinstance(permit, Approved) and permit.steps == 5


def test_the_same_stop_asked_twice_gets_two_permissions() -> None:
    """A refused stop is tried again at the same price: the second permission is not the used first one."""
    one = kernel()
    intent = Intent("r", "BTCUSDT", Purpose.STOP, Side.SELL, OrderType.STOP_MARKET, 0, 0, 9, 0, 10_000, False, True)
    first, second = (one.review(intent, quiet(confirmed_steps=5))[0] for _ in range(2))
    assert isinstance(first, Approved) and isinstance(second, Approved)
    assert first.seal != second.seal


# ---- what can be seen and kept ----


def test_headroom_counts_what_fired_what_bound_and_what_would_have_fired() -> None:
    one = kernel()
    one.review(entry(), quiet())
    one.review(entry(), quiet(bar_age_ms=70_001, cost_e8=10**8))
    rows = {row.limit: row for row in one.headroom()}
    assert list(rows) == [limit.NAME for limit in LIMITS]
    assert (rows["kelly"].bound_size, rows["kelly"].fired) == (1, 0)
    assert (rows["stale_data"].fired, rows["stale_data"].last_fired_ms) == (1, NOON)
    assert (rows["cost_to_risk"].fired, rows["cost_to_risk"].would_have_fired) == (0, 1)
    assert (rows["stale_data"].used, rows["stale_data"].bound) == (70_001, 70_000)
    assert rows["daily_loss"].last_fired_ms is None


ACTIONS = st.one_of(
    st.tuples(st.just("mark"), st.integers(-300, 300)),
    st.tuples(st.just("sent"), st.integers(0, 3)),
    st.tuples(st.just("closed"), st.integers(-20, 20)),
    st.tuples(st.just("paid"), st.integers(-3_000, 3_000)),
    st.tuples(st.just("decided"), st.just(0)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("review"), st.integers(1_000, 20_000)),
)


def play(one: RiskKernel, actions: list[tuple[str, int]], equity: int, time_ms: int) -> list[Any]:
    said: list[Any] = []
    for action, value in actions:
        time_ms += 7 * 60_000
        if action == "mark":
            equity = max(10**6, equity * (10_000 + value) // 10_000)
            said.append(one.mark(time_ms, equity))
        elif action == "sent":
            said.append(one.sent(time_ms, order(side=Side.BUY if value else Side.SELL)))
        elif action == "closed":
            said.append(one.trade_closed(closed(money(value), time_ms, reason="stop" if value % 2 else "target")))
        elif action == "paid":
            said.append(one.transfer(time_ms, equity * value // 10_000, equity))
            equity += equity * value // 10_000
        elif action == "decided":
            one.decided("BTCUSDT")
        elif action == "resume":
            said.append(one.command(time_ms, ResumeTrading("ann", "go on")))
        else:
            situation = quiet(time_ms=time_ms, equity=equity, free_margin=equity)
            said.append(one.review(entry(stop_ticks=PRICE - value), situation))
    return said


@settings(max_examples=100)
@given(st.lists(ACTIONS, max_size=30), st.lists(ACTIONS, max_size=15))
def test_a_restored_kernel_goes_on_as_if_it_had_never_stopped(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    one, other = kernel(), kernel()
    play(one, before, money(10_000), MONDAY)
    kept = one.snapshot()
    other.restore(kept)
    start = MONDAY + 10 * HOUR
    assert play(one, after, money(10_000), start) == play(other, after, money(10_000), start)
    assert one.snapshot() == other.snapshot()
    play(kernel(), before, money(10_000), MONDAY)
    again = kernel()
    play(again, before, money(10_000), MONDAY)
    assert again.snapshot() == kept
