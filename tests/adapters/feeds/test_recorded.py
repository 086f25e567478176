"""A recorded feed gives every bar and settlement once, in order, and refuses what it cannot carry."""

import json
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.feeds import recorded
from aister.adapters.feeds.recorded import RecordedFeed, open_feed
from aister.adapters.feeds.settlements import ASSUMED_RATE_E8_PER_8H, absent_settlements
from aister.adapters.store.importer import Import, import_files
from aister.adapters.store.intervals import DAY_MS, HOUR_MS
from aister.adapters.store.market import data_folder
from aister.adapters.store.sample import sample_folder
from aister.core.errors import DataError, UsageError
from aister.core.events import BarClosed, FundingAssumed
from aister.ports.feed import Feed
from tests.adapters.recordings import MINUTE_MS, START_MS, Bars, bars, changed, picked, write_csv


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))


def write_settlements(path: Path, hours: list[int], interval: int = 8) -> Path:
    rows = [f"{START_MS + hour * HOUR_MS},{interval},0.0001" for hour in hours]
    path.write_text("\n".join(["calc_time,funding_interval_hours,last_funding_rate", *rows]) + "\n")
    return path


def fed(feed: RecordedFeed) -> dict[str, list[BarClosed]]:
    found: dict[str, list[BarClosed]] = {symbol: [] for symbol in feed.symbols}
    last = -1
    for piece in feed.slices():
        assert piece.open_time_ms > last
        last = piece.open_time_ms
        assert piece.bars
        assert [bar.symbol for bar in piece.bars] == sorted(bar.symbol for bar in piece.bars)
        for bar in piece.bars:
            assert bar.open_time_ms == last and bar.time_ms == last + feed.base_interval_ms
            found[bar.symbol].append(bar)
    return found


def test_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    feed: Feed = open_feed("sample")
    assert feed.base_interval_ms == MINUTE_MS
    assert feed.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    assert feed.flags == ("instruments: assumed", "proxy: binance")
    assert isinstance(feed, RecordedFeed)
    assert feed.span_ms == (START_MS, START_MS + 29 * DAY_MS)
    began = time.process_time()
    for _ in feed.slices():
        pass
    seconds = time.process_time() - began
    with capsys.disabled():
        print(f"\n  recorded feed: {feed.bars / seconds / 1e6:.2f} M bars/s")
    pieces = list(feed.slices())
    assert len(pieces) == 41_760
    assert {len(piece.bars) for piece in pieces} == {3}
    settled = [settled for piece in pieces for settled in piece.funding]
    assert len(settled) == 3 * 87  # 2025-06-03 00:00 comes after the last bar's open
    assert [s.time_ms for s in pieces[0].funding] == [START_MS] * 3
    for piece in pieces:
        assert all(s.time_ms == piece.open_time_ms for s in piece.funding)
    columns = feed.columns("ETHUSDT")
    assert [piece.bars[1].close for piece in pieces] == columns["close"].tolist()


def test_symbols_and_span_choose_and_name_what_is_fed() -> None:
    whole = open_feed("sample")
    start, end = START_MS + 3 * DAY_MS, START_MS + 4 * DAY_MS
    part = open_feed("sample", ("SOLUSDT",), start, end)
    assert part.symbols == ("SOLUSDT",) and list(part.instruments) == ["SOLUSDT"]
    rows = fed(part)["SOLUSDT"]
    assert len(rows) == 1440 and rows[0].open_time_ms == start
    assert [s.time_ms for piece in part.slices() for s in piece.funding] == [start + k * 8 * HOUR_MS for k in range(3)]
    assert rows == [bar for bar in fed(whole)["SOLUSDT"] if start <= bar.open_time_ms < end]
    hashes = {whole.data_hash, part.data_hash, open_feed("sample", ("SOLUSDT",), start, end + MINUTE_MS).data_hash}
    assert len(hashes) == 3
    assert open_feed("sample").data_hash == whole.data_hash


