"""Parts of a trader done wrong, the way people get them wrong; `defects` says which is seeded where."""

from collections.abc import Callable
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.app.trader_terms import Terms
from aister.core.audit import Audit
from aister.core.commands import EngageKill
from aister.core.events import CommandGiven, OrderFilled
from aister.core.trade import Order, OrderType, Purpose
from aister.engine.engine import Engine
from aister.engine.runner import Run
from aister.execution.courier import Courier
from aister.execution.states import Course, Heard
from aister.ports.exchange import Execution, OrderNews, Placed, Unknown, Unreachable
from aister.ports.signer import Call, Declined, Signed
from tests.faults.signing import Signing


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
            order = msgspec.structs.replace(order, reduce_only=False, purpose=Purpose.ENTRY)
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


async def _clear(account: AsterAccount, symbol: str) -> None:
    """Every order of the symbol, stops too."""
    there = await account.open_orders(symbol)
    for one in there if isinstance(there, tuple) else ():
        await AsterAccount.cancel(account, symbol, one.client_id)


class CancelAll(AsterAccount):
    """Every cancel clears the whole symbol, stops too."""

    async def cancel(self, symbol: str, client_id: str) -> Any:
        await _clear(self, symbol)
        return await super().cancel(symbol, client_id)


class Countdown(AsterAccount):
    """A dead man's switch is armed with every entry, while stops rest (the venue's own is signed by nobody)."""

    async def place(self, order: Order) -> Any:
        told = await super().place(order)
        if order.purpose is Purpose.ENTRY:
            self._due = {**getattr(self, "_due", {}), order.symbol: self.now_ms() + 15_000}
        return told

    async def survey(self) -> Any:
        due: dict[str, int] = getattr(self, "_due", {})
        for symbol in [symbol for symbol, at_ms in due.items() if at_ms <= self.now_ms()]:
            del due[symbol]
            await _clear(self, symbol)
        return await super().survey()


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


class DoneWith(Courier):
    """What was cancelled is done with: a fill of it that is heard of later is dropped."""

    def _hear_order(self, news: OrderNews) -> bool:
        course = self._courses.get(news.order.client_id)
        dropped = course is not None and course.cancel_wanted and news.execution is not None
        return dropped or super()._hear_order(news)

    def _traded(self, executions: tuple[Execution, ...]) -> None:
        cancelled = {client_id for client_id, course in self._courses.items() if course.cancel_wanted}
        super()._traded(tuple(one for one in executions if one.client_id not in cancelled))


class LosesParts(Courier):
    """After a restart only what trades from then on is read: what filled meanwhile is lost."""

    _since_ms = 0

    def resume(self) -> None:
        self._since_ms = self._exchange.now_ms()
        super().resume()

    def _traded(self, executions: tuple[Execution, ...]) -> None:
        super()._traded(tuple(one for one in executions if one.time_ms >= self._since_ms))


class KillsAll(Engine):
    """The kill switch clears the board: stops go with the entries."""

    def _commanded(self, event: CommandGiven, now: Any) -> None:
        super()._commanded(event, now)
        if isinstance(event.command, EngageKill):
            for leg in (leg for desk in self.desks.values() for leg in desk.legs):
                for purpose in Purpose:
                    self._trading.out.cancel(leg, leg.working(purpose), "killed", now)


class Deaf(UserStream):
    """listenKeyExpired is not understood: the connection stays open, and nothing comes."""

    def _frame(self, raw: bytes) -> None:
        if b"listenKeyExpired" not in raw:
            super()._frame(raw)


class Unfenced(Signing):
    """The signer signs for whoever asks, whatever epoch the lease has reached."""

    def sign(self, call: Call, ceiling: str) -> Signed | Declined:
        if self.desk is not None and call.epoch >= 0:
            call = msgspec.structs.replace(call, epoch=self.desk.epoch)
        return super().sign(call, ceiling)


class KeepsGrid(Terms):
    """The books take over the contract's new tick and step, the client goes on counting in the old ones."""

    def __init__(self, run: Any, courier: Any, count_by: Any, say: Any) -> None:
        super().__init__(run, courier, lambda instrument: None, say)


class Uncapped(Signing):
    """The signer's caps are so wide that they stop nothing."""

    charter = msgspec.structs.replace(
        Signing.charter, limits=msgspec.structs.replace(Signing.charter.limits, order_notional=10**18)
    )


def unleased(signer: Any, entries_until_s: Callable[[], float], **named: Any) -> Any:
    """The trader does not look whether its lease could be renewed."""
    return signer
