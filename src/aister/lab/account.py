"""What is done with a setup, and the account as it is before the first bar."""

from collections.abc import Sequence
from itertools import product

import msgspec
import numpy as np

from aister.core.errors import MoneyOverflow, SettingsError, UsageError
from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE
from aister.execution.bracket import ManagementRules, ScalingRules
from aister.kernels.ledger import ACCOUNT, book_transfer
from aister.kernels.position import DESK, MAX_ACKS
from aister.kernels.state import State, allocate
from aister.lab.prepare import Prepared
from aister.sim.desk import write_book
from aister.sim.models import FillModel

__all__ = ["TOO_LARGE", "Plan", "legs_of", "open_account"]

TOO_LARGE = "An amount of the simulated account does not fit in 64 bits; reduce the capital or the risk."
_MOST = 1 << 62


class Plan(msgspec.Struct, frozen=True):
    """What is done with a setup. risk_e8: share of equity lost at the stop; cap_e8: notional at most, as a multiple of
    equity; both 1e-8. delay_bars: base bars between a decision and its order, on top of the fill model's decision
    latency. scaling: what may be added to an open position."""

    risk_e8: int = 500_000
    cap_e8: int = RATE_ONE
    management: ManagementRules = ManagementRules()
    delay_bars: int = 0
    scaling: ScalingRules = ScalingRules()

    def check(self) -> "Plan":
        """The plan itself; raises `SettingsError` for what cannot be."""
        if not 0 < self.risk_e8 <= RATE_ONE:
            raise SettingsError("The risk of a trade is a share of equity above 0 and at most 1.")
        if not 0 < self.cap_e8 <= 1_000 * RATE_ONE:
            raise SettingsError("The cap on notional is a multiple of equity above 0 and at most 1,000.")
        if self.delay_bars < 0 or self.management.break_even_after < 0 or self.management.trail_share_e4 < 0:
            raise SettingsError("Delay, break-even and trail cannot be negative.")
        scaling = self.scaling
        if not (0 <= scaling.times <= 3 and 0 < scaling.share_e4 <= 10_000 and 0 < scaling.first_e4 <= 10_000):
            raise SettingsError("At most three further entries, each of a share of the risk above 0 and at most 1.")
        return self


def open_account(prepared: Sequence[Prepared], plan: Plan, model: FillModel, capital: int) -> tuple[State, State]:
    """The desks (one a series, hedged one a leg) and the account as they are before the first bar: what a loop starts
    from. Raises as `simulate`."""
    plan.check()
    _possible(model, prepared)
    legs = legs_of(model)
    desks = np.zeros(len(prepared) * len(legs) * DESK.itemsize, "u1").view(DESK)
    for number, (one, leg) in enumerate(product(prepared, legs)):
        _write_desk(desks[number], one.series.instrument, one.series.interval_ms, plan, model, leg)
        desks[number]["symbol"] = number
    accounts = allocate(ACCOUNT)
    book_transfer(accounts, capital)
    if accounts[0]["overflow"]:
        raise MoneyOverflow(TOO_LARGE)
    return desks, accounts


def _possible(model: FillModel, prepared: Sequence[Prepared]) -> None:
    model.check()
    if not prepared:
        raise UsageError("There is nothing to run: give signals of at least one symbol.")
    interval_ms = prepared[0].series.interval_ms
    if any(one.series.interval_ms != interval_ms for one in prepared):
        raise UsageError("The series of one account have one base interval.")
    if any(one.impact_model != model.impact for one in prepared):
        raise UsageError("These series were prepared for another impact model; prepare them again.")
    if _acknowledged(model, interval_ms) > MAX_ACKS:
        raise SettingsError(f"Latencies of more than {MAX_ACKS} bars cannot be run; feed longer bars.")
    for one in prepared:
        if one.series.instrument.status != "TRADING":
            raise SettingsError(f"{one.series.symbol} is {one.series.instrument.status}; it cannot be traded.")


def legs_of(model: FillModel) -> tuple[int, ...]:
    """The desks of a symbol: 0 one-way, hedged 1 (long) and -1 (short)."""
    return (1, -1) if model.position_mode == "hedge" else (0,)


def _acknowledged(model: FillModel, interval_ms: int) -> int:
    """Opens that pass between an order and the word that it was accepted."""
    return model.latency.bars(interval_ms) + model.latency.ack_bars(interval_ms)


def _write_desk(
    desk: np.void, instrument: Instrument, interval_ms: int, plan: Plan, model: FillModel, leg: int
) -> None:
    write_book(desk["book"], instrument, model, leg)
    leverage = model.margin.leverage
    granted = max((b.cap for b in instrument.brackets if b.max_leverage >= leverage), default=0)
    p = desk["plan"]
    p["risk_e8"], p["cap_e8"], p["leverage"] = plan.risk_e8, plan.cap_e8, leverage
    p["granted"], p["taker_e8"] = min(granted, _MOST), instrument.taker_e8
    p["min_steps"], p["max_steps"] = instrument.min_steps, instrument.max_steps
    p["market_max_steps"], p["min_notional"] = instrument.market_max_steps, instrument.min_notional
    p["min_ticks"], p["max_ticks"] = instrument.min_ticks, instrument.max_ticks
    p["band_up_e8"], p["band_down_e8"] = instrument.band_up_e8, instrument.band_down_e8
    p["wait"] = model.latency.bars(interval_ms)
    p["ack"] = _acknowledged(model, interval_ms)
    p["delay_ms"] = (plan.delay_bars + model.latency.decision_ms // interval_ms) * interval_ms
    p["cost_e8"] = model.round_trip_e8(instrument)
    p["interval_ms"] = interval_ms
    p["break_even_after"] = plan.management.break_even_after
    p["trail_share_e4"] = plan.management.trail_share_e4
    scaling = plan.scaling
    p["first_e4"], p["adds"], p["add_e4"] = scaling.first_e4, scaling.times, scaling.share_e4
    p["beyond_risk"] = scaling.beyond_risk
