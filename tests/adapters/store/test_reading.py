"""What comes through the door, and what is turned away with one clear sentence."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aister.adapters.store.bars import KLINES
from aister.adapters.store.door import Caps, LimitedReader, WrongUnit
from aister.adapters.store.layout import arrow_array, concatenate, numpy_array
from aister.adapters.store.reading import read_batches, read_leniently
from aister.core.errors import DataError
from tests.adapters.recordings import bars, write_csv, write_public, zipped

SMALL = Caps(max_bytes=20_000, max_unpacked=20_000, max_rows=100)


def read(path: Path, caps: Caps | None = None) -> dict[str, np.ndarray]:
    return concatenate([batch.columns for batch in read_batches(path, KLINES, caps)])


@pytest.mark.parametrize("times", [1, 1000])
@pytest.mark.parametrize("header", [True, False])
def test_both_time_units_with_and_without_header(tmp_path: Path, times: int, header: bool) -> None:
    rows = bars(40)
    found = read(write_public(tmp_path / "a.csv", rows, header=header, times=times))
    for name, values in rows.items():
        assert np.array_equal(found[name], values)


def test_timestamps_and_other_number_types_of_parquet(tmp_path: Path) -> None:
    rows = bars(10)
    table = pa.table(
        {
            "Open time": pa.array(rows["open_time"].astype("datetime64[ms]"), pa.timestamp("ms", tz="UTC")),
            **{name: pa.array(rows[name]) for name in ("open", "high", "low", "close")},
            "Volume": pa.array(np.arange(10)),
            "note": pa.array(["x"] * 10),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert np.array_equal(found["open_time"], rows["open_time"])
    assert found["volume"].tolist() == [float(i) for i in range(10)]
    assert "note" not in found


@pytest.mark.parametrize(("unit", "factor"), [("seconds", 0.001), ("nanoseconds", 1_000_000)])
def test_other_time_units_are_refused(tmp_path: Path, unit: str, factor: float) -> None:
    rows = bars(5)
    rows["open_time"] = (rows["open_time"] * factor).astype(np.int64)
    with pytest.raises(WrongUnit, match=rf"line 2 has its time \d+ in {unit} \(wrong_unit\)"):
        read(write_csv(tmp_path / "a.csv", rows))


def test_a_mixture_of_units_is_refused_wherever_it_starts(tmp_path: Path) -> None:
    rows = bars(100_000)
    rows["open_time"][90_000:] *= 1000
    with pytest.raises(WrongUnit, match="line 90002 has its time in microseconds after times in milliseconds"):
        read(write_csv(tmp_path / "a.csv", rows))
    with pytest.raises(WrongUnit, match="line 90002"):
        read_leniently(tmp_path / "a.csv", KLINES)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("open_time,open,high,low,close,volume\n", "has no rows"),
        ("time,o,h,l,c,v\n1,2,3,4,5,6\n", "has no column open_time"),
        ("open_time;open;high;low;close;volume\n1;2;3;4;5;6\n", "has no column open_time"),
        ("open_time,open,high,low,close,volume,OPEN\n1,2,3,4,5,6,7\n", "two columns for open"),
        ("1746403200000,1,2,1,2\n", "no header and 5 columns where klines have 6 or 12"),
        ("1746403200000,1,2,1,2,\n", "line 1 has '' for volume, which is no number"),
        ("1746403200000,1,2,1,2,0x10\n", "line 1 has '0x10' for volume"),
        ("1746403200000,1,2,1,2,=1+1\n", "line 1 has '=1\\+1' for volume"),
        ("1746403200000.5,1,2,1,2,3\n", "line 1 has '1746403200000.5' for open_time"),
        ("open_time,open,high,low,close,volume\n1746403200000,1,2,1,2\n", "line 2 has 5 columns instead of 6"),
    ],
)
def test_broken_csv_gets_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.zip", "a.parquet", "a.txt", "a.csv.gz"])
def test_bytes_that_are_no_recording(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DataError, match=r"not UTF-8|has no column|not a sound|neither \.csv"):
        read(tmp_path / name)


def test_missing_folders_and_secrets(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is not a file"):
        read(tmp_path)


def test_caps_on_bytes_rows_and_what_unpacks(tmp_path: Path) -> None:
    big = write_csv(tmp_path / "big.csv", bars(1000))
    with pytest.raises(DataError, match=r"more than the 20,000 allowed"):
        read(big, SMALL)
    with pytest.raises(DataError, match="unpacks to"):
        read(zipped(tmp_path / "big.zip", big), Caps(max_unpacked=20_000))
    many = write_csv(tmp_path / "many.csv", bars(101))
    with pytest.raises(DataError, match="more than 100 rows"):
        read(many, SMALL)
    pq.write_table(pa.table(bars(101)), tmp_path / "many.parquet")
    with pytest.raises(DataError, match="101 rows, more than the 100 allowed"):
        read(tmp_path / "many.parquet", SMALL)
    assert len(read(write_csv(tmp_path / "fits.csv", bars(100)), SMALL)["open"]) == 100


def test_a_zip_that_lies_about_its_size_is_stopped_while_unpacking(tmp_path: Path) -> None:
    plain = b"open_time,open,high,low,close,volume\n" + b"1746403200000,1,1,1,1,1\n" * 500_000
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", plain)
    data = (tmp_path / "bomb.zip").read_bytes()
    real = len(plain).to_bytes(4, "little")
    assert data.count(real) == 2
    (tmp_path / "bomb.zip").write_bytes(data.replace(real, (1000).to_bytes(4, "little")))
    with pytest.raises(DataError, match="is not a sound zip file"):
        read(tmp_path / "bomb.zip", Caps(max_unpacked=100_000))


def test_a_stream_past_its_limit_is_stopped() -> None:
    endless = LimitedReader(io.BytesIO(b"1" * 5000), 1000, "bomb.zip")
    assert len(endless.read(900)) == 900
    with pytest.raises(DataError, match=r"bomb\.zip unpacks to more than 1,000 bytes"):
        endless.read(900)


@pytest.mark.parametrize("names", [[], ["a.txt"], ["a.csv", "b.csv"]])
def test_archives_hold_exactly_one_csv(tmp_path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "1,2,3\n")
    with pytest.raises(DataError, match=r"exactly one \.csv"):
        read(tmp_path / "a.zip")


@pytest.mark.parametrize("column", ["open_time", "close"])
def test_parquet_of_text_or_with_holes_is_refused(tmp_path: Path, column: str) -> None:
    columns = {name: pa.array(values) for name, values in bars(5).items()}
    pq.write_table(pa.table({**columns, column: pa.array(["1"] * 5)}), tmp_path / "text.parquet")
    with pytest.raises(DataError, match=f"column {column} holds string"):
        read(tmp_path / "text.parquet")
    holes = pa.array([1, None, 3, 4, 5], columns[column].type)
    pq.write_table(pa.table({**columns, column: holes}), tmp_path / "holes.parquet")
    with pytest.raises(DataError, match=f"row 2 has nothing for {column}"):
        read(tmp_path / "holes.parquet")


def test_lenient_reading_gives_every_line_once(tmp_path: Path) -> None:
    lines = write_csv(tmp_path / "a.csv", bars(200)).read_text().splitlines()
    for at in (3, 50, 120):
        lines[at] = "junk"
    for at in (10, 90):
        lines[at] = lines[at].replace(",", ",?", 1)
    (tmp_path / "a.csv").write_text("\n".join(lines))
    batch, bad = read_leniently(tmp_path / "a.csv", KLINES)
    assert [row.row for row in bad] == [4, 11, 51, 91, 121]
    assert sorted([*batch.rows.tolist(), *(row.row for row in bad)]) == list(range(2, 202))
    assert np.array_equal(batch.columns["open_time"], bars(200)["open_time"][batch.rows - 2])


def test_arrow_and_numpy_agree_on_absent_values() -> None:
    values = np.array([1.0, np.nan, 3.0])
    column = arrow_array(np.nan_to_num(values), np.isnan(values))
    assert column.to_pylist() == [1.0, None, 3.0]
    assert np.array_equal(numpy_array(column.slice(1)), [np.nan, 3.0], equal_nan=True)
    assert len(numpy_array(pa.array([], pa.int64()))) == 0
