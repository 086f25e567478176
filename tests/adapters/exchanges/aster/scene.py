"""The client and the simulated exchange in one process, and orders to give it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import ApiKey
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import (
    Agent,
    Credentials,
    Exchange,
    Faults,
    Settings,
)
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.fakes.wire import ExchangeClock, IndoorWire
from tests.sim.market import MONEY, instrument

T = TypeVar("T")


FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)


class Scene:
    """One exchange, one account with 10,000 USDT, the client of it."""

    def __init__(
        self,
        *prices: tuple[float, float, float, float],
        symbols: tuple[str, ...] = ("BTCUSDT",),
        watched: tuple[str, ...] | None = None,
        settings: Settings | None = None,
        scheme: str = "v3",
    ) -> None:
        listed = {symbol: instrument(symbol) for symbol in symbols}
        feed = slices(*(prices or (FLAT,) * 30), symbols=symbols)
        self.exchange = Exchange(listed, feed, MINUTE_MS, settings, faults=Faults())
        self.clock = ExchangeClock(self.exchange)
        self.wire = IndoorWire(self.exchange, self.clock)
        self.signer: Any = LocalSigner(self.clock) if scheme == "v3" else OldSigner(self.clock)
        credentials = Credentials(USER, {LocalSigner(self.clock).address.lower(): Agent("")}, "key", "secret")
        for address in credentials.agents:
            credentials.agents[address] = Agent(address)
        self.books = self.exchange.add_account(credentials, 10_000 * MONEY)
        rest = Rest(self.wire, self.clock, self.signer, scheme=scheme)
        self.account = AsterAccount(rest, watched or symbols, source="simulator")

    def run(self, talk: Callable[[AsterAccount], Awaitable[T]]) -> T:
        async def scene() -> T:
            assert isinstance(await self.account.instruments(), dict)
            return await talk(self.account)

        return asyncio.run(scene())


class OldSigner:
    """An API key (V1)."""

    def __init__(self, clock: ExchangeClock) -> None:
        self.key = ApiKey("key", b"secret")
        self.clock = clock
        self.address = "key"

    def sign(self, call: Call) -> Signed | Declined:
        return self.key.sign(call.params, self.clock.now_ms() * 1000)


def order(number: int = 1, **given: Any) -> Order:
    return Order(
        **{
            "client_id": f"abcd-{number:x}-1",
            "intent_id": str(number),
            "symbol": "BTCUSDT",
            "side": Side.BUY,
            "type": OrderType.MARKET,
            "purpose": Purpose.ENTRY,
            "steps": 10,
            "price_ticks": 0,
            "trigger_ticks": 0,
            "reduce_only": False,
            "close_position": False,
        }
        | given
    )


STOP = order(
    2,
    side=Side.SELL,
    type=OrderType.STOP_MARKET,
    purpose=Purpose.STOP,
    steps=0,
    trigger_ticks=990_000,
    close_position=True,
)
