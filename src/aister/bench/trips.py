"""One client against `aister.bench.answering`, in a process of its own: prints microseconds of every call as JSON.

python -m aister.bench.trips ours|ping|ccxt|burst PORT COUNT
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.frames import TopFrame, market_frame
from aister.adapters.exchanges.aster.governor import Governor
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.messages import RateLimit
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import Agent
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.app.simulator import TEST_AGENT, TEST_KEY, TEST_USER, event_loop
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.exchange import Placed
from aister.ports.signer import Call, Signed

__all__ = ["InProcess"]

_WARM = 30
_TIMEOUT_MS = 10_000
_ENDLESS = (RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 10**9), RateLimit("ORDERS", "MINUTE", 1, 10**9))
_MARK_E8 = 94_000 * 10**8


class InProcess:
    """A signer in this process, with a key in print."""

    def __init__(self) -> None:
        self._agent = Agent(bytes.fromhex(TEST_KEY[2:]), TEST_USER, 714)
        self.address, self._last = self._agent.address, 0

    def sign(self, call: Call) -> Signed:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._agent.sign(call.params, call.nonce_us or self._last)


async def _timed(count: int, call: Callable[[], Awaitable[object]]) -> list[float]:
    taken = []
    for number in range(-_WARM, count):
        began = time.perf_counter_ns()
        await call()
        if number >= 0:
            taken.append((time.perf_counter_ns() - began) / 1000)
    return taken


async def _ours(port: int, count: int) -> list[float]:
    """The whole client: filters, rate limits, signature, request, typed reply."""
    wire = SocketWire(net("simulator", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"))
    rest = Rest(wire, WallClock(), InProcess(), governor=Governor(_ENDLESS), timeout_ms=_TIMEOUT_MS)
    account = AsterAccount(rest, ("BTCUSDT",), source="simulator")
    await account.server_time()
    if not isinstance(listed := await account.instruments(), dict):
        raise RuntimeError(f"the contracts could not be read: {listed}")
    rest.governor = Governor(_ENDLESS)
    number = 0

    async def place() -> None:
        nonlocal number
        number += 1
        account.told_mark("BTCUSDT", _MARK_E8)
        order = Order(
            f"b-{number}", "i", "BTCUSDT", Side.BUY, OrderType.LIMIT, Purpose.ENTRY, 1, 900_000, 0, False, False
        )
        answer = await account.place(order)
        if not isinstance(answer, Placed):
            raise RuntimeError(f"the order was not placed: {answer}")

    try:
        return await _timed(count, place)
    finally:
        await wire.close()


async def _ping(port: int, count: int) -> list[float]:
    """The floor: the same library asks for nothing."""
    import aiohttp  # noqa: PLC0415 - only this client needs it itself

    async with aiohttp.ClientSession() as session:

        async def ping() -> None:
            async with session.get(f"http://127.0.0.1:{port}/fapi/v3/ping") as answer:
                await answer.read()

        return await _timed(count, ping)


async def _ccxt(port: int, count: int) -> list[float]:
    """ccxt, told where the venue is and nothing else."""
    import ccxt.async_support as ccxt  # noqa: PLC0415 - where it is installed

    client: Any = ccxt.aster(
        {
            "privateKey": TEST_KEY,
            "walletAddress": TEST_USER,
            "enableRateLimit": False,
            "options": {
                "defaultType": "swap",
                "builderFee": False,
                "v3ChainId": 714,
                "signerAddress": TEST_AGENT,
                "cachedWalletAddress": TEST_USER,
            },
        }
    )
    client.options["privateKeyHashForCachedWalletAddress"] = client.hash(client.encode(TEST_KEY), "keccak", "hex")
    for name, room in (("fapiPublic", "fapi"), ("fapiPrivate", "fapi"), ("sapiPublic", "api"), ("sapiPrivate", "api")):
        client.urls["api"][name] = f"http://127.0.0.1:{port}/{room}"
    try:
        await client.load_markets()
        return await _timed(count, lambda: client.create_order("BTC/USDT:USDT", "limit", "buy", 0.001, 90_000))
    finally:
        await client.close()


async def _burst(port: int, count: int) -> dict[str, float]:
    """Every frame of a burst, decoded; numbers that are missing are lost."""
    wire = SocketWire(net("simulator", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"))
    frames = await wire.connect(f"/ws/burst/{count}", _TIMEOUT_MS)
    seen = last = 0
    began, spent = time.perf_counter(), time.process_time()
    while raw := await frames.receive(_TIMEOUT_MS):  # type: ignore[union-attr]
        found = market_frame(raw)
        assert found is not None and isinstance(found.data, TopFrame)
        seen += found.data.update == last + 1
        last = found.data.update
    took, cpu = time.perf_counter() - began, time.process_time() - spent
    await wire.close()
    return {"in_order": seen, "wall_s": took, "cpu_s": cpu}


_CLIENTS: dict[str, Callable[[int, int], Awaitable[object]]] = {
    "ours": _ours,
    "ping": _ping,
    "ccxt": _ccxt,
    "burst": _burst,
}


def _main() -> None:
    client, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        print(json.dumps(msgspec.to_builtins(runner.run(_waited(_CLIENTS[client](port, count))))))


async def _waited(found: Awaitable[object]) -> object:
    return await found


if __name__ == "__main__":
    _main()
