"""Permission: never above any limit; a reduction always passes and never grows; seals hold (C10, Q5)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.audit import Breaker
from aister.core.commands import EngageKill, ResumeTrading
from aister.core.errors import PermissionRefused
from aister.core.money import money
from aister.core.permission import Approved, Intent, Refused, sealed
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.gateway import OrderGateway
from aister.execution.orders import order_of
from aister.risk.kernel import RiskKernel
from aister.risk.limits import LIMITS
from aister.risk.situation import Situation
from tests.risk.world import DAY, HOUR, KEY, MONDAY, NOON, PRICE, closed, entry, held, kernel, order, planned, quiet

REDUCING = st.sampled_from([Purpose.STOP, Purpose.TARGET, Purpose.CLOSE])
SIDES = st.sampled_from([Side.BUY, Side.SELL])


def granted(one: RiskKernel, intent: Intent, **situation: Any) -> int:
    return one.review(intent, quiet(**situation))[1].granted_steps


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


# ---- the seal ----


def permission() -> Approved:
    permit, _ = kernel().review(entry(), quiet())
    assert isinstance(permit, Approved)
    return permit


def test_a_permission_says_what_it_is_for() -> None:
    permit = permission()
    assert sealed(KEY, permit)
    assert (permit.symbol, permit.side, permit.steps, permit.purpose) == ("BTCUSDT", Side.BUY, 20, Purpose.ENTRY)
    assert (permit.worst_ticks, permit.price_ticks, permit.expires_ms) == (1_005_000, 0, NOON + 2_000)
    assert permit.limits_hash == kernel().limits_hash
    short, _ = kernel().review(entry(side=Side.SELL, stop_ticks=PRICE + 6_000), quiet())
    limit, _ = kernel().review(entry(type=OrderType.LIMIT), quiet())
    assert isinstance(short, Approved) and isinstance(limit, Approved)
    assert (short.worst_ticks, limit.worst_ticks, limit.price_ticks) == (995_000, PRICE, PRICE)


@pytest.mark.parametrize(
    "change",
    [
        {"intent_id": "other"},
        {"symbol": "ALTUSDT"},
        {"side": Side.SELL},
        {"type": OrderType.LIMIT},
        {"purpose": Purpose.CLOSE},
        {"steps": 21},
        {"price_ticks": 1},
        {"trigger_ticks": 1},
        {"worst_ticks": 0},
        {"reduce_only": True},
        {"close_position": True},
        {"limits_hash": "0"},
        {"expires_ms": NOON + 2_001},
        {"seal": b""},
    ],
)
def test_an_altered_permission_is_seen(change: dict[str, Any]) -> None:
    assert not sealed(KEY, msgspec.structs.replace(permission(), **change))


def test_a_permission_forged_under_another_key_is_seen() -> None:
    other = RiskKernel(kernel().limits, {"BTCUSDT": kernel()._instruments["BTCUSDT"]}, b"guess", "owner", "trader")
    forged, _ = other.review(entry(), quiet())
    assert isinstance(forged, Approved) and not sealed(KEY, forged)


class Listens:
    """A venue that only remembers."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def send(self, order: Order, time_ms: int) -> None:
        self.orders.append(order)

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None: ...

    def take_reports(self) -> list[Any]:
        return []


def test_a_permission_sends_once_in_time_and_its_copy_not_at_all() -> None:
    venue, permit = Listens(), permission()
    gateway = OrderGateway(venue, KEY)
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(permit), type=Approved)
    with pytest.raises(PermissionRefused, match="expired"):
        gateway.send(order_of(permit, "c-0"), permit, NOON + 2_001)
    gateway.send(order_of(permit, "c-1"), permit, NOON + 2_000)
    for again in (permit, copy):
        with pytest.raises(PermissionRefused, match="already used"):
            gateway.send(order_of(again, "c-2"), again, NOON)
    assert [sent.client_id for sent in venue.orders] == ["c-1"]


