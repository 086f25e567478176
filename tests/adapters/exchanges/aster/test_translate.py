"""Every order that is sent satisfies every filter, of any contract; what is refused would have been refused there.

The judge is written from the documents with `Decimal` over the parameters as they are sent, and shares no code with
the filters under test.
"""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.messages import OrderReply
from aister.adapters.exchanges.aster.translate import (
    grid_of,
    order_params,
    venue_order,
)
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.exchange import Refused
from tests.adapters.exchanges.aster.wanted import listed, order, row


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
