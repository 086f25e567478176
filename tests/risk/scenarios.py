"""The drill's table: per limit, entries that only this limit refuses, each with its exact edge.

A scenario takes `beyond`: 0 = the last value the limit allows, -1 = one unit inside, 1 = one unit outside. It returns a
function that puts a kernel into its past, the limits, and what is asked.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from aister.core.commands import EngageKill
from aister.core.instrument import Bracket
from aister.core.money import money, rate
from aister.core.permission import Intent
from aister.core.trade import OrderType, Side
from aister.risk.kelly import Kelly
from aister.risk.kernel import RiskKernel
from aister.risk.profile import Limits
from aister.risk.situation import Situation
from tests.risk.world import BTC, DAY, HOUR, MONDAY, NOON, PRICE, STOP, closed, entry, held, order, planned, quiet

Past = Callable[[RiskKernel], object]


class Case(NamedTuple):
    """One side of an edge."""

    past: Past = lambda kernel: None
    intent: Intent = entry()
    situation: Situation = quiet()
    limits: Limits = Limits()


SCENARIOS: dict[str, tuple[str, Callable[[int], Case]]] = {}


def drill(limit: str) -> Callable[[Callable[[int], Case]], Callable[[int], Case]]:
    def add(build: Callable[[int], Case]) -> Callable[[int], Case]:
        SCENARIOS[build.__name__] = (limit, build)
        return build

    return add


def bounds(**changes: Any) -> Limits:
    return msgspec.structs.replace(Limits(), **changes)


def record(bound_e8: int) -> Past:
    """A proven record with this lower bound of the growth-optimal fraction."""

    def past(kernel: RiskKernel) -> None:
        state = kernel.snapshot()
        state.kelly = Kelly(True, 200, 150.0, bound_e8)
        kernel.restore(state)

    return past


@drill("kill_switch")
def killed(beyond: int) -> Case:
    return Case(lambda k: beyond > 0 and k.command(NOON, EngageKill("ann", "enough")))


@drill("kill_switch")
def liquidated(beyond: int) -> Case:
    reason = "liquidation" if beyond > 0 else "stop"
    return Case(lambda k: k.trade_closed(closed(money(-9), NOON - 2 * HOUR, reason=reason)))


@drill("message_throttle")
def a_burst_of_entries(beyond: int) -> Case:
    def past(kernel: RiskKernel) -> None:
        for _ in range(9 + beyond):
            kernel.decided("BTCUSDT")
            kernel.sent(NOON, order())

    return Case(past)


@drill("message_throttle")
def a_minute_of_entries(beyond: int) -> Case:
    def past(kernel: RiskKernel) -> None:
        for i in range(59 + beyond):
            kernel.decided("BTCUSDT")
            kernel.sent(NOON + 1_000 * i, order())

    return Case(past, limits=bounds(trades_a_day=1_000))


@drill("message_throttle")
def a_day_of_entries(beyond: int) -> Case:
    def past(kernel: RiskKernel) -> None:
        for i in range(999 + beyond):
            kernel.decided("BTCUSDT")
            kernel.sent(MONDAY + 10_000 * i, order())

    return Case(past, limits=bounds(trades_a_day=2_000))


@drill("message_throttle")
def the_same_entry_again(beyond: int) -> Case:
    def past(kernel: RiskKernel) -> None:
        for i in range(4 + beyond):
            kernel.sent(NOON - HOUR + 60_000 * i, order())

    return Case(past)


@drill("stale_data")
def an_old_bar(beyond: int) -> Case:
    return Case(situation=quiet(bar_age_ms=70_000 + beyond))


@drill("stale_data")
def an_old_account(beyond: int) -> Case:
    return Case(situation=quiet(account_age_ms=30_000 + beyond))


@drill("drawdown")
def a_deep_drawdown(beyond: int) -> Case:
    """Reaching 15 % halts, so the last value allowed is a unit less."""
    equity = money(8_500) + 1 - beyond

    def past(kernel: RiskKernel) -> None:
        kernel.mark(MONDAY - 30 * DAY, money(10_000))
        kernel.mark(MONDAY - 20 * DAY, equity)

    return Case(past, situation=quiet(equity=equity))


@drill("drawdown")
def half_of_little(beyond: int) -> Case:
    """Reducing halves what Kelly leaves: one step's 0.6 is half of 0.125 % of 960 only while Active."""
    past_equity = money(1_000)

    def past(kernel: RiskKernel) -> None:
        kernel.mark(MONDAY - 30 * DAY, past_equity)
        kernel.mark(MONDAY - 20 * DAY, money(900))

    equity = money(900) if beyond > 0 else money(960)
    return Case(past, entry(), quiet(equity=equity, free_margin=equity))


