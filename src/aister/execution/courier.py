"""The real venue's side of the order path: what the gateway hands over goes out once, and what becomes of it comes
back.

`send` and `cancel` only queue; one attempt is made of every order, ever (C2). What provably never left is tried again;
what may have arrived is asked about until its fate is proven (C1). Stops, closes and cancels go out at once and side by
side; entries of a symbol one after the other. Every await of the order path is here, in `inquirer` or in `recovery`.
"""

from collections import deque
from collections.abc import Awaitable, Callable

from aister.core.audit import Audit
from aister.core.events import BarClosed, InstrumentListed, RunStarted, VenueReport
from aister.core.trade import Order, Purpose
from aister.execution.absence import NOT_SHOWN
from aister.execution.departure import as_sent, crossing
from aister.execution.inquirer import CourierRules, Inquirer
from aister.execution.recall import recall
from aister.execution.states import Course, Heard, State
from aister.execution.unknown import Evidence
from aister.ports.exchange import Cancelled, Exchange, Placed, Refused, Unknown, VenueOrder

__all__ = ["Courier", "CourierRules"]

_ALREADY_OPEN = -4015
_PAUSES_MS = (0, 0, 500, 1_000, 2_000, 4_000)
_IN_A_ROW_MS = 30_000


class Courier(Inquirer):
    """A `Venue` over an `Exchange`. Call `start` inside the event loop; `threaded` when `send` and `cancel` come from
    another thread than the loop's. The rest as for `Inquirer`."""

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
        super().__init__(exchange, sleep=sleep, stamp=stamp, wake=wake, rules=rules, threaded=threaded)
        self._entries: dict[str, deque[Course]] = {}
        self._closes: dict[tuple[str, int], list[int]] = {}

    # ---- the venue's face -----------------------------------------------------------------------------------------

    def send(self, order: Order, time_ms: int) -> None:
        """Queue an order. An id that was given before is not sent again."""
        if order.client_id not in self._courses:
            course = self._courses[order.client_id] = Course(order)
            self._errands.post(lambda: self._begin(course))

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        """Queue a cancel; of an order still on its way, for when it has arrived."""
        self._errands.post(lambda: self._withdraw(client_id))

    def take_reports(self) -> list[VenueReport]:
        """What has happened since the last call, in order."""
        return self.teller.take()

    # ---- the loop's face ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin sending what was queued; to be called in the event loop."""
        self._errands.start()

    async def idle(self) -> None:
        """Until everything that was handed over has its answer."""
        await self._errands.idle()

    async def stop(self) -> None:
        """Leave every question open; the journal knows what was sent."""
        await self._errands.stop()

    # ---- after a restart ------------------------------------------------------------------------------------------

    def recall(self, audit: Audit) -> None:
        """One record of the journal: what was sent, and what was told of it. Nothing is sent."""
        if audit.outputs or not isinstance(audit.event, BarClosed):  # nearly every record is a bar that led to nothing
            recall(audit, self._courses, self.teller)
        self._known_ms = audit.event.time_ms
        if not isinstance(audit.event, RunStarted | InstrumentListed):
            self.begun_ms = min(self.begun_ms, self._known_ms)  # those two carry the minute's beginning
        self._forget()

    def resume(self) -> None:
        """After the last record: orders whose end is not known are asked about, never sent again; a stop that was told
        as gone only because look-ups did not show it may rest, unless they can lag no longer."""
        rules = self._rules.unknown
        shown_ms = self._exchange.now_ms() - rules.window_ms - rules.margin_ms
        for course in list(self.lingering()):
            if course.doubted_ms < shown_ms:
                course.hear(Heard.GONE, NOT_SHOWN)
        for course in list(self.courses()):
            if course.state is State.SENT:
                course.hear(Heard.LOST, "the trader stopped before its answer came")
                self.teller.unknown(course)
                self._run(self._find_out(course, Evidence(self._exchange.now_ms())), background=True)
            elif course.state is State.UNKNOWN:
                self._run(self._find_out(course, Evidence(self._exchange.now_ms())), background=True)
            elif course.cancel_wanted:
                self._run(self._cancel(course))
            else:
                self._run(self.look_up(course))

    # ---- sending --------------------------------------------------------------------------------------------------

    def _begin(self, course: Course) -> None:
        if course.order.purpose is not Purpose.ENTRY:
            self._run(self._place(course))
            return
        queue = self._entries.setdefault(course.order.symbol, deque())
        queue.append(course)
        if len(queue) == 1:
            self._run(self._place_entries(queue))

    async def _place_entries(self, queue: deque[Course]) -> None:
        while queue:
            await self._place(queue[0])
            queue.popleft()

    async def _place(self, course: Course) -> None:
        """Send it, once. Should the program fail at it, the order is refused or of unknown outcome, as any other."""
        try:
            await self._leave(course)
        except Exception as error:
            self._failed(error)
            why = f"a fault of the program: {error!r}"
            if course.state is State.PLANNED:
                course.hear(Heard.REFUSED, f"0 {why}")
                self._learnt(course)
            elif course.state is State.SENT:
                self._lost(course, Unknown(why, 0, course.sent_ms))

    async def _leave(self, course: Course) -> None:
        order, rules = course.order, self._rules
        until_ms = self._exchange.now_ms() + rules.patience_ms
        if order.purpose is Purpose.CLOSE and (pause_ms := self._pause_ms(order)):
            await self._sleep(pause_ms)
        while True:
            if course.cancel_wanted:
                course.accepted = True  # nobody has, nor will: there is nothing to tell of it but its end
                course.hear(Heard.GONE, "withdrawn before it left")
                self._learnt(course)
                return
            others = [one for one in self.courses() if one is not course]
            if crosses := crossing(order, others):
                course.hear(Heard.REFUSED, f"0 {crosses}")
                break
            leaving = as_sent(order, others) if rules.unguarded == "at_once" else order
            course.sent_ms = self._exchange.now_ms()
            course.hear(Heard.LEFT)
            answer = await self._exchange.place(leaving)
            if isinstance(answer, Placed):
                course.see(answer.order)
                break
            if isinstance(answer, Unknown) or (isinstance(answer, Refused) and answer.code == _ALREADY_OPEN):
                self._lost(course, answer)
                return
            if isinstance(answer, Refused):
                course.hear(Heard.REFUSED, f"{answer.code} {answer.reason}")
                break
            now_ms = self._exchange.now_ms()
            again_ms = max(answer.retry_ms, now_ms + rules.retry_ms)
            if order.purpose is Purpose.ENTRY and again_ms > until_ms:
                course.hear(Heard.REFUSED, f"0 it never left: {answer.why}")
                break
            await self._sleep(min(again_ms - now_ms, rules.patience_ms))
        self._learnt(course)

    def _pause_ms(self, order: Order) -> int:
        """How long this close waits: closes of one position that come in a row must have been refused or lost."""
        now_ms, key = self._exchange.now_ms(), (order.symbol, order.leg)
        recent = [at_ms for at_ms in self._closes.get(key, ()) if at_ms > now_ms - _IN_A_ROW_MS]
        self._closes[key] = [*recent, now_ms]
        return _PAUSES_MS[min(len(recent), len(_PAUSES_MS) - 1)]

    def _withdraw(self, client_id: str) -> None:
        course = self._courses.get(client_id)
        if course is None or course.cancel_wanted:
            return
        course.cancel_wanted = True
        self.restore(course)
        if course.state.may_work:
            self._run(self._cancel(course))

    def retire(self, course: Course) -> None:
        """The venue shows no position that this order could close, though no trade says so yet: take it away. The
        trader is told its end when the books say the same, or when `restore` finds that something is held after
        all."""
        if not course.cancel_wanted or course.closed:
            course.retired = not course.closed
            self._run(self._cancel(course))

    def restore(self, course: Course) -> None:
        """Something is held there: that the order was taken away must be known."""
        if course.retired:
            course.retired = False
            self._learnt(course)

    async def _cancel(self, course: Course) -> None:
        """Until it is gone: asking twice does no harm. One that may yet arrive is not called gone here."""
        if course.canceling:
            return
        course.canceling = True
        try:
            await self._take_away(course)
        finally:
            course.canceling = False
        self._learnt(course)

    async def _take_away(self, course: Course) -> None:
        order, absent_ms, rules = course.order, 0, self._rules.unknown
        eager_ms = self._exchange.now_ms() + rules.eager_ms
        while not course.state.ended:
            answer = await self._exchange.cancel(order.symbol, order.client_id)
            if isinstance(answer, Cancelled):
                course.told_filled = max(course.told_filled, answer.filled_steps)
                course.hear(Heard.GONE, "requested")
                break
            begun_ms = self._exchange.now_ms()
            seen = await self._exchange.order(order.symbol, order.client_id)
            if isinstance(seen, VenueOrder):
                course.see(seen)
                self._learnt(course)
            elif seen is None and course.state.arrived:
                absent_ms = absent_ms or begun_ms
                if begun_ms - absent_ms > rules.lag_ms + rules.margin_ms:
                    course.hear(Heard.GONE, "the venue no longer knows it")
                    break
            if not course.state.ended:
                soon = course.state.arrived or self._exchange.now_ms() < eager_ms
                await self._sleep(rules.soon_ms if soon else rules.late_ms)
