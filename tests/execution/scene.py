"""A courier with the real client in front of the simulated exchange, in virtual time; the user stream as the test
likes: told, or lost."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.core.events import OrderFilled, VenueReport
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import Agent, Connection, Credentials, Exchange, Fault, Faults, Settings
from aister.execution.courier import Courier, CourierRules
from aister.ports.exchange import Execution, OrderNews, PositionNews, VenueOrder, VenueStatus
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.fakes.virtual import LoopClock, play
from tests.fakes.wire import IndoorWire
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
    """One exchange, one account with 10,000 USDT, the client and the courier."""

    def __init__(
        self,
        *faults: Fault,
        prices: tuple[tuple[float, float, float, float], ...] = (FLAT,) * 30,
        stream: bool = True,
        settings: Settings | None = None,
        rules: CourierRules | None = None,
    ) -> None:
        self.exchange = Exchange(
            {SYMBOL: instrument(SYMBOL)}, slices(*prices), MINUTE_MS, settings, faults=Faults(faults), verify=fast
        )
        self.clock = LoopClock(self.exchange)
        self.wire = IndoorWire(self.exchange, self.clock)  # type: ignore[arg-type]
        self.signer = LocalSigner(self.clock)  # type: ignore[arg-type]
        agent = self.signer.address.lower()
        self.books = self.exchange.add_account(
            Credentials(USER, {agent: Agent(agent)}, "key", "secret"), 10_000 * MONEY
        )
        self.account = AsterAccount(Rest(self.wire, self.clock, self.signer), [SYMBOL], source="simulator")
        self.courier = Courier(self.account, sleep=self.clock.sleep, rules=rules)
        self.reports: list[VenueReport] = []
        self.stream = stream
        self.connection: Connection | None = None

    def play(self, story: Callable[[], Awaitable[T]]) -> T:
        async def told() -> T:
            await self.account.server_time()
            assert not isinstance(await self.account.instruments(), tuple)
            self.courier.start()
            if self.stream:
                self.listen()
            return await story()

        return play(self.exchange, told)

    def listen(self) -> None:
        self.books.listen_key = self.exchange.new_listen_key(self.books)
        self.books.listen_until_ms = self.exchange.now_ms + 3_600_000
        self.connection = self.exchange.connect("/ws/" + self.books.listen_key)

    async def wait(self, ms: float) -> list[VenueReport]:
        """Let it go on for so long; what was reported meanwhile."""
        until = self.exchange.now_ms + ms
        new: list[VenueReport] = []
        while self.exchange.now_ms < until:
            await asyncio.sleep(min(0.02 if ms < 10_000 else 0.2, ms / 1000))
            self.hear()
            new += self.courier.take_reports()
        self.reports += new
        return new

    def hear(self) -> None:
        """Hand over what the user stream has told."""
        if self.connection is None:
            return
        for text in self.connection.take():
            news = decoded(json.loads(text))
            if news is not None:
                self.courier.hear(news)

    def send(self, *orders: Order) -> None:
        for one in orders:
            self.courier.send(one, self.exchange.now_ms)

    @property
    def steps(self) -> int:
        """What the exchange's own books hold."""
        return self.books.venue.position(SYMBOL).steps

    @property
    def posts(self) -> int:
        """Orders that reached the exchange, by its raw log."""
        return sum(one.method == "POST" and one.path.endswith("/order") for one in self.wire.sent)

    def filled(self) -> int:
        return sum(one.fill.steps for one in self.reports if isinstance(one, OrderFilled))


def decoded(frame: Any) -> OrderNews | PositionNews | None:
    """A frame of the user stream in our nouns, read by hand: BTCUSDT's grid is 0.1 and 0.001."""
    if frame["e"] == "ORDER_TRADE_UPDATE":
        o = frame["o"]
        side = Side.BUY if o["S"] == "BUY" else Side.SELL
        status = VenueStatus.__members__.get(o["X"], VenueStatus.NEW)
        order = VenueOrder(
            o["c"], o["i"], SYMBOL, side, OrderType[o["ot"]], status, _steps(o["q"]), _steps(o["z"]), _ticks(o["p"]),
            _ticks(o["sp"]), o["R"], o.get("cp", False), 0, frame["E"],
        )  # fmt: skip
        traded = None
        if o["x"] == "TRADE":
            fee = round(float(o.get("n", 0)) * 1e8)
            unasked = o["c"].startswith(("autoclose-", "adl_"))
            traded = Execution(
                o["t"], o["i"], o["c"], SYMBOL, side, _steps(o["l"]), _ticks(o["L"]), fee, "USDT",
                round(float(o["rp"]) * 1e8), o["m"], 0, o["T"], unasked,
            )  # fmt: skip
        return OrderNews(frame["E"], order, traded)
    if frame["e"] == "ACCOUNT_UPDATE":
        rows = tuple((one["s"], 0, _steps(one["pa"])) for one in frame["a"]["P"])
        return PositionNews(frame["E"], frame["a"]["m"], None, rows)
    return None


def _steps(text: str) -> int:
    return round(float(text) * 1000)


def _ticks(text: str) -> int:
    return round(float(text) * 10)
