"""A venue in a process of its own that answers at once: what is measured against it is the client.

Orders get one fixed reply without a look at them, pings an empty one, everything else (exchangeInfo, time) comes from
the simulator; a websocket at /ws/burst/N sends N frames as fast as they are taken. Prints its port, ends with its
parent.
"""

import asyncio
import sys
import time

from aiohttp import web

from aister.adapters.feeds.recorded import open_feed
from aister.app.simulator import TEST_AGENT, TEST_USER
from aister.core.money import UNIT
from aister.exchange_sim import Agent, Credentials, Exchange, Request, Settings

__all__ = ["BURST", "burst_frame"]

BURST = 100_000
_ORDER = (
    b'{"clientOrderId":"bench","cumQty":"0","cumQuote":"0","executedQty":"0","orderId":22542179,"avgPrice":"0.00000",'
    b'"origQty":"0.001","price":"90000.0","reduceOnly":false,"side":"BUY","positionSide":"BOTH","status":"NEW",'
    b'"stopPrice":"0","closePosition":false,"symbol":"BTCUSDT","timeInForce":"GTC","type":"LIMIT","origType":"LIMIT",'
    b'"updateTime":1566818724722,"workingType":"CONTRACT_PRICE","priceProtect":false}'
)
_DAY_MS = 86_400_000


def burst_frame(number: int) -> str:
    """A best bid and ask, as a combined stream sends it; `u` counts."""
    return (
        f'{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{number},"s":"BTCUSDT","b":"94310.10",'
        f'"B":"1.204","a":"94310.20","A":"3.871","T":1746403200123,"E":1746403200130}}}}'
    )


def _exchange() -> Exchange:
    feed = open_feed("sample", symbols=("BTCUSDT",), start_ms=1_746_403_200_000, end_ms=1_746_403_200_000 + _DAY_MS)
    shift = _now_ms() // 60_000 * 60_000 - feed.span_ms[0]
    made = Exchange(feed.instruments, feed.slices(), feed.base_interval_ms, Settings(), shift_ms=shift)
    made.add_account(Credentials(TEST_USER, {TEST_AGENT.lower(): Agent(TEST_AGENT.lower())}), 10_000 * UNIT)
    return made


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _serve() -> None:
    exchange = _exchange()

    async def answer(asked: web.Request) -> web.StreamResponse:
        body = await asked.read()
        path = asked.rel_url.raw_path
        if asked.method == "POST" and path.endswith("/order"):
            return web.Response(body=_ORDER, content_type="application/json")
        if path.endswith("/ping"):
            return web.Response(body=b"{}", content_type="application/json")
        exchange.advance(_now_ms())
        query = asked.rel_url.raw_query_string.encode()
        told = exchange.handle(Request(asked.method, path, query, body))
        return web.Response(status=told.status, body=told.body, headers=told.headers)

    async def burst(asked: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(asked)
        for number in range(1, int(asked.match_info["count"]) + 1):
            await socket.send_str(burst_frame(number))
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/ws/burst/{count}", burst)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the parent closes it


if __name__ == "__main__":
    asyncio.run(_serve())
