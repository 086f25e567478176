"""What is kept of a run: breaches, naked time, liveness, and which cells of the matrix it hit. Small enough for 10,000
of them; a run's seed repeats the rest."""

import msgspec

from aister.core.audit import Breaker
from aister.core.events import EntriesFrozen, EntriesThawed
from tests.faults.house import House
from tests.faults.scenario import START_MS
from tests.faults.wrong import PAIRED

__all__ = ["BACK_MS", "Verdict", "verdict"]

BACK_MS = 30_000
"""Within which entries are allowed again after a fault is over."""
_A_PERSON = {"leverage", "foreign order", "agent expires", "delist", "twin"}
"""What stays until a person has mended it."""


class Verdict(msgspec.Struct, frozen=True):
    """Times in ms. `naked`: how long each uncovered stretch lasted (venue in reach, somebody there), `silent` those
    that began with the venue's own cancel of the stop, told to nobody, `refused` those in which it refused a stop (they
    end flat). `calm_ms`: time without a fault, each counted `BACK_MS` beyond its end; `shut_ms`: how much of it entries
    were not allowed. `active`: it ends alive, unfrozen, not halted. `person`: something happened that only a person can
    mend."""

    seed: int
    kind: str
    other: str
    breaches: tuple[tuple[str, int, str], ...]
    problems: tuple[str, ...]
    naked: tuple[int, ...]
    silent: tuple[int, ...]
    refused: tuple[int, ...]
    intents: int
    faults: int
    trips: int
    lives: int
    active: bool
    person: bool
    calm_ms: int
    shut_ms: int
    cells: tuple[tuple[str, str, int], ...]

    @property
    def clean(self) -> bool:
        return not self.breaches and not self.problems


def verdict(house: House) -> Verdict:
    """Of a run that was played."""
    scene, oracle, life = house.scene, house.oracle, house.life
    shut = _shut(house)
    calm, calm_shut = _calm(house, shut)
    kinds = {kind for kind, _ in house.coverage.cells} | {one.kind.replace("_", " ") for one in scene.wrong.faults}
    kinds |= {one.fault.kind.replace("_", " ") if one.fault is not None else one.what for one in scene.wrong.blows}
    alive = life is not None and life.why == "done"
    return Verdict(
        seed=scene.seed,
        kind=scene.kind,
        other=scene.other,
        breaches=tuple((one.what, one.time_ms, one.text) for one in oracle.breaches),
        problems=tuple(house.problems),
        naked=tuple(one for one in oracle.naked if one > 0),
        silent=tuple(oracle.silent),
        refused=tuple(oracle.refused),
        intents=len({one.intent_id for one in oracle.orders.values()}),
        faults=scene.wrong.count,
        trips=len(house.closed),
        lives=house.lives,
        active=alive
        and life is not None
        and life.engine.risk.breaker is not Breaker.HALTED
        and not life.engine.risk.frozen,
        person=bool(kinds & _A_PERSON),
        calm_ms=calm,
        shut_ms=calm_shut,
        cells=tuple((kind, state, count) for (kind, state), count in sorted(house.coverage.cells.items())),
    )


def _shut(house: House) -> list[tuple[int, int]]:
    """When entries were not allowed, by the journal and by whether a trader was there."""
    causes: set[str] = set()
    spans, since = [(begun - START_MS, ended - START_MS) for begun, ended, _ in house.fallen], -1
    for audit in house.paper.durable:
        event = audit.event
        if isinstance(event, EntriesFrozen):
            causes.add(event.cause)
            since = event.time_ms - START_MS if since < 0 else since
        elif isinstance(event, EntriesThawed):
            causes.discard(event.cause)
            if not causes and since >= 0:
                spans.append((since, event.time_ms - START_MS))
                since = -1
    if since >= 0:
        spans.append((since, house.now_ms))
    return sorted(spans)


def _calm(house: House, shut: list[tuple[int, int]]) -> tuple[int, int]:
    """(time without a fault, how much of it entries were not allowed), by seconds."""
    wrong, seconds = house.scene.wrong, house.now_ms // 1000
    rough = bytearray(seconds + 1)
    spans = [(one, one) for one in house.coverage.bites]
    spans += [(begun - START_MS, ended - START_MS) for begun, ended, _ in (*house.dark, *house.fallen)]
    spans += [(one.at_ms, one.until_ms) for one in wrong.faults if one.until_ms]
    walls = [(at_ms, ahead) for at_ms, ahead in wrong.walls]
    spans += [(at_ms, max(end for end, _ in walls)) for at_ms, ahead in walls if ahead]
    for kind in PAIRED:
        paired = [one.at_ms for one in wrong.faults if one.kind == kind]
        spans += [(min(paired), max(paired))] if paired else []
    spans += [(one.at_ms, one.at_ms + one.ms) for one in wrong.blows if one.what != "restored" and not one.aim]
    spans += [(begun, begun + ms) for begun, ms in house.struck]
    spans.append((-BACK_MS, 0))
    for begun, ended in spans:
        first, last = max(0, begun // 1000), min(seconds, (ended + BACK_MS) // 1000)
        rough[first : last + 1] = b"\1" * max(0, last + 1 - first)
    calm = calm_shut = 0
    closed = bytearray(seconds + 1)
    for begun, ended in shut:
        closed[max(0, begun // 1000) : ended // 1000 + 1] = b"\1" * max(0, ended // 1000 + 1 - max(0, begun // 1000))
    for second in range(seconds):
        if not rough[second]:
            calm += 1000
            calm_shut += 1000 * closed[second]
    return calm, calm_shut