def test_the_hash_names_the_data_not_how_it_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = bars(2000)
    funding = write_settlements(tmp_path / "BTCUSDT-fundingRate.csv", [0, 8, 16, 24, 32])
    import_files(data_folder(), Import((funding,), "funding", "BTCUSDT", None))
    import_files(data_folder(), Import((write_csv(tmp_path / "x.csv", rows),), "klines", "BTCUSDT", MINUTE_MS))
    (tmp_path / "f").mkdir()
    funding.rename(tmp_path / "f" / funding.name)
    pq.write_table(pa.table(picked(rows, np.arange(700))), tmp_path / "f" / "BTCUSDT-1m-a.parquet")
    write_csv(tmp_path / "f" / "BTCUSDT-1m-b.csv", picked(rows, np.arange(700, 2000)))
    stored, files = open_feed("BTCUSDT"), open_feed(str(tmp_path / "f"))
    assert stored.data_hash == files.data_hash
    assert fed(stored) == fed(files)
    monkeypatch.setattr(recorded, "_ROWS", 100)
    monkeypatch.setattr(recorded, "_BLOCK", 7)
    assert fed(open_feed("BTCUSDT")) == fed(files)
    (tmp_path / "f" / "BTCUSDT-1m-b.csv").unlink()
    write_csv(tmp_path / "f" / "BTCUSDT-1m-b.csv", changed(picked(rows, np.arange(700, 2000)), 5, volume=9.0))
    assert open_feed(str(tmp_path / "f")).data_hash != stored.data_hash


HOLES = st.lists(st.sets(st.integers(0, 59), max_size=40), min_size=1, max_size=3)


@settings(max_examples=25)
@given(HOLES, st.integers(1, 20), st.integers(1, 50))
def test_every_bar_once_whatever_is_missing(
    tmp_path_factory: pytest.TempPathFactory, holes: list[set[int]], block: int, read: int
) -> None:
    folder = tmp_path_factory.mktemp("holes")
    symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT"][: len(holes)]
    expected: dict[str, Bars] = {}
    for i, (symbol, missing) in enumerate(zip(symbols, holes, strict=True)):
        expected[symbol] = picked(bars(60, seed=i), np.setdiff1d(np.arange(60), sorted(missing)))
        import_files(
            folder,
            Import((write_csv(folder / "x.csv", expected[symbol]),), "klines", symbol, MINUTE_MS, allow_gaps=True),
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorded, "_BLOCK", block)
        patch.setattr(recorded, "_ROWS", read)
        feed = open_feed(str(folder), assume_funding=True)
        found = fed(feed)
    for symbol, rows in expected.items():
        assert [bar.open_time_ms for bar in found[symbol]] == rows["open_time"].tolist()
        assert [bar.close for bar in found[symbol]] == rows["close"].tolist()
        assert np.array_equal(feed.columns(symbol)["volume"], rows["volume"])
    inside = {
        s: int(np.ptp(rows["open_time"])) // MINUTE_MS + 1 - len(rows["open_time"]) for s, rows in expected.items()
    }
    assert {f for f in feed.flags if f.startswith("gaps")} == {f"gaps: {s} {n}" for s, n in inside.items() if n}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("kind", "at", "values"),
    [
        ("disorder", 70_000, {"open_time": START_MS - MINUTE_MS}),
        ("disorder", 65_536, {"open_time": START_MS - MINUTE_MS}),
        ("bad_ohlc", 3, {"high": 1.0}),
        ("not_finite", 65_535, {"volume": np.nan}),
        ("off_grid", 9, {"open_time": START_MS + 9 * MINUTE_MS + 30_000}),
    ],
)
def test_broken_files_are_refused_naming_the_row(
    tmp_path: Path, kind: str, at: int, values: dict[str, float], suffix: str
) -> None:
    rows = changed(bars(71_000), at, **values)
    path = tmp_path / f"BTCUSDT-1m.{suffix}"
    if suffix == "csv":
        write_csv(path, rows)
    else:
        pq.write_table(pa.table(rows), path)
    where = f"line {at + 2}" if suffix == "csv" else f"row {at + 1}"
    with pytest.raises(DataError, match=rf"BTCUSDT-1m\.{suffix}: {where}: .* \({kind}\)"):
        open_feed(str(path), assume_funding=True)


def test_a_duplicate_across_files_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTCUSDT-1m-a.csv", picked(bars(20), np.arange(10)))
    write_csv(tmp_path / "BTCUSDT-1m-b.csv", picked(bars(20), np.arange(9, 20)))
    with pytest.raises(DataError, match=r"BTCUSDT-1m-b\.csv: line 2: .*there already.*\(duplicate\)"):
        open_feed(str(tmp_path), assume_funding=True)


def test_gaps_in_files_are_refused_unless_accepted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", picked(bars(20), [0, 1, 2, 6, 7]))
    with pytest.raises(DataError, match=r"3 bars are missing, the first at 2025-05-05 00:03; .*--allow-gaps"):
        open_feed(str(path), assume_funding=True)
    feed = open_feed(str(path), assume_funding=True, allow_gaps=True)
    assert "gaps: BTCUSDT 3" in feed.flags
    assert len(fed(feed)["BTCUSDT"]) == 5


