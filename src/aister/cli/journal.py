"""`aister journal`: what a trader recorded; whether it is what was recorded; one trade from feature to fill."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from aister.core.errors import UsageError

if TYPE_CHECKING:
    from aister.adapters.store.records import AuditReader, Entry

__all__ = ["register"]

_CHAIN = typer.Argument(help="A chain as `aister journal list` shows it; by default the newest.")
_JSON = typer.Option("--json", help="Print JSON to standard output.")
_FROM = typer.Option("--from", help="First record number.")
_TO = typer.Option("--to", help="Last record number.")
_ID = typer.Option("--id", help="Only records of the trade that this setup, question, intent or order id belongs to.")


def register(app: typer.Typer) -> None:
    told = "The journal: list, verify, show, export, accept-rollback."
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=told)
    verbs.command("list")(list_)
    verbs.command("verify")(verify)
    verbs.command("show")(show)
    verbs.command("export")(export)
    verbs.command("accept-rollback")(accept_rollback)
    app.add_typer(verbs, name="journal")


def list_(as_json: Annotated[bool, _JSON] = False) -> None:
    """Every chain: one per run, finished, unfinished (the next such run resumes it) or set aside."""
    from aister.adapters.store.database import journal_path
    from aister.adapters.store.home import home
    from aister.adapters.store.records import AuditReader

    if not journal_path(home()).exists():
        _json([]) if as_json else _say(f"There is no journal in {home()} yet; `aister run` starts one.")
        return
    with AuditReader(home()) as reader:
        found = reader.summaries()
    if as_json:
        _json(found)
        return
    for one in found:
        _say(
            f"{one.chain_id:<26} {one.state:<10} {one.records:>10,} records  {_utc(one.started_ms)}  "
            f"owner {one.owner_id}  head {one.head[:16]}"
        )


def verify(
    chain: Annotated[str, typer.Argument(help="One chain; by default all, and the file itself.")] = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Check every hash and seal, and the end against the head file. Exit code 1 when something is not as written."""
    from aister.adapters.store.home import home
    from aister.adapters.store.verification import note_verification
    from aister.adapters.store.verify import verify as verify_home

    reports = verify_home(home(), chain or None)
    if not chain:
        note_verification(home(), reports)
    if as_json:
        _json(reports)
    elif not reports:
        _say(f"There is no journal in {home()} yet; `aister run` starts one.")
    for report in () if as_json else reports:
        if report.intact:
            _say(f"{report.chain_id}: intact, {report.records:,} records, head {report.head}")
        else:
            where = "" if report.sequence is None else f" at record {report.sequence}"
            _say(f"{report.chain_id}: NOT INTACT{where} ({report.code}): {report.message}")
            _say("  Restore AISTER_HOME from a backup, or start anew: `aister run --fresh` keeps this chain.")
        for note in report.notes:
            _say(f"  {note}")
    if not all(report.intact for report in reports):
        raise typer.Exit(1)


