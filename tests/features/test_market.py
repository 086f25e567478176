"""What leaves `Features`: every id exactly once, finite or with a reason, never from a bar that has not closed."""

from math import isfinite

import pytest

from aister.core.errors import DataError, SequenceError, UsageError
from aister.core.events import BarClosed, FundingSettled
from aister.features.catalogue import CATALOGUE
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.features.timeframes import INTERVAL_MS, NAMES, bit, mask
from aister.kernels.features import symbol_state, tabulate
from aister.kernels.outputs import OUTPUTS
from tests.features.markets import HOUR_MS, bars_of, funding_of
from tests.kernels.walks import MINUTE_MS, START_MS, walk

SYMBOL = "BTCUSDT"


def fed(bars: list[BarClosed], interval_ms: int = MINUTE_MS) -> Features:
    features = Features(interval_ms, [SYMBOL])
    for bar in bars:
        features.update(bar)
    return features


def faults(taken: FeatureSet) -> list[str]:
    """The ids that are not either a finite value or unavailable with a reason."""
    wrong = set(CATALOGUE) ^ (taken.values.keys() | taken.unavailable.keys())
    wrong |= taken.values.keys() & taken.unavailable.keys()
    wrong |= {id for id, value in taken.values.items() if not isfinite(value)}
    wrong |= {id for id, reason in taken.unavailable.items() if not reason}
    wrong |= {id for id in CATALOGUE if taken.get(id) != taken.values.get(id)}
    return sorted(wrong)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 20, 59, 60, 61, 399, 1_500])
def test_every_id_has_a_value_or_a_reason(count: int) -> None:
    features = fed(bars_of(1_500)[:count])
    assert faults(features.snapshot(SYMBOL, START_MS + count * MINUTE_MS)) == []


def test_the_mask_names_the_timeframes_that_closed() -> None:
    features = Features(MINUTE_MS, [SYMBOL])
    for bar in bars_of(481):
        closed = features.update(bar)
        for name in NAMES:
            assert bool(closed & bit(name)) == (bar.time_ms % INTERVAL_MS[name] == 0)
    assert mask("15m", "1h", "15m") == bit("15m") | bit("1h")


def test_values_are_those_of_the_batch() -> None:
    bars = walk(3_000, 5)
    features = fed(bars_of(3_000, 5))
    taken = features.snapshot(SYMBOL, START_MS + 3_000 * MINUTE_MS)
    for slot, name in enumerate(NAMES):
        _, table = tabulate(symbol_state(MINUTE_MS), *bars, slot)
        for output in OUTPUTS:
            value = taken.get(f"{name}.{output.name}")
            if value is not None:
                assert value == table[output.name][-1]
        assert taken.get(f"{name}.bars") == len(table)


def test_a_larger_bar_is_not_read_while_it_forms() -> None:
    bars = bars_of(360)
    features = fed(bars[:300])
    at_the_hour = features.snapshot(SYMBOL, bars[299].time_ms).values
    for bar in bars[300:359]:
        features.update(bar)
        now = features.snapshot(SYMBOL, bar.time_ms)
        assert [now.get(f"1h.{o.name}") for o in OUTPUTS] == [at_the_hour.get(f"1h.{o.name}") for o in OUTPUTS]
    features.update(bars[359])
    assert features.snapshot(SYMBOL, bars[359].time_ms).get("1h.close") == bars[359].close != at_the_hour["1h.close"]


def test_before_warm_up_the_reason_says_how_many_bars_are_missing() -> None:
    taken = fed(bars_of(100)).snapshot(SYMBOL, START_MS + 100 * MINUTE_MS)
    assert taken.get("1m.ema_20") is None
    assert taken.unavailable["1m.ema_20"] == "needs 59 more closed 1m bars of 159"
    assert taken.unavailable["1h.sma_20"] == "needs 19 more closed 1h bars of 20"
    assert taken.unavailable["4h.close"] == "needs 1 more closed 4h bars of 1"
    assert fed(bars_of(159)).snapshot(SYMBOL, START_MS + 159 * MINUTE_MS).get("1m.ema_20") is not None


def test_timeframes_below_the_feed_are_unavailable() -> None:
    features = fed(bars_of(300, interval_ms=15 * MINUTE_MS), 15 * MINUTE_MS)
    taken = features.snapshot(SYMBOL, START_MS + 300 * 15 * MINUTE_MS)
    assert faults(taken) == []
    for name in ("1m", "5m"):
        assert taken.unavailable[f"{name}.close"] == f"the feed carries bars of 15m, {name} needs smaller ones"
        assert not any(id.startswith(f"{name}.") for id in taken.values)
    assert taken.get("15m.rsi_14") is not None
    assert taken.get("1h.bars") == 75.0


def test_a_gap_flags_the_bar_and_the_next_whole_one_clears_it() -> None:
    bars = bars_of(200)
    features = fed([bar for i, bar in enumerate(bars[:75]) if i != 68])  # 01:08 is missing from 01:00-01:15
    taken = features.snapshot(SYMBOL, bars[74].time_ms)
    assert (taken.get("15m.complete"), taken.get("15m.unbroken")) == (0.0, 0.0)
    assert taken.get("1h.complete") == 1.0
    for bar in bars[75:90]:
        features.update(bar)
    taken = features.snapshot(SYMBOL, bars[89].time_ms)
    assert (taken.get("15m.complete"), taken.get("15m.unbroken")) == (1.0, 1.0)