@drill("stop_side")
def a_stop_too_near(beyond: int) -> Case:
    """A stop on the price itself; cost and Kelly step aside for a stop of one tick."""
    return Case(
        intent=entry(stop_ticks=PRICE - 1 + beyond if beyond <= 0 else PRICE + 6_000),
        situation=quiet(cost_e8=0),
    )


@drill("stop_side")
def a_short_stopped_below(beyond: int) -> Case:
    stop = STOP if beyond > 0 else PRICE + 6_000
    return Case(intent=entry(side=Side.SELL, stop_ticks=stop))


@drill("stop_side")
def a_limit_whose_stop_is_passed(beyond: int) -> Case:
    """The limit lies above its stop, the mark already below it."""
    mark = STOP + 1 - beyond
    return Case(
        intent=entry(type=OrderType.LIMIT, price_ticks=STOP + 4_000), situation=quiet(mark_ticks=mark, cost_e8=0)
    )


@drill("venue_filters")
def a_limit_above_the_band(beyond: int) -> Case:
    """5 % above the mark is the venue's band; our own collar stands aside."""
    price = 1_050_000 + beyond
    intent = entry(type=OrderType.LIMIT, price_ticks=price, stop_ticks=PRICE - 6_000)
    return Case(intent=intent, limits=bounds(collar_major_e8=rate("0.2")))


@drill("price_collar")
def chased(beyond: int) -> Case:
    """15 bp is a quarter of the stop distance."""
    return Case(situation=quiet(mark_ticks=PRICE + 1_500 + beyond))


@drill("price_collar")
def chased_down(beyond: int) -> Case:
    intent = entry(side=Side.SELL, stop_ticks=PRICE + 6_000)
    return Case(intent=intent, situation=quiet(mark_ticks=PRICE - 1_500 - beyond))


@drill("price_collar")
def beyond_the_spread(beyond: int) -> Case:
    """Twice the half-spread is more than a quarter of a near stop."""
    situation = quiet(mark_ticks=PRICE + 2_000 + beyond, half_spread_ticks=1_000)
    return Case(situation=situation)


@drill("price_collar")
def far_from_the_decision(beyond: int) -> Case:
    """50 bp towards the stop is not adverse, but no longer the price decided on."""
    return Case(intent=entry(stop_ticks=PRICE - 30_000), situation=quiet(mark_ticks=PRICE - 5_000 - beyond))


@drill("price_collar")
def far_on_the_adverse_side(beyond: int) -> Case:
    return Case(intent=entry(stop_ticks=PRICE - 30_000), situation=quiet(mark_ticks=PRICE + 5_000 + beyond))


@drill("price_collar")
def a_fat_finger_limit(beyond: int) -> Case:
    intent = entry(type=OrderType.LIMIT, price_ticks=PRICE + 5_000 + beyond)
    return Case(intent=intent)


@drill("cooldown")
def four_losses(beyond: int) -> Case:
    def past(kernel: RiskKernel) -> None:
        for i in range(4):
            kernel.trade_closed(closed(money(-1), NOON - 12 * HOUR - HOUR * (3 - i) + beyond))

    return Case(past)


