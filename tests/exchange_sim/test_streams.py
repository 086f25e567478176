"""Market and user streams without sockets: names, wrapping, control frames, keys, ends of connections."""

import json
from itertools import pairwise

import pytest

from aister.core.events import FundingSettled
from aister.exchange_sim import Exchange, Refusal, Settings
from aister.ports.feed import MarketSlice
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, exchange, frames, slices, verify
from tests.sim.market import MONEY, instrument

MOVING = (100_000.0, 100_300.0, 99_900.0, 100_100.0)


def test_klines_of_the_stream_and_of_rest_are_the_feed_s_bars() -> None:
    made = exchange(FLAT, MOVING, MOVING, FLAT)
    heard = made.connect("/ws/btcusdt@kline_1m")
    made.advance(START_MS + 3 * MINUTE_MS)
    closed = [f["k"] for f in frames(heard) if f["k"]["x"]]
    assert [(k["o"], k["h"], k["l"], k["c"], k["v"]) for k in closed] == [
        ("100000.0", "100000.0", "100000.0", "100000.0", "60.0"),
        *(("100000.0", "100300.0", "99900.0", "100100.0", "60.0"),) * 2,
    ]
    rows = Client(made).public("klines", symbol="BTCUSDT", interval="1m")
    assert [row[1:6] for row in rows[:3]] == [[k["o"], k["h"], k["l"], k["c"], k["v"]] for k in closed]
    assert [len(row) for row in rows] == [12] * 4
    assert rows[-1][6] == START_MS + 4 * MINUTE_MS - 1


def test_longer_intervals_are_made_of_the_feed_s() -> None:
    client = Client(exchange(*[MOVING] * 12))
    client.exchange.advance(START_MS + 12 * MINUTE_MS)
    rows = client.public("klines", symbol="BTCUSDT", interval="5m")
    assert [row[0] % 300_000 for row in rows] == [0] * len(rows)
    assert rows[1][1:5] == ["100000.0", "100300.0", "99900.0", "100100.0"]
    assert client.public("klines", symbol="BTCUSDT", interval="7m")["code"] == -1120


def test_combined_streams_are_wrapped_and_control_frames_answered_without_id_too() -> None:
    made = exchange(FLAT, MOVING)
    raw, both = made.connect("/ws"), made.connect("/fstream/stream", "streams=btcusdt@aggTrade/!bookTicker")
    both.receive('{"method":"LIST_SUBSCRIPTIONS","id":7}')
    assert frames(both) == [{"result": ["btcusdt@aggTrade", "!bookTicker"], "id": 7}]
    raw.receive('{"method":"SUBSCRIBE","params":["btcusdt@markPrice@1s"]}')
    assert frames(raw) == [{"result": None, "id": None}]
    made.advance(START_MS + MINUTE_MS)
    assert {f["stream"] for f in frames(both)} == {"btcusdt@aggTrade", "!bookTicker"}
    assert {f["e"] for f in frames(raw)} == {"markPriceUpdate"}
    raw.receive('{"method":"UNSUBSCRIBE","params":["btcusdt@markPrice@1s"],"id":1}')
    raw.receive('{"method":"GET_PROPERTY","params":["combined"],"id":2}')
    raw.receive('{"method":"SET_PROPERTY","params":["combined",true],"id":3}')
    raw.receive("not json")
    assert [f.get("id", f.get("code")) for f in frames(raw)] == [1, 2, 3, 3]


def test_the_local_book_of_the_recipe_equals_the_exchange_s() -> None:
    made = exchange(FLAT, *[MOVING] * 5)
    heard, client = made.connect("/ws/btcusdt@depth"), Client(made)
    made.advance(START_MS + 90_000)
    snapshot = client.public("depth", symbol="BTCUSDT", limit=1000)
    made.advance(START_MS + 4 * MINUTE_MS)
    events = [f for f in frames(heard) if f["u"] >= snapshot["lastUpdateId"]]
    assert events[0]["U"] <= snapshot["lastUpdateId"] <= events[0]["u"]
    assert all(after["pu"] == before["u"] for before, after in pairwise(events))
    books = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    for event in events:
        for side, levels in books.items():
            for price, size in event[side]:
                levels.pop(price, None)
                if float(size):
                    levels[price] = size
    now = client.public("depth", symbol="BTCUSDT", limit=1000)
    assert books == {"b": dict(now["bids"]), "a": dict(now["asks"])}
    assert float(now["bids"][0][0]) < float(now["asks"][0][0])


