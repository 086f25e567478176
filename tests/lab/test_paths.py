"""Paths: valid bars on the grid, whole days in another order, no drift, and everything that lies inside days kept."""

import msgspec
import numpy as np
import pytest

from aister.core.errors import DataError
from aister.lab.paths import DAY_MS, bootstrap_path, drawn_days, whole_days
from aister.ports.market import Market, Series
from tests.fakes.rows import HOUR_MS, START_MS, instrument, series

DAYS = 40
COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


def drifting(symbol: str, seed: int, days: int = DAYS) -> Series:
    """Hourly bars that rise 1 % a day, calm days and wild days in weeks, the 14th hour wilder than the others."""
    rng, count = np.random.default_rng(seed), 24 * days
    hour, day = np.arange(count) % 24, np.arange(count) // 24
    size = 0.002 * np.where(hour == 14, 4.0, 1.0) * np.where(day // 7 % 2, 3.0, 1.0)
    close = np.round(30_000 * np.exp(np.cumsum(0.01 / 24 + rng.normal(0.0, size))), 1)
    settled = START_MS + 8 * HOUR_MS * np.arange(3 * days)
    made = series(close, symbol, HOUR_MS, volume=rng.exponential(5.0, count), funding_ms=settled)
    high, low = (
        made.high + np.round(rng.exponential(9.0, count), 1),
        made.low - np.round(rng.exponential(5.0, count), 1),
    )
    return msgspec.structs.replace(made, high=high, low=low, funding_e8=10_000 + np.arange(3 * days))


def market(*made: Series) -> Market:
    return Market(made, (START_MS, START_MS + DAYS * DAY_MS), "made up")


TWO = market(drifting("BTCUSDT", 1), drifting("ETHUSDT", 2))


def test_the_same_seed_makes_the_same_path_and_another_seed_another() -> None:
    one, again, other = (bootstrap_path(TWO, seed) for seed in (5, 5, 6))
    assert (one.series[0].close == again.series[0].close).all()
    assert one.data_hash == again.data_hash != other.data_hash
    assert (one.series[0].close != other.series[0].close).any()
    assert one.flags == ("prices: block bootstrap, seed 5",)


def test_bars_are_valid_on_the_grid_and_at_their_times() -> None:
    path = bootstrap_path(TWO, 3)
    assert path.span_ms == TWO.span_ms
    for one, was in zip(path.series, TWO.series, strict=True):
        assert (one.open_ms == was.open_ms).all()
        assert (one.low <= np.minimum(one.open, one.close)).all()
        assert (one.high >= np.maximum(one.open, one.close)).all()
        assert (one.low > 0).all()
        assert np.abs(one.close * 10 - np.rint(one.close * 10)).max() < 1e-6


def test_a_bar_keeps_its_shape_or_is_turned_upside_down() -> None:
    was, path, drawn = TWO.series[0], bootstrap_path(TWO, 9), drawn_days(whole_days(TWO), 9)
    one = path.series[0]
    assert set(drawn.sign) == {1, -1}
    for place in range(3, DAYS):
        source, up = int(drawn.source[place] - whole_days(TWO)[0]), drawn.sign[place]
        mine, its = slice(24 * place, 24 * place + 24), slice(24 * source, 24 * source + 24)
        assert (one.volume[mine] == was.volume[its]).all()
        body, range_ = np.log(one.close[mine] / one.open[mine]), np.log(one.high[mine] / one.low[mine])
        assert np.allclose(body, up * np.log(was.close[its] / was.open[its]), atol=2e-5)
        assert np.allclose(range_, np.log(was.high[its] / was.low[its]), atol=2e-5)
        upper = np.log((one.high if up > 0 else one.low)[mine] / one.open[mine])
        assert np.allclose(upper, up * np.log(was.high[its] / was.open[its]), atol=2e-5)
        assert (one.funding_e8[3 * place : 3 * place + 3] == up * was.funding_e8[3 * source : 3 * source + 3]).all()


def test_symbols_take_the_same_days_the_same_way_up() -> None:
    whole = market(
        drifting("BTCUSDT", 1), msgspec.structs.replace(drifting("BTCUSDT", 1), instrument=instrument("ETHUSDT"))
    )
    path = bootstrap_path(whole, 4)
    assert (path.series[0].close == path.series[1].close).all()


def test_a_drift_of_one_percent_a_day_is_gone_and_volatility_stays() -> None:
    ends, sizes, hours = [], [], []
    for seed in range(200):
        step = np.diff(np.log(bootstrap_path(TWO, seed).series[0].close))
        ends.append(step.sum())
        sizes.append(step.std())
        hours.append(np.abs(step[13::24]).mean() / np.abs(step[3::24]).mean())
    error = np.std(ends, ddof=1) / len(ends) ** 0.5
    assert abs(np.mean(ends)) < 3 * error < 0.1  # the market itself rose by 0.4
    true = np.diff(np.log(TWO.series[0].close))
    assert np.mean(sizes) == pytest.approx(true.std(), rel=0.05)
    assert np.mean(hours) > 2.5  # the 14th hour is still the wild one


def test_blocks_are_of_one_to_ten_days_each_one_way_up() -> None:
    days = np.arange(10_000)
    drawn = drawn_days(days, 2)
    begins = np.flatnonzero(np.diff(drawn.block, prepend=-1))
    lengths = np.diff(np.append(begins, len(days)))
    assert set(lengths.tolist()) == set(range(1, 11))
    assert lengths.mean() == pytest.approx(5.5, abs=0.3)
    assert abs(drawn.sign[begins].mean()) < 0.1
    inside = np.diff(drawn.block) == 0
    assert (np.diff(drawn.source)[inside] % len(days) == 1).all()
    assert (np.diff(drawn.sign)[inside] == 0).all()


def test_history_stays_history_and_half_days_are_left_out() -> None:
    one = msgspec.structs.replace(drifting("BTCUSDT", 1), start=24 * 10 + 5)
    half = msgspec.structs.replace(
        one,
        **{name: getattr(one, name)[7:] for name in ("open_ms", "open", "high", "low", "close", "volume")},
        start=238,
    )
    whole = Market((half,), (START_MS + 245 * HOUR_MS, START_MS + DAYS * DAY_MS), "part")
    path = bootstrap_path(whole, 1).series[0]
    assert path.open_ms[0] == START_MS + DAY_MS
    assert path.open_ms[path.start] == START_MS + 245 * HOUR_MS


def test_less_than_two_days_are_refused() -> None:
    with pytest.raises(DataError, match="whole UTC days"):
        bootstrap_path(Market((drifting("BTCUSDT", 1, 1),), (START_MS, START_MS + DAY_MS), "short"), 1)
