"""Defects seeded into the order path: the teeth of the campaign. Each is one part of the trader done wrong, the way
people get it wrong; a run must catch it by the exchange's books."""

from collections.abc import Callable
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.core.audit import Audit
from aister.core.events import OrderFilled
from aister.core.trade import Order, OrderType, Purpose
from aister.engine.runner import Run
from aister.execution.courier import Courier
from aister.execution.states import Course, Heard
from aister.ports.exchange import Execution, Placed, Unknown, Unreachable
from aister.ports.signer import Call, Declined, Signed
from tests.faults.parts import Parts
from tests.faults.signing import Signing

__all__ = ["DEFECTS", "Defect"]


class Defect(msgspec.Struct, frozen=True):
    """`kind`: the class of runs that shows it."""

    name: str
    parts: Parts
    kind: str


class BlindResend(AsterAccount):
    """No answer came, so it is sent again."""

    async def place(self, order: Order) -> Any:
        told = await super().place(order)
        return await super().place(order) if isinstance(told, Unknown) else told


class AbsentAtOnce(Courier):
    """-2013 is taken for proof that the order never arrived."""

    async def _ask(self, course: Course, question: Any, evidence: Any) -> None:
        seen = await self._exchange.order(course.order.symbol, course.order.client_id)
        if seen is None:
            course.hear(Heard.REFUSED, "0 the venue does not know it")
            self._learnt(course)
        else:
            await super()._ask(course, question, evidence)


class SendFirst(Run):
    """Orders leave before the journal holds them."""

    def _handle(self, event: Any) -> None:
        audit = self._process(event)
        if audit.outputs:
            flush, self._journal.flush = self._journal.flush, lambda: None  # type: ignore[method-assign]
            self._hand_on(audit)
            self._journal.flush = flush  # type: ignore[method-assign]
        self._journal.append(audit)


class NeverDurable(Run):
    """The record is appended and not flushed before the order leaves."""

    def _hand_on(self, audit: Audit) -> None:
        flush, self._journal.flush = self._journal.flush, lambda: None  # type: ignore[method-assign]
        super()._hand_on(audit)
        self._journal.flush = flush  # type: ignore[method-assign]


class SameNonce(Signing):
    """Every fifth request carries the nonce of the one before."""

    count = 0

    def sign(self, call: Call, ceiling: str) -> Signed | Declined:
        self.count += 1
        if self.count % 5 == 0 and not call.nonce_us and self.last_us:
            return self.agent.sign(call.params, self.last_us)
        return super().sign(call, ceiling)


class PlainClose(AsterAccount):
    """Closes are plain market orders."""

    async def place(self, order: Order) -> Any:
        if order.purpose is Purpose.CLOSE:
            order = msgspec.structs.replace(order, reduce_only=False)
        return await super().place(order)


class SmallStop(AsterAccount):
    """The stop is for the first part that filled and never grows."""

    async def place(self, order: Order) -> Any:
        if order.purpose is Purpose.STOP:
            order = msgspec.structs.replace(order, close_position=False, reduce_only=True, steps=20)
        return await super().place(order)


class WrongSide(AsterAccount):
    """The stop adds to the position instead of ending it."""

    async def place(self, order: Order) -> Any:
        if order.purpose is Purpose.STOP:
            order = msgspec.structs.replace(
                order, side=order.side.opposite, type=OrderType.TAKE_PROFIT_MARKET, close_position=True
            )
        return await super().place(order)


class TwiceAsMuch(AsterAccount):
    """A unit mix-up: entries are twice the size."""

    async def place(self, order: Order) -> Any:
        if order.purpose is Purpose.ENTRY:
            order = msgspec.structs.replace(order, steps=2 * order.steps)
        return await super().place(order)


class CancelFirst(Courier):
    """The old stop is cancelled before the new one is there."""

    def send(self, order: Order, time_ms: int) -> None:
        if order.purpose is Purpose.STOP:
            for course in self.courses():
                if course.order.purpose is Purpose.STOP and course.order.symbol == order.symbol:
                    self.cancel(order.symbol, course.order.client_id, time_ms)
        super().send(order, time_ms)


class CancelAll(AsterAccount):
    """Every cancel clears the whole symbol, stops too."""

    async def cancel(self, symbol: str, client_id: str) -> Any:
        everything = (("symbol", symbol),)
        await self.rest.signed("cancel_all", everything, msgspec.json.Decoder(), right="reduce", epoch=self.epoch)
        return await super().cancel(symbol, client_id)


class Countdown(AsterAccount):
    """The dead man's switch is armed with every entry, while stops rest."""

    async def place(self, order: Order) -> Any:
        told = await super().place(order)
        if order.purpose is Purpose.ENTRY:
            await self.countdown(order.symbol, 15_000)
        return told


