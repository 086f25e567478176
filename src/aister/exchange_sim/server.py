"""HTTP and websockets in front of an `Exchange`: the clock, sockets and nothing else.

Every listener answers only to Host names on its list (safety B1): loopback names, and those given.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from aiohttp import WSMsgType, web

from aister.exchange_sim.admin import answer_admin
from aister.exchange_sim.exchange import Exchange
from aister.exchange_sim.lockstep import Lockstep
from aister.exchange_sim.streams import Connection
from aister.exchange_sim.wire import DOWN, Refusal, Request, Response, reply

__all__ = ["Server"]

_TICK_S, _REST_S = 0.005, 0.05
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_NEVER_S = 86_400.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serves one exchange. `speed`: seconds of the exchange per second of the wall; without effect in lockstep.

    server = Server(exchange)
    rest_port, ws_port = await server.start(rest_port=0, ws_port=0)
    ...
    await server.stop()
    """

    def __init__(
        self, exchange: Exchange, *, speed: float = 1.0, hosts: tuple[str, ...] = (), bind: str = "127.0.0.1"
    ) -> None:
        self.exchange, self.speed, self.bind = exchange, speed, bind
        self.lockstep = Lockstep(exchange) if exchange.settings.lockstep else None
        self._hosts = {*_LOOPBACK, *hosts}
        self._runners: list[web.AppRunner] = []
        self._ports: set[int] = set()
        self._sockets: dict[int, tuple[Connection, web.WebSocketResponse]] = {}
        self._sending = asyncio.Lock()
        self._moved = asyncio.Condition()
        self._pump: asyncio.Task[None] | None = None
        self._started_us = 0
        self._started_s = 0.0

    async def start(self, rest_port: int = 0, ws_port: int = 0) -> tuple[int, int]:
        """Listen; 0 picks a free port. Returns both ports. Raises `OSError` for a port taken."""
        self._started_us, self._started_s = self.exchange.now_us, time.monotonic()
        rest = await self._listen(self._http, rest_port)
        ws = rest if ws_port == rest_port != 0 else await self._listen(self._http, ws_port)
        self._pump = asyncio.create_task(self._run())
        return rest, ws

    async def serve(self, rest_port: int, ws_port: int, ready: Callable[[int, int], None]) -> None:
        """Listen until cancelled; `ready` is told the ports."""
        try:
            ready(*await self.start(rest_port, ws_port))
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        if self._pump:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
        for _, socket in list(self._sockets.values()):
            await socket.close()
        for runner in self._runners:
            await runner.cleanup()

    async def _listen(self, handler: Handler, port: int) -> int:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self.bind, port)
        await site.start()
        self._runners.append(runner)
        found = int(runner.addresses[0][1])
        self._ports.add(found)
        return found

    # ---- time

    def advance(self) -> None:
        """Let the exchange catch up with the wall clock."""
        if self.lockstep is None:
            passed_us = int((time.monotonic() - self._started_s) * 1_000_000 * self.speed)
            self.exchange.advance_us(self._started_us + passed_us)

    async def _run(self) -> None:
        while True:
            self.advance()
            await self._flush()
            await asyncio.sleep(self._idle_s())

    def _idle_s(self) -> float:
        """Until something is due; what is asked for meanwhile is answered and told at once."""
        if self.lockstep is not None:
            return _TICK_S
        due = [one.next_due_ms for one, _ in self._sockets.values()] + [self.exchange.next_due_ms()]
        soonest = min((one for one in due if one is not None), default=None)
        if soonest is None:
            return _REST_S
        return min(max((soonest - self.exchange.now_ms) / 1000 / self.speed, _TICK_S), _REST_S)

    async def _flush(self) -> None:
        """Send what is due on every socket."""
        async with self._sending:
            for connection, socket in list(self._sockets.values()):
                with suppress(ConnectionError, RuntimeError):
                    for text in connection.take():
                        await socket.send_str(text)
                    for _ in range(connection.take_pings()):
                        await socket.ping()
                if connection.closed and not socket.closed:
                    self._sockets.pop(connection.number, None)
                    transport = socket.get_extra_info("transport")
                    if connection.closed == 1006 and transport is not None:
                        transport.abort()
                    else:
                        asyncio.get_running_loop().create_task(_close(socket, connection.closed))

    # ---- requests

    async def _http(self, asked: web.Request) -> web.StreamResponse:
        if not self._knows_host(asked.headers.get("Host", "")):
            return web.Response(status=421, text="This address does not answer to that name.")
        if asked.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(asked)
        body = await asked.read()
        self.advance()
        request = Request(
            asked.method,
            asked.rel_url.raw_path,
            asked.rel_url.raw_query_string.encode(),
            body,
            {name.lower(): value for name, value in asked.headers.items()},
            asked.remote or "",
        )
        if request.path.startswith("/sim/"):
            response = await self._admin(request, asked.headers.get("Origin", ""))
        else:
            response = self.exchange.handle(request)
        await self._flush()
        if response is DOWN and asked.transport is not None:
            asked.transport.abort()
        if response.status <= 0:
            await asyncio.sleep(_NEVER_S)
        if response.delay_ms:
            await asyncio.sleep(response.delay_ms / 1000 / self.speed)
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def _admin(self, request: Request, origin: str) -> Response:
        if origin:
            return reply({"code": -1, "msg": "No page in a browser may use this."}, 403)
        if request.path == "/sim/barrier" and self.lockstep is not None:
            return await self._barrier(self.lockstep, request)
        return answer_admin(self.exchange, self.lockstep, request)

    async def _barrier(self, lockstep: Lockstep, request: Request) -> Response:
        """Answered when every client has sent its barrier and the market has moved."""
        client = str(msgspec.json.decode(request.body or b"{}", type=dict[str, str]).get("client", request.remote))
        wanted = lockstep.barrier(client)
        async with self._moved:
            self._moved.notify_all()
            await self._moved.wait_for(lambda: lockstep.phase.number >= wanted)
        return reply(msgspec.to_builtins(lockstep.phase))

    def _knows_host(self, host: str) -> bool:
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name:
            name, port = host, ""
        return name in self._hosts and (not port or (port.isdigit() and int(port) in self._ports))

    # ---- websockets

    async def _socket(self, asked: web.Request) -> web.StreamResponse:
        self.advance()
        try:
            connection = self.exchange.connect(
                asked.rel_url.raw_path, asked.rel_url.raw_query_string, asked.remote or ""
            )
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        socket = web.WebSocketResponse(autoping=False, autoclose=True, compress=False, timeout=0.2)
        await socket.prepare(asked)
        self._sockets[connection.number] = (connection, socket)
        try:
            async for message in socket:
                self.advance()
                if message.type is WSMsgType.TEXT:
                    connection.receive(str(message.data))
                elif message.type is WSMsgType.PING:
                    connection.ping()
                    if not connection.silent:
                        await socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    connection.pong()
                await self._flush()
        finally:
            self._sockets.pop(connection.number, None)
            connection.close(1000)
        return socket


async def _close(socket: web.WebSocketResponse, code: int) -> None:
    with suppress(ConnectionError, RuntimeError):
        await socket.close(code=code)
