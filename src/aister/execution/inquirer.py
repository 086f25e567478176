"""What became of every order: what the venue tells of it unasked, and the asking after what it did not tell (C1).

What may have arrived is asked about until its fate is proven. Fills that the venue spoke of are read until each has
its trade. Every await here is a point at which the process may die.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal

import msgspec

from aister.core.trade import Order, Purpose
from aister.execution.absence import UNKNOWABLE, AbsenceRules, unknowable
from aister.execution.errands import Errands
from aister.execution.gap import Gaps
from aister.execution.reconcile import Ours, OwnOrder
from aister.execution.states import Course, Heard, State
from aister.execution.telling import Teller
from aister.execution.unknown import Absent, Ask, Evidence, Question, UnknownRules, Wait, next_step
from aister.ports.exchange import (
    Exchange,
    Execution,
    OrderNews,
    PositionNews,
    Refused,
    Unknown,
    Unreachable,
    VenueNews,
    VenueOrder,
)

__all__ = ["CourierRules", "Inquirer"]

_ANSWERS = (Refused, Unknown, Unreachable)


class CourierRules(msgspec.Struct, frozen=True):
    """`patience_ms`: how long an entry that cannot leave is tried again; protection is tried as long as it is wanted.
    `grace_ms`: how long trades may come over the stream before they are asked for. `check_ms`: how often an entry or
    close that still works is looked up, whatever the stream says. `again_ms`: how far back trades are read again,
    because look-ups lag. `kept` finished orders are remembered. `unguarded`: what becomes of a limit entry of a leg
    without a resting stop; "rest" is for venues that place the stop by themselves with the first fill (OTO), or that
    never outlive the trader."""

    patience_ms: int = 2_000
    retry_ms: int = 250
    grace_ms: int = 300
    check_ms: int = 2_000
    again_ms: int = 95_000
    kept: int = 5_000
    absence: AbsenceRules = AbsenceRules()
    unguarded: Literal["rest", "at_once"] = "rest"
    unknown: UnknownRules = UnknownRules()


class Inquirer(ABC):
    """The courses of all orders, and what the trader was told of them. `stamp` is the engine's clock for reports
    (default: the venue's); `sleep` waits milliseconds; `wake` is called when there is something to take."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        sleep: Callable[[float], Awaitable[None]],
        stamp: Callable[[], int] | None = None,
        wake: Callable[[], None] = lambda: None,
        rules: CourierRules | None = None,
        threaded: bool = False,
    ) -> None:
        self._exchange, self._sleep, self._rules = exchange, sleep, rules or CourierRules()
        self.teller = Teller(stamp or exchange.now_ms, wake)
        self._errands = Errands(self._failed, threaded)
        self._run = self._errands.run
        self._courses: dict[str, Course] = {}
        self.gaps = Gaps()
        self._reading: set[str] = set()
        self._read_ms: dict[str, int] = {}
        self._shown: dict[tuple[str, int], int] = {}
        self._known_ms = self.begun_ms = exchange.now_ms()
        self.traced: Callable[[str, int], None] = lambda client_id, at_ms: None
        """Hears of each trade of an order that is none of the trader's (its id, when) before the trade is told."""

    @abstractmethod
    async def _cancel(self, course: Course) -> None:
        """Take the order away from the venue."""

    def hear(self, news: VenueNews) -> bool:
        """News of the user stream; true when it was about an order of ours."""
        if isinstance(news, OrderNews):
            return self._hear_order(news)
        if isinstance(news, PositionNews):
            for symbol, leg, steps in news.positions:
                if symbol not in self._exchange.symbols:
                    continue  # the next survey tells of it
                self._shown[symbol, leg] = steps
                if self.teller.held.get((symbol, leg), 0) != steps:
                    self.catch_up(symbol, asked=False)
        return False

    def courses(self) -> Iterator[Course]:
        """Every order that has not ended, oldest first."""
        return (course for course in list(self._courses.values()) if not course.closed)

    def lingering(self) -> Iterator[Course]:
        """Orders that were told as gone because the venue did not show them, and that may work there all the same."""
        return (course for course in list(self._courses.values()) if course.closed and course.state.may_work)

    def ours(self, instance: str, symbols: tuple[str, ...], wallet: int | None = None) -> Ours:
        """Our books as the trader was told them."""
        orders = tuple(OwnOrder(one.order, one.state.arrived) for one in self.courses())
        return Ours(instance, symbols, dict(self.teller.held), orders, wallet)

    @property
    def known_ms(self) -> int:
        """Up to when the journal tells what happened; without one, since when this courier exists."""
        return self._known_ms

    def begins(self, time_ms: int) -> None:
        """What traded before is no trade of this chain (`begun_ms`): a new run takes the position as it finds it."""
        self.begun_ms = time_ms

    def course(self, client_id: str) -> Course | None:
        return self._courses.get(client_id)

    def see(self, seen: VenueOrder) -> None:
        """The venue showed an order of ours."""
        course = self._courses.get(seen.client_id)
        if course is not None and not self._of_earlier_chain(course, seen):
            course.see(seen)
            self._learnt(course)

    def _of_earlier_chain(self, course: Course, seen: VenueOrder) -> bool:
        """Whether an order that ended long before this one left only bears its id: a new chain counts from the
        beginning, and the venue tells of ended orders for days."""
        return not seen.status.working and 0 < seen.updated_ms < course.sent_ms - self._rules.unknown.window_ms

    def adopt(self, stop: Order, now_ms: int) -> None:
        """A stop that was found at the venue is ours again: it rests, and the trader is told of it elsewhere."""
        self._courses.setdefault(stop.client_id, Course(stop, State.ACKED, sent_ms=now_ms, accepted=True))

    def forgotten(self, client_id: str) -> bool:
        """Whether the venue, which does not know this order, may only have forgotten it."""
        course = self._courses.get(client_id)
        return course is not None and unknowable(course, self._exchange.now_ms(), self._rules.absence)

    def disown(self, client_id: str, reason: str) -> None:
        """The venue does not have this order as it was sent: to the trader it is gone. What may be left of it is
        cancelled when it shows and nothing needs it."""
        course = self._courses.get(client_id)
        if course is not None and not course.closed:
            course.why = reason
            self.teller.lost(course)

    def catch_up(self, symbol: str, *, asked: bool = True) -> None:
        """Read the symbol's trades soon, unless that is under way; not `asked`: only if the stream has not explained by
        then what it showed of the position."""
        if symbol not in self._reading:
            self._reading.add(symbol)
            self._run(self._read_trades(symbol, asked), background=True)

    # ---- what nobody told (C1) ------------------------------------------------------------------------------------

    def _lost(self, course: Course, answer: Unknown | Refused) -> None:
        """The order may be there: say so, and ask until it is known."""
        nonce_us = answer.nonce_us if isinstance(answer, Unknown) else 0
        sent_ms = (answer.sent_ms if isinstance(answer, Unknown) else 0) or course.sent_ms
        course.nonce_us, course.sent_ms = nonce_us, sent_ms
        why = answer.why if isinstance(answer, Unknown) else answer.reason
        course.hear(Heard.LOST, why)
        if course.state is State.UNKNOWN:
            self.teller.unknown(course)
            self._run(self._find_out(course, Evidence(sent_ms, nonce_us)), background=True)

    async def _find_out(self, course: Course, evidence: Evidence) -> None:
        while course.state is State.UNKNOWN:
            step = next_step(evidence, self._exchange.now_ms(), self._rules.unknown)
            if isinstance(step, Ask):
                evidence.asked_ms[step.question] = self._exchange.now_ms()
                try:
                    await self._ask(course, step.question, evidence)
                except Exception as error:  # its fate must be found out all the same
                    self._failed(error)
                    await self._sleep(self._rules.unknown.late_ms)
            elif isinstance(step, Wait):
                await self._sleep(step.until_ms - self._exchange.now_ms())
            else:
                assert isinstance(step, Absent)
                forgotten = unknowable(course, self._exchange.now_ms(), self._rules.absence)
                course.hear(Heard.REFUSED, f"0 {UNKNOWABLE if forgotten else step.reason}")
                self._learnt(course)

    async def _ask(self, course: Course, question: Question, evidence: Evidence) -> None:
        """One question. Only a read that shows no trace of it counts against it."""
        exchange, symbol, client_id = self._exchange, course.order.symbol, course.order.client_id
        begun_ms = exchange.now_ms()
        told: object
        if question is Question.VOID:
            told = await exchange.void(evidence.nonce_us)
            if isinstance(told, bool):
                evidence.void(told, exchange.now_ms())
            return
        if question is Question.ORDER:
            told = await exchange.order(symbol, client_id)
            if isinstance(told, VenueOrder) and self._of_earlier_chain(course, told):
                told = None
            found = told if isinstance(told, VenueOrder) else None
        elif question is Question.OPEN:
            orders = told = await exchange.open_orders(symbol)
            found = (
                next((one for one in orders if one.client_id == client_id), None) if isinstance(orders, tuple) else None
            )
        elif question is Question.EXECUTIONS:
            trades = told = await exchange.executions(symbol, course.sent_ms - 1_000)
            found = None
            if isinstance(trades, tuple):
                self._traded(trades)
        else:
            rows = told = await exchange.positions(symbol)
            found = None
            if isinstance(rows, tuple) and any(self.teller.held.get((symbol, row.leg), 0) != row.steps for row in rows):
                self.catch_up(symbol)
                return  # something is not accounted for: no word against the order
        if found is not None:
            course.see(found)
            self._learnt(course)
        elif told is None or isinstance(told, tuple):
            evidence.no(question, begun_ms)

    # ---- what is told and read ------------------------------------------------------------------------------------

    def _hear_order(self, news: OrderNews) -> bool:
        course, execution = self._courses.get(news.order.client_id), news.execution
        if course is None:
            if execution is not None and execution.symbol in self._exchange.symbols:
                self.teller.unasked(execution)
            return False
        if execution is not None and self.teller.fresh(execution):
            course.traded(execution)
        course.see(news.order)
        self._learnt(course)
        return True

    def _traded(self, executions: tuple[Execution, ...]) -> None:
        """Trades of ours and of nobody's; each is told once."""
        for execution in executions:
            if execution.time_ms < self.begun_ms:
                continue
            course = self._courses.get(execution.client_id)
            if course is None:
                self.traced(execution.client_id, execution.time_ms)
                self.teller.unasked(execution)
            elif self.teller.fresh(execution) and course.traded(execution):
                self._learnt(course)

    def _learnt(self, course: Course) -> None:
        """Pass on what is new, and see to what is still missing. What works though it was told as gone is cancelled; a
        stop may be all that protects, so that only a survey or a glance takes it away."""
        revived = course.closed and course.order.purpose is not Purpose.STOP
        self.teller.tell(course)
        self.gaps.learnt(course, self._exchange.now_ms())
        if course.missing:
            self.catch_up(course.order.symbol)
        if (course.cancel_wanted or revived) and course.state.arrived and not course.state.ended:
            self._run(self._cancel(course))
        elif course.state.arrived and not course.state.ended and course.order.purpose in (Purpose.ENTRY, Purpose.CLOSE):
            self._run(self._attend(course), background=True)
        if course.closed:
            self._forget()

    async def _attend(self, course: Course) -> None:
        """Look an entry or close up from time to time: the stream may have lost its end."""
        if course.attended:
            return
        course.attended = True
        try:
            while not course.settled:
                await self._sleep(self._rules.check_ms)
                if not course.settled:
                    await self.look_up(course)
        finally:
            course.attended = False

    async def look_up(self, course: Course) -> None:
        """Ask for the order by its id."""
        seen = await self._exchange.order(course.order.symbol, course.order.client_id)
        if isinstance(seen, VenueOrder):
            self.see(seen)

    def _explained(self, symbol: str) -> bool:
        """Whether the fills told add up to the position shown last, and no fill's trade is missing."""
        held = self.teller.held
        odd = any(held.get(key, 0) != steps for key, steps in self._shown.items() if key[0] == symbol)
        return not odd and not any(one.missing for one in self.courses() if one.order.symbol == symbol)

    async def _read_trades(self, symbol: str, asked: bool) -> None:
        """Until every fill that the venue spoke of has its trade."""
        try:
            for wait_ms in self._waits_ms():
                await self._sleep(wait_ms)
                if not asked and self._explained(symbol):
                    return
                since_ms = self._read_ms.get(symbol, self._known_ms)
                begun_ms = self._exchange.now_ms()
                told = await self._exchange.executions(symbol, since_ms - self._rules.again_ms)
                if isinstance(told, tuple):
                    self._traded(told)
                    self._read_ms[symbol] = begun_ms
                    if not any(one.missing for one in self.courses() if one.order.symbol == symbol):
                        return
        finally:
            self._reading.discard(symbol)

    def _waits_ms(self) -> Iterator[int]:
        """Between readings of trades: often at first, often again when look-ups that lag must show them at last."""
        rules = self._rules.unknown
        yield self._rules.grace_ms
        yield from [rules.soon_ms] * 8
        yield from [rules.late_ms] * (max(0, rules.lag_ms - 6_000) // rules.late_ms)
        yield from [rules.soon_ms] * 24

    def _forget(self) -> None:
        if len(self._courses) > 2 * self._rules.kept:
            ended = [client_id for client_id, course in self._courses.items() if course.closed]
            for client_id in ended[: -self._rules.kept]:
                del self._courses[client_id]

    def _failed(self, error: BaseException) -> None:
        fault = f"A fault of the program in the order path, please report it: {error!r}"
        self.teller.freeze("courier", f"{fault}; what is held is looked after, and a restart enters again.")
