"""What goes wrong is aimed at orders in states that do not last, and what leads an order into them is added."""

import msgspec

from aister.exchange_sim import Fault
from aister.exchange_sim.faults import ACTS
from tests.faults.wrong import (
    FAULTS_MS,
    FILL,
    PAIRED,
    PARTIAL,
    PATIENCE_MS,
    REJECTED,
    UNKNOWN,
    Blow,
    Random,
    Wrong,
    any_aim,
)

__all__ = ["aimed", "kill"]

_WINDOWS = ("drop", "duplicate", "delay", "reorder", "stall")


def kill(rng: Random, kind: str) -> Wrong:
    """Sometimes an operator's kill switch on top, at any moment: oftenest in runs in which much is held."""
    if rng.random() >= (0.4 if kind in ("fills and stops", "streams") else 0.1):
        return Wrong()
    aim = FILL if rng.random() < 0.3 else any_aim(rng)
    return Wrong(blows=(Blow("kill", int(rng.integers(*FAULTS_MS)), int(rng.integers(2_000, 45_000)), aim=aim),))


def aimed(rng: Random, wrong: Wrong) -> Wrong:
    """The same, most of it at moments at which an order stands in a state that does not last."""
    faults, blows = [], []
    for fault in wrong.faults:
        back = [one.at_ms for one in wrong.faults if one.kind == fault.kind] if fault.kind in PAIRED else []
        acts = fault.kind in ACTS and (not back or (len(back) == 2 and fault.at_ms + PATIENCE_MS < max(back)))
        flood = fault.kind == "request" and fault.status in (403, 429) and not fault.method
        share = 0.9 if acts else 0.6 if fault.kind in _WINDOWS or flood else 0.0
        if rng.random() < share and fault.at_ms < FAULTS_MS[1]:
            lasts_ms = max(back) - fault.at_ms if back else max(0, fault.until_ms - fault.at_ms)
            blows.append(Blow("venue", fault.at_ms, lasts_ms, aim=any_aim(rng), fault=fault))
        else:
            faults.append(fault)
    for blow in wrong.blows:
        free = blow.what in ("stop", "partition", "twin", "restored", "wall") and rng.random() < 0.95
        blows.append(msgspec.structs.replace(blow, aim=any_aim(rng)) if free else blow)
    return _led(rng, msgspec.structs.replace(wrong, faults=tuple(faults), blows=tuple(blows)))


def _led(rng: Random, wrong: Wrong) -> Wrong:
    """And what leads an order into those states."""
    made: list[Fault] = []
    for aim, at_ms in {blow.aim: blow.at_ms for blow in wrong.blows}.items():
        if aim == UNKNOWN:
            outcome = ("done", "refused", "late")[int(rng.integers(3))]
            made.append(_answered(at_ms, 503, -1007, outcome, int(rng.integers(500, 20_000))))
            if outcome == "late":  # a noop in time would keep it from landing
                made.append(Fault("lose_void", at_ms=at_ms, until_ms=at_ms + PATIENCE_MS, count=9))
        elif aim == REJECTED:
            made.append(_answered(at_ms, 400, -2010, "refused"))
        elif aim == PARTIAL and not any(one.kind == "partial" for one in wrong.faults):
            rest_ms = int(rng.integers(500, 10_000))
            made.append(Fault("partial", at_ms=at_ms, until_ms=at_ms + PATIENCE_MS, fill_e4=5_000, ms=rest_ms))
    return msgspec.structs.replace(wrong, faults=(*wrong.faults, *made))


def _answered(at_ms: int, status: int, code: int, outcome: str, late_ms: int = 0) -> Fault:
    """What the next order's answer is."""
    found = Fault("request", at_ms=at_ms, count=1, method="POST", path="order", status=status, code=code)
    return msgspec.structs.replace(found, outcome=outcome, ms=late_ms if outcome == "late" else 0)
