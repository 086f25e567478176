"""The loop around the engine: journal first, then hand on. One slice of market time is one step of it.

`run_sync` drives it at full speed, `run_async` paced by a clock; both call the same step, so they leave the same chain.
The order inside a slice is the order inside a bar (Q3): funding, opening, what is released meanwhile, the inside,
closes.
"""

import heapq
from collections.abc import Callable, Iterator
from typing import Protocol

from aister.core.audit import AskCouncil, Audit, CancelOrder, PlaceOrder
from aister.core.commands import Command, Transfer
from aister.core.council import Question
from aister.core.errors import JournalImpaired, UsageError
from aister.core.events import (
    BarClosed,
    CommandGiven,
    DecisionMade,
    Event,
    InstrumentListed,
    OrderRejected,
    RunEnded,
    RunStarted,
)
from aister.core.permission import Approved
from aister.core.trade import Order, Purpose
from aister.engine.engine import Engine
from aister.engine.repeat import RepeatedJournal
from aister.ports.clock import Clock
from aister.ports.feed import MarketSlice
from aister.ports.floor import Floor
from aister.ports.journal import Journal
from aister.ports.minds import Minds

__all__ = ["Run", "Sender", "run_async", "run_sync"]

Observer = Callable[[Audit], None]


class Sender(Protocol):
    """What the runner needs of the gateway."""

    def send(self, order: Order, permit: Approved, time_ms: int) -> None: ...
    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None: ...


