"""A strategy run again under other conditions. Every such run is a look at the data and leaves a trial (quant Q11)."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from aister.analytics.daily import returns_of, seen_daily
from aister.core.trial import Trial, TrialOutcome, packed
from aister.lab.batch import Plan, Simulated, run
from aister.lab.prepare import Prepared, prepare
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.ports.trials import TrialLedger
from aister.sim.models import FillModel

__all__ = ["KIND", "Look", "Looked", "Trying", "deepest_drawdown", "look_of"]

KIND = "detector"


class Look(msgspec.Struct, frozen=True):
    """What one run came to. net_return: of the capital, everything paid; drawdown: deepest, of daily equity; trades:
    closed ones."""

    net_return: float
    drawdown: float
    trades: int


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What is written into the trials of a detector besides the run itself: whose they are, the rules, the code;
    settings: what else decided, in words."""

    owner_id: str
    name: str
    spec: str
    spec_hash: str
    code_hash: str
    made_ms: int
    ledger: TrialLedger | None = None
    settings: dict[str, str] = {}


class Trying(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy over one market: its signals, what is done with them, and how orders fill. capital: money units;
    decides_ms: the timeframe it decides on; cost_e8: round trip by symbol, as signals take it; says: how signals are
    made of another market."""

    market: Market
    signals: Mapping[str, Signals]
    plan: Plan
    model: FillModel
    capital: int
    decides_ms: int
    cost_e8: Mapping[str, int]
    looked: Looked
    says: Callable[[Market], Mapping[str, Signals]]

    def prepared(self) -> tuple[Prepared, ...]:
        """What all runs over the market share; of another impact model it has to be made again."""
        return tuple(prepare(one, self.model, [self.decides_ms]) for one in self.market.series)

    def simulate(
        self,
        prepared: Sequence[Prepared],
        *,
        plan: Plan | None = None,
        model: FillModel | None = None,
        signals: Mapping[str, Signals] | None = None,
    ) -> Simulated:
        """Run it with one of its parts replaced."""
        plan, model = plan or self.plan, model or self.model
        return run(prepared, self.signals if signals is None else signals, plan, model, self.capital)

    def trial(
        self,
        detector: str,
        simulated: Simulated,
        *,
        varied: str,
        seed: int = 0,
        market: Market | None = None,
        model: FillModel | None = None,
        spec: tuple[str, str] | None = None,
    ) -> Trial:
        """The trial of one run. varied: what was different, in words; spec: (text, hash) where the rules were."""
        market, model = market or self.market, model or self.model
        equity = seen_daily(simulated.equity_ms, simulated.equity, self.capital)
        look = look_of(simulated, self.capital)
        text, digest = spec or (self.looked.spec, self.looked.spec_hash)
        return Trial(
            owner_id=self.looked.owner_id,
            kind=KIND,
            spec_hash=digest,
            spec=text,
            symbols=market.symbols,
            span_ms=market.span_ms,
            interval_ms=market.interval_ms,
            data_hash=market.data_hash,
            code_hash=self.looked.code_hash,
            fill_model=msgspec.json.encode(model, order="sorted").decode(),
            seed=seed,
            settings={**self.looked.settings, "detector": detector, "varied": varied, "capital": str(self.capital)},
            outcome=TrialOutcome.FINISHED,
            first_day=equity.first_day,
            returns=packed(returns_of(equity)),
            figures={"net_return": look.net_return, "max_drawdown": look.drawdown, "trades": float(look.trades)},
            name=self.looked.name,
            made_ms=self.looked.made_ms,
        )

    def keep(self, trials: Sequence[Trial]) -> None:
        """Leave them in the ledger, if there is one, before anybody reads a result."""
        if self.looked.ledger is not None:
            self.looked.ledger.add_many(trials)


def look_of(simulated: Simulated, capital: int) -> Look:
    """The figures of one run."""
    net = (int(simulated.equity[-1]) - capital) / capital
    return Look(net, deepest_drawdown(simulated.equity.astype(np.float64)), len(simulated.trades))


def deepest_drawdown(equity: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """max over t of 1 - equity_t / max before: 0 for a line that only rises."""
    peak = np.maximum.accumulate(equity, axis=-1)
    return float((1.0 - equity / peak).max())
