"""Sheets: shared columns, bounded memory, the right moments."""

import numpy as np
import pytest

from aister.core.errors import UsageError
from aister.features.columns import FeatureColumns
from aister.strategy.spec.batch import Sheet, compile_spec
from aister.strategy.spec.operations import CONDITIONS
from aister.strategy.spec.program import program_of
from aister.strategy.spec.spec import read_spec
from aister.strategy.templates import template
from tests.kernels.walks import MINUTE_MS
from tests.strategy.spec.live_run import COST_E8, rows_of
from tests.strategy.spec.test_random import COLUMNS, FIVE_MS, MARKETS
from tests.strategy.spec.test_refusals import GOOD


def test_decisions_are_whole_bars_inside_the_span() -> None:
    sheet = Sheet(COLUMNS[0], "5m")
    series = MARKETS[0]
    assert sheet.time_ms.tolist() == (series.open_ms[series.start :] + FIVE_MS).tolist()
    quarter = Sheet(COLUMNS[0], "15m")
    opened = set(series.open_ms.tolist())
    whole = [
        end
        for end in range(
            int(series.open_ms[0]) // 900_000 * 900_000 + 900_000, int(series.open_ms[-1]) + FIVE_MS + 1, 900_000
        )
        if all(end - k * FIVE_MS in opened for k in (1, 2, 3)) and end > series.open_ms[series.start]
    ]
    assert quarter.time_ms.tolist() == whole


def test_the_run_counts_closes_since_the_last_gap() -> None:
    sheet = Sheet(COLUMNS[0], "5m")
    runs = sheet.run(np.arange(len(sheet.time_ms)))
    run = 0
    for index, (before, now) in enumerate(zip(sheet.time_ms, sheet.time_ms[1:], strict=False), 1):
        run = run + 1 if now - before == FIVE_MS else 0
        assert runs[index] == run
    assert runs.max() > 300


def test_a_small_budget_changes_nothing() -> None:
    columns = COLUMNS[0]
    tight, roomy = Sheet(columns, "15m", budget=20_000), Sheet(columns, "15m")
    for name in ("hour_trend_dip", "bollinger_reversion", "vwap_reversion", "hour_trend_dip"):
        one, other = (compile_spec(template(name), columns, COST_E8, sheet) for sheet in (tight, roomy))
        assert rows_of(one) == rows_of(other)
    assert tight.kept_bytes <= 20_000 < roomy.kept_bytes


def test_a_sheet_is_of_one_timeframe_and_series() -> None:
    spec = read_spec(GOOD)
    for sheet in (Sheet(COLUMNS[0], "1h"), Sheet(COLUMNS[1], "15m")):
        with pytest.raises(UsageError, match="hand it a sheet of that timeframe and series"):
            compile_spec(spec, COLUMNS[0], COST_E8, sheet)
    with pytest.raises(UsageError, match="feed smaller ones"):
        Sheet(COLUMNS[0], "1m")


def test_other_symbols_get_nothing() -> None:
    spec = read_spec({**GOOD, "symbols": ["ETHUSDT"]})
    signals = compile_spec(spec, COLUMNS[0], COST_E8)
    assert (len(signals.setups), len(signals.exits)) == (0, 0)


def test_no_bars_no_signals() -> None:
    series = MARKETS[0]
    bars = (series.open_ms, series.open, series.high, series.low, series.close, series.volume)
    nothing = np.zeros(0, np.int64)
    empty = type(series)(series.instrument, MINUTE_MS, *(column[:0] for column in bars), nothing, nothing)
    signals = compile_spec(read_spec(GOOD), FeatureColumns(empty), COST_E8)
    assert (len(signals.setups), len(signals.exits), signals.unsound) == (0, 0, 0)


def test_rows_are_where_the_column_holds() -> None:
    """Whatever part of an `and` is looked at first, with gaps in the data and crossings some closes ago."""
    rules = {
        **GOOD,
        "timeframe": "5m",
        "let": {**GOOD["let"], "quick": {"feature": "ema", "span": 5}, "slow": {"feature": "ema", "span": 13}},
        "long": {
            **GOOD["long"],
            "entry": {
                "and": [
                    {">": [{"feature": "rsi", "span": 7}, 45]},
                    {"crosses_above": [{"use": "quick"}, {"use": "slow"}]},
                    {"not": {"crosses_below": [{"feature": "close"}, 30_000]}},
                ]
            },
        },
    }
    program = program_of(read_spec(rules))
    conditions = [at for at, one in enumerate(program.operations) if one.name in CONDITIONS]
    for columns in COLUMNS:
        sheet, other = Sheet(columns, "5m"), Sheet(columns, "5m")
        for at in conditions:
            holds = np.broadcast_to(other.column(program.operations, at), other.time_ms.shape)
            assert sheet.rows(program.operations, at).tolist() == np.flatnonzero(holds).tolist()
        entry = sheet.rows(program.operations, program.sides[0].entry)
        assert len(entry) > 10 and sheet.rows(program.operations, program.sides[0].entry) is entry
