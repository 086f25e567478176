"""Brackets at the venue: what an entry drives, and what one exit does to the other."""

import json
from typing import Any

import pytest

from aister.exchange_sim import Readings, Settings
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange

LIMIT = {"side": "BUY", "type": "LIMIT", "quantity": "0.100", "price": "99950.0", "timeInForce": "GTC"}
STOP = {"side": "SELL", "type": "STOP_MARKET", "stopPrice": "99000.0", "closePosition": True, "clientOrderId": "stop"}
TARGET = {
    "side": "SELL",
    "type": "TAKE_PROFIT_MARKET",
    "stopPrice": "100500.0",
    "quantity": "0.100",
    "reduceOnly": "true",
    "clientOrderId": "target",
}
AFTER_ENTRY = {"firstDrivenId": "1", "firstDrivenOn": "PARTIALLY_FILLED_OR_FILLED", "firstTrigger": "PLACE_ORDER"}


def subs(*orders: dict[str, Any]) -> str:
    rows = [
        {"strategySubId": str(i), "securityType": "USDT_FUTURES", "symbol": "BTCUSDT", **order}
        for i, order in enumerate(orders, 1)
    ]
    return json.dumps(rows, separators=(",", ":"))


def other(place: int) -> dict[str, str]:
    return {
        "secondDrivenId": str(place),
        "secondDrivenOn": "PARTIALLY_FILLED_OR_FILLED",
        "secondTrigger": "CANCEL_ORDER",
    }


def test_an_entry_places_its_stop_and_target_as_it_fills_inside_the_bar_and_one_exit_cancels_the_other() -> None:
    client = Client(
        exchange(FLAT, (100_000.0, 100_000.0, 99_900.0, 99_950.0), (99_950.0, 100_600.0, 99_940.0, 100_600.0), FLAT)
    )
    orders = subs(LIMIT, {**STOP, **AFTER_ENTRY, **other(3)}, {**TARGET, **AFTER_ENTRY, **other(2)})
    made = client.call("POST", "placeStrategyOrder", strategyType="OTOCO", subOrderList=orders)
    assert made["strategyStatus"] == "WORKING"
    assert [o["type"] for o in client.call("GET", "openOrders", symbol="BTCUSDT")] == ["LIMIT"]
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert {o["clientOrderId"] for o in client.call("GET", "openOrders", symbol="BTCUSDT")} == {"stop", "target"}
    trade, stop = list(client.exchange.happenings)[2:4]
    assert (trade.what, stop.what, trade.time_ms) == ("TRADE", "NEW", stop.time_ms)
    client.exchange.advance(START_MS + 3 * MINUTE_MS)
    assert client.call("GET", "openOrders", symbol="BTCUSDT") == []
    assert client.position() == "0.000"
    shown = client.call("GET", "strategyOpenOrder", strategyId=made["strategyId"], strategyType="OTOCO")
    assert [sub["status"] for sub in shown["subOrders"]] == ["FILLED", "CANCELED", "FILLED"]
    assert shown["strategyStatus"] == "FINISHED"


@pytest.mark.parametrize("legs", [3, 15])
def test_what_is_driven_meets_the_market_where_the_entry_filled_however_long_the_legs(legs: int) -> None:
    fall = (100_600.0, 100_600.0, 98_950.0, 98_960.0)
    client = Client(exchange((100_600.0,) * 4, fall, FLAT, settings=Settings(legs=legs)))
    orders = subs(LIMIT, {**STOP, **AFTER_ENTRY, **other(3)}, {**TARGET, **AFTER_ENTRY, **other(2)})
    client.call("POST", "placeStrategyOrder", strategyType="OTOCO", subOrderList=orders)
    client.exchange.advance(START_MS + 2 * MINUTE_MS - 1)
    prices = [trade["price"] for trade in client.call("GET", "userTrades", symbol="BTCUSDT")]
    assert prices[0] == "99950.0"
    assert 98_900 < float(prices[1]) < 99_000
    assert (client.position(), client.call("GET", "openOrders", symbol="BTCUSDT")) == ("0.000", [])


