"""What is signed and what is not: every path of the exchange, thousands of parameter sets, caps to the last unit."""

import math
import random
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.endpoints import ENDPOINTS
from aister.adapters.signer.allowed import ALLOWED, decimal_e8
from aister.adapters.signer.charter import UNARMED, covers
from aister.adapters.signer.policy import Verdict, judge, worst_notional
from aister.core.money import UNIT
from aister.ports.signer import Call, Declined
from tests.adapters.signer.given import CHARTER, LIMITS, order, place, read, stop

PATHS = (
    "ping", "time", "exchangeInfo", "depth", "trades", "historicalTrades", "aggTrades", "klines", "indexPriceKlines",
    "markPriceKlines", "premiumIndex", "fundingRate", "fundingInfo", "ticker/24hr", "ticker/price", "ticker/bookTicker",
    "order", "order/test", "batchOrders", "allOpenOrders", "countdownCancelAll", "openOrder", "openOrders", "allOrders",
    "guardedCancelOrder", "guardedBatchOrders", "noop", "chase", "placeStrategyOrder", "strategyOrder", "mmp",
    "balance", "account", "accountWithJoinMargin", "positionRisk", "positionMargin", "positionMargin/history",
    "userTrades", "income", "leverage", "leverageBracket", "marginType", "positionSide/dual", "multiAssetsMargin",
    "stpMode", "commissionRate", "adlQuantile", "forceOrders", "listenKey", "transfer", "asset/wallet/transfer",
    "withdraw", "aster/user-withdraw", "migrateUser", "approveAgent", "registerAndApproveAgent", "updateAgent", "agent",
    "approveBuilder", "builder", "feeRate", "updateBuilder", "subAccount", "sub-account/create", "sub-account/transfer",
    "internalTransfer", "createApiKey",
)  # fmt: skip
SIGNED = {
    "order": {"GET", "POST", "DELETE"}, "listenKey": {"POST", "PUT", "DELETE"}, "leverage": {"POST"},
    "marginType": {"POST"}, "positionSide/dual": {"GET", "POST"}, "noop": {"POST"},
    **{name: {"GET"} for name in (
        "openOrder", "openOrders", "allOrders", "balance", "accountWithJoinMargin", "positionRisk", "userTrades",
        "income", "leverageBracket", "multiAssetsMargin", "commissionRate", "adlQuantile",
    )},
}  # fmt: skip


def declined(call: Call, kind: str, **marks: int) -> bool:
    told = judge(call, CHARTER, marks)
    return isinstance(told, Declined) and told.kind == kind and told.reason.endswith(".")


def test_of_all_paths_of_the_exchange_only_those_of_the_list_are_signed() -> None:
    for name in PATHS:
        for version in ("v1", "v2", "v3", "v4"):
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "get", "post"):
                call = Call(method, f"/fapi/{version}/{name}", (), "trade", 1)
                on_list = version == "v3" and method in SIGNED.get(name, set())
                assert declined(call, "path") is not on_list, call
    for path in ("/fapi/v3/order/", "//fapi/v3/order", "/fapi/v3/order?x=1", "/FAPI/v3/order", "/api/v3/order", ""):
        assert declined(Call("POST", path, order(), "trade", 1), "path")


def test_the_list_covers_every_signed_call_of_the_client_and_nothing_beyond_reading_more() -> None:
    for scheme in ("v3", "v1"):
        called = {(one.method, one.path(scheme)) for one in ENDPOINTS.values() if one.signed and one.path(scheme)}
        assert called <= set(ALLOWED[scheme])
        beyond = {(method, path.rpartition("/fapi/")[2][3:]) for method, path in set(ALLOWED[scheme]) - called}
        assert beyond == {("GET", "openOrder"), ("GET", "adlQuantile"), ("POST", "positionSide/dual")}


