"""How the trader behaves: messages a second, a minute, a day; equal entries in a row; losses in a row; recent stops.

Message bounds (C11): the message that uses up an allowance still goes, and trips; nothing follows until a person
resumes. Entries have the full pace. All orders together, protective ones included, have `messages_an_entry` times the
burst and the minute, because one entry brings a stop and up to three targets; they trip the same breaker, which still
lets every reduction through. Cancels are not counted.
"""

import msgspec

from aister.core.audit import TradeClosed
from aister.core.trade import Order, Purpose
from aister.risk.kelly import Outcome, remember
from aister.risk.nav import DAY_MS, day_of
from aister.risk.profile import Limits, Pace

__all__ = ["LIQUIDATED", "STOPPED", "Conduct", "Window"]

STOPPED = "stop"
LIQUIDATED = "liquidation"
_PAUSED = (STOPPED, LIQUIDATED, "adl", "outside")
_MINUTE_MS = 60_000


class Window(msgspec.Struct):
    """Messages sent: a bucket in thousandths of a message, the times of the last minute, a count of the UTC day."""

    tokens: int = -1
    last_ms: int = 0
    minute: list[int] = []
    day: int = 0
    count: int = 0

    def take(self, time_ms: int, pace: Pace) -> str:
        """Count one message; the bound it used up, in words, or an empty string."""
        full = pace.burst * 1_000
        refilled = full if self.tokens < 0 else self.tokens + pace.per_second * (time_ms - self.last_ms)
        self.tokens = min(full, refilled) - 1_000
        self.last_ms = time_ms
        self.minute = [sent for sent in self.minute if sent > time_ms - _MINUTE_MS]
        self.minute.append(time_ms)
        today = day_of(time_ms)
        self.count = self.count + 1 if today == self.day else 1
        self.day = today
        if self.tokens < 1_000:
            return f"a burst of {pace.burst} at {pace.per_second} a second"
        if len(self.minute) >= pace.per_minute:
            return f"{pace.per_minute} in a minute"
        return f"{pace.per_day} in a day" if self.count >= pace.per_day else ""


class Conduct(msgspec.Struct):
    """Everything counted about orders and trades. `halts` maps a cause ("messages", "repetition", "liquidation") to its
    sentence; a person's resume empties it."""

    entries: Window = msgspec.field(default_factory=Window)
    messages: Window = msgspec.field(default_factory=Window)
    repeated: dict[str, int] = {}
    entries_today: int = 0
    entries_day: int = 0
    losses_in_row: int = 0
    paused_until_ms: int = 0
    stopped_ms: dict[str, int] = {}
    outcomes: list[Outcome] = []
    halts: dict[str, str] = {}

    def sent(self, time_ms: int, order: Order, limits: Limits) -> None:
        """An order left: count it, and halt when a bound is used up."""
        pace, many = limits.entries, limits.messages_an_entry
        wide = Pace(pace.per_second * many, pace.burst * many, pace.per_minute * many, 2**62)
        if used := self.messages.take(time_ms, wide):
            self.halts.setdefault("messages", f"orders used up {used}")
        if order.purpose is not Purpose.ENTRY:
            return
        if used := self.entries.take(time_ms, pace):
            self.halts.setdefault("messages", f"entries used up {used}")
        key = f"{order.symbol} {order.side.word}"
        self.repeated[key] = self.repeated.get(key, 0) + 1
        if self.repeated[key] >= limits.repeats:
            self.halts.setdefault("repetition", f"{self.repeated[key]} entries {key} without a decision between them")
        self.entries_today = self.trades_on(time_ms) + 1
        self.entries_day = day_of(time_ms)

    def decided(self, symbol: str) -> None:
        """A decision on the symbol: its entries are no longer repetition."""
        for key in [key for key in self.repeated if key.startswith(f"{symbol} ")]:
            del self.repeated[key]

    def closed(self, trade: TradeClosed, limits: Limits) -> None:
        """A trade ended: its outcome for Kelly, the run of losses, the pause after a stop. A zero leaves the run as it
        is; the pause it earns ends a run."""
        remember(self.outcomes, trade)
        if trade.pnl > 0:
            self.losses_in_row = 0
        elif trade.pnl < 0:
            self.losses_in_row += 1
        if self.losses_in_row >= limits.losses_in_row:
            self.losses_in_row = 0
            self.paused_until_ms = trade.closed_ms + limits.losses_pause_ms
        if trade.reason in _PAUSED:
            self.stopped_ms[trade.symbol] = trade.closed_ms
        if trade.reason == LIQUIDATED:
            self.halts.setdefault("liquidation", f"{trade.symbol} was liquidated")

    def trades_on(self, time_ms: int) -> int:
        """Entries sent on the UTC day of `time_ms`."""
        return self.entries_today if self.entries_day == time_ms // DAY_MS else 0

    def resume(self) -> None:
        """A person looked: halts go, messages and repetition start from nothing."""
        self.halts = {}
        self.entries, self.messages, self.repeated = Window(), Window(), {}
