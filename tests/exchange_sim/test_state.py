"""Stopped and started from its file, the exchange goes on exactly as one that never stopped."""

import pytest

from aister.core.errors import UsageError
from aister.exchange_sim import Exchange, Fault, Settings
from aister.exchange_sim.state import load, save
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange, slices, verify
from tests.sim.market import instrument

PRICES = (FLAT, (100_000.0, 100_400.0, 98_700.0, 100_100.0), (100_100.0, 101_000.0, 99_500.0, 100_900.0), FLAT)
SYMBOLS = ("BTCUSDT", "ETHUSDT")


def begun() -> Client:
    """Half-way through the second bar: a position, working orders, a bracket, a countdown, an order still to land."""
    client = Client(exchange(*PRICES, symbols=SYMBOLS))
    client.order("BUY", quantity="0.050", newClientOrderId="in")
    client.order("SELL", "STOP_MARKET", stopPrice="98800.0", closePosition="true", newClientOrderId="stop")
    client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="rests")
    client.order("SELL", symbol="ETHUSDT")
    client.call("POST", "countdownCancelAll", symbol="ETHUSDT", countdownTime=90_000)
    client.call("POST", "leverage", symbol="ETHUSDT", leverage=7)
    client.exchange.advance(START_MS + 61_000)
    client.exchange.faults.add(Fault("request", method="POST", path="order", outcome="late", ms=20_000, count=1))
    client.order("BUY", quantity="0.020", newClientOrderId="late")
    return client


def reloaded(kept: bytes, settings: Settings | None = None, data_hash: str = "feed") -> Exchange:
    listed = {symbol: instrument(symbol) for symbol in SYMBOLS}
    feed = slices(*PRICES, symbols=SYMBOLS)
    return load(kept, data_hash, listed, feed, MINUTE_MS, settings or Settings(), verify=verify)


def told(client: Client) -> object:
    """Everything the account's calls tell, but for the time asked."""
    answers = []
    for symbol in SYMBOLS:
        for name in ("openOrders", "allOrders", "userTrades", "positionRisk"):
            answers.append(client.call("GET", name, symbol=symbol))
        answers.append(client.public("klines", symbol=symbol, interval="1m"))
    answers.append(client.call("GET", "income", limit=1000))
    return answers


def test_it_goes_on_as_if_it_had_never_stopped() -> None:
    first = begun()
    kept = save(first.exchange, "feed")
    made = reloaded(kept)
    second = Client.__new__(Client)
    second.__dict__.update(first.__dict__, exchange=made, account=made.accounts[1])
    assert told(second) == told(first)
    for client in (first, second):
        client.exchange.advance(START_MS + 4 * MINUTE_MS)
    assert told(second) == told(first)
    assert len(first.account.trades) >= 5
    assert first.account.venue.account() == second.account.venue.account()
    again = second.request("GET", "openOrders", first.nonce)
    assert second.send(again)["code"] == -4225


def test_another_feed_other_settings_or_another_file_are_refused() -> None:
    kept = save(begun().exchange, "feed")
    for wrong in (lambda: reloaded(kept, Settings(legs=3)), lambda: reloaded(kept, data_hash="other")):
        with pytest.raises(UsageError, match="another feed"):
            wrong()
    with pytest.raises(UsageError, match="cannot be read"):
        reloaded(kept[:-5])
