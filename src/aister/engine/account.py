"""What risk and the council are shown of the account and the market: assembled here, from whoever knows."""

from collections.abc import Callable

import msgspec

from aister.core.council import Question, Setup, Standing
from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE
from aister.core.trade import Side
from aister.engine.desk import Desk
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.features.timeframes import interval_name
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel
from aister.risk.situation import Exposure, Reserved, Situation, exposure, reservation

__all__ = ["Account", "CostOf", "Costs"]

_HOUR_MS = 3_600_000


class Costs(msgspec.Struct, frozen=True):
    """What trading one instrument is expected to cost, as fractions of price in 1e-8: both fees and both spreads of a
    round trip, and one half-spread."""

    round_trip_e8: int
    half_spread_e8: int


CostOf = Callable[[Instrument], Costs]


class Account:
    """Reads portfolio, risk, desks and features; changes nothing."""

    def __init__(
        self, portfolio: Portfolio, risk: RiskKernel, desks: dict[str, Desk], features: Features, cost_of: CostOf
    ) -> None:
        self._portfolio, self._risk, self._features = portfolio, risk, features
        self._cost_of = cost_of
        self._costs = {symbol: cost_of(desk.instrument) for symbol, desk in desks.items()}
        self._legs = tuple(leg for desk in desks.values() for leg in desk.legs)
        self._base_atr_id = f"{interval_name(features.base_interval_ms)}.atr_14"
        self._last_loss_ms = -1

    def cost_e8(self, desk: Desk) -> int:
        """Expected round-trip cost of the desk's instrument."""
        return self._costs[desk.instrument.symbol].round_trip_e8

    def listed(self, instrument: Instrument) -> None:
        """The instrument's terms, fees among them, are these from now on."""
        self._costs[instrument.symbol] = self._cost_of(instrument)

    def lost(self, time_ms: int) -> None:
        """A trade closed at a loss."""
        self._last_loss_ms = time_ms

    def reserve(self, desk: Desk, side: Side, steps: int, entry_ticks: int, stop_ticks: int, time_ms: int) -> Reserved:
        """A plan or working entry at its worst."""
        return reservation(
            desk.instrument,
            self._risk.limits,
            side=side,
            steps=steps,
            entry_ticks=entry_ticks,
            stop_ticks=stop_ticks,
            atr_1m_ticks=self._atr_ticks(desk, self._base_atr(desk, time_ms)),
        )

    def situation(self, desk: Desk, time_ms: int) -> Situation:
        """The account and the market as a review of this desk's intent reads them. Its own armed plan is not counted
        twice."""
        portfolio = self._portfolio
        positions = tuple(e for d in self._legs if (e := self._exposure(d, time_ms)) is not None)
        reserved = tuple(r for d in self._legs if (r := self._reserved(d, d is desk)) is not None)
        seen = desk.bar_ms >= 0
        mark = desk.mark_ticks if seen else None
        features = self._features.snapshot(desk.instrument.symbol, time_ms)
        costs = self._costs[desk.instrument.symbol]
        return Situation(
            time_ms=time_ms,
            equity=portfolio.equity,
            free_margin=portfolio.wallet - sum(p.margin for p in positions),
            mark_ticks=mark,
            bar_interval_ms=self._features.base_interval_ms,
            bar_age_ms=time_ms - desk.bar_ms if seen else None,
            account_age_ms=0,
            confirmed_steps=portfolio.holding(desk.instrument.symbol, desk.leg).steps,
            positions=positions,
            reserved=reserved,
            atr_1m_ticks=self._atr_ticks(desk, features.get(self._base_atr_id)),
            atr_1h_ticks=self._atr_ticks(desk, features.get("1h.atr_14")),
            cost_e8=costs.round_trip_e8,
            half_spread_ticks=None if mark is None else -(-mark * costs.half_spread_e8 // RATE_ONE),
        )

    def holding(self, desk: Desk, time_ms: int) -> Situation:
        """What a reduction needs and nothing more, so that nothing else can stand in its way (Q5): what is held."""
        return Situation(
            time_ms=time_ms,
            equity=None,
            free_margin=None,
            mark_ticks=None,
            bar_interval_ms=self._features.base_interval_ms,
            bar_age_ms=None,
            account_age_ms=None,
            confirmed_steps=self._portfolio.holding(desk.instrument.symbol, desk.leg).steps,
        )

    def can_judge(self, desk: Desk, time_ms: int) -> bool:
        """Whether risk knows enough to approve anything here: where it does not, it refuses every entry, and nobody
        need be asked."""
        situation = self.situation(desk, time_ms)
        return all(getattr(situation, need) is not None for need in self._risk.needs)

    def question(
        self, setup: Setup, desk: Desk, features: FeatureSet, standings: tuple[Standing, ...], time_ms: int
    ) -> Question:
        """The setup with everything the minds may read; the account in fractions and counts, never in money."""
        return Question(
            id=f"{setup.id}?",
            time_ms=time_ms,
            setup=setup,
            tick=desk.instrument.price(1),
            price=desk.close,
            features=features.values,
            unavailable=features.unavailable,
            account=self._fractions(setup, time_ms),
            standings=standings,
            cost_e8=self.cost_e8(desk),
        )

    # ---- inside
    # -------------------------------------------------------------------------------------------------------

    def _fractions(self, setup: Setup, time_ms: int) -> dict[str, float]:
        equity = self._portfolio.equity
        positions = [e for d in self._legs if (e := self._exposure(d, time_ms)) is not None]
        reserved = [r for d in self._legs if (r := self._reserved(d, False)) is not None]
        same = sum(p.steps * setup.side > 0 for p in positions) + sum(r.side == setup.side for r in reserved)
        taken: list[Exposure | Reserved] = [*positions, *reserved]
        fractions = {
            "open_positions": float(len(positions)),
            "same_side_positions": float(same),
            "open_risk": sum(x.stop_risk for x in taken) / equity,
            "gross_exposure": sum(x.notional for x in taken) / equity,
            "day_loss": self._risk.day_loss(time_ms, equity),
            "drawdown": self._risk.drawdown(equity),
            "losses_in_row": float(self._risk.losses_in_row),
        }
        if self._last_loss_ms >= 0:
            fractions["hours_since_loss"] = (time_ms - self._last_loss_ms) / _HOUR_MS
        return fractions

    def _exposure(self, desk: Desk, time_ms: int) -> Exposure | None:
        holding = self._portfolio.holding(desk.instrument.symbol, desk.leg)
        if holding.steps == 0:
            return None
        return exposure(
            desk.instrument,
            self._risk.limits,
            steps=holding.steps,
            mark_ticks=desk.mark_ticks,
            stop_ticks=desk.resident_stop_ticks,
            atr_1m_ticks=self._atr_ticks(desk, self._base_atr(desk, time_ms)),
            margin=-(-abs(holding.cost) // self._risk.limits.leverage),
        )

    def _reserved(self, desk: Desk, own: bool) -> Reserved | None:
        """An entry in flight or, unless it is the one being fired, an armed plan."""
        if desk.working_entry is not None:
            return desk.working_entry
        return None if own or desk.plan is None else desk.plan.reserved

    def _base_atr(self, desk: Desk, time_ms: int) -> float | None:
        return self._features.snapshot(desk.instrument.symbol, time_ms).get(self._base_atr_id)

    @staticmethod
    def _atr_ticks(desk: Desk, atr: float | None) -> int | None:
        return None if atr is None else desk.instrument.ticks_above(atr)