def test_a_listen_key_lives_an_hour_and_then_its_socket_falls_silent() -> None:
    client = Client(exchange(*[FLAT] * 90, settings=Settings(pong_ms=86_400_000)))
    key = client.call("POST", "listenKey")["listenKey"]
    stream = client.exchange.connect(f"/ws/{key}")
    client.exchange.advance(START_MS + 59 * MINUTE_MS)
    assert client.call("POST", "listenKey")["listenKey"] == key
    client.exchange.advance(START_MS + 70 * MINUTE_MS)
    client.order("BUY", quantity="0.01")
    assert len(frames(stream)) == 3
    client.exchange.advance(START_MS + 120 * MINUTE_MS)
    assert [f["e"] for f in frames(stream)] == ["listenKeyExpired"]
    assert not stream.closed
    client.order("SELL", quantity="0.01")
    assert frames(stream) == []
    assert client.call("PUT", "listenKey")["code"] == -1125
    assert client.call("POST", "listenKey")["listenKey"] != key


def test_connections_end_without_pongs_after_a_day_and_for_talking_too_much() -> None:
    made = exchange(*[FLAT] * 30, settings=Settings(connection_ms=20 * MINUTE_MS))
    mute, alive, talker = (made.connect("/ws/btcusdt@aggTrade") for _ in range(3))
    pings = 0
    for minute in range(1, 20):
        made.advance(START_MS + minute * MINUTE_MS)
        pings += alive.take_pings()
        alive.pong()
        talker.pong()
    assert (pings, bool(mute.closed), bool(alive.closed)) == (3, True, False)
    made.advance(START_MS + 20 * MINUTE_MS)
    assert alive.closed == 1001
    loud = made.connect("/ws")
    for _ in range(11):
        loud.receive('{"method":"LIST_SUBSCRIPTIONS","id":1}')
    assert loud.closed == 1008


def test_two_hundred_streams_fit_on_a_connection() -> None:
    made = exchange()
    wire = made.connect("/ws")
    wire.receive(json.dumps({"method": "SUBSCRIBE", "params": [f"x{i}@depth" for i in range(200)], "id": 1}))
    wire.receive(json.dumps({"method": "SUBSCRIBE", "params": ["y@depth"], "id": 2}))
    assert [f.get("code") for f in frames(wire)] == [None, 1]
    with pytest.raises(Refusal):
        made.connect("/stream", "streams=" + "/".join(f"x{i}@depth" for i in range(201)))
    with pytest.raises(Refusal):
        made.connect("/other")


def test_funding_is_charged_told_and_listed() -> None:
    feed = list(slices(*[FLAT] * 4))
    settled = FundingSettled(feed[2].open_time_ms, "BTCUSDT", 10_000, 8 * 3_600_000)
    feed[2] = MarketSlice(feed[2].open_time_ms, (settled,), feed[2].bars)
    made = Exchange({"BTCUSDT": instrument()}, iter(feed), MINUTE_MS, Settings(), verify=verify)
    client = Client(made)
    client.order("BUY")
    stream = client.listen()
    made.advance(START_MS + 3 * MINUTE_MS)
    (told,) = frames(stream)
    assert (told["a"]["m"], told["a"]["B"][0]["bc"], "P" in told["a"]) == ("FUNDING_FEE", "-1.00000000", False)
    (row,) = client.call("GET", "income", incomeType="FUNDING_FEE")
    assert (row["income"], row["time"]) == ("-1.00000000", settled.time_ms)
    assert client.public("fundingRate", symbol="BTCUSDT")[0]["fundingRate"] == "0.00010000"


def test_a_liquidation_is_told_as_calculated() -> None:
    client = Client(exchange(FLAT, (100_000.0, 100_000.0, 80_000.0, 80_000.0), FLAT), money=1_000)
    client.order("BUY", quantity="0.100")
    stream, public = client.listen(), client.exchange.connect("/ws/!forceOrder@arr")
    client.exchange.advance(START_MS + 2 * MINUTE_MS)
    orders = [f["o"] for f in frames(stream) if f["e"] == "ORDER_TRADE_UPDATE"]
    assert [(o["x"], o["c"].startswith("autoclose-")) for o in orders] == [("CALCULATED", True)]
    assert [f["o"]["S"] for f in frames(public)] == ["SELL"]
    assert client.position() == "0.000"
    assert client.account.venue.wallet < 300 * MONEY