def test_a_cancelled_entry_never_places_what_it_drives() -> None:
    client = Client(exchange())
    client.call("POST", "placeStrategyOrder", strategyType="OTO", subOrderList=subs(LIMIT, {**STOP, **AFTER_ENTRY}))
    client.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
    client.order("BUY")
    assert client.call("GET", "openOrders", symbol="BTCUSDT") == []


def test_what_waits_is_placed_as_it_was_told_last_a_working_limit_is_amended_and_the_rest_says_why_not() -> None:
    client = Client(exchange(FLAT, (100_000.0, 100_000.0, 99_800.0, 99_950.0), FLAT))
    made = client.call(
        "POST", "placeStrategyOrder", strategyType="OTO", subOrderList=subs(LIMIT, {**STOP, **AFTER_ENTRY})
    )
    named = {"strategyId": made["strategyId"], "strategyType": "OTO"}
    changed = subs({**LIMIT, "price": "99900.0", "quantity": "0.050"}, {**STOP, "stopPrice": "98500.0"})
    told = client.call("POST", "updateStrategyOrder", **named, subOrderList=changed)
    assert [(one["updatedSubOrder"], one["updateStatus"], one["failureCode"]) for one in told] == [
        (1, "SUCCESS", 0),
        (2, "SUCCESS", 0),
    ]
    (entry,) = client.call("GET", "openOrders", symbol="BTCUSDT")
    assert (entry["price"], entry["origQty"]) == ("99900.0", "0.050")
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    (stop,) = client.call("GET", "openOrders", symbol="BTCUSDT")
    assert (client.position(), stop["stopPrice"]) == ("0.050", "98500.0")
    rest = subs({**LIMIT, "side": "SELL"}, {**STOP, "stopPrice": "98000.0"}, LIMIT)
    told = client.call("POST", "updateStrategyOrder", **named, subOrderList=rest)
    assert [(one["updateStatus"], one["failureCode"]) for one in told] == [
        ("FAILED", -1102),
        ("FAILED", -2013),
        ("FAILED", -1102),
    ]
    assert client.call("GET", "openOrders", symbol="BTCUSDT") == [stop]
    assert (
        client.call("POST", "updateStrategyOrder", strategyId=9, strategyType="OTO", subOrderList="[]")["code"] == -2013
    )
    assert client.call("POST", "updateStrategyOrder", **named, subOrderList="{")["code"] == -1102
    strange = client.call("POST", "updateStrategyOrder", **named, subOrderList='[{"strategySubId":"x"}]')
    assert strange[0]["failureCode"] == -1102


def test_a_pair_that_cancels_each_other_is_placed_at_once() -> None:
    client = Client(exchange())
    client.order("BUY")
    pair = subs({**STOP, **other(2)}, {**TARGET, **other(1)})
    client.call("POST", "placeStrategyOrder", strategyType="OCO", subOrderList=pair)
    assert len(client.call("GET", "openOrders", symbol="BTCUSDT")) == 2


@pytest.mark.parametrize(
    ("kind", "orders"),
    [("OTO", subs(LIMIT)), ("OTOCO", subs(LIMIT, STOP)), ("XXX", subs(LIMIT, STOP)), ("OTO", "[{}]")],
)
def test_what_does_not_fit_is_refused(kind: str, orders: str) -> None:
    client = Client(exchange())
    assert client.call("POST", "placeStrategyOrder", strategyType=kind, subOrderList=orders)["code"] == -1102
    assert client.account.strategies == {}


def test_a_refused_entry_leaves_nothing_and_the_other_reading_takes_no_strategies() -> None:
    client = Client(exchange())
    bad = subs({**LIMIT, "price": "99950.01"}, {**STOP, **AFTER_ENTRY})
    assert client.call("POST", "placeStrategyOrder", strategyType="OTO", subOrderList=bad)["code"] == -1111
    assert client.call("GET", "openOrders", symbol="BTCUSDT") == []
    without = Client(exchange(settings=Settings(readings=Readings(strategy_orders=False))))
    good = subs(LIMIT, {**STOP, **AFTER_ENTRY})
    assert without.call("POST", "placeStrategyOrder", strategyType="OTO", subOrderList=good)["code"] == -1000
