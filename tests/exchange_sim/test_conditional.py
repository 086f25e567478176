"""Conditional orders on a market that runs by itself: triggers, trailing, limits behind a trigger, margin types."""

import pytest

from aister.exchange_sim import Settings
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange

UP = (100_000.0, 101_000.0, 100_000.0, 101_000.0)
BACK = (101_000.0, 101_000.0, 100_000.0, 100_000.0)


def run(client: Client, minutes: int) -> list[tuple[str, str, str]]:
    """(client id, status, executed) of every order after so many minutes."""
    client.exchange.advance(START_MS + minutes * MINUTE_MS)
    rows = client.call("GET", "allOrders", symbol="BTCUSDT")
    return [(row["clientOrderId"], row["status"], row["executedQty"]) for row in rows]


@pytest.mark.parametrize("legs", [3, 15, 60])
def test_a_trailing_stop_follows_the_path_up_and_fires_on_the_way_back(legs: int) -> None:
    client = Client(exchange(FLAT, UP, BACK, FLAT, settings=Settings(legs=legs)))
    client.order("BUY", newClientOrderId="in")
    client.order("SELL", "TRAILING_STOP_MARKET", callbackRate="0.5", reduceOnly="true", newClientOrderId="trail")
    assert run(client, 2)[1] == ("trail", "NEW", "0.000")
    assert run(client, 3)[1] == ("trail", "FILLED", "0.100")
    price = float(client.call("GET", "userTrades", symbol="BTCUSDT")[1]["price"])
    assert price == pytest.approx(101_000 * 0.995, rel=3e-4)


def test_a_stop_limit_and_a_take_profit_limit() -> None:
    client = Client(exchange(FLAT, UP, BACK, FLAT))
    client.order("BUY", "STOP", stopPrice="100500.0", price="100600.0", newClientOrderId="in")
    client.order("SELL", "TAKE_PROFIT", stopPrice="100900.0", price="100950.0", newClientOrderId="out")
    assert run(client, 2) == [("in", "FILLED", "0.100"), ("out", "FILLED", "0.100")]
    first, second = client.call("GET", "userTrades", symbol="BTCUSDT")
    assert float(first["price"]) <= 100_600
    assert (float(second["price"]) >= 100_950, client.position()) == (True, "0.000")


def test_a_take_profit_with_an_activated_trailing_stop_beside_it() -> None:
    client = Client(exchange(FLAT, UP, BACK, FLAT))
    client.order("BUY", newClientOrderId="in")
    client.order(
        "SELL", "TRAILING_STOP_MARKET", callbackRate="0.1", activationPrice="100800.0", newClientOrderId="trail"
    )
    client.order("SELL", "TAKE_PROFIT_MARKET", stopPrice="101500.0", closePosition="true", newClientOrderId="target")
    found = client.call("GET", "openOrders", symbol="BTCUSDT")[0]
    assert (found["activatePrice"], found["priceRate"]) == ("100800.0", "0.1")
    assert run(client, 3)[1:] == [("trail", "FILLED", "0.100"), ("target", "NEW", "0.000")]
    assert client.position() == "0.000"


def test_an_isolated_position_risks_its_own_margin_only() -> None:
    crash = (100_000.0, 100_000.0, 85_000.0, 85_000.0)
    ends = {}
    for kind in ("ISOLATED", "CROSSED"):
        client = Client(exchange(FLAT, crash, (85_000.0,) * 4))
        if kind == "ISOLATED":
            client.call("POST", "marginType", symbol="BTCUSDT", marginType=kind)
        client.call("POST", "leverage", symbol="BTCUSDT", leverage=20)
        client.order("BUY", quantity="0.250")
        client.exchange.advance(START_MS + 2 * MINUTE_MS)
        ends[kind] = (client.position(), float(client.call("GET", "balance")[0]["balance"]))
    assert ends["ISOLATED"][0] == "0.000"
    assert 10_000 - 1_250 - 400 < ends["ISOLATED"][1] < 10_000 - 1_000
    assert ends["CROSSED"] == ("0.250", pytest.approx(10_000, abs=10))
