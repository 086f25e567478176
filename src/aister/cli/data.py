"""`aister data`: what was recorded, brought in, looked at, taken out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aister.cli.download import download
from aister.core.errors import UsageError

if TYPE_CHECKING:
    from aister.adapters.store.findings import Finding
    from aister.adapters.store.market import MarketStore

__all__ = ["register"]

_JSON = typer.Option("--json", help="Print JSON to standard output.")


def register(app: typer.Typer) -> None:
    data = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Market data: import, download, list, check, export."
    )
    data.command("import")(import_)
    data.command("download")(download)
    data.command("list")(list_)
    data.command("check")(check)
    data.command("export")(export)
    app.add_typer(data, name="data")


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(help="CSV (Binance public-data layout or with a header), ZIP of one CSV, or Parquet."),
    ],
    *,
    symbol: Annotated[str, typer.Option(help="Such as BTCUSDT; by default what the file names say.")] = "",
    interval: Annotated[
        str, typer.Option(help="Such as 1m; for funding such as 8h; by default what the files say.")
    ] = "",
    kind: Annotated[str, typer.Option(help="klines or funding; by default what the file names say.")] = "",
    source: Annotated[str, typer.Option(help="Where the data came from.")] = "not stated",
    licence: Annotated[str, typer.Option(help="Under which licence.")] = "not stated",
    proxy: Annotated[
        list[str] | None, typer.Option(help="What the data stand in for: spot, or the venue they are from.")
    ] = None,
    on_bad: Annotated[
        str, typer.Option(help="refuse: import nothing. quarantine: keep bad rows apart, with reasons.")
    ] = "refuse",
    allow_gaps: Annotated[
        bool, typer.Option("--allow-gaps", help="Record gaps instead of refusing them. Never filled.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Accept rows that differ from stored ones.")] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Check files and add them to the store: all of them, or none."""
    from aister.adapters.store.home import open_home
    from aister.adapters.store.importer import Import, import_files
    from aister.adapters.store.intervals import interval_ms, utc_text
    from aister.adapters.store.market import data_folder
    from aister.adapters.store.naming import name_of

    for path in paths:
        _there(path)
        if not symbol and not name_of(path).symbol:
            raise UsageError(f"The name of {path} does not start with a symbol, as BTCUSDT-1m.csv does; give --symbol.")
    names = [name_of(path) for path in paths]
    ask = Import(
        paths=tuple(paths),
        kind=kind or _agreed({name.kind for name in names}, "kind"),
        symbol=symbol or _agreed({name.symbol for name in names}, "symbol"),
        interval_ms=interval_ms(interval) if interval else _agreed({name.interval_ms for name in names}, "interval"),
        source=source,
        licence=licence,
        proxies=tuple(proxy or ()),
        on_bad=on_bad,
        allow_gaps=allow_gaps,
        replace=replace,
    )
    open_home()
    report = import_files(data_folder(), ask)
    if as_json:
        _print_json(report)
        return
    _say(
        f"{report.symbol} {report.kind} {report.interval}: {report.rows_new:,} new rows, "
        f"{report.rows_identical:,} already there,"
    )
    _say(
        f"  {report.rows_replaced:,} replaced, {report.rows_quarantined:,} quarantined; now "
        f"{utc_text(report.first_time_ms)} to"
    )
    _say(
        f"  {utc_text(report.last_time_ms)}, {report.missing:,} missing in {report.gaps:,} gaps (recorded, not filled)."
    )
    for line in [*report.notes, *(f"quarantined rows and reasons: {path}" for path in report.quarantine)]:
        _say(f"  {line}")


def list_(as_json: Annotated[bool, _JSON] = False) -> None:
    """What the store holds, and the sample that ships with the program."""
    from aister.adapters.store.intervals import utc_text
    from aister.adapters.store.market import user_store
    from aister.adapters.store.sample import sample_store

    rows = [
        _row(where, store, series)
        for where, store in (("sample", sample_store()), ("store", user_store()))
        for series in store.manifest.series
    ]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        span = f"{utc_text(row['first_time_ms'])} to {utc_text(row['last_time_ms'])}"
        line = f"{row['where']:<7} {row['symbol']:<12} {row['kind']:<8} {row['interval']:<4} {row['rows']:>10,} rows"
        _say("  ".join([line, span, f"{row['missing']:,} missing", *row["flags"]]))