def show(
    chain: Annotated[str, _CHAIN] = "",
    first: Annotated[int, _FROM] = 0,
    last: Annotated[int | None, _TO] = None,
    kind: Annotated[
        str, typer.Option(help="Only records whose event or an output is of this kind: bar, ask, fill ...")
    ] = "",
    about: Annotated[str, _ID] = "",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Records in words, one event a line, what it led to below it."""
    from aister.adapters.store.home import home
    from aister.adapters.store.records import AuditReader
    from aister.cli.journal_words import entry_lines, entry_plain, kinds, kinds_of

    if kind and kind not in kinds():
        raise UsageError(f"There is no kind {kind!r}; choose from {', '.join(kinds())}.")
    count = 0
    with AuditReader(home()) as reader, _stream(as_json) as write:
        for entry in _chosen(reader, chain, first, last, about):
            if not kind or kind in kinds_of(entry.audit):
                count += 1
                if as_json:
                    write(entry_plain(entry))
                else:
                    for line in entry_lines(entry):
                        _say(line)
    if about and not count:
        raise typer.Exit(1)


def export(
    chain: Annotated[str, _CHAIN] = "",
    out: Annotated[Path | None, typer.Option(help="A file to write; by default standard output.")] = None,
    first: Annotated[int, _FROM] = 0,
    last: Annotated[int | None, _TO] = None,
    about: Annotated[str, _ID] = "",
    raw: Annotated[bool, typer.Option("--raw", help="Add the hashed bytes of each record (base64).")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Records as JSON Lines, each with its hash, verified on the way."""
    from aister.adapters.store.home import home
    from aister.adapters.store.records import AuditReader
    from aister.cli.journal_words import entry_plain, json_text
    from aister.cli.output import means_stdout

    out = None if out is not None and means_stdout(str(out)) else out
    with AuditReader(home()) as reader, _file(out, overwrite) as to:
        count = 0
        for entry in _chosen(reader, chain, first, last, about):
            to.write(json_text(entry_plain(entry, raw)) + "\n")
            count += 1
    if out is not None:
        _say(f"{count:,} records written to {out}.")


def accept_rollback(
    by: Annotated[str, typer.Option("--by", help="Who answers for it: your name.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the journal is older than it was.")],
    chain: Annotated[str, typer.Argument(help="A live trader's chain; by default the newest.")] = "",
) -> None:
    """Answer for a live trader's journal that was put back to an earlier state, so that it may start again.

    Look at the account first: orders of the lost records may be there. What was found at the exchange is adopted or
    closed by policy, and your name and reason are the first record that follows.
    """
    from aister.adapters.store.home import home
    from aister.adapters.store.rollback import accept_rollback as accept

    given = accept(home(), by, reason, chain)
    _say(
        f"{given.chain_id}: {given.by} goes on from record {given.sequence:,}; {given.remembered:,} were there before. "
        "The next start of its trader writes that down."
    )


def _chosen(reader: "AuditReader", chain: str, first: int, last: int | None, about: str) -> "Iterator[Entry]":
    """The records asked for, in order."""
    import msgspec

    from aister.analytics.trace import related_ids

    name = reader.chain(chain or None).chain_id
    if first < 0 or (last is not None and last < first):
        raise UsageError(f"Records {first} to {last} are no range; give --from and --to as numbers from 0 upwards.")
    containing: tuple[bytes, ...] = ()
    if about:
        ids = related_ids(reader.audits(name), about)
        if not ids:
            from aister.cli import shown

            print(f"aister: No record of {shown(name)} has the id {shown(about)!r}.", file=sys.stderr)
            return iter(())
        containing = tuple(msgspec.msgpack.encode(one) for one in sorted(ids))
    return reader.entries(name, first, last, containing)


@contextmanager
def _stream(as_json: bool) -> Iterator[Any]:
    """Writes the items it is given as one JSON array, one a line, without holding them."""
    from aister.cli.journal_words import json_text

    if not as_json:
        yield None
        return
    print("[", end="")
    before = "\n"

    def write(item: Any) -> None:
        nonlocal before
        print(f"{before}{json_text(item)}", end="")
        before = ",\n"

    try:
        yield write
    finally:
        print("\n]")


@contextmanager
def _file(out: Path | None, overwrite: bool) -> Iterator[TextIO]:
    """Standard output, or a file that appears only when it is whole."""
    if out is None:
        yield sys.stdout
        return
    from aister.adapters.store.home import home
    from aister.cli.output import apart, whole, writable

    if out.is_file() and not overwrite:
        raise UsageError(f"{out} exists; name another file or add --overwrite.")
    writable(out)
    apart(out, home())
    with whole(out) as to:
        yield to


def _utc(time_ms: int | None) -> str:
    from aister.cli.journal_words import utc_text

    return "unknown time" if time_ms is None else utc_text(time_ms)


def _say(line: str) -> None:
    from aister.cli import shown

    print(shown(line))


def _json(value: Any) -> None:
    import msgspec

    from aister.cli.journal_words import json_text

    print(json_text(msgspec.to_builtins(value)))
