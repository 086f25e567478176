"""An exchange in lockstep as the floor and the venue of a run (quant Q3): the client of real trading, over the wire.

The exchange's clock moves only at this client's barriers, which travel on the account's own stream: when one is
answered, everything that happened before it has been told. So the unmodified `Run` drives it, bar by bar, as it drives
a venue in its own process:

    settle  -> barrier, phase "funding"
    open    -> barrier, phase "open"
    rest    -> barriers, until something was told or the phase is "close"

Bars come from the run's own feed, which must be the one the exchange plays. Nothing is ever uncertain in lockstep: a
reply that does not come, or an answer other than yes or no, ends the run with a `DataError`.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.barriers import BarrierWire, LockstepClock, Phase
from aister.adapters.exchanges.aster.line import LineSettings
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.exchanges.aster.wire import Wire
from aister.core.errors import DataError, UsageError
from aister.core.events import (
    BarClosed,
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    VenueReport,
)
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.core.trade import Fill, FillKind, Order
from aister.ports.exchange import (
    Cancelled,
    Execution,
    OrderNews,
    Placed,
    PositionNews,
    Refused,
    StreamState,
    VenueNews,
    VenueStatus,
)

__all__ = ["LockstepFloor"]

T = TypeVar("T")
_ABSENT = -2011
_NEVER_MS = 10**14
_LINE = LineSettings(silence_ms=0, renew_ms=_NEVER_MS)
"""In lockstep nothing ages: a day may pass in a second."""


class LockstepFloor:
    """A `Floor` and a `Venue` over one account. `account` and `clock` are of one client; `loop` runs what must be
    waited for: it is this thread's, and nobody else runs it. Reports carry the same times as those of a venue in this
    process.

    Raises `DataError` with what hinders it when the exchange cannot be read or listened to.
    """

    def __init__(
        self, account: AsterAccount, wire: Wire, clock: LockstepClock, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._account, self._clock, self._loop = account, clock, loop
        self._wire = BarrierWire(wire)
        self._orders: dict[str, Order] = {}
        self._held: dict[tuple[str, int], int] = {}
        self._reports: list[VenueReport] = []
        self._due: FundingSettled | None = None
        self._price_ticks = 0
        self._instruments: dict[str, Instrument] = {}
        self._relisted = False
        self._up: asyncio.Future[None] = loop.create_future()
        self._phase = Phase(0, "close", 0, 0)
        self._wait(self._begin())

    async def _begin(self) -> None:
        account, clock = self._account, self._clock
        told = await account.server_time()
        if isinstance(told, int):
            clock.move_to(told)
        for answer in (await account.server_time(), await account.instruments()):
            if not isinstance(answer, int | dict):
                raise DataError(f"The exchange could not be read: {_why(answer)}")
        stream = UserStream(account.rest, self._wire, clock, account.contracts, self._hear, line=_LINE)
        self._listening = asyncio.ensure_future(stream.run())
        await self._up

    # ---- the venue

    def send(self, order: Order, time_ms: int) -> None:
        """Place it now; the answer becomes a report stamped `time_ms`."""
        answer = self._wait(self._account.place(order))
        if isinstance(answer, Placed):
            self._orders[order.client_id] = order
            self._reports.append(OrderAccepted(time_ms, order.symbol, order.client_id))
        elif isinstance(answer, Refused):
            reason = f"{answer.code} {answer.reason}"
            self._reports.append(OrderRejected(time_ms, order.symbol, order.client_id, reason))
        else:
            raise DataError(f"Order {order.client_id} has no answer, which cannot be in lockstep: {_why(answer)}")

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        """Cancel it now. One that is not there says nothing: its own last report is under way."""
        answer = self._wait(self._account.cancel(symbol, client_id))
        if isinstance(answer, Cancelled):
            self._orders.pop(client_id, None)
            self._reports.append(OrderCanceled(time_ms, symbol, client_id, "requested"))
        elif not (isinstance(answer, Refused) and answer.code == _ABSENT):
            raise DataError(f"The cancel of {client_id} has no answer: {_why(answer)}")

    def take_reports(self) -> list[VenueReport]:
        taken, self._reports = self._reports, []
        return taken

    # ---- the floor

    def list_instrument(self, instrument: Instrument) -> None:
        """The exchange lists by itself; new terms are read once it has opened under them."""
        self._relisted = instrument.symbol in self._instruments
        self._instruments[instrument.symbol] = instrument

    def deposit(self, amount: int) -> None:
        """Raises `UsageError`: money moves at the exchange, not from here."""
        raise UsageError("A run over the wire cannot move money; transfer it at the exchange itself.")

    def settle(self, event: FundingSettled, price: float) -> None:
        self._due, self._price_ticks = event, self._instruments[event.symbol].to_ticks(price)
        self._barrier("funding")
        self._due = None

    def open(self, bars: Sequence[BarClosed]) -> None:
        self._barrier("open")
        if self._phase.open_ms != bars[0].open_time_ms:
            raise DataError(
                f"The exchange opens the bar of {self._phase.open_ms} and the run that of {bars[0].open_time_ms};"
                " start both on the same feed and span."
            )
        for bar in bars:
            self._account.told_mark(bar.symbol, _e8(bar.open))
        if self._relisted:
            self._relisted = False
            self._wait(self._account.instruments())

    def rest(self, bars: Sequence[BarClosed], *, again: bool = False) -> None:
        told = len(self._reports)
        while self._phase.name != "close":
            self._barrier("rest", "close")
            if len(self._reports) > told:
                return
        for bar in bars:
            self._account.told_mark(bar.symbol, _e8(bar.close))

    def assumptions(self) -> dict[str, str]:
        """The exchange's own settings say what it assumes of fills; this side assumes nothing."""
        return {"fills": "by the exchange over the wire, in lockstep", "acknowledgement": "with the reply"}

    def close(self) -> None:
        """Hang up; the exchange waits for this client no longer."""
        self._listening.cancel()
        self._wait(asyncio.wait((self._listening,)))

    # ---- barriers and what they bring

    def _barrier(self, *expected: str) -> None:
        self._phase = self._wait(self._wire.cross())
        self._clock.move_to(self._phase.time_ms)
        if self._phase.name not in expected:
            raise DataError(
                f"The exchange came to phase {self._phase.name} where the run is at {expected[0]}; start both on the"
                " same feed and span."
            )

    def _hear(self, news: VenueNews) -> None:
        if isinstance(news, OrderNews):
            if news.execution is not None:
                self._filled(news.execution, not news.order.status.working)
            elif news.order.status is VenueStatus.EXPIRED and news.order.client_id in self._orders:
                order = self._orders.pop(news.order.client_id)
                self._reports.append(OrderCanceled(news.time_ms, order.symbol, order.client_id, "expired"))
        elif isinstance(news, PositionNews) and news.reason == "FUNDING_FEE":
            self._paid(-news.change)
        elif isinstance(news, StreamState):
            self._listened(news)

    def _listened(self, state: StreamState) -> None:
        if state.up and not self._up.done():
            self._up.set_result(None)
        elif not self._up.done():
            self._up.set_exception(DataError(f"The account's stream could not be opened: {state.why}"))
        elif not state.up:
            self._wire.fail(state.why)

    def _filled(self, done: Execution, whole: bool) -> None:
        order = self._orders.get(done.client_id)
        if whole:
            self._orders.pop(done.client_id, None)
        leg = (done.symbol, done.leg)
        self._held[leg] = self._held.get(leg, 0) + int(done.side) * done.steps
        fill = Fill(
            time_ms=done.time_ms,
            symbol=done.symbol,
            client_id=done.client_id,
            intent_id=order.intent_id if order else "",
            purpose=str(order.purpose) if order else "",
            side=done.side,
            steps=done.steps,
            price_ticks=done.price_ticks,
            fee=done.fee,
            maker=done.maker,
            kind=FillKind.LIQUIDATION if done.liquidation else FillKind.TRADE,
            leg=done.leg,
        )
        self._reports.append(OrderFilled(done.time_ms, fill, whole))

    def _paid(self, amount: int) -> None:
        """Funding of the next leg that holds something: venues tell the amount alone."""
        due = self._due
        if due is None:
            raise DataError("The exchange charged funding that the run's feed does not have; start both on one feed.")
        told = sum(isinstance(one, FundingPaid) for one in self._reports)
        held = [steps for leg in (0, 1, -1) if (steps := self._held.get((due.symbol, leg), 0))]
        if told >= len(held):
            raise DataError(
                "The exchange charged funding on a position the run does not hold; start with a new account."
            )
        steps = held[told]
        paid = FundingPaid(due.time_ms, due.symbol, amount, due.charged_e8(steps), steps, self._price_ticks, proxy=True)
        self._reports.append(paid)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)


def _why(answer: object) -> str:
    return str(getattr(answer, "reason", "") or getattr(answer, "why", "") or answer)


def _e8(price: float) -> int:
    return round(price * UNIT)
