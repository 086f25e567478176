"""`aister run`: the autonomous trader over a recorded feed, watched or at full speed, with its report."""

import os
import sys
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aister.cli import options

if TYPE_CHECKING:
    from aister.adapters.exchanges.aster.hosts import Net
    from aister.adapters.feeds.recorded import RecordedFeed
    from aister.app.settings import RunSettings
    from aister.app.trader_checks import Found
    from aister.ports.journal import Journal

__all__ = ["run"]

_VENUES = ("paper", "aster")
_SPEEDS = "market seconds per wall second, or 'max'"


def run(
    *,
    data: options.Data = "sample",
    symbols: options.Symbols = "",
    speed: Annotated[str, typer.Option(help=f"Pace of the run: {_SPEEDS}.")] = "max",
    start: options.Start = "",
    end: options.End = "",
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Leave when the feed ends instead of keeping the last screen.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything modelled by chance; recorded in the result.")] = 1,
    profile: Annotated[str, typer.Option(help="Risk profile: conservative, balanced, aggressive.")] = "balanced",
    leverage: Annotated[int, typer.Option(help="Leverage per position; 0 = the profile's.")] = 0,
    positions: options.Positions = "one_way",
    margin: options.MarginMode = "isolated",
    capital: options.Capital = "10000",
    mind: Annotated[str, typer.Option(help="Who deliberates: rules, or none (setups trade directly).")] = "rules",
    strategy: Annotated[
        str, typer.Option(help="Whose setups: a name of `aister strategy list`, or a spec file (.json).")
    ] = "confluence",
    latency: Annotated[int, typer.Option(help="Modelled time between question and answer, ms.")] = 250,
    assume_funding: options.AssumeFunding = False,
    report: Annotated[Path | None, typer.Option(help="Write the report (HTML) here.")] = None,
    json_path: options.JsonFile = "",
    venue: Annotated[str, typer.Option(help="Where orders go: paper, or aster (needs --feed live).")] = "paper",
    net: Annotated[str, typer.Option(help="Of --feed live: mainnet, testnet or simulator.")] = "mainnet",
    rest_url: Annotated[str, typer.Option(help="Of --net simulator: its REST address.")] = "http://127.0.0.1:9701",
    ws_url: Annotated[str, typer.Option(help="Of --net simulator: its websockets.")] = "ws://127.0.0.1:9702",
    key: Annotated[str, typer.Option(help="Of --venue aster: the key's name; the net's by default.")] = "",
    found: Annotated[
        str,
        typer.Option(
            help="Of --venue aster: a position there in no book of the run is kept with its stop (adopt) or closed "
            "(flatten). A run that goes on adopts by itself, a new one only when told to."
        ),
    ] = "",
    accept_absence: Annotated[
        str, typer.Option(help="Of --venue aster: why entries may go on after an absence of more than seven days.")
    ] = "",
    accept_transfer: Annotated[
        str, typer.Option(help="Of --venue aster: what was moved into (-5: out of) the account behind the run's back.")
    ] = "",
    resume: Annotated[
        str, typer.Option(help="Of --venue aster: why a trader that halted (drawdown, refused closes) trades again.")
    ] = "",
    warm_up: Annotated[float, typer.Option(help="Of --feed live: days of the past that features see first.")] = 14.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; an unfinished run of the same identity is set aside.")
    ] = False,
) -> None:
    """Run the trader. An unfinished run of the same settings and data is resumed; a finished one is followed by a new
    one. `--feed live` trades the market as it happens, on paper."""
    from aister.adapters.exchanges.aster.hosts import net as net_named
    from aister.adapters.store.home import open_home
    from aister.app.build import open_data, open_run_journal
    from aister.app.live import LIVE, LIVE_SYMBOLS
    from aister.app.settings import RunSettings
    from aister.app.strategies import in_words, named_spec
    from aister.cli.compiling import show_compiling
    from aister.cli.given import amount, named_symbols, targets, utc_ms

    spec = named_spec(strategy)
    streamed = data == LIVE
    _check_venue(venue, net, streamed)
    if streamed:
        _check_pace(speed, start, warm_up, simulated=venue != _VENUES[0] and net == "simulator")
    if venue != _VENUES[0]:
        _check_account(positions, capital)
    settings = RunSettings(
        data=f"{LIVE} {net}" if streamed else data,
        symbols=named_symbols(symbols) or (LIVE_SYMBOLS if streamed else ()),
        start_ms=utc_ms(start, "--from"),
        end_ms=utc_ms(end, "--to"),
        seed=seed,
        profile=profile,
        leverage=leverage,
        positions=positions,
        margin=margin,
        capital=amount(capital),
        mind=mind,
        strategy=spec.name if spec is not None else strategy,
        spec=in_words(spec) if spec is not None else "",
        latency_ms=latency,
        assume_funding=assume_funding,
    ).check()
    pace = _pace(speed)
    json_path = targets("" if streamed else settings.data, report, json_path, "--report")
    show_compiling()
    if streamed:
        where = net_named(net, rest_url, ws_url) if net == "simulator" else net_named(net)
        if venue != _VENUES[0]:
            ways = (_policy(found), accept_absence, resume, _moved(accept_transfer))
            _trade(settings, where, key or net, warm_up, report, json_path, pace or 1.0, ways, fresh=fresh)
            return
        _live(settings, where, warm_up, report, json_path, fresh=fresh)
        return
    with ExitStack() as held:
        feed = open_data(settings)
        journal = open_run_journal(open_home(), settings, feed, fresh=fresh)
        if isinstance(journal, AbstractContextManager):
            held.enter_context(journal)
        _watched(settings, feed, journal, pace, report, json_path, linger=not until_end)


