"""What detectors look at: a strategy on a market, spec or code, how it can be asked and how varied."""

from collections.abc import Callable

import msgspec

from aister.lab.backtest import Record, canonical_text, fit
from aister.lab.code import code_hash
from aister.lab.detectors.effort import Effort
from aister.lab.detectors.lookahead import LookAhead, detect_lookahead
from aister.lab.detectors.neighbourhood import Around
from aister.lab.detectors.reading import SpecAround, SpecReading
from aister.lab.detectors.trying import Looked, Trying
from aister.lab.detectors.verdict import Says
from aister.lab.detectors.warm_up import Features
from aister.lab.settings import Settings, model_of, plan_of
from aister.ports.market import Market
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.tree import Spec

__all__ = ["Case", "case_of_spec"]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """kind: spec or python; tried: how it is run; entries: what it says where nothing is ever held; warm_up_ms: the
    history it declares to need, features: what it reads; around: its neighbours; lookahead: how the future is kept from
    it; parameters: in words; record: whose, and where trials go."""

    kind: str
    tried: Trying
    entries: Says
    warm_up_ms: int
    features: Features
    around: Around
    lookahead: Callable[[Effort], LookAhead]
    record: Record
    parameters: str = ""
    advice: str = ""


def case_of_spec(spec: Spec, market: Market, settings: Settings, record: Record) -> Case:
    """A spec on a market. Raises as `lab.backtest.backtest_spec`."""
    settings.check()
    market = fit(spec, market)
    model = model_of(spec, settings)
    cost_e8 = {one.symbol: model.round_trip_e8(one.instrument) for one in market.series}
    reading = SpecReading(spec, cost_e8)
    tried = Trying(
        market=market,
        signals=reading.says(market),
        plan=plan_of(spec, settings),
        model=model,
        capital=settings.capital,
        decides_ms=spec.interval_ms,
        cost_e8=cost_e8,
        looked=looked(record, spec.name, canonical_text(spec), spec_hash(spec)),
        says=reading.says,
    )

    def lookahead(effort: Effort) -> LookAhead:
        return detect_lookahead(
            reading.says,
            market,
            cuts=effort.cuts,
            whole_day=effort.whole_day,
            warm_up_ms=reading.warm_up_ms,
            seed=effort.seed,
        )

    return Case(
        kind="spec",
        tried=tried,
        entries=reading.says,
        warm_up_ms=reading.warm_up_ms,
        features=reading.features,
        around=SpecAround(spec, market, cost_e8, lambda other: plan_of(other, settings)),
        lookahead=lookahead,
        record=record,
    )


def looked(record: Record, name: str, text: str, digest: str, settings: dict[str, str] | None = None) -> Looked:
    """What is written into every trial of a case."""
    return Looked(
        owner_id=record.owner_id,
        name=name,
        spec=text,
        spec_hash=digest,
        code_hash=code_hash(),
        made_ms=record.made_ms,
        ledger=record.trials,
        settings=settings or {},
    )
