"""Parameter neighbourhood: do the rules still earn when all their numbers are up to 20 % off? (quant Q10, Q40)

An idea works around the numbers it was found with; what works with these numbers alone was found by looking for them.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec
import numpy as np

from aister.lab.batch import Plan
from aister.lab.detectors.trying import Look, Trying, look_of
from aister.lab.detectors.verdict import FEWEST_TRADES, Found, Verdict
from aister.ports.signals import Signals

__all__ = ["Around", "Neighbour", "Neighbourhood", "detect_neighbourhood"]

NAME = "neighbourhood"
CELLS = 60
FEWEST_CELLS = 8
ENOUGH = 0.7
PEAK = 0.95


class Neighbourhood(Found, frozen=True, kw_only=True):
    """parameters: paths of the numbers varied; cells: neighbours run; refused: draws that were no sound rules; chosen:
    the rules themselves; profitable: share of the neighbours with a net profit; worst, median, best: net returns of
    neighbours; rank: share of neighbours that the chosen rules beat; peak: a profit that nearly no neighbour reaches
    and the middle of them halves at least."""

    parameters: tuple[str, ...]
    cells: int
    refused: int
    chosen: Look
    profitable: float | None
    worst: float | None
    median: float | None
    best: float | None
    rank: float | None
    peak: bool
    seed: int


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """The same rules with other numbers: what they say and what is done with it. varied: the numbers, in words; spec:
    (text, hash) where rules with other numbers are other rules."""

    signals: Mapping[str, Signals]
    plan: Plan
    varied: str
    spec: tuple[str, str] | None = None


class Around(Protocol):
    """Where neighbours come from. paths: the numbers that can be varied; fixed: why there are none."""

    paths: tuple[str, ...]
    fixed: str

    def draw(self, cells: int, seed: int) -> Iterator[Neighbour | None]:
        """Up to so many different neighbours, None for a draw that was no sound one."""


def detect_neighbourhood(tried: Trying, around: Around, *, cells: int = CELLS, seed: int = 1) -> Neighbourhood:
    """Run up to `cells` neighbours over the same market."""
    prepared = tried.prepared()
    trials, nets, refused = [], [], 0
    for other in around.draw(cells, seed):
        if other is None:
            refused += 1
            continue
        simulated = tried.simulate(prepared, plan=other.plan, signals=other.signals)
        trials.append(tried.trial(NAME, simulated, varied=other.varied, seed=seed, spec=other.spec))
        nets.append(look_of(simulated, tried.capital).net_return)
    chosen = tried.simulate(prepared)
    trials.append(tried.trial(NAME, chosen, varied="nothing"))
    tried.keep(trials)
    found = _judged(around.paths, np.array(nets), refused, look_of(chosen, tried.capital), seed)
    if around.paths:
        return found
    return msgspec.structs.replace(found, verdict=Verdict.UNKNOWN, sentence=around.fixed)


def _judged(
    paths: tuple[str, ...], nets: np.ndarray[tuple[int], np.dtype[np.float64]], refused: int, chosen: Look, seed: int
) -> Neighbourhood:
    some = len(nets) > 0
    profitable = float((nets > 0).mean()) if some else None
    rank = float((nets < chosen.net_return).mean()) if some else None
    middle = float(np.median(nets)) if some else None
    peak = bool(some and chosen.net_return > 0 and (rank or 0.0) >= PEAK and (middle or 0.0) < chosen.net_return / 2)
    if len(nets) < FEWEST_CELLS or chosen.trades < FEWEST_TRADES:
        verdict = Verdict.UNKNOWN
        few = (
            f"{chosen.trades} trades; a verdict needs {FEWEST_TRADES}"
            if chosen.trades < FEWEST_TRADES
            else f"{len(nets)} neighbours can be made of {len(paths)} parameters; a verdict needs {FEWEST_CELLS}"
        )
        said = few
    else:
        verdict = Verdict.CLEAN if profitable is not None and profitable >= ENOUGH else Verdict.CAUGHT
        said = (
            f"{profitable:.0%} of {len(nets)} neighbours within 20 % earn ({ENOUGH:.0%} is the least); "
            f"the chosen one beats {rank:.0%} of them"
        )
    if peak:
        said += "; a sharp peak: nearly no neighbour comes near it"
    return Neighbourhood(
        detector=NAME,
        verdict=verdict,
        sentence=said,
        parameters=paths,
        cells=len(nets),
        refused=refused,
        chosen=chosen,
        profitable=profitable,
        worst=float(nets.min()) if some else None,
        median=middle,
        best=float(nets.max()) if some else None,
        rank=rank,
        peak=peak,
        seed=seed,
    )
