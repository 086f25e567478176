"""Files go into the store whole, come out equal, and nothing is guessed, filled or half done."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.store.checks import Gap
from aister.adapters.store.exporting import export_series
from aister.adapters.store.importer import Import, Report, import_files
from aister.adapters.store.intervals import DAY_MS, HOUR_MS
from aister.adapters.store.manifest import MANIFEST, Series, read_manifest
from aister.adapters.store.market import MarketStore
from aister.core.errors import DataError, StorageError, UsageError
from tests.adapters.recordings import (
    MINUTE_MS,
    START_MS,
    Bars,
    bars,
    changed,
    picked,
    write_csv,
    write_public,
    zipped,
)

END_OF_MAY = START_MS + 27 * DAY_MS


def bring(root: Path, *paths: Path, **options: object) -> Report:
    ask = {"paths": paths, "kind": "klines", "symbol": "BTCUSDT", "interval_ms": MINUTE_MS, **options}
    return import_files(root, Import(**ask))  # type: ignore[arg-type]


def stored(root: Path, kind: str = "klines", interval: str = "1m") -> tuple[MarketStore, Series]:
    store = MarketStore.open(root)
    series = store.manifest.find(kind, "BTCUSDT", interval)
    assert series is not None
    return store, series


def same(found: Bars, expected: Bars) -> None:
    for name, values in expected.items():
        assert np.array_equal(found[name], values), name


PRICES = st.floats(1e-8, 1e7).filter(lambda x: x > 0)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(PRICES, PRICES, st.floats(0, 1e12)), min_size=1, max_size=40),
    st.sampled_from(["csv", "parquet", "zip", "public", "micro"]),
)
def test_round_trip_is_exact(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, float]], form: str
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    first, second, volume = (np.array(column) for column in zip(*rows, strict=True))
    # one body per bar at the first bar's scale: a jump by a power of ten is a defect of its own
    low, high = np.minimum(first, second), np.maximum(first, second)
    scale = low[0] * (1 + (low / high) / 4)
    candles = {
        "open_time": END_OF_MAY - 5 * MINUTE_MS + MINUTE_MS * np.arange(len(rows)),
        "open": scale,
        "high": scale * 1.5,
        "low": scale / 1.5,
        "close": scale * 1.1,
        "volume": volume,
    }
    path = folder / "in.csv"
    match form:
        case "csv":
            write_csv(path, candles)
        case "public" | "zip":
            write_public(path, candles, header=form == "zip")
        case "micro":
            write_public(path, candles, times=1000)
        case "parquet":
            path = folder / "in.parquet"
            pq.write_table(pa.table(candles), path)
    if form == "zip":
        path = zipped(folder / "in.zip", path)
    report = bring(folder / "data", path)
    assert report.rows_new == len(rows)
    store, series = stored(folder / "data")
    same(store.columns(series), candles)
    out = folder / "out.csv"
    export_series(store, series, out)
    assert bring(folder / "data", out).rows_identical == len(rows)
    export_series(store, series, folder / "out.parquet")
    table = pq.read_table(folder / "out.parquet")
    same({name: table[name].to_numpy() for name in candles}, candles)


def test_the_public_layout_keeps_what_it_says(tmp_path: Path) -> None:
    rows = bars(30)
    bring(tmp_path, write_public(tmp_path / "a.csv", rows))
    store, series = stored(tmp_path)
    columns = store.columns(series)
    same(columns, rows)
    assert columns["trades"].tolist() == [7.0] * 30
    assert np.array_equal(columns["taker_buy_base"], rows["volume"] / 2)
    assert pq.read_schema(tmp_path / series.months[0].path).field("trades").type == pa.int64()


def test_optional_columns_stay_unknown_where_the_source_is_silent(tmp_path: Path) -> None:
    rows = bars(30)
    bring(tmp_path, write_csv(tmp_path / "plain.csv", picked(rows, np.arange(20))))
    report = bring(tmp_path, write_public(tmp_path / "full.csv", picked(rows, np.arange(10, 30))))
    assert (report.rows_new, report.rows_identical) == (10, 10)
    store, series = stored(tmp_path)
    trades = store.columns(series)["trades"]
    assert np.isnan(trades[:10]).all() and (trades[10:] == 7).all()


def test_manifest_says_what_came_from_where(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", bars(30))
    bring(tmp_path, path, source="a friend", licence="MIT", proxies=("spot",))
    document = json.loads((tmp_path / MANIFEST).read_bytes())
    (series,) = document["series"]
    assert series["proxies"] == ["spot"]
    (origin,) = series["origins"]
    assert (origin["source"], origin["licence"], origin["rows"], origin["file"]) == ("a friend", "MIT", 30, "a.csv")
    assert series["months"][0]["path"] == "klines/BTCUSDT/1m/2025-05.parquet"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bad_ohlc", {"high": 1.0}),
        ("not_finite", {"close": np.nan}),
        ("negative", {"volume": -1.0}),
        ("off_grid", {"open_time": START_MS + 7 * MINUTE_MS + 5}),
        ("disorder", {"open_time": START_MS - 9 * MINUTE_MS}),
        ("conflict", {"open_time": START_MS}),
        ("wrong_unit", {"high": 1001.0}),
    ],
)
def test_bad_rows_are_refused_or_kept_apart(tmp_path: Path, kind: str, values: dict[str, float]) -> None:
    path = write_csv(tmp_path / "a.csv", changed(bars(30), 7, **values))
    with pytest.raises(DataError, match=rf"a\.csv: line (9|2) .*\({kind}\); bad rows: .*--on-bad quarantine"):
        bring(tmp_path / "data", path)
    assert not (tmp_path / "data" / MANIFEST).exists()
    report = bring(tmp_path / "data", path, on_bad="quarantine")
    assert report.rows_new + report.rows_quarantined == 30
    kept_out = pq.read_table(report.quarantine[0]).to_pylist()
    assert {row["reason"] for row in kept_out} == {kind}
    assert 9 in [row["row"] for row in kept_out]
    assert report.missing == report.rows_quarantined - (kind == "conflict")


def test_an_unreadable_line_is_named_and_can_be_kept_apart(tmp_path: Path) -> None:
    lines = write_public(tmp_path / "a.csv", bars(30)).read_text().splitlines()
    lines[4] = lines[4].replace(",", ",x", 1)
    lines[10] = lines[10].rsplit(",", 3)[0]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"line 5 has 'x100.*' for open, which is no number|line 11 has 9 columns"):
        bring(tmp_path / "data", tmp_path / "a.csv")
    report = bring(tmp_path / "data", tmp_path / "a.csv", on_bad="quarantine")
    assert (report.rows_new, report.rows_quarantined, report.missing) == (28, 2, 2)
    kept_out = pq.read_table(report.quarantine[0]).to_pylist()
    assert [(row["row"], row["reason"]) for row in kept_out] == [(5, "unreadable"), (11, "unreadable")]
    store, series = stored(tmp_path / "data")
    same(store.columns(series), picked(bars(30), np.setdiff1d(np.arange(30), [4, 10])))


def test_a_gap_is_refused_recorded_but_never_filled(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", picked(bars(30), np.setdiff1d(np.arange(30), [5, 6, 20])))
    with pytest.raises(
        DataError, match=r"3 rows are missing in 2 gaps, the first from 2025-05-05 00:05 .*--allow-gaps"
    ):
        bring(tmp_path / "data", path)
    report = bring(tmp_path / "data", path, allow_gaps=True)
    assert (report.rows_new, report.gaps, report.missing) == (27, 2, 3)
    assert stored(tmp_path / "data")[1].gaps()[1][0] == Gap(START_MS + 5 * MINUTE_MS, START_MS + 7 * MINUTE_MS, 2)
    # the missing rows arrive later, and the record forgets the gap
    report = bring(tmp_path / "data", write_csv(tmp_path / "b.csv", bars(30)))
    assert (report.rows_new, report.rows_identical, report.missing) == (3, 27, 0)


def test_a_gap_between_imports_is_recorded(tmp_path: Path) -> None:
    rows = bars(100, start_ms=END_OF_MAY - 50 * MINUTE_MS)
    bring(tmp_path, write_csv(tmp_path / "a.csv", picked(rows, np.arange(40))))
    report = bring(tmp_path, write_csv(tmp_path / "b.csv", picked(rows, np.arange(60, 100))))
    assert (report.gaps, report.missing) == (1, 20)
    assert [month.month for month in stored(tmp_path)[1].months] == ["2025-05", "2025-06"]


def test_revised_bars_are_refused_unless_replaced(tmp_path: Path) -> None:
    rows = bars(40)
    bring(tmp_path, write_csv(tmp_path / "a.csv", picked(rows, np.arange(30))))
    revised = changed(rows, 12, volume=99.0)
    path = write_csv(tmp_path / "b.csv", picked(revised, np.arange(10, 40)))
    with pytest.raises(DataError, match=r"1 rows differ .*2025-05-05 00:12 \(volume 99.0 .*revised bar.*--replace"):
        bring(tmp_path, path)
    same(stored(tmp_path)[0].columns(stored(tmp_path)[1]), picked(rows, np.arange(30)))
    report = bring(tmp_path, path, replace=True)
    assert (report.rows_new, report.rows_identical, report.rows_replaced) == (10, 19, 1)
    store, series = stored(tmp_path)
    same(store.columns(series), revised)
    on_disk = sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "klines").rglob("*.parquet"))
    assert on_disk == ["klines/BTCUSDT/1m/2025-05.r2.parquet"] == [month.path for month in series.months]


def test_several_files_are_one_change(tmp_path: Path) -> None:
    rows = bars(60)
    good = write_csv(tmp_path / "a.csv", picked(rows, np.arange(40)))
    bad = write_csv(tmp_path / "b.csv", changed(picked(rows, np.arange(30, 60)), 20, high=1.0))
    with pytest.raises(DataError, match="bad_ohlc"):
        bring(tmp_path / "data", good, bad)
    assert read_manifest(tmp_path / "data").series == []
    assert list((tmp_path / "data").rglob("*.parquet")) == []
    report = bring(tmp_path / "data", good, write_csv(bad, picked(rows, np.arange(30, 60))))
    assert (report.rows_new, report.rows_identical) == (60, 10)


def test_a_file_in_another_price_unit_is_caught_at_the_seam(tmp_path: Path) -> None:
    rows = bars(60)
    bring(tmp_path, write_csv(tmp_path / "a.csv", picked(rows, np.arange(30))))
    later = picked(rows, np.arange(30, 60))
    for name in ("open", "high", "low", "close"):
        later[name] = later[name] * 1000
    with pytest.raises(DataError, match="power of ten"):
        bring(tmp_path, write_csv(tmp_path / "b.csv", later))
    assert stored(tmp_path)[1].rows == 30


def write_funding(path: Path, hours: list[int], late_ms: int = 0, said: bool = True) -> Path:
    head = "calc_time,funding_interval_hours,last_funding_rate" if said else "fundingTime,fundingRate"
    lines = [f"{START_MS + h * HOUR_MS + late_ms},{'8,' if said else ''}0.0001{h:02d}" for h in hours]
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def test_funding_in_the_public_layout(tmp_path: Path) -> None:
    path = write_funding(tmp_path / "a.csv", [0, 8, 16, 24], late_ms=7)
    report = bring(tmp_path, path, kind="funding", interval_ms=None)
    assert report.notes == ["a.csv: 4 settlement times set to the hour (jitter)"]
    assert report.interval == "8h"
    columns = stored(tmp_path, "funding")[0].columns(stored(tmp_path, "funding")[1])
    assert columns["settle_time"].tolist() == [START_MS + h * HOUR_MS for h in (0, 8, 16, 24)]
    assert columns["rate"].tolist() == [0.0001, 0.000108, 0.000116, 0.000124]
    assert columns["interval_ms"].tolist() == [8.0 * HOUR_MS] * 4


def test_funding_without_its_interval_asks_for_it(tmp_path: Path) -> None:
    path = write_funding(tmp_path / "a.csv", [0, 8, 16], said=False)
    with pytest.raises(UsageError, match="--interval, such as 8h"):
        bring(tmp_path, path, kind="funding", interval_ms=None)
    assert bring(tmp_path, path, kind="funding", interval_ms=8 * HOUR_MS).rows_new == 3


def test_a_missing_settlement_is_refused(tmp_path: Path) -> None:
    path = write_funding(tmp_path / "a.csv", [0, 8, 24])
    with pytest.raises(DataError, match=r"1 rows are missing in 1 gap, the first from 2025-05-05 16:00"):
        bring(tmp_path, path, kind="funding", interval_ms=None)


def test_a_changed_file_is_noticed_before_it_is_used(tmp_path: Path) -> None:
    bring(tmp_path, write_csv(tmp_path / "a.csv", bars(3000)))
    store, series = stored(tmp_path)
    file = tmp_path / series.months[0].path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(DataError, match="SHA-256 differs"):
        store.columns(series)
    file.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        store.columns(series)


def test_a_damaged_or_hostile_manifest_is_refused(tmp_path: Path) -> None:
    bring(tmp_path, write_csv(tmp_path / "a.csv", bars(30)))
    text = (tmp_path / MANIFEST).read_text()
    for damage in (text[:100], text.replace("klines/BTCUSDT/1m/2025-05.parquet", "../../etc/passwd"), "[]"):
        (tmp_path / MANIFEST).write_text(damage)
        with pytest.raises(DataError, match=r"damaged|outside the data folder"):
            MarketStore.open(tmp_path)


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    from aister.adapters.store.files import locked

    path = write_csv(tmp_path / "a.csv", bars(30))
    with locked(tmp_path), pytest.raises(StorageError, match="Another process"):
        bring(tmp_path, path)
    assert bring(tmp_path, path).rows_new == 30


@pytest.mark.parametrize("symbol", ["btcusdt", "../X", "B", "BTC USDT", "A" * 21, "", "BTC\x1b[2J"])
def test_symbols_are_plain(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(UsageError, match="is no symbol"):
        bring(tmp_path / "data", write_csv(tmp_path / "a.csv", bars(3)), symbol=symbol)
    assert not (tmp_path / "data").exists()
