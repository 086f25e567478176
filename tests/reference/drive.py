"""The same orders and bars into the reference and into the real venue, and what both say in one form."""

from collections.abc import Sequence

from aister.core.events import (
    BarClosed,
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
)
from aister.core.instrument import Instrument
from aister.core.trade import FillKind, OrderType, Purpose, Side
from aister.core.trade import Order as Sent
from aister.sim.venue import SimVenue
from tests.reference.matcher import Matcher
from tests.reference.values import (
    LIMIT,
    MARKET,
    STOP,
    STOP_LIMIT,
    TAKE,
    TAKE_LIMIT,
    TRAILING,
    Bar,
    Order,
    Report,
)

__all__ = ["Pair", "Said"]

TYPES = {
    MARKET: OrderType.MARKET,
    LIMIT: OrderType.LIMIT,
    STOP: OrderType.STOP_MARKET,
    TAKE: OrderType.TAKE_PROFIT_MARKET,
    STOP_LIMIT: OrderType.STOP,
    TAKE_LIMIT: OrderType.TAKE_PROFIT,
    TRAILING: OrderType.TRAILING_STOP_MARKET,
}

Said = tuple[object, ...]
"""("fill", id, side, steps, ticks, fee, maker, liquidation), ("gone", id), ("funding", symbol, ...) or
("ack", id, time_ms)."""


class Pair:
    """Reference and venue side by side. `refused` holds what the venue would not take: the reference is not told."""

    def __init__(self, matcher: Matcher, venue: SimVenue, listed: dict[str, Instrument], capital: int) -> None:
        self.matcher, self.venue, self.listed = matcher, venue, listed
        self.refused: list[str] = []
        self.acknowledged: list[tuple[str, int]] = []
        self.fills = self.liquidations = self.sent = 0
        self.venue_legs = (1, -1) if venue.model.position_mode == "hedge" else (0,)
        self.before = ""
        for instrument in listed.values():
            venue.list_instrument(instrument)
        venue.deposit(capital)
        matcher.wallet += capital

    def place(self, order: Order, time_ms: int) -> bool:
        """Send to the venue and, if it takes the order, to the reference."""
        self.venue.send(sent(order), time_ms)
        answers = self.venue.take_reports()
        for answer in answers:
            if isinstance(answer, OrderRejected):
                self.refused.append(answer.reason)
                return False
        self.sent += 1
        self.matcher.place(order, time_ms)
        ours = [told(report) for report in self.matcher.take_reports()]
        assert ours == [spoken(answer) for answer in answers], f"placing {order}: reference {ours}, venue {answers}"
        self._note_acknowledged(ours)
        return True

    def cancel(self, symbol: str, order_id: str, time_ms: int) -> None:
        self.venue.cancel(symbol, order_id, time_ms)
        self.matcher.withdraw(symbol, order_id)
        self.compare("cancel")

    def settle(self, symbol: str, rate_e8: int, ticks: int, time_ms: int) -> None:
        instrument = self.listed[symbol]
        event = FundingSettled(time_ms, symbol, rate_e8, instrument.funding_interval_ms)
        self.venue.settle(event, instrument.price(ticks))
        self.matcher.settle(symbol, rate_e8, ticks)
        self.compare("settle")

    def open(self, bars: Sequence[Bar]) -> list[Said]:
        self.before = self.shown(bars)
        self.venue.open([self.closed(bar) for bar in bars])
        self.matcher.open(bars)
        return self.compare("open")

    def rest(self, bars: Sequence[Bar], *, again: bool = False) -> list[Said]:
        self.before = self.shown(bars)
        self.venue.rest([self.closed(bar) for bar in bars], again=again)
        self.matcher.rest(bars, again=again)
        return self.compare("again" if again else "rest")

    def close(self) -> None:
        self.matcher.close()

    def bar(self, bars: Sequence[Bar]) -> list[Said]:
        """A whole bar in which nobody answers a fill."""
        said = [*self.open(bars), *self.rest(bars)]
        while more := self.rest(bars, again=True):
            said += more
        self.close()
        return said

    def closed(self, bar: Bar) -> BarClosed:
        instrument = self.listed[bar.symbol]
        prices = (instrument.price(ticks) for ticks in (bar.open, bar.high, bar.low, bar.close))
        close_ms = bar.open_ms + self.matcher.interval_ms
        return BarClosed(close_ms, bar.symbol, bar.open_ms, *prices, instrument.size(bar.volume))

    def shown(self, bars: Sequence[Bar]) -> str:
        """What there is, for the message of a difference."""
        lines = [f"{bar}" for bar in bars]
        lines += [f"  {leg}: {held}" for leg, held in self.matcher.legs.items() if held.steps]
        lines += [f"  {order}" for bar in bars for order in self.matcher.orders[bar.symbol]]
        return "\n".join(lines)

    def differs(self, phase: str, what: str) -> str:
        return f"{what} differs after {phase} of {self.before}"

    def compare(self, phase: str) -> list[Said]:
        """Both said the same, in the same order, and hold the same; else an AssertionError that shows both."""
        theirs = [line for report in self.venue.take_reports() if (line := spoken(report))]
        ours = [told(report) for report in self.matcher.take_reports()]
        assert facts(ours) == facts(theirs), f"{phase} of {self.before}\nreference {ours}\nvenue     {theirs}"
        assert self.matcher.wallet == self.venue.wallet, self.differs(phase, "wallet")
        for symbol in self.listed:
            for leg in self.venue_legs:
                held, there = self.matcher.legs[symbol, leg], self.venue.position(symbol, leg)
                assert (held.steps, held.cost) == (there.steps, there.cost), f"{phase}: position in {symbol}"
            assert self.matcher.slippage[symbol] == self.venue.slippage_paid(symbol), self.differs(phase, "slippage")
            working = sorted(order.id for order in self.matcher.orders[symbol])
            assert working == sorted(o.client_id for o in self.venue.open_orders(symbol)), self.differs(phase, "orders")
            assert self.matcher.ambiguous[symbol] == self.venue.ambiguous_bars(symbol), self.differs(phase, "ambiguous")
            missed = self.matcher.target_first[symbol], self.venue.target_first(symbol)
            assert missed[0] == missed[1], self.differs(phase, f"target first {missed}")
        self._note_acknowledged(theirs)
        self.fills += sum(line[0] == "fill" for line in theirs)
        self.liquidations += sum(line[0] == "fill" and line[-1] is True for line in theirs)
        return theirs

    def _note_acknowledged(self, said: Sequence[Said]) -> None:
        self.acknowledged += [(str(line[1]), int(str(line[2]))) for line in said if line[0] == "ack"]


