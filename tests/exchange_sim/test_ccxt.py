"""A client nobody here wrote trades against the simulator: ccxt 4.5.84, unmodified, REST and websocket.

Set up as the reference's section 13 says: addresses replaced (the websocket one must hold "fstream"), agent mode, no
builder fee. What it sends and how it reads our replies is evidence that is not our own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro as ccxt_pro
import pytest
from eth_account import Account as Wallet

from aister.exchange_sim import Agent, Credentials, Exchange, Settings
from aister.exchange_sim.server import Server
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, USER, slices
from tests.sim.market import MONEY, instrument

KEY = "0x" + "11" * 32
SYMBOL = "BTC/USDT:USDT"
MOVING = (100_000.0, 100_300.0, 99_900.0, 100_100.0)

pytestmark = pytest.mark.filterwarnings("ignore")


def exchange() -> Exchange:
    now = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
    feed = slices(FLAT, *[MOVING] * 30)
    made = Exchange({"BTCUSDT": instrument()}, feed, MINUTE_MS, Settings(legs=60), shift_ms=now - START_MS)
    signer = Wallet.from_key(KEY).address.lower()
    made.add_account(Credentials(user=USER, agents={signer: Agent(signer)}), 10_000 * MONEY)
    return made


def client(rest: int, ws: int) -> Any:
    """ccxt in agent mode, its addresses pointing here."""
    base = f"http://127.0.0.1:{rest}"
    made = ccxt_pro.aster(
        {
            "privateKey": KEY,
            "walletAddress": USER,
            "enableRateLimit": False,
            "options": {
                "defaultType": "swap",
                "builderFee": False,
                "v3ChainId": 714,
                "signerAddress": Wallet.from_key(KEY).address,
                "cachedWalletAddress": USER,
            },
        }
    )
    made.options["privateKeyHashForCachedWalletAddress"] = made.hash(made.encode(KEY), "keccak", "hex")
    api = made.urls["api"]
    for name in ("fapiPublic", "fapiPrivate"):
        api[name] = f"{base}/fapi"
    for name in ("sapiPublic", "sapiPrivate"):
        api[name] = f"{base}/api"
    api["ws"]["public"]["swap"] = f"ws://127.0.0.1:{ws}/fstream/stream"
    api["ws"]["private"]["swap"] = f"ws://127.0.0.1:{ws}/fstream/ws"
    return made


def traded(story: Callable[[Any, Exchange], Awaitable[None]]) -> None:
    async def run() -> None:
        made = exchange()
        server = Server(made)
        ports = await server.start()
        foreign = client(*ports)
        try:
            await foreign.load_markets()
            await asyncio.wait_for(story(foreign, made), timeout=60)
        finally:
            await foreign.close()
            await server.stop()

    asyncio.run(run())


def test_it_trades_over_rest() -> None:
    async def story(foreign: Any, made: Exchange) -> None:
        assert foreign.markets[SYMBOL]["precision"]["price"] == pytest.approx(0.1)
        assert (await foreign.fetch_balance())["USDT"]["total"] == pytest.approx(10_000)
        await foreign.set_leverage(10, SYMBOL)
        await foreign.set_margin_mode("isolated", SYMBOL)
        bought = await foreign.create_order(SYMBOL, "market", "buy", 0.1)
        assert (await foreign.fetch_order(bought["id"], SYMBOL))["status"] == "closed"
        (position,) = await foreign.fetch_positions([SYMBOL])
        assert (position["contracts"], position["side"], position["marginMode"]) == (0.1, "long", "isolated")
        assert position["entryPrice"] == pytest.approx(100_005, abs=200)
        assert (await foreign.add_margin(SYMBOL, 25))["amount"] == 25
        (change,) = await foreign.fetch_margin_adjustment_history(SYMBOL)
        assert (change["amount"], change["type"]) == (25, "add")
        assert made.accounts[1].holding("BTCUSDT", 0).added == 25 * MONEY
        (trade,) = await foreign.fetch_my_trades(SYMBOL)
        assert trade["amount"] == 0.1
        assert trade["fee"]["cost"] == pytest.approx(3.5, abs=0.1)
        resting = await foreign.create_order(SYMBOL, "limit", "sell", 0.1, 102_000, {"reduceOnly": True})
        stop = await foreign.create_order(
            SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 98_000, "reduceOnly": True}
        )
        closing = await foreign.create_order(
            SYMBOL, "STOP_MARKET", "sell", None, None, {"stopPrice": 97_000, "closePosition": True}
        )
        shown = {o["id"]: o for o in await foreign.fetch_open_orders(SYMBOL)}
        assert set(shown) == {resting["id"], stop["id"], closing["id"]}
        assert shown[resting["id"]]["price"] == 102_000
        assert float(shown[stop["id"]]["stopPrice"]) == 98_000
        assert (await foreign.cancel_order(stop["id"], SYMBOL))["status"] == "canceled"
        await foreign.cancel_all_orders(SYMBOL)
        assert await foreign.fetch_open_orders(SYMBOL) == []
        await foreign.create_order(SYMBOL, "market", "sell", 0.1, None, {"reduceOnly": True})
        assert made.accounts[1].venue.position("BTCUSDT").steps == 0
        assert len(await foreign.fetch_orders(SYMBOL)) == 5
        assert {row["type"] for row in await foreign.fetch_ledger("USDT")} >= {"transfer", "commission"}
        assert (await foreign.fetch_leverage(SYMBOL))["longLeverage"] == 10
        await foreign.set_position_mode(True, SYMBOL)
        assert (await foreign.fetch_position_mode(SYMBOL))["hedged"] is True

    traded(story)


def test_it_reads_the_market_over_rest() -> None:
    async def story(foreign: Any, made: Exchange) -> None:
        assert len((await foreign.fetch_ohlcv(SYMBOL, "1m", limit=5))[0]) == 6
        book = await foreign.fetch_order_book(SYMBOL)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert (await foreign.fetch_ticker(SYMBOL))["last"] == pytest.approx(100_000, abs=400)
        assert (await foreign.fetch_funding_rate(SYMBOL))["markPrice"] == pytest.approx(100_000, abs=400)
        assert await foreign.fetch_time() == pytest.approx(made.now_ms, abs=2_000)

    traded(story)


def test_it_places_batches_and_is_told_what_is_wrong() -> None:
    async def story(foreign: Any, made: Exchange) -> None:
        asked = [
            {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": 99_000 - i} for i in range(3)
        ]
        placed = await foreign.create_orders(asked)
        assert len(placed) == 3
        await foreign.cancel_orders([order["id"] for order in placed[:2]], SYMBOL)
        (left,) = await foreign.fetch_open_orders(SYMBOL)
        assert left["id"] == placed[2]["id"]
        with pytest.raises(ccxt_pro.InsufficientFunds):
            await foreign.create_order(SYMBOL, "market", "buy", 9)
        with pytest.raises(ccxt_pro.OrderNotFound):
            await foreign.fetch_order("999999", SYMBOL)
        with pytest.raises(ccxt_pro.BaseError, match="-2021"):
            await foreign.create_order(SYMBOL, "market", "sell", 0.1, None, {"stopLossPrice": 150_000})

    traded(story)


def test_it_watches_the_market() -> None:
    async def story(foreign: Any, made: Exchange) -> None:
        trades, book, bars, best = await asyncio.gather(
            foreign.watch_trades(SYMBOL),
            foreign.watch_order_book(SYMBOL, 20),
            foreign.watch_ohlcv(SYMBOL, "1m"),
            foreign.watch_bids_asks([SYMBOL]),
        )
        assert trades[0]["price"] == pytest.approx(100_000, abs=400)
        assert book["bids"][0][0] < book["asks"][0][0]
        assert len(bars[-1]) == 6
        assert best[SYMBOL]["bid"] < best[SYMBOL]["ask"]
        assert (await foreign.watch_mark_price(SYMBOL, {"use1sFreq": True}))["markPrice"] > 0

    traded(story)


def test_it_watches_its_account() -> None:
    async def story(foreign: Any, made: Exchange) -> None:
        orders = asyncio.create_task(foreign.watch_orders(SYMBOL))
        mine = asyncio.create_task(foreign.watch_my_trades(SYMBOL))
        balance = asyncio.create_task(foreign.watch_balance())
        while not any(connection.account for connection in made.hub.connections.values()):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        await foreign.create_order(SYMBOL, "market", "buy", 0.1)
        assert (await orders)[-1]["symbol"] == SYMBOL
        (trade,) = await mine
        assert (trade["amount"], trade["side"]) == (0.1, "buy")
        held = asyncio.create_task(foreign.watch_positions([SYMBOL]))
        await asyncio.sleep(0.3)
        await foreign.create_order(SYMBOL, "market", "buy", 0.1)
        position = await held
        assert (position["side"], position["contracts"]) == ("long", 0.2)
        assert (await balance)["USDT"]["total"] == pytest.approx(9_993, abs=4)

    traded(story)
