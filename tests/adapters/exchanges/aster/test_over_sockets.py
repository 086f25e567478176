"""The same client over HTTP against the simulated exchange's server: bytes, keep-alive and clocks are real."""

import asyncio

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.exchange_sim import Agent, Credentials, Exchange, Settings
from aister.exchange_sim.server import Server
from aister.ports.exchange import Cancelled, Open, Placed, Unreachable
from tests.adapters.exchanges.aster.scene import FLAT, STOP
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.sim.market import MONEY, instrument


def test_a_trade_over_http() -> None:
    async def scene() -> None:
        # its clock is years away from the wall's, so any nonce is taken; kernels may compile, hence the long timeout
        exchange = Exchange({"BTCUSDT": instrument()}, slices(*(FLAT,) * 30), MINUTE_MS, Settings(nonce_window_ms=0))
        clock = WallClock()
        signer = LocalSigner(clock)  # type: ignore[arg-type]
        agent = signer.address.lower()
        exchange.add_account(Credentials(USER, {agent: Agent(agent)}), 10_000 * MONEY)
        server = Server(exchange)
        rest_port, ws_port = await server.start()
        wire = SocketWire(net("simulator", f"http://127.0.0.1:{rest_port}", f"ws://127.0.0.1:{ws_port}"))
        account = AsterAccount(Rest(wire, clock, signer, timeout_ms=120_000), ("BTCUSDT",), source="simulator")
        try:
            [wrong] = await hindrances(account)  # type: ignore[misc]
            assert wrong.code == -1021  # the only one: this machine's clock is not the exchange's
            assert abs(account.now_ms() - exchange.now_ms) < 200
            stop = await account.place(STOP)
            assert isinstance(stop, Placed), stop
            assert await account.cancel("BTCUSDT", STOP.client_id) == Cancelled(STOP.client_id, 0)
            held = await account.survey()
            assert isinstance(held, Open) and held.orders == () and held.positions[0].steps == 0
            burst = await asyncio.gather(*(account.server_time() for _ in range(20)))
            assert all(isinstance(one, int) for one in burst)
        finally:
            await server.stop()
            gone = await account.open_orders("BTCUSDT")
            await wire.close()
        assert not isinstance(gone, tuple)
        assert isinstance(await account.open_orders("BTCUSDT"), Unreachable)

    asyncio.run(scene())
