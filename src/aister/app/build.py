"""The composition root: the only place that chooses a feed, a venue, minds, a journal. Everything else is handed
these."""

import hashlib
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from aister.adapters.feeds.recorded import RecordedFeed, open_feed
from aister.adapters.store.journal import open_chain
from aister.adapters.store.layout import Columns
from aister.app.settings import RunSettings
from aister.app.strategies import history_ms, make_strategy, management_of, narrowed, scaling_of, spec_of
from aister.core.audit import Audit
from aister.core.errors import UsageError
from aister.core.events import InstrumentListed, RunStarted
from aister.core.instrument import Instrument
from aister.council.calibration import Calibration
from aister.council.latency import FixedLatency
from aister.council.priors import packaged_priors
from aister.council.rules import RuleCouncil
from aister.engine.account import Costs
from aister.engine.desk import Desk
from aister.engine.engine import Engine
from aister.engine.repeat import RepeatedJournal
from aister.engine.rules import EngineRules
from aister.engine.runner import Run
from aister.execution.gateway import OrderGateway
from aister.execution.traits import VenueTraits
from aister.features.market import Features
from aister.features.timeframes import INTERVAL_MS, NAMES, bit
from aister.portfolio.portfolio import Portfolio
from aister.ports.feed import Feed
from aister.ports.floor import Floor
from aister.ports.journal import Journal
from aister.ports.venue import Venue
from aister.risk.kernel import RiskKernel
from aister.risk.profile import Limits, profile
from aister.sim.models import FillModel, Margin
from aister.sim.venue import SimVenue
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.checks import check
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.tree import Spec
from aister.strategy.strategy import Strategy

__all__ = [
    "SIMULATED",
    "Built",
    "Fed",
    "RealAccount",
    "build_run",
    "config_hash",
    "costs_of",
    "limits_of",
    "open_data",
    "open_run_journal",
]


SIMULATED = "simulated"
"""What the chain calls the venue that fills by the fill model."""

RiskOf = Callable[[dict[str, Instrument], bytes], RiskKernel]
"""Makes the risk kernel from the instruments and the seal key."""


class Place(Floor, Venue, Protocol):
    """Where a run trades and what its market time moves."""


PlaceOf = Callable[[FillModel], Place]
"""Makes the place of a run that fills as this model says."""


class RealAccount(msgspec.Struct, frozen=True):
    """An account at a real exchange that a run trades on, in place of the simulated venue. `venue` is its name in the
    chain, `instance` begins every client order id, `traits` say what the exchange lets an order path do."""

    place: Place
    venue: str
    instance: str
    traits: VenueTraits


class Fed(Feed, Protocol):
    """What a run is fed: recorded data, or what a live one has been told so far. `history`: what lies before it, for
    features to warm up on; `columns`: all bars of a symbol, as arrays."""

    @property
    def span_ms(self) -> tuple[int, int]: ...
    @property
    def history(self) -> Feed | None: ...
    def columns(self, symbol: str) -> Columns: ...


class Built(msgspec.Struct, frozen=True):
    """A run ready to start, and the parts its result needs. `floor` is where it trades, `venue` what the chain calls
    that."""

    run: Run
    engine: Engine
    feed: Fed
    journal: Journal
    settings: RunSettings
    floor: Floor
    venue: str


def open_data(settings: RunSettings) -> RecordedFeed:
    """The feed the settings name. Raises `DataError` or `UsageError` when it is not there or not whole."""
    return open_feed(
        settings.data,
        symbols=settings.symbols or None,
        start_ms=settings.start_ms,
        end_ms=settings.end_ms,
        assume_funding=settings.assume_funding,
        warm_up_ms=history_ms(spec_of(settings.strategy, settings.spec)),
    )


def config_hash(settings: RunSettings) -> str:
    """SHA-256 over everything that decides besides data and code: settings, strategy spec, risk limits, priors, engine
    rules. Of a spec its hash and its name, which every id carries; its description does not decide."""
    spec = spec_of(settings.strategy, settings.spec)
    asked = replace(settings, strategy=spec.name, spec=spec_hash(spec)) if spec is not None else settings
    decides = (asked, _limits(settings, spec), packaged_priors().digest, _rules(settings, spec))
    return hashlib.sha256(msgspec.json.encode(decides)).hexdigest()


def open_run_journal(home: Path, settings: RunSettings, feed: RecordedFeed, *, fresh: bool = False) -> Journal:
    """The chain of this run: the unfinished one of the same settings and data, else a new one."""
    identity = f"{config_hash(settings)[:16]}-{feed.data_hash[:16]}"
    return open_chain(home, owner_id=settings.owner_id, identity=identity, kind="run", fresh=fresh)