def _watched(
    settings: "RunSettings",
    data: "RecordedFeed",
    journal: "Journal",
    pace: float | None,
    report: Path | None,
    json_path: str,
    *,
    linger: bool,
) -> None:
    """Drive the run under whatever eyes there are, then leave its results. Exit code 130 when it was stopped."""
    from aister.app.build import build_run
    from aister.cli.output import say
    from aister.cli.watch.drive import drive, unhurried
    from aister.cli.watch.lines import Lines, Silence
    from aister.cli.watch.results import findings_of, leave, mode_of, summary
    from aister.cli.watch.screen import Screen
    from aister.core.errors import StorageError

    already = journal.sequence
    quiet = json_path == "-"
    drawable = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    screen = Screen(mode_of(settings), pace) if drawable and not quiet else None
    watcher = screen or (Silence() if quiet else Lines())
    built = build_run(settings, data, journal, observers=watcher.observers)
    if already and not quiet:
        print(f"An unfinished run of these settings and data was found: repeating its {already:,} records first.")
    try:
        with unhurried(built, screen.say if screen is not None else _to_stderr):
            finished = drive(built, watcher, pace, already, drawn=screen is not None)
            if finished:
                if screen is not None:
                    screen.say("Working out the results.")
                findings = findings_of(built)
                leave(findings, report, json_path)
        if finished and screen is not None and linger and sys.stdin.isatty():
            screen.linger("Finished. Enter or Ctrl-C leaves.")
    finally:
        watcher.close()
    if watcher.failed is not None:
        raise StorageError(
            f"The output could not be written ({watcher.failed.strerror}) and the run was stopped; make room or send "
            "it elsewhere: the same command goes on from there."
        )
    said = sys.stderr if quiet else sys.stdout
    if already:
        print(f"resumed: {built.run.repeated:,} records repeated", file=said)
    if not finished:
        kept = "everything up to there is kept. The same command goes on from there."
        print(f"Stopped at {_utc(built.engine.time_ms)}; {kept}", file=said)
        raise typer.Exit(130)
    if not quiet:
        for line in summary(findings, report, json_path):
            say(line)


def _live(
    settings: "RunSettings", net: "Net", days: float, report: Path | None, json_path: str, *, fresh: bool
) -> None:
    """The same on a live market, which ends at --to or when it is stopped. Exit code 130 when it was stopped."""
    from aister.adapters.store.home import open_home
    from aister.cli.output import say
    from aister.cli.watch.lines import Lines, Silence
    from aister.cli.watch.live import run_live
    from aister.cli.watch.results import leave, summary
    from aister.cli.watch.screen import Screen

    quiet = json_path == "-"
    drawable = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    screen = Screen("PAPER", 1.0) if drawable and not quiet else None
    watcher = screen or (Silence() if quiet else Lines())
    try:
        tell = screen.say if screen is not None else _to_stderr
        built, findings = run_live(open_home(), settings, net, days, watcher, tell, fresh=fresh)
    finally:
        watcher.close()
    if findings is None:
        kept = "everything up to there is kept. The same command goes on from there."
        print(f"Stopped at {_utc(built.engine.time_ms)}; {kept}", file=sys.stderr if quiet else sys.stdout)
        raise typer.Exit(130)
    leave(findings, report, json_path)
    for line in [] if quiet else summary(findings, report, json_path):
        say(line)


