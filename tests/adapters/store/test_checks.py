"""Every class of defect is found by its name, at its row, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.store.checks import KINDS, bar_defects, bar_gaps, funding_defects, funding_gaps
from aister.adapters.store.intervals import DAY_MS, HOUR_MS, grid_offset_ms
from tests.adapters.recordings import MINUTE_MS, START_MS, Bars, bars, changed, picked

SOUND = bars(50)


def found(rows: Bars) -> dict[str, list[int]]:
    return {defect.kind: defect.rows.tolist() for defect in bar_defects(rows, MINUTE_MS)}


def test_sound_bars_have_no_defect() -> None:
    assert found(SOUND) == {}
    assert bar_gaps(SOUND["open_time"], MINUTE_MS) == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("not_finite", {"close": np.nan}),
        ("not_finite", {"volume": np.inf}),
        ("negative", {"low": -1.0}),
        ("negative", {"volume": -0.5}),
        ("negative", {"low": 0.0}),
        ("bad_ohlc", {"high": 99.0}),
        ("bad_ohlc", {"low": 101.0}),
        ("off_grid", {"open_time": START_MS + 20 * MINUTE_MS + 1}),
        ("wrong_unit", {"open_time": 0}),
        ("wrong_unit", {"high": 1000.0}),
        ("wrong_unit", {"low": 10.0}),
        ("disorder", {"open_time": START_MS - MINUTE_MS}),
        ("conflict", {"open_time": START_MS}),
        ("zero_volume", {"volume": 0.0}),
    ],
)
def test_each_kind_is_named_at_its_row(kind: str, values: dict[str, float]) -> None:
    result = found(changed(SOUND, 20, **values))
    assert result == {kind: [0, 20] if kind == "conflict" else [20]}


def test_prices_in_another_unit_are_the_minority() -> None:
    rows = {name: column.copy() for name, column in SOUND.items()}
    for name in ("open", "high", "low", "close"):
        rows[name][30:35] *= 100
    assert found(rows) == {"wrong_unit": [30, 31, 32, 33, 34]}


def test_a_real_crash_is_no_unit_error() -> None:
    rows = bars(50)
    for name in ("open", "high", "low", "close"):
        rows[name][30:] *= 0.4
    assert found(rows) == {}


def test_a_repeated_row_is_a_duplicate() -> None:
    assert found(picked(SOUND, [0, 1, 1, 2, 3])) == {"duplicate": [2]}


def test_one_row_ahead_of_its_time_does_not_condemn_the_rest() -> None:
    rows = changed(SOUND, 10, open_time=START_MS + 500 * MINUTE_MS)
    assert found(rows) == {"disorder": [10]}
    rows = changed(rows, 11, open_time=START_MS + 400 * MINUTE_MS)
    assert found(rows) == {"disorder": [10, 11]}


def test_gaps_say_where_and_how_many() -> None:
    gaps = bar_gaps(picked(SOUND, [0, 1, 5, 6, 9])["open_time"], MINUTE_MS)
    assert [(gap.start_ms, gap.end_ms, gap.missing) for gap in gaps] == [
        (START_MS + 2 * MINUTE_MS, START_MS + 5 * MINUTE_MS, 3),
        (START_MS + 7 * MINUTE_MS, START_MS + 9 * MINUTE_MS, 2),
    ]


def test_weeks_open_on_monday() -> None:
    week = 7 * DAY_MS
    assert (START_MS - grid_offset_ms(week)) % week == 0  # 2025-05-05 was a Monday
    assert bar_defects(bars(3, step_ms=week), week) == []


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(12)))
def test_what_remains_is_always_in_strict_order(order: list[int]) -> None:
    rows = picked(SOUND, np.array(order))
    bad = {
        row for defect in bar_defects(rows, MINUTE_MS) if KINDS[defect.kind] == "bad" for row in defect.rows.tolist()
    }
    kept = [row for row in range(12) if row not in bad]
    assert np.all(np.diff(rows["open_time"][kept]) > 0)
    assert bool(bad) == (order != sorted(order))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=30))
def test_order_defects_leave_each_time_once(offsets: list[int]) -> None:
    rows = picked(SOUND, np.array(offsets))
    named = [row for defect in bar_defects(rows, MINUTE_MS) for row in defect.rows.tolist()]
    kept = np.setdiff1d(np.arange(len(offsets)), named)
    assert len(named) == len(set(named))
    assert np.all(np.diff(rows["open_time"][kept]) > 0)
    assert len(kept) >= 1


def settlements(count: int, hours: float = 8) -> Bars:
    return {
        "settle_time": START_MS + np.arange(count) * int(hours * HOUR_MS),
        "rate": np.full(count, 1e-4),
        "interval_ms": np.full(count, hours * HOUR_MS),
    }


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("wrong_unit", {"rate": 0.3}),
        ("not_finite", {"rate": np.nan}),
        ("bad_interval", {"interval_ms": 1.5 * HOUR_MS}),
        ("off_grid", {"settle_time": START_MS + 16 * HOUR_MS + 5 * MINUTE_MS}),
        ("disorder", {"settle_time": START_MS - HOUR_MS}),
        ("conflict", {"settle_time": START_MS, "rate": 2e-4}),
        ("duplicate", {"settle_time": START_MS}),
        ("zero_rate", {"rate": 0.0}),
    ],
)
def test_each_kind_of_bad_settlement(kind: str, values: dict[str, float]) -> None:
    result = {defect.kind: defect.rows.tolist() for defect in funding_defects(changed(settlements(6), 2, **values))}
    assert result == {kind: [0, 2] if kind == "conflict" else [2]}


def test_a_missing_settlement_is_a_gap_and_a_new_interval_is_not() -> None:
    rows = picked(settlements(6), [0, 1, 4, 5])
    gaps = funding_gaps(rows["settle_time"], rows["interval_ms"])
    assert [(gap.start_ms, gap.missing) for gap in gaps] == [(START_MS + 16 * HOUR_MS, 2)]
    times = START_MS + np.array([0, 8, 16, 20, 24]) * HOUR_MS
    assert funding_gaps(times, np.array([8, 8, 8, 4, 4]) * float(HOUR_MS)) == []
