"""Our trades of the oracle month: the venue under a fill model reduced to what the oracles have."""

from typing import NamedTuple

from aister.bench.data import BENCH_INSTRUMENT, MINUTE_MS
from aister.core.events import BarClosed, OrderFilled
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.market import Series
from aister.sim.models import FillModel, Slippage
from aister.sim.venue import SimVenue

__all__ = ["Trade", "trades"]

MODEL = FillModel(
    slippage=Slippage((("BTC", 10_000),), stop_floor_e8=0, stop_range_percent=0), impact=None, volume_share_e4=0
)
STEPS = 100


class Trade(NamedTuple):
    """Bars of entry and exit, side, prices in quote, and "stop" or "target" (or "close": refused orders)."""

    entry: int
    exit: int
    side: int
    paid: float
    got: float
    reason: str


def trades(series: Series, signals: list[list[int]]) -> list[Trade]:
    """One bracket at a time: a market entry at the open after a signal, its stop and target beside it at once."""
    venue = SimVenue(base_interval_ms=MINUTE_MS, model=MODEL)
    venue.list_instrument(BENCH_INSTRUMENT)
    venue.deposit(10**15)
    given = {at: (side, stop, target) for at, side, stop, target in signals}
    found: list[Trade] = []
    columns = zip(series.open, series.high, series.low, series.close, strict=True)
    side, stop, target, entered, paid = 0, 0, 0, -1, 0.0
    for i, (o, h, l, c) in enumerate(columns):
        if entered < 0 and i not in given and i - 1 not in given:
            continue  # flat, and nothing sent: a bar changes nothing
        opened = int(series.open_ms[i])
        bar = [BarClosed(opened + MINUTE_MS, "BTCUSDT", opened, float(o), float(h), float(l), float(c), 1.0)]
        venue.open(bar)
        for phase in ("open", "rest"):
            if phase == "rest":
                venue.rest(bar)
            for report in venue.take_reports():
                if not isinstance(report, OrderFilled):
                    continue
                fill = report.fill
                price = fill.price_ticks / 100
                if fill.purpose == Purpose.ENTRY:
                    entered, paid = i, price
                    for kind, name, at in (
                        (OrderType.STOP_MARKET, "stop", stop),
                        (OrderType.TAKE_PROFIT_MARKET, "target", target),
                    ):
                        order = Order(
                            f"{name}{i}", name, "BTCUSDT", Side(-side), kind, Purpose.STOP, 0, 0, at, False, True
                        )
                        venue.send(order, opened)
                else:
                    found.append(Trade(entered, i, side, paid, price, fill.intent_id))
                    for order in venue.open_orders("BTCUSDT"):
                        venue.cancel("BTCUSDT", order.client_id, opened)
                    entered = -1
        if entered < 0 and i in given:
            side, stop, target = given[i]
            entry = Order(
                f"in{i}", "in", "BTCUSDT", Side(side), OrderType.MARKET, Purpose.ENTRY, STEPS, 0, 0, False, False
            )
            venue.send(entry, opened + MINUTE_MS)
    return found
