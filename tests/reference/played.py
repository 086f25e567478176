"""A stage for hand-worked cases: every bar and order goes to the reference and to the venue, which must agree.

One tick is 0.1, one step 0.001, so one tick x one step is 0.0001 = 10,000 units of 1e-8. Fees: maker 1 bp, taker 3.5
bp, liquidation 1.25 %. Half-spread 0.5 bp; stops pay max(1 bp, 10 % of mean true range) more. At a price of 100,000
ticks the half-spread is 5 ticks, 1 bp is 10, and 1,000 steps are worth 100,000 x 1,000 x 10,000 = 10^12 =
10,000.00000000.
"""

from collections.abc import Sequence

import msgspec

from aister.sim.models import Latency
from tests.reference.drive import Said
from tests.reference.streams import CAPITAL, MINUTE_MS, pair
from tests.reference.values import LIMIT, MARKET, Bar, Order
from tests.sim.market import plain_model

__all__ = ["Played", "buy", "sell"]

SYMBOL = "BTCUSDT"


def buy(name: str, kind: str = MARKET, steps: int = 1_000, at: int = 0, **more: object) -> Order:
    """A buy order; `at` is the price of a limit, the trigger of the others."""
    return _order(1, name, kind, steps, at, more)


def sell(name: str, kind: str = MARKET, steps: int = 1_000, at: int = 0, **more: object) -> Order:
    return _order(-1, name, kind, steps, at, more)


def _order(side: int, name: str, kind: str, steps: int, at: int, more: dict[str, object]) -> Order:
    price, trigger = (at, 0) if kind == LIMIT else (int(str(more.pop("price", 0))), at)
    return Order(name, SYMBOL, kind, side, steps, price, trigger, **more)  # type: ignore[arg-type]


class Played:
    """Starts after one flat bar at 100,000, so that there is a market price and no range yet."""

    def __init__(self, leverage: int = 3, wait_ms: int = 0, ack_ms: int = 0, **changes: object) -> None:
        """`changes`: fields of the fill model other than a plain one's (no impact, no volume cap)."""
        model = plain_model(leverage, latency=Latency(wait_ms, ack_ms))
        self.both = pair(msgspec.structs.replace(model, **changes))
        self.minute = 0
        self.bar(100_000)

    def send(self, *orders: Order) -> None:
        for order in orders:
            assert self.both.place(order, self.minute * MINUTE_MS), self.both.refused[-1]

    def bar(
        self,
        opened: int,
        high: int = 0,
        low: int = 0,
        close: int = 0,
        *,
        after_open: Sequence[Order] = (),
        after_rest: Sequence[Order] = (),
        skip: int = 0,
        volume: int = 10**9,
    ) -> list[tuple[object, ...]]:
        """One bar (flat where nothing is said); answers (order, side x steps, ticks, maker) of its fills. `skip` bars
        are missing before it."""
        self.minute += skip
        bar = Bar(SYMBOL, self.minute * MINUTE_MS, opened, high or opened, low or opened, close or opened, volume)
        self.minute += 1
        said = self.both.open([bar])
        self.send(*after_open)
        said = said + self.both.rest([bar])
        self.send(*after_rest)
        while more := self.both.rest([bar], again=True):
            said = said + more
        self.both.close()
        return [_fill(line) for line in said if line[0] == "fill"]

    def funding(self, rate_e8: int, ticks: int) -> None:
        self.both.settle(SYMBOL, rate_e8, ticks, self.minute * MINUTE_MS)

    @property
    def earned(self) -> int:
        """Change of the wallet since the start, in 1e-8."""
        return self.both.matcher.wallet - CAPITAL

    @property
    def steps(self) -> int:
        return self.both.matcher.legs[SYMBOL, 0].steps

    @property
    def working(self) -> list[str]:
        return [order.id for order in self.both.matcher.orders[SYMBOL]]

    @property
    def target_first(self) -> int:
        return self.both.matcher.target_first[SYMBOL]

    @property
    def acknowledged(self) -> list[tuple[object, int]]:
        """(order, number of the open) so far; the bar at the start is number 0."""
        return [(name, time_ms // MINUTE_MS) for name, time_ms in self.both.acknowledged]

    @property
    def ambiguous(self) -> int:
        return self.both.matcher.ambiguous[SYMBOL]


def _fill(line: Said) -> tuple[object, ...]:
    _, name, side, steps, ticks, _, maker, liquidation = line
    return ("liquidation" if liquidation else name, int(str(side)) * int(str(steps)), ticks, bool(maker))
