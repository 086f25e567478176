"""The figures of a backtest by hand, what is hidden and why, and that a run's metrics and these are of one make."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.analytics.collect import collect
from aister.analytics.daily import DAY_MS
from aister.analytics.drawdown import Drawdown
from aister.analytics.figures import Figures, Totals, figures
from aister.analytics.metrics import measure as measure_run
from aister.analytics.outcomes import covered_ms, needs_lower_timeframe
from aister.analytics.performance import measure
from aister.core.money import UNIT
from tests.fakes.audits import START_MS as START_MS_OF_TAPE
from tests.fakes.audits import Tape
from tests.fakes.rows import CAPITAL, HOUR_MS, START_DAY, START_MS, equity, trades

FOUR = trades(
    4,
    pnl=np.array([30, -10, 20, -20]) * UNIT,
    fees=np.array([2, 2, 2, 2]) * UNIT,
    funding=np.array([1, -1, 0, 0]) * UNIT,
    slippage=np.array([3, 3, 3, 3]) * UNIT,
    risk=np.array([10, 10, 20, 0]) * UNIT,
    entry_ms=START_MS + np.array([0, 1, 5, 5]) * HOUR_MS,
    exit_ms=START_MS + np.array([2, 3, 6, 7]) * HOUR_MS,
)


def test_every_figure_of_four_trades() -> None:
    f = figures(equity([0.002]), FOUR)
    assert (f.days, f.trades, f.capital, f.net_pnl, f.net_return) == (1, 4, 10_000.0, 20.0, pytest.approx(0.002))
    assert (f.fees, f.funding, f.slippage, f.before_costs) == (8.0, 0.0, 12.0, 40.0)
    assert (f.fees_share, f.funding_share, f.slippage_share) == (0.2, 0.0, 0.3)
    assert (f.win_rate, f.profit_factor, f.payoff) == (0.5, pytest.approx(50 / 30), pytest.approx(25 / 15))
    assert (f.expectancy, f.expectancy_r) == (5.0, pytest.approx((3 - 1 + 1) / 3))
    assert (f.best_trade, f.worst_trade, f.mean_holding_ms) == (30.0, -20.0, 1.75 * HOUR_MS)
    assert f.exposure == pytest.approx((3 + 2) / 24) and f.turnover == pytest.approx(0.8)
    assert not f.needs_lower_timeframe and f.target_first_pnl == f.net_pnl


def test_totals_say_what_the_open_trade_paid() -> None:
    totals = Totals(10 * UNIT, UNIT, 20 * UNIT, 9_000 * UNIT, (START_MS + 20 * HOUR_MS,))
    f = figures(equity([0.002]), FOUR, totals=totals)
    assert (f.fees, f.slippage, f.before_costs, f.open_trades, f.turnover) == (10.0, 20.0, 51.0, 1, 0.9)
    assert f.exposure == pytest.approx((3 + 2 + 4) / 24)


def test_target_first_marks_a_result_that_hangs_on_it() -> None:
    rows = FOUR.copy()
    rows["target_first"], rows["ambiguous"] = rows["pnl"], [0, 2, 0, 1]
    rows["target_first"][1] += 3 * UNIT
    f = figures(equity([0.002]), rows)
    assert (f.ambiguous_trades, f.target_first_pnl, f.needs_lower_timeframe) == (2, 23.0, True)
    assert needs_lower_timeframe(11, -100) and not needs_lower_timeframe(10, 100) and not needs_lower_timeframe(0, 0)


def test_annualised_figures_are_hidden_below_ninety_days() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, 90)
    short, enough = figures(equity(returns[:89]), FOUR), figures(equity(returns), FOUR)
    hidden = ("cagr", "calmar", "volatility_annual", "sharpe_annual", "sortino_annual")
    for name in hidden:
        assert getattr(short, name) is None and short.unavailable[name] == "89 whole days; annualised figures need 90"
        assert getattr(enough, name) is not None
    assert enough.volatility_annual == pytest.approx(enough.volatility_daily * math.sqrt(365))  # type: ignore[operator]
    assert enough.cagr == pytest.approx((1 + enough.net_return) ** (365 / 90) - 1)
    assert enough.calmar == pytest.approx(enough.cagr / enough.max_drawdown)  # type: ignore[operator]
    assert enough.unavailable == {} and 0 < enough.psr < 1  # type: ignore[operator]


@settings(max_examples=60)
@given(
    st.lists(st.integers(-900, 900), max_size=100),
    st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 30)), max_size=8),
)
def test_every_none_has_a_reason_and_nothing_else_has(returns: list[int], made: list[tuple[int, int]]) -> None:
    rows = trades(len(made), pnl=[a * UNIT for a, _ in made], risk=[b * UNIT for _, b in made])
    f = figures(equity(np.array(returns) / 10_000), rows)
    nones = {name for name in Figures.__struct_fields__ if getattr(f, name) is None}
    assert nones == set(f.unavailable)
    assert all(f.unavailable.values())
    numbers = [v for v in msgspec.structs.asdict(f).values() if isinstance(v, float)]
    assert np.isfinite(numbers).all()
    assert msgspec.json.decode(msgspec.json.encode(f), type=Figures) == f


def test_a_lost_account_says_so() -> None:
    f = figures(equity([-0.6, -0.6] + [0.0] * 100), trades(0))
    assert f.cagr is None and f.unavailable["cagr"] == f.unavailable["calmar"] == "the capital was lost"
    assert f.max_drawdown == 1.0 and not f.drawdown_recovered


def test_start_and_end_of_the_span_count_for_the_drawdown() -> None:
    """Half a day before the first midnight and half a day after the last: 10 % lost in the first, 20 % in the last."""
    held = equity(
        [0.0],
        span_ms=(START_MS - 12 * HOUR_MS, START_MS + 36 * HOUR_MS),
        marks=np.array([9_000, 9_000]) * UNIT,
        final=7_000 * UNIT,
    )
    f = figures(held, trades(0))
    assert f.max_drawdown == pytest.approx(0.3) and f.drawdown_ms == 48 * HOUR_MS and f.days == 1
    watched = figures(held, trades(0), deepest=Drawdown(0.5, START_MS, START_MS + 1, START_MS + HOUR_MS))
    assert (watched.max_drawdown, watched.drawdown_ms, watched.drawdown_seen) == (0.5, HOUR_MS, "at every close")
    within = figures(equity([], span_ms=(START_MS + 1, START_MS + 9), marks=np.empty(0, np.int64), final=CAPITAL // 2),
                     trades(0))  # fmt: skip
    assert (within.days, within.max_drawdown, within.net_return) == (0, 0.5, -0.5)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-5, 30), st.integers(0, 10)), max_size=12))
def test_exposure_is_the_union_of_lives(lives: list[tuple[int, int]]) -> None:
    held = {t for start, long in lives for t in range(start, start + long)} & set(range(0, 24))
    opened = np.array([a for a, _ in lives], np.int64)
    assert covered_ms(opened, opened + np.array([b for _, b in lives], np.int64), (0, 24)) == len(held)


def test_the_run_and_the_backtest_have_one_sharpe() -> None:
    """The same daily funding booked through a journal and given as daily equity. What is paid
    at a midnight belongs to the day that begins, and the tape's first whole day is its second."""
    tape = Tape()
    paid = np.round(np.random.default_rng(3).normal(0, 10, 92), 2)
    for day, amount in enumerate(paid):
        tape.bar(day * 1440 + 1439, 100.0)
        tape.funding(START_MS_OF_TAPE + (day + 1) * DAY_MS, float(amount))
    run = measure_run(collect(tape.end()), seed=4)
    ours = measure(equity(-paid[:-1] / 10_000), trades(0), ["BTCUSDT"], seed=4)
    f = ours.figures
    assert (run.days, run.sharpe_daily) == (f.days, pytest.approx(f.sharpe_daily))
    assert (run.sharpe_annual, run.volatility_annual) == (pytest.approx(f.sharpe_annual),
                                                          pytest.approx(f.volatility_annual))  # fmt: skip
    assert ours.intervals is not None
    band = ours.intervals.by["mean_daily"]
    assert (run.mean_daily_low, run.mean_daily_high) == (pytest.approx(band.low), pytest.approx(band.high))


def test_a_performance_is_one_json_with_a_reason_for_what_is_missing() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.01, 100)
    trials = np.random.default_rng(2).normal(0, 0.01, (5, 100))
    found = measure(equity(returns), FOUR, ["BTCUSDT"], seed=9, trials=trials)
    assert found.deflation is not None and found.deflation.trials == 5
    assert found.intervals is not None and (found.intervals.seed, found.intervals.draws) == (9, 1_000)
    assert set(found.unavailable) == {"reach", "alpha", "hold", "random"}
    assert sum(group.trades for group in found.tables["weekday"]) == 4
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
    bare = measure(equity(returns[:5]), trades(0), ["BTCUSDT"], seed=9)
    assert bare.intervals is None and bare.unavailable["intervals"] == "5 whole days; 8 are needed for an interval"
    assert bare.unavailable["deflation"] == "no trial ledger was given" and bare.tables["side"] == ()
    assert START_DAY == START_MS // DAY_MS
