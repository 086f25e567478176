"""A courier with the real client and its user stream (or without) in front of the simulated exchange, in virtual
time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.core.events import OrderFilled, VenueReport
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Faults, Settings
from aister.execution.courier import Courier, CourierRules
from aister.ports.exchange import VenueNews
from aister.ports.feed import MarketSlice
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.fakes.virtual import World
from tests.sim.market import MONEY, instrument

T = TypeVar("T")
SYMBOL = "BTCUSDT"
FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)


def order(client_id: str = "ai00000000-1-1", side: Side = Side.BUY, steps: int = 100, **changes: Any) -> Order:
    """By default 0.1 bought at market to enter."""
    told: dict[str, Any] = {
        "client_id": client_id,
        "intent_id": f"i-{client_id}",
        "symbol": SYMBOL,
        "side": side,
        "type": OrderType.MARKET,
        "purpose": Purpose.ENTRY,
        "steps": steps,
        "price_ticks": 0,
        "trigger_ticks": 0,
        "reduce_only": False,
        "close_position": False,
    }
    return Order(**{**told, **changes})


def stop(client_id: str = "ai00000000-2-1", ticks: int = 990_000, side: Side = Side.SELL) -> Order:
    return order(
        client_id,
        side,
        0,
        type=OrderType.STOP_MARKET,
        purpose=Purpose.STOP,
        trigger_ticks=ticks,
        close_position=True,
    )


def fast(message: bytes, chain_id: int, signature: bytes) -> str:
    """Whose signature it is, taken from the message: signatures are test_sign's matter."""
    return next(part[7:] for part in message.decode().split("&") if part.startswith("signer="))


class Scene:
    """One exchange, one account with 10,000 USDT, the client, its user stream and the courier. `others` are listed
    there too, and nothing of this client's."""

    def __init__(
        self,
        *faults: Fault,
        prices: tuple[tuple[float, float, float, float], ...] = (FLAT,) * 30,
        stream: bool = True,
        settings: Settings | None = None,
        rules: CourierRules | None = None,
        symbols: tuple[str, ...] = (SYMBOL,),
        others: tuple[str, ...] = (),
        feed: Iterable[MarketSlice] | None = None,
    ) -> None:
        self.faults = Faults()
        listed = {symbol: instrument(symbol) for symbol in symbols + others}
        market = iter(feed) if feed is not None else slices(*prices, symbols=symbols + others)
        self.exchange = Exchange(listed, market, MINUTE_MS, settings, faults=self.faults, verify=fast)
        self.start_ms = self.exchange.now_ms
        self.fault(*faults)
        self.world = World(self.exchange)
        self.signer = LocalSigner(self.world)  # type: ignore[arg-type]
        agent = self.signer.address.lower()
        keys = Credentials(USER, {agent: Agent(agent)}, "key", "secret")
        self.books = self.exchange.add_account(keys, 10_000 * MONEY)
        rest = Rest(self.world, self.world, self.signer)
        self.account = AsterAccount(rest, symbols, source="simulator")
        self.courier = Courier(self.account, sleep=self.world.sleep, rules=rules)
        contracts = self.account.contracts
        self.user = UserStream(rest, self.world, self.world, contracts, self.hear)
        self.reports: list[VenueReport] = []
        self.stream = stream

    def hear(self, news: VenueNews) -> None:
        """The user stream tells."""
        self.courier.hear(news)

    def fault(self, *faults: Fault) -> None:
        """Times are given from the start."""
        for one in faults:
            until = one.until_ms and one.until_ms + self.start_ms
            self.faults.add(msgspec.structs.replace(one, at_ms=one.at_ms + self.start_ms, until_ms=until))

    def play(self, story: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async def told() -> T:
            await self.account.server_time()
            assert isinstance(await self.account.instruments(), dict)
            self.courier.start()
            reader = asyncio.ensure_future(self.user.run()) if self.stream else None
            await self.world.sleep(50)
            result = await story()
            if reader is not None:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            await self.courier.stop()
            return result

        return self.world.run(told())

    async def wait(self, ms: float) -> list[VenueReport]:
        """Let it go on for so long; what was reported meanwhile."""
        await self.world.sleep(ms)
        self.world.catch_up()
        new = self.courier.take_reports()
        self.reports += new
        return new

    def send(self, *orders: Order) -> None:
        for one in orders:
            self.courier.send(one, self.world.now_ms())

    @property
    def steps(self) -> int:
        """What the exchange's own books hold."""
        return self.books.venue.position(SYMBOL).steps

    @property
    def posts(self) -> int:
        """Orders that left for the exchange."""
        return sum(one.method == "POST" and one.path.endswith("/order") for one in self.world.sent)

    def filled(self) -> int:
        return sum(one.fill.steps for one in self.reports if isinstance(one, OrderFilled))
