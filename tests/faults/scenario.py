"""One run of the campaign from its seed: market, what the strategy wants, what goes wrong and when.

A run is of one class, drawn by the shares; a second class joins in, so that faults meet. Times are ms from the start.
"""

import msgspec
import numpy as np

from aister.core.council import Setup, Target
from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.core.trade import OrderType, Side
from aister.exchange_sim import Fault
from aister.ports.feed import MarketSlice
from tests.faults.aiming import aimed, kill
from tests.faults.classes import CLASSES, SHARES
from tests.faults.wrong import EXPIRED, SYMBOLS, Random, Wrong
from tests.sim.market import MINUTE_MS, MONEY, instrument

__all__ = ["CAPITAL", "PRICES", "START_MS", "Scenario", "listed", "scenario"]

START_MS = 1_746_403_200_000
CAPITAL = 10_000 * MONEY
PRICES = {"BTCUSDT": 1_000_000, "ETHUSDT": 30_000}
MINUTES, BUSY = 13, 9
_ALONE = ("crash", "storage", "lease")
"""Classes that a run has only as its own."""


class Scenario(msgspec.Struct, frozen=True):
    """Everything a run depends on. `commands`: before which bar an operator closes which symbol. `protection` as in
    `VenueTraits`."""

    seed: int
    kind: str
    other: str
    slices: tuple[MarketSlice, ...]
    setups: tuple[Setup, ...]
    wrong: Wrong
    commands: dict[int, str] = {}
    protection: str = "after"

    @property
    def watched(self) -> bool:
        """Whether a watcher takes part: in runs in which the trader may not be there to protect."""
        return self.kind in _ALONE


def listed() -> dict[str, Instrument]:
    return {symbol: instrument(symbol) for symbol in SYMBOLS}


def out_of_reach(fault: Fault) -> tuple[int, int] | None:
    """While this fault lasts the venue cannot be reached, or must not be asked: bans, outages, floods of 403, a dead
    key. None: it stays in reach, or is out of it only from when it bites (one 429). From when to when, on the clock of
    `fault`."""
    if fault.kind in ("ban", "restart"):
        return fault.at_ms, fault.at_ms + fault.ms
    if fault.kind == "agent_expires":
        return fault.at_ms, 10**15  # nothing is taken from this key any more: a person must make another
    if fault.kind == "request" and fault.until_ms:
        return fault.at_ms, fault.until_ms + (fault.ms if fault.status in (418, 429) else 0)
    return None


def scenario(seed: int, kind: str = "") -> Scenario:
    """The run of this seed. Classes follow their shares; `kind` asks for one of them."""
    rng = np.random.default_rng(seed)
    names = list(SHARES)
    drawn = names[int(rng.choice(len(names), p=np.array(list(SHARES.values())) / 100))]
    kind = kind or drawn
    others = [name for name in names if name not in (kind, *_ALONE)]
    other = others[int(rng.integers(len(others)))]
    wrong = CLASSES[kind](rng) + CLASSES[other](rng)
    while wrong.count < 4:
        wrong = wrong + msgspec.structs.replace(CLASSES[other](rng), walls=())
    slices = _market(rng)
    commands = {int(rng.integers(2, BUSY)): SYMBOLS[int(rng.integers(len(SYMBOLS)))]} if kind == "crash" else {}
    protection = "before" if rng.random() < (0.3 if kind == "limits" else 0.7) else "after"
    wrong = aimed(rng, wrong) + kill(np.random.default_rng((seed, 1)), kind)
    expiring = any(blow.aim == EXPIRED for blow in wrong.blows)
    setups, protection = _setups(rng, slices, 0.6 if expiring else 0.25), "after" if expiring else protection
    return Scenario(seed, kind, other, slices, setups, wrong, commands, protection)


# ---- market and wishes


def _market(rng: Random) -> tuple[MarketSlice, ...]:
    """Bars that wander about a third of a percent a minute."""
    at = dict(PRICES)
    made = []
    for minute in range(MINUTES):
        start = START_MS + minute * MINUTE_MS
        bars = []
        for symbol in SYMBOLS:
            first = at[symbol]
            reach = max(4, first // 400)
            last = first + int(rng.integers(-reach, reach + 1))
            high = max(first, last) + int(rng.integers(0, reach))
            low = min(first, last) - int(rng.integers(0, reach))
            at[symbol] = last
            bars.append(BarClosed(start + MINUTE_MS, symbol, start, first / 10, high / 10, low / 10, last / 10, 60.0))
        made.append(MarketSlice(start, (), tuple(bars)))
    return tuple(made)


def _setups(rng: Random, slices: tuple[MarketSlice, ...], limits: float) -> tuple[Setup, ...]:
    """A wish at nearly every close of the busy minutes; the trader takes those for which its desk is free.
    `limits`: the share of limit entries; without a stop resting those that do not fill at once expire."""
    found = []
    for market in slices[:BUSY]:
        for bar in market.bars:
            if rng.random() < 0.15:
                continue
            side = Side.BUY if rng.random() < 0.5 else Side.SELL
            ticks = round(bar.close * 10)
            limit = rng.random() < limits
            entry = ticks - int(side) * (ticks // 2_000 if limit else 0)
            risk, first = ticks * int(rng.integers(20, 60)) // 10_000, ticks * int(rng.integers(10, 40)) // 10_000
            targets = (Target(entry + int(side) * first, 5_000), Target(entry + int(side) * 3 * first, 5_000))
            found.append(
                Setup(
                    id=f"{bar.symbol}-{bar.time_ms}-told-{side.word}",
                    symbol=bar.symbol,
                    rule="told",
                    timeframe="1m",
                    time_ms=bar.time_ms,
                    side=side,
                    entry_type=OrderType.LIMIT if limit else OrderType.MARKET,
                    entry_ticks=entry,
                    stop_ticks=entry - int(side) * risk,
                    targets=targets,
                    horizon_ms=int(rng.integers(1, 4)) * MINUTE_MS,
                    evidence=(),
                )
            )
    return tuple(found)