class Run:
    """One trader over one feed. `observers` see every audit after it is journaled (hashes, screen).

    A journal that already holds records is repeated, not trusted: the same steps are taken and each audit must equal
    the
    recorded one (`JournalError` otherwise), then the run goes on where the records end.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        slices: Iterator[MarketSlice],
        floor: Floor,
        sender: Sender,
        minds: Minds | None,
        journal: RepeatedJournal,
        opening: tuple[RunStarted | InstrumentListed, ...],
        observers: tuple[Observer, ...] = (),
    ) -> None:
        self.engine = engine
        self._process = engine.process
        self.finished = False
        self.stopping = False
        self._slices, self._floor, self._sender, self._minds = slices, floor, sender, minds
        self._journal, self._observers, self._opening = journal, observers, opening
        self._asked: list[tuple[int, int, Question]] = []
        self._asks = 0
        self._commands: list[Command] = []
        self._recorded_commands: list[tuple[int, CommandGiven]] = []
        self._held_back: list[tuple[Order, str]] = []

    def command(self, command: Command) -> None:
        """Queue an operator's command; it becomes an event at the next slice that is not a repetition.

        Raises `UsageError` for a transfer that would leave nothing.
        """
        if isinstance(command, Transfer) and self.engine.portfolio.equity + command.amount <= 0:
            raise UsageError("A transfer cannot take all there is; leave some equity, or end the run.")
        self._commands.append(command)

    def stop(self) -> None:
        """Leave after the current slice, with everything durable; the next start resumes."""
        self.stopping = True

    def start(self) -> None:
        """What every chain begins with. Whatever the venue has reported by then comes after it."""
        self._recorded_commands = journal_commands(self._journal.kept)
        for event in self._opening:
            if isinstance(event, InstrumentListed):
                self._floor.list_instrument(event.instrument)
            self._handle(event)
        self._save()

    def repeat(self, learn: Observer) -> int:
        """After a crash of a run at a real venue: take every recorded event again instead of starting, each audit equal
        to the recorded one, and hand nothing on; `learn` sees them (the courier's `recall`). The journal is read once,
        record by record. Questions nobody answered are asked again. Returns how many records there were. Raises
        `JournalError` at the first that differs."""
        unanswered: dict[str, Question] = {}
        while (recorded := self._journal.expected) is not None:
            audit = self._process(recorded.event)
            self._journal.append(audit)
            learn(audit)
            for output in audit.outputs:
                if isinstance(output, PlaceOrder):
                    self.engine.permit(output.order.client_id)  # it was used, or dies with the crash
                elif isinstance(output, AskCouncil):
                    unanswered[output.question.id] = output.question
            if isinstance(audit.event, DecisionMade):
                unanswered.pop(audit.event.decision.question_id, None)
        for question in unanswered.values():
            self._ask(question)
        return self._journal.repeated

    @property
    def repeated(self) -> int:
        """Records of an earlier process that were taken again so far."""
        return self._journal.repeated

    def step(self) -> MarketSlice | None:
        """Take the next slice of market time; None when the feed has ended."""
        market = next(self._slices, None)
        if market is None:
            self._finish()
            return None
        bars, floor = market.bars, self._floor
        waiting = self._asked or self._commands or self._recorded_commands
        for settled in market.funding:
            if waiting:
                self._release(settled.time_ms)
            floor.settle(settled, self._price(settled.symbol, bars))
            self._handle(settled)
            self._drain()
        if waiting:
            self._release(market.open_time_ms)
        for instrument in market.instruments:
            self._list(InstrumentListed(market.open_time_ms, instrument))
        floor.open(bars)
        self._drain()
        if waiting:
            self._release(bars[0].time_ms - 1)
        floor.rest(bars)
        while self._drain():
            floor.rest(bars, again=True)
        handle = self._handle
        for bar in bars:
            handle(bar)
        self._drain()
        return market

    def hear(self, event: Event | None = None) -> bool:
        """What happened between slices, as at a real venue it does at any time: this event and whatever the venue has
        reported, journaled, durable and handed on at once; whether there was anything."""
        if event is not None:
            self._handle(event)
        heard = self._drain() or event is not None
        if heard:
            self._save()
        return heard

    def close(self) -> None:
        """Make everything durable; safe at any time between steps."""
        self._save()

    def _price(self, symbol: str, bars: tuple[BarClosed, ...]) -> float:
        """The symbol's price at the opening; where its bar is missing, the last close known."""
        for bar in bars:
            if bar.symbol == symbol:
                return bar.open
        return self.engine.desks[symbol].close

    # ---- inside
    # -------------------------------------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        audit = self._process(event)
        self._journal.append(audit)
        if self._observers:
            for observe in self._observers:
                observe(audit)
        if audit.outputs:
            self._hand_on(audit)

    def _list(self, event: InstrumentListed) -> None:
        """New terms bind the venue and the trader from the same moment."""
        self._floor.list_instrument(event.instrument)
        self._handle(event)
        self._drain()

    def _save(self) -> str:
        """Make everything durable; why the journal itself is not where it is, so that only reductions may leave."""
        try:
            self._journal.flush()
        except JournalImpaired as impaired:
            return str(impaired)
        return ""

    def _hand_on(self, audit: Audit) -> None:
        time_ms = audit.event.time_ms
        impaired: str | None = None
        for output in audit.outputs:
            if isinstance(output, PlaceOrder):
                if impaired is None:
                    impaired = self._save()
                order = output.order
                permit = self.engine.permit(order.client_id)
                if impaired and order.purpose is Purpose.ENTRY:
                    self._held_back.append((order, impaired))
                else:
                    self._sender.send(order, permit, time_ms)
            elif isinstance(output, CancelOrder):
                self._sender.cancel(output.symbol, output.client_id, time_ms)
            elif isinstance(output, AskCouncil):
                self._ask(output.question)

    def _ask(self, question: Question) -> None:
        if self._minds is not None:
            self._asks += 1
            heapq.heappush(self._asked, (question.time_ms + self._minds.latency_ms(question), self._asks, question))

    def _drain(self) -> bool:
        """Process the venue's reports, and those that their consequences cause; whether there were any."""
        reports = self._floor.take_reports()
        if not reports and not self._held_back:
            return False
        while reports or self._held_back:
            for report in reports:
                self._handle(report)
            held_back, self._held_back = self._held_back, []
            for order, reason in held_back:
                self._handle(OrderRejected(self.engine.time_ms, order.symbol, order.client_id, f"0 {reason}"))
            reports = self._floor.take_reports()
        return True

    def _release(self, until_ms: int) -> None:
        """Answers due by then, and commands, in time order; what they cause at the venue is reported before the
        next."""
        while self._asked and self._asked[0][0] <= until_ms:
            due_ms, _, question = heapq.heappop(self._asked)
            self._give_commands(due_ms)
            assert self._minds is not None
            arrived_ms = max(due_ms, self.engine.time_ms)  # at a real venue reports come between
            self._handle(DecisionMade(arrived_ms, self._minds.deliberate(question)))
            self._drain()
        self._give_commands(until_ms)

    def _give_commands(self, until_ms: int) -> None:
        recorded = self._recorded_commands
        now_ms = max(self.engine.time_ms, until_ms)
        while recorded and recorded[0][0] == self.engine.sequence and recorded[0][1].time_ms <= now_ms:
            self._command(recorded.pop(0)[1])
        while self._commands and not recorded and not self._journal.repeating:
            self._command(CommandGiven(now_ms, self._commands.pop(0)))

    def _command(self, event: CommandGiven) -> None:
        """Durable at once: what a person was told is done must survive a crash."""
        self._handle(event)
        self._save()
        if isinstance(event.command, Transfer):
            self._floor.deposit(event.command.amount)
        self._drain()

    def _finish(self) -> None:
        if not self.finished:
            self._release(self.engine.time_ms)
            self._handle(RunEnded(self.engine.time_ms))
            self._save()
            self.finished = True


def journal_commands(journal: Journal) -> list[tuple[int, CommandGiven]]:
    """Commands already in the chain, by sequence: they come from people, so a repeated run must be told of them."""
    if journal.sequence == 0:
        return []
    return [(a.sequence, a.event) for a in journal.records() if isinstance(a.event, CommandGiven)]


def run_sync(run: Run) -> None:
    """At full speed to the end of the feed, or until `stop`."""
    run.start()
    while not run.stopping and run.step() is not None:
        pass
    run.close()


async def run_async(run: Run, clock: Clock, watch: Callable[[MarketSlice], None]) -> None:
    """The same steps paced by a clock; `watch` is called after each."""
    run.start()
    while not run.stopping and (market := run.step()) is not None:
        watch(market)
        await clock.wait_until(_closed_ms(market))
    run.close()


def _closed_ms(market: MarketSlice) -> int:
    bars: tuple[BarClosed, ...] = market.bars
    return bars[0].time_ms if bars else market.open_time_ms
