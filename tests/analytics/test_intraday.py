"""Equity at closes out of fills: equal to the account's own wherever that is known, and the falls between midnights."""

import numpy as np
import pytest

from aister.analytics.intraday import equity_at_closes, intraday
from aister.kernels.trades import FILL, LIQUIDATION
from aister.lab.batch import Simulated, run
from aister.lab.prepare import prepare
from tests.fakes.rows import MINUTE_MS, START_MS, series
from tests.parity.both import Case
from tests.parity.cases import random_case

SEEDS = range(24)
CAPITAL = 10_000 * 100_000_000


def ran(case: Case) -> Simulated:
    decides = [60_000 * int(name[:-1]) for name in case.timeframes]
    prepared = [prepare(one, case.model, decides) for one in case.market.series]
    return run(prepared, case.signals, case.plan, case.model, case.capital, fills=True)


@pytest.mark.parametrize("symbols", [1, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_it_ends_where_the_account_ends(seed: int, symbols: int) -> None:
    """Every fill model, gaps, missing bars, liquidations: off by the roundings of settlements at most."""
    case = random_case(seed, symbols=symbols)
    made = ran(case)
    assert made.fills is not None
    closes_ms, equity = equity_at_closes(made.fills, case.market.series, case.capital)
    settled = sum(len(one.funding_ms) for one in case.market.series)
    known = np.searchsorted(closes_ms, made.equity_ms[1:], "right") - 1
    assert np.abs(equity[known] - made.equity[1:]).max() <= 1 + settled + 1e-12 * case.capital
    told = intraday(made.fills, case.market.series, case.capital, made.equity_ms)
    assert told.turnover[0] == 0 and told.turnover[-1] == made.turnover
    assert told.deepest.depth == pytest.approx(_fall(np.concatenate(([case.capital], equity))), abs=1e-12)


@pytest.mark.parametrize("symbols", [1, 3])
def test_what_is_open_at_the_end_says_since_when(symbols: int) -> None:
    count = 0
    for seed in SEEDS:
        made = ran(random_case(seed, symbols=symbols))
        assert made.fills is not None
        for number, opened_ms in enumerate(made.opened_ms):
            mine = made.fills[made.fills["symbol"] == number]
            flat = np.flatnonzero(np.cumsum(mine["side"] * mine["steps"]) == 0)
            rest = mine[flat[-1] + 1 :] if len(flat) else mine
            assert opened_ms == (int(rest["time_ms"][0]) if len(rest) else None)
            assert (opened_ms is None) == (made.held[number] == 0)
            count += opened_ms is not None
    assert count > 2, "some of them must end with a position"


def test_liquidations_were_among_them() -> None:
    reasons = [ran(random_case(seed)).fills["reason"] for seed in SEEDS]  # type: ignore[index]
    assert any((one == LIQUIDATION).any() for one in reasons)


def test_a_fall_between_midnights_is_seen_at_the_close_of_its_bar() -> None:
    """Bought 1 at the first open at 100, closes 101, 90, 95, sold at the open of the fourth bar at 95: 10,001 is the
    peak and 9,990 the bottom, 11 / 10,001 deep; 195 has been traded in all, 100 of it by the third close."""
    one = series(np.array([101.0, 90.0, 95.0, 95.0]), open=np.array([100.0, 101.0, 90.0, 95.0]))
    steps = int(100_000_000 // one.instrument.step_e8)
    fills = np.zeros(2, FILL)
    fills["time_ms"], fills["side"], fills["steps"] = (START_MS, START_MS + 3 * MINUTE_MS), (1, -1), steps
    fills["ticks"] = np.rint(np.array([100.0, 95.0]) * one.instrument.ticks_per_quote)
    times = START_MS + MINUTE_MS * np.array([0, 3, 4])
    told = intraday(fills, (one,), CAPITAL, times)
    assert told.deepest.depth == pytest.approx(11 / 10_001)
    assert (told.deepest.peak_ms, told.deepest.bottom_ms) == (START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS)
    assert told.deepest.back_ms is None
    assert told.turnover.tolist() == [0, 100 * 100_000_000, 195 * 100_000_000]


def test_nothing_done_is_nothing_lost() -> None:
    one = series(np.array([101.0, 90.0]))
    told = intraday(np.zeros(0, FILL), (one,), CAPITAL, np.array([START_MS]))
    assert told.deepest.depth == 0.0 and told.turnover.tolist() == [0]


def _fall(equity: np.ndarray) -> float:  # type: ignore[type-arg]
    """The deepest one, the slow way."""
    peak, deepest = 0.0, 0.0
    for value in np.maximum(equity, 0.0):
        peak = max(peak, float(value))
        deepest = max(deepest, 1.0 - float(value) / peak)
    return deepest
