"""Metrics by hand, the autocorrelation correction, and what is hidden while there is too little data."""

import math

import msgspec
import numpy as np
import pytest

from aister.analytics.bootstrap import block_length, bootstrap_mean
from aister.analytics.collect import collect
from aister.analytics.daily import daily_returns
from aister.analytics.metrics import measure
from aister.analytics.ratios import lo_factor
from aister.core.money import UNIT
from tests.fakes.audits import DAY_MS, HOUR_MS, START_MS, Tape, one_trade
from tests.fakes.results import result, trade


def test_daily_returns_are_on_allotted_capital_with_flat_days_and_without_transfers() -> None:
    times = [START_MS, START_MS + DAY_MS - 1, START_MS + DAY_MS, START_MS + 2 * DAY_MS + HOUR_MS, START_MS + 3 * DAY_MS]
    amounts = [1_000, 1_050, 1_100, 1_600, 1_600]
    returns = daily_returns(
        times, amounts, [(START_MS + 2 * DAY_MS + HOUR_MS, 450)], 1_000, (START_MS, START_MS + 3 * DAY_MS + HOUR_MS)
    )
    assert returns.tolist() == pytest.approx([0.1, 0.0, 0.05])


def test_only_whole_days_count() -> None:
    assert len(daily_returns([START_MS + HOUR_MS], [1], [], 1, (START_MS + HOUR_MS, START_MS + DAY_MS - 1))) == 0
    assert len(daily_returns([START_MS], [1], [], 1, (START_MS, START_MS + DAY_MS))) == 1


def test_the_figures_of_one_trade() -> None:
    m = measure(collect(one_trade().audits), seed=1)
    assert (m.days, m.trades, m.net_pnl) == (1, 1, pytest.approx(-11.3))
    assert m.net_return == pytest.approx(-0.00113)
    assert m.before_costs == pytest.approx(-11.3 + 0.7 + 0.5 + 0.11)
    assert m.gross_pnl == pytest.approx(-10.1)
    assert (m.win_rate, m.expectancy_r, m.profit_factor) == (0.0, pytest.approx(-1.13), 0.0)
    assert m.exposure == pytest.approx((30 * 60 + 1 - 61) / (48 * 60 - 59), abs=1e-4)
    assert m.turnover == pytest.approx((1_000 + 989.9) / 10_000)
    assert m.fees_share is None and m.unavailable["fees_share"] == "nothing was earned before costs"
    assert not m.drawdown_recovered and m.drawdown_ms > 17 * HOUR_MS


def test_shares_say_what_each_cost_ate() -> None:
    base = collect(one_trade().audits)
    tape = Tape()
    tape.hours(0, 24, 100.0)
    tape.transfer(START_MS + DAY_MS, 0.0)
    flat = collect(tape.end())
    assert measure(flat, seed=1).win_rate is None
    assert measure(flat, seed=1).unavailable["win_rate"] == "no closed trades"
    won = result(
        [trade(pnl=6 * UNIT, fees=2 * UNIT, slippage=UNIT, funding=UNIT)], fees=2 * UNIT, slippage=UNIT, funding=UNIT
    )
    equity = msgspec.structs.replace(won.equity, amounts=(*won.equity.amounts[:-1], won.capital + 6 * UNIT))
    m = measure(result(list(won.trades), fees=2 * UNIT, slippage=UNIT, funding=UNIT, equity=equity), seed=1)
    assert (m.fees_share, m.slippage_share, m.funding_share) == (
        pytest.approx(0.2),
        pytest.approx(0.1),
        pytest.approx(0.1),
    )
    assert m.profit_factor is None and m.unavailable["profit_factor"] == "no losing trades"
    assert base.slippage_known


def test_annualised_figures_need_ninety_days() -> None:
    def days(count: int) -> Tape:
        tape = Tape()
        rng = np.random.default_rng(3)
        for day in range(count):
            tape.bar(day * 1440 + 1439, 100.0)
            tape.funding(START_MS + (day + 1) * DAY_MS, float(rng.normal(0, 10)))
        return tape

    short, enough = measure(collect(days(89).end()), seed=1), measure(collect(days(92).end()), seed=1)
    assert short.sharpe_annual is None and short.volatility_annual is None
    assert "need 90" in short.unavailable["sharpe_annual"]
    assert enough.sharpe_annual is not None and enough.volatility_annual == pytest.approx(
        enough.volatility_daily * math.sqrt(365)
    )  # type: ignore[operator]


def test_unknown_slippage_makes_costs_unknown_not_zero() -> None:
    m = measure(result([trade(slippage_known=False)], slippage_known=False), seed=1)
    assert m.slippage is None and m.before_costs is None and m.slippage_share is None
    assert m.unavailable["before_costs"] == "slippage is not known"


def test_ambiguous_stops_are_told_when_they_matter() -> None:
    assert measure(result([trade(ambiguous=True, target_first=5 * UNIT)]), seed=1).needs_lower_timeframe
    assert not measure(result([trade()]), seed=1).needs_lower_timeframe


def test_lo_factor_is_sqrt_q_without_autocorrelation_and_smaller_with() -> None:
    rng = np.random.default_rng(5)
    factors, trending = [], []
    for _ in range(40):
        noise = rng.normal(size=1_000)
        factors.append(lo_factor(noise))
        walk = np.empty(1_000)
        walk[0] = noise[0]
        for i in range(1, 1_000):
            walk[i] = 0.3 * walk[i - 1] + noise[i]
        trending.append(lo_factor(walk))
    assert np.mean([f for f in factors if f is not None]) == pytest.approx(math.sqrt(365), rel=0.03)
    # Lo (2002), table 2: with AR(1) autocorrelation 0.3 the factor is close to sqrt(q (1 - rho) / (1 + rho))
    assert np.mean([f for f in trending if f is not None]) == pytest.approx(math.sqrt(365 * 0.7 / 1.3), rel=0.06)
    assert lo_factor(np.zeros(50)) is None


def test_the_bootstrap_interval_covers_the_true_mean_and_repeats() -> None:
    rng = np.random.default_rng(11)
    inside = 0
    for seed in range(150):
        returns = rng.normal(0.001, 0.01, 60)
        low, high = bootstrap_mean(returns, seed=seed, draws=300) or (1.0, -1.0)
        inside += low <= 0.001 <= high
    assert 0.86 <= inside / 150 <= 0.99
    assert bootstrap_mean(returns, seed=4) == bootstrap_mean(returns, seed=4) != bootstrap_mean(returns, seed=5)
    assert bootstrap_mean(returns[:7], seed=1) is None


def test_blocks_grow_with_dependence() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=500)
    walk = np.empty(500)
    walk[0] = 0.0
    for i in range(1, 500):
        walk[i] = 0.8 * walk[i - 1] + noise[i]
    assert block_length(noise) < 6 < block_length(walk)
