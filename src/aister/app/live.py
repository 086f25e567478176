"""A run on a live market: public data of AsterDex as they come, the paper venue, a journal from which it goes on.

    beginning = await begin(...)                    contracts and warm-up, or what is kept of the run to go on with
    built = build_run(settings, tape, journal)      the same parts as on recorded data
    await follow(built, tape, market, contracts)    a slice whenever its bars have closed

Only closed bars are traded on: what happens inside a bar is matched when it has closed, as on recorded data, so the
chain of a live paper run can be made again from its own records.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path

import msgspec

from aister.adapters.exchanges.aster.contracts import Contracts
from aister.adapters.exchanges.aster.history import History
from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.exchanges.aster.instruments import InstrumentChanged
from aister.adapters.exchanges.aster.market import AsterMarket, Choice
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.wire import Clock, Wire
from aister.adapters.store.sample import shipped_instruments
from aister.app.build import Built, config_hash
from aister.app.settings import RunSettings
from aister.app.tape import Beginning, Tape
from aister.core.errors import DataError, UsageError
from aister.core.events import BarClosed
from aister.ports.exchange import Answer, Refused
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedNews

__all__ = ["INTERVAL_MS", "LIVE", "LIVE_SYMBOLS", "Following", "LiveMarket", "beginning_path", "identity_of"]

LIVE = "live"
"""What --feed says for the market as it happens."""

LIVE_SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
"""Watched when none are named."""

INTERVAL_MS = 60_000
_DAY_MS = 86_400_000
_ATTEND_MS = 1_000
_BREATH = 200
_OFFLINE = "Offline there is the packaged market data: aister run --feed sample."


def identity_of(settings: RunSettings, net: Net, account: str = "") -> str:
    """Of a live run: its configuration, where its market is, and the account it trades. The same command goes on with
    the same run."""
    where = hashlib.sha256(" ".join((net.name, net.rest, *filter(None, (account.lower(),)))).encode()).hexdigest()
    return f"{config_hash(settings)[:16]}-{where[:16]}"


def beginning_path(home: Path, identity: str) -> Path:
    """Where a live run keeps what it started from."""
    return home / "live" / f"{identity}.bin"


class Following(msgspec.Struct, frozen=True):
    """What else is done with a market that is followed. `admit` is given each slice before it is taken and returns what
    of it is new (None: nothing); `mark` every mark price (1e-8); `beside` are the other jobs of the process, of which
    none may end before the run; `may_end` is asked once the time to end has come."""

    admit: Callable[[MarketSlice], MarketSlice | None] = lambda market: market
    mark: Callable[[str, int], None] = lambda symbol, mark_e8: None
    beside: tuple[Coroutine[None, None, None], ...] = ()
    may_end: Callable[[], bool] = lambda: True


_ALONE = Following()


class LiveMarket:
    """The public side of one net for a few symbols. Make it in the running event loop. `rest` and `contracts`: those
    of an account, whose brackets and fees are its own."""

    def __init__(
        self,
        net: Net,
        wire: Wire,
        clock: Clock,
        symbols: tuple[str, ...],
        rest: Rest | None = None,
        contracts: Contracts | None = None,
    ) -> None:
        self.net, self.symbols, self._wire, self._clock = net, symbols, wire, clock
        self.rest = rest or Rest(wire, clock)
        self.contracts = contracts or Contracts(
            self.rest, symbols, source=f"AsterDex {net.name}", signed=False, assumed=shipped_instruments()
        )

    async def begin(self, history_days: float) -> Beginning:
        """Contracts as they are, and closed bars of the last days. Raises `DataError` when the venue cannot be reached
        (saying what may be done offline), `UsageError` for a symbol that cannot be traded."""
        told = await self._reach()
        await self._read_contracts()
        start_ms = told // INTERVAL_MS * INTERVAL_MS
        first_ms = start_ms - round(history_days * _DAY_MS)
        bars = {symbol: await self._bars(symbol, first_ms, start_ms) for symbol in self.symbols}
        instruments = self.contracts.instruments
        assumed = any(one.source.startswith("assumed") for one in instruments.values())
        flags = ("instruments: assumed",) if assumed else ()
        return Beginning(self.net.name, INTERVAL_MS, start_ms, instruments, bars, flags)

    async def _read_contracts(self) -> tuple[InstrumentChanged, ...]:
        read = await self.contracts.read()
        if not isinstance(read, tuple):
            raise DataError(f"The contracts of {self.net.name} cannot be read: {_why(read)}")
        for refused in self.contracts.unavailable.values():
            raise UsageError(f"{refused.reason}")
        return read

    async def _bars(self, symbol: str, first_ms: int, start_ms: int) -> list[BarClosed]:
        bars: list[BarClosed] = []
        async for page in History(self.rest).bar_pages(symbol, INTERVAL_MS, first_ms, start_ms - INTERVAL_MS):
            if not isinstance(page, tuple):
                raise DataError(f"The past of {symbol} cannot be read: {_why(page)}")
            bars += page
        return bars

    async def follow(
        self,
        built: Built,
        tape: Tape,
        watch: Callable[[MarketSlice], None],
        told: Callable[[FeedNews], None],
        end_ms: int | None = None,
    ) -> None:
        """Take what the tape holds already, then every slice as its bars close, until stopped or `end_ms`. Cancelling
        it leaves every slice whole."""
        run = built.run
        run.start()
        taken = 0
        while tape.waiting and not run.stopping:
            self._step(built, watch)
            taken += 1
            if taken % _BREATH == 0:
                await asyncio.sleep(0)
        await self.go_on(built, tape, watch, told, end_ms)

    async def go_on(
        self,
        built: Built,
        tape: Tape,
        watch: Callable[[MarketSlice], None],
        told: Callable[[FeedNews], None],
        end_ms: int | None = None,
        following: Following = _ALONE,
    ) -> None:
        """Every slice from now on, as its bars close, until stopped or `end_ms`. Cancelling it leaves every slice
        whole."""
        market = AsterMarket(
            self.rest,
            self._wire,
            self._clock,
            built.feed.instruments,
            INTERVAL_MS,
            told,
            Choice(start_ms=tape.next_ms),
            mark=following.mark,
        )
        changed = [
            s for s, desk in built.engine.desks.items() if self.contracts.terms(desk.instrument) != desk.instrument
        ]
        jobs = [
            asyncio.ensure_future(market.run()),
            asyncio.ensure_future(self._attend(changed)),
            asyncio.ensure_future(self._slices(built, tape, market, watch, changed, end_ms, following)),
            *map(asyncio.ensure_future, following.beside),
        ]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            built.run.close()

    async def renew(self) -> None:
        """What a run that goes on needs to know: time and contracts as they are now. Raises as `begin` does."""
        await self._reach()
        await self._read_contracts()

    async def _reach(self) -> int:
        told = await self.rest.server_time()
        if isinstance(told, int):
            return told
        raise DataError(f"AsterDex {self.net.name} cannot be reached: {_why(told)} {_OFFLINE}")

    async def _slices(
        self,
        built: Built,
        tape: Tape,
        market: AsterMarket,
        watch: Callable[[MarketSlice], None],
        changed: list[str],
        end_ms: int | None,
        following: Following,
    ) -> None:
        run = built.run
        async for one in market.feed.slices():
            if end_ms is None or one.open_time_ms < end_ms or not following.may_end():
                ripe = [one for one in changed if following is not _ALONE or self._may_change(built, one)]
                terms = tuple(self.contracts.terms(built.engine.desks[symbol].instrument) for symbol in ripe)
                changed[:] = [one for one in changed if one not in ripe]
                new = following.admit(msgspec.structs.replace(one, instruments=terms) if terms else one)
                if new is not None:
                    tape.put(new)
                    self._step(built, watch)
                    run.close()
            if run.stopping:
                return
            if end_ms is not None and tape.next_ms >= end_ms and following.may_end():
                run.step()  # nothing is waiting on the tape: the run has ended
                return

    def _step(self, built: Built, watch: Callable[[MarketSlice], None]) -> None:
        market = built.run.step()
        assert market is not None
        watch(market)

    def _may_change(self, built: Built, symbol: str) -> bool:
        """On paper another tick or step waits until nothing of the symbol is under way."""
        desk = built.engine.desks[symbol]
        new = self.contracts.terms(desk.instrument)
        same = (desk.instrument.tick_e8, desk.instrument.step_e8) == (new.tick_e8, new.step_e8)
        return same or all(leg.free for leg in desk.legs)

    async def _attend(self, changed: list[str]) -> None:
        """Contracts are read again every five minutes; what differs is in force from the next slice on (C15)."""
        while True:
            await self._clock.sleep(_ATTEND_MS)
            if self.contracts.due:
                read = await self.contracts.read()
                for one in read if isinstance(read, tuple) else ():
                    if one.symbol not in changed:
                        changed.append(one.symbol)


def _why(answer: Answer) -> str:
    return answer.reason if isinstance(answer, Refused) else answer.why
