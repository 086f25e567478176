"""A trader on a real account, watched: from its beginning, or from where it stopped, until Ctrl-C or its end."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.store.emergency import GuardedJournal, guarded
from aister.adapters.store.journal import open_chain
from aister.adapters.vault.keyring import Keyring
from aister.analytics.findings import Findings
from aister.analytics.report.words import utc
from aister.app.build import Built, limits_of
from aister.app.live import beginning_path, identity_of
from aister.app.settings import RunSettings
from aister.app.simulator import event_loop
from aister.app.trader import Trader, opened
from aister.app.trader_fault import abandon, fault_of
from aister.app.trader_prepare import prepare
from aister.app.trader_protection import traits_of
from aister.app.trader_seat import Seat, connected, seat
from aister.app.trader_ways import Ways
from aister.cli.watch.lines import Silence
from aister.cli.watch.results import findings_of
from aister.ports.live import FeedEvent, FeedNews

__all__ = ["Traded", "run_trader"]

_TICK_S = 0.5
_BUSY_S = 0.25
Say = Callable[[str], object]
Traded = tuple[Built, str, Findings | None]
"""The run, in one line how things stand at the exchange, and its figures when they were asked for."""


def run_trader(
    home: Path,
    settings: RunSettings,
    net: Net,
    key: str,
    history_days: float,
    watcher: Silence,
    say: Say,
    *,
    fresh: bool,
    speed: float = 1.0,
    figures: bool = False,
    ways: Ways = Ways(),
) -> Traded:
    """Trade until the settings' end or a signal. `fresh`: a new run; an unfinished one is set aside once nothing
    refuses it any more. `figures`: those of a run that was stopped are worked out too. Raises what the key, the
    account, the venue, the settings or the disk have against it."""
    with seat(home, Keyring(home), key, net, settings.trader_id, settings.symbols) as held:
        identity = identity_of(settings, net, held.account)
        path = beginning_path(home, identity)
        with ExitStack() as open_, asyncio.Runner(loop_factory=event_loop()) as runner:

            def begin() -> GuardedJournal:
                chain = open_chain(home, settings.owner_id, identity, "live", fresh=fresh, busy_s=_BUSY_S)
                return open_.enter_context(guarded(home, chain))

            journal = None if fresh else begin()
            life = _watched(held, settings, journal, begin, path, history_days, watcher, say, speed, ways)
            built, said = runner.run(life)
            return built, said, findings_of(built) if figures or built.run.finished else None


async def _watched(
    held: Seat,
    settings: RunSettings,
    journal: GuardedJournal | None,
    begin: Callable[[], GuardedJournal],
    path: Path,
    days: float,
    watcher: Silence,
    say: Say,
    speed: float,
    ways: Ways,
) -> tuple[Built, str]:
    already = journal.sequence if journal is not None else 0
    limits = limits_of(settings)
    traits = traits_of(held, path if already else None)
    async with connected(
        held, settings.symbols, limits, speed=speed, patient=already > 0, say=say, traits=traits
    ) as there:
        prepared = None
        if journal is None:
            prepared = await prepare(there, settings, days, say, ways.found)
            journal = begin()
        trader = await opened(
            there, settings, journal, path, days, watcher.observers, say, speed=speed, ways=ways, prepared=prepared
        )
        watcher.attach(trader.built, already)
        watcher.standing = trader.standing
        trader.start()
        say(trader.standing())
        said = await _until_stopped(trader, watcher, say, speed)
    return trader.built, said


async def _until_stopped(trader: Trader, watcher: Silence, say: Say, speed: float) -> str:
    passing = (FeedEvent.UP,) if speed == 1 else (FeedEvent.UP, FeedEvent.STALE, FeedEvent.FRESH)
    # a simulator ahead of the wall is silent for seconds of its own all the time

    def told(news: FeedNews) -> None:
        if news.event not in passing:
            say(f"{utc(news.time_ms)} {news.event} {news.what}: {news.why}")

    run, loop = trader.built.run, asyncio.get_running_loop()
    living = asyncio.ensure_future(trader.live(watcher.watch, told, trader.built.settings.end_ms))
    ticking = asyncio.ensure_future(_ticking(watcher))

    def stop() -> None:
        if run.stopping:
            raise KeyboardInterrupt
        run.stop()
        say("Stopping: entries are withdrawn, stops stay. Once more leaves at once.")
        living.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await living
    except asyncio.CancelledError:
        if not run.stopping:
            raise
    except Exception as error:
        say(f"The trader leaves by a fault. {await abandon(trader)}.")
        raise fault_of(error) from error
    finally:
        ticking.cancel()
    return await trader.stop()


async def _ticking(watcher: Silence) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        watcher.tick()
