"""One entry under review: the intent, what it meets, and the figures every limit needs of it, worked out once."""

import msgspec

from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE
from aister.core.permission import CapLine, Intent
from aister.core.trade import OrderType
from aister.risk.profile import Limits
from aister.risk.situation import Situation, slip_ticks
from aister.risk.sizing import size_for_risk, steps_within
from aister.risk.state import State

__all__ = ["Ask", "ask"]


class Ask(msgspec.Struct, frozen=True):
    """An entry as the limits see it. Distances in ticks, money in 1e-8.

    `equity` and `mark` are 0 when unknown, so that every size becomes 0. `entry` is the price counted on: a limit's
    own, else the worse of mark and reference. `distance` = |entry - stop|; `slip` how far the stop may slip (None =
    ATR unknown). `largest` and `smallest` are the order sizes the instrument takes.
    """

    intent: Intent
    situation: Situation
    state: State
    limits: Limits
    instrument: Instrument
    equity: int
    mark: int
    entry: int
    distance: int
    slip: int | None
    largest: int
    smallest: int

    def line(self, limit: str, steps: int, used: float, bound: float) -> CapLine:
        """The limit's word, kept within what one order can be."""
        return CapLine(limit, max(0, min(steps, self.largest)), used, bound)

    def gate(self, limit: str, open_: bool, used: float, bound: float) -> CapLine:
        """The word of a limit that only says yes or no."""
        return CapLine(limit, self.largest if open_ else 0, used, bound)

    def within(self, limit: str, taken: int, bound_e8: int, base: int, money_a_tick: int) -> CapLine:
        """As many steps as fit between what is taken and the bound, both shown as fractions of `base`."""
        budget = base * bound_e8 // RATE_ONE - taken
        steps = steps_within(budget, money_a_tick * self.instrument.unit)
        return self.line(limit, steps, taken / base if base > 0 else 0.0, bound_e8 / RATE_ONE)

    def at_risk(self, risk_e8: int) -> int:
        """The steps that lose `risk_e8` of equity between entry and stop."""
        return size_for_risk(self.equity, risk_e8, self.distance, self.instrument.unit)


def ask(intent: Intent, situation: Situation, state: State, limits: Limits, instrument: Instrument) -> Ask:
    """Work out the figures of an entry."""
    market = intent.type is not OrderType.LIMIT
    mark = situation.mark_ticks or 0
    entry = intent.price_ticks
    if market:
        entry = max(mark, entry) if intent.side > 0 else min(mark or entry, entry)
    atr = situation.atr_1m_ticks
    price = mark if market else intent.price_ticks
    least = -(-instrument.min_notional // (max(1, price) * instrument.unit))
    return Ask(
        intent=intent,
        situation=situation,
        state=state,
        limits=limits,
        instrument=instrument,
        equity=max(0, situation.equity or 0),
        mark=mark,
        entry=entry,
        distance=abs(entry - intent.stop_ticks),
        slip=None if atr is None else slip_ticks(entry, atr, instrument.base, limits),
        largest=instrument.market_max_steps if market else instrument.max_steps,
        smallest=max(instrument.min_steps, least),
    )
