"""Contracts as a real futures exchange listed them: `recorded/exchange_info.json` is Binance USD-M futures'
exchangeInfo of 2021-07-22, cut to one contract per grid, from the sample data of cryptofeed (licence beside it; this
product includes software developed by Bryant Moscon, http://www.bryantmoscon.com/). AsterDex speaks a dialect of this
form."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aister.adapters.exchanges.aster.governor import Governor, Rank
from aister.adapters.exchanges.aster.listing import Listings
from aister.adapters.exchanges.aster.messages import ExchangeInfo, decoder
from aister.adapters.exchanges.aster.translate import grid_of, order_params
from aister.core.errors import DataError
from aister.core.trade import OrderType, Side
from tests.adapters.exchanges.aster.test_translate import judge
from tests.adapters.exchanges.aster.wanted import order

RAW = (Path(__file__).parent / "recorded/exchange_info.json").read_bytes()
INFO = decoder(ExchangeInfo).decode(RAW)
ROWS: dict[str, dict[str, Any]] = {row["symbol"]: row for row in msgspec.json.decode(RAW)["symbols"]}
DATED = ("BTCUSDT_210924", "ETHUSDT_210924")
PERPETUAL = [symbol for symbol in ROWS if symbol not in DATED]


def filters(symbol: str) -> dict[str, Any]:
    """The recorded row with filters as the judge of `test_translate` reads them."""
    kept = ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MIN_NOTIONAL", "PERCENT_PRICE")
    row = ROWS[symbol]
    return row | {"filters": [one for one in row["filters"] if one["filterType"] in kept]}


@pytest.mark.parametrize("symbol", PERPETUAL)
def test_orders_at_the_edges_of_every_recorded_grid(symbol: str) -> None:
    listed = Listings(INFO.symbols)[symbol]
    row = filters(symbol)
    tick, step = Decimal(listed.tick).scaleb(-8), Decimal(listed.lot.step).scaleb(-8)
    assert all(Decimal(one["tickSize"]) == tick for one in row["filters"] if "tickSize" in one)
    at = 10 * listed.least_price // listed.tick + 1234
    for steps in (listed.lot.least // listed.lot.step, listed.lot.most // listed.lot.step, 7777):
        for side in Side:
            wanted = order(symbol=symbol, side=side, type=OrderType.LIMIT, steps=steps, price_ticks=at)
            params = order_params(wanted, grid_of(listed), listed, mark_e8=at * listed.tick)
            plain = {"type": "LIMIT", "side": side.name, "price": f"{at * tick:f}", "quantity": f"{steps * step:f}"}
            code = judge(plain, row, at * tick)
            if not isinstance(params, tuple):
                assert params.code == code
                continue
            sent = dict(params)
            assert code == 0 and judge(sent, row, at * tick) == 0
            assert Decimal(sent["price"]) == at * tick and Decimal(sent["quantity"]) == steps * step


@pytest.mark.parametrize("symbol", DATED)
def test_dated_contracts_are_not_taken_for_perpetuals(symbol: str) -> None:
    with pytest.raises(DataError, match="no perpetual"):
        Listings(INFO.symbols)[symbol]


def test_every_recorded_limit_is_kept_to() -> None:
    assert {(one.interval, one.intervalNum, one.limit) for one in INFO.rateLimits} == {
        ("MINUTE", 1, 2400), ("MINUTE", 1, 1200), ("SECOND", 10, 300)
    }  # fmt: skip
    governor = Governor(INFO.rateLimits)
    sent = 0
    while governor.ask(Rank.ENTER, 1, 1, 0) == 0:
        sent += 1
    assert sent == 240  # four fifths of what ten seconds allow
    assert 10_000 <= governor.ask(Rank.ENTER, 1, 1, 0) <= 11_001 and governor.ask(Rank.PROTECT, 1, 1, 0) == 0
