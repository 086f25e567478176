"""One run of the campaign from its seed: market, what the strategy wants, what goes wrong and when.

The classes and their shares are those of the campaign (safety, "Reliability bars"). `SHARES` holds those that can be
run; `MISSING` names the others, with the reason, and no run pretends to be one of them. Times are ms from the start.
"""

import msgspec
import numpy as np

from aister.core.council import Setup, Target
from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.core.trade import OrderType, Side
from aister.exchange_sim import Fault
from aister.ports.feed import MarketSlice
from tests.sim.market import MINUTE_MS, instrument

__all__ = ["MISSING", "SHARES", "START_MS", "SYMBOLS", "Death", "Scenario", "scenario"]

START_MS = 1_746_403_200_000
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PRICES = {"BTCUSDT": 1_000_000, "ETHUSDT": 30_000}
MINUTES, BUSY = 13, 9
FAULTS_MS = (65_000, 540_000)

SHARES = {"ambiguous": 25, "crash": 20, "streams": 15, "fills and stops": 10, "limits": 10, "clock": 5, "account": 5}
MISSING = {
    "storage": "5 %: the emergency log for a journal that cannot be written is not there yet",
    "lease": "5 %: the lease is not yet joined to the order path",
}
"""Shares of the campaign that no run has yet, and why."""

Random = np.random.Generator


class Death(msgspec.Struct, frozen=True):
    """The process dies at the `visit`-th moment of a kind: `moment` picks among all there are, by its number modulo
    how many there are. `at_ms`: not before. `again`: how many moments into its recovery it dies once more (0: not)."""

    moment: int
    visit: int = 1
    at_ms: int = 0
    again: int = 0


class Scenario(msgspec.Struct, frozen=True):
    """Everything a run depends on. `steps_of_wall`: (when, how far the wall clock is ahead from then on).
    `commands`: before which bar an operator closes which symbol."""

    seed: int
    kind: str
    slices: tuple[MarketSlice, ...]
    setups: tuple[Setup, ...]
    faults: tuple[Fault, ...]
    deaths: tuple[Death, ...] = ()
    steps_of_wall: tuple[tuple[int, int], ...] = ()
    commands: dict[int, str] = {}

    @property
    def blind(self) -> list[tuple[int, int]]:
        """When the venue cannot be reached, or must not be asked: bans, outages, floods of 429 and 403."""
        spans = []
        for fault in self.faults:
            if fault.kind in ("ban", "restart"):
                spans.append((fault.at_ms, fault.at_ms + fault.ms))
            elif fault.kind == "request" and fault.until_ms:
                spans.append((fault.at_ms, fault.until_ms + (fault.ms if fault.status in (418, 429) else 0)))
            elif fault.kind == "request" and fault.status in (418, 429):
                spans.append((fault.at_ms, fault.at_ms + 60_000 + fault.ms))  # whenever it bites
        return spans


def listed() -> dict[str, Instrument]:
    return {symbol: instrument(symbol) for symbol in SYMBOLS}


def scenario(seed: int, kind: str = "") -> Scenario:
    """The run of this seed. Classes follow their shares; `kind` asks for one of them."""
    rng = np.random.default_rng(seed)
    names = list(SHARES)
    drawn = names[int(rng.choice(len(names), p=np.array([SHARES[one] for one in names]) / sum(SHARES.values())))]
    kind = kind or drawn
    other = names[int(rng.integers(len(names)))]
    while other in (kind, "crash"):
        other = names[int(rng.integers(len(names)))]
    faults = (*_FAULTS[kind](rng), *_FAULTS[other](rng))
    while len(faults) < 4:
        faults = (*faults, *_FAULTS[other](rng))
    deaths = _deaths(rng) if kind == "crash" else ()
    walls = _walls(rng) if "clock" in (kind, other) else ()
    slices = _market(rng)
    commands = {int(rng.integers(2, BUSY)): SYMBOLS[int(rng.integers(len(SYMBOLS)))]} if kind == "crash" else {}
    return Scenario(seed, kind, slices, _setups(rng, slices), faults, deaths, walls, commands)


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


def _setups(rng: Random, slices: tuple[MarketSlice, ...]) -> tuple[Setup, ...]:
    """A wish at nearly every close of the busy minutes; the trader takes those for which its desk is free."""
    found = []
    for market in slices[:BUSY]:
        for bar in market.bars:
            if rng.random() < 0.15:
                continue
            side = Side.BUY if rng.random() < 0.5 else Side.SELL
            ticks = round(bar.close * 10)
            limit = rng.random() < 0.25
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


# ---- what goes wrong


def _when(rng: Random) -> int:
    return int(rng.integers(*FAULTS_MS))


def _ambiguous(rng: Random) -> tuple[Fault, ...]:
    """No answer tells: 503, -1006, -1007, silence; it acted, did not, or does so up to 60 s later."""
    made = []
    for _ in range(int(rng.integers(2, 5))):
        status, code = [(503, 0), (503, -1006), (503, -1007), (0, 0)][int(rng.integers(4))]
        outcome = ("done", "refused", "late")[int(rng.integers(3))]
        method = "DELETE" if rng.random() < 0.25 else "POST"
        late = int(rng.integers(100, 60_000))
        made.append(
            Fault(
                "request",
                at_ms=_when(rng),
                count=int(rng.integers(1, 3)),
                method=method,
                path="order",
                outcome=outcome,
                status=status,
                code=code,
                ms=late if outcome == "late" else 0,
            )
        )
    if rng.random() < 0.5:
        at = _when(rng)
        made.append(Fault("lag", at_ms=at, until_ms=at + int(rng.integers(5_000, 120_000)), ms=30_000))
    if rng.random() < 0.5:
        made.append(Fault("lose_void", at_ms=_when(rng), count=int(rng.integers(1, 6))))
    return tuple(made)


