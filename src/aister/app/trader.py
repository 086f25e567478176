"""A trader on a real account: the run that trades recorded data, with a courier where the simulated venue was.

    with seat(...) as held, open_chain(...) as journal:           nobody else trades this account
        async with connected(held, ...) as there:                 signer, client
            trader = await opened(there, settings, journal, ...)  a new run is checked and armed
            trader.start()                                        an old one is repeated
            await trader.live(watch, told)                        until it is stopped
            await trader.stop()                                   entries withdrawn, stops left where they rest

After a crash the journal's records are taken again with nothing handed on, what was under way is asked about, and the
exchange's books are read: protection first, then everything else (docs/order-path.md).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.store.emergency import GuardedJournal
from aister.adapters.store.installation import installation
from aister.app.build import RealAccount, build_run
from aister.app.live import INTERVAL_MS, Following, LiveMarket
from aister.app.settings import RunSettings
from aister.app.tape import Gathering, Tape, read_beginning, tape_of, write_beginning
from aister.app.trader_books import look_at_books
from aister.app.trader_checks import arm_flat, held_there, read_contracts
from aister.app.trader_floor import AccountFloor
from aister.app.trader_prepare import Prepared, market_of, prepare
from aister.app.trader_protection import courier_rules
from aister.app.trader_rollback import accepted_rollback, check_head, check_orders, write_acceptance
from aister.app.trader_seat import Connected
from aister.app.trader_terms import Terms
from aister.app.trader_upkeep import CAUSES, Upkeep
from aister.app.trader_ways import Ways, give
from aister.app.watcher import WatcherProcess
from aister.core.audit import Audit
from aister.core.commands import AcceptRollback, Command
from aister.core.errors import StorageError
from aister.core.events import CommandGiven, EntriesThawed, FundingSettled, RunStarted
from aister.engine.arrival import ArrivalClock
from aister.execution.courier import Courier
from aister.execution.reconcile import Armed, Ours
from aister.execution.recovery import Recovery, RecoveryRules
from aister.ports.exchange import AccountTerms, Open
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedNews
from aister.risk.state import STOPS_OF

__all__ = ["VENUE", "Trader", "opened"]

VENUE = "aster"
"""What the chain calls the exchange."""

_LEAVING_S = 3.0
_BETWEEN = 512
"""So many records are repeated between two looks at the lease."""


_OF_ANOTHER_LIFE = ("stop", "courier", "end", *CAUSES)
Say = Callable[[str], object]


async def opened(
    there: Connected,
    settings: RunSettings,
    journal: GuardedJournal,
    path: Path,
    days: float,
    observers: tuple[Callable[[Audit], None], ...],
    say: Say,
    *,
    speed: float = 1.0,
    ways: Ways = Ways(),  # noqa: B008 - frozen
    prepared: Prepared | None = None,
) -> "Trader":
    """The trader of this chain. A new run begins with what was `prepared`, or prepares it now, warming up on `days` of
    the past; `path` keeps what it began from. One that goes on raises nothing for what only a person can mend at
    the venue: it must come up to look after what it holds.

    Raises `UsageError` and `DataError` for what stands in the way of a new run, `StorageError` and `JournalError` for
    what does in that of an old one."""
    accepted = accepted_rollback(there, journal)
    check_head(there, journal, accepted)
    if not journal.sequence:
        new = prepared or await prepare(there, settings, days, say, ways.found)
        write_beginning(path, new.beginning)
        tape = tape_of(new.beginning, ())
        trader = Trader(there, new.settings, new.market, tape, journal, new.instance, observers, say, speed, ways)
        trader.begun = new.there
        return trader
    market = market_of(there, settings.symbols)
    kept = read_beginning(path)
    if kept is None:
        raise StorageError(
            f"{path}, on which this run warmed up, is gone; restore it from a backup, or close what is "
            "held on the exchange's page and start over with --fresh."
        )
    started = next(audit.event for audit in journal.records())
    assert isinstance(started, RunStarted)
    installation(there.seat.home)
    say(f"An unfinished run of these settings was found: repeating its {journal.sequence:,} records first.")
    await read_contracts(there.account, say)
    if accepted is None:
        newest = journal.newest()
        since_ms = newest.event.time_ms if newest else 0
        await check_orders(there, journal, started.trader_id, settings.symbols, since_ms, kept.earlier)
    settings = replace(settings, capital=started.capital)
    tape = tape_of(kept, ())
    trader = Trader(there, settings, market, tape, journal, started.trader_id, observers, say, speed, ways)
    trader.accepted = accepted
    return trader


class Trader:
    """One life of a trader. `built` is its run; make it in the running event loop."""

    def __init__(
        self,
        there: Connected,
        settings: RunSettings,
        market: LiveMarket,
        tape: Tape,
        journal: GuardedJournal,
        instance: str,
        observers: tuple[Callable[[Audit], None], ...],
        say: Say,
        speed: float = 1.0,
        ways: Ways = Ways(),  # noqa: B008 - frozen
    ) -> None:
        account = self._account = there.account
        self._there, self._market, self._tape, self._journal = there, market, tape, journal
        self._observers, self._say, self._ways = observers, say, ways
        self._instance, self._symbols = instance, settings.symbols
        self.accepted: AcceptRollback | None = None
        """Who answered for a journal that was put back: the first record that follows."""
        self.begun: Open | None = None
        """What was there when a new run was let through."""
        self._clock = ArrivalClock(account.now_ms, INTERVAL_MS)
        self._woken = asyncio.Event()
        self._settled: set[tuple[str, int]] = set()
        self._commands: list[Command] = []
        self._gathering = Gathering(len(settings.symbols))
        self._end_ms: int | None = None
        self.courier = Courier(
            account, sleep=there.clock.sleep, stamp=self._stamp, wake=self._woken.set, rules=courier_rules(there.traits)
        )
        floor = AccountFloor(self.courier, there.traits)
        at = RealAccount(floor, VENUE, instance, there.traits)
        self.built = build_run(settings, tape, journal, (*observers, self._observe), account=at)
        self._engine = self.built.engine
        self._terms = Terms(self.built.run, self.courier, account.contracts.count_by, say)
        armed = Armed(
            AccountTerms(hedged=False, multi_assets=False),
            dict.fromkeys(settings.symbols, self._engine.risk.limits.leverage),
            dict.fromkeys(settings.symbols, settings.margin == "isolated"),
        )
        rules = RecoveryRules(found=ways.found or "adopt", booked=True)
        self.recovery = Recovery(account, self.courier, self._ours, sleep=there.clock.sleep, armed=armed, rules=rules)
        self._user = UserStream(account.rest, there.wire, there.clock, account.contracts, self.recovery.hear)
        seat = there.seat
        self.watcher = WatcherProcess(
            seat.home, seat.vault, seat.key, seat.where, symbols=settings.symbols, instance=instance, speed=speed
        )
        self.upkeep = Upkeep(there, self.courier.teller, self.watcher, journal, self._close_ms, say, speed)
        self._next_ms = tape.next_ms
        self._clock.expects(self._close_ms())

    # ---- the beginning ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """A new run: who trades what is its first record. An unfinished one: its records are taken again, nothing is
        sent, and what was under way is asked about."""
        run, desks = self.built.run, self._engine.desks
        if self._journal.sequence:
            run.repeat(self._learn)
            if (last := self._gathering.last) is not None and len(last.bars) == len(self._symbols):
                self._tape.put(last)
            for cause in self._engine.risk.frozen:  # a restart asks again what stops the venue takes
                if cause.startswith(STOPS_OF):
                    self.courier.teller.say(EntriesThawed(0, cause))
            if self.accepted is not None:
                write_acceptance(self._there, self._journal, run, self.accepted)
            newest = max(desks[symbol].bar_ms for symbol in self._symbols)
            whole = all(desks[symbol].bar_ms == newest for symbol in self._symbols)
            self._tape.taken(newest if whole else newest - INTERVAL_MS)
        else:
            run.start()
        self._terms.begin()
        self._next_ms = self._tape.next_ms
        self._clock.expects(self._close_ms())
        self.courier.start()
        self.courier.resume()
        if self.begun is not None and held_there(self.begun, self._symbols):
            self.recovery.take_over(self.begun)
            run.hear()
            self._say(f"Taken over by --found {self._ways.found}: {self.said()}")

    def _learn(self, audit: Audit) -> None:
        """A record that is taken again. However many there are, the lease is kept meanwhile."""
        if audit.sequence % _BETWEEN == 0:
            self.upkeep.keep_lease()
        self.courier.recall(audit)
        if (market := self._gathering.take(audit)) is not None:
            self._tape.put(market)
        if isinstance(audit.event, FundingSettled):
            self._settled.add(_settlement(audit.event))
        if isinstance(audit.event, CommandGiven):
            self._commands.append(audit.event.command)
        for observer in self._observers:
            observer(audit)

    def _observe(self, audit: Audit) -> None:
        self.recovery.observe(audit)

    # ---- its life ---------------------------------------------------------------------------------------------------

    async def live(
        self, watch: Callable[[MarketSlice], None], told: Callable[[FeedNews], None], end_ms: int | None = None
    ) -> None:
        """Trade until stopped; from `end_ms` on nothing new is opened, and the run ends when nothing is held."""
        self._end_ms = end_ms
        books = look_at_books(self.recovery.resuming, self._account.rest, self._symbols, self._there.clock.sleep)
        beside = (self._user.run(), self._hear(), self._keep_books(), self.upkeep.run(), books)
        following = Following(self._admit, self.upkeep.mark, beside, self._is_flat)
        await self._market.go_on(self.built, self._tape, watch, told, end_ms, following)

    async def stop(self) -> str:
        """Withdraw entries, leave stops where they rest, and say in one line how things stand. Waits a few seconds at
        most for what is under way."""
        run = self.built.run
        if not run.finished:
            self.courier.teller.freeze("stop", "The trader is being stopped.")
            run.hear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING_S):
                await self.courier.idle()
                while run.hear():
                    await self.courier.idle()
        await self.courier.stop()
        run.hear()
        run.close()
        self.upkeep.keep_head()
        stays = await asyncio.to_thread(self.watcher.leave)
        said = f"{self.said()}; {self.courier.gaps.figures.sentence}"
        return f"{said}; the watcher stays" if stays else said

    def said(self) -> str:
        """What is held and what protects it, as the exchange confirmed it."""
        where = f"AsterDex {self._there.seat.where.name}"
        held = [line for symbol in self._symbols if (line := self._position(symbol))]
        return f"{where}: {'; '.join(held)}" if held else f"{where}: nothing is held"

    def standing(self) -> str:
        """Account, lease, watcher, and why nothing is entered, for a screen."""
        seat, frozen = self._there.seat, self._engine.risk.frozen | self.courier.teller.frozen
        account = f"{seat.account[:6]}..{seat.account[-4:]} on AsterDex {seat.where.name}"
        watched = "watched" if self.watcher.alive and self.watcher.state is not None else "no watcher"
        entries = "; ".join(frozen.values())
        why = f"entries frozen: {entries}" if frozen else "entries allowed"
        return f"{account}, lease {seat.epoch}, {watched}, {why}"

    def _position(self, symbol: str) -> str:
        desk = self._engine.desks[symbol]
        steps, one = self._engine.portfolio.holding(symbol).steps, desk.instrument
        if not steps:
            return ""
        stop = desk.resident_stop_ticks
        guard = f"stop {one.price_text(stop)} rests there" if stop is not None else "NO STOP rests there"
        return f"{symbol} {'long' if steps > 0 else 'short'} {one.size_text(abs(steps))}, {guard}"

    # ---- inside -----------------------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        """Whatever comes between bars."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            self.built.run.hear()

    async def _keep_books(self) -> None:
        """The exchange's books beside ours, now and from time to time."""
        open_ = await self.recovery.start()
        self._say(f"The exchange's books are read. {self.said()}")
        self.courier.teller.thaw_recalled(*_OF_ANOTHER_LIFE)
        frozen = self.courier.teller.frozen
        give(self._ways, self.built.run, frozen, open_.money.wallet, self._stamp, self._say, self._commands)
        await asyncio.gather(self.recovery.run(), self._arm_flattened())

    async def _arm_flattened(self) -> None:
        """Leverage and margin type of what --found flatten closes."""
        if self.begun is not None and self._ways.found == "flatten":
            held = tuple(row.symbol for row in held_there(self.begun, self._symbols))
            isolated = self.built.settings.margin == "isolated"
            leverage = self._engine.risk.limits.leverage
            await arm_flat(self._account, held, leverage, isolated, self._is_flat_in, self._say)

    def _admit(self, market: MarketSlice) -> MarketSlice | None:
        """What of a slice was not taken before a crash. Terms and funding that come while the minute's reports were
        heard already carry the engine's time."""
        engine = self._engine
        self._terms.told(market.instruments)
        bars = tuple(bar for bar in market.bars if bar.time_ms > engine.desks[bar.symbol].bar_ms)
        if not bars:
            return None
        self._terms.take(market.open_time_ms)
        funding = tuple(
            replace(one, time_ms=max(one.time_ms, engine.time_ms))
            for one in market.funding
            if _settlement(one) not in self._settled
        )
        self.upkeep.late(bars[0].time_ms)
        if self._end_ms is not None and market.open_time_ms >= self._end_ms:
            self.courier.teller.freeze("end", "The run's time is over; it ends when nothing is held.")
        self.built.run.hear()  # what was reported before this bar is heard before it
        self._next_ms = market.open_time_ms + INTERVAL_MS
        self._clock.passed(market)
        return MarketSlice(market.open_time_ms, funding, bars)

    def _stamp(self) -> int:
        return max(self._engine.time_ms, self._clock())

    def _close_ms(self) -> int:
        return self._next_ms + INTERVAL_MS

    def _ours(self) -> Ours:
        return self.courier.ours(self._instance, self._symbols, self._engine.portfolio.wallet)

    def _is_flat(self) -> bool:
        return all(map(self._is_flat_in, self._engine.desks))

    def _is_flat_in(self, symbol: str) -> bool:
        return all(desk.free for desk in self._engine.desks[symbol].legs)


def _settlement(event: FundingSettled) -> tuple[str, int]:
    """A settlement by symbol and minute: one that was told late carries a later time of its minute."""
    return event.symbol, event.time_ms // INTERVAL_MS
