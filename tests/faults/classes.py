"""The classes of faults, each drawn from the seed: what goes wrong and when.

A class gives faults of the exchange (its own plan), blows to this side (processes, disk, lease), and how far the wall
clock is off. Shares are those of the campaign (safety, "Reliability bars").
"""

from collections.abc import Callable

import msgspec

from aister.exchange_sim import Fault
from tests.faults.wrong import (
    ALL,
    FAULTS_MS,
    FILL,
    FLAT,
    PARTIAL,
    PATIENCE_MS,
    SIGNER,
    SYMBOLS,
    TRADER,
    WATCHER,
    Blow,
    Death,
    Random,
    Wrong,
    any_aim,
)
from tests.sim.market import MINUTE_MS, instrument

__all__ = ["CLASSES", "SHARES"]

SHARES = {
    "ambiguous": 25,
    "crash": 20,
    "streams": 15,
    "fills and stops": 10,
    "limits": 10,
    "clock": 5,
    "storage": 5,
    "lease": 5,
    "account": 5,
}
"""Percent of the runs."""


def _when(rng: Random) -> int:
    return int(rng.integers(*FAULTS_MS))


def _ambiguous(rng: Random) -> Wrong:
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
    return Wrong(tuple(made)) + (_half_withdrawn(rng) if rng.random() < 0.15 else Wrong())


def _half_withdrawn(rng: Random) -> Wrong:
    """An entry that has filled in part is withdrawn, and the cancel has no answer."""
    at, outcome = int(rng.integers(FAULTS_MS[0], 400_000)), ("done", "refused", "late")[int(rng.integers(3))]
    late_ms = int(rng.integers(100, 20_000)) if outcome == "late" else 0
    unanswered = Fault("request", count=2, method="DELETE", path="order", outcome=outcome, code=-1007, ms=late_ms)
    slowly = Fault("partial", at_ms=at, until_ms=at + PATIENCE_MS, fill_e4=4_000, ms=int(rng.integers(5_000, 30_000)))
    return Wrong((slowly,), (Blow("venue", at, aim=PARTIAL, fault=unanswered), Blow("kill", at, 10_000, aim=PARTIAL)))


def _crash(rng: Random) -> Wrong:
    """A process dies, and what leads the order path into its corners, so that there is somewhere to die."""
    at = int(rng.integers(65_000, 200_000))
    faults = (
        Fault("request", at_ms=at, count=1, method="POST", path="order", code=-1007),
        Fault("request", at_ms=at, count=2, method="DELETE", path="order", code=-1006, outcome="refused"),
        Fault("request", at_ms=at + 120_000, count=1, method="POST", path="order", status=429, ms=1_000),
        Fault("lag", at_ms=at, until_ms=at + 40_000, ms=20_000),
        Fault("request", count=1, method="GET", path="openOrders", code=-1007),
        Fault("drop", at_ms=at, until_ms=at + 60_000, share_e4=3_000, user_streams=True),
    )
    again = int(rng.integers(1, 12)) if rng.random() < 0.25 else 0
    who = str(rng.choice([TRADER, ALL, SIGNER, WATCHER], p=[0.6, 0.2, 0.1, 0.1]))
    down_ms = 1_500 if rng.random() < 0.75 else int(rng.integers(5_000, 40_000))
    second = str(rng.choice([TRADER, ALL, SIGNER, WATCHER]))
    blows = (Blow("death", _when(rng), 1_500, second, aim=any_aim(rng)),) if rng.random() < 0.7 else ()
    return Wrong(
        faults, blows, deaths=(Death(int(rng.integers(10_000)), int(rng.integers(1, 4)), 0, again, who, down_ms),)
    )


def _streams(rng: Random) -> Wrong:
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
    return Wrong(tuple(made))


