"""Everything the kernel remembers. Rebuilt by replaying the journal; also a plain value to keep and restore."""

import msgspec

from aister.core.audit import Breaker
from aister.risk.conduct import Conduct
from aister.risk.kelly import Kelly
from aister.risk.nav import Nav

__all__ = ["STOPS_OF", "State", "Tally"]


class Tally(msgspec.Struct):
    """What one limit has done: refusals it is named for, sizes it bound, refusals it would have made alone while
    another was named; and the figures of its last look. `last_fired_ms` = 0: never."""

    fired: int = 0
    bound_size: int = 0
    would_have_fired: int = 0
    last_fired_ms: int = 0
    used: float = 0.0
    bound: float = 0.0


STOPS_OF = "stops of "
"""Begins the cause of a freeze of one symbol alone: the venue takes no stop of it."""


class State(msgspec.Struct):
    """The kernel's memory. `killed` holds the sentence of an engaged kill switch, or nothing; `frozen` why there are no
    entries for now, by cause."""

    nav: Nav = msgspec.field(default_factory=Nav)
    conduct: Conduct = msgspec.field(default_factory=Conduct)
    kelly: Kelly = Kelly()
    killed: str = ""
    frozen: dict[str, str] = {}
    permits: int = 0
    tallies: dict[str, Tally] = {}

    def frozen_for(self, symbol: str) -> list[str]:
        """Why nothing is entered in this symbol."""
        others = [cause for cause in self.frozen if cause.startswith(STOPS_OF) and cause != f"{STOPS_OF}{symbol}"]
        return [reason for cause, reason in self.frozen.items() if cause not in others]

    @property
    def breaker(self) -> Breaker:
        """HALTED by kill, halt or drawdown; else the stage of the drawdown."""
        return Breaker.HALTED if self.killed or self.conduct.halts else self.nav.stage