def facts(said: list[Said]) -> tuple[list[Said], list[Said]]:
    """Fills and funding in their order; acknowledgements and what went unfilled in any order within the phase."""
    loose = ("gone", "ack")
    return [line for line in said if line[0] not in loose], sorted(line for line in said if line[0] in loose)


def sent(order: Order) -> Sent:
    """The venue's order."""
    purpose = Purpose.CLOSE if order.reducing else Purpose.ENTRY
    return Sent(
        order.id,
        f"i-{order.id}",
        order.symbol,
        Side(order.side),
        TYPES[order.kind],
        purpose,
        0 if order.close else order.steps,
        order.price,
        order.trigger,
        order.reduce,
        order.close,
        order.worst,
        order.post_only,
        order.group,
        order.callback_e8,
        order.activation,
        order.leg,
    )


def told(report: Report) -> Said:
    if report.what == "ack":
        return ("ack", report.id, report.time_ms)
    if report.what == "gone":
        return ("gone", report.id)
    if report.what == "funding":
        return ("funding", report.id, report.side * report.steps, report.ticks, report.fee)
    return ("fill", report.id, report.side, report.steps, report.ticks, report.fee, report.maker, report.liquidation)


def spoken(report: object) -> Said | None:
    if isinstance(report, OrderAccepted):
        return ("ack", report.client_id, report.time_ms)
    if isinstance(report, OrderCanceled):
        return ("gone", report.client_id)
    if isinstance(report, FundingPaid):
        return ("funding", report.symbol, report.steps, report.price_ticks, report.amount)
    if isinstance(report, OrderFilled):
        fill = report.fill
        name = "" if fill.kind is FillKind.LIQUIDATION else fill.client_id
        liquidated = fill.kind is FillKind.LIQUIDATION
        return ("fill", name, int(fill.side), fill.steps, fill.price_ticks, fill.fee, fill.maker, liquidated)
    return None
