"""All detectors over one spec, in the order of cheapest to read: what would make the result a lie, then what makes it
fragile.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from aister.core.errors import UsageError
from aister.lab.backtest import Record, canonical_text, traded
from aister.lab.code import code_hash
from aister.lab.detectors.cost import detect_cost
from aister.lab.detectors.delay import detect_delay
from aister.lab.detectors.fills import detect_fills
from aister.lab.detectors.lookahead import detect_lookahead
from aister.lab.detectors.monte_carlo import detect_order, detect_paths
from aister.lab.detectors.neighbourhood import detect_neighbourhood
from aister.lab.detectors.own import claims_of
from aister.lab.detectors.reading import SpecReading
from aister.lab.detectors.trying import Looked, Trying
from aister.lab.detectors.verdict import Found, Verdict
from aister.lab.detectors.warm_up import detect_warm_up
from aister.lab.settings import Settings, model_of, plan_of
from aister.ports.market import Market
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.checks import check
from aister.strategy.spec.tree import Spec

__all__ = ["DETECTORS", "Effort", "Examined", "chosen_detectors", "examine", "examine_each"]

_UNMANAGED = 99


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How hard to look. cuts: random cut times; whole_day: every bar of one day besides; starts: later beginnings;
    cells: neighbours; draws: orders of the trades; paths: of price; seed: of all of them."""

    cuts: int = 200
    whole_day: bool = True
    starts: int = 5
    cells: int = 60
    draws: int = 1_000
    paths: int = 100
    seed: int = 1

    def check(self) -> "Effort":
        """The effort; raises `UsageError` for what cannot be."""
        most = {"cuts": 100_000, "starts": 1_000, "cells": 10_000, "draws": 1_000_000, "paths": 100_000}
        for name, limit in most.items():
            if not 1 <= getattr(self, name) <= limit:
                raise UsageError(f"--{name} must lie between 1 and {limit:,}.")
        if not 0 <= self.seed < 2**62:
            raise UsageError("--seed must be a whole number from 0 to 2^62 - 1; for example 1.")
        return self


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What every detector said of one strategy on one market. trials: how many the ledger now holds on these
    instruments and this span, None without a ledger."""

    name: str
    spec_hash: str
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


class _Case(msgspec.Struct, frozen=True):
    spec: Spec
    market: Market
    tried: Trying
    reading: SpecReading
    settings: Settings
    effort: Effort


def _lookahead(case: _Case) -> Found:
    e, reading = case.effort, case.reading
    return detect_lookahead(
        reading.says,
        case.market,
        cuts=e.cuts,
        whole_day=e.whole_day,
        warm_up_ms=reading.warm_up_ms,
        seed=e.seed,
    )


def _warm_up(case: _Case) -> Found:
    e, reading = case.effort, case.reading
    return detect_warm_up(
        reading.says,
        case.market,
        warm_up_ms=reading.warm_up_ms,
        features=reading.features,
        starts=e.starts,
        seed=e.seed,
    )


def _fills(case: _Case) -> Found:
    tried = case.tried
    simulated = tried.simulate(tried.prepared())
    still = tried.plan.management.break_even_after >= _UNMANAGED
    model = tried.model
    at_once = model.latency.bars(case.market.interval_ms) == 0 and model.volume_share_e4 == 0
    stay = still and at_once and model.intrabar == "stop_first"
    return detect_fills(claims_of(simulated, tried.signals, case.market, stops_stay=stay), case.market)


def _neighbourhood(case: _Case) -> Found:
    return detect_neighbourhood(
        case.tried,
        case.spec,
        lambda spec: plan_of(spec, case.settings),
        cells=case.effort.cells,
        seed=case.effort.seed,
    )


DETECTORS: dict[str, Callable[[_Case], Found]] = {
    "look-ahead": _lookahead,
    "warm-up": _warm_up,
    "fills": _fills,
    "cost": lambda case: detect_cost(case.tried),
    "delay": lambda case: detect_delay(case.tried),
    "neighbourhood": _neighbourhood,
    "trade-order": lambda case: detect_order(case.tried, draws=case.effort.draws, seed=case.effort.seed),
    "paths": lambda case: detect_paths(case.tried, paths=case.effort.paths, seed=case.effort.seed),
}
"""By the name under which they are asked for."""


def chosen_detectors(only: Sequence[str]) -> tuple[str, ...]:
    """All of them, or those named, in their own order. Raises `UsageError` for a name there is none of."""
    if unknown := [name for name in only if name not in DETECTORS]:
        raise UsageError(f"There is no detector {unknown[0]!r}; choose of {', '.join(DETECTORS)}.")
    return tuple(name for name in DETECTORS if not only or name in only)


def examine_each(
    spec: Spec, market: Market, settings: Settings, effort: Effort, record: Record, only: Sequence[str] = ()
) -> Iterator[Found]:
    """One detector after the other, each yielded when it is done. Raises as `lab.backtest.backtest_spec`."""
    names = chosen_detectors(only)
    case = _case(spec, market, settings.check(), effort.check(), record)
    for name in names:
        yield DETECTORS[name](case)


def examine(
    spec: Spec,
    market: Market,
    settings: Settings,
    effort: Effort,
    record: Record,
    only: Sequence[str] = (),
    tell: Callable[[Found], None] | None = None,
) -> Examined:
    """All of them, told one by one as they end, and what they ran on."""
    found = []
    for one in examine_each(spec, market, settings, effort, record, only):
        found.append(one)
        if tell is not None:
            tell(one)
    judged = traded(spec, market)
    model = model_of(spec, settings)
    ledger = record.trials
    return Examined(
        name=spec.name,
        spec_hash=spec_hash(spec),
        symbols=judged.symbols,
        span_ms=judged.span_ms,
        interval_ms=judged.interval_ms,
        data=record.data,
        data_hash=judged.data_hash,
        code_hash=code_hash(),
        capital=settings.capital,
        assumptions=model.assumptions(),
        flags=judged.flags,
        effort=effort,
        found=tuple(found),
        trials=None if ledger is None else ledger.count(judged.symbols, judged.span_ms),
    )


def _case(spec: Spec, market: Market, settings: Settings, effort: Effort, record: Record) -> _Case:
    market = traded(spec, market)
    instruments = {one.symbol: one.instrument for one in market.series}
    check(spec, instruments, base_interval_ms=market.interval_ms)
    model, plan = model_of(spec, settings), plan_of(spec, settings)
    cost_e8 = {symbol: model.round_trip_e8(one) for symbol, one in instruments.items()}
    reading = SpecReading(spec, cost_e8)
    looked = Looked(
        owner_id=record.owner_id,
        name=spec.name,
        spec=canonical_text(spec),
        spec_hash=spec_hash(spec),
        code_hash=code_hash(),
        made_ms=record.made_ms,
        ledger=record.trials,
    )
    tried = Trying(
        market=market,
        signals=reading.says(market),
        plan=plan,
        model=model,
        capital=settings.capital,
        decides_ms=spec.interval_ms,
        cost_e8=cost_e8,
        looked=looked,
        says=reading.says,
    )
    return _Case(spec, market, tried, reading, settings, effort)
