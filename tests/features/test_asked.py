"""Every kind of indicator: column = live table = restored from a snapshot, bit for bit, through gaps."""

import numpy as np
import pytest

from aister.core.errors import DataError, UsageError
from aister.features.catalogue import CATALOGUE
from aister.features.columns import FeatureColumns
from aister.features.indicators import indicator
from aister.features.market import Features
from aister.features.timeframes import bit
from tests.features.examples import ALL
from tests.features.markets import bars_of, events_of
from tests.features.series import gapped, series_of
from tests.kernels.walks import MINUTE_MS, START_MS

SYMBOL = "BTCUSDT"
WANTED = [(timeframe, name) for timeframe in ("1m", "5m", "15m") for name in ALL]


def same(a: float | None, b: float) -> bool:
    return bool(np.isnan(b)) if a is None else a == b


@pytest.mark.parametrize("seed", [81, 82])
def test_column_is_live_is_restored(seed: int) -> None:
    bars = gapped(4_000, seed)
    columns = FeatureColumns(series_of(bars))
    features = Features(MINUTE_MS, [SYMBOL], WANTED)
    rows = {timeframe: -1 for timeframe in ("1m", "5m", "15m")}
    known = {timeframe: 0 for timeframe in rows}
    for i, event in enumerate(events_of(bars, SYMBOL)):
        closed = features.update(event)
        if i == 2_000:
            restored = Features(MINUTE_MS, [SYMBOL], WANTED)
            restored.load(features.save())
            features = restored
        due = [timeframe for timeframe in rows if closed & bit(timeframe)]
        for timeframe in due:
            times = columns.closes(timeframe).known_ms
            while rows[timeframe] + 1 < len(times) and times[rows[timeframe] + 1] <= event.time_ms:
                rows[timeframe] += 1
        if due == ["1m"] and i % 10:
            continue
        taken = features.snapshot(SYMBOL, event.time_ms)
        for timeframe in due:
            for name in ALL:
                value = taken.get(f"{timeframe}.{name}")
                assert same(value, columns.column(timeframe, name)[rows[timeframe]]), (timeframe, name, i)
                known[timeframe] += value is not None
    assert [rows[timeframe] for timeframe in rows] == [len(columns.closes(timeframe)) - 1 for timeframe in rows]
    assert min(known.values()) > 5_000


def test_what_was_asked_for_has_a_value_or_a_reason() -> None:
    bars = bars_of(600)
    features = Features(MINUTE_MS, [SYMBOL], WANTED)
    for bar in bars:
        features.update(bar)
    taken = features.snapshot(SYMBOL, bars[-1].time_ms)
    ids = {f"{timeframe}.{name}" for timeframe, name in WANTED}
    assert (taken.values.keys() | taken.unavailable.keys()) == CATALOGUE.keys() | ids
    assert not taken.values.keys() & taken.unavailable.keys()
    assert all(np.isfinite(value) for value in taken.values.values())
    assert taken.unavailable["15m.ema_34"] == f"needs {indicator('ema_34').warmup - 40} more closed 15m bars of 269"
    assert taken.get("15m.ema_34") is None
    later = features.snapshot(SYMBOL, bars[-1].time_ms + 60 * MINUTE_MS)
    assert later.unavailable["5m.highest_20"].startswith("stale: ")


def test_a_value_that_the_bars_do_not_determine_says_why() -> None:
    bars = bars_of(400)
    flat = [type(bar)(bar.time_ms, SYMBOL, bar.open_time_ms, 5.0, 5.0, 5.0, 5.0, 1.0) for bar in bars]
    wanted = [("1m", name) for name in ("rsi_7", "zscore_20", "stochastic_k_14_3", "supertrend_10_3", "swing_high_2")]
    features = Features(MINUTE_MS, [SYMBOL], wanted)
    for bar in flat:
        features.update(bar)
    reasons = features.snapshot(SYMBOL, bars[-1].time_ms).unavailable
    assert reasons["1m.rsi_7"] == "the price has not moved since the data began"
    assert reasons["1m.zscore_20"] == "the last 20 closes are equal, so they have no deviation"
    assert reasons["1m.stochastic_k_14_3"] == "a range of 14 bars among the last 3 has no width"
    assert reasons["1m.swing_high_2"] == "no such swing high has been confirmed yet"


def test_timeframes_below_the_feed_are_unavailable_with_a_reason() -> None:
    features = Features(15 * MINUTE_MS, [SYMBOL], [("1m", "ema_34"), ("1h", "highest_3")])
    for bar in bars_of(20, interval_ms=15 * MINUTE_MS):
        features.update(bar)
    taken = features.snapshot(SYMBOL, START_MS + 300 * MINUTE_MS)
    assert taken.unavailable["1m.ema_34"] == "the feed carries bars of 15m, 1m needs smaller ones"
    assert taken.get("1h.highest_3") is not None


def test_asking_for_what_does_not_exist_or_was_not_asked_for_is_refused() -> None:
    for wanted in (("3m", "ema_34"), ("15m", "ema"), ("15m", "hull_9")):
        with pytest.raises(UsageError):
            Features(MINUTE_MS, [SYMBOL], [wanted])
    taken = Features(MINUTE_MS, [SYMBOL], [("15m", "ema_34")]).snapshot(SYMBOL, START_MS)
    assert taken.get("15m.ema_34") is None
    with pytest.raises(UsageError, match="name it among the indicators"):
        taken.get("15m.ema_35")
    with pytest.raises(UsageError, match="span must be from 2"):
        taken.get("15m.ema_1")


def test_names_of_the_catalogue_take_no_slot_and_memories_of_other_indicators_are_refused() -> None:
    plain = Features(MINUTE_MS, [SYMBOL])
    assert Features(MINUTE_MS, [SYMBOL], [("15m", "ema_20"), ("1h", "macd")]).save() == plain.save()
    asked = Features(MINUTE_MS, [SYMBOL], [("15m", "ema_34")])
    for other in (plain, Features(MINUTE_MS, [SYMBOL], [("15m", "ema_35")])):
        with pytest.raises(DataError, match="rebuild them from bars"):
            asked.load(other.save())
