"""Orders as the venue reads them, and its rows as we do: case by case."""

import string
from decimal import Decimal
from typing import Any

import pytest

from aister.adapters.exchanges.aster.messages import OrderReply, PositionRow, TradeRow, decoder
from aister.adapters.exchanges.aster.translate import (
    Grid,
    execution,
    grid_of,
    order_params,
    venue_order,
    venue_position,
)
from aister.core.errors import DataError
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.exchange import Refused, VenueStatus
from tests.adapters.exchanges.aster.wanted import listed, order, row

BTC = row(
    [
        {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95"},
    ]
)


MARK = 100_000 * 10**8


def sent(wanted: Order, document: dict[str, Any] = BTC, mark_e8: int = MARK) -> dict[str, str]:
    contract = listed(document)
    params = order_params(wanted, grid_of(contract), contract, mark_e8=mark_e8)
    assert not isinstance(params, Refused), params
    return dict(params)


def test_a_bounded_market_entry_is_an_immediate_limit_within_the_band() -> None:
    near = sent(order(steps=10, worst_ticks=1_001_000))
    assert (near["type"], near["price"], near["timeInForce"], near["quantity"]) == ("LIMIT", "100100", "IOC", "0.01")
    far = sent(order(steps=10, worst_ticks=1_200_000))
    assert far["price"] == "105000"
    low = sent(order(steps=10, worst_ticks=1, side=Side.SELL))
    assert low["price"] == "95000"


def test_a_protective_stop_closes_the_position_on_mark() -> None:
    stop = sent(
        order(
            type=OrderType.STOP_MARKET,
            purpose=Purpose.STOP,
            side=Side.SELL,
            steps=0,
            trigger_ticks=990_000,
            close_position=True,
        )
    )
    assert stop == {
        "newClientOrderId": "i-1-1",
        "side": "SELL",
        "symbol": "XUSDT",
        "type": "STOP_MARKET",
        "stopPrice": "99000",
        "workingType": "MARK_PRICE",
        "priceProtect": "FALSE",
        "closePosition": "true",
    }


def test_reductions_are_reduce_only_in_one_way_and_named_by_leg_when_hedged() -> None:
    close = order(purpose=Purpose.CLOSE, side=Side.SELL, steps=5, reduce_only=True)
    assert sent(close)["reduceOnly"] == "true" and "positionSide" not in sent(close)
    import msgspec

    hedged = sent(msgspec.structs.replace(close, leg=1))
    assert hedged["positionSide"] == "LONG" and "reduceOnly" not in hedged


def test_a_reduction_is_not_held_to_status_or_least_notional() -> None:
    close = order(purpose=Purpose.CLOSE, side=Side.SELL, steps=1, reduce_only=True)
    assert sent(close, BTC | {"status": "SETTLING"}, mark_e8=10**8)["quantity"] == "0.001"
    contract = listed(BTC | {"status": "SETTLING"})
    refused = order_params(order(steps=10), grid_of(contract), contract)
    assert isinstance(refused, Refused) and refused.code == -4140 and "choose another" in refused.reason


def test_a_trailing_stop_speaks_percent() -> None:
    trailing = sent(
        order(
            type=OrderType.TRAILING_STOP_MARKET,
            purpose=Purpose.STOP,
            side=Side.SELL,
            steps=5,
            reduce_only=True,
            callback_e8=1_500_000,
            activation_ticks=1_010_000,
        )
    )
    assert (trailing["callbackRate"], trailing["activationPrice"]) == ("1.5", "101000")
    contract = listed(BTC)
    wide = order(type=OrderType.TRAILING_STOP_MARKET, steps=5, callback_e8=5_000_001)
    refused = order_params(wide, grid_of(contract), contract)
    assert isinstance(refused, Refused) and refused.code == -2007


def test_a_grid_the_venue_changed_refuses_instead_of_meaning_something_else() -> None:
    grid = grid_of(listed(BTC))
    coarse = [dict(one) for one in BTC["filters"]]
    coarse[1] |= {"stepSize": "0.01", "minQty": "0.01"}
    coarse[2] |= {"stepSize": "0.01", "minQty": "0.01"}
    refused = order_params(order(steps=15), grid, listed(BTC | {"filters": coarse}), mark_e8=MARK)
    assert isinstance(refused, Refused) and refused.code == -4023
    passed = order_params(order(steps=20), grid, listed(BTC | {"filters": coarse}), mark_e8=MARK)
    assert not isinstance(passed, Refused) and dict(passed)["quantity"] == "0.02"


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ([], "without price or lot filter"),
        ([{**BTC["filters"][0], "minPrice": "0.15"}, BTC["filters"][1]], "not on its own grid"),
        ([BTC["filters"][0], {**BTC["filters"][1], "minQty": "0.0015"}], "not on its own grid"),
        ([{**BTC["filters"][0], "tickSize": "0.00001", "minPrice": "0"}, {**BTC["filters"][1], "stepSize": "0.0001",
          "minQty": "0"}], "no whole number of 1e-8"),
        ([{**BTC["filters"][0], "tickSize": "NaN"}, BTC["filters"][1]], "no number"),
        ([{**BTC["filters"][0], "tickSize": "0.000000001"}, BTC["filters"][1]], "8 decimals"),
        ([BTC["filters"][0], BTC["filters"][1], {**BTC["filters"][2], "stepSize": "0.01", "minQty": "0"}],
         "could not be closed"),
    ],
)  # fmt: skip
def test_contracts_that_cannot_be_traded_exactly_are_named(filters: list[dict[str, str]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        listed(row(filters))


def test_rows_of_the_venue() -> None:
    grid = Grid(10**7, 10**5)
    reply = decoder(OrderReply).decode(
        b'{"orderId":1,"symbol":"XUSDT","status":"PARTIALLY_FILLED","clientOrderId":"a-1-1","side":"BUY","type":"MARKET"'
        b',"origType":"STOP_MARKET","origQty":"0.010","executedQty":"0.004","stopPrice":"99000.10","price":"0",'
        b'"reduceOnly":"true","updateTime":5,"positionSide":"LONG","newChainData":{"hash":"0x"}}'
    )
    told = venue_order(reply, grid)
    assert (told.kind, told.status, told.steps, told.filled_steps) == (
        OrderType.STOP_MARKET,
        VenueStatus.PARTIALLY_FILLED,
        10,
        4,
    )
    assert (told.trigger_ticks, told.leg, told.reduce_only, told.updated_ms) == (990001, 1, True, 5)
    for sign in ("-", ""):  # both readings of the commission's sign
        trade = TradeRow("XUSDT", 3, 1, "SELL", Decimal("99000.1"), Decimal("0.004"), 9, Decimal("-1.5"),
                         Decimal(f"{sign}0.138600"), "USDT")  # fmt: skip
        done = execution(trade, "autoclose-77", grid, -1000, 35000)
        assert (done.fee, done.steps, done.price_ticks, done.realized) == (13_860_000, 4, 990001, -150_000_000)
        assert done.liquidation
    maker = execution(TradeRow("XUSDT", 3, 1, "SELL", Decimal("99000.1"), Decimal("0.004"), 9, Decimal(0),
                               Decimal("0.01"), "USDT", maker=True), "a-1-1", grid, -1000, 35000)  # fmt: skip
    assert maker.fee == -1_000_000 and not maker.liquidation
    held = venue_position(
        PositionRow("XUSDT", Decimal("-0.003"), Decimal("99000.123456789"), Decimal("98000.04"), Decimal("120000.06"),
                    Decimal(20), "isolated"), grid)  # fmt: skip
    assert (held.steps, held.cost, held.mark_ticks, held.liquidation_ticks) == (-3, -29_700_037_037, 980000, 1200001)
    assert held.isolated and held.leverage == 20


@pytest.mark.parametrize(
    "broken",
    [{"status": "HALF"}, {"side": "HOLD"}, {"positionSide": "UP"}, {"origQty": Decimal("0.000000001")}],
)
def test_words_and_sizes_unknown_here_are_an_error_not_a_guess(broken: dict[str, Any]) -> None:
    good = {"orderId": 1, "symbol": "XUSDT", "status": "NEW", "side": "BUY", "origQty": Decimal("0.001")}
    venue_order(OrderReply(**good), Grid(10**7, 10**5))
    with pytest.raises(DataError):
        venue_order(OrderReply(**(good | broken)), Grid(10**7, 10**5))


def test_an_order_between_two_steps_counts_as_the_next_and_what_filled_of_it_as_the_last() -> None:
    sizes = {"origQty": Decimal("0.0011"), "executedQty": Decimal("0.0019")}
    told = venue_order(OrderReply(orderId=1, symbol="XUSDT", status="NEW", side="BUY", **sizes), Grid(10**7, 10**5))
    assert (told.steps, told.filled_steps) == (2, 1)


def test_client_ids_survive_as_they_are() -> None:
    assert set(sent(order(client_id=string.ascii_letters, steps=100))["newClientOrderId"]) == set(string.ascii_letters)


def test_a_fill_between_two_ticks_is_told_at_the_nearest_and_never_withheld() -> None:
    """The venue's tick became finer while the position counts in the old one."""
    finer = TradeRow("XUSDT", 3, 1, "SELL", Decimal("98000.07"), Decimal("0.003"), 9)
    assert execution(finer, "a", Grid(10**7, 10**5), 1, 1).price_ticks == 980_001
