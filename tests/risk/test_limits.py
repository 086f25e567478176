"""Every limit refuses exactly what it is there for: at its edge, one unit either side, only while in force."""

import msgspec
import pytest

from aister.core.audit import Reviewed
from aister.core.money import money, rate
from aister.core.permission import Approved, Refused
from aister.risk.kernel import RiskKernel
from aister.risk.limits import LIMITS, Limit
from aister.risk.situation import Reserved
from tests.risk.scenarios import SCENARIOS, Case, thin_brackets
from tests.risk.world import BTC, PRICE, entry, held, kernel, planned, quiet

NAMES = [limit.NAME for limit in LIMITS]


def ask(case: Case, registry: tuple[Limit, ...] = LIMITS) -> tuple[Approved | Refused, Reviewed]:
    one = kernel(case.limits, registry=registry)
    case.past(one)
    return one.review(case.intent, case.situation)


@pytest.mark.parametrize("name", SCENARIOS)
def test_inside_and_at_the_edge_it_lets_pass(name: str) -> None:
    for beyond in (-1, 0):
        permit, reviewed = ask(SCENARIOS[name][1](beyond))
        assert isinstance(permit, Approved), (beyond, reviewed.limit, reviewed.reason)


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_unit_beyond_it_refuses_and_says_why(name: str) -> None:
    limit, build = SCENARIOS[name]
    permit, reviewed = ask(build(1))
    assert isinstance(permit, Refused)
    assert (permit.limit, reviewed.limit, reviewed.granted_steps) == (limit, limit, 0)
    assert len(permit.reason) > 20 and permit.reason == reviewed.reason
    assert [line.limit for line in reviewed.caps] == NAMES


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_the_limit_the_same_entry_passes_wrongly(name: str) -> None:
    limit, build = SCENARIOS[name]
    permit, reviewed = ask(build(1), tuple(other for other in LIMITS if limit != other.NAME))
    assert isinstance(permit, Approved), (reviewed.limit, reviewed.reason)


def test_every_limit_has_a_scenario() -> None:
    assert {limit for limit, _ in SCENARIOS.values()} == set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_every_limit_has_its_page() -> None:
    for limit in LIMITS:
        assert all(word in str(limit.__doc__) for word in ("Protects from:", "Formula", "Default", "Source:")), (
            limit.NAME
        )


@pytest.mark.parametrize(
    ("unknown", "limit"),
    [
        ("equity", "stale_data"),
        ("mark_ticks", "stale_data"),
        ("bar_age_ms", "stale_data"),
        ("account_age_ms", "stale_data"),
        ("cost_e8", "cost_to_risk"),
        ("atr_1m_ticks", "daily_loss"),
        ("atr_1h_ticks", "liquidation_distance"),
        ("free_margin", "free_margin"),
    ],
)
def test_what_is_unknown_refuses_new_risk(unknown: str, limit: str) -> None:
    permit, _ = kernel().review(entry(), msgspec.structs.replace(quiet(), **{unknown: None}))
    assert isinstance(permit, Refused)
    assert permit.limit == limit


@pytest.mark.parametrize("status", ["BREAK", "SETTLING"])
def test_a_symbol_that_does_not_trade_is_refused_in_the_venues_words(status: str) -> None:
    one = kernel()
    one.listed(msgspec.structs.replace(BTC, status=status))
    permit, _ = one.review(entry(), quiet())
    assert isinstance(permit, Refused)
    assert permit.limit == "venue_filters" and status in permit.reason


def test_brackets_that_lend_less_are_seen() -> None:
    one = kernel()
    one.listed(msgspec.structs.replace(BTC, brackets=thin_brackets()))
    permit, _ = one.review(entry(), quiet())
    assert isinstance(permit, Refused)
    assert permit.limit == "leverage" and "brackets" in permit.reason


def test_a_position_without_a_resident_stop_risks_all_of_itself() -> None:
    naked = held(notional=money(2_000), stop_risk=money(2_000))
    permit, _ = kernel().review(entry(), quiet(positions=(naked,)))
    assert isinstance(permit, Refused)
    assert permit.limit == "portfolio_heat"


def test_in_flight_entries_count_so_that_of_many_at_once_one_passes() -> None:
    """C9: each takes 60 % of the absolute cap; the second finds the first reserved."""
    limits = msgspec.structs.replace(
        kernel().limits, max_position_notional=money(3_000), max_order_notional=money(3_000)
    )
    one: RiskKernel = kernel(limits)
    passed = 0
    reserved: tuple[Reserved, ...] = ()
    for i in range(100):
        permit, _ = one.review(entry(id=f"i-{i}", steps=18), quiet(reserved=reserved))
        if isinstance(permit, Approved) and permit.steps == 18:
            passed += 1
            reserved = (*reserved, planned("BTCUSDT", notional=BTC.notional(1_000_000, permit.steps)))
    assert passed == 1


@pytest.mark.parametrize("stop", [0, PRICE, PRICE + 1])
def test_an_entry_without_a_stop_on_its_losing_side_is_refused(stop: int) -> None:
    permit, _ = kernel().review(entry(stop_ticks=stop), quiet())
    assert isinstance(permit, Refused)
    assert permit.limit == "stop_side"


def test_the_collar_is_wider_where_the_market_is_thinner() -> None:
    permit, _ = kernel().review(entry(symbol="ALTUSDT"), quiet())
    major, _ = kernel().review(entry(), quiet())
    assert isinstance(permit, Approved) and isinstance(major, Approved)
    assert (permit.worst_ticks, major.worst_ticks) == (1_010_000, 1_005_000)


def test_the_collar_shows_the_move_that_has_least_room() -> None:
    collar = NAMES.index("price_collar")
    line = kernel().review(entry(), quiet(mark_ticks=PRICE + 1_000))[1].caps[collar]
    assert (line.used, line.bound) == (0.001, 0.0015)
    line = kernel().review(entry(stop_ticks=PRICE - 30_000), quiet(mark_ticks=PRICE - 1_000))[1].caps[collar]
    assert (line.used, line.bound) == (0.001, 0.005)


def test_the_slip_of_others_is_three_times_that_of_majors() -> None:
    """Q24 at the defaults: (0.6 % + 1 %) of 12,500 and (0.6 % + 3 %) of 5,500 fit into a day's 2 % of 10,000."""
    daily = NAMES.index("daily_loss")
    assert kernel().review(entry(), quiet())[1].caps[daily].steps == 125
    assert kernel().review(entry(symbol="ALTUSDT"), quiet())[1].caps[daily].steps == 55


def test_the_worked_example_of_the_defaults() -> None:
    """10,000 USDT, BTC at 100,000, stop 60 bp away: Kelly UNPROVEN binds, 0.125 % of equity, 0.020 BTC."""
    permit, reviewed = kernel().review(entry(), quiet())
    steps = {line.limit: line.steps for line in reviewed.caps}
    assert isinstance(permit, Approved)
    assert (permit.steps, reviewed.limit) == (20, "kelly")
    assert (steps["risk_per_trade"], steps["position_notional"], steps["gross_exposure"]) == (83, 100, 200)
    assert (steps["portfolio_heat"], steps["weekly_loss"], steps["leverage"]) == (333, 312, 300)
    assert (steps["absolute_caps"], steps["free_margin"]) == (500, 299)
    assert rate("0.005") * 2_500 // 10_000 == rate("0.00125")
