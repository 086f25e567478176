"""Columns are what a live reader was told, close by close, bit for bit."""

import numpy as np
import pytest

from aister.features.catalogue import CATALOGUE
from aister.features.columns import FeatureColumns
from aister.features.market import Features
from aister.features.timeframes import NAMES, bit
from tests.features.markets import events_of
from tests.features.series import gapped, series_of
from tests.kernels.walks import MINUTE_MS

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
