"""Whatever arrives is answered: any bytes on any path, any value of any parameter, any text on a socket."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.exchange_sim import Request
from aister.exchange_sim.routes import ROUTES
from tests.exchange_sim.floor import Client, exchange, frames

CLIENT = Client(exchange())
SOUND = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.01",
    "price": "99000",
    "stopPrice": "101000.0",
    "timeInForce": "GTC",
    "callbackRate": "1",
    "limit": "10",
    "orderIdList": "[1]",
    "batchOrders": '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.01"}]',
    "subOrderList": "[{},{}]",
    "strategyType": "OTO",
    "leverage": "5",
    "marginType": "CROSSED",
    "dualSidePosition": "false",
    "countdownTime": "1000",
    "interval": "1m",
    "incomeType": "COMMISSION",
    "multiAssetsMargin": "false",
}
MORE = ("closePosition", "reduceOnly", "positionSide", "activationPrice", "newClientOrderId", "orderId")
MORE += (
    "origClientOrderId",
    "startTime",
    "endTime",
    "fromId",
    "nonce",
    "newOrderRespType",
    "workingType",
    "strategyId",
)
ODD = (
    "BUY",
    "SELL",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TRAILING_STOP_MARKET",
    "GTX",
    "IOC",
    "FOK",
    "true",
)
ODD += (
    "0",
    "1",
    "-1",
    "0.1",
    "100000",
    "9" * 38,
    "0." + "0" * 17 + "1",
    "1e5",
    "NaN",
    "[]",
    "['x']",
    '["x"]',
    "[null]",
)
ODD += ("LONG", "BOTH", "ISOLATED", "OCO", "9223372036854775807", "-9223372036854775809", "999999999", "RESULT")
PLAUSIBLE = st.sampled_from(ODD)
VALUES = st.one_of(PLAUSIBLE, st.text(max_size=12), st.integers().map(str))


def expect_answered(route: tuple[str, str], params: dict[str, str]) -> None:
    nonce = params.pop("nonce", "")
    request = CLIENT.request(*route, **params)
    if nonce:
        request = Request(request.method, request.path, request.query, request.body + f"&nonce={nonce}".encode())
    answer = CLIENT.exchange.handle(request)
    assert answer.status in (200, 400, 401, 404, 429, 418)
    told: Any = json.loads(answer.body)
    assert answer.status == 200 or told["code"] < 0
    CLIENT.exchange.gate.meter.weights.clear()
    CLIENT.exchange.gate.meter.orders.clear()


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_one_odd_value_gets_an_answer(route: tuple[str, str]) -> None:
    reading = ("symbol", "limit", "interval", "incomeType", "startTime", "endTime", "fromId", "orderId", "nonce")
    for name in reading if route[0] == "GET" else (*SOUND, *MORE):
        for value in ODD:
            expect_answered(route, SOUND | {name: value})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(st.sampled_from((*SOUND, *MORE)), VALUES, max_size=4))
def test_any_parameters_get_an_answer(route: tuple[str, str], params: dict[str, str]) -> None:
    expect_answered(route, SOUND | params)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH"]), st.text(max_size=30), st.binary(), st.binary())
def test_any_bytes_get_an_answer(method: str, path: str, query: bytes, body: bytes) -> None:
    for where in (path, "/fapi/v3/order", "/fapi/v1/order"):
        headers = {"x-mbx-apikey": CLIENT.account.credentials.api_key}
        answer = CLIENT.exchange.handle(Request(method, where, query, body, headers))
        assert answer.status in (400, 401, 404, 429, 418)
    CLIENT.exchange.gate.meter.weights.clear()


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=40), st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3)).map(json.dumps)))
def test_any_frame_gets_an_answer(text: str) -> None:
    wire = CLIENT.exchange.connect("/ws")
    for frame in (text, json.dumps({"method": "SUBSCRIBE", "params": text, "id": text})):
        wire.receive(frame)
    for method in ("SUBSCRIBE", "UNSUBSCRIBE", "SET_PROPERTY", "GET_PROPERTY"):
        wire.receive(json.dumps({"method": method, "params": text}))
    assert len(frames(wire)) == 6
    wire.close(1000)
