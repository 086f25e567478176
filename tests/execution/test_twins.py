"""Another installation on the same account, noticed by its trades alone."""

import asyncio

from aister.core.events import EntriesFrozen, OrderFilled
from aister.core.trade import Side
from aister.exchange_sim import Fault
from aister.execution.telling import Teller
from aister.execution.twins import Twins
from aister.ports.exchange import Execution, Unknown
from tests.execution.kept import US, Kept
from tests.execution.scene import SYMBOL

OTHERS = "ai11111111"
BOUGHT = f"symbol={SYMBOL}&side=BUY&type=MARKET&quantity=0.05&newClientOrderId={OTHERS}-1-1"


def test_a_trade_of_it_that_only_a_look_up_tells_freezes_before_it_is_told() -> None:
    scene = Kept(Fault("drop", user_streams=True), Fault("foreign_order", at_ms=5_000, text=BOUGHT))

    async def story() -> None:
        for _ in range(60):
            await scene.wait(1_000)

    scene.keep(story)
    heard = [
        one
        for one in scene.reports
        if (isinstance(one, EntriesFrozen) and one.cause == "twin")
        or (isinstance(one, OrderFilled) and one.fill.client_id.startswith(OTHERS))
    ]
    assert [type(one) for one in heard[:2]] == [EntriesFrozen, OrderFilled]
    assert OTHERS in scene.frozen()["twin"]


class Halting:
    """An exchange whose trades cannot be read at first."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def now_ms(self) -> int:
        return 1_000_000

    async def executions(self, symbol: str, since_ms: int) -> object:
        self.asked.append(symbol)
        if self.asked.count(symbol) == 1 and symbol == SYMBOL:
            return Unknown("not yet", 0, 0)
        done = Execution(1, 1, f"{OTHERS}-1-1", symbol, Side.BUY, 1, 1, 0, "", 0, False, 0, 900_000)
        return (done,) if symbol == SYMBOL else ()


async def looked_back(twins: Twins, times: int) -> None:
    for _ in range(times):
        await twins.look_back((SYMBOL, "ETHUSDT"))


def test_a_look_back_is_repeated_until_it_could_be_read() -> None:
    exchange, teller = Halting(), Teller(lambda: 1, lambda: None)
    twins = Twins(exchange, teller, US, 600_000)  # type: ignore[arg-type]
    asyncio.run(looked_back(twins, 3))
    assert exchange.asked == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]
    assert OTHERS in teller.frozen["twin"] and twins.until_ms == 1_500_000
    twins.until_ms = 0
    twins.noticed(f"{OTHERS}-1-1", 300_000)  # too long ago to count
    assert twins.until_ms == 0
