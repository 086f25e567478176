"""Orders priced by the book, and self-trade prevention: what the newer parameters mean here."""

import pytest

from tests.exchange_sim.floor import Client, exchange


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
