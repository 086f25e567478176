"""The real order path in lockstep: what the gateway hands on goes through the courier, and what the account's stream
tells comes back through it. Bars, barriers and funding are those of `LockstepFloor`."""

import asyncio
from collections.abc import Sequence

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.barriers import LockstepClock
from aister.adapters.exchanges.aster.lockstep import LockstepFloor
from aister.adapters.exchanges.aster.wire import Wire
from aister.core.events import BarClosed, VenueReport
from aister.core.trade import Order
from aister.execution.courier import Courier, CourierRules
from aister.ports.exchange import OrderNews, PositionNews, VenueNews

__all__ = ["CarriedFloor"]

_NEVER_MS = 10**14
_RULES = CourierRules(grace_ms=_NEVER_MS, check_ms=_NEVER_MS)
"""In lockstep nothing is lost, so nothing is looked up: it would be told before its turn."""


class CarriedFloor(LockstepFloor):
    """A `Floor` and a `Venue` whose orders a courier carries."""

    courier: Courier

    def __init__(
        self, account: AsterAccount, wire: Wire, clock: LockstepClock, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(account, wire, clock, loop)
        self.courier = Courier(account, sleep=clock.sleep, stamp=clock.now_ms, rules=_RULES)
        self._wait(self._set_out(self.courier))

    @staticmethod
    async def _set_out(courier: Courier) -> None:
        courier.start()

    def send(self, order: Order, time_ms: int) -> None:
        self.courier.send(order, time_ms)
        self._wait(self.courier.idle())

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        self.courier.cancel(symbol, client_id, time_ms)
        self._wait(self.courier.idle())

    def take_reports(self) -> list[VenueReport]:
        return [*super().take_reports(), *self.courier.take_reports()]

    def rest(self, bars: Sequence[BarClosed], *, again: bool = False) -> None:
        """Barriers until something was told, as the floor does, but told to the courier."""
        while self._phase.name != "close":
            self._barrier("rest", "close")
            if self.courier.teller.waiting:
                return
        super().rest(bars, again=again)

    def close(self) -> None:
        self._wait(self.courier.stop())
        super().close()

    def _hear(self, news: VenueNews) -> None:
        if not isinstance(news, OrderNews | PositionNews):
            super()._hear(news)
            return
        self.courier.hear(news)
        if isinstance(news, OrderNews) and (done := news.execution) is not None:
            leg = (done.symbol, done.leg)
            self._held[leg] = self._held.get(leg, 0) + int(done.side) * done.steps
        elif isinstance(news, PositionNews) and news.reason == "FUNDING_FEE":
            super()._hear(news)
