"""How orders fill under `ohlc_path`, read off docs/fills.md: a walk from tick to tick, at each of which everything that
is reached acts, oldest first, orders before liquidation.

The walk stops behind each report, so that what its owner answers works on the rest of the path."""

from collections.abc import Iterable

from tests.reference.margin import Leg
from tests.reference.matcher import Matcher
from tests.reference.prices import bare_price
from tests.reference.values import LIMIT, MARKET, TRAILING, Bar, Order

__all__ = ["PathMatcher", "walk"]


def walk(bar: Bar) -> list[int]:
    """Every tick on the way: open, nearer extreme, other extreme, close; the low first when both are equally far."""
    turns = [bar.low, bar.high] if bar.open - bar.low <= bar.high - bar.open else [bar.high, bar.low]
    way = [bar.open]
    for turn in (*turns, bar.close):
        step = 1 if turn >= way[-1] else -1
        way.extend(range(way[-1] + step, turn + step, step))
    return way


class PathMatcher(Matcher):
    """Steps (1) to (3) are those of `stop_first`; the rest is one walk per symbol and leg."""

    def open(self, bars: Iterable[Bar]) -> None:
        bars = list(bars)
        super().open(bars)
        self.ways = {bar.symbol: walk(bar) for bar in bars}
        self.reached: dict[Leg, int] = {}

    def rest(self, bars: Iterable[Bar], *, again: bool = False) -> None:
        self.resting = True
        for bar in sorted(bars, key=lambda bar: bar.symbol):
            if not again:
                self.last.update({(bar.symbol, leg): bar.close for leg in (0, 1, -1)})
            for leg in (0, 1, -1):
                if not again and self.legs[bar.symbol, leg].steps:
                    self._ambiguous_targets(bar, (bar.symbol, leg))
                self._go_on(bar, (bar.symbol, leg))
        self.resting = False

    def close(self) -> None:
        """The bar is over."""
        self.inside = False
        for symbol, bar in self.bars.items():
            self.last.update({(symbol, leg): bar.close for leg in (0, 1, -1)})

    def _go_on(self, bar: Bar, here: Leg) -> None:
        """From where the path has got to, up to the next report or the close. There it is over: what is sent later, in
        answer to what happens elsewhere, meets the next open."""
        way, number = self.ways[bar.symbol], self.reached.get(here, 0)
        setting_out = way[min(number, len(way) - 1)]
        for place in range(number, len(way)):
            self.reached[here] = place
            for order in self._waiting(bar, TRAILING):
                if order.leg == here[1]:
                    self._advance(order, way[place])
            if self._act(bar, here, way[place]):
                return
            if self._falls(bar, here, way[place], setting_out):
                self._liquidate(here, bar, way[place], gap=False)
                return
        self.reached[here] = len(way)

    def _act(self, bar: Bar, here: Leg, at: int) -> bool:
        """Whatever is reached at this price, oldest first; True as soon as there is something to report."""
        said = len(self.reports)
        while order := self._next(bar, here, at):
            if order.kind == MARKET:
                self._meet(order, bar, at)
            elif order.kind == LIMIT and order.fresh:
                order.fresh = False
                self._arrive(order, bar, at)
            elif order.kind == LIMIT:
                self._make(order, bar)
            else:
                self._trip(order, bar, at)
            if len(self.reports) > said:
                return True
        return False

    def _falls(self, bar: Bar, here: Leg, at: int, since: int) -> bool:
        """Is this leg liquidated here? Only on the way to its adverse side: hedged legs of one symbol may break the
        account on the other's."""
        held = self.legs[here]
        adverse = held.steps != 0 and (at - since) * held.sign <= 0
        return adverse and self.margins.broken(here, at, self.wallet, self._others(bar))

    def _next(self, bar: Bar, here: Leg, at: int) -> Order | None:
        """The oldest order of this leg that has something to do at this price."""
        for order in self._waiting(bar):
            if order.leg != here[1]:
                continue
            if order.kind == MARKET or (order.kind == LIMIT and order.fresh):
                return order
            if order.kind == LIMIT and (order.price - at) * order.side >= 1:
                return order
            if order.kind not in (MARKET, LIMIT) and self._reached(order, at, at):
                return order
        return None

    def _meet(self, order: Order, bar: Bar, at: int) -> None:
        """A market order, at once; one whose worst price the market is beyond expires."""
        bare = bare_price(self.terms[bar.symbol], at, order.side)
        if order.worst and (bare - order.worst) * order.side > 0:
            self._gone(order)
        else:
            self._take(order, bar, at, with_extra=False)
