"""The courier's scene with the keeper of the books running beside it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable

from aister.core.events import EntriesFrozen, EntriesThawed
from aister.core.trade import OrderType
from aister.exchange_sim import Fault
from aister.execution.reconcile import Armed
from aister.execution.recovery import Recovery
from aister.ports.exchange import AccountTerms, VenueNews
from aister.ports.feed import MarketSlice
from tests.execution.scene import SYMBOL, Scene

__all__ = ["ARMED", "US", "Kept"]

US = "ai00000000"
ARMED = Armed(AccountTerms(False, False), {SYMBOL: 20}, {})


class Kept(Scene):
    """The same with recovery running; what the books are compared with is what the trader was told."""

    def __init__(
        self,
        *faults: Fault,
        stream: bool = True,
        armed: Armed | None = None,
        feed: Iterable[MarketSlice] | None = None,
        others: tuple[str, ...] = (),
    ) -> None:
        super().__init__(*faults, stream=stream, feed=feed, others=others)
        self.recovery: Recovery | None = None
        self.armed = armed

    def hear(self, news: VenueNews) -> None:
        assert self.recovery is not None
        self.recovery.hear(news)

    def keep(self, story: Callable[[], Coroutine[object, object, None]]) -> None:
        async def kept() -> None:
            await self.recovery_of().start()
            keeper = asyncio.ensure_future(self.recovery_of().run())
            await story()
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

        self.recovery = Recovery(
            self.account,
            self.courier,
            lambda: self.courier.ours(US, (SYMBOL,)),
            sleep=self.world.sleep,
            armed=self.armed,
        )
        self.play(kept)

    def recovery_of(self) -> Recovery:
        assert self.recovery is not None
        return self.recovery

    def frozen(self) -> dict[str, str]:
        causes: dict[str, str] = {}
        for one in self.reports:
            if isinstance(one, EntriesFrozen):
                causes[one.cause] = one.reason
            elif isinstance(one, EntriesThawed):
                causes.pop(one.cause, None)
        return causes

    def resting(self) -> list[OrderType]:
        return [one.type for one in self.books.venue.open_orders(SYMBOL)]
