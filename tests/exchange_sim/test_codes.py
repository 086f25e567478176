"""Each refusal by its code; readings marked [?] in every value; filters hold for any number."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.errors import SettingsError
from aister.exchange_sim import READINGS, Limits, Readings, Settings
from aister.exchange_sim.rules import CODES
from aister.sim import FillModel
from tests.exchange_sim.floor import Client, exchange


def code(client: Client, side: str = "BUY", kind: str = "MARKET", **params: object) -> int:
    """0 when the order is taken."""
    return int(client.order(side, kind, **params).get("code", 0))


CASES: list[tuple[int, str, str, dict[str, object]]] = [
    (-1102, "BUY", "MARKET", {"quantity": ""}),
    (-1102, "BUY", "LIMIT", {"quantity": "0.1"}),
    (-1102, "BUY", "LIMIT", {"price": "99000.0", "timeInForce": ""}),
    (-1102, "SELL", "STOP_MARKET", {"quantity": "0.1"}),
    (-1102, "SELL", "STOP_MARKET", {"quantity": "", "stopPrice": "99000.0"}),
    (-1100, "BUY", "MARKET", {"quantity": "1e-1"}),
    (-1111, "BUY", "MARKET", {"quantity": "0.1001"}),
    (-1111, "BUY", "LIMIT", {"price": "99000.01"}),
    (-1115, "BUY", "LIMIT", {"price": "99000.0", "timeInForce": "GTD"}),
    (-1116, "BUY", "OCO", {}),
    (-1117, "HOLD", "MARKET", {}),
    (-1121, "BUY", "MARKET", {"symbol": "NOPEUSDT"}),
    (-2007, "SELL", "TRAILING_STOP_MARKET", {"callbackRate": "5.1"}),
    (-2007, "SELL", "TRAILING_STOP_MARKET", {"callbackRate": "0.05"}),
    (-2019, "BUY", "MARKET", {"quantity": "5"}),
    (-2027, "BUY", "MARKET", {"quantity": "10"}),
    (-2021, "SELL", "STOP_MARKET", {"stopPrice": "100000.0", "closePosition": "true"}),
    (-2021, "BUY", "STOP_MARKET", {"stopPrice": "100000.0"}),
    (-2021, "SELL", "TAKE_PROFIT_MARKET", {"stopPrice": "100000.0", "closePosition": "true"}),
    (-2022, "SELL", "MARKET", {"reduceOnly": "true"}),
    (-4002, "SELL", "LIMIT", {"price": "1000000.1"}),
    (-4003, "BUY", "MARKET", {"quantity": "0"}),
    (-4003, "BUY", "MARKET", {"quantity": "-0.1"}),
    (-4005, "BUY", "MARKET", {"quantity": "120.001"}),
    (-4013, "BUY", "LIMIT", {"price": "0"}),
    (-4007, "BUY", "STOP_MARKET", {"stopPrice": "1000000.1"}),
    (-4015, "BUY", "MARKET", {"newClientOrderId": "x" * 37}),
    (-4015, "BUY", "MARKET", {"newClientOrderId": "a b"}),
    (-4016, "BUY", "LIMIT", {"price": "105000.1"}),
    (-4024, "SELL", "LIMIT", {"price": "94999.9"}),
    (-4061, "BUY", "MARKET", {"positionSide": "LONG"}),
    (-4137, "SELL", "STOP_MARKET", {"stopPrice": "99000.0", "closePosition": "true", "quantity": "0.1"}),
    (-4138, "SELL", "STOP_MARKET", {"stopPrice": "99000.0", "closePosition": "true", "reduceOnly": "true"}),
    (-4183, "BUY", "STOP", {"stopPrice": "101000.0", "price": "106050.1"}),
    (-4184, "SELL", "STOP", {"stopPrice": "99000.0", "price": "94049.9"}),
    (0, "BUY", "LIMIT", {"price": "105000.0"}),
    (0, "BUY", "STOP", {"stopPrice": "101000.0", "price": "106050.0"}),
    (0, "SELL", "STOP_MARKET", {"stopPrice": "99999.9", "closePosition": "True"}),
    (0, "BUY", "MARKET", {"strange": "ignored", "reduceOnly": "FALSE"}),
    (0, "SELL", "TRAILING_STOP_MARKET", {"callbackRate": "0.5", "activationPrice": "101000.0"}),
    (-2021, "SELL", "TRAILING_STOP_MARKET", {"callbackRate": "0.5", "activationPrice": "99000.0"}),
]


@pytest.mark.parametrize(("expected", "side", "kind", "params"), CASES)
def test_the_code_of(expected: int, side: str, kind: str, params: dict[str, object]) -> None:
    client = Client(exchange())
    assert code(client, side, kind, **params) == expected
    assert client.status == (200 if expected == 0 else 400)


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong in (Settings(legs=4), Settings(model=FillModel()), Settings(legs=0)):
        with pytest.raises(SettingsError):
            exchange(settings=wrong)


def test_every_code_says_where_it_is_read() -> None:
    assert all(rule.source.startswith(("aster-api", "Q28")) and rule.text for rule in CODES.values())


def test_coarse_grids_have_codes_of_their_own() -> None:
    client = Client(exchange(tick_e8=50_000_000, unit=50_000, min_steps=5, step_e8=100_000))
    assert code(client, "BUY", "LIMIT", price="99000.3") == -4014
    assert code(client, "BUY", quantity="0.004") == -4004
    assert code(client, "BUY", "LIMIT", price="99000.5") == 0


def test_notional_too_small_unless_it_reduces() -> None:
    client = Client(exchange(min_notional=200 * 10**8))
    assert code(client, quantity="0.001") == -4164
    assert code(client, quantity="0.002") == 0
    assert code(client, "SELL", quantity="0.001", reduceOnly="true") == 0


def test_status_and_freeze_let_reductions_through() -> None:
    for status, expected in (("PENDING_TRADING", -4140), ("CLOSE", -4141), ("SETTLING", -4141)):
        assert code(Client(exchange(status=status))) == expected
    client = Client(exchange())
    client.order("BUY")
    client.account.frozen = "for the test"
    assert code(client) == -4088
    assert code(client, "SELL", reduceOnly="true") == 0


def test_open_orders_are_counted() -> None:
    client = Client(exchange(max_orders=2))
    for number in range(2):
        assert code(client, "BUY", "LIMIT", price="99000.0", quantity="0.01", newClientOrderId=f"o{number}") == 0
    assert code(client, "BUY", "LIMIT", price="99000.0", quantity="0.01") == -2025


def test_no_op_successes_and_what_blocks_changes() -> None:
    client = Client(exchange())
    kind = {"symbol": "BTCUSDT", "marginType": "CROSSED"}
    assert client.call("POST", "marginType", **kind)["code"] == -4046
    assert client.call("POST", "positionSide/dual", dualSidePosition="false")["code"] == -4059
    client.order("BUY", "LIMIT", price="99000.0", newClientOrderId="o")
    assert client.call("POST", "marginType", **kind | {"marginType": "ISOLATED"})["code"] == -4047
    assert client.call("POST", "positionSide/dual", dualSidePosition="true")["code"] == -4067
    client.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
    client.order("BUY", quantity="0.01")
    assert client.call("POST", "marginType", **kind | {"marginType": "ISOLATED"})["code"] == -4048
    client.order("SELL", quantity="0.01")
    assert client.call("POST", "marginType", **kind | {"marginType": "ISOLATED"})["code"] == 200
    client.order("BUY", quantity="0.01")
    assert client.call("POST", "leverage", symbol="BTCUSDT", leverage=10)["code"] == -4161
    assert client.call("POST", "leverage", symbol="BTCUSDT", leverage=50)["leverage"] == 50
    assert client.call("POST", "leverage", symbol="BTCUSDT", leverage=126)["code"] == -4028
    row = client.call("GET", "positionRisk", symbol="BTCUSDT")[0]
    assert (row["marginType"], row["leverage"]) == ("isolated", "50")
    assert row["isolatedWallet"] == "20.00100000"
    client.call("POST", "multiAssetsMargin", multiAssetsMargin="true")
    assert client.call("POST", "marginType", **kind | {"marginType": "ISOLATED"})["code"] == -4168


def test_batches_say_per_item_what_became_of_them() -> None:
    client = Client(exchange())
    good = '{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01","price":"99000"}'
    bad = '{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":0}'
    rows = client.call("POST", "batchOrders", batchOrders=f"[{good},{bad},{good}]")
    assert [row.get("code", row.get("status")) for row in rows] == ["NEW", -4003, "NEW"]
    assert client.call("POST", "batchOrders", batchOrders=f"[{','.join([good] * 6)}]")["code"] == -4082
    ids = f'["{rows[0]["orderId"]}",{rows[2]["orderId"]},1]'
    gone = client.call("DELETE", "batchOrders", symbol="BTCUSDT", orderIdList=ids)
    assert [row.get("code", row.get("status")) for row in gone] == ["CANCELED", "CANCELED", -2011]


def _readings() -> list[tuple[str, object]]:
    return [(name, value) for name, values in READINGS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), _readings())
def test_a_round_trip_works_in_every_reading(name: str, value: object) -> None:
    made = exchange(settings=Settings(readings=Readings(**{name: value})))  # type: ignore[arg-type]
    client = Client(made)
    client.order("BUY")
    assert code(client, "SELL", "STOP_MARKET", stopPrice="99000.0", closePosition="true") == 0
    assert code(client, "SELL", reduceOnly="true") == 0
    assert client.position() == "0.000"


def test_readings_differ_where_they_say() -> None:
    def under(**readings: object) -> Client:
        return Client(exchange(settings=Settings(readings=Readings(**readings))))  # type: ignore[arg-type]

    stop = {"stopPrice": "99000.0", "closePosition": "true"}
    assert code(under(close_position_while_flat=False), "SELL", "STOP_MARKET", **stop) == -2024
    client = under(second_close_position=False)
    assert code(client, "SELL", "STOP_MARKET", **stop) == 0
    assert code(client, "SELL", "STOP_MARKET", **stop) == -4130
    assert code(under(), "SELL", "STOP_MARKET", **stop) == 0
    assert code(under(post_only_crossing="rejected"), "BUY", "LIMIT", price="100100.0", timeInForce="GTX") == -2010
    assert code(under(unknown_parameters="refused"), strange="1") == -1106
    assert code(under(would_trigger=-4142), "SELL", "STOP_MARKET", stopPrice="100000.0") == -4142
    assert code(under(callback_max="4"), "SELL", "TRAILING_STOP_MARKET", callbackRate="4.5") == -2007
    held = under(leverage_with_position=False)
    held.order("BUY")
    assert held.call("POST", "leverage", symbol="BTCUSDT", leverage=5)["code"] == -2030
    for sign, text in ((1, "3.50017500"), (-1, "-3.50017500")):
        client = under(commission_sign=sign)
        client.order("BUY")
        assert client.call("GET", "userTrades", symbol="BTCUSDT")[0]["commission"] == text


def test_weight_then_429_then_418_then_pardon() -> None:
    limits = Limits(weight_per_minute=50, ban_after=3, ban_ms=120_000)
    client = Client(exchange(settings=Settings(limits=limits)))
    for used in range(40, 51, 10):
        client.public("depth", symbol="BTCUSDT", limit=500) if used > 40 else client.call("GET", "openOrders")
        assert client.headers["X-MBX-USED-WEIGHT-1M"] == str(used)
    seen = []
    for _ in range(5):
        client.public("ping")
        seen.append(client.status)
    assert seen == [429, 429, 429, 418, 418]
    assert client.headers["Retry-After"] == "120"
    client.exchange.advance(client.exchange.now_ms + 119_000)
    client.public("ping")
    assert client.status == 418
    client.exchange.advance(client.exchange.now_ms + 1_000)
    client.public("ping")
    assert client.status == 200


def test_orders_per_minute_are_counted_by_account() -> None:
    client = Client(exchange(settings=Settings(limits=Limits(orders_per_minute=2))))
    for _ in range(2):
        assert code(client, quantity="0.01") == 0
    assert client.headers["X-MBX-ORDER-COUNT-1M"] == "2"
    assert (code(client, quantity="0.01"), client.status) == (-1015, 429)


@settings(max_examples=60, deadline=None)
@given(st.decimals("0.0001", "200", places=4), st.decimals("90000", "110000", places=2))
def test_a_limit_is_taken_exactly_when_every_filter_holds(quantity: Decimal, price: Decimal) -> None:
    client = Client(exchange(), money=10**9)
    found = code(client, "BUY", "LIMIT", price=str(price), quantity=str(quantity), timeInForce="GTC")
    fits = quantity % Decimal("0.001") == 0 and price % Decimal("0.1") == 0
    banded = price <= 105_000
    enough = quantity * price >= 5
    at_leverage = quantity * price < 1_000_000
    assert (found == 0) == (fits and banded and enough and at_leverage)
    assert found in (0, -1111, -4016, -4164, -2027)
