"""The exchange behind sockets: HTTP and websockets with eth-account's signatures, Host names, admin calls, barriers."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from eth_account import Account as Wallet
from eth_account.messages import encode_typed_data

from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Faults, Settings
from aister.exchange_sim.server import Server
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, USER, slices
from tests.sim.market import MONEY, instrument

KEY = "0x" + "11" * 32
MOVING = (100_000.0, 100_300.0, 99_900.0, 100_100.0)


def signed(nonce: int, **params: object) -> str:
    """A V3 payload signed by the throw-away key."""
    signer = Wallet.from_key(KEY).address
    text = urlencode({**{k: str(v) for k, v in params.items()}, "nonce": str(nonce), "user": USER, "signer": signer})
    types = {"Message": [{"name": "msg", "type": "string"}]}
    domain = {
        "name": "AsterSignTransaction",
        "version": "1",
        "chainId": 714,
        "verifyingContract": "0x" + "00" * 20,
    }
    made = Wallet.sign_message(encode_typed_data(domain, types, {"msg": text}), KEY)
    return f"{text}&signature={made.signature.hex()}"


def exchange(settings: Settings | None = None, *faults: Fault) -> Exchange:
    now = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
    feed = slices(FLAT, *[MOVING] * 20)
    shift = 0 if settings and settings.lockstep else now - START_MS
    made = Exchange({"BTCUSDT": instrument()}, feed, MINUTE_MS, settings, faults=Faults(faults), shift_ms=shift)
    signer = Wallet.from_key(KEY).address.lower()
    made.add_account(Credentials(user=USER, agents={signer: Agent(signer)}), 10_000 * MONEY)
    return made


def served(
    made: Exchange, story: Callable[[Server, aiohttp.ClientSession, str, str], Awaitable[None]], speed: float = 1.0
) -> None:
    async def run() -> None:
        server = Server(made, speed=speed)
        rest, ws = await server.start()
        async with aiohttp.ClientSession() as session:
            try:
                await asyncio.wait_for(
                    story(server, session, f"http://127.0.0.1:{rest}", f"ws://127.0.0.1:{ws}"), timeout=20
                )
            finally:
                await server.stop()

    asyncio.run(run())


async def read(response: aiohttp.ClientResponse) -> Any:
    return json.loads(await response.read())


def test_an_order_over_sockets_reaches_the_user_stream() -> None:
    made = exchange()

    async def story(server: Server, session: aiohttp.ClientSession, rest: str, ws: str) -> None:
        async def post(path: str, **params: object) -> Any:
            payload = signed(made.now_us + 1, **params)
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            return await read(await session.post(f"{rest}/fapi/v3/{path}", data=payload, headers=form))

        assert abs((await read(await session.get(f"{rest}/fapi/v3/time")))["serverTime"] - made.now_ms) < 1_000
        key = (await post("listenKey"))["listenKey"]
        async with session.ws_connect(f"{ws}/ws/{key}") as stream:
            placed = await post("order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
            assert placed["status"] == "NEW"
            told = [json.loads((await stream.receive()).data)["e"] for _ in range(3)]
            assert told == ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
            await stream.ping(b"x")
            assert (await post("noop"))["code"] == 200

    served(made, story)


def test_time_runs_at_the_speed_asked_for_and_streams_follow() -> None:
    made = exchange()

    async def story(server: Server, session: aiohttp.ClientSession, rest: str, ws: str) -> None:
        async with session.ws_connect(f"{ws}/stream?streams=btcusdt@kline_1m") as stream:
            started = made.now_ms
            frames = [json.loads((await stream.receive()).data) for _ in range(20)]
        assert {f["stream"] for f in frames} == {"btcusdt@kline_1m"}
        assert made.now_ms - started >= 60_000
        assert any(f["data"]["k"]["x"] for f in frames)

    served(made, story, speed=120.0)


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:{port}", True),
        ("localhost:{port}", True),
        ("[::1]:{port}", True),
        ("localhost", True),
        ("evil.example", False),
        ("evil.example:{port}", False),
        ("localhost.:{port}", False),
        ("localhost:1", False),
        ("", False),
    ],
)
def test_only_known_hosts_are_answered(host: str, known: bool) -> None:
    made = exchange()

    async def story(server: Server, session: aiohttp.ClientSession, rest: str, ws: str) -> None:
        for base in (rest, ws.replace("ws:", "http:")):
            port = base.rpartition(":")[2]
            for path in ("/sim/faults", "/fapi/v3/ping", "/ws/btcusdt@depth"):
                answer = await session.get(base + path, headers={"Host": host.format(port=port)})
                assert (answer.status == 421) is not known

    served(made, story)


def test_administrators_plan_faults_and_browsers_may_not() -> None:
    made = exchange()

    async def story(server: Server, session: aiohttp.ClientSession, rest: str, ws: str) -> None:
        plan = [{"kind": "request", "status": 503, "path": "ping", "count": 1}]
        assert await read(await session.post(f"{rest}/sim/faults", json=plan)) == {"faults": 1}
        assert (await session.get(f"{rest}/fapi/v3/ping")).status == 503
        assert (await session.get(f"{rest}/fapi/v3/ping")).status == 200
        assert (await read(await session.get(f"{rest}/sim/faults")))[0]["hits"] == 1
        assert (await session.post(f"{rest}/sim/faults", json=[{"kind": "gremlin"}])).status == 400
        page = {"Origin": rest}
        assert (await session.post(f"{rest}/sim/faults", json=plan, headers=page)).status == 403
        log = await read(await session.get(f"{rest}/sim/log"))
        assert [row["status"] for row in log] == [503, 200]
        assert [row["status"] for row in await read(await session.get(f"{rest}/sim/log?since=1"))] == [200]
        books = await read(await session.get(f"{rest}/sim/books"))
        assert books[0]["orders"] == []
        money = {"user": "0x" + "44" * 20, "agents": ["0x" + "55" * 20], "money": 5 * MONEY}
        assert await read(await session.post(f"{rest}/sim/accounts", json=money)) == {"account": 2}
        assert (await session.get(f"{rest}/sim/nothing")).status == 404

    served(made, story)


def test_no_answer_a_cut_and_a_half_open_socket() -> None:
    made = exchange()

    async def story(server: Server, session: aiohttp.ClientSession, rest: str, ws: str) -> None:
        made.faults.add(Fault("request", path="ping", status=0, count=1))
        with pytest.raises(TimeoutError):
            await session.get(f"{rest}/fapi/v3/ping", timeout=aiohttp.ClientTimeout(total=0.2))
        async with session.ws_connect(f"{ws}/ws/btcusdt@aggTrade") as stream:
            made.faults.add(Fault("cut", made.now_ms))
            message = await stream.receive(timeout=5)
            assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)
        async with session.ws_connect(f"{ws}/ws") as stream:
            made.faults.add(Fault("half_open", made.now_ms))
            await asyncio.sleep(0.05)
            await stream.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            with pytest.raises(TimeoutError):
                await stream.receive(timeout=0.3)

    served(made, story)


def test_barriers_over_http_hold_the_clock() -> None:
    made = exchange(Settings(lockstep=True))

    async def story(server: Server, session: aiohttp.ClientSession, rest: str, ws: str) -> None:
        for client in ("a", "b"):
            await session.post(f"{rest}/sim/attach", json={"client": client})

        async def barrier(client: str) -> Any:
            return await read(await session.post(f"{rest}/sim/barrier", json={"client": client}))

        early = asyncio.create_task(barrier("a"))
        await asyncio.sleep(0.1)
        assert not early.done()
        assert (await barrier("b"))["name"] == "open"
        assert (await early)["name"] == "open"
        assert [(await asyncio.gather(barrier("a"), barrier("b")))[0]["name"] for _ in range(3)] == [
            "rest",
            "close",
            "open",
        ]

    served(made, story)
