"""Daily figures against empyrical and against their own formulas written out plainly."""

import math
import warnings

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aister.analytics.daily import DAY_MS, daily_returns, returns_of, seen_daily, unit_values
from aister.analytics.drawdown import Drawdown, deepest_fall
from aister.analytics.figures import figures
from aister.analytics.ratios import (
    calmar,
    growth,
    kurtosis,
    lo_factor,
    sharpe,
    skew,
    sortino,
    under_water,
    volatility,
)
from tests.fakes.rows import START_MS, equity, trades

YEAR = {"annualization": 365}
some_returns = hnp.arrays(
    np.float64, st.integers(2, 120), elements=st.integers(-400, 420).map(lambda n: n / 10_000)
).filter(lambda r: np.ptp(r) > 0)


@settings(max_examples=60)
@given(some_returns)
def test_empyrical_agrees_on_the_same_daily_returns(returns: np.ndarray) -> None:
    root = math.sqrt(365)
    assert volatility(returns) * root == pytest.approx(empyrical.annual_volatility(returns, **YEAR))  # type: ignore[operator]
    assert sharpe(returns) * root == pytest.approx(empyrical.sharpe_ratio(returns, **YEAR), abs=1e-9)  # type: ignore[operator]
    ours = sortino(returns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = empyrical.sortino_ratio(returns, **YEAR)
    assert (ours is None and math.isinf(theirs)) or ours * root == pytest.approx(theirs, abs=1e-9)  # type: ignore[operator]


@settings(max_examples=60)
@given(some_returns)
def test_empyrical_agrees_on_the_same_equity(returns: np.ndarray) -> None:
    """Ours are on fixed capital, empyrical's compound: it is given the relative changes of the very same equity."""
    account = equity(returns)
    path = account.marks / account.capital
    if path.min() <= 0.01:
        return
    changes = pd.Series(path[1:] / path[:-1] - 1.0)
    net = account.net / account.capital
    days = len(returns)
    assert unit_values(account) == pytest.approx(path)
    assert net == pytest.approx(empyrical.cum_returns_final(changes), abs=1e-12)
    assert growth(net, days) == pytest.approx(empyrical.annual_return(changes, **YEAR), rel=1e-9, abs=1e-9)
    depth = deepest_fall(range(days + 1), unit_values(account)).depth
    assert depth == pytest.approx(-empyrical.max_drawdown(changes), abs=1e-12)
    theirs = empyrical.calmar_ratio(changes, **YEAR)
    ours = calmar(growth(net, days), depth)
    assert (ours is None and math.isnan(theirs)) or ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@settings(max_examples=60)
@given(some_returns)
def test_lo_factor_is_its_formula(returns: np.ndarray) -> None:
    """Lo (2002), equation 20, term by term."""
    n, mean = len(returns), sum(returns) / len(returns)
    variance = sum((r - mean) ** 2 for r in returns)
    total = 365.0
    for k in range(1, min(n - 1, math.floor(4 * (n / 100) ** (2 / 9))) + 1):
        rho = sum((returns[t] - mean) * (returns[t - k] - mean) for t in range(k, n)) / variance
        total += 2 * (365 - k) * rho
    found = lo_factor(returns)
    if n < 3 or total <= 1e-6:
        assert found is None or n >= 3
    else:
        assert found == pytest.approx(365 / math.sqrt(total))


@settings(max_examples=60)
@given(some_returns)
def test_moments_are_those_of_the_population(returns: np.ndarray) -> None:
    from scipy import stats

    assert skew(returns) == pytest.approx(stats.skew(returns), abs=1e-9)
    assert kurtosis(returns) == pytest.approx(stats.kurtosis(returns, fisher=False), abs=1e-9)


def test_what_is_not_defined_is_none() -> None:
    flat, empty = np.full(100, 0.001), np.empty(0)
    assert sharpe(flat) is sharpe(empty) is sharpe(flat[:1]) is skew(flat) is kurtosis(empty) is None
    assert volatility(flat[:1]) is sortino(flat) is sortino(empty) is None
    assert growth(-1.0, 100) is growth(0.1, 0) is calmar(0.1, 0.0) is calmar(None, 0.1) is None
    assert lo_factor(flat) is None


@settings(max_examples=100)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_time_under_water_is_a_plain_walk(values: list[int]) -> None:
    longest = waited = below = 0
    peak = values[0]
    for value in values[1:]:
        was_below = waited > 0
        if value >= peak:
            peak = value
            longest = max(longest, waited + 1) if was_below else longest
            waited = 0
        else:
            waited += 1
            below += 1
    longest = max(longest, waited)
    found = under_water(np.array(values, float))
    assert found.longest_days == longest
    assert found.share == pytest.approx(below / max(1, len(values) - 1))


def test_the_deepest_fall_is_dated() -> None:
    values = np.array([1.0, 2.0, 1.0, 1.5, 2.0, 1.9])
    found = deepest_fall(START_MS + DAY_MS * np.arange(6), values)
    assert found == Drawdown(0.5, START_MS + DAY_MS, START_MS + 2 * DAY_MS, START_MS + 4 * DAY_MS)
    assert under_water(values).longest_days == 3


def test_transfers_move_neither_returns_nor_drawdown() -> None:
    plain = equity([0.1, -0.05, 0.02])
    paid_in = equity(
        [0.1, -0.05, 0.02],
        marks=plain.marks + np.array([0, 0, 5, 5]) * plain.capital,
        transfers=np.array([0, 5, 0]) * plain.capital,
        moved=5 * plain.capital,
        final=int(plain.marks[-1]) + 5 * plain.capital,
    )
    assert returns_of(paid_in).tolist() == returns_of(plain).tolist() == pytest.approx([0.1, -0.05, 0.02])
    assert unit_values(paid_in)[2] == pytest.approx(unit_values(plain)[2]), "5 x capital came in, 0.05 was lost"
    assert figures(paid_in, trades(0)).net_return == pytest.approx(0.07)
    assert 0.0 < figures(paid_in, trades(0)).max_drawdown <= figures(plain, trades(0)).max_drawdown + 1e-12


@settings(max_examples=60)
@given(st.integers(0, 2 * DAY_MS), st.integers(1, 4 * DAY_MS), st.integers(0, 1_000))
def test_daily_equity_of_a_batch_run_gives_the_returns_of_a_journal(start: int, length: int, seed: int) -> None:
    """The points of a batch run (start, midnights, end) against the other reading of equity."""
    begin, end = START_MS + start, START_MS + start + length
    midnights = range(-(-(begin + 1) // DAY_MS) * DAY_MS, end + 1, DAY_MS)
    times = np.array([begin, *midnights, end], np.int64)
    amounts = np.random.default_rng(seed).integers(900, 1_100, len(times))
    amounts[0] = 1_000
    if len(times) > 2 and times[-2] == end:
        amounts[-2] = amounts[-1]
    seen = seen_daily(times, amounts, 1_000)
    expected = daily_returns(times.tolist(), amounts.tolist(), [], 1_000, (begin, end))
    assert returns_of(seen).tolist() == expected.tolist()
    assert (seen.final, seen.span_ms, seen.net) == (amounts[-1], (begin, end), amounts[-1] - 1_000)
