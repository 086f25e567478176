"""The shipped sample is what its README says, whole, small and unaltered."""

import numpy as np

from aister.adapters.store.findings import check_series
from aister.adapters.store.intervals import HOUR_MS
from aister.adapters.store.sample import sample_folder, sample_store, shipped_instruments

FIRST_MS, LAST_MS = 1_746_403_200_000, 1_748_908_740_000  # 2025-05-05 00:00, 2025-06-02 23:59
SYMBOLS = {"BTCUSDT", "ETHUSDT", "SOLUSDT"}


def test_every_series_passes_every_check() -> None:
    store = sample_store()
    assert {(series.kind, series.symbol) for series in store.manifest.series} == {
        (kind, symbol) for kind in ("klines", "funding") for symbol in SYMBOLS
    }
    assert [finding for series in store.manifest.series for finding in check_series(store, series)] == []


def test_span_rows_and_settlements() -> None:
    store = sample_store()
    for series in store.manifest.series:
        columns = store.columns(series)
        if series.kind == "klines":
            assert np.array_equal(columns["open_time"], np.arange(FIRST_MS, LAST_MS + 1, 60_000))
            assert len(columns["open_time"]) == 41_760
        else:
            assert np.array_equal(columns["settle_time"], np.arange(FIRST_MS, LAST_MS + 60_001, 8 * HOUR_MS))
            assert not (columns["rate"] == 0).any()
            assert len(np.unique(columns["rate"])) > 40  # recorded, not filled in
            assert np.array_equal(np.rint(columns["rate"] * 1e8) / 1e8, columns["rate"])


def test_small_and_labelled() -> None:
    assert sum(path.stat().st_size for path in sample_folder().rglob("*") if path.is_file()) < 8_000_000
    assert {series.proxies[0] for series in sample_store().manifest.series} == {"binance"}
    assert all(origin.licence == "MIT" for series in sample_store().manifest.series for origin in series.origins)
    instruments = shipped_instruments()
    assert instruments.keys() >= SYMBOLS
    assert {instrument.source for instrument in instruments.values()} == {"assumed (AsterDex form)"}


def test_prices_lie_on_the_shipped_grid_but_for_one() -> None:
    """The one value off the grid is the source's own; the README names it."""
    store = sample_store()
    off = []
    for symbol in SYMBOLS:
        series = store.manifest.find("klines", symbol, "1m")
        assert series is not None
        columns = store.columns(series)
        tick = shipped_instruments()[symbol].tick_e8 / 1e8
        for name in ("open", "high", "low", "close"):
            ticks = columns[name] / tick
            off += [(symbol, name, columns[name][i]) for i in np.flatnonzero(np.abs(ticks - np.rint(ticks)) > 1e-6)]
    assert off == [("SOLUSDT", "high", 174.733)]
    assert "174.733" in (sample_folder() / "README.md").read_text()