@drill("cooldown")
def a_stop_just_now(beyond: int) -> Case:
    return Case(lambda k: k.trade_closed(closed(money(-1), NOON - HOUR // 2 + beyond, reason="stop")))


@drill("trade_rate")
def a_busy_day(beyond: int) -> Case:
    def past(kernel: RiskKernel) -> None:
        for i in range(11 + beyond):
            kernel.decided("BTCUSDT")
            kernel.sent(MONDAY + HOUR // 2 * i, order())

    return Case(past)


@drill("cost_to_risk")
def costly(beyond: int) -> Case:
    """9 bp of 60 are 0.15."""
    return Case(situation=quiet(cost_e8=rate("0.0009") + beyond))


@drill("cost_to_risk")
def a_stop_too_near_for_its_cost(beyond: int) -> Case:
    """A round trip of 8.1 bp needs 54 bp."""
    return Case(intent=entry(stop_ticks=PRICE - 5_400 + beyond), situation=quiet(cost_e8=rate("0.00081")))


@drill("risk_per_trade")
def too_small_for_its_stop(beyond: int) -> Case:
    """0.5 % of 120 is the 0.6 of one step."""
    return Case(record(rate("0.5")), situation=quiet(equity=money(120) - beyond))


@drill("kelly")
def unproven(beyond: int) -> Case:
    """0.125 % of 480 is the 0.6 of one step."""
    return Case(situation=quiet(equity=money(480) - beyond))


@drill("kelly")
def a_weak_record(beyond: int) -> Case:
    """A fifth of the bound, 0.006 %, of 10,000 is 0.6."""
    return Case(record(30_000 - 5 * beyond))


@drill("kelly")
def one_f_for_all(beyond: int) -> Case:
    """A fifth of 0.05 is 100 of 10,000: positions share it, one step takes 0.6."""
    return Case(record(rate("0.05")), situation=quiet(positions=(held(stop_risk=money("99.4") + beyond),)))


@drill("portfolio_heat")
def hot(beyond: int) -> Case:
    positions = (held(stop_risk=money("100") + beyond),)
    reserved = (planned(stop_risk=money("99.4")),)
    limits = bounds(daily_e8=rate("0.04"))
    return Case(situation=quiet(positions=positions, reserved=reserved), limits=limits)


@drill("daily_loss")
def worst_case_of_the_day(beyond: int) -> Case:
    """Lost 50, open worst 100, planned worst 47.4: with the 1.6 of one step that is 199, 2 % of 9,950."""
    equity = money(9_950)

    def past(kernel: RiskKernel) -> None:
        kernel.mark(MONDAY - HOUR, money(10_000))
        kernel.mark(MONDAY, equity)
        kernel.mark(MONDAY + HOUR, money(9_900))

    positions = (held(stop_risk=money(40), slip=money(60) + beyond),)
    reserved = (planned(stop_risk=money(10), slip=money("37.4")),)
    return Case(past, situation=quiet(equity=money(9_900), positions=positions, reserved=reserved))


@drill("daily_loss")
def a_wild_minute(beyond: int) -> Case:
    """Three ATR of one minute beyond the stop: 0.6 + 199.4 of one step is the whole day; 1,994,000 is 3 x 664,666.7."""
    return Case(situation=quiet(atr_1m_ticks=664_666 + beyond))


@drill("weekly_loss")
def worst_case_of_the_week(beyond: int) -> Case:
    """Lost 450 since Monday, nothing today: 48.4 open and the 1.6 of one step make 500."""

    def past(kernel: RiskKernel) -> None:
        kernel.mark(MONDAY, money(10_000))
        kernel.mark(MONDAY + DAY, money(9_550))

    situation = quiet(
        time_ms=NOON + 2 * DAY, equity=money(9_550), positions=(held(stop_risk=money(8), slip=money("40.4") + beyond),)
    )
    return Case(past, situation=situation)


@drill("position_notional")
def enough_of_this_symbol(beyond: int) -> Case:
    return Case(situation=quiet(positions=(held("BTCUSDT", notional=money(9_900) + beyond),)))


@drill("position_notional")
def the_other_side_is_held(beyond: int) -> Case:
    return Case(situation=quiet(positions=(held("BTCUSDT", steps=-beyond, notional=money(100)),)))


@drill("position_notional")
def the_other_side_is_planned(beyond: int) -> Case:
    side = Side.SELL if beyond > 0 else Side.BUY
    return Case(situation=quiet(reserved=(planned("BTCUSDT", side, notional=money(100)),)))


@drill("gross_exposure")
def enough_of_everything(beyond: int) -> Case:
    positions = (held(notional=money(15_000) + beyond), held("SOLUSDT", steps=-1, notional=money(2_000)))
    return Case(situation=quiet(positions=positions, reserved=(planned(notional=money(2_900)),)))


@drill("leverage")
def all_borrowed(beyond: int) -> Case:
    """With leverage 1 the account may carry its equity once."""
    positions = (held(notional=money(9_900) + beyond),)
    return Case(situation=quiet(positions=positions), limits=bounds(leverage=1))


@drill("leverage")
def a_bracket_that_lends_less(beyond: int) -> Case:
    """3x is granted below 1,000,000: 999,900 carried leaves one step of 100, but for one unit."""
    positions = (held("BTCUSDT", notional=money(999_900) - 1 + beyond),)
    limits = bounds(symbol_e8=rate(1_000), gross_e8=rate(1_000), max_position_notional=money(10_000_000), leverage=3)
    situation = quiet(equity=money(1_000_000), free_margin=money(1_000_000), positions=positions)
    return Case(situation=situation, limits=limits)


@drill("absolute_caps")
def an_order_too_large(beyond: int) -> Case:
    """One step is 100 USDT."""
    return Case(limits=bounds(max_order_notional=money(100) - beyond))


@drill("absolute_caps")
def a_position_too_large(beyond: int) -> Case:
    positions = (held("BTCUSDT", notional=money(4_900) + beyond),)
    limits = bounds(max_order_notional=money(5_000), max_position_notional=money(5_000))
    return Case(situation=quiet(positions=positions), limits=limits)


@drill("free_margin")
def margin_is_spent(beyond: int) -> Case:
    """A third of 100 and 0.035 of fee, rounded up to the unit; 50 are reserved."""
    needed = money(50) + 3_336_833_334
    return Case(situation=quiet(free_margin=needed - beyond, reserved=(planned(margin=money(50)),)))


@drill("liquidation_distance")
def a_violent_hour(beyond: int) -> Case:
    """A long at 3x in the first bracket is liquidated at (2/3) / 0.996 = 0.66934 of its entry: 330,655 whole ticks
    away, three times 110,218."""
    return Case(situation=quiet(atr_1h_ticks=110_218 + beyond))


@drill("liquidation_distance")
def a_violent_hour_for_a_short(beyond: int) -> Case:
    """(4/3) / 1.004 = 1.32802: 328,021 whole ticks away."""
    intent = entry(side=Side.SELL, stop_ticks=PRICE + 6_000)
    return Case(intent=intent, situation=quiet(atr_1h_ticks=109_340 + beyond))


@drill("liquidation_distance")
def a_stop_beyond_half_the_way(beyond: int) -> Case:
    """Twice the stop distance must fit before the liquidation: 165,327 ticks."""
    return Case(
        intent=entry(stop_ticks=PRICE - 165_327 - beyond), limits=bounds(daily_e8=rate("0.04"), risk_e8=rate("0.02"))
    )


def thin_brackets() -> tuple[Bracket, ...]:
    """Brackets that grant 2x at most."""
    return tuple(msgspec.structs.replace(bracket, max_leverage=2) for bracket in BTC.brackets)
