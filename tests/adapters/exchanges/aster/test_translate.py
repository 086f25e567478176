"""Every order that is sent satisfies every filter, of any contract; what is refused would have been refused there.

The judge is written from the documents with `Decimal` over the parameters as they are sent, and shares no code with
the filters under test.
"""

import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.listing import Listing, listing
from aister.adapters.exchanges.aster.messages import OrderReply, PositionRow, SymbolRow, TradeRow, decoder
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

ROWS = decoder(SymbolRow)


def row(filters: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "symbol": "XUSDT",
        "status": "TRADING",
        "contractType": "PERPETUAL",
        "baseAsset": "X",
        "quoteAsset": "USDT",
        "pricePrecision": 8,
        "quantityPrecision": 8,
        "filters": filters,
        **more,
    }


def listed(document: dict[str, Any]) -> Listing:
    import msgspec

    return listing(ROWS.decode(msgspec.json.encode(document)))


def plain(value: Decimal) -> str:
    return f"{value:f}"


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Contracts whose tick and step range over the exponents a unit of money allows, bounds present or 0."""
    tick_exponent = draw(st.integers(-8, 3))
    step_exponent = draw(st.integers(-8 - tick_exponent, 5).filter(lambda e: e >= -8))
    tick = draw(st.sampled_from([1, 2, 5])) * Decimal(10) ** tick_exponent
    step = draw(st.sampled_from([1, 2, 5])) * Decimal(10) ** step_exponent
    least_price, span = tick * draw(st.integers(0, 50)), draw(st.integers(0, 10**7))
    least, lots = step * draw(st.integers(0, 20)), draw(st.integers(0, 10**6))
    market_lots = draw(st.integers(0, 10**6))
    return row(
        [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": plain(least_price),
                "maxPrice": plain(least_price + tick * span) if span else "0",
                "tickSize": plain(tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": plain(least),
                "maxQty": plain(least + step * lots) if lots else "0",
                "stepSize": plain(step),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": plain(step * draw(st.integers(0, 20))),
                "maxQty": plain(step * market_lots) if market_lots else "0",
                "stepSize": plain(step),
            },
            {"filterType": "MIN_NOTIONAL", "notional": str(draw(st.sampled_from([0, 1, 5, "5.0", 100])))},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": draw(st.sampled_from(["1.1500", "1.05", "5", "0"])),
                "multiplierDown": draw(st.sampled_from(["0.8500", "0.95", "0.2", "0"])),
            },
        ],
        status=draw(st.sampled_from(["TRADING", "TRADING", "TRADING", "SETTLING", "CLOSE"])),
    )


def judge(sent: dict[str, str], document: dict[str, Any], mark: Decimal) -> int:
    """The venue's code for the parameters, 0 = accepted (aster-api 5 and 6)."""
    filters = {one["filterType"]: {k: Decimal(v) for k, v in one.items() if k != "filterType"} for one in
               document["filters"]}  # fmt: skip
    kind, reduces = sent["type"], "reduceOnly" in sent or "closePosition" in sent
    price, stop, size = (Decimal(sent.get(name, "0")) for name in ("price", "stopPrice", "quantity"))
    for value in sent.values():
        assert "e" not in value.lower() or not value[0].isdigit()
    if document["status"] != "TRADING" and not reduces:
        return -4140
    if ("quantity" in sent) == ("closePosition" in sent):
        return -4137
    lots = [filters["LOT_SIZE"]]
    if kind in ("MARKET", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"):
        lots.append(filters["MARKET_LOT_SIZE"])
    for lot in lots if "quantity" in sent else ():
        if size < lot["minQty"] or size <= 0:
            return -4004
        if lot["maxQty"] and size > lot["maxQty"]:
            return -4005
        if (size - lot["minQty"]) % lot["stepSize"] or size % lot["stepSize"]:
            return -4023
    bounds = filters["PRICE_FILTER"]
    stop = stop or Decimal(sent.get("activationPrice", "0"))
    for one in (p for p, names in ((price, "price"), (stop, "stopPrice activationPrice")) if p or set(
        names.split()) & sent.keys()):  # fmt: skip
        if one < bounds["minPrice"] or one <= 0:
            return -4013
        if bounds["maxPrice"] and one > bounds["maxPrice"]:
            return -4002
        if (one - bounds["minPrice"]) % bounds["tickSize"] or one % bounds["tickSize"]:
            return -4014
    band = filters["PERCENT_PRICE"]
    base = stop or mark
    if price and sent["side"] == "BUY" and band["multiplierUp"] and price > base * band["multiplierUp"]:
        return -4016
    if price and sent["side"] == "SELL" and band["multiplierDown"] and price < base * band["multiplierDown"]:
        return -4024
    if (
        not reduces
        and "quantity" in sent
        and (price or min(stop or mark, mark)) * size < filters["MIN_NOTIONAL"]["notional"]
    ):
        return -4164
    return 0


def order(**given: Any) -> Order:
    return Order(
        **{
            "client_id": "i-1-1",
            "intent_id": "1",
            "symbol": "XUSDT",
            "side": Side.BUY,
            "type": OrderType.MARKET,
            "purpose": Purpose.ENTRY,
            "steps": 1,
            "price_ticks": 0,
            "trigger_ticks": 0,
            "reduce_only": False,
            "close_position": False,
        }
        | given
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], Order, Decimal]:
    document = draw(documents())
    price_filter, lot = document["filters"][0], document["filters"][1]
    tick, step = Decimal(price_filter["tickSize"]), Decimal(lot["stepSize"])
    least_ticks, least_steps = int(Decimal(price_filter["minPrice"]) / tick), int(Decimal(lot["minQty"]) / step)
    ticks = draw(st.integers(max(1, least_ticks - 3), least_ticks + 1000) | st.integers(1, 2 * 10**7))
    steps = draw(st.integers(max(1, least_steps - 2), least_steps + 1000) | st.integers(1, 2 * 10**6))
    mark = tick * ticks * draw(st.sampled_from([Decimal(1), Decimal("1.01"), Decimal("0.99"), Decimal("2"), Decimal(
        "0.5")])) + draw(st.sampled_from([Decimal(0), Decimal("0.00000001")]))  # fmt: skip
    kind = draw(st.sampled_from(OrderType))
    purpose = draw(st.sampled_from(Purpose))
    reduces = purpose is not Purpose.ENTRY
    closes = reduces and kind in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET) and draw(st.booleans())
    return (
        document,
        order(
            side=draw(st.sampled_from(Side)),
            type=kind,
            purpose=purpose,
            steps=0 if closes else steps,
            price_ticks=ticks if kind.limited else 0,
            trigger_ticks=ticks + draw(st.integers(-2, 2))
            if kind.conditional and kind is not OrderType.TRAILING_STOP_MARKET
            else 0,
            reduce_only=reduces and not closes,
            close_position=closes,
            worst_ticks=draw(st.sampled_from([0, ticks])) if kind is OrderType.MARKET else 0,
            post_only=kind is OrderType.LIMIT and draw(st.booleans()),
            callback_e8=draw(st.integers(1, 50)) * 100_000 if kind is OrderType.TRAILING_STOP_MARKET else 0,
            activation_ticks=draw(st.sampled_from([0, ticks])) if kind is OrderType.TRAILING_STOP_MARKET else 0,
        ),
        mark,
    )