def _crash(rng: Random) -> tuple[Fault, ...]:
    """What leads the order path into its corners, so that there is somewhere to die."""
    at = int(rng.integers(65_000, 200_000))
    return (
        Fault("request", at_ms=at, count=1, method="POST", path="order", code=-1007),
        Fault("request", at_ms=at, count=2, method="DELETE", path="order", code=-1006, outcome="refused"),
        Fault("request", at_ms=at + 120_000, count=1, method="POST", path="order", status=429, ms=1_000),
        Fault("lag", at_ms=at, until_ms=at + 40_000, ms=20_000),
        Fault("request", count=1, method="GET", path="openOrders", code=-1007),
        Fault("drop", at_ms=at, until_ms=at + 60_000, share_e4=3_000, user_streams=True),
    )


def _deaths(rng: Random) -> tuple[Death, ...]:
    again = int(rng.integers(1, 12)) if rng.random() < 0.25 else 0
    return (Death(int(rng.integers(10_000)), int(rng.integers(1, 4)), 0, again),)


def _streams(rng: Random) -> tuple[Fault, ...]:
    """The user stream loses, doubles, mixes, holds back, falls silent, is cut, or its key ends."""
    made = []
    for _ in range(int(rng.integers(2, 5))):
        kind = ("drop", "duplicate", "reorder", "delay", "stall", "expire_listen_key", "cut", "half_open")
        name, at = kind[int(rng.integers(len(kind)))], _when(rng)
        if name in ("expire_listen_key", "cut", "half_open"):
            text = "silently" if name == "expire_listen_key" and rng.random() < 0.3 else ""
            made.append(Fault(name, at_ms=at, user_streams=True, text=text))
        else:
            until = at + int(rng.integers(2_000, 90_000))
            share = 10_000 if name == "stall" else 4_000
            ms = int(rng.integers(100, 3_000))
            made.append(Fault(name, at_ms=at, until_ms=until, share_e4=share, ms=ms, user_streams=True))
    return tuple(made)


def _fills(rng: Random) -> tuple[Fault, ...]:
    """Entries fill in parts; stops are refused, or cancelled without a word."""
    at = _when(rng)
    made = [
        Fault(
            "partial",
            at_ms=0,
            until_ms=FAULTS_MS[1],
            share_e4=6_000,
            fill_e4=int(rng.integers(500, 9_500)),
            ms=int(rng.integers(50, 3_000)),
        )
    ]
    if rng.random() < 0.6:
        code = (-2010, -4045, -2021)[int(rng.integers(3))]
        made.append(Fault("refuse_stop", at_ms=at, count=int(rng.integers(1, 3)), code=code))
    if rng.random() < 0.6:
        made.append(Fault("cancel_stop", at_ms=_when(rng), count=1, ms=int(rng.integers(100, 30_000))))
    return tuple(made)


def _limits(rng: Random) -> tuple[Fault, ...]:
    """429, 418 and 403 just when something must go out."""
    made = []
    for _ in range(int(rng.integers(1, 3))):
        at, draw = _when(rng), rng.random()
        if draw < 0.4:
            made.append(Fault("request", at_ms=at, count=1, status=429, ms=int(rng.integers(1_000, 10_000))))
        elif draw < 0.7:
            made.append(Fault("ban", at_ms=at, ms=int(rng.integers(5_000, 40_000))))
        else:
            until = at + int(rng.integers(1_000, 15_000))
            made.append(Fault("request", at_ms=at, until_ms=until, status=403))
    return tuple(made)


def _clock(rng: Random) -> tuple[Fault, ...]:
    """The venue's clock moves; `_walls` moves this machine's."""
    ms = int(rng.integers(-20_000, 20_000))
    return (Fault("skew", at_ms=_when(rng), ms=ms), Fault("skew", at_ms=FAULTS_MS[1] + 1))


def _walls(rng: Random) -> tuple[tuple[int, int], ...]:
    ahead = int(rng.choice([-90_000, -20_000, -5_000, -1_000, 1_000, 5_000, 20_000, 90_000]))
    return ((_when(rng), ahead), (FAULTS_MS[1], 0))


def _account(rng: Random) -> tuple[Fault, ...]:
    """What others do to account and instrument."""
    symbol = SYMBOLS[int(rng.integers(len(SYMBOLS)))]
    pick = int(rng.integers(5))
    at = _when(rng)
    if pick == 0:
        return (Fault("leverage", at_ms=at, symbol=symbol, value=int(rng.integers(2, 50))),)
    if pick == 1:
        return (Fault("adl", at_ms=at, symbol=symbol, fill_e4=int(rng.choice([2_000, 5_000, 10_000]))),)
    if pick == 2:
        return (Fault("transfer", at_ms=at, value=int(rng.integers(1, 100)) * 10**8),)
    if pick == 3:
        return (Fault("cancel_order", at_ms=at, symbol=symbol, text="stop"),)
    return (Fault("restart", at_ms=at, ms=int(rng.integers(2_000, 20_000))),)


_FAULTS = {
    "ambiguous": _ambiguous,
    "crash": _crash,
    "streams": _streams,
    "fills and stops": _fills,
    "limits": _limits,
    "clock": _clock,
    "account": _account,
}
