"""What can go wrong in a run, as values: faults of the exchange, blows to this side, deaths, a clock that is off."""

import msgspec
import numpy as np

from aister.exchange_sim import Fault

SYMBOLS = ("BTCUSDT", "ETHUSDT")
FAULTS_MS = (65_000, 540_000)
"""Between these moments (from the start) things go wrong."""

Random = np.random.Generator
TRADER, WATCHER, SIGNER, ALL = "trader", "watcher", "signer", "all"
FILL, FLAT = "FILL", "FLAT"
SENT, UNKNOWN, PARTIAL, REJECTED, EXPIRED = "SENT", "UNKNOWN", "PARTIALLY_FILLED", "REJECTED", "EXPIRED"
AIMS = (SENT, UNKNOWN, PARTIAL, REJECTED, EXPIRED, "CANCELLED")


PATIENCE_MS = 120_000
"""How long a blow waits for what it is aimed at."""


class Death(msgspec.Struct, frozen=True):
    """A process dies at the `visit`-th moment of a kind: `moment` picks among all there are, by its number modulo
    how many there are; below 0 it is any of the trader's. `at_ms`: not before. `again`: how many moments into its
    recovery the trader dies once more (0: not). `who`: trader, watcher, signer, or all of them; `down_ms`: how long
    until the trader is started again."""

    moment: int
    visit: int = 1
    at_ms: int = 0
    again: int = 0
    who: str = TRADER
    down_ms: int = 1_500


class Blow(msgspec.Struct, frozen=True):
    """Something that happens at a moment, for `ms`; with an `aim` not then, but as soon as an order of ours is in that
    state (FILL: when the next entry fills), at the latest two minutes later. FLAT: as soon as nothing of the fault's
    symbol is held or works.

    disk       the journal cannot be written, `text` says why
    restored   the machine goes down and comes back with the journal as it was `ms` before
    stop       the trader is stopped (SIGSTOP) and goes on later; `text` takeover: another one has taken over by then
    partition  the lease file is out of reach
    death      a process (`text`) dies, is down for `ms`
    wall       this machine's clock is set `text` ms ahead
    twin       another installation trades the same account, until the end
    kill       an operator's kill switch, released afterwards
    venue      the exchange's `fault`, counted from then
    """

    what: str
    at_ms: int
    ms: int = 0
    text: str = ""
    aim: str = ""
    fault: Fault | None = None


class Wrong(msgspec.Struct, frozen=True):
    """Everything that goes wrong in a run. `walls`: (when, how far the wall clock is ahead from then on)."""

    faults: tuple[Fault, ...] = ()
    blows: tuple[Blow, ...] = ()
    deaths: tuple[Death, ...] = ()
    walls: tuple[tuple[int, int], ...] = ()

    def __add__(self, other: "Wrong") -> "Wrong":
        return Wrong(
            self.faults + other.faults,
            self.blows + other.blows,
            self.deaths + other.deaths,
            self.walls + other.walls,
        )

    @property
    def count(self) -> int:
        return len(self.faults) + len(self.blows) + len(self.deaths) + len(self.walls)


PAIRED = ("skew", "multi_assets")
"""Faults that a second one of their kind takes back: between the two something is wrong."""


def any_aim(rng: Random) -> str:
    """One of the states that do not last."""
    return AIMS[int(rng.integers(len(AIMS)))]
