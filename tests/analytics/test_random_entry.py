"""Random entries keep what they are matched on and nothing else, and a result is judged fairly against them."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.analytics.benchmarks import buy_and_hold, hold_market
from aister.analytics.bootstrap import intervals, resampled
from aister.analytics.collect import collect
from aister.analytics.random_entry import RandomEntry, random_entry, random_setups
from aister.core.money import UNIT
from aister.kernels.signals import SETUP
from aister.kernels.trades import STOP, TIME
from aister.ports.market import Market
from tests.fakes.audits import START_MS as TAPE_MS
from tests.fakes.audits import Tape
from tests.fakes.rows import CAPITAL, HOUR_MS, MINUTE_MS, START_MS, market, series, trades

COST = 0.001


def walk(seed: int, days: int = 20, symbol: str = "BTCUSDT") -> Market:
    rng = np.random.default_rng(seed)
    return market(series(100 * np.exp(np.cumsum(rng.choice([-1e-3, 1e-3], days * 288))), symbol, 5 * MINUTE_MS))


def simulate(on: Market) -> object:
    """A trader who puts 1,000 on each setup and leaves at its stop's close or when its time is up."""
    bars = on.series[0]

    def run(setups: Sequence[np.ndarray], of: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([net(setups[0][first:end]) for first, end in itertools.pairwise(of[0])], np.int64)

    def net(setups: np.ndarray) -> int:
        total = 0.0
        for row in setups:
            first = int((row["time_ms"] - START_MS) // bars.interval_ms)
            last = min(first + int(row["horizon_ms"] // bars.interval_ms), len(bars.close) - 1)
            side, entry = int(row["side"]), bars.open[first]
            hit = np.flatnonzero(side * (bars.close[first:last] * 10 - row["stop_ticks"]) <= 0)
            out = bars.close[first + hit[0]] if len(hit) else bars.open[last]
            total += 1_000 * (side * (out / entry - 1) - COST)
        return round(total * UNIT)

    return run


def traded(on: Market, rng: np.random.Generator, count: int, stop: float = 0.02) -> np.ndarray:
    """The same trader entering by chance, once in each of `count` free stretches."""
    bars = on.series[0]
    rows = trades(count, side=rng.choice([1, -1], count), risk=round(1_000 * stop * UNIT))
    room = len(bars.close) // count
    for k, row in enumerate(rows):
        first = 1 + k * room + int(rng.integers(0, room // 3))
        held = int(rng.integers(2, room // 2))
        setup = np.zeros(1, SETUP)
        setup["time_ms"], setup["side"], setup["horizon_ms"] = bars.open_ms[first], row["side"], held * 5 * MINUTE_MS
        setup["stop_ticks"] = bars.open[first] * (1 - row["side"] * stop) * 10
        path = row["side"] * (bars.close[first : first + held] * 10 - setup["stop_ticks"][0])
        hit = np.flatnonzero(path <= 0)
        row["entry_ms"] = bars.open_ms[first]
        row["exit_ms"] = bars.open_ms[first + (int(hit[0]) if len(hit) else held)] + (len(hit) > 0)
        row["reason"] = STOP if len(hit) else TIME
        row["pnl"] = simulate(on)([setup], [np.array([0, 1])])[0]  # type: ignore[operator]
    return rows


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_matched_on_number_side_hour_stop_and_time_and_never_overlapping(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    on = market(*walk(seed).series, *walk(seed + 1, symbol="ETHUSDT").series)
    rows = trades(
        count,
        symbol=rng.integers(0, 2, count),
        side=rng.choice([1, -1], count),
        entry_ms=START_MS + rng.integers(0, 19 * 24 * 12, count) * 5 * MINUTE_MS,
        risk=rng.integers(5, 50, count) * UNIT,
    )
    rows["exit_ms"] = rows["entry_ms"] + rng.integers(1, 20, count) * 5 * MINUTE_MS
    held = set((rows["exit_ms"] - rows["entry_ms"]).tolist())
    found = random_setups(rows, on, rng)
    for index, setups in enumerate(found):
        mine = rows[rows["symbol"] == index]
        bars = on.series[index]
        assert len(setups) == len(mine)
        assert sorted(setups["side"]) == sorted(mine["side"])
        hours = lambda ms: sorted(ms // HOUR_MS % 24)  # noqa: E731
        assert hours(setups["time_ms"]) == hours(mine["entry_ms"])
        assert set(setups["horizon_ms"].tolist()) <= held
        assert (np.diff(setups["time_ms"]) > setups["horizon_ms"][:-1]).all()
        at = np.searchsorted(bars.open_ms, setups["time_ms"])
        assert (bars.open_ms[at] == setups["time_ms"]).all()
        assert setups["entry_ticks"].tolist() == np.rint(bars.close[at - 1] * 10).astype(int).tolist()
        distance = setups["side"] * (setups["entry_ticks"] - setups["stop_ticks"]) / setups["entry_ticks"]
        assert sorted(distance) == pytest.approx(sorted(mine["risk"] / mine["entry_cost"]), abs=1e-3)
        beyond = setups["side"] * (setups["target_ticks"][:, 0] - setups["entry_ticks"])
        assert (beyond > 0).all() and (setups["share_e4"][:, 0] == 10_000).all()


def test_without_drift_random_entry_loses_its_costs_and_a_random_trader_is_in_the_middle() -> None:
    rng = np.random.default_rng(3)
    means, places = [], []
    for seed in range(40):
        on = walk(seed)
        found = random_entry(traded(on, rng, 12), on, simulate(on), capital=CAPITAL, seed=seed, draws=40)  # type: ignore[arg-type]
        assert found.matched.percentile is not None and found.unplaced == 0.0
        means.append(found.matched.mean)
        places.append(found.matched.percentile / 100)
    assert abs(np.mean(means) + 12 * 1_000 * COST / 10_000) <= 2.5 * np.std(means, ddof=1) / np.sqrt(40)
    ordered, ranks = np.sort(places), np.arange(1, 41) / 40
    assert np.max(np.abs(ranks - ordered)) < 1.63 / np.sqrt(40), "percentiles of chance are uniform"


def test_an_edge_stands_out_and_it_repeats_from_its_seed() -> None:
    on = walk(7)
    rows = traded(on, np.random.default_rng(7), 40)
    rows["pnl"] += 12 * UNIT
    first, again, other = (
        random_entry(rows, on, simulate(on), capital=CAPITAL, seed=seed, draws=60)  # type: ignore[arg-type]
        for seed in (1, 1, 2)
    )
    assert first == again != other and first.seed == 1
    assert first.matched.evidence and first.matched.percentile == 100.0
    none = random_entry(trades(0), on, simulate(on), capital=CAPITAL, seed=1)  # type: ignore[arg-type]
    assert isinstance(none, RandomEntry) and none.matched.percentile is None


def test_what_finds_no_free_place_is_told() -> None:
    on = walk(1, days=2)
    rows = trades(30, exit_ms=START_MS + 10 * HOUR_MS, entry_ms=START_MS)
    found = random_entry(rows, on, lambda setups, of: np.zeros(3, np.int64), capital=CAPITAL, seed=1, draws=3)
    assert 28 / 30 <= found.unplaced < 1.0


def test_holding_a_market_is_holding_a_run_of_it() -> None:
    """The same bars and settlements through a journal and as columns."""
    tape = Tape()
    rng = np.random.default_rng(4)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-3, 12 * 60))), 1)
    opened = np.concatenate([[100.0], close[:-1]])
    for minute in range(12 * 60):
        tape.bar(minute, close[minute], open=opened[minute])
        if minute == 8 * 60 - 1:
            tape.funding(TAPE_MS + 8 * HOUR_MS, 0.0)
    run = buy_and_hold(collect(tape.end()))
    bars = series(
        np.concatenate([[90.0, 95.0], close]),
        open=np.concatenate([[90.0, 90.0], opened]),
        open_ms=TAPE_MS + MINUTE_MS * np.arange(-2, 12 * 60),
        funding_ms=np.array([TAPE_MS - 1, TAPE_MS + 8 * HOUR_MS, TAPE_MS + 16 * HOUR_MS]),
        funding_e8=np.array([5_000, 10_000, 7_000]),
        start=2,
    )
    held = hold_market(market(bars), CAPITAL)
    assert run is not None and held is not None
    assert (held.times_ms, held.by_symbol) == (run.times_ms, run.by_symbol)
    for name in ("net_return", "fees", "funding", "max_drawdown", "equity"):
        assert getattr(held, name) == pytest.approx(getattr(run, name)), name
    assert held.funding == pytest.approx(10_000 / 100 / 1.00035 * close[8 * 60 - 1] * 1e-4)
    assert hold_market(market(series(close, start=len(close))), CAPITAL) is None


def test_intervals_cover_what_is_true_and_say_their_seed() -> None:
    rng = np.random.default_rng(12)
    inside = {"mean_daily": 0, "volatility_daily": 0, "sharpe_daily": 0, "net_return": 0}
    truth = {"mean_daily": 0.001, "volatility_daily": 0.01, "sharpe_daily": 0.1, "net_return": 0.001 * 150}
    for seed in range(100):
        found = intervals(rng.normal(0.001, 0.01, 150), seed=seed, draws=300)
        assert found is not None and (found.seed, found.draws) == (seed, 300)
        for name in inside:
            inside[name] += found.by[name].low <= truth[name] <= found.by[name].high
        assert 0.0 <= found.by["max_drawdown"].low <= found.by["max_drawdown"].high <= 1.0
    assert all(85 <= count <= 100 for count in inside.values()), inside
    losing = intervals(rng.normal(-0.01, 0.005, 100), seed=1)
    assert losing is not None and losing.loss_probability == 1.0
    flat = intervals(np.zeros(20), seed=1)
    assert flat is not None and "sharpe_daily" not in flat.by and intervals(np.zeros(7), seed=1) is None


def test_resampling_keeps_dependence() -> None:
    """Runs of equal returns stay together: the variance of the mean is far above that of independent draws."""
    returns = np.repeat(np.random.default_rng(1).choice([-0.01, 0.01], 40), 10)
    spread = resampled(returns, seed=2).mean(axis=1).var()
    assert spread > 3 * returns.var() / len(returns)
