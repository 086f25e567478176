"""The wire over real sockets: bytes as signed, sent once, and every way to lose an answer told apart."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import WSMsgType, web

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.sockets import SocketFrames, SocketWire
from aister.adapters.exchanges.aster.wire import Lost, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-MBX-USED-WEIGHT-1M: 3\r\nContent-Length: 2\r\n\r\n{}"
Script = list[bytes | None]


class RawServer:
    """Answers each request with the next of its script, None = hang up without a word; keeps what it read."""

    def __init__(self, script: Script, hold: bool = False) -> None:
        self.script = script
        self.hold = hold
        self.read: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                self.read.append(head + await reader.readexactly(length))
                if self.hold:
                    await asyncio.sleep(30)
                answer = self.script.pop(0) if self.script else OK
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if answer != OK:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def with_server(server: RawServer, ask: Callable[[SocketWire], Awaitable[object]]) -> object:
    async def run() -> object:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        wire = SocketWire(net("simulator", f"http://127.0.0.1:{server.port}", f"ws://127.0.0.1:{server.port}"))
        try:
            return await ask(wire)
        finally:
            await wire.close()
            listening.close()
            await asyncio.sleep(0)

    return asyncio.run(run())


async def order(wire: SocketWire) -> Reply | Lost:
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    return await wire.request("POST", "/fapi/v3/order", b"", b"a=1%3A2&signature=0xAb", form, 1000)


def test_bytes_travel_as_they_were_signed() -> None:
    server = RawServer([OK, OK, OK])

    async def ask(wire: SocketWire) -> list[Reply | Lost]:
        posted = await order(wire)
        read = await wire.request("GET", "/fapi/v3/order", b"symbol=X&id=a%2Fb%28&signature=0x1B", b"", (), 1000)
        dropped = await wire.request("DELETE", "/fapi/v3/order", b"", b"symbol=X&signature=0x2C", (), 1000)
        return [posted, read, dropped]

    told = with_server(server, ask)
    assert isinstance(told, list) and all(isinstance(one, Reply) and one.status == 200 for one in told)
    assert told[0].headers["x-mbx-used-weight-1m"] == "3"
    posted, read, dropped = server.read
    assert posted.startswith(b"POST /fapi/v3/order HTTP/1.1\r\n") and posted.endswith(b"\r\n\r\na=1%3A2&signature=0xAb")
    assert b"application/x-www-form-urlencoded" in posted
    assert read.startswith(b"GET /fapi/v3/order?symbol=X&id=a%2Fb%28&signature=0x1B HTTP/1.1\r\n")
    assert dropped.endswith(b"symbol=X&signature=0x2C")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "GET"])
def test_a_connection_that_dies_before_the_answer_is_not_tried_again(method: str) -> None:
    server = RawServer([OK, None, OK, OK])

    async def ask(wire: SocketWire) -> tuple[object, object]:
        first = await wire.request(method, "/x", b"", b"n=1", (), 1000)
        return first, await wire.request(method, "/x", b"", b"n=2", (), 1000)

    told = with_server(server, ask)
    assert isinstance(told, tuple)
    assert isinstance(told[0], Reply) and isinstance(told[1], Lost) and told[1].written
    assert len(server.read) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    ],
)
def test_broken_answers_are_lost_after_the_request_left(answer: bytes) -> None:
    told = with_server(RawServer([answer]), order)
    assert isinstance(told, Lost) and told.written


def test_silence_ends_at_the_timeout() -> None:
    server = RawServer([], hold=True)

    async def ask(wire: SocketWire) -> object:
        return await wire.request("POST", "/x", b"", b"n=1", (), 150)

    told = with_server(server, ask)
    assert isinstance(told, Lost) and told.written and "150 ms" in told.why


def test_nobody_listening_means_nothing_left() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def run() -> Reply | Lost:
            wire = SocketWire(net("simulator", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"))
            try:
                assert isinstance(await wire.connect("/ws/x", 500), Lost)
                return await order(wire)
            finally:
                await wire.close()

        told = asyncio.run(run())
    assert isinstance(told, Lost) and not told.written and "check the network" in told.why


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    server = RawServer([b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:9/steal\r\nContent-Length: 0\r\n\r\n"])
    told = with_server(server, order)
    assert isinstance(told, Reply) and told.status == 307 and len(server.read) == 1


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aister.adapters.exchanges.aster.sockets._LARGEST_BODY", 1000)
    body = b"x" * 5000
    told = with_server(RawServer([b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body]), order)
    assert isinstance(told, Lost) and told.written and "too large" in told.why


def test_frames_come_in_order_and_a_closed_stream_says_so() -> None:
    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket_ = web.WebSocketResponse()
        await socket_.prepare(request)
        for index in range(500):
            await socket_.send_str(f'{{"n":{index}}}')
        message = await socket_.receive()
        assert message.type is WSMsgType.TEXT
        await socket_.send_str(message.data)
        await socket_.close()
        return socket_

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/ws/x", stream)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        wire = SocketWire(net("simulator", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"))
        try:
            frames = await wire.connect("/ws/x", 1000)
            assert isinstance(frames, SocketFrames)
            assert [await frames.receive(1000) for _ in range(500)] == [b'{"n":%d}' % n for n in range(500)]
            assert await frames.receive(50) == b""
            assert await frames.send(b'{"id":1}')
            assert await frames.receive(1000) == b'{"id":1}'
            assert await frames.receive(1000) is None
            await frames.close()
            assert not await frames.send(b"late")
        finally:
            await wire.close()
            await runner.cleanup()

    asyncio.run(run())
