"""Audits as sentences: the few of them that a person wants to hear about."""

from collections.abc import Mapping

from aister.analytics.report.words import money, percent, price, signed, utc
from aister.core.audit import AskCouncil, Audit, BreakerChanged, PlanVoided, Reviewed, TradeClosed
from aister.core.council import Setup
from aister.core.events import (
    CommandGiven,
    DecisionMade,
    EntriesFrozen,
    EntriesThawed,
    Event,
    MoneyBooked,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
)
from aister.core.instrument import Instrument
from aister.core.money import money_text
from aister.core.trade import FillKind, Purpose

__all__ = ["Telling", "verdict"]


class Telling:
    """Counts what happens, remembers the newest decision, and puts what matters into words (not yet made safe to
    show)."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._setups: dict[str, Setup] = {}
        self.decisions = self.vetoes = self.trades = self.won = self.refused = 0
        self.pnl = 0
        self.last: tuple[Setup, DecisionMade] | None = None
        self.became = ""
        self.frozen: dict[str, str] = {}
        """Why nothing new is entered, by cause."""

    def hear(self, audit: Audit) -> list[str]:
        """Sentences about this audit; none for a plain bar."""
        event, said = audit.event, []
        if type(event) is DecisionMade:
            said.append(self._decided(event))
        elif type(event) is OrderFilled:
            said += self._filled(event)
        elif type(event) is CommandGiven:
            said.append(f"{utc(event.time_ms)} command: {type(event.command).__name__}")
        else:
            said += self._of_the_exchange(event)
        for output in audit.outputs:
            if type(output) is AskCouncil:
                self._setups[output.question.setup.symbol] = output.question.setup
            elif type(output) is Reviewed and output.granted_steps == 0 and output.intent.purpose is Purpose.ENTRY:
                self.refused += 1
                said.append(
                    self._after(
                        output.intent.symbol,
                        f"{utc(event.time_ms)} {output.intent.symbol} refused by {output.limit}: {output.reason}",
                    )
                )
            elif type(output) is PlanVoided:
                said.append(
                    self._after(output.symbol, f"{utc(event.time_ms)} {output.symbol} given up: {output.reason}")
                )
            elif type(output) is TradeClosed:
                said.append(self._closed(output))
            elif type(output) is BreakerChanged:
                said.append(f"{utc(event.time_ms)} breaker {output.state}: {output.reason}")
        return said

    def _of_the_exchange(self, event: Event) -> list[str]:
        """What only happens at a real one."""
        if type(event) is EntriesFrozen:
            self.frozen[event.cause] = event.reason
            return [f"{utc(event.time_ms)} entries are frozen ({event.cause}): {event.reason}"]
        if type(event) is EntriesThawed:
            self.frozen.pop(event.cause, None)
            left = f"frozen by {', '.join(self.frozen)}" if self.frozen else "entries may go on"
            return [f"{utc(event.time_ms)} no longer frozen by {event.cause}: {left}"]
        if type(event) is MoneyBooked:
            way = "came in" if event.amount > 0 else "went out"
            return [f"{utc(event.time_ms)} {money_text(abs(event.amount), 2)} USDT {way} ({event.kind}): booked"]
        if type(event) is OrderUnknown:
            return [f"{utc(event.time_ms)} {event.symbol} nobody knows yet whether an order is there: {event.reason}"]
        if type(event) is OrderRejected:
            return [f"{utc(event.time_ms)} {event.symbol} an order was refused: {event.reason}"]
        return []

    def _after(self, symbol: str, sentence: str) -> str:
        """A sentence that says what the newest decision came to, if it is about that symbol."""
        if self.last is not None and self.last[0].symbol == symbol:
            self.became = sentence
        return sentence

    def _decided(self, event: DecisionMade) -> str:
        made = event.decision
        self.decisions += 1
        self.vetoes += made.verdict.stance == "VETO"
        setup = self._setups.get(made.symbol)
        what = made.setup_id if setup is None else f"{setup.symbol} {setup.side.word} {setup.rule}"
        if setup is not None:
            self.last, self.became = (setup, event), ""
        return f"{utc(event.time_ms)} {what}: {verdict(event)}"

    def _filled(self, event: OrderFilled) -> list[str]:
        fill = event.fill
        one = self._instruments[fill.symbol]
        at = price(one.price(fill.price_ticks), one.price_decimals)
        if fill.kind is FillKind.LIQUIDATION:
            return [f"{utc(event.time_ms)} {fill.symbol} LIQUIDATED at {at}"]
        if fill.purpose == Purpose.ENTRY:
            return [
                self._after(
                    fill.symbol,
                    f"{utc(event.time_ms)} {fill.symbol} {fill.side.word} {one.size_text(fill.steps)} opened at {at}",
                )
            ]
        return []

    def _closed(self, trade: TradeClosed) -> str:
        self.trades += 1
        self.won += trade.pnl > 0
        self.pnl += trade.pnl
        multiple = f" ({signed(trade.pnl / trade.initial_risk)} R)" if trade.initial_risk > 0 else ""
        return (
            f"{utc(trade.closed_ms)} {trade.symbol} {trade.side.word} closed by {trade.reason}: "
            f"{money(trade.pnl)} net{multiple}"
        )


def verdict(event: DecisionMade) -> str:
    """How a decision ended, in a few words."""
    made = event.decision
    if made.verdict.stance == "VETO":
        return f"VETO, {', '.join(made.verdict.reasons)}"
    if made.outcome == "TRADE":
        ballot = made.ballot
        return (
            f"TRADE at {percent(ballot.p_star)}, expected {signed(ballot.expected_r)} R, size x "
            f"{ballot.size_factor:.2f}"
        )
    return f"no trade, {made.reason}"
