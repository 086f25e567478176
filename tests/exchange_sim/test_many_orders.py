"""More orders than the matching has room for: the reference's 200 fit, and whatever price reaches acts."""

import pytest

from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange

FALL = (100_000.0, 100_000.0, 99_000.0, 99_000.0)
LOW = (99_000.0,) * 4


def client_ids(client: Client) -> set[str]:
    return {row["clientOrderId"] for row in client.call("GET", "openOrders", symbol="BTCUSDT")}


@pytest.mark.parametrize("apart", [15, 60])
def test_a_grid_of_limits_fills_as_price_comes_to_each(apart: int) -> None:
    """Orders come to the book as the market comes to them; what is not reached rests."""
    client = Client(exchange(FLAT, FALL, LOW, LOW), money=100_000)
    prices = [99_990 - apart * number for number in range(40)]
    for number, price in enumerate(reversed(prices)):
        placed = client.order("BUY", "LIMIT", price=price, quantity="0.002", newClientOrderId=f"g-{number}")
        assert placed["status"] == "NEW"
    assert len(client_ids(client)) == 40
    assert len(client.account.venue.open_orders("BTCUSDT")) == 16
    client.exchange.advance(START_MS + 3 * MINUTE_MS)
    reached = [price for price in prices if price > 99_000]
    trades = client.call("GET", "userTrades", symbol="BTCUSDT")
    assert sorted((float(row["price"]) for row in trades), reverse=True) == reached
    assert all(row["maker"] for row in trades)
    assert len(client_ids(client)) == 40 - len(reached)
    assert client.position() == f"{0.002 * len(reached):.3f}"


def test_a_stop_behind_a_full_book_acts_and_a_market_order_finds_room() -> None:
    client = Client(exchange(FLAT, FALL, LOW), money=100_000)
    for number in range(30):
        client.order("BUY", "LIMIT", price=97_000 - number, quantity="0.002", newClientOrderId=f"far-{number}")
    client.order("BUY", quantity="0.100")
    client.order("SELL", "STOP_MARKET", stopPrice="99500.0", closePosition="true", newClientOrderId="stop")
    assert client.position() == "0.100"
    assert len(client_ids(client)) == 31
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert client.position() == "0.000"
    assert len(client_ids(client)) == 30


def test_what_waits_is_cancelled_amended_and_told_like_any_other() -> None:
    client = Client(exchange(FLAT, FALL, LOW), money=100_000)
    for number in range(20):
        client.order("BUY", "LIMIT", price=98_000 - 10 * number, quantity="0.002", newClientOrderId=f"o-{number}")
    waiting = [one for one in client.account.open_orders() if one.parked]
    assert [one.client_id for one in waiting] == ["o-16", "o-17", "o-18", "o-19"]
    one = {"symbol": "BTCUSDT", "origClientOrderId": "o-19"}
    assert client.call("GET", "order", **one)["status"] == "NEW"
    assert client.call("DELETE", "order", **one)["status"] == "CANCELED"
    moved = client.call(
        "PUT", "order", symbol="BTCUSDT", side="BUY", origClientOrderId="o-18", quantity=1, price=99_900
    )
    assert moved["price"] == "99900.0"
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert client.position() == "1.000"
    assert len(client_ids(client)) == 18
    assert client.call("DELETE", "allOpenOrders", symbol="BTCUSDT")["code"] == "200"
    assert (client_ids(client), client.account.venue.open_orders("BTCUSDT")) == (set(), [])


def test_two_hundred_fit_and_no_more() -> None:
    client = Client(exchange(), money=100_000)
    for number in range(200):
        assert "code" not in client.order("BUY", "LIMIT", price=96_000 + number, quantity="0.001")
    assert client.order("BUY", "LIMIT", price=96_000, quantity="0.001")["code"] == -2025