@pytest.mark.parametrize(
    "changes",
    [
        {"builder": "0x1F58"}, {"feeRate": "0.001"}, {"nonce": "1"}, {"user": "0x1"}, {"signer": "0x1"},
        {"signature": "00"}, {"timestamp": "1"}, {"recvWindow": "60000"}, {"pegPriceType": "QUEUE_1"},
        {"symbol": "btcusdt"}, {"symbol": "BTCUSDT&side=SELL"}, {"symbol": "BTC\nUSDT"}, {"side": "buy"}, {"side": ""},
        {"type": "OTO"}, {"stopLoss": "1"}, {"timeInForce": "HIDDEN"}, {"timeInForce": "GTD"}, {"quantity": "0"},
        {"quantity": "-1"}, {"quantity": "1e3"}, {"quantity": "0x10"}, {"quantity": "1_0"}, {"quantity": "\uff11"},
        {"quantity": "01"}, {"quantity": "1."}, {"quantity": ".1"}, {"quantity": " 1"}, {"quantity": "NaN"},
        {"quantity": "0.000000001"},
        {"quantity": "1" * 16}, {"price": "0.00"}, {"price": "inf"}, {"reduceOnly": "True"}, {"reduceOnly": "1"},
        {"closePosition": "yes"}, {"newClientOrderId": ""}, {"newClientOrderId": "a" * 37}, {"newClientOrderId": "a b"},
        {"newClientOrderId": None}, {"symbol": None}, {"side": None}, {"type": None}, {"quantity": None},
        {"price": None}, {"positionSide": "LONG"}, {"closePosition": "true"}, {"workingType": "ORACLE"},
        {"closePosition": "true", "quantity": None}, {"newOrderRespType": "FULL"}, {"stpMode": "NONE"},
    ],
)  # fmt: skip
def test_an_order_with_anything_unlisted_or_ill_formed_is_declined(changes: dict[str, str | None]) -> None:
    assert declined(place(order(**changes)), "parameter")


def test_what_is_declined_is_said_in_one_short_printable_line() -> None:
    for changes in ({"quantity": "\x1b[31m\n" * 500}, {"\x1b[31m\n" * 500: "x"}, {"apiSecret": "canary-canary"}):
        told = judge(place(order(**changes)), CHARTER, {})
        assert isinstance(told, Declined) and told.reason.isprintable() and len(told.reason) < 200
        assert "canary" not in told.reason
    assert declined(Call("POST", "/fapi/v3/order", (*order(), ("side", "SELL")), "trade", 1), "parameter")


def test_ten_thousand_made_up_parameter_sets_never_pass_unless_every_one_is_listed_and_capped() -> None:
    chance = random.Random(20261122)
    names = [*dict(order()), *dict(stop()), "builder", "feeRate", "reduceOnly", "positionSide", "activationPrice", "x"]
    values = [
        "BTCUSDT", "ETHUSDT", "DOGEUSDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP_MARKET", "true", "false", "TRUE",
        "0.1", "0.16", "0.17", "1", "1000", "60000", "59999.9", "60001", "1e9", "-1", "a-1-1", "GTC", "IOC", "LONG", "",
    ]  # fmt: skip
    passed = {"trade": 0, "reduce": 0}
    for _ in range(10_000):
        drawn = dict(order()) if chance.random() < 0.6 else dict(stop())
        for _ in range(chance.randrange(4)):
            drawn[chance.choice(names)] = chance.choice(values)
        for _ in range(chance.randrange(2)):
            drawn.pop(chance.choice(list(drawn)))
        told = judge(place(tuple(drawn.items())), CHARTER, {})
        if isinstance(told, Declined):
            continue
        passed[told.right] += 1
        assert set(drawn) <= set(ALLOWED["v3"]["POST", "/fapi/v3/order"].params) and "positionSide" not in drawn
        if drawn.get("reduceOnly") == "true" or drawn.get("closePosition") == "true":
            assert told == Verdict("reduce", False)
            continue
        assert told == Verdict("trade", True) and drawn["symbol"] in LIMITS.marks
        prices = [Decimal(drawn[name]) for name in ("price", "stopPrice") if name in drawn]
        if drawn["side"] == "BUY" and drawn["type"] == "LIMIT":
            assert Decimal(drawn["quantity"]) * Decimal(drawn["price"]) <= 10_000
        else:
            assert (
                drawn["symbol"] == "BTCUSDT" and Decimal(drawn["quantity"]) * max([*prices, Decimal(120_000)]) <= 10_000
            )
    assert passed["trade"] > 300 and passed["reduce"] > 300, passed


def test_the_right_follows_from_the_request_and_a_lesser_one_does_not_reach() -> None:
    reducing = (
        place(stop(), right="reduce"),
        place(order(reduceOnly="true"), right="reduce"),
        Call("DELETE", "/fapi/v3/order", (("origClientOrderId", "a"), ("symbol", "BTCUSDT")), "reduce", 1),
        Call("POST", "/fapi/v3/noop", (), "reduce", 1, 5),
    )
    opening = (
        place(),
        place(order(reduceOnly="false")),
        Call("POST", "/fapi/v3/leverage", (("leverage", "10"), ("symbol", "BTCUSDT")), "trade", 1),
        Call("POST", "/fapi/v3/positionSide/dual", (("dualSidePosition", "false"),), "trade", 1),
    )
    for call, least in [*((one, "reduce") for one in reducing), *((one, "trade") for one in opening), (read(), "read")]:
        for right in ("read", "reduce", "trade", "admin", ""):
            asked = msgspec.structs.replace(call, right=right)
            told = judge(asked, CHARTER, {})
            assert isinstance(told, Verdict) is covers(right, least)
            if covers(right, least):
                for ceiling in ("read", "reduce", "trade"):
                    assert isinstance(judge(asked, CHARTER, {}, ceiling), Verdict) is covers(ceiling, least)
    watcher = msgspec.structs.replace(CHARTER, right="reduce")
    assert all(isinstance(judge(one, watcher, {}), Verdict) for one in reducing)
    assert all(isinstance(judge(one, watcher, {}), Declined) for one in opening)