def _fills(rng: Random) -> Wrong:
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
        made.append(Fault("cancel_stop", at_ms=(at := _when(rng)), count=1, ms=int(rng.integers(100, 30_000))))
    if rng.random() < 0.4:  # what the venue does to an order that lands when nobody knows whether it will
        late_ms = int(rng.integers(100, 20_000))
        late = Fault("request", at_ms=at, count=1, method="POST", path="order", outcome="late", code=-1007, ms=late_ms)
        made += [late, Fault("lose_void", at_ms=at, until_ms=at + 60_000, count=9)]
    return Wrong(tuple(made))


def _limits(rng: Random) -> Wrong:
    """429, 418 and 403: whenever, or just when an entry has filled and its protection must go out."""
    made, blows = [], []
    for _ in range(int(rng.integers(1, 3))):
        at, draw = _when(rng), rng.random()
        if draw < 0.4:
            fault = Fault("request", at_ms=at, count=1, status=429, ms=int(rng.integers(1_000, 10_000)))
        elif draw < 0.7:
            fault = Fault("ban", at_ms=at, ms=int(rng.integers(5_000, 40_000)))
        else:
            fault = Fault("request", at_ms=at, until_ms=at + int(rng.integers(1_000, 15_000)), status=403)
        if rng.random() < 0.5:
            made.append(fault)
        else:
            blows.append(Blow("venue", at, aim=FILL, fault=fault))
    return Wrong(tuple(made), tuple(blows))


def _clock(rng: Random) -> Wrong:
    """The venue's clock moves and this machine's is set, over a restart or not, or drifts."""
    skew = (Fault("skew", at_ms=_when(rng), ms=int(rng.integers(-20_000, 20_000))),)
    skew = (*skew, Fault("skew", at_ms=FAULTS_MS[1] + 1))
    at, draw = int(rng.integers(FAULTS_MS[0], FAULTS_MS[1] - PATIENCE_MS)), rng.random()
    if draw < 0.25:
        drift = int(rng.choice([-200, 200]))
        walls = tuple((FAULTS_MS[0] + i * MINUTE_MS, i * drift) for i in range(1, 8))
        return Wrong(skew, walls=(*walls, (FAULTS_MS[1], 0)))
    ahead = int(rng.choice([-90_000, -20_000, -5_000, -1_000, 1_000, 5_000, 20_000, 90_000]))
    blows = (Blow("restored", at + 2_000),) if draw < 0.5 else ()
    step = Blow("wall", at, FAULTS_MS[1] - at, str(ahead))
    return Wrong(skew, (step, *blows), walls=((FAULTS_MS[1], 0),))


def _storage(rng: Random) -> Wrong:
    """The journal cannot be written, from any moment or from the fill of an entry on; or an older one is put back."""
    draw, at = rng.random(), int(rng.integers(FAULTS_MS[0], 400_000))
    if draw < 0.75:
        why = str(rng.choice(["it is locked", "the disk is full", "it is read-only"]))
        ms = 60_000 if why == "it is locked" else int(rng.integers(5_000, 90_000))
        return Wrong(blows=(Blow("disk", at, ms, why, aim=FILL if rng.random() < 0.3 else any_aim(rng)),))
    back_ms = int(rng.choice([1_000, 5_000, 300_000]))
    return Wrong(blows=(Blow("restored", max(at, back_ms + FAULTS_MS[0]), back_ms),))


def _lease(rng: Random) -> Wrong:
    """The trader is stopped, perhaps overtaken meanwhile; the lease cannot be renewed; another installation trades."""
    kinds = _OF_LEASE[int(rng.integers(len(_OF_LEASE)))]
    return Wrong(blows=tuple(_of_lease(rng, kind, int(rng.integers(FAULTS_MS[0], 400_000))) for kind in kinds))


_OF_LEASE = (("stop", "takeover"), ("takeover", "partition"), ("stop", "twin"), ("partition", "twin"))
"""Never a takeover beside a twin: the twin of a run signs with the same signer, which a takeover closes to it."""


