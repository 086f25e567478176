"""Orders priced by the book, and self-trade prevention: what the newer parameters mean here."""

import pytest

from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange


@pytest.mark.parametrize(
    ("side", "peg", "offset", "price", "status"),
    [
        ("BUY", "COUNTERPARTY_1", "", "ask", "FILLED"),
        ("SELL", "COUNTERPARTY_1", "", "bid", "FILLED"),
        ("BUY", "QUEUE_1", "", "bid", "NEW"),
        ("SELL", "QUEUE_1", "", "ask", "NEW"),
        ("BUY", "QUEUE_1", "-100.0", "bid", "NEW"),
        ("SELL", "QUEUE_1", "100.0", "ask", "NEW"),
    ],
)
def test_a_pegged_limit_takes_its_price_from_the_book(
    side: str, peg: str, offset: str, price: str, status: str
) -> None:
    client = Client(exchange())
    book = client.public("ticker/bookTicker", symbol="BTCUSDT")
    given = {"pegOffset": offset} if offset else {}
    client.order(side, "LIMIT", pegPriceType=peg, newClientOrderId="peg", **given)
    made = client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="peg")
    assert float(made["price"]) == pytest.approx(float(book[f"{price}Price"]) + float(offset or 0))
    assert made["status"] == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"pegPriceType": "QUEUE_9"},
        {"pegPriceType": "QUEUE_1", "pegOffset": "1.0"},
        {"pegPriceType": "QUEUE_1", "type": "MARKET"},
        {"stpMode": "EXPIRE_NOBODY", "price": "99000.0"},
    ],
)
def test_what_the_parameters_do_not_know_is_refused(wrong: dict[str, str]) -> None:
    client = Client(exchange())
    kind = wrong.pop("type", "LIMIT")
    assert client.order("BUY", kind, **wrong)["code"] == -1130


def test_the_mode_of_self_trade_prevention_is_kept() -> None:
    client = Client(exchange())
    assert client.call("GET", "stpMode") == {"stpMode": "EXPIRE_TAKER"}
    assert client.call("POST", "stpMode", stpMode="EXPIRE_BOTH")["code"] == 200
    assert client.call("GET", "stpMode") == {"stpMode": "EXPIRE_BOTH"}
    assert client.call("POST", "stpMode", stpMode="NONE")["code"] == -1130
    assert client.order("BUY", stpMode="EXPIRE_MAKER")["status"] == "NEW"


FALL = (100_000.0, 100_000.0, 99_400.0, 99_400.0)


def chased(*prices: tuple[float, float, float, float], **given: str) -> Client:
    client = Client(exchange(*prices))
    asked = {"symbol": "BTCUSDT", "quantityUnit": "BASE", "quantity": "0.100", **given}
    client.told = client.call("POST", "chase", **asked)  # type: ignore[attr-defined]
    return client


def test_a_chase_follows_the_best_price_of_its_side_every_second() -> None:
    client = chased(FLAT, FALL, (99_400.0,) * 4, (99_400.0,) * 4, side="SELL", chaseOffset="2.0")
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    (order,) = client.call("GET", "openOrders", symbol="BTCUSDT")
    book = client.public("ticker/bookTicker", symbol="BTCUSDT")
    assert float(order["price"]) == pytest.approx(float(book["askPrice"]) + 2)
    assert (order["timeInForce"], order["origQty"]) == ("GTX", "0.100")
    client.call("DELETE", "order", symbol="BTCUSDT", orderId=order["orderId"])
    client.exchange.advance(START_MS + 2 * MINUTE_MS + 5_000)
    assert (client.account.chases, client.call("GET", "openOrders", symbol="BTCUSDT")) == ({}, [])


@pytest.mark.parametrize(
    ("most", "kind", "left"),
    [("500.0", "ABSOLUTE", 0), ("700.0", "ABSOLUTE", 1), ("0.5", "PERCENTAGE", 0), ("", "", 1)],
)
def test_a_chase_ends_where_it_is_told_to(most: str, kind: str, left: int) -> None:
    client = chased(FLAT, FALL, FLAT, side="SELL", maxChaseOffset=most, maxChaseOffsetType=kind)
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert len(client.call("GET", "openOrders", symbol="BTCUSDT")) == left


def test_a_chase_by_quote_quantity_and_what_is_refused() -> None:
    client = chased(FLAT, side="BUY", quantity="1000", quantityUnit="QUOTE")
    assert client.call("GET", "openOrders", symbol="BTCUSDT")[0]["origQty"] == "0.010"
    for given, code in (
        ({"side": "HOLD"}, -1117),
        ({"side": "BUY", "chaseOffsetType": "PERCENTAGE"}, -1020),
        ({"side": "BUY", "maxChaseOffsetType": "MILES"}, -1130),
        ({"side": "BUY", "quantity": ""}, -1102),
    ):
        assert chased(FLAT, **given).told["code"] == code  # type: ignore[attr-defined]
