"""Buy-and-hold by hand; matched random entry: costs and nothing else without drift, and fair to a random result."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.analytics.benchmarks import (
    Bars,
    _first_at_or_below,
    _ladder,
    buy_and_hold,
    matched_random,
    planned_holding,
)
from aister.analytics.collect import collect
from aister.core.money import UNIT
from aister.core.trade import Side
from tests.fakes.audits import HOUR_MS, MINUTE_MS, START_MS, Tape
from tests.fakes.results import result, trade

CAPITAL = 10_000


def walk(seed: int, count: int = 20 * 1440, step: float = 4e-4) -> Bars:
    """A driftless walk of minutes: price is a martingale, lows and highs are those of four steps inside the bar."""
    rng = np.random.default_rng(seed)
    inner = rng.choice([-step, step], size=(count, 4)) / 2
    path = 100.0 * np.exp(np.cumsum(inner.ravel()) - np.arange(1, inner.size + 1) * (step / 2) ** 2 / 2).reshape(
        count, 4
    )
    opens = np.concatenate([[100.0], path[:-1, -1]])
    every = np.column_stack([opens, path])
    times = START_MS + MINUTE_MS * np.arange(count, dtype=np.int64)
    return Bars(MINUTE_MS, times, opens, every.max(axis=1), every.min(axis=1), path[:, -1])


def traded(bars: Bars, rng: np.random.Generator, count: int, stop: float, cost: float) -> list:
    """Trades of a trader who enters at random, plans to hold 30 to 600 minutes, and keeps a stop."""
    trades = []
    for _ in range(count):
        side = int(rng.choice([1, -1]))
        start = int(rng.integers(0, len(bars.open) - 700))
        held = int(rng.integers(30, 600))
        entry = float(bars.open[start])
        level = entry * (1 - side * stop)
        worst = bars.low if side > 0 else bars.high
        hits = np.flatnonzero(side * (worst[start : start + held] - level) <= 0)
        end = start + int(hits[0]) if len(hits) else start + held
        out = side * min(side * level, side * float(bars.open[end])) if len(hits) else float(bars.open[end])
        pnl = 1_000 * (side * (out / entry - 1) - cost)
        trades.append(
            trade(
                side=Side(side),
                opened_ms=int(bars.open_time[start]),
                entry_price=entry,
                stop_price=level,
                stopped=bool(len(hits)),
                held_ms=max(1, end - start) * MINUTE_MS,
                pnl=round(pnl * UNIT),
                fees=round(1_000 * cost * UNIT),
                notional=1_000 * UNIT,
            )
        )
    return trades


def test_buy_and_hold_by_hand() -> None:
    tape = Tape()
    tape.bar(0, 101.0, open=100.0)
    tape.hours(0, 10, 105.0)
    tape.funding(START_MS + 8 * HOUR_MS, 0.0)  # the market's settlement of 0.01 %
    tape.bar(600, 110.0)
    hold = buy_and_hold(collect(tape.end()))
    assert hold is not None
    size = CAPITAL / (100.0 * 1.00035)
    fees = size * (100.0 + 110.0) * 0.00035
    funding = size * 105.0 * 0.0001
    assert hold.fees == pytest.approx(fees) and hold.funding == pytest.approx(funding)
    assert hold.net_return == pytest.approx((size * 10.0 - fees - funding) / CAPITAL)
    assert hold.by_symbol == {"BTCUSDT": pytest.approx(0.1)}


def test_planned_holding_is_the_product_limit_estimate() -> None:
    # freireich-style: times 1, 2+, 3, 4+ (+ = stopped): S(1) = 3/4, S(3) = 3/4 x 1/2, the rest at 4
    times, mass = planned_holding([1, 2, 3, 4], [False, True, False, True])
    assert times.tolist() == [1, 3, 4]
    assert mass.tolist() == pytest.approx([0.25, 0.375, 0.375])
    assert planned_holding([5, 6], [True, True])[0].tolist() == [6]


@settings(max_examples=60)
@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=70),
    st.data(),
)
def test_the_ladder_finds_the_first_bar_a_plain_loop_finds(values: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values) - 1))
    end = data.draw(st.integers(start, len(values)))
    level = data.draw(st.integers(-10, 10))
    expected = next((i for i in range(start, end) if values[i] <= level), end)
    ladder = _ladder(np.array(values, float), max(1, end - start))
    found = _first_at_or_below(ladder, np.array([start]), np.array([end]), np.array([float(level)]))
    assert found.tolist() == [expected]


def test_without_drift_random_entry_loses_its_costs() -> None:
    rng = np.random.default_rng(1)
    means = []
    for seed in range(12):
        bars = walk(seed)
        run = result(traded(bars, rng, 40, 0.01, 0.001))
        means.append(matched_random(run, lambda symbol, bars=bars: bars, seed=seed, draws=400).mean)
    costs = 40 * 1_000 * 0.001 / CAPITAL
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(np.mean(means) + costs) <= 2.5 * error
    assert error < 0.5 * costs


def test_a_random_trader_lands_anywhere() -> None:
    """Percentiles of results that are themselves random are uniform: Kolmogorov-Smirnov distance within its 1 %
    bound."""
    rng = np.random.default_rng(8)
    places = []
    for seed in range(120):
        bars = walk(1_000 + seed, count=6 * 1440)
        run = result(traded(bars, rng, 30, 0.006, 0.001))
        place = matched_random(run, lambda symbol, bars=bars: bars, seed=seed, draws=200).percentile
        assert place is not None
        places.append(place / 100)
    ordered = np.sort(places)
    ranks = np.arange(1, len(ordered) + 1) / len(ordered)
    assert np.max(np.abs(ranks - ordered)) < 1.63 / np.sqrt(len(ordered))


def test_a_result_with_an_edge_stands_out_and_a_bad_one_too() -> None:
    bars = walk(3)
    rng = np.random.default_rng(3)
    plain = traded(bars, rng, 60, 0.01, 0.001)
    better = [msgspec.structs.replace(t, pnl=t.pnl + 5 * UNIT) for t in plain]
    found = matched_random(result(better), lambda symbol: bars, seed=1)
    assert found.percentile == 100.0 and found.evidence and "above the 95th percentile" in found.words


def test_stops_bound_the_loss_and_funding_is_charged() -> None:
    """A market that only falls: longs lose their stop, and pay what was settled while they held."""
    count = 3 * 1440
    price = 100.0 * np.exp(-1e-5 * np.arange(count))
    times = START_MS + MINUTE_MS * np.arange(count, dtype=np.int64)
    bars = Bars(MINUTE_MS, times, price, price, price, price)
    one = trade(opened_ms=START_MS, entry_price=100.0, stop_price=99.0, held_ms=100 * HOUR_MS, stopped=False)
    found = matched_random(result([one]), lambda symbol: bars, seed=1, draws=50)
    assert found.low is not None and found.low >= -1_000 * 0.0101 / CAPITAL
    calm = Bars(
        MINUTE_MS, times, np.full(count, 100.0), np.full(count, 100.0), np.full(count, 100.0), np.full(count, 100.0)
    )
    tape = Tape()
    tape.hours(0, 8, 100.0)
    tape.funding(START_MS + 8 * HOUR_MS, 0.0)
    tape.hours(8, 24, 100.0)
    settled = collect(tape.end()).settlements
    held = trade(opened_ms=START_MS + 7 * HOUR_MS, entry_price=100.0, held_ms=2 * HOUR_MS)
    short = calm.open_time < START_MS + 24 * HOUR_MS
    day = Bars(MINUTE_MS, *(column[short] for column in (calm.open_time, calm.open, calm.high, calm.low, calm.close)))
    paid = matched_random(result([held], settlements=settled), lambda symbol: day, seed=1, draws=50)
    assert paid.mean == pytest.approx(-1_000 * 0.0001 / CAPITAL)


def test_it_repeats_from_its_seed_and_says_when_there_is_too_little() -> None:
    bars = walk(5, count=3 * 1440)
    run = result(traded(bars, np.random.default_rng(1), 12, 0.01, 0.001))
    first, again, other = (matched_random(run, lambda symbol: bars, seed=seed, draws=100) for seed in (1, 1, 2))
    assert first == again != other
    assert not first.evidence and first.words.startswith("12 trades: not enough data")
    nothing = matched_random(result([]), lambda symbol: bars, seed=1)
    assert nothing.percentile is None and nothing.words.startswith("No closed trades")