def check(
    what: Annotated[str, typer.Argument(help="sample, a symbol, a file or a folder; by default the whole store.")] = "",
    interval: Annotated[str, typer.Option(help="Interval of a file whose name does not say it.")] = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Checksums, gaps, order, OHLC, units. Exit code 1 when something is wrong."""
    from aister.adapters.store.findings import check_file, check_series
    from aister.adapters.store.intervals import interval_ms
    from aister.adapters.store.naming import recordings_in

    store, path = _named_store(what)
    findings: list[Finding] = []
    if store is not None:
        checked = [
            series for series in store.manifest.series if path is not None or what in ("", "sample", series.symbol)
        ]
        for series in checked:
            findings += check_series(store, series)
        count = f"{len(checked)} series"
    else:
        assert path is not None
        files = recordings_in(path)
        for file in files:
            findings += check_file(file, interval_ms(interval) if interval else None)
        count = "1 file" if len(files) == 1 else f"{len(files)} files"
    if as_json:
        _print_json(findings)
    else:
        for found in findings:
            _say(
                f"{found.severity:<4} {found.kind:<12} {found.count:>9,}  "
                f"{found.where}{f' row {found.row}' if found.row else ''} {found.time}: {found.text}"
            )
        faults = sum(found.severity != "note" for found in findings)
        kinds = "1 kind of fault" if faults == 1 else f"{faults} kinds of fault"
        _say(f"{count} checked: {f'{kinds} found' if faults else 'nothing wrong'}.")
    if any(found.severity != "note" for found in findings):
        raise typer.Exit(1)


def export(
    symbol: Annotated[str, typer.Argument(help="Such as BTCUSDT.")],
    interval: Annotated[str, typer.Argument(help="Such as 1m, or `funding`.")],
    out: Annotated[Path, typer.Argument(help="A .csv or .parquet file to write.")],
    sample: Annotated[bool, typer.Option("--sample", help="From the shipped sample instead of the store.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Write one series as CSV or Parquet."""
    from aister.adapters.store.exporting import export_series
    from aister.adapters.store.home import home
    from aister.adapters.store.market import user_store
    from aister.adapters.store.sample import sample_store
    from aister.cli.output import apart, writable

    store = sample_store() if sample else user_store()
    series = (
        store.manifest.find("funding", symbol)
        if interval == "funding"
        else store.manifest.find("klines", symbol, interval)
    )
    if series is None:
        raise UsageError(
            f"{symbol} {interval} is not in the {'sample' if sample else 'store'}; `aister data list` shows "
            "what there is."
        )
    if out.absolute().parent.is_dir():
        writable(out)
        apart(out, home(), store.root)
    if out.exists() and not out.is_file():
        raise UsageError(f"{out} is no plain file; name one that ends in .csv or .parquet.")
    done = export_series(store, series, out.resolve() if out.is_symlink() else out, overwrite)
    if as_json:
        _print_json(done)
    else:
        _say(f"{done.rows:,} rows written to {done.path} (SHA-256 {done.sha256}).")


def _named_store(what: str) -> "tuple[MarketStore | None, Path | None]":
    """The store a name means, and the path when the name is one (a path that is a store gives both)."""
    from aister.adapters.store.market import MarketStore, user_store
    from aister.adapters.store.sample import sample_store

    if what == "sample":
        return sample_store(), None
    store = user_store()
    if not what or any(series.symbol == what for series in store.manifest.series):
        return store, None
    path = Path(what).expanduser()
    if not path.exists():
        raise UsageError(
            f"{what} is neither `sample`, a symbol of the store nor a path that exists; `aister data list` "
            "shows what there is."
        )
    return (MarketStore.open(path), path) if MarketStore.at(path) else (None, path)


def _row(where: str, store: "MarketStore", series: Any) -> dict[str, Any]:
    missing, gaps = series.gaps()
    first, last = series.span_ms
    return {
        "where": where,
        "symbol": series.symbol,
        "kind": series.kind,
        "interval": series.interval,
        "rows": series.rows,
        "first_time_ms": first,
        "last_time_ms": last,
        "missing": missing,
        "gaps": [{"start_ms": gap.start_ms, "end_ms": gap.end_ms, "missing": gap.missing} for gap in gaps],
        "bytes": sum(month.bytes for month in series.months),
        "files": [str(store.root / month.path) for month in series.months],
        "sources": sorted({origin.source for origin in series.origins}),
        "licences": sorted({origin.licence for origin in series.origins}),
        "flags": [f"proxy: {name}" for name in series.proxies],
    }


def _there(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name the files in it, such as {path / '*.csv'}.")
    if not path.exists():
        raise UsageError(f"{path} does not exist; check the path.")


def _agreed(said: set[Any], what: str) -> Any:
    if len(said) != 1:
        raise UsageError(f"The file names do not agree on one {what}; give --{what}.")
    return said.pop()


def _say(line: str) -> None:
    from aister.cli import shown

    print(shown(line))


def _print_json(value: Any) -> None:
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
    sys.stdout.buffer.flush()