def build_run(
    settings: RunSettings,
    feed: Fed,
    journal: Journal,
    observers: tuple[Callable[[Audit], None], ...] = (),
    *,
    strategy: Strategy | None = None,
    risk: RiskOf | None = None,
    model: FillModel | None = None,
    place: PlaceOf | None = None,
    account: RealAccount | None = None,
) -> Built:
    """A trader over a feed: on the simulated venue of this process, or on a real `account`.

    `strategy`, `risk`, `model` and `place` replace what the settings name: drills and parity tests only, no command
    line reaches them. Of a `place` or an `account` the fill model only says what trading is expected to cost; no
    simulated venue is made then, and none compiled.
    """
    if not feed.instruments:
        raise UsageError("The feed has no symbols; name at least one with --symbols.")
    key = secrets.token_bytes(32)
    if strategy is None:
        strategy = make_strategy(settings.strategy, spec_of(settings.strategy, settings.spec))
    spec = strategy.spec if isinstance(strategy, SpecStrategy) else None
    if spec is not None:
        _fit(spec, feed)
    limits = _limits(settings, spec)
    priors = packaged_priors()
    minds = RuleCouncil(priors, latency=FixedLatency(settings.latency_ms)) if settings.mind == "rules" else None
    model = model or _modes(settings)
    model = replace(model, margin=Margin(model.margin.mode, limits.leverage)).check()
    model.check_bars(feed.base_interval_ms, min(INTERVAL_MS[name] for name in NAMES if strategy.mask & bit(name)))
    floor: Place = account.place if account else place(model) if place else _paper(model, feed, settings.capital)
    kernel = risk(feed.instruments, key) if risk else _risk(settings, limits, feed.instruments, key)
    desk = Desk.hedged if model.position_mode == "hedge" else Desk
    engine = Engine(
        trader_id=account.instance if account else settings.trader_id,
        features=_warm_features(feed, strategy.indicators if isinstance(strategy, SpecStrategy) else ()),
        strategy=strategy,
        risk=kernel,
        portfolio=Portfolio(settings.owner_id, settings.capital),
        calibration=Calibration(priors),
        desks={symbol: desk(feed.instruments[symbol]) for symbol in feed.symbols},
        cost_of=partial(_costs, model),
        rules=replace(_rules(settings, spec), delay_bars=model.latency.decision_ms // feed.base_interval_ms),
        traits=account.traits if account else None,
    )
    run = Run(
        engine=engine,
        slices=feed.slices(),
        floor=floor,
        sender=OrderGateway(floor, key),
        minds=minds,
        journal=RepeatedJournal(journal),
        opening=_opening(settings, feed, minds.name if minds else "none", account),
        observers=observers,
    )
    return Built(run, engine, feed, journal, settings, floor, _venue_of(account))


def _paper(model: FillModel, feed: Fed, capital: int) -> SimVenue:
    """The simulated venue of this process, with the capital on it and the bars before the run known."""
    venue = SimVenue(base_interval_ms=feed.base_interval_ms, model=model)
    venue.deposit(capital)
    for instrument in feed.instruments.values():
        venue.list_instrument(instrument)
    for market in feed.history.slices() if feed.history else ():
        venue.remember(market.bars)
    return venue


def _venue_of(account: RealAccount | None) -> str:
    return account.venue if account else SIMULATED


def _warm_features(feed: Fed, indicators: tuple[tuple[str, str], ...]) -> Features:
    """Features that have seen what lies before the run's first bar. Nothing else is told of it: no decision rests on
    a moment before the run."""
    features = Features(feed.base_interval_ms, feed.symbols, indicators=indicators)
    for market in feed.history.slices() if feed.history else ():
        for settled in market.funding:
            features.settle(settled)
        for bar in market.bars:
            features.update(bar)
    return features


def _fit(spec: Spec, feed: Fed) -> None:
    """Raises `SpecRefused` or `UsageError` when a spec cannot be traded on this feed."""
    meant = {name: one for name, one in feed.instruments.items() if not spec.symbols or name in spec.symbols}
    if not meant:
        raise UsageError(f"{spec.name} trades {', '.join(spec.symbols)}; name one of them with --symbols.")
    check(replace(spec, symbols=()), meant, base_interval_ms=feed.base_interval_ms)


def _rules(settings: RunSettings, spec: Spec | None) -> EngineRules:
    return EngineRules(deliberate=settings.mind == "rules", management=management_of(spec), scaling=scaling_of(spec))


def _modes(settings: RunSettings) -> FillModel:
    """The usual fill model under the account modes that were asked for."""
    return FillModel(
        margin=Margin("cross" if settings.margin == "cross" else "isolated"),
        position_mode="hedge" if settings.positions == "hedge" else "one_way",
    )


def limits_of(settings: RunSettings) -> Limits:
    """The risk profile of a run, as narrow as its strategy's spec makes it."""
    return _limits(settings, spec_of(settings.strategy, settings.spec))


def _limits(settings: RunSettings, spec: Spec | None) -> Limits:
    limits = narrowed(profile(settings.profile), spec)
    return replace(limits, leverage=settings.leverage).check() if settings.leverage else limits


def _risk(settings: RunSettings, limits: Limits, instruments: dict[str, Instrument], key: bytes) -> RiskKernel:
    return RiskKernel(limits, instruments, key, settings.owner_id, settings.trader_id, seed=settings.seed)


def _opening(
    settings: RunSettings, feed: Fed, mind: str, account: RealAccount | None
) -> tuple[RunStarted | InstrumentListed, ...]:
    """The first records of every chain: who runs what, and the terms of every instrument. Of a run on a real account
    the trader is named by the installation, as its orders are."""
    start_ms = feed.span_ms[0]
    started = RunStarted(
        time_ms=start_ms,
        owner_id=settings.owner_id,
        trader_id=account.instance if account else settings.trader_id,
        venue=_venue_of(account),
        mind=mind,
        config_hash=config_hash(settings),
        data_hash=feed.data_hash,
        seed=settings.seed,
        capital=settings.capital,
    )
    return (started, *(InstrumentListed(start_ms, feed.instruments[symbol]) for symbol in feed.symbols))


def costs_of(feed: RecordedFeed) -> dict[str, int]:
    """Expected round trip by symbol, as a fraction in 1e-8, on the venue of a run."""
    model = FillModel()
    return {symbol: _costs(model, instrument).round_trip_e8 for symbol, instrument in feed.instruments.items()}


def _costs(model: FillModel, instrument: Instrument) -> Costs:
    """What the venue's own models make of a round trip."""
    return Costs(model.round_trip_e8(instrument), model.slippage.half_spread(instrument))
