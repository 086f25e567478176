"""From an order to a flat account over raw requests, and what the user stream tells of it."""

from aister.exchange_sim import Settings
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange, frames


def test_a_market_order_fills_at_once_and_the_reply_acknowledges() -> None:
    client = Client(exchange())
    stream = client.listen()
    placed = client.order("BUY", newClientOrderId="a-1")
    assert (placed["status"], placed["executedQty"]) == ("NEW", "0.000")
    assert client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1")["status"] == "FILLED"
    assert client.position() == "0.100"
    told = frames(stream)
    assert [t["e"] for t in told] == ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
    assert [told[0]["o"]["x"], told[2]["o"]["x"], told[2]["o"]["X"]] == ["NEW", "TRADE", "FILLED"]
    assert told[1]["a"]["P"][0]["pa"] == "0.100"


def test_result_tells_the_end_of_a_market_order() -> None:
    client = Client(exchange())
    placed = client.order("BUY", newOrderRespType="RESULT")
    assert (placed["status"], placed["executedQty"], placed["avgPrice"]) == ("FILLED", "0.100", "100005.00000000")


def test_a_limit_rests_until_price_trades_through_it() -> None:
    client = Client(exchange(FLAT, (100_000.0, 100_000.0, 99_900.0, 99_950.0), FLAT))
    client.order("BUY", "LIMIT", price="99950.0", newClientOrderId="a-1")
    client.exchange.advance(START_MS + MINUTE_MS)
    assert client.call("GET", "openOrder", symbol="BTCUSDT", origClientOrderId="a-1")["status"] == "NEW"
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    done = client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1")
    assert (done["status"], done["avgPrice"]) == ("FILLED", "99950.00000000")
    (trade,) = client.call("GET", "userTrades", symbol="BTCUSDT")
    assert (trade["maker"], trade["price"], trade["commission"]) == (True, "99950.0", "0.99950000")


def test_a_close_position_stop_closes_whatever_there_is() -> None:
    client = Client(exchange(FLAT, (100_000.0, 100_000.0, 98_000.0, 98_500.0), FLAT))
    client.order("SELL", "STOP_MARKET", stopPrice="99000.0", closePosition="true", newClientOrderId="s-1")
    client.order("BUY", quantity="0.100")
    client.order("BUY", quantity="0.050")
    stream = client.listen()
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert client.position() == "0.000"
    stop = client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="s-1")
    assert (stop["status"], stop["executedQty"], stop["origType"]) == ("FILLED", "0.150", "STOP_MARKET")
    updates = [t["o"] for t in frames(stream) if t["e"] == "ORDER_TRADE_UPDATE"]
    assert [(u["x"], u["o"], u["ot"], u["cp"]) for u in updates] == [("TRADE", "MARKET", "STOP_MARKET", True)]


def test_the_wallet_is_what_income_adds_up_to() -> None:
    client = Client(exchange(FLAT, (100_000.0, 101_000.0, 99_000.0, 100_500.0), FLAT))
    client.order("BUY")
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    client.order("SELL", quantity="0.030")
    client.order("SELL", quantity="0.170")
    client.order("BUY", quantity="0.100")
    rows = client.call("GET", "income", limit=1000)
    assert sum(round(float(row["income"]) * 1e8) for row in rows) == client.account.venue.wallet
    assert client.account.holding("BTCUSDT", 0).steps == client.account.venue.position("BTCUSDT").steps == 0
    assert client.call("GET", "balance")[0]["balance"] == f"{client.account.venue.wallet / 1e8:.8f}"


def test_cancel_and_cancel_all_take_stops_too() -> None:
    client = Client(exchange())
    client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a-1")
    client.order("SELL", "STOP_MARKET", stopPrice="98000.0", closePosition="true", newClientOrderId="s-1")
    assert client.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="a-1")["status"] == "CANCELED"
    assert client.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="a-1")["code"] == -2011
    assert client.call("DELETE", "allOpenOrders", symbol="BTCUSDT")["code"] == "200"
    assert client.call("GET", "openOrders", symbol="BTCUSDT") == []


def test_time_in_force() -> None:
    client = Client(exchange())
    for tif, price, status in (
        ("IOC", "100100.0", "FILLED"),
        ("IOC", "99999.0", "EXPIRED"),
        ("FOK", "100100.0", "FILLED"),
        ("FOK", "99999.0", "EXPIRED"),
        ("GTX", "99999.0", "NEW"),
        ("GTX", "100100.0", "EXPIRED"),
        ("HIDDEN", "99999.0", "NEW"),
    ):
        name = f"{tif}-{status}"
        client.order("BUY", "LIMIT", price=price, timeInForce=tif, newClientOrderId=name, quantity="0.010")
        found = client.call("GET", "order", symbol="BTCUSDT", origClientOrderId=name)
        assert (tif, found["status"]) == (tif, status)


def test_a_client_id_is_unique_among_open_orders_only() -> None:
    client = Client(exchange())
    first = client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")
    assert client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")["code"] == -4015
    client.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="a")
    second = client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")
    assert second["orderId"] > first["orderId"]
    assert client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="a")["orderId"] == second["orderId"]


def test_a_reduction_larger_than_the_position_closes_it_and_no_more() -> None:
    client = Client(exchange())
    client.order("BUY", quantity="0.050")
    client.order("SELL", quantity="0.200", reduceOnly="true", newClientOrderId="out")
    done = client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="out")
    assert (done["status"], done["executedQty"], done["origQty"]) == ("FILLED", "0.050", "0.050")
    assert client.position() == "0.000"


def test_what_is_remembered_for_judges_has_an_end() -> None:
    client = Client(exchange(settings=Settings(kept=5)))
    for _ in range(4):
        client.order("BUY", quantity="0.010")
    assert (len(client.exchange.log), client.exchange.asked) == (4, 4)
    assert (len(client.exchange.happenings), client.exchange.told) == (5, 9)


def test_hedged_legs() -> None:
    client = Client(exchange())
    assert client.order("BUY", positionSide="LONG")["code"] == -4061
    assert client.call("POST", "positionSide/dual", dualSidePosition="true")["code"] == 200
    assert client.order("BUY")["code"] == -4061
    client.order("BUY", positionSide="LONG")
    client.order("SELL", positionSide="SHORT", quantity="0.050")
    rows = client.call("GET", "positionRisk", symbol="BTCUSDT")
    assert [(row["positionSide"], row["positionAmt"]) for row in rows] == [("LONG", "0.100"), ("SHORT", "-0.050")]
    assert client.call("POST", "positionSide/dual", dualSidePosition="false")["code"] == -4068


def test_an_amendment_moves_the_order_and_a_failed_one_leaves_it() -> None:
    client = Client(exchange())
    placed = client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")
    one = {"symbol": "BTCUSDT", "side": "BUY", "orderId": placed["orderId"]}
    assert client.call("PUT", "order", **one, quantity="0.2", price="99500.0")["price"] == "99500.0"
    assert client.call("PUT", "order", **one, quantity="0.2", price="99500.05")["code"] == -1111
    kept = client.call("GET", "order", symbol="BTCUSDT", origClientOrderId="a")
    assert (kept["price"], kept["origQty"], kept["status"]) == ("99500.0", "0.200", "NEW")
    assert len(client.account.venue.open_orders("BTCUSDT")) == 1