def test_whose_limits_they_are_and_which_are_in_force_is_in_the_hash() -> None:
    limits = kernel().limits
    hashes = {
        kernel().limits_hash,
        kernel(registry=LIMITS[1:]).limits_hash,
        RiskKernel(limits, {}, KEY, "other", "trader").limits_hash,
        RiskKernel(limits, {}, KEY, "owner", "other").limits_hash,
        kernel(msgspec.structs.replace(limits, leverage=2)).limits_hash,
    }
    assert len(hashes) == 5


# ---- conduct ----


def test_using_up_the_burst_halts_until_a_person_resumes() -> None:
    one = kernel()
    changes = []
    for _ in range(11):
        one.decided("BTCUSDT")
        changes.append(one.sent(NOON, order()))
    assert [change is not None for change in changes] == [False] * 9 + [True, False]
    changed = changes[9]
    assert changed is not None and changed.state is Breaker.HALTED and "burst of 10" in changed.reason
    assert one.mark(NOON + DAY, money(10_000)) is None and one.breaker is Breaker.HALTED
    resumed = one.command(NOON + DAY, ResumeTrading("ann", "fixed"))
    assert resumed is not None and resumed.state is Breaker.ACTIVE
    assert granted(one, entry(), time_ms=NOON + DAY) == 20


def test_five_entries_a_second_are_a_sustainable_pace() -> None:
    """The bucket refills as fast as it is used: it is the minute that ends it, at its 60th."""
    one = kernel()
    halted_at = None
    for i in range(100):
        one.decided("BTCUSDT")
        if one.sent(NOON + 200 * i, order()) is not None:
            halted_at = i + 1
    assert halted_at == 60


def test_an_entry_may_bring_its_stop_and_targets() -> None:
    """Nine entries in one instant, each with four protective orders, halt nothing: five times the burst."""
    one = kernel()
    for _ in range(9):
        one.decided("BTCUSDT")
        assert one.sent(NOON, order()) is None
        for purpose in (Purpose.STOP, Purpose.TARGET, Purpose.TARGET, Purpose.TARGET):
            assert one.sent(NOON, order(purpose)) is None
    assert one.breaker is Breaker.ACTIVE


def test_protective_orders_may_keep_up_five_times_the_pace() -> None:
    """25 a second for ten seconds empty nothing that refills as fast; their minute ends at 300."""
    one = kernel()
    halted = [i for i in range(400) if one.sent(NOON + 40 * i, order(Purpose.STOP)) is not None]
    assert halted == [299]


def test_a_runaway_of_protective_orders_halts_entries_and_goes_on_protecting() -> None:
    one = kernel()
    changes = [one.sent(NOON, order(Purpose.STOP)) for _ in range(50)]
    assert [change is not None for change in changes] == [False] * 49 + [True]
    stop = Intent("r", "BTCUSDT", Purpose.STOP, Side.SELL, OrderType.STOP_MARKET, 0, 0, 9, 0, 10_000, False, True)
    assert granted(one, stop, confirmed_steps=5) == 5
    assert granted(one, entry()) == 0


def test_a_decision_ends_repetition_on_its_own_symbol_only() -> None:
    one = kernel()
    for i in range(4):
        one.sent(NOON + i * 60_000, order())
        one.sent(NOON + i * 60_000, order(symbol="ALTUSDT"))
    one.decided("BTCUSDT")
    assert one.sent(NOON + HOUR, order()) is None
    changed = one.sent(NOON + HOUR, order(symbol="ALTUSDT"))
    assert changed is not None and "5 entries ALTUSDT long" in changed.reason


def test_a_win_ends_a_run_of_losses_and_a_zero_does_not() -> None:
    one = kernel()
    runs = []
    for pnl in (-1, -1, 0, -1, 5, -1):
        one.trade_closed(closed(money(pnl)))
        runs.append(one.losses_in_row)
    assert runs == [1, 2, 2, 3, 0, 1]


def test_a_liquidation_halts() -> None:
    changed = kernel().trade_closed(closed(money(-10), reason="liquidation"))
    assert changed is not None and (changed.state, changed.reason) == (Breaker.HALTED, "BTCUSDT was liquidated")


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
