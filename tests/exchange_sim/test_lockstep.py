"""Lockstep: who trades on the simulator behind barriers fills exactly as one on a venue in its own process."""

from typing import Literal

import msgspec
import pytest

from aister.core.errors import UsageError
from aister.core.events import FundingPaid, FundingSettled, OrderFilled
from aister.core.trade import OrderType
from aister.exchange_sim import Exchange, Settings
from aister.exchange_sim.lockstep import Lockstep
from aister.ports.feed import MarketSlice
from aister.sim import SimVenue
from aister.sim.models import FillModel
from tests.exchange_sim.floor import Client, exchange, frames, verify
from tests.sim.market import MINUTE_MS, MONEY, instrument, order, walk

START = 1_700_000_040_000
Policy = Literal["stop_first", "ohlc_path", "lower_timeframe"]


def feed() -> list[MarketSlice]:
    """Eighty bars of a walk with gaps, funding every twentieth."""
    slices = []
    for i, bar in enumerate(walk(7, 80, scale=900)):
        moved = msgspec.structs.replace(bar, time_ms=bar.time_ms + START, open_time_ms=bar.open_time_ms + START)
        moved = msgspec.structs.replace(moved, volume=1.5)
        due = (FundingSettled(moved.open_time_ms, "BTCUSDT", 7_000, 28_800_000),) if i % 20 == 19 else ()
        slices.append(MarketSlice(moved.open_time_ms, due, (moved,)))
    return slices


def wanted(i: int, held: int, last: int) -> list[tuple[str, OrderType, int, int, bool]]:
    """(side, kind, steps, price in ticks, close) placed after bar i: entries, stops and targets of a silly trader."""
    if held == 0 and i % 3 == 0:
        return [("BUY" if i % 2 else "SELL", OrderType.MARKET, 120, 0, False)]
    if held == 0:
        return [("BUY", OrderType.LIMIT, 90, last - 150, False)]
    side, sign = ("SELL", 1) if held > 0 else ("BUY", -1)
    return [
        (side, OrderType.STOP_MARKET, 0, last - sign * 400, True),
        (side, OrderType.LIMIT, abs(held), last + sign * 350, False),
    ]


def in_process(model: FillModel) -> list[tuple[int, int, int, int, int]]:
    venue = SimVenue(base_interval_ms=MINUTE_MS, model=model)
    venue.list_instrument(instrument())
    venue.deposit(20_000 * MONEY)
    seen: list[tuple[int, int, int, int, int]] = []

    def note() -> bool:
        reports = venue.take_reports()
        for report in reports:
            if isinstance(report, OrderFilled):
                f = report.fill
                seen.append((f.time_ms, int(f.side), f.steps, f.price_ticks, f.fee))
            elif isinstance(report, FundingPaid):
                seen.append((report.time_ms, 0, 0, 0, report.amount))
        return bool(reports)

    for i, market in enumerate(feed()):
        for due in market.funding:
            venue.settle(due, market.bars[0].open)
            note()
        venue.open(market.bars)
        note()
        venue.rest(market.bars)
        while note():
            venue.rest(market.bars, again=True)
        now = market.bars[0].time_ms
        for working in venue.open_orders("BTCUSDT"):
            venue.cancel("BTCUSDT", working.client_id, now)
        last, held = round(market.bars[0].close * 10), venue.position("BTCUSDT").steps
        for n, (side, kind, steps, at, close) in enumerate(wanted(i, held, last)):
            reduce = kind is OrderType.LIMIT and held != 0
            sign = 1 if side == "BUY" else -1
            venue.send(order(f"{i}-{n}", sign, kind, steps, at=at, close=close, reduce=reduce), now)
        note()
    return seen


def over_the_wire(model: FillModel) -> list[tuple[int, int, int, int, int]]:
    settings = Settings(model=model, lockstep=True)
    made = Exchange({"BTCUSDT": instrument()}, iter(feed()), MINUTE_MS, settings, verify=verify)
    step, client = Lockstep(made), Client(made, 20_000)
    stream, bars = client.listen(), made.connect("/ws/btcusdt@kline_1m")
    seen: list[tuple[int, int, int, int, int]] = []
    i = 0
    while True:
        step.barrier("me")
        for told in frames(stream):
            if told["e"] == "ORDER_TRADE_UPDATE" and told["o"]["x"] == "TRADE":
                o = told["o"]
                sign = 1 if o["S"] == "BUY" else -1
                steps, ticks = round(float(o["l"]) * 1000), round(float(o["L"]) * 10)
                seen.append((told["E"], sign, steps, ticks, round(float(o["n"]) * MONEY)))
            elif told["e"] == "ACCOUNT_UPDATE" and told["a"]["m"] == "FUNDING_FEE":
                seen.append((told["E"], 0, 0, 0, -round(float(told["a"]["B"][0]["bc"]) * MONEY)))
        if step.phase.name == "end":
            return seen
        if step.phase.name != "close":
            continue
        closed = [k["k"] for k in frames(bars) if k["k"]["x"]][-1]
        client.call("DELETE", "allOpenOrders", symbol="BTCUSDT")
        last, held = round(float(closed["c"]) * 10), round(float(client.position()) * 1000)
        for side, kind, steps, at, close in wanted(i, held, last):
            params: dict[str, object] = {"stopPrice": at / 10, "closePosition": "true"} if close else {}
            if kind is OrderType.LIMIT:
                params = {"price": at / 10, "quantity": steps / 1000, "reduceOnly": str(held != 0).lower()}
            elif kind is OrderType.MARKET:
                params = {"quantity": steps / 1000}
            client.order(side, kind.name, **params)
        i += 1


@pytest.mark.parametrize("policy", ["stop_first", "ohlc_path", "lower_timeframe"])
def test_record_and_wire_fill_alike_under_every_policy(policy: Policy) -> None:
    model = FillModel(intrabar=policy)
    record, wire = in_process(model), over_the_wire(model)
    assert len(record) > 40
    assert wire == record


def test_the_market_waits_for_every_client() -> None:
    made = exchange(settings=Settings(lockstep=True))
    step = Lockstep(made)
    step.attach("a")
    step.attach("b")
    assert step.barrier("a") == 1
    assert step.phase.number == 0
    step.barrier("b")
    assert (step.phase.number, step.phase.name) == (1, "open")
    step.barrier("a")
    step.detach("b")
    assert (step.phase.name, made.now_ms) == ("rest", step.phase.open_ms + MINUTE_MS - 1)


def test_barriers_in_band_are_answered_when_time_has_moved() -> None:
    made = exchange(settings=Settings(lockstep=True))
    step = Lockstep(made)
    first, second = made.connect("/ws"), made.connect("/ws")
    step.attach(f"connection {second.number}")
    first.receive('{"method":"BARRIER","id":1}')
    assert frames(first) == []
    second.receive('{"method":"BARRIER","id":9}')
    ((one,), (two,)) = frames(first), frames(second)
    assert (one["id"], one["result"]["name"], two["id"]) == (1, "open", 9)


def test_an_exchange_that_runs_by_itself_has_no_barriers() -> None:
    with pytest.raises(UsageError, match="by itself"):
        Lockstep(exchange())
