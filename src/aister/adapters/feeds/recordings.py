"""What `--data` names -> recordings, one per symbol. `sample`, symbols of the store (`BTCUSDT`,
`BTCUSDT,ETHUSDT@1h`), a data
folder, a folder of files or one file (`PATH@1m` picks an interval). File names say the symbol:
BTCUSDT-1m-2025-05.csv."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.store.bars import KLINES, OHLCV
from aister.adapters.store.funding import FUNDING, settle_on_the_hour, with_interval
from aister.adapters.store.instruments import INSTRUMENTS, read_instruments
from aister.adapters.store.intervals import INTERVALS, interval_name
from aister.adapters.store.layout import Columns, concatenate
from aister.adapters.store.manifest import Series
from aister.adapters.store.market import MarketStore, user_store
from aister.adapters.store.naming import name_of, recordings_in
from aister.adapters.store.reading import Batch, read_batches
from aister.adapters.store.sample import sample_store, shipped_instruments
from aister.core.errors import DataError, UsageError
from aister.core.instrument import Instrument

__all__ = ["FileRecording", "Recording", "StoredRecording", "find_recordings"]

_SYMBOLS = re.compile(r"[A-Z0-9]{2,20}(,[A-Z0-9]{2,20})*")


class StoredRecording(msgspec.Struct, frozen=True):
    """A series of a store."""

    symbol: str
    store: MarketStore
    bars: Series
    settlements: Series | None
    instrument: Instrument

    @property
    def interval_ms(self) -> int:
        return self.bars.interval_ms

    @property
    def gaps_accepted(self) -> bool:
        """Gaps in a store were seen and accepted when it was filled."""
        return True

    @property
    def flags(self) -> set[str]:
        of_funding = set(self.settlements.proxies if self.settlements else []) - set(self.bars.proxies)
        return {f"proxy: {name}" for name in self.bars.proxies} | {f"funding proxy: {name}" for name in of_funding}

    def batches(self, start_ms: int | None, end_ms: int | None, rows: int) -> Iterator[tuple[str, Batch]]:
        row = 1
        for columns in self.store.batches(self.bars, start_ms, end_ms, rows, OHLCV):
            count = len(columns["open_time"])
            yield f"{self.bars.key} in {self.store.root}", Batch(columns, np.arange(row, row + count), "row")
            row += count

    def funding(self) -> Columns | None:
        return self.store.columns(self.settlements) if self.settlements else None


class FileRecording(msgspec.Struct, frozen=True):
    """Files of one symbol, in time order, not imported."""

    symbol: str
    interval_ms: int
    files: tuple[Path, ...]
    funding_files: tuple[Path, ...]
    instrument: Instrument

    @property
    def gaps_accepted(self) -> bool:
        return False

    @property
    def flags(self) -> set[str]:
        return {"source: not stated"}

    def batches(self, start_ms: int | None, end_ms: int | None, rows: int) -> Iterator[tuple[str, Batch]]:
        for path in self.files:
            for batch in read_batches(path, KLINES):
                batch.columns = {name: batch.columns[name] for name in OHLCV}
                yield str(path), batch

    def funding(self) -> Columns | None:
        parts = []
        for path in self.funding_files:
            for batch in read_batches(path, FUNDING):
                columns, _ = settle_on_the_hour(batch.columns)
                stated = with_interval(columns, name_of(path).interval_ms or self.instrument.funding_interval_ms)
                parts.append(cast(Columns, stated))
        return concatenate(sorted(parts, key=lambda part: int(part["settle_time"][0]))) if parts else None


Recording = StoredRecording | FileRecording


def find_recordings(spec: str, symbols: tuple[str, ...] | None) -> list[Recording]:
    """Recordings by symbol, all of one interval. Raises `UsageError` when the spec names nothing or too much."""
    if not spec.strip():
        raise UsageError("The data are not named; give 'sample', a symbol of the store, or a path.")
    name, _, interval = spec.rpartition("@") if spec.rpartition("@")[2] in INTERVALS else (spec, "", "")
    if name == "sample":
        found = _of_store(sample_store(), interval, None, symbols, spec)
    elif _SYMBOLS.fullmatch(name) and not Path(name).exists():
        found = _of_store(user_store(), interval, tuple(name.split(",")), symbols, spec)
    else:
        path = Path(name).expanduser()
        if not path.exists():
            raise UsageError(
                f"{name} is neither `sample`, a symbol of the store nor a path that exists; "
                "`aister data list` shows what there is."
            )
        if MarketStore.at(path):
            found = _of_store(MarketStore.open(path), interval, None, symbols, spec)
        else:
            found = _of_files(path, interval, symbols, spec)
    return sorted(found, key=lambda recording: recording.symbol)


def _wanted(there: set[str], symbols: tuple[str, ...] | None, spec: str) -> list[str]:
    """The symbols asked for, or all. Raises `UsageError` when one is not there, or none is."""
    if not there:
        raise UsageError(f"{spec} holds no bars; `aister data list` shows what there is.")
    for symbol in symbols or ():
        if symbol not in there:
            raise UsageError(f"{symbol} is not in {spec}; it has {', '.join(sorted(there))}.")
    return sorted(set(symbols) if symbols else there)


def _of_store(
    store: MarketStore, interval: str, named: tuple[str, ...] | None, symbols: tuple[str, ...] | None, spec: str
) -> list[Recording]:
    klines = [series for series in store.manifest.series if series.kind == "klines"]
    there = {series.symbol for series in klines}
    for symbol in named or ():
        if symbol not in there:
            raise UsageError(
                f"{symbol} is not in the store and no such path exists; `aister data import` brings it in."
            )
    wanted = _wanted(set(named) if named else there, symbols, spec)
    chosen = interval or _only({series.interval for series in klines if series.symbol in wanted}, spec)
    found: list[Recording] = []
    for symbol in wanted:
        bars = store.manifest.find("klines", symbol, chosen)
        if bars is None:
            raise UsageError(f"{symbol} has no {chosen} bars; `aister data list` shows what there is.")
        funding = store.manifest.find("funding", symbol)
        found.append(StoredRecording(symbol, store, bars, funding, _instrument(symbol, store.root)))
    return found


def _of_files(path: Path, interval: str, symbols: tuple[str, ...] | None, spec: str) -> list[Recording]:
    bars: dict[tuple[str, int], list[Path]] = {}
    settlements: dict[str, list[Path]] = {}
    for file in recordings_in(path):
        named = name_of(file)
        if not named.symbol:
            raise UsageError(
                f"The name of {file} does not start with its symbol, like BTCUSDT-1m-2025-05.csv; rename it or "
                "import it."
            )
        if named.kind == "funding":
            settlements.setdefault(named.symbol, []).append(file)
        else:
            step = named.interval_ms or _spacing_ms(file)
            if not interval or INTERVALS[interval] == step:
                bars.setdefault((named.symbol, step), []).append(file)
    wanted = _wanted({symbol for symbol, _ in bars}, symbols, spec)
    bars = {key: files for key, files in bars.items() if key[0] in wanted}
    _only({interval_name(step) or f"{step} ms" for _, step in bars}, spec)
    folder = path if path.is_dir() else path.parent
    return [
        FileRecording(
            symbol, step, _in_time_order(files), tuple(settlements.get(symbol, ())), _instrument(symbol, folder)
        )
        for (symbol, step), files in bars.items()
    ]


def _only(intervals: set[str], where: str) -> str:
    if len(intervals) > 1:
        raise UsageError(
            f"{where} has bars of {', '.join(sorted(intervals, key=list(INTERVALS).index))}; pick one with @, "
            f"such as @{min(intervals)}."
        )
    return next(iter(intervals), "")


def _first_times(path: Path) -> npt.NDArray[np.int64]:
    return next(read_batches(path, KLINES)).columns["open_time"]


def _in_time_order(files: list[Path]) -> tuple[Path, ...]:
    return tuple(files) if len(files) == 1 else tuple(sorted(files, key=lambda file: int(_first_times(file)[0])))


def _instrument(symbol: str, folder: Path) -> Instrument:
    """From the instruments file beside the data, else from the shipped one, else refused."""
    beside = folder / INSTRUMENTS
    known = read_instruments(beside) if beside.is_file() else {}
    if symbol not in known:
        known = shipped_instruments()
    if symbol not in known:
        raise DataError(
            f"No filters, fees and brackets are known for {symbol}; put them into {beside} in exchangeInfo form."
        )
    return known[symbol]


def _spacing_ms(file: Path) -> int:
    from aister.adapters.store.findings import spacing_ms  # noqa: PLC0415  (with all of the importer behind it)

    return spacing_ms(file)
