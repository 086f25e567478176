"""Streams over real sockets: a burst without a loss, and a live feed from the simulator's server at 120 times speed."""

import asyncio
import base64
import hashlib
import time

from aister.adapters.exchanges.aster.frames import MarketFrame, TradeFrame
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.market import AsterMarket, Choice
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.adapters.exchanges.aster.stream import MarketStreams
from aister.exchange_sim import Exchange
from aister.exchange_sim.server import Server
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedEvent, FeedNews
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.sim.market import instrument

BURST = 100_000


def trade_frame(number: int) -> bytes:
    text = (
        b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":%d,"s":"BTCUSDT","a":%d,"p":"61800.20","q":"0.114",'
        b'"f":1,"l":1,"T":%d,"m":true}}' % (number, number, number)
    )
    return bytes((0x81, 126)) + len(text).to_bytes(2, "big") + text


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A websocket that sends the whole burst at once and then says nothing."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    writer.write(b"".join(map(trade_frame, range(BURST))))
    try:
        await reader.read()
    finally:
        writer.close()


def test_a_burst_of_100_000_frames_arrives_whole_and_in_order() -> None:
    async def scene() -> tuple[list[int], list[float]]:
        listening = await asyncio.start_server(pour, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        wire = SocketWire(net("simulator", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"))
        numbers: list[int] = []
        pauses: list[float] = []
        complete = asyncio.Event()

        def heard(frame: MarketFrame) -> None:
            assert isinstance(frame, TradeFrame)
            numbers.append(frame.number)
            if len(numbers) == BURST:
                complete.set()

        async def somebody_else() -> None:
            while True:
                before = time.process_time()
                await asyncio.sleep(0)
                pauses.append(time.process_time() - before)
                await asyncio.sleep(0.001)

        news: list[FeedNews] = []
        streams = MarketStreams(wire, WallClock(), ("btcusdt@aggTrade",), heard, news.append, now_ms=lambda: 0)
        running = [asyncio.ensure_future(streams.run()), asyncio.ensure_future(somebody_else())]
        await asyncio.wait_for(complete.wait(), 120)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await wire.close()
        listening.close()
        assert [one.event for one in news] == [FeedEvent.UP]
        return numbers, pauses

    numbers, pauses = asyncio.run(scene())
    assert numbers == list(range(BURST))
    assert len(pauses) > 20 and max(pauses) < 0.5  # nobody else was kept waiting


class Fast:
    """A clock that runs with the server's."""

    speed = 120.0

    def now_ms(self) -> int:
        return round(time.time() * 1000 * self.speed)

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1000 * self.speed

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000 / self.speed)


def test_a_live_feed_over_http_and_websockets() -> None:
    prices = [(100_000.0 + 10 * i, 100_040.0 + 10 * i, 99_980.0 + 10 * i, 100_010.0 + 10 * i) for i in range(90)]

    async def scene() -> None:
        listed = {"BTCUSDT": instrument()}
        exchange = Exchange(listed, slices(*prices), MINUTE_MS)
        server = Server(exchange, speed=Fast.speed)
        rest_port, ws_port = await server.start()
        wire = SocketWire(net("simulator", f"http://127.0.0.1:{rest_port}", f"ws://127.0.0.1:{ws_port}"))
        clock = Fast()
        rest = Rest(wire, clock, timeout_ms=60_000)
        assert isinstance(await rest.server_time(), int)
        news: list[FeedNews] = []
        market = AsterMarket(rest, wire, clock, listed, MINUTE_MS, news.append, Choice(best=True))
        running = asyncio.ensure_future(market.run())
        found: list[MarketSlice] = []
        async for one in market.feed.slices():
            found.append(one)
            if len(found) == 5:
                break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await server.stop()
        await wire.close()
        own = {bar.open_ms: bar for bar in exchange.market.tickers["BTCUSDT"].klines}
        price = instrument().price
        for market_slice in found:
            [bar] = market_slice.bars
            mine = own[bar.open_time_ms]
            assert (bar.open, bar.high, bar.low, bar.close) == tuple(
                map(price, (mine.open, mine.high, mine.low, mine.close))
            )
        times = [one.open_time_ms for one in found]
        assert times == list(range(times[0], times[0] + 5 * MINUTE_MS, MINUTE_MS))
        assert FeedEvent.UP in [one.event for one in news]

    asyncio.run(scene())