def test_nothing_holds_a_reduction_back() -> None:
    """Unarmed, unlisted symbol, any size, no price known (Q5)."""
    unarmed = msgspec.structs.replace(CHARTER, limits=UNARMED)
    for params in (stop(symbol="XUSDT"), order(reduceOnly="true", quantity="99999", price="1", symbol="XUSDT")):
        assert judge(place(params, right="reduce"), unarmed, {}) == Verdict("reduce", False)
    assert isinstance(judge(place(), unarmed, {}), Declined)


def test_in_hedge_mode_the_side_that_closes_a_leg_reduces() -> None:
    hedged = msgspec.structs.replace(CHARTER, hedged=True)
    for leg, side, right in (
        ("LONG", "SELL", "reduce"), ("LONG", "BUY", "trade"), ("SHORT", "BUY", "reduce"), ("SHORT", "SELL", "trade"),
    ):  # fmt: skip
        told = judge(place(order(positionSide=leg, side=side, quantity="0.01")), hedged, {})
        assert isinstance(told, Verdict) and told.right == right


def test_caps_hold_to_the_last_unit_and_leave_what_is_below() -> None:
    cap = {"quantity": "0.16666666", "price": "60000"}  # 9999.9996
    assert isinstance(judge(place(order(**cap)), CHARTER, {}), Verdict)
    assert declined(place(order(quantity="0.16666667")), "cap")
    assert isinstance(judge(place(order(quantity="0.1", price="100000")), CHARTER, {}), Verdict)  # exactly at the cap
    assert declined(place(order(quantity="0.1", price="100000.00000001")), "cap")
    assert isinstance(judge(place(notional=10_000 * UNIT), CHARTER, {}), Verdict)
    assert declined(place(notional=10_000 * UNIT + 1), "cap")
    assert declined(place(order(symbol="DOGEUSDT")), "cap")
    for leverage, fits in (("10", True), ("11", False), ("125", False)):
        call = Call("POST", "/fapi/v3/leverage", (("leverage", leverage), ("symbol", "BTCUSDT")), "trade", 1)
        assert isinstance(judge(call, CHARTER, {}), Verdict) is fits


def test_units_mixed_up_do_not_leave() -> None:
    """Price or quantity a thousand times off, or a quantity in money (C12)."""
    for changes in ({"price": "60000000"}, {"quantity": "100"}, {"quantity": "6000"}):
        assert declined(place(order(**changes)), "cap")


def test_without_a_limit_price_an_order_is_worth_the_highest_price_known() -> None:
    market = {"type": "MARKET", "price": None, "timeInForce": None}
    worth = [
        (order(**market), 0, 12_000),  # nothing told lately: twice the price at arming
        (order(**market), 61_000, 6_100),
        (order(**market), 30_000, 6_000),  # never below the one at arming
        (order(side="SELL", price="1"), 61_000, 6_100),
        (order(side="SELL", price="70000"), 61_000, 7_000),
        (order(**market | {"type": "STOP_MARKET", "stopPrice": "65000"}), 61_000, 6_500),
    ]  # fmt: skip
    for params, told, money in worth:
        assert worst_notional(dict(params), told * UNIT, 60_000 * UNIT) == money * UNIT
    assert declined(place(order(symbol="ETHUSDT", **market)), "cap")
    assert isinstance(judge(place(order(symbol="ETHUSDT", **market)), CHARTER, {"ETHUSDT": 3_000 * UNIT}), Verdict)


@settings(max_examples=200)
@given(st.integers(1, 10**20 - 1), st.integers(1, 10**20 - 1))
def test_notional_is_exact_and_rounded_up(quantity: int, price: int) -> None:
    def text(amount: int) -> str:
        return f"{amount // UNIT}.{amount % UNIT:08}"

    assert (decimal_e8(text(quantity)), decimal_e8(text(price))) == (quantity, price)
    got = worst_notional({"side": "BUY", "quantity": text(quantity), "price": text(price)}, 0, 0)
    assert got == math.ceil(Fraction(quantity * price, UNIT))
