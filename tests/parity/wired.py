"""A run whose venue is an exchange over the wire, behind barriers, beside the same run on record (quant Q2, Q3)."""

import asyncio
import json

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.barriers import LockstepClock
from aister.adapters.exchanges.aster.lockstep import LockstepFloor
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.feeds.recorded import RecordedFeed
from aister.adapters.store.memory import MemoryJournal
from aister.analytics.hashes import Hashes
from aister.app.build import build_run, open_data
from aister.app.settings import RunSettings
from aister.engine.runner import run_sync
from aister.exchange_sim import Agent, Credentials, Exchange, Settings
from aister.exchange_sim.lockstep import Lockstep
from aister.sim.models import FillModel
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.fakes.wire import ExchangeClock, IndoorWire

__all__ = ["Wired", "on_record", "over_the_wire"]


class Wired:
    """The exchange a run trades on over the wire, and the run's client of it."""

    def __init__(self, asked: RunSettings, feed: RecordedFeed, kind: type[LockstepFloor] = LockstepFloor) -> None:
        self.asked, self.feed, self.kind = asked, feed, kind
        self.loop = asyncio.new_event_loop()

    def place(self, model: FillModel) -> LockstepFloor:
        feed = self.feed
        settings = Settings(model=model, lockstep=True)
        past = feed.history.slices() if feed.history else ()
        self.exchange = Exchange(feed.instruments, feed.slices(), feed.base_interval_ms, settings, history=past)
        Lockstep(self.exchange)
        time = ExchangeClock(self.exchange)
        signer = LocalSigner(time)  # type: ignore[arg-type]
        agent = signer.address.lower()
        self.books = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}), self.asked.capital)
        clock, wire = LockstepClock(), IndoorWire(self.exchange, time, delay_ms=0.0)
        account = AsterAccount(Rest(wire, clock, signer), feed.symbols, source="simulator")
        self.floor = self.kind(account, wire, clock, self.loop)
        return self.floor

    def close(self) -> None:
        self.floor.close()
        self.loop.close()


def on_record(asked: RunSettings, model: FillModel) -> Hashes:
    hashes = Hashes()
    built = build_run(asked, open_data(asked), MemoryJournal("owner", "record", "run"), (hashes.observe,), model=model)
    run_sync(built.run)
    return hashes


def over_the_wire(
    asked: RunSettings, model: FillModel, kind: type[LockstepFloor] = LockstepFloor
) -> tuple[Hashes, Wired]:
    """The run's hashes, and the exchange; its own books must agree with its fills."""
    feed, hashes = open_data(asked), Hashes()
    wired = Wired(asked, feed, kind)
    journal = MemoryJournal("owner", "wire", "run")
    run_sync(build_run(asked, feed, journal, (hashes.observe,), model=model, place=wired.place).run)
    wired.close()
    told = [(fill[0], fill[1], *fill[4:8]) for fill in map(json.loads, hashes.trade_lines()) if fill[3] == "fill"]
    traded = [(t.time_ms, t.symbol, t.side, t.steps, t.ticks, t.fee) for t in wired.books.trades]
    assert sorted(traded) == sorted(told)
    return hashes, wired
