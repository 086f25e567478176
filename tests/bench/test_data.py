"""Seeded bars: repeatable, on the grid, well formed, and as volatile as they say."""

import numpy as np
import pytest

from aister.bench.data import SPANS, seeded_market, seeded_series
from aister.core.errors import UsageError


def test_the_same_seed_gives_the_same_bars_and_a_shorter_span_is_the_start() -> None:
    long, short, other = seeded_series(5_000), seeded_series(3_000), seeded_series(3_000, seed=2)
    assert np.array_equal(long.close[:3_000], short.close) and np.array_equal(long.volume[:3_000], short.volume)
    assert not np.array_equal(short.close, other.close)


def test_bars_are_well_formed_and_on_the_grid() -> None:
    bars = seeded_series(20_000)
    assert (bars.low <= np.minimum(bars.open, bars.close)).all() and (
        bars.high >= np.maximum(bars.open, bars.close)
    ).all()
    assert np.array_equal(np.rint(bars.close * 100) / 100, bars.close)
    assert (bars.volume > 0).all() and (np.diff(bars.open_ms) == 60_000).all()
    assert np.array_equal(bars.open[1:], bars.close[:-1])


def test_a_month_is_about_as_volatile_as_sixty_percent_a_year() -> None:
    bars = seeded_series(SPANS["1 month"])
    yearly = float(np.diff(np.log(bars.close)).std()) * np.sqrt(525_600)
    assert 0.35 < yearly < 1.0


def test_funding_settles_every_eight_hours_inside_the_span() -> None:
    market = seeded_market(2 * 1_440)
    bars = market.series[0]
    assert [int(time - market.span_ms[0]) // 3_600_000 for time in bars.funding_ms] == [8, 16, 24, 32, 40]
    assert market.flags == ("synthetic",)


def test_no_bars_is_refused() -> None:
    with pytest.raises(UsageError, match="ask for 1 or more"):
        seeded_series(0)
