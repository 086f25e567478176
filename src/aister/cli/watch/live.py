"""A run on a live market, watched: from its beginning, or from where it stopped, until Ctrl-C or its end."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.adapters.store.journal import open_chain
from aister.analytics.findings import Findings
from aister.analytics.report.words import utc
from aister.app.build import Built, build_run
from aister.app.live import LiveMarket, beginning_path, identity_of
from aister.app.settings import RunSettings
from aister.app.simulator import event_loop
from aister.app.tape import Tape, read_beginning, tape_of, write_beginning
from aister.cli.watch.lines import Silence
from aister.cli.watch.results import findings_of
from aister.core.errors import StorageError
from aister.ports.journal import Journal
from aister.ports.live import FeedEvent, FeedNews

__all__ = ["run_live"]

_TICK_S = 0.5
Say = Callable[[str], object]


def run_live(
    home: Path, settings: RunSettings, net: Net, history_days: float, watcher: Silence, say: Say, *, fresh: bool
) -> tuple[Built, Findings | None]:
    """Run until the settings' end or a signal; its figures when it ended. Raises what the market, the settings or the
    disk have against it."""
    identity = identity_of(settings, net)
    path = beginning_path(home, identity)
    with (
        open_chain(home, owner_id=settings.owner_id, identity=identity, kind="run", fresh=fresh) as journal,
        asyncio.Runner(loop_factory=event_loop()) as runner,
    ):
        built = runner.run(_watched(settings, net, history_days, watcher, say, journal, path))
        return built, findings_of(built) if built.run.finished else None


async def _watched(
    settings: RunSettings, net: Net, days: float, watcher: Silence, say: Say, journal: Journal, path: Path
) -> Built:
    wire = SocketWire(net)
    try:
        live = LiveMarket(net, wire, WallClock(), settings.symbols)
        tape = await _tape(live, days, say, journal, path)
        already = journal.sequence
        built = build_run(settings, tape, journal, observers=watcher.observers)
        watcher.attach(built, already)
        await _until_stopped(built, live, tape, watcher, say)
    finally:
        await wire.close()
    return built


async def _tape(live: LiveMarket, days: float, say: Say, journal: Journal, path: Path) -> Tape:
    if journal.sequence:
        beginning = read_beginning(path)
        if beginning is None:
            raise StorageError(f"{path}, on which this run warmed up, is gone; start over with --fresh.")
        say(f"An unfinished run of these settings was found: repeating its {journal.sequence:,} records first.")
        await live.renew()
    else:
        say(f"Reading {days:g} days of {', '.join(live.symbols)} from AsterDex {live.net.name} to warm up on.")
        beginning = await live.begin(days)
        write_beginning(path, beginning)
    return tape_of(beginning, journal.records() if journal.sequence else ())


async def _until_stopped(built: Built, live: LiveMarket, tape: Tape, watcher: Silence, say: Say) -> None:
    def told(news: FeedNews) -> None:
        if news.event is not FeedEvent.UP:
            say(f"{utc(news.time_ms)} {news.event} {news.what}: {news.why}")

    following = asyncio.ensure_future(live.follow(built, tape, watcher.watch, told, built.settings.end_ms))
    ticking = asyncio.ensure_future(_ticking(watcher))

    def stop() -> None:
        if built.run.stopping:
            raise KeyboardInterrupt
        built.run.stop()
        following.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await following
    except asyncio.CancelledError:
        if not built.run.stopping:
            raise
    finally:
        ticking.cancel()


async def _ticking(watcher: Silence) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        watcher.tick()
