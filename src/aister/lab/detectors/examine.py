"""All detectors over one strategy, in the order of cheapest to read: what would make the result a lie, then what makes
it fragile.
"""

from collections.abc import Callable, Sequence

import msgspec

from aister.core.errors import StrategyError, UsageError
from aister.lab.detectors.case import Case
from aister.lab.detectors.cost import detect_cost
from aister.lab.detectors.delay import detect_delay
from aister.lab.detectors.effort import Effort
from aister.lab.detectors.fills import detect_fills
from aister.lab.detectors.monte_carlo import detect_order, detect_paths
from aister.lab.detectors.neighbourhood import detect_neighbourhood
from aister.lab.detectors.own import claims_of
from aister.lab.detectors.verdict import Found, Verdict
from aister.lab.detectors.warm_up import detect_warm_up

__all__ = ["DETECTORS", "Examined", "chosen_detectors", "examine"]

_UNMANAGED = 99


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What every detector said of one strategy on one market. kind: spec or python; spec_hash: of the rules or the
    source; parameters: of a Python strategy; trials: how many the ledger now holds on these instruments and this span,
    None without a ledger."""

    kind: str
    name: str
    spec_hash: str
    parameters: str
    symbols: tuple[str, ...]
    span_ms: tuple[int, int]
    interval_ms: int
    data: str
    data_hash: str
    code_hash: str
    capital: int
    assumptions: dict[str, str]
    flags: tuple[str, ...]
    effort: Effort
    found: tuple[Found, ...]
    trials: int | None

    @property
    def caught(self) -> tuple[Found, ...]:
        return tuple(one for one in self.found if one.verdict is Verdict.CAUGHT)


def _lookahead(case: Case, effort: Effort) -> Found:
    return case.lookahead(effort)


def _warm_up(case: Case, effort: Effort) -> Found:
    found = detect_warm_up(
        case.entries,
        case.tried.market,
        warm_up_ms=case.warm_up_ms,
        features=case.features,
        starts=effort.starts,
        seed=effort.seed,
    )
    if found.verdict is Verdict.CAUGHT:
        return msgspec.structs.replace(found, sentence=found.sentence + case.advice)
    return found


def _fills(case: Case, effort: Effort) -> Found:
    tried = case.tried
    simulated = tried.simulate(tried.prepared())
    still = tried.plan.management.break_even_after >= _UNMANAGED
    model, market = tried.model, tried.market
    at_once = model.latency.bars(market.interval_ms) == 0 and model.volume_share_e4 == 0
    stay = still and at_once and model.intrabar == "stop_first"
    return detect_fills(claims_of(simulated, tried.signals, market, stops_stay=stay), market)


DETECTORS: dict[str, Callable[[Case, Effort], Found]] = {
    "look-ahead": _lookahead,
    "warm-up": _warm_up,
    "fills": _fills,
    "cost": lambda case, effort: detect_cost(case.tried),
    "delay": lambda case, effort: detect_delay(case.tried),
    "neighbourhood": lambda case, effort: detect_neighbourhood(
        case.tried, case.around, cells=effort.cells, seed=effort.seed
    ),
    "trade-order": lambda case, effort: detect_order(case.tried, draws=effort.draws, seed=effort.seed),
    "paths": lambda case, effort: detect_paths(case.tried, paths=effort.paths, seed=effort.seed),
}
"""By the name under which they are asked for."""


def chosen_detectors(only: Sequence[str]) -> tuple[str, ...]:
    """All of them, or those named, in their own order. Raises `UsageError` for a name there is none of."""
    if unknown := [name for name in only if name not in DETECTORS]:
        raise UsageError(f"There is no detector {unknown[0]!r}; choose of {', '.join(DETECTORS)}.")
    return tuple(name for name in DETECTORS if not only or name in only)


def examine(
    case: Case, effort: Effort, only: Sequence[str] = (), tell: Callable[[Found], None] | None = None
) -> Examined:
    """All of them, or those named, told one by one as they end, and what they ran on."""
    effort.check()
    found = []
    for name in chosen_detectors(only):
        found.append(_asked(name, case, effort))
        if tell is not None:
            tell(found[-1])
    tried, ledger = case.tried, case.record.trials
    market = tried.market
    return Examined(
        kind=case.kind,
        name=tried.looked.name,
        spec_hash=tried.looked.spec_hash,
        parameters=case.parameters,
        symbols=market.symbols,
        span_ms=market.span_ms,
        interval_ms=market.interval_ms,
        data=case.record.data,
        data_hash=market.data_hash,
        code_hash=tried.looked.code_hash,
        capital=tried.capital,
        assumptions=tried.model.assumptions(),
        flags=market.flags,
        effort=effort,
        found=tuple(found),
        trials=None if ledger is None else ledger.count(market.symbols, market.span_ms),
    )


def _asked(name: str, case: Case, effort: Effort) -> Found:
    """Code may fail on prices it was not written for: then nothing is known."""
    try:
        return DETECTORS[name](case, effort)
    except StrategyError as wrong:
        return Found(detector=name, verdict=Verdict.UNKNOWN, sentence=f"it fails on data other than these: {wrong}")
