"""Decoding, on frames that a real exchange sent (a dialect of the same form) and on broken ones."""

import json
import time
from decimal import Decimal

import pytest

from aister.adapters.exchanges.aster.frames import (
    AccountFrame,
    DepthFrame,
    ExpiredFrame,
    KlineFrame,
    MarketFrame,
    MarkFrame,
    OrderFrame,
    TopFrame,
    TradeFrame,
    market_frame,
    user_frame,
)
from tests.adapters.exchanges.aster.recordings import frames

MARK = (
    b'{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT",'
    b'"p":"11185.87786614","i":"11784.62659091","P":"11784.25641265","r":"-0.00030000","T":1562306400000}}'
)


def by_hand(frame: MarketFrame) -> dict[str, object]:
    """The wire's own names back from a frame's values, text compared as numbers."""
    if isinstance(frame, KlineFrame):
        bar = frame.bar
        own: dict[str, object] = {"t": bar.open_ms, "T": bar.last_ms, "i": bar.interval, "o": bar.open, "h": bar.high}
        own |= {"l": bar.low, "c": bar.close, "v": bar.volume, "x": bar.closed, "n": bar.trades}
        return {"E": frame.time_ms, "s": frame.symbol, "k": own}
    if isinstance(frame, TradeFrame):
        own = {"a": frame.number, "p": frame.price, "q": frame.size, "T": frame.traded_ms, "m": frame.buyer_maker}
    elif isinstance(frame, TopFrame):
        own = {"u": frame.update, "b": frame.bid, "B": frame.bid_size, "a": frame.ask, "A": frame.ask_size}
    elif isinstance(frame, DepthFrame):
        own = {"U": frame.first, "u": frame.last, "pu": frame.previous}
        own |= {"b": [list(level) for level in frame.bids], "a": [list(level) for level in frame.asks]}
    else:
        own = {}
    return {"E": frame.time_ms, "s": frame.symbol, **own}


def same(told: object, sent: object) -> bool:
    if isinstance(told, dict) and isinstance(sent, dict):
        return all(same(value, sent[name]) for name, value in told.items())
    return told == (float(sent) if isinstance(told, float) and isinstance(sent, str) else sent)


def test_every_recorded_frame_is_what_was_sent() -> None:
    kinds: dict[type, int] = {}
    for raw in frames():
        sent, told = json.loads(raw), market_frame(raw)
        assert told is not None and told.stream == sent["stream"]
        assert same(by_hand(told.data), sent["data"]), raw
        kinds[type(told.data)] = kinds.get(type(told.data), 0) + 1
    assert kinds.keys() == {KlineFrame, TradeFrame, TopFrame, DepthFrame}
    assert sum(kinds.values()) == len(frames()) > 500


def test_marks_are_exact() -> None:
    told = market_frame(MARK)
    assert told is not None and isinstance(told.data, MarkFrame)
    assert (told.data.mark, told.data.rate) == (Decimal("11185.87786614"), Decimal("-0.0003"))


@pytest.mark.parametrize("raw", [b'{"result":null,"id":1}', b'{"stream":"x@new","data":{"e":"somethingNew","E":1}}'])
def test_what_nobody_asked_for_is_passed_over(raw: bytes) -> None:
    assert market_frame(raw) is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<html>", "no JSON"),
        (b'{"code":2,"msg":"Invalid request"}', "refused a control frame"),
        (MARK.replace(b"11185.87786614", b"eleven"), "markPriceUpdate"),
        (MARK[:-20], "no JSON"),
        (b'{"stream":"a@kline_1m","data":{"e":"kline","E":1}}', "kline"),
    ],
)
def test_a_frame_that_cannot_be_is_an_error_that_says_so(raw: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        market_frame(raw)


def test_frames_of_an_account() -> None:
    order = user_frame(
        b'{"e":"ORDER_TRADE_UPDATE","E":2,"T":1,"o":{"s":"BTCUSDT","c":"a-1","S":"SELL","o":"TRAILING_STOP_MARKET",'
        b'"f":"GTC","q":"0.001","p":"0","ap":"0","sp":"7103.04","x":"NEW","X":"NEW","i":8886774,"l":"0","z":"0",'
        b'"L":"0","N":"USDT","n":"0","T":1,"t":0,"b":"0","a":"9.91","m":false,"R":false,"wt":"CONTRACT_PRICE",'
        b'"ot":"TRAILING_STOP_MARKET","ps":"LONG","cp":false,"AP":"7476.89","cr":"5.0","rp":"0"}}'
    )
    assert isinstance(order, OrderFrame)
    assert (order.order.trigger, order.order.position_side, order.order.venue_id) == (
        Decimal("7103.04"),
        "LONG",
        8886774,
    )
    account = user_frame(
        b'{"e":"ACCOUNT_UPDATE","E":2,"T":1,"a":{"m":"FUNDING_FEE","B":[{"a":"USDT","wb":"12.5","cw":"1","bc":"-0.5"}]}}'
    )
    assert isinstance(account, AccountFrame)
    assert (account.account.balances[0].change, account.account.positions) == (Decimal("-0.5"), ())
    assert isinstance(user_frame(b'{"e":"listenKeyExpired","E":1}'), ExpiredFrame)
    assert user_frame(b'{"e":"announcement","text":"maintenance"}') is None
    with pytest.raises(ValueError, match="ORDER_TRADE_UPDATE"):
        user_frame(b'{"e":"ORDER_TRADE_UPDATE","E":2}')


def test_decoding_is_fast_enough() -> None:
    """The bar is 80,000 messages a second on one core; CPU time, so that other work on the machine does not count."""
    many = [raw for raw in frames() if b"@depth" not in raw] * 60
    started = time.process_time()
    for raw in many:
        market_frame(raw)
    assert len(many) / (time.process_time() - started) > 80_000
