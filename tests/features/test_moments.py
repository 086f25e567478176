"""Sessions, clock and funding as columns are what a live reader was told at each decision."""

import time

import numpy as np
import pytest

from aister.core.errors import UsageError
from aister.core.events import FundingSettled
from aister.features.catalogue import CONTEXT
from aister.features.columns import FeatureColumns
from aister.features.context import Facts, context_values
from aister.features.market import Features
from aister.features.moments import context_column
from aister.ports.market import Series
from tests.fakes.audits import instrument
from tests.features.markets import EIGHT_HOURS_MS, events_of
from tests.features.series import series_of
from tests.kernels.walks import MINUTE_MS, START_MS, walk

YEAR_MS = 365 * 86_400_000
HOUR_MS = 60 * MINUTE_MS


def same(a: float | None, b: float) -> bool:
    return bool(np.isnan(b)) if a is None else a == b


def test_over_two_years_every_session_and_clock_feature_is_that_of_the_moment() -> None:
    """Through the changes of both clocks, at odd minutes and at the very hours of change."""
    times = np.sort(np.random.default_rng(5).integers(START_MS, START_MS + 2 * YEAR_MS, 3_000) // MINUTE_MS * MINUTE_MS)
    changes = [1_762_063_200_000, 1_761_440_400_000, 1_772_953_200_000, 1_774_746_000_000]  # autumn 2025, spring 2026
    times = np.sort(np.concatenate((times, *(np.arange(t - 4 * HOUR_MS, t + 4 * HOUR_MS, 1_800_000) for t in changes))))
    series = series_of(walk(1, 1))
    ids = [f.id for f in CONTEXT if f.id.startswith(("session", "clock")) and f.id != "session.midnight_open"]
    columns = {id: context_column(series, id, times) for id in ids}
    for i, moment in enumerate(times.tolist()):
        known, _ = context_values(Facts(START_MS + MINUTE_MS, None, None), moment)
        for id in ids:
            if id != "clock.data_age" or moment > START_MS:
                assert known[id] == columns[id][i], (id, moment)


def test_what_rests_on_bars_and_settlements_is_what_live_was_told() -> None:
    """Settlements ride before the bar that opens at their time: at a decision at that very moment they are unknown."""
    bars = walk(3 * 1_440, 7).take(np.setdiff1d(np.arange(3 * 1_440), [240, *range(1_000, 1_500)]))
    settled = [
        FundingSettled(START_MS + i * EIGHT_HOURS_MS, "BTCUSDT", 1_000 + i, EIGHT_HOURS_MS) for i in (1, 2, 3, 5)
    ]
    settled.append(FundingSettled(START_MS + 45 * HOUR_MS, "BTCUSDT", 77, 4 * HOUR_MS))
    series = Series(
        instrument(),
        MINUTE_MS,
        *bars,
        np.array([f.time_ms for f in settled]),
        np.array([f.rate_e8 for f in settled]),
        funding_interval_ms=np.array([f.interval_ms for f in settled]),
    )
    columns = FeatureColumns(series)
    ids = [f.id for f in CONTEXT]
    given = {id: columns.at(id, "5m") for id in ids}
    times = columns.closes("5m").known_ms
    features, row, known = Features(MINUTE_MS, ["BTCUSDT"]), 0, 0
    for event in events_of(bars, "BTCUSDT"):
        while settled and settled[0].time_ms <= event.open_time_ms:
            features.settle(settled.pop(0))
        features.update(event)
        while row < len(times) and times[row] == event.time_ms:
            taken = features.snapshot("BTCUSDT", event.time_ms)
            for id in ids:
                assert same(taken.get(id), given[id][row]), (id, row)
                known += taken.get(id) is not None
            row += 1
    assert row == len(times)
    assert len(ids) * row * 0.5 < known < len(ids) * row


def test_without_settlements_or_their_intervals() -> None:
    bars = walk(600, 8)
    times = np.array([START_MS + 500 * MINUTE_MS])
    assert np.isnan(context_column(series_of(bars), "funding.rate", times)).all()
    one = Series(instrument(), MINUTE_MS, *bars, np.array([START_MS + EIGHT_HOURS_MS]), np.array([2_500]))
    assert context_column(one, "funding.rate_8h", times).tolist() == [2_500 / 1e8]
    assert context_column(one, "funding.minutes_to_next", times).tolist() == [480.0 - 20.0]
    assert len(context_column(one, "session.weekday", times[:0])) == 0
    with pytest.raises(UsageError, match="no timeframe"):
        context_column(one, "session.tea_time", times)


def test_a_year_of_minutes_is_quick() -> None:
    times = START_MS + MINUTE_MS * np.arange(525_600)
    series = series_of(walk(1, 1))
    began = time.process_time()
    column = context_column(series, "session.minutes_to_new_york_open", times)
    assert time.process_time() - began < 0.4
    assert column.size == 525_600
