"""Recorded files -> batches of canonical columns. CSV (plain or zipped, with a header or in the 12-column public-data
layout) and Parquet. Cells are parsed strictly by pyarrow; nothing is guessed, nothing filled."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from aister.adapters.store.door import Caps, LimitedReader, admit, milliseconds
from aister.adapters.store.layout import ArrowColumn, Columns, Layout, numpy_array
from aister.core.errors import DataError

__all__ = ["Batch", "Unreadable", "UnreadableRow", "read_batches", "read_leniently"]

_BLOCK = 4 << 20
_NUMBER = r"^\s*-?(\d{1,300}(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?\s*$|^\s*-?([nN][aA][nN]|[iI][nN][fF])\s*$"
ChunkedColumn: TypeAlias = "pa.ChunkedArray[Any]"
_INTEGER = r"^\s*-?\d{1,18}\s*$"


class Batch(msgspec.Struct):
    """Some rows of a file. `rows[i]` says where row i stands in it: the line of a CSV, the row (from 1) of a Parquet
    file."""

    columns: Columns
    rows: npt.NDArray[np.int64]
    row_word: str


class UnreadableRow(DataError):
    """A line without numbers, met while reading strictly."""


class Unreadable(msgspec.Struct, frozen=True):
    """A CSV line that holds no numbers where numbers belong."""

    row: int
    text: str


def read_batches(path: Path, layout: Layout, caps: Caps | None = None) -> Iterator[Batch]:
    """The file's rows in order, in batches, times as UTC ms. Raises `DataError` naming the first unreadable line."""
    caps = caps or Caps()
    admit(path, caps)
    seen, unit = 0, ""
    reader = _parquet(path, layout, caps) if path.suffix == ".parquet" else _csv(path, layout, caps)
    for batch in reader:
        seen += len(batch.rows)
        if seen > caps.max_rows:
            raise DataError(f"{path} has more than {caps.max_rows:,} rows; split it by month.")
        if seen:
            times = batch.columns[layout.time]
            batch.columns[layout.time], unit = milliseconds(times, str(path), batch.row_word, batch.rows, unit)
            yield batch
    if seen == 0:
        raise DataError(f"{path} has no rows; download it again.")


@contextmanager
def _opened(path: Path, caps: Caps) -> Iterator[BinaryIO]:
    if path.suffix == ".csv":
        # pyarrow's own file: its reading threads never call back into Python, which may be ending by then
        with pa.OSFile(str(path), "rb") as native:
            yield cast(BinaryIO, native)
    elif path.suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.infolist() if not m.is_dir()]
                if len(members) != 1 or not members[0].filename.lower().endswith(".csv"):
                    raise DataError(f"{path} must hold exactly one .csv file; unpack it and import the files.")
                if members[0].file_size > caps.max_unpacked:
                    raise DataError(
                        f"{path} unpacks to {members[0].file_size:,} bytes, more than the {caps.max_unpacked:,} "
                        "allowed."
                    )
                with archive.open(members[0]) as stream:
                    yield cast(BinaryIO, LimitedReader(cast(BinaryIO, stream), caps.max_unpacked, str(path)))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise DataError(f"{path} is not a sound zip file ({error}); download it again.") from None
    else:
        raise DataError(f"{path} is neither .csv, .zip (of one .csv) nor .parquet; convert it first.")


def _header(path: Path, layout: Layout, caps: Caps) -> tuple[list[str], bool]:
    """Canonical names by position (unkept columns get a placeholder), and whether the first line is a header."""
    with _opened(path, caps) as stream:
        first = stream.read(65_536).split(b"\n", 1)[0]
    try:
        cells = first.decode("utf-8-sig").rstrip("\r").split(",")
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as plain CSV.") from None
    has_header = re.fullmatch(r"\s*-?[\d.]+\s*", cells[0]) is None
    if has_header:
        names = [layout.canonical(cell.strip('"')) for cell in cells]
    elif len(cells) in layout.headerless:
        names = list(layout.headerless[len(cells)])
    else:
        allowed = " or ".join(str(n) for n in sorted(layout.headerless))
        raise DataError(
            f"{path} has no header and {len(cells)} columns where {layout.kind} have {allowed}; add a header line."
        )
    _require(path, layout, names)
    return [name or f"unkept {i}" for i, name in enumerate(names)], has_header


def _require(path: Path, layout: Layout, names: list[str]) -> None:
    missing = [name for name in layout.needed if name not in names]
    if missing:
        raise DataError(f"{path} has no column {missing[0]}; {layout.kind} need {', '.join(layout.needed)}.")
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise DataError(f"{path} has two columns for {twice[0]}; remove one.")


def _csv(path: Path, layout: Layout, caps: Caps) -> Iterator[Batch]:
    names, has_header = _header(path, layout, caps)
    kept: dict[str, pa.DataType] = {
        name: pa.int64() if name == layout.time else pa.float64() for name in names if not name.startswith("unkept ")
    }
    line = 2 if has_header else 1
    with _opened(path, caps) as stream:
        try:
            with _csv_reader(stream, names, has_header, kept) as reader:
                for found in reader:
                    columns = {name: numpy_array(found.column(name)) for name in kept}
                    yield Batch(columns, np.arange(line, line + found.num_rows), "line")
                    line += found.num_rows
        except pa.ArrowInvalid as error:
            raise UnreadableRow(
                f"{path}: {_explain(str(error), names)}; repair the line, or bring the file "
                "in with `aister data import --on-bad quarantine`."
            ) from None


