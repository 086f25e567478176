"""From what the venue says of a contract to an instrument, and what changed between two readings."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from aister.adapters.exchanges.aster.amounts import product, rounded, text, units
from aister.adapters.exchanges.aster.instruments import Contract, changes, contract, instrument, tiers
from aister.adapters.exchanges.aster.listing import Listing, Listings
from aister.adapters.exchanges.aster.messages import BracketRow, Brackets, Commission, ExchangeInfo, decoder
from aister.core.errors import DataError

INFO: dict[str, Any] = {
    "rateLimits": [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "contractType": "PERPETUAL",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "triggerProtect": "0.0500",
            "onboardDate": 1569398400000,
            "OrderType": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000.05", "tickSize": "0.10"},
                {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000.0005", "stepSize": "0.001"},
                {"filterType": "MARKET_LOT_SIZE", "minQty": "0.002", "maxQty": "120", "stepSize": "0.001"},
                {"filterType": "MIN_NOTIONAL", "notional": "5.0"},
                {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 100},
                {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95",
                 "multiplierDecimal": "4"},
            ],
        },
        {"symbol": "ODDUSDT", "contractType": "PERPETUAL", "quoteAsset": "USDT", "filters": []},
        {"symbol": "BTCUSDT_270326", "contractType": "CURRENT_QUARTER", "filters": []},
    ],
}  # fmt: skip
BRACKETS = b"""[{"symbol":"BTCUSDT","brackets":[
 {"bracket":2,"initialLeverage":50,"notionalCap":250000,"notionalFloor":50000,"maintMarginRatio":0.0065,"cum":125.0},
 {"bracket":1,"initialLeverage":125,"notionalCap":50000,"notionalFloor":0,"maintMarginRatio":0.004,"cum":0.0}]}]"""
FEES = Commission("BTCUSDT", Decimal("0.0001"), Decimal("0.00035"))


def listings(document: dict[str, Any] = INFO) -> Listings:
    return Listings(decoder(ExchangeInfo).decode(msgspec.json.encode(document)).symbols)


def listed(document: dict[str, Any] = INFO) -> Listing:
    return listings(document)["BTCUSDT"]


def known(**given: Any) -> Contract:
    [told] = decoder(tuple[Brackets, ...]).decode(BRACKETS)
    return contract(listed(), given.get("brackets", told), FEES, given.get("hours", 4))


def test_an_instrument_as_the_venue_lists_it() -> None:
    btc = instrument(known(), "AsterDex testnet")
    assert (btc.tick_e8, btc.step_e8, btc.unit) == (10**7, 10**5, 10**4)
    assert (btc.min_ticks, btc.max_ticks) == (1, 10_000_000)
    assert (btc.min_steps, btc.max_steps, btc.market_max_steps) == (2, 1_000_000, 120_000)
    assert (btc.maker_e8, btc.taker_e8, btc.liquidation_e8) == (10_000, 35_000, 1_250_000)
    assert btc.funding_interval_ms == 4 * 3_600_000 and btc.source == "AsterDex testnet"
    assert [(b.floor, b.maintenance_e8, b.deduction, b.max_leverage) for b in btc.brackets] == [
        (0, 400_000, 0, 125),
        (50_000 * 10**8, 650_000, 125 * 10**8, 50),
    ]


def test_what_an_account_has_not_told_is_taken_from_assumptions_and_says_so() -> None:
    with pytest.raises(DataError, match="add a key"):
        contract(listed(), None, None, 8)
    assumed = instrument(known(), "shipped")
    told = instrument(contract(listed(), None, None, None, assumed), "AsterDex mainnet")
    assert told.source == "AsterDex mainnet; assumed: brackets, fees, funding interval"
    assert told.brackets == assumed.brackets and told.funding_interval_ms == 8 * 3_600_000


def test_brackets_that_leave_a_gap_are_refused() -> None:
    one = BracketRow(10, Decimal(100), Decimal(0), Decimal("0.01"), Decimal(0))
    two = BracketRow(5, Decimal(300), Decimal(200), Decimal("0.02"), Decimal(1))
    for rows in ((one, two), ()):
        with pytest.raises(DataError, match="gap"):
            tiers(Brackets("X", rows))


def test_other_contracts_are_left_out_and_untradable_ones_named() -> None:
    rows = (*map(msgspec.json.encode, INFO["symbols"]), b'{"symbol":"BAD","filters":7}', b'{"status":"TRADING"}')
    known = Listings(rows)
    assert known["BTCUSDT"].order_types == ("LIMIT", "MARKET", "STOP", "STOP_MARKET")
    for symbol, words in (("ODDUSDT", "lot filter"), ("BTCUSDT_270326", "no perpetual"), ("BAD", "form unknown")):
        assert symbol in known
        with pytest.raises(DataError, match=words):
            known[symbol]
    assert "NOUSDT" not in known


def changed(path: tuple[Any, ...], value: Any) -> Contract:
    document = msgspec.json.decode(msgspec.json.encode(INFO))
    place = document["symbols"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return msgspec.structs.replace(known(), listing=listed(document))


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("filters", 0, "tickSize"), "0.05", "tick"),
        (("status",), "SETTLING", "status"),
        (("filters", 3, "notional"), "50", "least notional"),
        (("filters", 6, "multiplierUp"), "1.02", "price band"),
        (("filters", 4, "limit"), 20, "most orders"),
        (("filters", 2, "maxQty"), "12", "market size"),
    ],
)
def test_one_change_is_one_value(path: tuple[Any, ...], value: Any, what: str) -> None:
    [told] = changes({"BTCUSDT": known()}, {"BTCUSDT": changed(path, value)})
    assert told.symbol == "BTCUSDT" and told.what == what and told.before != told.after


def test_leverage_brackets_and_funding_are_watched_too() -> None:
    tighter = Brackets("BTCUSDT", (BracketRow(10, Decimal(50000), Decimal(0), Decimal("0.01"), Decimal(0)),))
    told = changes({"BTCUSDT": known()}, {"BTCUSDT": known(brackets=tighter, hours=1)})
    assert {one.what: (one.before, one.after) for one in told if one.what != "brackets"} == {
        "largest leverage": ("125", "10"),
        "funding interval": ("4 h", "1 h"),
    }
    assert len(told) == 3


def test_a_symbol_that_vanished_or_came() -> None:
    gone, listed = changes({"BTCUSDT": known()}, {"BTCUSDT2": known()})
    assert (gone.symbol, gone.what, listed.symbol, listed.what) == ("BTCUSDT", "gone", "BTCUSDT2", "listed")
    assert changes({"BTCUSDT": known()}, {"BTCUSDT": known()}) == ()


def test_decimals_are_exact_or_refused() -> None:
    assert units(Decimal("12345678901.00000001")) == 1234567890100000001
    assert units(Decimal("1E-8")) == 1 and units(Decimal("0.10")) == 10_000_000
    assert [text(one) for one in (0, 1, -150_000_000, 10**8, 12_345_000_000)] == ["0", "0.00000001", "-1.5", "1",
                                                                                  "123.45"]  # fmt: skip
    assert rounded(Decimal("0.000000005")) == 0 and rounded(Decimal("0.000000015")) == 2
    assert product(-100_000, Decimal("99000.123456789")) == -9_900_012_346
    for broken in ("0.000000001", "NaN", "Infinity", "1E+40", "-sNaN"):
        with pytest.raises(DataError):
            units(Decimal(broken))