SAME = {-4006: -4013, -4007: -4002, -4183: -4016, -4184: -4024, -4003: -4004}


@settings(max_examples=250, deadline=None)
@given(cases())
def test_what_is_sent_passes_and_what_is_refused_would_not(case: tuple[dict[str, Any], Order, Decimal]) -> None:
    document, wanted, mark = case
    contract = listed(document)
    mark_e8 = int(mark * 10**8)
    params = order_params(wanted, grid_of(contract), contract, mark_e8=mark_e8)
    if isinstance(params, Refused):
        assert params.reason and params.code < 0
        # the same order with every bound but the refused one open goes out: nothing is refused without a filter
        open_document = row(
            [
                {"filterType": "PRICE_FILTER", "minPrice": "0", "maxPrice": "0"}
                | {"tickSize": document["filters"][0]["tickSize"]},
                {"filterType": "LOT_SIZE", "minQty": "0", "maxQty": "0"}
                | {"stepSize": document["filters"][1]["stepSize"]},
            ]
        )
        free = order_params(wanted, grid_of(contract), listed(open_document), mark_e8=mark_e8)
        if isinstance(free, Refused):
            assert free.code == params.code == -4006  # a trigger at or below zero
            return
        code = judge(dict(free), document, mark)
        assert code != 0
        if document["status"] == "TRADING":
            assert judge(dict(free), document | {"filters": document["filters"]}, mark) in (
                SAME.get(params.code, params.code),
                -4164,
            )
        return
    sent = dict(params)
    assert len(sent) == len(params)
    assert judge(sent, document, mark) == 0
    assert sent["newClientOrderId"] == wanted.client_id


@settings(max_examples=100, deadline=None)
@given(documents(), st.integers(1, 10**9), st.integers(1, 10**6))
def test_texts_carry_the_integers_exactly(document: dict[str, Any], ticks: int, steps: int) -> None:
    contract = listed(document | {"status": "TRADING"})
    grid = grid_of(contract)
    reply = OrderReply(
        orderId=7,
        symbol="XUSDT",
        status="NEW",
        clientOrderId="c",
        side="SELL",
        type="LIMIT",
        price=Decimal(ticks) * Decimal(grid.tick).scaleb(-8),
        origQty=Decimal(steps) * Decimal(grid.step).scaleb(-8),
    )
    told = venue_order(reply, grid)
    assert (told.price_ticks, told.steps, told.side, told.kind) == (ticks, steps, Side.SELL, OrderType.LIMIT)


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
    [{"status": "HALF"}, {"side": "HOLD"}, {"positionSide": "UP"}, {"origQty": Decimal("0.0001")}],
)
def test_words_and_sizes_unknown_here_are_an_error_not_a_guess(broken: dict[str, Any]) -> None:
    good = {"orderId": 1, "symbol": "XUSDT", "status": "NEW", "side": "BUY", "origQty": Decimal("0.001")}
    venue_order(OrderReply(**good), Grid(10**7, 10**5))
    with pytest.raises(DataError):
        venue_order(OrderReply(**(good | broken)), Grid(10**7, 10**5))


def test_client_ids_survive_as_they_are() -> None:
    assert set(sent(order(client_id=string.ascii_letters, steps=100))["newClientOrderId"]) == set(string.ascii_letters)


def test_a_fill_between_two_ticks_is_told_at_the_nearest_and_never_withheld() -> None:
    """The venue's tick became finer while the position counts in the old one."""
    finer = TradeRow("XUSDT", 3, 1, "SELL", Decimal("98000.07"), Decimal("0.003"), 9)
    assert execution(finer, "a", Grid(10**7, 10**5), 1, 1).price_ticks == 980_001