def _csv_reader(
    stream: BinaryIO,
    names: list[str],
    has_header: bool,
    kept: dict[str, pa.DataType],
    parse: pacsv.ParseOptions | None = None,
) -> pacsv.CSVStreamingReader:
    return pacsv.open_csv(
        stream,
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=names, skip_rows=1 if has_header else 0
        ),
        parse_options=parse,
        convert_options=pacsv.ConvertOptions(
            column_types=kept, include_columns=list(kept), null_values=[], strings_can_be_null=False
        ),
    )


def _explain(message: str, names: list[str]) -> str:
    """pyarrow's message in the words of the file. It counts the header as row 1, so its rows are lines."""
    cell = re.search(r"CSV column #(\d+): Row #(\d+): .*invalid value '(.{0,40})", message, re.S)
    if cell:
        value = cell[3].removesuffix("'")
        return f"line {cell[2]} has {value!r} for {names[int(cell[1])]}, which is no number (unreadable)"
    ragged = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message)
    if ragged:
        return f"line {ragged[1]} has {ragged[3]} columns instead of {ragged[2]} (unreadable)"
    return f"it is not sound CSV ({message.splitlines()[0][:120]})"


def _parquet(path: Path, layout: Layout, caps: Caps) -> Iterator[Batch]:
    try:
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            if meta.num_rows > caps.max_rows:
                raise DataError(
                    f"{path} has {meta.num_rows:,} rows, more than the {caps.max_rows:,} allowed; split it by month."
                )
            if sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)) > caps.max_unpacked:
                raise DataError(f"{path} unpacks to more than {caps.max_unpacked:,} bytes; split it by month.")
            kept = {
                field.name: layout.canonical(field.name) for field in file.schema_arrow if layout.canonical(field.name)
            }
            _require(path, layout, list(kept.values()))
            row = 1
            for found in file.iter_batches(65_536, columns=list(kept)):
                columns = {
                    name: _cell_numbers(path, found.column(raw), name, layout, row) for raw, name in kept.items()
                }
                yield Batch(columns, np.arange(row, row + found.num_rows), "row")
                row += found.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is not a sound Parquet file ({str(error).splitlines()[0][:120]}); download it again."
        ) from None


def _cell_numbers(path: Path, column: ArrowColumn, name: str, layout: Layout, row: int) -> npt.NDArray[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind) and name == layout.time:
        column = column.cast(pa.timestamp("us", tz=kind.tz)).cast(pa.int64())
    elif not (pa.types.is_integer(kind) or (pa.types.is_floating(kind) and name != layout.time)):
        raise DataError(f"{path}: column {name} holds {kind}, not numbers; convert it first.")
    if column.null_count and name in layout.needed:
        at = row + int(np.flatnonzero(numpy_array(column.is_null().cast(pa.int64())))[0])
        raise DataError(f"{path}: row {at} has nothing for {name} (unreadable); repair the file.")
    return numpy_array(column.cast(pa.int64() if name == layout.time else pa.float64(), safe=False))


def read_leniently(path: Path, layout: Layout, caps: Caps | None = None) -> tuple[Batch, list[Unreadable]]:
    """The whole file as one batch of the rows that hold numbers, and the lines that do not (CSV only; an unsound
    Parquet
    file or archive is refused here too)."""
    caps = caps or Caps()
    try:
        parts = list(read_batches(path, layout, caps))
        return _joined(parts), []
    except UnreadableRow:
        return _csv_text(path, layout, caps)


def _joined(parts: list[Batch]) -> Batch:
    return Batch(
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        np.concatenate([part.rows for part in parts]),
        parts[0].row_word,
    )


def _csv_text(path: Path, layout: Layout, caps: Caps) -> tuple[Batch, list[Unreadable]]:
    import pyarrow.compute as pc  # noqa: PLC0415  (80 ms that sound files need not wait for)

    names, has_header = _header(path, layout, caps)
    kept: dict[str, pa.DataType] = {name: pa.string() for name in names if not name.startswith("unkept ")}
    bad: list[Unreadable] = []

    def keep_out(row: pacsv.InvalidRow) -> Literal["skip", "error"]:
        bad.append(Unreadable(row.number or 0, row.text))
        return "skip"

    with _opened(path, caps) as stream:
        try:
            parse = pacsv.ParseOptions(invalid_row_handler=keep_out)
            table = _csv_reader(stream, names, has_header, kept, parse).read_all()
        except pa.ArrowInvalid as error:
            raise DataError(f"{path}: {_explain(str(error), names)}.") from None
    if table.num_rows + len(bad) > caps.max_rows:
        raise DataError(f"{path} has more than {caps.max_rows:,} rows; split it by month.")
    first = 2 if has_header else 1
    lines = np.setdiff1d(np.arange(first, first + table.num_rows + len(bad)), [row.row for row in bad])[
        : table.num_rows
    ]
    sound = np.ones(table.num_rows, bool)
    for name in kept:
        matches = pc.match_substring_regex(table.column(name), _INTEGER if name == layout.time else _NUMBER)
        sound &= numpy_array(cast(ChunkedColumn, matches.cast(pa.int64())).combine_chunks()) == 1
    for at in np.flatnonzero(~sound).tolist():
        bad.append(Unreadable(int(lines[at]), ",".join(str(table.column(name)[at]) for name in kept)))
    if not sound.any():
        raise DataError(f"{path} has no line of numbers in the {layout.kind} layout; nothing was imported.")
    good = table.filter(pa.array(sound))
    columns: Columns = {}
    for name in kept:
        text = pc.utf8_trim_whitespace(good.column(name).combine_chunks())
        columns[name] = numpy_array(text.cast(pa.int64() if name == layout.time else pa.float64()))
    rows = lines[sound]
    columns[layout.time], _ = milliseconds(columns[layout.time], str(path), "line", rows)
    return Batch(columns, rows, "line"), sorted(bad, key=lambda row: row.row)