def test_missing_funding_is_refused_or_assumed_and_said(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", bars(2000))
    with pytest.raises(
        DataError, match=r"5 funding settlements are missing, the first at 2025-05-05 00:00; .*--assume-funding"
    ):
        open_feed(str(path))
    feed = open_feed(str(path), assume_funding=True)
    assert "funding: assumed" in feed.flags
    assert [(type(s), s.rate_e8) for s in feed.funding] == [(FundingAssumed, ASSUMED_RATE_E8_PER_8H)] * 5
    write_settlements(tmp_path / "BTCUSDT-fundingRate.csv", [0, 8, 24, 32])
    with pytest.raises(DataError, match=r"1 funding settlement is missing, the first at 2025-05-05 16:00"):
        open_feed(str(tmp_path))
    half = open_feed(str(tmp_path), assume_funding=True)
    assert "funding: assumed" in half.flags and len(half.funding) == 5
    (series,) = half.market().series
    assert series.funding_assumed is not None and series.funding_assumed.tolist() == [False, False, True, False, False]
    write_settlements(tmp_path / "BTCUSDT-fundingRate.csv", [0, 8, 16, 24, 32])
    full = open_feed(str(tmp_path))
    assert "funding: assumed" not in full.flags
    assert [s.rate_e8 for s in full.funding] == [s.rate_e8 for s in feed.funding]
    assert feed.data_hash != full.data_hash, "the same rates, but nobody knows who would have paid the assumed ones"


@pytest.mark.parametrize(
    ("bar_hours", "funding_hours", "inside"),
    [(1, 1, 0), (4, 8, 0), (8, 8, 0), (4, 1, 1), (4, 2, 2), (24, 8, 8), (168, 8, 8), (168, 24, 24)],
)
@pytest.mark.parametrize("given_as", ["recorded", "assumed"])
def test_a_settlement_inside_a_bar_is_refused(
    tmp_path: Path, bar_hours: int, funding_hours: int, inside: int, given_as: str
) -> None:
    """Whoever holds the bar would pay at its open or close for what was settled between."""
    count = 6
    write_csv(tmp_path / "BTCUSDT-perp.csv", bars(count, step_ms=bar_hours * HOUR_MS))
    hours = list(range(0, count * bar_hours, funding_hours))
    if given_as == "recorded":
        write_settlements(tmp_path / "BTCUSDT-fundingRate.csv", hours, funding_hours)
    elif funding_hours == 8:
        pass  # the instrument's own interval, nothing recorded
    else:
        write_settlements(tmp_path / "BTCUSDT-fundingRate.csv", hours[:1], funding_hours)
    assume = given_as == "assumed"
    if not inside:
        feed = open_feed(str(tmp_path), assume_funding=assume)
        assert len(feed.funding) == len([hour for hour in hours if hour <= (count - 1) * bar_hours])
        for piece in feed.slices():
            assert all(settled.time_ms == piece.open_time_ms for settled in piece.funding)
        return
    when = f"2025-05-{5 + inside // 24:02}"
    with pytest.raises(
        DataError, match=rf"BTCUSDT: .* at {when} {inside % 24:02}:00 falls inside a .* bar.*1h"
    ) as said:
        open_feed(str(tmp_path), assume_funding=assume)
    assert "\n" not in str(said.value)


@settings(max_examples=150)
@given(st.sets(st.integers(0, 20)), st.integers(0, 160), st.integers(1, 100))
def test_absent_settlements_complete_the_record(hours: set[int], first: int, width: int) -> None:
    """Recorded and absent together hold every 8-hour settlement after the first bar's open, each once."""
    eight = 8 * HOUR_MS
    times = np.array(sorted(START_MS + h * eight for h in hours), np.int64)
    first_ms, last_ms = START_MS + first * HOUR_MS, START_MS + (first + width) * HOUR_MS
    absent = absent_settlements(times, np.full(len(times), float(eight)), first_ms, last_ms, eight)
    due = [t for t in range(first_ms, last_ms + 1, HOUR_MS) if t % eight == 0]
    recorded_inside = [t for t in times.tolist() if first_ms <= t <= last_ms]
    stated = [t for gap in absent for t in range(gap.start_ms, gap.end_ms, (gap.end_ms - gap.start_ms) // gap.missing)]
    everything = sorted(recorded_inside + stated)
    assert len(everything) == len(set(everything))
    assert set(everything) <= set(due)
    unseen = set(due) - set(everything)
    assert unseen <= ({first_ms} if not any(t < first_ms for t in times.tolist()) else set())


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("NOSUCH", "not in the store"),
        ("./nowhere", "nor a path that exists"),
        ("sample@5m", "no 5m bars"),
        ("BTCUSDT", "not in the store"),
    ],
)
def test_specs_that_name_nothing(spec: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        open_feed(spec)


def test_wrong_requests(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DOGEUSDT is not in sample; it has BTCUSDT, ETHUSDT, SOLUSDT"):
        open_feed("sample", ("DOGEUSDT",))
    with pytest.raises(UsageError, match=r"ends .* before it starts"):
        open_feed("sample", None, START_MS + 5, START_MS)
    with pytest.raises(DataError, match="no bars in the span"):
        open_feed("sample", None, START_MS + 40 * DAY_MS)
    with pytest.raises(UsageError, match="holds no bars"):
        open_feed(str(tmp_path))
    with pytest.raises(UsageError, match="does not start with its symbol"):
        open_feed(str(write_csv(tmp_path / "prices.csv", bars(3))))
    with pytest.raises(DataError, match="No filters, fees and brackets are known for NEWUSDT"):
        open_feed(str(write_csv(tmp_path / "NEWUSDT-1m.csv", bars(3))))


def test_instruments_beside_the_data_come_first(tmp_path: Path) -> None:
    document = json.loads((sample_folder() / "instruments.json").read_text())
    row = next(row for row in document["symbols"] if row["symbol"] == "BTCUSDT")
    (tmp_path / "instruments.json").write_text(
        json.dumps({"source": "the venue", "symbols": [{**row, "symbol": "NEWUSDT"}]})
    )
    feed = open_feed(str(write_csv(tmp_path / "NEWUSDT-1m.csv", bars(30))), assume_funding=True)
    assert feed.instruments["NEWUSDT"].source == "the venue"
    assert "instruments: assumed" not in feed.flags


def test_intervals_are_not_mixed(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTCUSDT-1m.csv", bars(600))
    write_csv(tmp_path / "BTCUSDT-perp.csv", bars(10, step_ms=HOUR_MS))
    with pytest.raises(UsageError, match=r"has bars of 1m, 1h; pick one with @"):
        open_feed(str(tmp_path), assume_funding=True)
    feed = open_feed(f"{tmp_path}@1h", assume_funding=True)
    assert (feed.base_interval_ms, feed.bars) == (HOUR_MS, 10)


def test_memory_does_not_grow_with_the_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "_ROWS", 4_096)

    def peak(count: int) -> int:
        root = tmp_path / str(count)
        path = write_csv(tmp_path / "x.csv", bars(count))
        import_files(root, Import((path,), "klines", "BTCUSDT", MINUTE_MS))
        open_feed(str(root), assume_funding=True)  # imports, checksums
        tracemalloc.start()
        for _ in open_feed(str(root), assume_funding=True).slices():
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = peak(20_000), peak(60_000)  # the columns alone would be 1.9 MB more
    assert large < small * 1.1 + 300_000


def test_market_holds_what_the_slices_carry() -> None:
    start = 1_746_403_200_000
    feed = open_feed("sample", ["ETHUSDT", "BTCUSDT"], start + 86_400_000, start + 2 * 86_400_000, warm_up_ms=3_600_000)
    market = feed.market()
    fed = [bar for one in feed.slices() for bar in one.bars]
    settled = [event for one in feed.slices() for event in one.funding]
    assert market.symbols == feed.symbols
    assert (market.span_ms, market.data_hash, market.interval_ms) == (feed.span_ms, feed.data_hash, 60_000)
    for series in market.series:
        own = [bar for bar in fed if bar.symbol == series.symbol]
        assert series.start == 60
        assert series.open_ms[series.start :].tolist() == [bar.open_time_ms for bar in own]
        for name in ("open", "high", "low", "close", "volume"):
            assert getattr(series, name)[series.start :].tolist() == [getattr(bar, name) for bar in own]
        inside = series.funding_ms >= feed.span_ms[0]
        assert list(zip(series.funding_ms[inside].tolist(), series.funding_e8[inside].tolist(), strict=True)) == [
            (event.time_ms, event.rate_e8) for event in settled if event.symbol == series.symbol
        ]
