"""The floor over the wire where the exchange and the run do not agree; that they trade alike is tests/parity's."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.barriers import LockstepClock
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.lockstep import LockstepFloor
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sockets import SocketWire
from aister.core.errors import DataError, UsageError
from aister.core.events import FundingSettled, OrderAccepted, OrderCanceled, OrderFilled, OrderRejected
from aister.core.trade import OrderType
from aister.exchange_sim import Agent, Credentials, Exchange, Settings
from aister.exchange_sim.lockstep import Lockstep
from aister.exchange_sim.server import Server
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import FLAT, MINUTE_MS, slices
from tests.fakes.wire import ExchangeClock, IndoorWire
from tests.sim.market import MONEY, instrument, order


class Scene:
    """An exchange in lockstep on ten flat minutes, and the floor over it. `agent`: whom the account lets in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, agent: str = "") -> None:
        settings = Settings(lockstep=True)
        self.exchange = Exchange({"BTCUSDT": instrument()}, slices(*(FLAT,) * 10), MINUTE_MS, settings)
        Lockstep(self.exchange)
        time = ExchangeClock(self.exchange)
        signer = LocalSigner(time)  # type: ignore[arg-type]
        known = (agent or signer.address).lower()
        self.exchange.add_account(Credentials(USER, {known: Agent(known)}), 10_000 * MONEY)
        clock, wire = LockstepClock(), IndoorWire(self.exchange, time, delay_ms=0.0)
        account = AsterAccount(Rest(wire, clock, signer), ("BTCUSDT",), source="simulator")
        self.floor = LockstepFloor(account, wire, clock, loop)
        self.floor.list_instrument(instrument())
        self.bars = [market.bars for market in slices(*(FLAT,) * 10)]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def scene(loop: asyncio.AbstractEventLoop) -> Iterator[Scene]:
    made = Scene(loop)
    yield made
    made.floor.close()


def test_orders_are_answered_at_once_and_fill_at_the_next_open(scene: Scene) -> None:
    floor, at = scene.floor, scene.bars[0][0].time_ms
    floor.open(scene.bars[0])
    floor.rest(scene.bars[0])
    floor.send(order("a", 1, OrderType.MARKET, 100), at)
    floor.send(order("b", 1, OrderType.STOP_MARKET, 100, at=900_000), at)
    floor.send(order("c", 1, OrderType.LIMIT, 100, at=990_000), at)
    floor.cancel("BTCUSDT", "c", at)
    floor.cancel("BTCUSDT", "nobody's", at)
    accepted, refused, resting, cancelled = floor.take_reports()
    assert accepted == OrderAccepted(at, "BTCUSDT", "a")
    assert isinstance(refused, OrderRejected) and refused.reason.startswith("-2021")
    assert resting == OrderAccepted(at, "BTCUSDT", "c")
    assert cancelled == OrderCanceled(at, "BTCUSDT", "c", "requested")
    floor.open(scene.bars[1])
    [filled] = floor.take_reports()
    assert isinstance(filled, OrderFilled) and filled.done
    assert (filled.time_ms, filled.fill.steps, filled.fill.purpose) == (at, 100, "entry")
    assert floor.take_reports() == []


def test_a_run_on_other_bars_ends(scene: Scene) -> None:
    with pytest.raises(DataError, match="same feed"):
        scene.floor.open(scene.bars[1])


def test_a_settlement_the_exchange_does_not_have_ends_the_run(scene: Scene) -> None:
    with pytest.raises(DataError, match="phase open where the run is at funding"):
        scene.floor.settle(FundingSettled(scene.bars[0][0].open_time_ms, "BTCUSDT", 1, 1), 100_000.0)


def test_a_stream_that_ends_is_told_at_the_next_barrier(scene: Scene) -> None:
    scene.floor.open(scene.bars[0])
    for connection in list(scene.exchange.hub.connections.values()):
        connection.close(1001)
    with pytest.raises(DataError, match="did not answer a barrier"):
        scene.floor.rest(scene.bars[0])


def test_money_does_not_move_from_here(scene: Scene) -> None:
    with pytest.raises(UsageError, match="transfer it at the exchange"):
        scene.floor.deposit(1)


def test_an_account_that_cannot_be_read_is_no_floor(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(DataError, match="could not be read"):
        Scene(loop, agent="0x" + "22" * 20)


def test_the_same_over_sockets(loop: asyncio.AbstractEventLoop) -> None:
    """The exchange in a thread of its own, the floor in this one."""
    exchange = Exchange(
        {"BTCUSDT": instrument()}, slices(*(FLAT,) * 10), MINUTE_MS, Settings(lockstep=True, nonce_window_ms=0)
    )
    clock = LockstepClock()
    signer = LocalSigner(clock)  # type: ignore[arg-type]
    agent = signer.address.lower()
    exchange.add_account(Credentials(USER, {agent: Agent(agent)}), 10_000 * MONEY)
    outside = asyncio.new_event_loop()
    thread = threading.Thread(target=outside.run_forever)
    thread.start()
    server = Server(exchange)
    rest_port, ws_port = asyncio.run_coroutine_threadsafe(server.start(), outside).result(60)
    where = net("simulator", f"http://127.0.0.1:{rest_port}", f"ws://127.0.0.1:{ws_port}")

    async def opened() -> SocketWire:
        return SocketWire(where)

    wire = loop.run_until_complete(opened())
    account = AsterAccount(Rest(wire, clock, signer, timeout_ms=120_000), ("BTCUSDT",), source="simulator")
    try:
        floor = LockstepFloor(account, wire, clock, loop)
        floor.list_instrument(instrument())
        bars = [market.bars for market in slices(*(FLAT,) * 10)]
        floor.open(bars[0])
        floor.rest(bars[0])
        floor.send(order("a", 1, OrderType.MARKET, 100), bars[0][0].time_ms)
        floor.open(bars[1])
        accepted, filled = floor.take_reports()
        assert isinstance(accepted, OrderAccepted) and isinstance(filled, OrderFilled)
        assert (filled.time_ms, filled.fill.steps) == (bars[1][0].open_time_ms, 100)
        floor.rest(bars[1])
        assert exchange.now_ms == bars[1][0].time_ms == clock.now_ms()
        floor.close()
    finally:
        loop.run_until_complete(wire.close())
        asyncio.run_coroutine_threadsafe(server.stop(), outside).result(60)
        outside.call_soon_threadsafe(outside.stop)
        thread.join()
        outside.close()