def test_a_timeframe_that_should_have_closed_and_did_not_is_stale() -> None:
    bars = bars_of(400)
    features = fed(bars[:120])
    features.update(bars[390])
    taken = features.snapshot(SYMBOL, bars[390].time_ms)
    assert taken.unavailable["1h.close"] == "stale: the last 1h bar ended 271 minutes ago"
    assert taken.get("1h.close") is None
    assert taken.get("1m.close") == bars[390].close
    assert faults(taken) == []


def test_what_was_taken_never_changes() -> None:
    bars = bars_of(900)
    features = fed(bars[:450])
    features.settle(funding_of(1)[0])
    lazy = features.snapshot(SYMBOL, bars[449].time_ms)
    read = features.snapshot(SYMBOL, bars[449].time_ms)
    before = (dict(read.values), dict(read.unavailable))
    for bar in bars[450:]:
        features.update(bar)
    features.settle(FundingSettled(START_MS + HOUR_MS, SYMBOL, 777, HOUR_MS))
    assert (read.values, read.unavailable) == before
    assert (lazy.values, lazy.unavailable) == before


def test_time_does_not_go_backwards() -> None:
    bars = bars_of(30)
    features = fed(bars)
    before = features.save()
    for bar in (bars[-1], bars[3]):
        with pytest.raises(SequenceError, match="sort the data"):
            features.update(bar)
    with pytest.raises(SequenceError, match="asked for after the bar"):
        features.snapshot(SYMBOL, bars[-1].time_ms - 1)
    features.settle(funding_of(2)[1])
    with pytest.raises(SequenceError, match="funding settlement"):
        features.settle(funding_of(1)[0])
    assert fed(bars).save() == before


@pytest.mark.parametrize(
    ("o", "h", "l", "c", "v", "shift_ms"),
    [(1, 2, 0, 1, 1, 0), (1, 2, 1.5, 1, 1, 0), (1, float("nan"), 1, 1, 1, 0), (1, 1, 1, 1, -1, 0), (1, 1, 1, 1, 1, 7)],
)
def test_what_is_no_bar_is_refused_and_changes_nothing(
    o: float, h: float, l: float, c: float, v: float, shift_ms: int
) -> None:
    features = fed(bars_of(10))
    before = features.save()
    opened = START_MS + 10 * MINUTE_MS + shift_ms
    with pytest.raises(DataError, match="check the data"):
        features.update(BarClosed(opened + MINUTE_MS, SYMBOL, opened, float(o), float(h), float(l), float(c), float(v)))
    assert features.save() == before


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot carry features"):
        Features(7 * MINUTE_MS, [SYMBOL])
    features = Features(MINUTE_MS, [SYMBOL])
    with pytest.raises(DataError, match="DOGEUSDT"):
        features.snapshot("DOGEUSDT", START_MS)
    with pytest.raises(UsageError, match="no feature"):
        features.snapshot(SYMBOL, START_MS).get("15m.rsi_15")
    with pytest.raises(UsageError, match="no timeframe"):
        bit("3m")


def test_the_midnight_open_of_new_york() -> None:
    bars = bars_of(1_500)  # from 00:00 UTC: New York's midnight is at 04:00 UTC
    features = fed(bars[:240])
    assert "midnight in New York" in features.snapshot(SYMBOL, bars[239].time_ms).unavailable["session.midnight_open"]
    features.update(bars[240])
    assert features.snapshot(SYMBOL, bars[240].time_ms).get("session.midnight_open") == bars[240].open
    for bar in bars[241:]:
        features.update(bar)
    assert features.snapshot(SYMBOL, bars[-1].time_ms).get("session.midnight_open") == bars[240].open
    without = fed([bar for i, bar in enumerate(bars) if i != 240])
    assert without.snapshot(SYMBOL, bars[-1].time_ms).get("session.midnight_open") is None


def test_saved_and_loaded_goes_on_bit_for_bit() -> None:
    bars, funding = bars_of(2_000), funding_of(3)
    whole, first = Features(MINUTE_MS, [SYMBOL]), Features(MINUTE_MS, [SYMBOL])
    for features in (whole, first):
        features.settle(funding[0])
        for bar in bars[:777]:
            features.update(bar)
    second = Features(MINUTE_MS, [SYMBOL])
    second.load(first.save())
    for bar in bars[777:]:
        assert whole.update(bar) == second.update(bar)
    a, b = (features.snapshot(SYMBOL, bars[-1].time_ms) for features in (whole, second))
    assert (a.values, a.unavailable) == (b.values, b.unavailable)
    assert whole.save() == second.save()


def test_a_foreign_memory_is_refused() -> None:
    mine, other = fed(bars_of(10)), Features(MINUTE_MS, ["ETHUSDT"])
    before = mine.save()
    for foreign in (other.save(), before[:-3], b"", Features(15 * MINUTE_MS, [SYMBOL]).save()):
        with pytest.raises(DataError, match="rebuild them from bars"):
            mine.load(foreign)
    assert mine.save() == before


def test_symbols_do_not_touch_each_other() -> None:
    both = Features(MINUTE_MS, ["BTCUSDT", "ETHUSDT"])
    for one, two in zip(bars_of(400, 1), bars_of(400, 2, "ETHUSDT"), strict=True):
        both.update(one)
        both.update(two)
    alone = fed(bars_of(400, 1)).snapshot(SYMBOL, START_MS + 400 * MINUTE_MS)
    assert both.snapshot(SYMBOL, START_MS + 400 * MINUTE_MS).values == alone.values
