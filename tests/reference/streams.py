"""Seeded random orders over seeded random bars on a coarse grid, where triggers, limits and opens collide."""

import random

from aister.core.instrument import Instrument
from aister.sim.venue import SimVenue
from tests.reference.drive import Pair
from tests.reference.matcher import Matcher
from tests.reference.values import LIMIT, MARKET, STOP, TAKE, Bar, Order, Terms
from tests.sim.market import bracketed

__all__ = ["MINUTE_MS", "pair", "stream"]

MINUTE_MS = 60_000
CAPITAL = 10**15


def terms_of(instrument: Instrument, half_spread_e8: int, leverage: int) -> Terms:
    tiers = [(bracket.maintenance_e8, bracket.deduction // 1) for bracket in instrument.brackets]
    return Terms(
        instrument.unit,
        instrument.maker_e8,
        instrument.taker_e8,
        instrument.liquidation_e8,
        half_spread_e8,
        [(rate, deduction) for rate, deduction in tiers],
        leverage,
    )


def pair(leverage: int = 3, *, wait_ms: int = 0) -> Pair:
    """One instrument with a tick of 0.1 and step of 0.001 at the default model."""
    from aister.sim.models import Latency

    instrument = bracketed()
    venue = SimVenue(base_interval_ms=MINUTE_MS, leverage=leverage, latency=Latency(wait_ms))
    terms = {instrument.symbol: terms_of(instrument, venue.slippage.half_spread(instrument), leverage)}
    matcher = Matcher(terms, interval_ms=MINUTE_MS, wait=wait_ms // MINUTE_MS)
    return Pair(matcher, venue, {instrument.symbol: instrument}, CAPITAL)


class Stream:
    """A walk of a few ticks a bar and an order now and then."""

    def __init__(self, seed: int, symbol: str = "BTCUSDT", price: int = 2_000, swing: int = 12) -> None:
        self.random = random.Random(seed)
        self.symbol, self.price, self.swing = symbol, price, swing
        self.minute = self.count = 0

    def bar(self) -> Bar:
        draw, swing = self.random, self.swing
        self.minute += 2 if draw.random() < 0.02 else 1
        gap = draw.randint(-swing, swing) if draw.random() < 0.3 else draw.randint(-1, 1)
        opened = max(200, self.price + gap)
        high, low = opened + draw.randint(0, swing), opened - draw.randint(0, swing)
        self.price = draw.randint(low, high)
        volume = draw.choice([0, 1, 40, 400, 4_000, 40_000])
        return Bar(self.symbol, self.minute * MINUTE_MS, opened, high, low, self.price, volume)

    def order(self, around: int) -> Order:
        draw = self.random
        self.count += 1
        kind = draw.choice([MARKET, LIMIT, LIMIT, STOP, STOP, TAKE])
        side, at = draw.choice([1, -1]), around + draw.randint(-self.swing, self.swing)
        order = Order(f"o{self.count}", self.symbol, kind, side, draw.randint(1, 60) * 10)
        if kind == LIMIT:
            order.price = at
        elif kind != MARKET:
            order.trigger = at
            order.close = draw.random() < 0.3
        order.reduce = not order.close and draw.random() < 0.3
        return order


def stream(seed: int, bars: int, *, leverage: int = 3, wait_ms: int = 0) -> Pair:
    """Run one stream through both; raises AssertionError at the first thing they see differently."""
    both, flow = pair(leverage, wait_ms=wait_ms), Stream(seed)
    draw = flow.random
    bar = flow.bar()
    both.bar([bar])
    for _ in range(bars):
        now = (flow.minute + 1) * MINUTE_MS
        for _ in range(draw.choice([0, 0, 1, 1, 2, 4])):
            both.place(flow.order(bar.close), now)
        if draw.random() < 0.2 and both.matcher.orders[flow.symbol]:
            both.cancel(flow.symbol, draw.choice(both.matcher.orders[flow.symbol]).id, now)
        bar = flow.bar()
        if draw.random() < 0.1:
            both.settle(flow.symbol, draw.randint(-50_000, 50_000), bar.open, bar.open_ms)
        both.open([bar])
        if draw.random() < 0.4:
            both.place(flow.order(bar.open), bar.open_ms)
        said = both.rest([bar])
        if any(line[0] == "fill" for line in said):
            if draw.random() < 0.4:
                both.place(flow.order(bar.open), bar.open_ms + MINUTE_MS - 1)
            both.rest([bar], again=True)
        both.close()
    return both
