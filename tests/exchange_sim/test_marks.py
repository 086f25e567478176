"""Mark and index of their own: what follows them, what is triggered by them, what is liquidated at them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.errors import SettingsError
from aister.exchange_sim import Account, Credentials, Fault, Settings
from aister.exchange_sim.margins import liquidation_ticks, maintenance
from aister.exchange_sim.market import Market
from aister.exchange_sim.marks import Marks
from aister.exchange_sim.state import load, save
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange, frames, slices, verify
from tests.sim.market import MONEY, bracketed, instrument

MODEL = Settings(mark="model")
CRASH = (100_000.0, 100_000.0, 90_000.0, 90_000.0)
WICK = (100_000.0, 100_000.0, 96_000.0, 100_000.0)
BELOW = (90_000.0,) * 4


def figures(client: Client) -> tuple[float, float]:
    row = client.public("premiumIndex", symbol="BTCUSDT")
    return float(row["markPrice"]), float(row["indexPrice"])


def test_mark_and_index_follow_last_each_in_its_own_time() -> None:
    client = Client(exchange(FLAT, FLAT, CRASH, BELOW, BELOW, BELOW, BELOW, BELOW, settings=MODEL))
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    mark, index = figures(client)
    assert (mark, index) == (pytest.approx(100_000, rel=2.1e-4), pytest.approx(100_000, rel=2.1e-4))
    assert abs(mark - 100_000) <= abs(index - 100_000) > 0
    client.exchange.advance(START_MS + 2 * MINUTE_MS + 40_000)
    mark, index = figures(client)
    assert 91_000 < mark <= index < 97_000
    client.exchange.advance(START_MS + 8 * MINUTE_MS)
    mark, index = figures(client)
    assert (mark, index) == (pytest.approx(90_000, abs=50), pytest.approx(90_000, rel=2.1e-4))


def test_the_same_seed_is_the_same_wave_and_another_another() -> None:
    def walked(seed: int, symbol: str) -> list[int]:
        marks = Marks(seed, symbol)
        told = []
        for minute in range(1, 60):
            marks.follow(1_000_000, minute * MINUTE_MS)
            told.append(marks.index_ticks)
        assert max(abs(one - 1_000_000) for one in told) <= 200
        assert len(set(told)) > 20
        return told

    assert walked(1, "BTCUSDT") == walked(1, "BTCUSDT")
    assert walked(1, "BTCUSDT") != walked(2, "BTCUSDT")
    assert walked(1, "BTCUSDT") != walked(1, "ETHUSDT")


def test_mark_and_index_klines_are_those_of_mark_and_index() -> None:
    client = Client(exchange(FLAT, CRASH, BELOW, BELOW, settings=MODEL))
    client.exchange.advance(START_MS + 3 * MINUTE_MS)
    last = client.public("klines", symbol="BTCUSDT", interval="1m")
    mark = client.public("markPriceKlines", symbol="BTCUSDT", interval="1m")
    index = client.public("indexPriceKlines", pair="BTCUSDT", interval="1m")
    assert [row[0] for row in mark] == [row[0] for row in index] == [row[0] for row in last]
    assert float(last[1][4]) == 90_000 <= float(mark[1][4]) < 91_000
    assert 90_100 < float(index[1][3]) < float(index[1][1])
    assert mark != last
    assert client.public("indexPriceKlines", pair="NOPE", interval="1m")["code"] == -4144


def test_lockstep_has_no_mark_of_its_own() -> None:
    with pytest.raises(SettingsError, match="choose mark last"):
        exchange(settings=Settings(lockstep=True, mark="model"))


def test_a_wick_of_last_triggers_the_stop_on_last_and_not_the_one_on_mark() -> None:
    client = Client(exchange(FLAT, WICK, FLAT, FLAT, settings=MODEL))
    client.order("BUY", quantity="0.050")
    stop = {"stopPrice": "96500.0", "closePosition": "true"}
    client.order("SELL", "STOP_MARKET", **stop, workingType="MARK_PRICE", newClientOrderId="mark")
    client.order("SELL", "STOP_MARKET", stopPrice="96500.0", quantity="0.020", newClientOrderId="last")
    client.exchange.advance(START_MS + 3 * MINUTE_MS)
    states = {row["clientOrderId"]: row["status"] for row in client.call("GET", "allOrders", symbol="BTCUSDT")}
    assert (states["last"], states["mark"], client.position()) == ("FILLED", "NEW", "0.030")


def test_a_stop_on_mark_closes_once_mark_has_come_that_far() -> None:
    client = Client(exchange(FLAT, CRASH, BELOW, BELOW, settings=MODEL))
    client.order("BUY", quantity="0.050")
    client.order("SELL", "STOP", stopPrice="95000.0", price="90500.0", quantity="0.020", workingType="MARK_PRICE")
    client.order("SELL", "STOP_MARKET", stopPrice="94000.0", closePosition="true", workingType="MARK_PRICE")
    client.exchange.advance(START_MS + 3 * MINUTE_MS)
    assert client.position() == "0.000"
    prices = [float(row["price"]) for row in client.call("GET", "userTrades", symbol="BTCUSDT")]
    assert len(prices) == 3
    assert 89_900 < prices[2] < prices[1] < 95_000
    kinds = [row["origType"] for row in client.call("GET", "allOrders", symbol="BTCUSDT")]
    assert kinds == ["MARKET", "STOP", "STOP_MARKET"]


def test_what_is_watched_expires_when_there_is_nothing_to_close() -> None:
    client = Client(exchange(FLAT, CRASH, BELOW, BELOW, settings=MODEL))
    client.order("SELL", "STOP_MARKET", stopPrice="94000.0", closePosition="true", workingType="MARK_PRICE")
    client.exchange.advance(START_MS + 3 * MINUTE_MS)
    (row,) = client.call("GET", "allOrders", symbol="BTCUSDT")
    assert (row["status"], client.position()) == ("EXPIRED", "0.000")


def test_price_protect_waits_while_mark_and_last_are_apart() -> None:
    far = Fault("mark", START_MS + 70_000, symbol="BTCUSDT", value=80_000)
    client = Client(exchange(FLAT, WICK, FLAT, CRASH, BELOW, settings=MODEL))
    client.exchange.faults.add(far, Fault("mark", START_MS + 2 * MINUTE_MS, symbol="BTCUSDT", value=0))
    client.order("BUY", quantity="0.050")
    client.order("SELL", "STOP_MARKET", stopPrice="97000.0", closePosition="true", priceProtect="TRUE")
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert client.position() == "0.050"
    client.exchange.advance(START_MS + 4 * MINUTE_MS)
    assert client.position() == "0.000"


def test_liquidation_is_at_mark_and_warns_before() -> None:
    fall, under = (100_000.0, 100_000.0, 90_300.0, 90_300.0), (90_300.0,) * 4
    client = Client(exchange(FLAT, fall, *(under,) * 3, settings=MODEL), money=1_000)
    client.order("BUY", quantity="0.100")
    stream = client.listen()
    at = float(client.call("GET", "positionRisk", symbol="BTCUSDT")[0]["liquidationPrice"])
    assert 90_310 < at < 91_000
    client.exchange.advance(START_MS + MINUTE_MS + 40_000)
    last = client.public("ticker/price", symbol="BTCUSDT")["price"]
    assert (float(last) < at, client.position()) == (True, "0.100")  # mark is not there yet
    client.exchange.advance(START_MS + 5 * MINUTE_MS)
    told = frames(stream)
    assert [t["p"][0]["mt"] for t in told if t["e"] == "MARGIN_CALL"] == ["CROSSED"]
    closed = [t["o"] for t in told if t["e"] == "ORDER_TRADE_UPDATE" and t["o"]["x"] == "CALCULATED"]
    assert [o["c"].startswith("autoclose-") for o in closed] == [True]
    assert client.position() == "0.000"
    rows = client.call("GET", "income", incomeType="INSURANCE_CLEAR")
    assert len(rows) == 1 and float(rows[0]["income"]) < 0
    assert sum(round(float(row["income"]) * 1e8) for row in client.call("GET", "income", limit=1000)) == (
        client.account.venue.wallet
    )


def test_margin_added_keeps_an_isolated_position_alive() -> None:
    ends = {}
    for added in (0, 600):
        client = Client(exchange(FLAT, CRASH, *(BELOW,) * 3))
        client.call("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
        stream = client.listen()
        client.order("BUY", quantity="0.100")
        if added:
            told = client.call("POST", "positionMargin", symbol="BTCUSDT", amount=added, type=1)
            assert (told["code"], told["amount"], told["type"]) == (200, "600.00000000", 1)
            reasons = [t["a"]["m"] for t in frames(stream) if t["e"] == "ACCOUNT_UPDATE"]
            assert reasons == ["ORDER", "MARGIN_TRANSFER"]
        client.exchange.advance(START_MS + 4 * MINUTE_MS)
        ends[added] = client.position()
    assert ends == {0: "0.000", 600: "0.100"}
    row = client.call("GET", "positionRisk", symbol="BTCUSDT")[0]
    assert float(row["isolatedWallet"]) == pytest.approx(600 + 10_000.5 / 20)
    assert float(client.call("GET", "balance")[0]["crossWalletBalance"]) == pytest.approx(10_000 - 1_100 - 3.5, abs=1)
    (history,) = client.call("GET", "positionMargin/history", symbol="BTCUSDT")
    assert (history["amount"], history["type"], history["positionSide"]) == ("600.00000000", 1, "BOTH")
    assert client.call("GET", "positionMargin/history", symbol="BTCUSDT", type=2) == []


def test_margin_that_cannot_be_moved_is_refused_by_its_code() -> None:
    client = Client(exchange())
    ask = {"symbol": "BTCUSDT", "amount": "10", "type": 1}
    assert client.call("POST", "positionMargin", **ask)["code"] == -4049
    client.call("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    assert client.call("POST", "positionMargin", **ask)["code"] == -4054
    client.order("BUY", quantity="0.050")
    for change, code in (
        ({"amount": "0"}, -4055),
        ({"amount": "20000"}, -4050),
        ({"type": 2}, -4051),
        ({"type": 3}, -1102),
        ({"positionSide": "LONG"}, -4061),
        ({"positionSide": "UP"}, -4060),
    ):
        assert client.call("POST", "positionMargin", **(ask | change))["code"] == code
    assert client.call("POST", "positionMargin", **ask)["code"] == 200
    assert client.call("POST", "positionMargin", **(ask | {"type": 2}))["code"] == -4051  # it carries a loss
    assert client.call("POST", "positionMargin", **(ask | {"type": 2, "amount": "9"}))["code"] == 200
    assert client.account.holding("BTCUSDT", 0).added == MONEY


def test_margin_added_is_not_free_for_entries_and_leaves_with_the_position() -> None:
    client = Client(exchange())
    client.call("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    client.order("BUY", quantity="0.100")
    client.call("POST", "positionMargin", symbol="BTCUSDT", amount="9000", type=1)
    assert client.order("BUY", quantity="0.100")["code"] == -2019
    client.order("SELL", quantity="0.050", reduceOnly="true")
    assert client.account.holding("BTCUSDT", 0).added == 4_500 * MONEY
    client.order("SELL", quantity="0.050", reduceOnly="true")
    assert client.account.holding("BTCUSDT", 0).added == 0
    assert client.order("BUY", quantity="0.100")["status"] == "NEW"


def test_a_restart_keeps_marks_margins_and_what_is_watched() -> None:
    prices = (FLAT, CRASH, BELOW, BELOW, BELOW)
    first = Client(exchange(*prices, settings=MODEL))
    first.call("POST", "marginType", symbol="BTCUSDT", marginType="ISOLATED")
    first.order("BUY", quantity="0.050")
    first.call("POST", "positionMargin", symbol="BTCUSDT", amount="600", type=1)
    first.order("SELL", "STOP_MARKET", stopPrice="93000.0", closePosition="true", workingType="MARK_PRICE")
    first.exchange.advance(START_MS + 90_000)
    kept = save(first.exchange, "feed")
    made = load(kept, "feed", {"BTCUSDT": instrument()}, slices(*prices), MINUTE_MS, MODEL, verify=verify)
    second = Client.__new__(Client)
    second.__dict__.update(first.__dict__, exchange=made, account=made.accounts[1])
    seen = []
    for client in (first, second):
        client.exchange.advance(START_MS + 4 * MINUTE_MS)
        asked = {"symbol": "BTCUSDT"}
        seen.append(
            [figures(client), client.public("markPriceKlines", **asked, interval="1m")]
            + [client.call("GET", name, **asked) for name in ("userTrades", "positionRisk", "positionMargin/history")]
        )
    assert seen[0] == seen[1]
    assert first.position() == "0.000"


@given(
    steps=st.integers(-3_000, 3_000).filter(bool),
    entry=st.integers(900_000, 1_100_000),
    wallet=st.integers(50, 150_000),
)
@settings(max_examples=60, deadline=None)
def test_a_leg_is_liquidated_at_the_first_price_that_leaves_nothing(steps: int, entry: int, wallet: int) -> None:
    """The price told leaves nothing above what the leg needs, the one before it does; none is told where none does."""
    bracket = bracketed()
    account = Account(1, Credentials(), Settings(margin_type="cross"), MINUTE_MS)
    market = Market({bracket.symbol: bracket}, slices(FLAT), MINUTE_MS, 6)
    account.list_instrument(bracket)
    account.transfer(wallet * MONEY, START_MS, 1)
    held = account.holding(bracket.symbol, 0)
    held.steps, held.cost = steps, steps * entry * bracket.unit

    def left(ticks: int) -> int:
        value = abs(steps) * ticks * bracket.unit
        return wallet * MONEY + steps * (ticks - entry) * bracket.unit - maintenance(bracket, value)

    found, mark = liquidation_ticks(account, market, bracket.symbol, 0), market.tickers[bracket.symbol].mark_ticks
    if found == 0:
        assert left(1 if steps > 0 else 8 * mark) > 0
    else:
        assert left(found) <= 0
        assert found == mark or left(found + (1 if steps > 0 else -1)) > 0