def _trade(
    settings: "RunSettings",
    net: "Net",
    key: str,
    days: float,
    report: Path | None,
    json_path: str,
    speed: float,
    ways: "tuple[Found, str, str, int]",
    *,
    fresh: bool,
) -> None:
    """The same on a real account. What was asked for is left however it ends; exit code 130 when it was stopped."""
    from aister.adapters.store.home import open_home
    from aister.app.trader_ways import Ways
    from aister.cli.output import say
    from aister.cli.watch.lines import Lines, Silence
    from aister.cli.watch.results import leave, summary
    from aister.cli.watch.screen import Screen
    from aister.cli.watch.trade import run_trader

    quiet = json_path == "-"
    drawable = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    screen = Screen(f"ASTER {net.name}", 1.0) if drawable and not quiet else None
    watcher = screen or (Silence() if quiet else Lines())
    try:
        tell = screen.say if screen is not None else _to_stderr
        figures = report is not None or bool(json_path)
        built, stands, findings = run_trader(
            open_home(),
            settings,
            net,
            key,
            days,
            watcher,
            tell,
            fresh=fresh,
            speed=speed,
            figures=figures,
            ways=Ways(ways[0], settings.owner_id, *ways[1:]),
        )
    finally:
        watcher.close()
    said = sys.stderr if quiet else sys.stdout
    print(stands, file=said)
    if findings is not None:
        leave(findings, report, json_path)
    if findings is None or not built.run.finished:
        print(f"Stopped at {_utc(built.engine.time_ms)}; the same command goes on from there.", file=said)
        raise typer.Exit(130)
    for line in [] if quiet else summary(findings, report, json_path):
        say(line)


def _check_venue(venue: str, net: str, streamed: bool) -> None:
    """Raises `UsageError` for a venue that orders cannot go to."""
    from aister.core.errors import UsageError

    if venue not in _VENUES:
        raise UsageError(f"There is no venue {venue!r}; choose {' or '.join(_VENUES)}.")
    if venue == _VENUES[0]:
        return
    if not streamed:
        raise UsageError("--venue aster trades the market as it happens; add --feed live.")
    if net == "mainnet":
        raise UsageError(
            "Orders are not sent to mainnet: arming and the full limits do not exist yet. Use --net testnet or --net "
            "simulator, or leave --venue out: mainnet's data then meet the paper venue."
        )


def _moved(text: str) -> int:
    """Money moved in or, after a minus, out; 0 for nothing said."""
    from aister.cli.given import amount

    return amount(text, "--accept-transfer") if text else 0


def _policy(found: str) -> "Found":
    """Raises `UsageError` for a word that is none."""
    from aister.core.errors import UsageError

    match found:
        case "" | "adopt" | "flatten":
            return found
    raise UsageError(f"--found {found!r} is no policy; give adopt or flatten.")


def _check_account(positions: str, capital: str) -> None:
    """Raises `UsageError` for what cannot be on a real account."""
    from aister.core.errors import UsageError

    if positions != "one_way":
        raise UsageError("Hedge mode is not traded on a real account; leave --positions out and set it to one-way.")
    if capital != "10000":
        raise UsageError("The capital is the account's own balance; leave --capital out.")


def _check_pace(speed: str, start: str, days: float, *, simulated: bool) -> None:
    """Raises `UsageError` for what cannot be on a live market. A simulator may be served at another speed than the
    wall's, which must then be named."""
    from aister.core.errors import UsageError

    if speed != "max" and not simulated:
        raise UsageError("A live market has its own pace; leave --speed out.")
    if start:
        raise UsageError("A live run begins now; leave --from out (--warm-up says how much of the past it sees first).")
    if not 0 <= days <= 90:
        raise UsageError("--warm-up lies between 0 and 90 days; give 14.")


def _to_stderr(sentence: str) -> None:
    """Said from a signal handler, where a stream that is just being written must not be entered again."""
    os.write(2, f"aister: {sentence}\n".encode())


def _utc(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _pace(text: str) -> float | None:
    """Market seconds per wall second; None = as fast as possible."""
    from aister.core.errors import UsageError

    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e9:
        raise UsageError(f"--speed {text!r} is not a speed; give {_SPEEDS}.")
    return speed