def _of_lease(rng: Random, kind: str, at: int) -> Blow:
    if kind == "stop":
        return Blow("stop", at, int(rng.integers(1_000, 30_000)))
    if kind == "takeover":
        return Blow("stop", at, int(rng.integers(13_000, 60_000)), "takeover")
    if kind == "twin":
        return Blow("twin", at)
    long = (60_000, 90_000) if rng.random() < 0.5 else (3_000, 20_000)
    return Blow("partition", at // MINUTE_MS * MINUTE_MS - int(rng.integers(8_000, 20_000)), int(rng.integers(*long)))


def _account(rng: Random) -> Wrong:
    """What others do to account and instrument."""
    symbol = SYMBOLS[int(rng.integers(len(SYMBOLS)))]
    at = _when(rng)
    persons: tuple[tuple[Fault, ...], ...] = (
        (Fault("leverage", at_ms=at, symbol=symbol, value=int(rng.integers(2, 50))),),
        (Fault("foreign_order", at_ms=at, text=_FOREIGN[symbol]),),
        (Fault("delist", at_ms=at, symbol=symbol),),
        (Fault("agent_expires", at_ms=at),),
    )
    others: tuple[tuple[Fault, ...], ...] = (
        (Fault("adl", at_ms=at, symbol=symbol, fill_e4=int(rng.choice([2_000, 5_000, 10_000]))),),
        (Fault("transfer", at_ms=at, value=int(rng.integers(1, 100)) * 10**8),),
        (Fault("cancel_order", at_ms=at, symbol=symbol, text="stop"),),
        (Fault("restart", at_ms=at, ms=int(rng.integers(2_000, 20_000))),),
        (Fault("multi_assets", at_ms=at), Fault("multi_assets", at_ms=min(at + 150_000, FAULTS_MS[1]))),
        (Fault("announce", at_ms=at),),
    )
    first = int(rng.integers(8))
    wrong = Wrong(others[first]) if first < len(others) else _instrument(rng, symbol, at)
    return wrong + (Wrong(persons[int(rng.integers(len(persons)))]) if rng.random() < 0.5 else Wrong())


def _instrument(rng: Random, symbol: str, at: int) -> Wrong:
    """Terms of a contract change (C15). Where its tick or step does, as soon as nothing is held or works in them, and
    early: they are read again after five minutes, and then there must be something left to trade."""
    one, draw = instrument(symbol), rng.random()
    if draw < 0.4:
        text = ('{"min_notional": 10000000000}', '{"brackets_max_leverage": 10}')[int(rng.integers(2))]
        return Wrong((Fault("instrument", at_ms=at, symbol=symbol, text=text),))
    tick, step = ((10, 1), (0.1, 1), (1, 10), (1, 0.1))[int(rng.integers(4))]
    changed = {
        "tick_e8": round(one.tick_e8 * tick),
        "step_e8": round(one.step_e8 * step),
        "unit": round(one.unit * tick * step),
        "max_ticks": round(one.max_ticks / tick),
        "max_steps": round(one.max_steps / step),
        "market_max_steps": round(one.market_max_steps / step),
    }
    text = msgspec.json.encode(changed).decode()
    early = int(rng.integers(FAULTS_MS[0], 230_000))
    return Wrong(blows=(Blow("venue", early, aim=FLAT, fault=Fault("instrument", symbol=symbol, text=text)),))


_FOREIGN = {
    symbol: f"symbol={symbol}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price={price}"
    for symbol, price in (("BTCUSDT", "98000"), ("ETHUSDT", "2900"))
}


CLASSES: dict[str, Callable[[Random], Wrong]] = {
    "ambiguous": _ambiguous,
    "crash": _crash,
    "streams": _streams,
    "fills and stops": _fills,
    "limits": _limits,
    "clock": _clock,
    "storage": _storage,
    "lease": _lease,
    "account": _account,
}
