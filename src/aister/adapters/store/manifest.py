"""The store's list of contents, and its single commit point: a file the manifest does not name is not in the store."""

from pathlib import Path

import msgspec

from aister.adapters.store.checks import Gap
from aister.adapters.store.files import write_whole
from aister.adapters.store.intervals import interval_name
from aister.core.errors import DataError

__all__ = [
    "GAPS_LISTED",
    "MANIFEST",
    "Manifest",
    "Month",
    "Origin",
    "Series",
    "read_manifest",
    "series_key",
    "write_manifest",
]

MANIFEST = "manifest.json"
GAPS_LISTED = 1_000


class Month(msgspec.Struct, frozen=True):
    """One Parquet file: where it lies below the data folder, what it must hash to, what it holds.

    `missing` counts the rows absent between its first and last; `gaps` lists the first 1,000 stretches."""

    month: str
    path: str
    sha256: str
    bytes: int
    rows: int
    first_ms: int
    last_ms: int
    missing: int
    gaps: list[Gap]


class Origin(msgspec.Struct, frozen=True):
    """Where an import's rows came from: file name and hash as given, the stated source and licence, what was kept
    out."""

    file: str
    sha256: str
    source: str
    licence: str
    rows: int
    quarantined: int
    notes: list[str]


class Series(msgspec.Struct):
    """One symbol's bars of one interval, or its settlements (`interval_ms` = the last settlement's interval).

    `proxies` names what the data stand in for: `spot` prices, or the venue they were recorded at (Q8)."""

    kind: str
    symbol: str
    interval_ms: int
    months: list[Month]
    origins: list[Origin]
    proxies: list[str]

    @property
    def interval(self) -> str:
        return interval_name(self.interval_ms) or f"{self.interval_ms} ms"

    @property
    def key(self) -> str:
        return series_key(self.kind, self.symbol, self.interval)

    @property
    def folder(self) -> str:
        """Below the data folder."""
        return self.key

    @property
    def rows(self) -> int:
        return sum(month.rows for month in self.months)

    @property
    def span_ms(self) -> tuple[int, int]:
        """First and last time."""
        return self.months[0].first_ms, self.months[-1].last_ms

    def gaps(self) -> tuple[int, list[Gap]]:
        """Rows missing in all, and the stretches listed, those between months included."""
        missing, stretches = 0, []
        for i, month in enumerate(self.months):
            if i and (step := month.first_ms - self.months[i - 1].last_ms) > self.interval_ms:
                lost = step // self.interval_ms - 1
                stretches.append(Gap(self.months[i - 1].last_ms + self.interval_ms, month.first_ms, max(1, lost)))
                missing += max(1, lost)
            missing += month.missing
            stretches += month.gaps
        return missing, stretches


class Manifest(msgspec.Struct):
    version: int = 1
    series: list[Series] = []

    def find(self, kind: str, symbol: str, interval: str = "") -> Series | None:
        """The series, or None. Funding has one per symbol whatever its interval."""
        key = series_key(kind, symbol, interval)
        return next((series for series in self.series if series.key == key), None)


def series_key(kind: str, symbol: str, interval: str) -> str:
    return f"{kind}/{symbol}" if kind == "funding" else f"{kind}/{symbol}/{interval}"


def read_manifest(root: Path) -> Manifest:
    """The manifest of a data folder; an empty one when there is none. Raises `DataError` when it cannot be
    understood."""
    path = root / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is damaged ({error}); restore it from a backup or import the data again into a new folder."
        ) from None
    if manifest.version != 1:
        raise DataError(f"{path} has version {manifest.version}, this program knows 1; update it.")
    for month in (month for series in manifest.series for month in series.months):
        if month.path.startswith("/") or ".." in Path(month.path).parts:
            raise DataError(f"{path} names {month.path}, outside the data folder; restore it from a backup.")
    return manifest


def write_manifest(root: Path, manifest: Manifest) -> None:
    manifest.series.sort(key=lambda series: series.key)
    write_whole(root / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
