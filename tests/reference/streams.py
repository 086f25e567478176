"""Seeded random orders over seeded random bars on a coarse grid, where triggers, limits and opens collide."""

import random
from collections.abc import Sequence

from aister.core.instrument import Instrument
from aister.sim.models import FillModel
from aister.sim.venue import SimVenue
from tests.reference.drive import Pair
from tests.reference.matcher import Matcher
from tests.reference.path import PathMatcher
from tests.reference.values import LIMIT, MARKET, STOP, STOP_LIMIT, TAKE, TAKE_LIMIT, TRAILING, Bar, Order, Terms
from tests.sim.market import MINUTE_MS, bracketed, instrument

__all__ = ["CAPITAL", "MINUTE_MS", "Stream", "pair", "stream", "terms_of"]

CAPITAL = 10**15
PLAIN = (MARKET, LIMIT, LIMIT, STOP, STOP, TAKE)
EVERY = (*PLAIN, STOP_LIMIT, STOP_LIMIT, TAKE_LIMIT, TRAILING)


def terms_of(listed: Instrument, model: FillModel) -> Terms:
    """What the reference needs to know of an instrument and a model, as plain numbers."""
    impact = model.impact
    return Terms(
        listed.unit,
        listed.maker_e8,
        listed.taker_e8,
        listed.liquidation_e8,
        model.slippage.half_spread(listed),
        [(bracket.maintenance_e8, bracket.deduction) for bracket in listed.brackets],
        model.margin.leverage,
        floor_e8=model.slippage.stop_floor_e8,
        range_percent=model.slippage.stop_range_percent,
        cap_e8=model.volume_share_e4 * 10_000 or None,
        impact=(impact.coefficient_e4 * 10_000, impact.haircut_e4 * 10_000, impact.unknown_e8) if impact else None,
        fee_tiers=[(tier.volume, tier.maker_e8, tier.taker_e8) for tier in model.fees.tiers],
    )


def pair(model: FillModel, symbols: Sequence[str] = ("BTCUSDT",), capital: int = CAPITAL) -> Pair:
    """Instruments with a tick of 0.1 and a step of 0.001, without bounds on leverage."""
    listed = {name: instrument(name, brackets=bracketed().brackets) for name in symbols}
    matcher = (PathMatcher if model.intrabar == "ohlc_path" else Matcher)(
        {name: terms_of(one, model) for name, one in listed.items()},
        interval_ms=MINUTE_MS,
        cross=model.margin.mode == "cross",
        wait=model.latency.bars(MINUTE_MS),
        ack_wait=model.latency.ack_bars(MINUTE_MS),
    )
    return Pair(matcher, SimVenue(base_interval_ms=MINUTE_MS, model=model), listed, capital)


class Stream:
    """A walk of a few ticks a bar and an order now and then."""

    def __init__(
        self, seed: int, symbol: str = "BTCUSDT", *, kinds: Sequence[str] = PLAIN, hedge: bool = False
    ) -> None:
        self.random = random.Random(f"{seed} {symbol}")
        self.symbol, self.kinds, self.hedge = symbol, kinds, hedge
        self.price, self.swing = 2_000, 12
        self.minute = self.count = 0

    def bar(self, minute: int) -> Bar:
        draw, swing = self.random, self.swing
        gap = draw.randint(-swing, swing) if draw.random() < 0.3 else draw.randint(-1, 1)
        opened = max(200, self.price + gap)
        high, low = opened + draw.randint(0, swing), opened - draw.randint(0, swing)
        self.price = draw.randint(low, high)
        volume = draw.choice([0, 200, 4_000, 10_000, 40_000])
        return Bar(self.symbol, minute * MINUTE_MS, opened, high, low, self.price, volume)

    def order(self, around: int) -> Order:
        draw = self.random
        self.count += 1
        kind = draw.choice(self.kinds)
        side, at = draw.choice([1, -1]), around + draw.randint(-self.swing, self.swing)
        order = Order(f"{self.symbol}-{self.count}", self.symbol, kind, side, draw.randint(1, 60) * 10)
        if kind in (LIMIT, STOP_LIMIT, TAKE_LIMIT):
            order.price = at if kind == LIMIT else at + draw.randint(-3, 3)
        if kind not in (LIMIT, MARKET, TRAILING):
            order.trigger = at
        if kind == TRAILING:
            order.callback_e8 = draw.choice([100_000, 250_000, 400_000])
            order.activation = around - side * draw.randint(0, 8) if draw.random() < 0.4 else 0
        order.close = kind in (STOP, TAKE) and draw.random() < 0.3
        if not self.hedge:
            order.reduce = not order.close and draw.random() < 0.3
        else:
            order.leg = draw.choice([1, -1])
        if len(self.kinds) > len(PLAIN):
            order.post_only = kind == LIMIT and draw.random() < 0.2
            order.group = draw.choice([0, 0, 1 + self.count // 4])
            order.worst = around + side * draw.randint(0, 4) if kind == MARKET and draw.random() < 0.2 else 0
        return order


def place(both: Pair, order: Order, time_ms: int) -> None:
    """Send it; a group that has begun to fill takes no more members."""
    if (order.symbol, order.group) in both.matcher.begun:
        order.group = 0
    both.place(order, time_ms)


def stream(
    seed: int,
    bars: int,
    model: FillModel,
    *,
    symbols: Sequence[str] = ("BTCUSDT",),
    kinds: Sequence[str] = EVERY,
    capital: int = CAPITAL,
    bars_a_day: int = 0,
) -> Pair:
    """Run one stream through both; raises AssertionError at the first thing they see differently. `bars_a_day` > 0:
    that many bars of each UTC day, the first and the last among them. Now and then one of several symbols has no bar.
    """
    hedge = model.position_mode == "hedge"
    both = pair(model, symbols, capital)
    flows = [Stream(seed, symbol, kinds=kinds, hedge=hedge) for symbol in symbols]
    draw = random.Random(seed)
    minute = 0
    both.bar([flow.bar(minute) for flow in flows])
    for number in range(bars):
        now = (minute + 1) * MINUTE_MS
        for flow in flows:
            for _ in range(draw.choice([0, 0, 1, 1, 2, 4])):
                place(both, flow.order(flow.price), now)
            working = both.matcher.orders[flow.symbol]
            if draw.random() < 0.2 and working:
                both.cancel(flow.symbol, draw.choice(working).id, now)
        minute += 2 if draw.random() < 0.02 else 1
        if bars_a_day:
            rest = (number + 1) % bars_a_day
            minute = (number + 1) // bars_a_day * 1_440 + (rest if rest < bars_a_day - 1 else 1_439)
        absent = draw.choice(flows) if len(flows) > 1 and draw.random() < 0.05 else None
        slice_ = {flow: flow.bar(minute) for flow in flows if flow is not absent}
        bars_now = list(slice_.values())
        for flow, bar in slice_.items():
            if draw.random() < 0.1:
                both.settle(flow.symbol, draw.randint(-50_000, 50_000), bar.open, bar.open_ms)
        both.open(bars_now)
        for flow, bar in slice_.items():
            if draw.random() < 0.4:
                place(both, flow.order(bar.open), bar.open_ms)
        said = both.rest(bars_now)
        while said:
            if draw.random() < 0.4:
                flow = draw.choice(list(slice_))
                place(both, flow.order(flow.price), minute * MINUTE_MS + MINUTE_MS - 1)
            said = both.rest(bars_now, again=True)
        both.close()
    return both
