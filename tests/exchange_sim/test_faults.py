"""Each fault does what it says, to what it names, for as long as it holds."""

import msgspec
import pytest

from aister.exchange_sim import DOWN, NO_ANSWER, Fault, Faults, Settings
from aister.exchange_sim.faults import ACTS, KINDS
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange, frames
from tests.sim.market import MONEY

FALLING = (100_000.0, 100_000.0, 98_000.0, 98_500.0)


def client(*faults: Fault, prices: tuple[tuple[float, float, float, float], ...] = (FLAT,) * 5) -> Client:
    return Client(exchange(*prices, faults=Faults(faults, seed=1)))


@pytest.mark.parametrize("code", [0, -1006, -1007])
def test_an_answer_of_unknown_status_placed_or_not(code: int) -> None:
    for outcome, held in (("done", "0.100"), ("refused", "0.000")):
        made = client(Fault("request", path="order", method="POST", outcome=outcome, code=code, count=1))
        made.order("BUY")
        assert (made.status, made.position()) == (503, held)
        made.order("SELL", quantity="0.010")
        assert made.status == 200


def test_silence_and_a_late_landing() -> None:
    made = client(Fault("request", path="order", method="POST", outcome="late", ms=45_000, status=0, count=1))
    request = made.request("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
    assert made.exchange.handle(request) is NO_ANSWER
    made.exchange.advance(START_MS + 44_000)
    assert made.position() == "0.000"
    made.exchange.advance(START_MS + 46_000)
    assert made.position() == "0.100"
    assert [seen.fault for seen in made.exchange.log if seen.fault] == ["late", "landed late"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_noop_stops_what_is_late_unless_it_is_lost(lost: bool) -> None:
    made = client(Fault("request", path="order", method="POST", outcome="late", ms=45_000, count=1))
    if lost:
        made.exchange.faults.add(Fault("lose_void"))
    made.order("BUY")
    assert made.call("POST", "noop", made.nonce)["code"] == 200
    made.exchange.advance(START_MS + MINUTE_MS)
    assert made.position() == ("0.100" if lost else "0.000")


def test_a_landing_later_than_the_nonce_window_never_acts() -> None:
    made = client(Fault("request", path="order", outcome="late", ms=61_000, count=1))
    made.order("BUY")
    made.exchange.advance(START_MS + 2 * MINUTE_MS)
    assert made.position() == "0.000"
    assert made.exchange.log[-2].code == -4225


def test_lookups_lag() -> None:
    made = client(Fault("lag", ms=30_000))
    made.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")
    one = {"symbol": "BTCUSDT", "origClientOrderId": "a"}
    assert made.call("GET", "order", **one)["code"] == -2013
    assert made.call("GET", "openOrders", symbol="BTCUSDT") == []
    made.exchange.advance(START_MS + 30_000)
    assert made.call("GET", "order", **one)["status"] == "NEW"


@pytest.mark.parametrize("status", [403, 418, 429])
def test_walls(status: int) -> None:
    made = client(Fault("request", status=status, ms=60_000, count=1))
    made.public("ping")
    assert made.status == status
    made.public("ping")
    assert made.status == (418 if status == 418 else 200)


def test_frames_are_lost_doubled_late_and_out_of_order() -> None:
    for fault, expected in (
        (Fault("drop", stream="ORDER_TRADE_UPDATE"), (1, 0)),
        (Fault("duplicate", user_streams=True, ms=1_000), (3, 3)),
        (Fault("delay", user_streams=True, ms=1_000), (0, 3)),
        (Fault("stall", until_ms=START_MS + 60_000), (0, 0)),
    ):
        made = client(fault)
        stream = made.listen()
        made.order("BUY")
        first = len(frames(stream))
        made.exchange.advance(START_MS + 1_000)
        assert (fault.kind, first, len(frames(stream))) == (fault.kind, *expected)
        assert not stream.closed
    made = client(Fault("reorder", user_streams=True, ms=10_000))
    stream = made.listen()
    for _ in range(4):
        made.order("BUY", quantity="0.010")
        made.exchange.advance(made.exchange.now_ms + 100)
    made.exchange.advance(START_MS + 20_000)
    times = [f["E"] for f in frames(stream)]
    assert len(times) == 12
    assert times != sorted(times)


def test_stops_are_refused_or_vanish_without_a_word() -> None:
    stop = {"stopPrice": "99000.0", "closePosition": "true"}
    made = client(Fault("refuse_stop", code=-2010, count=1))
    assert made.order("SELL", "STOP_MARKET", **stop)["code"] == -2010
    assert made.order("SELL", "STOP_MARKET", **stop)["status"] == "NEW"
    made = client(Fault("cancel_stop", ms=5_000))
    stream = made.listen()
    made.order("SELL", "STOP_MARKET", **stop)
    made.exchange.advance(START_MS + 5_000)
    assert made.call("GET", "openOrders", symbol="BTCUSDT") == []
    assert [f["o"]["x"] for f in frames(stream)] == ["NEW"]


def test_an_order_fills_in_part_and_later_the_rest() -> None:
    made = client(Fault("partial", fill_e4=3_000, ms=10_000))
    made.order("BUY", newClientOrderId="a")
    one = {"symbol": "BTCUSDT", "origClientOrderId": "a"}
    found = made.call("GET", "order", **one)
    assert (found["status"], found["executedQty"]) == ("PARTIALLY_FILLED", "0.030")
    made.exchange.advance(START_MS + 10_000)
    found = made.call("GET", "order", **one)
    assert (found["status"], found["executedQty"]) == ("FILLED", "0.100")
    assert len(made.call("GET", "userTrades", symbol="BTCUSDT")) == 2


def test_a_resting_limit_in_two_parts_is_done_when_both_are() -> None:
    made = client(Fault("partial", fill_e4=3_000, ms=1_000), prices=(FLAT, FALLING, FLAT))
    made.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")
    made.exchange.advance(START_MS + 2_000)
    assert len(made.account.venue.open_orders("BTCUSDT")) == 2
    made.exchange.advance(START_MS + 2 * MINUTE_MS)
    one = {"symbol": "BTCUSDT", "origClientOrderId": "a"}
    assert made.call("GET", "order", **one)["executedQty"] == "0.100"
    assert [t.order.status for t in made.exchange.happenings if t.order] == ["NEW", "PARTIALLY_FILLED", "FILLED"]
    made.order("BUY", "LIMIT", price="98000.0", newClientOrderId="b", quantity="0.010")
    made.exchange.advance(made.exchange.now_ms + 2_000)
    made.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="b")
    assert made.account.venue.open_orders("BTCUSDT") == []


def test_acts_on_accounts() -> None:
    at = START_MS + 10_000
    made = client(
        Fault("leverage", at, symbol="BTCUSDT", value=7),
        Fault("transfer", at, value=-100 * MONEY),
        Fault("adl", at, symbol="BTCUSDT", fill_e4=5_000),
        Fault("cancel_order", at, symbol="BTCUSDT", text="stop"),
        Fault("foreign_order", at, text="symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=0.01&price=90000&timeInForce=GTC"),
        Fault("multi_assets", at),
        Fault("agent_expires", at + 10_000),
    )
    made.order("BUY")
    made.order("SELL", "STOP_MARKET", stopPrice="99000.0", closePosition="true")
    stream = made.listen()
    made.exchange.advance(at)
    told = frames(stream)
    assert [t["ac"]["l"] for t in told if "ac" in t] == [7]
    assert [t["ai"]["j"] for t in told if "ai" in t] == [True]
    reasons = [t["a"]["m"] for t in told if t["e"] == "ACCOUNT_UPDATE"]
    assert reasons == ["TRANSFER", "ADL"]
    assert made.position() == "0.050"
    assert [o["type"] for o in made.call("GET", "openOrders", symbol="BTCUSDT")] == ["LIMIT"]
    assert made.call("GET", "adlQuantile")[0]["symbol"] == "BTCUSDT"
    assert [o["executedQty"] for o in made.call("GET", "forceOrders")] == ["0.050"]
    assert made.call("GET", "forceOrders", autoCloseType="LIQUIDATION") == []
    made.exchange.advance(at + 10_000)
    assert made.call("GET", "openOrders", symbol="BTCUSDT")["code"] == -2015


def test_acts_on_instruments_clocks_and_connections() -> None:
    at = START_MS + 10_000
    made = client(
        Fault(
            "instrument", at, symbol="BTCUSDT", text='{"tick_e8":100000000,"unit":100000,"brackets_max_leverage":10}'
        ),
        Fault("skew", at, ms=90_000),
        Fault("expire_listen_key", at + 1),
        Fault("cut", at + 2),
        Fault("delist", at + 20_000, symbol="BTCUSDT"),
    )
    stream, silent = made.listen(), made.exchange.connect("/ws/btcusdt@aggTrade")
    made.exchange.advance(at)
    assert made.public("time")["serverTime"] == at + 90_000
    assert made.call("GET", "openOrders")["code"] == -4225
    info = made.public("exchangeInfo")["symbols"][0]
    assert info["filters"][0]["tickSize"] == "1"
    made.exchange.advance(at + 2)
    assert [f["e"] for f in frames(stream)] == ["listenKeyExpired"]
    assert (stream.closed, silent.closed) == (1006, 1006)
    made.exchange.advance(at + 20_000)
    assert made.public("exchangeInfo")["symbols"][0]["status"] == "CLOSE"


@pytest.mark.parametrize(
    ("tick_e8", "unit", "tick"), [(100_000_000, 100_000, "1"), (1_000_000, 1_000, "0.01")], ids=["coarser", "finer"]
)
def test_what_was_traded_before_a_tick_changed_is_told_at_its_price(tick_e8: int, unit: int, tick: str) -> None:
    at = START_MS + 10_000
    made = client(Fault("instrument", at, symbol="BTCUSDT", text=f'{{"tick_e8":{tick_e8},"unit":{unit}}}'))
    made.order("BUY")
    made.order("SELL")
    asked = ("userTrades", "allOrders", "income")
    before = [made.call("GET", name, symbol="BTCUSDT") for name in asked]
    price = float(made.public("ticker/price", symbol="BTCUSDT")["price"])
    made.exchange.advance(at)
    assert made.public("exchangeInfo")["symbols"][0]["filters"][0]["tickSize"] == tick
    assert [made.call("GET", name, symbol="BTCUSDT") for name in asked] == before
    assert float(made.public("ticker/price", symbol="BTCUSDT")["price"]) == price
    bar = made.public("klines", symbol="BTCUSDT", interval="1m")[-1]
    assert [float(told) for told in bar[1:5]] == [price] * 4
    assert {float(one["price"]) for one in made.public("trades", symbol="BTCUSDT")} <= {price}


def test_a_mark_away_from_last_moves_profit_bands_and_the_take_bound() -> None:
    made = client(Fault("mark", START_MS + 1_000, symbol="BTCUSDT", value=-60_000))
    made.order("BUY")
    made.exchange.advance(START_MS + 1_000)
    assert made.public("premiumIndex", symbol="BTCUSDT")["markPrice"] == "94000.0"
    assert made.call("GET", "positionRisk", symbol="BTCUSDT")[0]["unRealizedProfit"] == "-600.50000000"
    assert made.order("BUY", "LIMIT", price="99000.0")["code"] == -4016
    assert made.order("BUY")["code"] == -4131


def test_a_restart_breaks_connections_and_keeps_the_books() -> None:
    made = client(Fault("restart", START_MS + 10_000, ms=5_000))
    made.order("BUY")
    made.order("SELL", "STOP_MARKET", stopPrice="99000.0", closePosition="true")
    stream = made.listen()
    made.exchange.advance(START_MS + 14_999)
    assert stream.closed == 1006
    assert made.exchange.handle(made.request("GET", "openOrders")) is DOWN
    made.exchange.advance(START_MS + 15_000)
    assert (made.position(), len(made.call("GET", "openOrders"))) == ("0.100", 1)
    assert made.call("PUT", "listenKey")["code"] == -1125


def test_the_countdown_cancels_stops_too_unless_it_is_armed_again() -> None:
    made = client()
    made.order("SELL", "STOP_MARKET", stopPrice="99000.0", closePosition="true")
    made.call("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=30_000)
    made.exchange.advance(START_MS + 20_000)
    made.call("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=30_000)
    made.exchange.advance(START_MS + 49_999)
    assert len(made.call("GET", "openOrders", symbol="BTCUSDT")) == 1
    made.exchange.advance(START_MS + 50_000)
    assert made.call("GET", "openOrders", symbol="BTCUSDT") == []


def test_orders_without_fills_vanish_with_time() -> None:
    made = Client(exchange(*[FLAT] * 10, settings=Settings(retention_ms=5 * MINUTE_MS)))
    made.order("BUY", "LIMIT", price="99000.0", newClientOrderId="a")
    made.order("BUY", newClientOrderId="b")
    made.call("DELETE", "order", symbol="BTCUSDT", origClientOrderId="a")
    made.exchange.advance(START_MS + 6 * MINUTE_MS)
    assert made.call("GET", "order", symbol="BTCUSDT", origClientOrderId="a")["code"] == -2013
    assert made.call("GET", "order", symbol="BTCUSDT", origClientOrderId="b")["status"] == "FILLED"


def test_trades_and_orders_page_in_windows_that_can_be_compressed() -> None:
    hour = Settings(trades_window_ms=5 * MINUTE_MS, retention_ms=5 * MINUTE_MS)
    made = Client(exchange(*[FLAT] * 20, settings=hour))
    for minute in (0, 4, 9):
        made.exchange.advance(START_MS + minute * MINUTE_MS)
        made.order("BUY", quantity="0.010")
    made.exchange.advance(START_MS + 11 * MINUTE_MS)
    for name, key in (("userTrades", "time"), ("allOrders", "time")):
        rows = made.call("GET", name, symbol="BTCUSDT")
        assert [(row[key] - START_MS) // MINUTE_MS for row in rows] == [9]
        rows = made.call("GET", name, symbol="BTCUSDT", startTime=START_MS)
        assert [(row[key] - START_MS) // MINUTE_MS for row in rows] == [0, 4]
        far = made.call("GET", name, symbol="BTCUSDT", startTime=START_MS, endTime=START_MS + 6 * MINUTE_MS)
        assert far["code"] == -1127
    first = made.call("GET", "userTrades", symbol="BTCUSDT", fromId=1)
    assert len(first) == 3  # by number there is no window
    assert made.call("GET", "userTrades", symbol="BTCUSDT", fromId=1, startTime=START_MS)["code"] == -1106


def test_one_seed_is_one_story() -> None:
    def story(seed: int) -> list[tuple[int, int]]:
        plan = (Fault("request", path="order", share_e4=5_000), Fault("partial", share_e4=5_000, ms=3_000))
        made = Client(exchange(FLAT, FALLING, FLAT, FLAT, faults=Faults(plan, seed)))
        for _ in range(20):
            made.order("BUY", quantity="0.010")
            made.exchange.advance(made.exchange.now_ms + 5_000)
        return [(seen.time_us, seen.status) for seen in made.exchange.log]

    assert story(3) == story(3)
    assert story(3) != story(4)


def test_a_fault_there_is_not_is_refused_and_plans_are_json() -> None:
    with pytest.raises(ValueError, match="no fault 'gremlin'"):
        Faults((Fault("gremlin"),))
    plan = [Fault(kind, 5) for kind in sorted(KINDS | ACTS)]
    assert msgspec.json.decode(msgspec.json.encode(plan), type=list[Fault]) == plan
