"""Bars to look at: what the stores hold, the user's own before the sample."""

from pathlib import Path

from aister.adapters.store.candles import StoredCandles
from aister.adapters.store.market import MarketStore
from aister.adapters.store.sample import sample_store

DAY_MS = 86_400_000


def nothing() -> MarketStore:
    return MarketStore.open(Path("nowhere"))


def test_series_say_what_the_manifest_says() -> None:
    sample = sample_store().manifest
    found = StoredCandles(user=nothing).series()
    assert [one.symbol for one in found] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    for one in found:
        kept = sample.find("klines", one.symbol, one.interval)
        assert kept is not None and (one.rows, (one.first_ms, one.last_ms)) == (kept.rows, kept.span_ms)
        assert one.origin == "sample" and one.proxies == tuple(kept.proxies)


def test_the_users_own_series_stands_before_the_sample() -> None:
    found = StoredCandles(user=sample_store).series()
    assert {one.origin for one in found} == {"store"} and len(found) == 3


def test_a_stretch_is_read_from_any_place_and_over_batches() -> None:
    candles = StoredCandles(user=nothing)
    first = candles.series()[0].first_ms
    store = sample_store()
    series = store.manifest.find("klines", "BTCUSDT", "1m")
    assert series is not None
    start = first + DAY_MS
    stored = store.columns(series, start, start + 2_000 * 60_000)
    read = candles.read("BTCUSDT", "1m", start, start + 2_000 * 60_000, 5_000)
    assert [one.open_ms for one in read] == stored["open_time"].tolist()
    assert [one.close for one in read] == stored["close"].tolist()
    assert candles.read("BTCUSDT", "1m", start, start + DAY_MS, 7) == read[:7]


def test_nothing_is_read_where_nothing_is() -> None:
    candles = StoredCandles(user=nothing)
    assert candles.read("BTCUSDT", "7m", 0, 4_102_444_800_000, 5) == ()
    assert candles.read("../etc", "1m", 0, 4_102_444_800_000, 5) == ()
    assert candles.read("BTCUSDT", "1m", 0, 1_000, 5) == ()
    assert candles.read("BTCUSDT", "1m", 0, 4_102_444_800_000, 0) == ()
