"""How long it takes from a trader's start until protection was looked at and the books are read, before the real client
and the simulated exchange 50 ms away, in virtual time. What the machine itself needs (interpreter, journal) comes on
top. `python -m pytest -s` prints the figures."""

import asyncio

import pytest

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.wire import Lost, Reply
from aister.app.trader_rollback import newest_asked
from aister.app.trader_seat import marks_of
from aister.core.audit import Audit, PlaceOrder
from aister.core.events import BarClosed, OrderCanceled
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import Fault, Settings
from aister.execution.courier import Courier
from aister.execution.recovery import Recovery
from tests.execution.scene import FLAT, Scene, order
from tests.fakes.virtual import World

US = "ai00000000"
ROUND_TRIP_MS = 50.0
DOWN_MS = 65_000
"""Longer than the minute that weight is counted over."""


def bracket(number: int, symbol: str) -> list[Order]:
    """A position, its stop and three targets: four orders that rest."""
    one = f"{US}-{number:x}"
    targets = [
        order(
            f"{one}-{place + 3}",
            Side.SELL,
            2,
            symbol=symbol,
            type=OrderType.LIMIT,
            purpose=Purpose.TARGET,
            price_ticks=1_010_000 + place * 1_000,
            reduce_only=True,
        )
        for place in range(3)
    ]
    stop = order(
        f"{one}-2",
        Side.SELL,
        0,
        symbol=symbol,
        type=OrderType.STOP_MARKET,
        purpose=Purpose.STOP,
        trigger_ticks=990_000,
        close_position=True,
    )
    return [order(f"{one}-1", steps=6, symbol=symbol), stop, *targets]


class Lines:
    """The wire with as many connections as `SocketWire` has; who finds none free waits for its turn."""

    def __init__(self, world: World) -> None:
        self._world, self._free = world, asyncio.Semaphore(32)
        self.connect = world.connect

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        async with self._free:
            return await self._world.request(method, path, query, body, headers, timeout_ms)


class Restarted(Scene):
    """As many symbols as are held, each with four orders at rest; and a second life of the trader. While it was down
    the last symbol lost its stop."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        super().__init__(prices=(FLAT,) * 4, symbols=symbols, settings=Settings(legs=3), stream=False)
        self.world.delay_ms = ROUND_TRIP_MS / 2
        self.lines = Lines(self.world)
        self.account.rest._wire = self.lines
        self.symbols = symbols
        self.bare_ms = self.read_ms = 0.0

    async def story(self) -> None:
        sent = [one for number, symbol in enumerate(self.symbols) for one in bracket(number, symbol)]
        self.send(*(one for one in sent if one.purpose is Purpose.ENTRY))
        await self.wait(2_000)
        self.send(*(one for one in sent if one.purpose is not Purpose.ENTRY))
        await self.wait(6_000)
        bar = BarClosed(self.start_ms, self.symbols[0], 0, 1.0, 1.0, 1.0, 1.0, 1.0)
        opening = [Audit(0, bar, tuple(PlaceOrder(one) for one in sent))]
        await self.courier.stop()
        self.fault(Fault("cancel_order", at_ms=10_000, symbol=self.symbols[-1], text="stop"))
        await self.world.sleep(DOWN_MS)
        began = self.world.monotonic_ms()
        await self._start(opening + [Audit(1 + at, one, ()) for at, one in enumerate(self.reports)], began)

    async def _start(self, records: list[Audit], began: float) -> None:
        """What a trader does at its start, in that order."""
        rest = Rest(self.lines, self.world, self.signer)
        await rest.server_time()
        assert all((await marks_of(rest, self.symbols)).values())
        account = AsterAccount(rest, self.symbols, source="simulator")
        assert isinstance(await account.instruments(), dict)
        assert await newest_asked(account, US, self.symbols, records[-1].event.time_ms) < len(self.symbols)
        courier = Courier(account, sleep=self.world.sleep, wake=lambda: None)
        for one in records:
            courier.recall(one)
        courier.start()
        courier.resume()
        keeper = Recovery(account, courier, lambda: courier.ours(US, self.symbols), sleep=self.world.sleep)
        reading = asyncio.ensure_future(keeper.start())
        while not reading.done():
            if any(isinstance(one, OrderCanceled) for one in courier.take_reports()) and not self.bare_ms:
                self.bare_ms = self.world.monotonic_ms() - began
            await self.world.sleep(5)
        self.read_ms = self.world.monotonic_ms() - began
        if not self.bare_ms and any(isinstance(one, OrderCanceled) for one in courier.take_reports()):
            self.bare_ms = self.read_ms
        assert len((await reading).orders) == 4 * len(self.symbols) - 1
        assert "start" not in courier.teller.frozen and len(keeper.findings) >= 1
        await courier.stop()


@pytest.mark.parametrize(("held", "most_ms"), [(5, 5_000), (50, 15_000)])
def test_protection_is_looked_at_first_and_the_books_are_read_within_their_time(held: int, most_ms: int) -> None:
    scene = Restarted(tuple(f"C{number:02}USDT" for number in range(held)))
    scene.play(scene.story)
    print(
        f"\n{held} positions, {4 * held} orders, {ROUND_TRIP_MS:g} ms round trip: a missing stop known after "
        f"{scene.bare_ms:,.0f} ms (bar 3,000), everything read after {scene.read_ms:,.0f} ms (bar {most_ms:,})"
    )
    assert 0 < scene.bare_ms <= 3_000
    assert scene.read_ms <= most_ms