class TwiceTold(Courier):
    """Trades are not recognised: what the stream and a reading both tell counts twice."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.teller.fresh = lambda execution: True  # type: ignore[method-assign]

    def _traded(self, executions: tuple[Execution, ...]) -> None:
        for one in executions:
            course = self._courses.get(one.client_id)
            if course is not None:
                course.traded(msgspec.structs.replace(one, trade_id=one.trade_id + 1_000_000))
                self._learnt(course)


class NoTrades(Courier):
    """Only the stream is believed: trades are never read."""

    async def _read_trades(self, symbol: str) -> None:
        return None

    def _traded(self, executions: tuple[Execution, ...]) -> None:
        return None


class ForgetsParts(Courier):
    """After a restart a part that had filled is not remembered."""

    def recall(self, audit: Audit) -> None:
        if not isinstance(audit.event, OrderFilled):
            super().recall(audit)


class SendsAgain(Courier):
    """After a restart whatever has no answer is sent again."""

    def resume(self) -> None:
        for course in list(self.courses()):
            if not course.state.arrived:
                self._run(self._place(course))


class ClearsOnStart(Courier):
    """A restart begins with a clean slate: everything that rests is cancelled."""

    def resume(self) -> None:
        super().resume()
        for course in list(self.courses()):
            self.cancel(course.order.symbol, course.order.client_id, 0)


class KeepsTargets(Courier):
    """Targets are not withdrawn when the position is gone."""

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        course = self.course(client_id)
        if course is None or course.order.purpose is not Purpose.TARGET:
            super().cancel(symbol, client_id, time_ms)

    def retire(self, course: Course) -> None:
        if course.order.purpose is not Purpose.TARGET:
            super().retire(course)


class LateStops(AsterAccount):
    """Stops wait until the market has calmed down."""

    async def place(self, order: Order) -> Any:
        if order.purpose is Purpose.STOP:
            await self.rest.time.clock.sleep(8_000)
        return await super().place(order)


class NoIds(AsterAccount):
    """Client ids are counted from the start of the process and come again."""

    async def place(self, order: Order) -> Any:
        if order.purpose is Purpose.ENTRY:
            told = await super().place(
                msgspec.structs.replace(order, client_id=f"ai00000000-1-{order.symbol[0].lower()}")
            )
            return told if not isinstance(told, Placed) else Placed(
                msgspec.structs.replace(told.order, client_id=order.client_id)
            )  # fmt: skip
        return await super().place(order)


class Starved(AsterAccount):
    """What the venue turned away waits its turn, half a minute: stops and cancels like everything else."""

    async def place(self, order: Order) -> Any:
        told = await super().place(order)
        while isinstance(told, Unreachable) and order.purpose is not Purpose.ENTRY:
            await self.rest.time.clock.sleep(30_000)
            told = await super().place(order)
        return told

    async def cancel(self, symbol: str, client_id: str) -> Any:
        told = await super().cancel(symbol, client_id)
        while isinstance(told, Unreachable):
            await self.rest.time.clock.sleep(30_000)
            told = await super().cancel(symbol, client_id)
        return told


def _of(name: str, kind: str, **part: Callable[..., Any]) -> Defect:
    return Defect(name, Parts(**part), kind)


DEFECTS = (
    _of("blind resend", "ambiguous", account=BlindResend),
    _of("-2013 taken for absent", "ambiguous", courier=AbsentAtOnce),
    _of("sent before it is journaled", "limits", run=SendFirst),
    _of("journal not durable before the send", "limits", run=NeverDurable),
    _of("nonce used twice", "limits", signing=SameNonce),
    _of("close not reduce-only", "fills and stops", account=PlainClose),
    _of("stop for less than is held", "fills and stops", account=SmallStop),
    _of("stop on the wrong side", "limits", account=WrongSide),
    _of("entry twice as large", "limits", account=TwiceAsMuch),
    _of("old stop cancelled first", "limits", courier=CancelFirst),
    _of("cancel-all instead of by id", "limits", account=CancelAll),
    _of("countdown while a stop rests", "limits", account=Countdown),
    _of("fill counted twice", "streams", courier=TwiceTold),
    _of("trades never read", "streams", courier=NoTrades),
    _of("partial fill forgotten at a restart", "crash", courier=ForgetsParts),
    _of("sent again after a restart", "crash", courier=SendsAgain),
    _of("everything cancelled at a restart", "crash", courier=ClearsOnStart),
    _of("targets left when flat", "limits", courier=KeepsTargets),
    _of("stop sent late", "limits", account=LateStops),
    _of("client ids used again", "limits", account=NoIds),
    _of("429 starves the stop", "limits", account=Starved),
)
