"""Equity over a run, counted from what the journal says was paid and held:
capital + transfers - sum of side x ticks x steps x unit - fees - funding + steps held x close x unit, exact.
"""

from aister.analytics.drafts import HOUR_MS
from aister.analytics.drawdown import Waterline
from aister.analytics.run_result import Equity
from aister.core.instrument import Instrument
from aister.core.trade import Fill

__all__ = ["EquityLine"]


class EquityLine:
    """A point per hour and per fill or transfer; drawdown looks at every close while a position is open, and after
    every fill. A moment is looked at once all its bars are in: `look` before anything moves it."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.close: dict[str, float] = {}
        self._cash = 0
        self._steps: dict[str, int] = {}
        self._times: list[int] = []
        self._amounts: list[int] = []
        self._below: list[float] = []
        self._water = Waterline()
        self._per_unit = 1.0  # what transfers moved is taken out
        self._due_ms = 0  # a moment whose closes are in and whose equity has not been looked at

    def begin(self, time_ms: int, capital: int) -> None:
        """The line starts at the capital, money units."""
        self._cash = capital
        self.point(time_ms)

    def closed(self, symbol: str, time_ms: int, close: float) -> None:
        """A bar closed at this price."""
        if time_ms != self._due_ms:
            self.look()
        self.close[symbol] = close
        if self._steps or time_ms % HOUR_MS == 0:
            self._due_ms = time_ms

    def paid(self, amount: int) -> None:
        """Funding went out, money units (negative: came in)."""
        self.look()
        self._cash -= amount

    def filled(self, fill: Fill) -> None:
        """A fill moved cash and position."""
        self.look()
        self._cash -= fill.side * fill.price_ticks * fill.steps * self.instruments[fill.symbol].unit + fill.fee
        steps = self._steps.pop(fill.symbol, 0) + fill.side * fill.steps
        if steps:
            self._steps[fill.symbol] = steps

    def transferred(self, amount: int) -> None:
        """Money came in (negative: went out); what it moves is not gain or loss."""
        self.look()
        before = self._equity()
        self._cash += amount
        if before > 0 and before + amount > 0:
            self._per_unit *= before / (before + amount)

    def look(self) -> None:
        """See the equity of the moment that is due."""
        if self._due_ms:
            time_ms, self._due_ms = self._due_ms, 0
            if time_ms % HOUR_MS == 0:
                self.point(time_ms)
            else:
                self._water.see(time_ms, self._equity() * self._per_unit)

    def point(self, time_ms: int) -> None:
        """Put the equity of now on the line."""
        equity = self._equity()
        self._water.see(time_ms, equity * self._per_unit)
        below = self._water.since()
        if self._times and self._times[-1] == time_ms:
            self._amounts[-1], self._below[-1] = equity, max(below, self._below[-1])
        else:
            self._times.append(time_ms)
            self._amounts.append(equity)
            self._below.append(below)

    def done(self, last_ms: int) -> Equity:
        """The line up to `last_ms`."""
        self.look()
        if last_ms > self._times[-1]:
            self.point(last_ms)
        return Equity(tuple(self._times), tuple(self._amounts), tuple(self._below), self._water.deepest)

    def _equity(self) -> int:
        equity = self._cash
        for symbol, steps in self._steps.items():
            one, close = self.instruments[symbol], self.close.get(symbol)
            equity += steps * one.unit * (one.to_ticks(close) if close is not None else 0)
        return equity
