"""Columns are what a live reader was told, close by close, bit for bit."""

import numpy as np
import pytest

from aister.core.errors import DataError, UsageError
from aister.features.catalogue import CATALOGUE
from aister.features.columns import FeatureColumns
from aister.features.indicators import indicator
from aister.features.market import Features
from aister.features.timeframes import INTERVAL_MS, NAMES, bit
from aister.kernels import table
from aister.kernels.table_columns import column_of
from tests.features.markets import events_of
from tests.features.series import gapped, series_of
from tests.kernels.walks import MINUTE_MS, walk

SYMBOL = "BTCUSDT"


def same(a: float | None, b: float) -> bool:
    return bool(np.isnan(b)) if a is None else a == b


def test_every_catalogue_column_is_what_live_said_at_each_close() -> None:
    bars = gapped(3_000, 61)
    columns = FeatureColumns(series_of(bars))
    features = Features(MINUTE_MS, [SYMBOL])
    ids = [id for id in CATALOGUE if id.partition(".")[0] in NAMES]
    at = dict.fromkeys(NAMES, -1)
    checked = 0
    for event in events_of(bars, SYMBOL):
        closed = features.update(event)
        taken = features.snapshot(SYMBOL, event.time_ms)
        for name in NAMES:
            known = columns.closes(name).known_ms
            while at[name] + 1 < len(known) and known[at[name] + 1] <= event.time_ms:
                at[name] += 1
                assert closed & bit(name)
        if closed == 1 and event.time_ms % 7:
            continue
        for id in ids:
            name, _, output = id.partition(".")
            if closed & bit(name):
                assert same(taken.get(id), columns.column(name, output)[at[name]]), (id, event.time_ms)
                checked += 1
    assert [at[name] for name in NAMES] == [len(columns.closes(name)) - 1 for name in NAMES]
    assert checked > 10_000
    assert not columns.closes("5m").readable.all()


@pytest.mark.parametrize("decide", ["1m", "5m", "15m", "1h"])
def test_values_are_as_known_at_the_closes_of_another_timeframe(decide: str) -> None:
    bars = gapped(3_000, 62)
    columns = FeatureColumns(series_of(bars))
    ids = ("1m.rsi_14", "5m.close", "15m.sma_20", "1h.close", "4h.vwap", "1h.bars", "15m.unbroken", "clock.data_age")
    known = {id: columns.at(id, decide) for id in ids}
    features = Features(MINUTE_MS, [SYMBOL])
    row = 0
    times = columns.closes(decide).known_ms
    stale = 0
    for event in events_of(bars, SYMBOL):
        features.update(event)
        taken = features.snapshot(SYMBOL, event.time_ms)
        while row < len(times) and times[row] == event.time_ms:
            for id in ids:
                assert same(taken.get(id), known[id][row]), (id, row)
                stale += taken.get(id) is None
            row += 1
    assert row == len(times)
    assert stale > 0


def test_columns_asked_for_together_are_those_asked_for_alone() -> None:
    bars = gapped(3_000, 63)
    names = [f"ema_{span}" for span in (2, 5, 13, 20, 34, 50, 89, 144, 233)]
    together, alone = FeatureColumns(series_of(bars)), FeatureColumns(series_of(bars))
    for timeframe in ("1m", "1h"):
        together.prepare(timeframe, ("ema_20", *names, "complete"))
        for name in names:
            assert together.column(timeframe, name).tobytes() == alone.column(timeframe, name).tobytes()
            assert together.column(timeframe, name) is together.column(timeframe, name)


def test_an_alias_and_its_indicator_share_one_column() -> None:
    columns = FeatureColumns(series_of(walk(300, 64)))
    assert columns.column("1m", "macd") is columns.column("1m", "macd_12_26_9")


def test_bars_are_taken_as_they_are_and_never_written_to() -> None:
    bars = gapped(3_000, 65)
    before = [column.copy() for column in bars]
    columns = FeatureColumns(series_of(bars))
    for timeframe in NAMES:
        for name in ("open", "close", "volume", "vwap", "ema_20", "unbroken"):
            columns.column(timeframe, name)
    assert all((a == b).all() for a, b in zip(before, bars, strict=True))
    assert columns.column("1m", "close") is bars.c


@pytest.mark.parametrize(("row", "field", "value"), [(7, "h", 1.0), (9, "v", np.nan), (11, "l", 0.0)])
def test_what_is_no_bar_is_refused_and_named(row: int, field: str, value: float) -> None:
    bars = walk(20, 66)
    getattr(bars, field)[row] = value
    with pytest.raises(DataError, match=f"opened at {bars.open_time_ms[row]} is no bar"):
        FeatureColumns(series_of(bars))


def test_bars_out_of_order_or_off_the_grid_are_refused() -> None:
    for rows in ([0, 1, 1, 2], [0, 2, 1]):
        with pytest.raises(DataError, match="check the data"):
            FeatureColumns(series_of(walk(5, 67).take(np.array(rows))))
    with pytest.raises(DataError, match="boundary of 1m"):
        FeatureColumns(series_of(walk(5, 67, start_ms=1_746_403_200_007)))
    with pytest.raises(UsageError, match="cannot carry features"):
        FeatureColumns(series_of(walk(5, 67), 7 * MINUTE_MS))
    with pytest.raises(UsageError, match="no timeframe"):
        FeatureColumns(series_of(walk(5, 67))).closes("3m")


def test_a_timeframe_below_the_base_has_no_closes_and_is_known_nowhere() -> None:
    base_ms = INTERVAL_MS["15m"]
    columns = FeatureColumns(series_of(walk(50, 68, interval_ms=base_ms), base_ms))
    assert len(columns.closes("5m")) == 0
    assert len(columns.column("5m", "ema_3")) == 0
    assert np.isnan(columns.values("5m", "close", "15m")).all()
    assert columns.values("1h", "close", "15m")[3] == columns.closes("1h").close[0]


@pytest.mark.parametrize(
    "names", [("rsi_3",), ("atr_9", "ema_2"), ("ema_5", "ema_7", "ema_9", "rsi_4", "rsi_6", "atr_3")]
)
def test_together_and_one_by_one_are_the_same(names: tuple[str, ...]) -> None:
    """Several in one pass over the bars are bit for bit what each is alone, and what its rule says bar by bar."""
    series = series_of(walk(700, 69))
    together = FeatureColumns(series)
    together.prepare_ids([f"5m.{name}" for name in names] + ["session.weekday"])
    for name in names:
        column = together.column("5m", name)
        assert column.tobytes() == FeatureColumns(series).column("5m", name).tobytes()
        asked = indicator(name)
        closes = together.closes("5m")
        family, part = asked.opcode or (0, 0)
        state, rings = table.table([(0, family, part, asked.parameters)])
        plain = np.empty(len(closes))
        column_of(family)(
            state, rings, closes.open_ms, closes.known_ms, closes.close, closes.high, closes.low, closes.close,
            closes.volume, plain,
        )  # fmt: skip
        assert np.isnan(column[: asked.warmup - 1]).all()
        assert column[asked.warmup - 1 :].tobytes() == plain[asked.warmup - 1 :].tobytes()


def test_each_kernel_is_compiled_once() -> None:
    from aister.kernels import columns as over
    from aister.kernels.table import DISTANCE, MINIMUM, SPREAD, STRENGTH, WINDOWED

    for one in (
        over.gather_closes,
        over.last_known,
        over.smoothed,
        *map(column_of, (WINDOWED, STRENGTH, MINIMUM, DISTANCE, SPREAD)),
    ):
        assert len(one.signatures) <= 1  # type: ignore[attr-defined]
