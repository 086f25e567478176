"""Seeded bars and the files they are written to, for the tests of store and feeds."""

import zipfile
from pathlib import Path

import numpy as np

START_MS = 1_746_403_200_000  # 2025-05-05 00:00 UTC
MINUTE_MS = 60_000

Bars = dict[str, np.ndarray]


def bars(count: int, start_ms: int = START_MS, seed: int = 1, step_ms: int = MINUTE_MS, price: float = 100.0) -> Bars:
    """A sound random walk."""
    random = np.random.default_rng(seed)
    close = np.round(price * np.exp(np.cumsum(random.normal(0, 1e-4, count))), 2)
    open_ = np.concatenate([[price], close[:-1]])
    spread = np.round(random.uniform(0, 0.05, count), 2)
    return {
        "open_time": start_ms + step_ms * np.arange(count),
        "open": open_,
        "high": np.maximum(open_, close) + spread,
        "low": np.minimum(open_, close) - spread,
        "close": close,
        "volume": np.round(random.uniform(0.001, 5, count), 3),
    }


def write_csv(path: Path, rows: Bars, header: bool = True, times: int = 1) -> Path:
    """The given columns; `times` = 1000 for microseconds."""
    scaled = {name: (values * times if name == "open_time" else values) for name, values in rows.items()}
    lines = [",".join(scaled)] if header else []
    lines += [",".join(str(value) for value in row) for row in zip(*(v.tolist() for v in scaled.values()), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_public(path: Path, rows: Bars, header: bool = False, times: int = 1) -> Path:
    """The 12 columns of the Binance public-data layout."""
    zero = np.zeros(len(rows["open_time"]), np.int64)
    close_time = rows["open_time"] + MINUTE_MS - 1
    full = {
        **rows,
        "close_time": close_time * times,
        "quote_volume": rows["volume"] * rows["close"],
        "count": zero + 7,
        "taker_buy_volume": rows["volume"] / 2,
        "taker_buy_quote_volume": rows["volume"] / 2,
        "ignore": zero,
    }
    return write_csv(path, full, header, times)


def zipped(path: Path, member: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(member, member.name)
    return path


def changed(rows: Bars, at: int, **values: float) -> Bars:
    """The same rows with some values of one row replaced."""
    copy = {name: column.copy() for name, column in rows.items()}
    for name, value in values.items():
        copy[name][at] = value
    return copy


def picked(rows: Bars, index: list[int] | np.ndarray) -> Bars:
    return {name: column[index] for name, column in rows.items()}
