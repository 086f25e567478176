"""What the trader is told of its orders: each thing once, in the order in which it makes sense, whatever came first."""

from collections import deque
from collections.abc import Callable

import msgspec

from aister.core.events import (
    EntriesFrozen,
    EntriesThawed,
    FundingPaid,
    MoneyBooked,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    VenueReport,
)
from aister.core.trade import Fill, FillKind
from aister.execution.identity import by_hand, watched
from aister.execution.income import Income
from aister.execution.states import Course, State
from aister.execution.traded import Traded
from aister.ports.exchange import Execution

__all__ = ["OUTSIDE", "Teller"]

OUTSIDE = "outside"
"""The cause of a freeze: somebody else trades a symbol of this trader's."""
_LATER = 0
"""Times are set when reports are taken."""
_PAYMENTS_MS = 86_400_000


class Teller:
    """Reports waiting to be taken, and what has been told so far. `stamp` is the engine's clock: reports carry it,
    never less than before; a fill carries the venue's own time beside it. `held` is what the fills told add up to, by
    symbol and leg."""

    def __init__(self, stamp: Callable[[], int], wake: Callable[[], None]) -> None:
        self._stamp, self._wake = stamp, wake
        self._reports: deque[VenueReport] = deque()
        self._traded = Traded()
        self._frozen: dict[str, str] = {}
        self._recalled: set[str] = set()
        self._last_ms = 0
        self._ticks: dict[str, int] = {}
        self._payments: dict[tuple[int, str, int], None] = {}
        self._paid_before: list[tuple[int, str, int]] = []
        self.held: dict[tuple[str, int], int] = {}
        self.income = Income()
        self.hand_ms = 0
        """When somebody else last opened or added to something of these symbols, by the venue's time; 0: never."""

    def take(self) -> list[VenueReport]:
        """What there is to tell, once, stamped with the moment it is taken."""
        taken: list[VenueReport] = []
        while self._reports:
            self._last_ms = max(self._last_ms, self._stamp())
            taken.append(msgspec.structs.replace(self._reports.popleft(), time_ms=self._last_ms))
        return taken

    @property
    def waiting(self) -> bool:
        return bool(self._reports)

    # ---- one order ------------------------------------------------------------------------------------------------

    def tell(self, course: Course) -> None:
        """Everything about an order that was not told yet."""
        order = course.order
        new = sorted(
            (one for one in course.fills.values() if one.trade_id not in course.told),
            key=lambda one: (one.time_ms, one.trade_id),
        )
        if course.state.arrived and not course.accepted and not course.closed:
            course.accepted = True
            self._say(OrderAccepted(_LATER, order.symbol, order.client_id))
        whole = course.settled and course.state is State.FILLED
        for place, execution in enumerate(new, 1):
            course.told.add(execution.trade_id)
            done = whole and place == len(new)
            course.closed = course.closed or done
            self._filled(execution, order.intent_id, str(order.purpose), done)
        if course.settled and not course.closed and not course.retired:
            course.closed = True
            self._end(course)

    def lost(self, course: Course) -> None:
        """It is not there as it was sent: told as its end."""
        course.closed = True
        order = course.order
        self._say(OrderCanceled(_LATER, order.symbol, order.client_id, course.why))

    def unknown(self, course: Course) -> None:
        """Nobody knows whether it is there."""
        order = course.order
        self._say(OrderUnknown(_LATER, order.symbol, order.client_id, course.why))

    def unasked(self, execution: Execution) -> bool:
        """A trade that no order of the trader's made; false when it was told before. One of the watcher's says what it
        was for; one by hand that opens or adds freezes entries before it is told (C14, Q22)."""
        purpose = watched(execution.client_id)
        intent_id = f"watch-{execution.symbol}-{purpose}" if purpose is not None else ""
        if not self.fresh(execution):
            return False
        held = self.held.get((execution.symbol, execution.leg), 0)
        if by_hand(execution.client_id) and _opens(held, execution) and not execution.liquidation:
            self.hand_ms = max(self.hand_ms, execution.time_ms)
            self.freeze(OUTSIDE, _by_hand(execution, held))
        return self._filled(execution, intent_id, str(purpose or ""), True)

    def fresh(self, execution: Execution) -> bool:
        """Whether this trade is heard of for the first time."""
        return self._traded.fresh(execution)

    def told_before(self, fill: Fill) -> None:
        """A fill that the journal holds already."""
        self._traded.before(fill)
        if by_hand(fill.client_id) and _opens(self.held.get((fill.symbol, fill.leg), 0), fill):
            self.hand_ms = max(self.hand_ms, fill.time_ms)
        self._hold(fill.symbol, fill.leg, int(fill.side) * fill.steps)

    def last_ticks(self, symbol: str) -> int:
        """The price of the newest fill told of this symbol; 0 when there was none."""
        return self._ticks.get(symbol, 0)

    def forget_price(self, symbol: str) -> None:
        """Its ticks count something else from now on."""
        self._ticks.pop(symbol, None)

    # ---- funding --------------------------------------------------------------------------------------------------

    def paid(self, time_ms: int, symbol: str, amount: int) -> None:
        """Funding that the venue has booked: told once. The venue's books name neither rate nor price."""
        if (time_ms, symbol, amount) in self._payments:
            return
        self._payments[time_ms, symbol, amount] = None
        while next(iter(self._payments))[0] < time_ms - _PAYMENTS_MS:  # so far back no read reaches
            del self._payments[next(iter(self._payments))]
        told = next((one for one in self._paid_before if one[1:] == (symbol, amount) and one[0] >= time_ms), None)
        if told is not None:
            self._paid_before.remove(told)
            return
        steps = sum(held for (name, _), held in self.held.items() if name == symbol)
        self._say(FundingPaid(_LATER, symbol, -amount, 0, steps, 0, True))

    def paid_before(self, event: FundingPaid | MoneyBooked) -> None:
        """A payment that the journal holds already, with the time it was told at; only the newest can come again."""
        if isinstance(event, MoneyBooked):
            self.income.booked_before(event)
            return
        self._paid_before = [*self._paid_before[-50:], (event.time_ms, event.symbol, -event.amount)]

    # ---- all of them ----------------------------------------------------------------------------------------------

    def freeze(self, cause: str, reason: str) -> None:
        """No entries, for this cause; told when it is new or its reason has changed."""
        self._recalled.discard(cause)
        if self._frozen.get(cause) != reason:
            self._frozen[cause] = reason
            self._say(EntriesFrozen(_LATER, cause, reason))

    def thaw(self, cause: str) -> None:
        """The cause is gone."""
        self._recalled.discard(cause)
        if self._frozen.pop(cause, None) is not None:
            self._say(EntriesThawed(_LATER, cause))

    def frozen_before(self, cause: str, reason: str) -> None:
        """The journal holds that entries were frozen (no reason: thawed again): only so can it be told when the cause
        is gone. What waits to be told is newer."""
        if any(isinstance(one, EntriesFrozen | EntriesThawed) and one.cause == cause for one in self._reports):
            return
        self._frozen.pop(cause, None)
        self._recalled.discard(cause)
        if reason:
            self._frozen[cause] = reason
            self._recalled.add(cause)

    def thaw_recalled(self, *causes: str) -> None:
        """Those of the causes that an earlier life left frozen and this one has not met."""
        for cause in causes:
            if cause in self._recalled:
                self.thaw(cause)

    @property
    def frozen(self) -> dict[str, str]:
        return dict(self._frozen)

    def say(self, report: VenueReport) -> None:
        """Tell something made elsewhere; its time is set when it is taken."""
        self._say(report)

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _end(self, course: Course) -> None:
        order = course.order
        if course.state is State.REJECTED:
            self._say(OrderRejected(_LATER, order.symbol, order.client_id, course.why))
            return
        reason = {State.FILLED: "it had filled", State.EXPIRED: "expired"}.get(course.state, "cancelled")
        self._say(OrderCanceled(_LATER, order.symbol, order.client_id, course.why or reason))

    def _filled(self, execution: Execution, intent_id: str, purpose: str, done: bool) -> bool:
        fill = Fill(
            time_ms=execution.time_ms,
            symbol=execution.symbol,
            client_id=execution.client_id,
            intent_id=intent_id,
            purpose=purpose,
            side=execution.side,
            steps=execution.steps,
            price_ticks=execution.price_ticks,
            fee=execution.fee,
            maker=execution.maker,
            kind=FillKind.LIQUIDATION if execution.liquidation else FillKind.TRADE,
            leg=execution.leg,
        )
        self._hold(fill.symbol, fill.leg, int(fill.side) * fill.steps)
        self._ticks[fill.symbol] = fill.price_ticks
        self._say(OrderFilled(_LATER, fill, done))
        return True

    def _hold(self, symbol: str, leg: int, steps: int) -> None:
        self.held[symbol, leg] = self.held.get((symbol, leg), 0) + steps

    def _say(self, report: VenueReport) -> None:
        self._reports.append(report)
        self._wake()


def _opens(held: int, traded: Execution | Fill) -> bool:
    """Whether some of it opens or adds: all of it, or what is more than was held on the other side."""
    return held * traded.side + traded.steps > 0


def _by_hand(execution: Execution, held: int) -> str:
    """What somebody did, and by which policy it is dealt with (Q22: it joins no plan of this trader's)."""
    did = f"{'bought' if execution.side > 0 else 'sold'} {execution.steps} steps of {execution.symbol}"
    said, wait = f"Somebody else {did} (order {execution.client_id})", "Entries wait ten minutes."
    if held * execution.side < 0:
        return f"{said}, more than this trader held; what that has opened is closed at market. {wait}"
    if held:
        return f"{said} beside what this trader holds; they go with it, at its stop or its end. {wait}"
    return f"{said}, which this trader trades; what has no plan of its own is closed at market. {wait}"
