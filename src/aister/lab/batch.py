"""Setups in, trades out: a plan, a fill model and the batch loop over columns.

    prepare(series) once  ->  many runs  ->  Simulated
    simulate(market, signals, plan, model, capital)

What a run costs is the loop alone: prices in ticks, volumes in steps, impact, settlement rows and decision closes are
worked out once a series and shared, read-only, by every run over it.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import MoneyOverflow, SettingsError, UsageError
from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE
from aister.execution.bracket import ManagementRules, ScalingRules
from aister.kernels.batch import OVERFLOW, TOO_MANY, run_one
from aister.kernels.ledger import ACCOUNT, book_transfer
from aister.kernels.position import DESK, MAX_ACKS
from aister.kernels.several import run_several
from aister.kernels.state import State, allocate
from aister.kernels.trades import FILL, TRADE
from aister.lab.prepare import DAY_MS, Prepared, prepare
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.sim.desk import write_book
from aister.sim.models import FillModel

__all__ = ["Plan", "Simulated", "open_account", "run", "simulate"]

_MOST = 1 << 62
_FILLS_A_TRADE = 4
_TOO_LARGE = "An amount of the simulated account does not fit in 64 bits; reduce the capital or the risk."

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[Any]


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


class Simulated(msgspec.Struct, frozen=True, eq=False):
    """What came of it. trades: rows of `kernels.trades.TRADE` in order of their end, those still open left out; fills:
    rows of FILL, or None when not asked for; equity at `equity_ms`: the start, each 00:00 UTC, the end. Sums are money
    units: wallet, fees, funding (both positive = paid), slippage, liquidation_fees of the whole account, what is open
    at the end included. turnover: notional traded, both ways. unknown_impacts: fills charged the model's rate because
    impact could not be computed. held: signed steps still open at the end (hedged: of both legs together), opened_ms:
    since when (None: nothing is open)."""

    symbols: tuple[str, ...]
    trades: Rows
    fills: Rows | None
    equity_ms: Ints
    equity: Ints
    wallet: int
    fees: int
    funding: int
    slippage: int
    liquidation_fees: int
    turnover: int
    ambiguous: int
    unknown_impacts: int
    held: tuple[int, ...]
    opened_ms: tuple[int | None, ...]
    assumptions: dict[str, str]


def simulate(
    market: Market,
    signals: Mapping[str, Signals],
    plan: Plan,
    model: FillModel,
    capital: int,
    *,
    decides_ms: Sequence[int],
    fills: bool = False,
    dense: bool = False,
) -> Simulated:
    """Run the account over the market's span. `signals` by symbol, `capital` in money units.

    Raises `UsageError` for a symbol the market does not have, `MoneyOverflow` when an amount leaves 64 bits,
    `SettingsError` for a plan or model that cannot be."""
    if unknown := set(signals) - set(market.symbols):
        raise UsageError(
            f"There are no bars of {', '.join(sorted(unknown))}; the market has {', '.join(market.symbols)}."
        )
    prepared = [prepare(one, model, decides_ms) for one in market.series if one.symbol in signals]
    return run(prepared, signals, plan, model, capital, fills=fills, dense=dense)


def run(
    prepared: Sequence[Prepared],
    signals: Mapping[str, Signals],
    plan: Plan,
    model: FillModel,
    capital: int,
    *,
    fills: bool = False,
    dense: bool = False,
    together: bool = False,
) -> Simulated:
    """`simulate` on what `prepare` made. One series takes the loop that jumps (`dense`: at every bar), several, or one
    with `together`, the loop for several symbols."""
    rows = sum(len(signals[one.series.symbol].setups) for one in prepared)
    room = 2 * rows + 1
    count = TOO_MANY
    while count == TOO_MANY:  # again from the start with more room: a volume cap can make a fill of every bar
        desks, accounts = open_account(prepared, plan, model, capital)
        trades = np.empty(room, TRADE)
        noted = np.zeros(_FILLS_A_TRADE * room + 64 if fills else 0, FILL)
        if len(desks) == 1 and not plan.scaling.times and not together:
            count, day_ms, equity = _alone(desks, accounts, prepared[0], signals, trades, noted, dense)
        else:
            count, day_ms, equity = _together(desks, accounts, prepared, signals, _legs(model), trades, noted)
        room *= 8
    if count == OVERFLOW:
        raise MoneyOverflow(_TOO_LARGE)
    return _simulated(
        desks, accounts[0], prepared, model, capital, trades[:count], noted if fills else None, day_ms, equity
    )


def open_account(prepared: Sequence[Prepared], plan: Plan, model: FillModel, capital: int) -> tuple[State, State]:
    """The desks (one a series, hedged one a leg) and the account as they are before the first bar: what a loop starts
    from. Raises as `simulate`."""
    plan.check()
    _possible(model, prepared)
    legs = _legs(model)
    desks = np.zeros(len(prepared) * len(legs) * DESK.itemsize, "u1").view(DESK)
    for number, (one, leg) in enumerate(product(prepared, legs)):
        _write_desk(desks[number], one.series.instrument, one.series.interval_ms, plan, model, leg)
        desks[number]["symbol"] = number
    accounts = allocate(ACCOUNT)
    book_transfer(accounts, capital)
    if accounts[0]["overflow"]:
        raise MoneyOverflow(_TOO_LARGE)
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


def _legs(model: FillModel) -> tuple[int, ...]:
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


def _bars_of(one: Prepared, times_ms: Ints) -> tuple[npt.NDArray[np.bool_], Small]:
    """Which of these close times are closes of bars in the span, and of which bars."""
    opened, bars = times_ms - one.series.interval_ms, one.series.open_ms
    if (len(bars) - 1) * one.series.interval_ms == bars[-1] - bars[0]:  # no gaps: no search
        at = (opened - bars[0]) // one.series.interval_ms
        at[(at < 0) | (at > len(bars))] = 0
    else:
        at = np.searchsorted(bars, opened)
    at[at == len(bars)] = 0
    known = (one.series.open_ms[at] == opened) & (at >= one.series.start)
    return known, at[known].astype(np.int32)


def _alone(
    desks: State, accounts: State, one: Prepared, signals: Mapping[str, Signals], trades: Rows, fills: Rows, dense: bool
) -> tuple[int, Ints, Ints]:
    given = signals[one.series.symbol]
    known, setup_at = _bars_of(one, given.setups["time_ms"])
    leaving, exit_at = _bars_of(one, given.exits["time_ms"])
    equity = np.zeros(len(one.day_ms), np.int64)
    setups = given.setups if known.all() else given.setups[known]
    count = run_one(
        desks, accounts, one.series.open_ms, one.open, one.high, one.low, one.close, one.volume, one.impact,
        one.series.start, one.funding_at, one.funding_e8, one.decides, setups, setup_at,
        exit_at, given.exits["side"][leaving], one.day_at, equity, trades, fills, int(dense),
    )  # fmt: skip
    return count, one.day_ms, equity


def _together(
    desks: State,
    accounts: State,
    prepared: Sequence[Prepared],
    signals: Mapping[str, Signals],
    legs: tuple[int, ...],
    trades: Rows,
    fills: Rows,
) -> tuple[int, Ints, Ints]:
    """Setups, exits and adds of every desk behind one another; a hedged leg has the setups of its side."""
    columns = _Joined(prepared)
    first, rows = [], []
    setups, setup_at, setup_row, exit_at, exit_side, add_at, adds = [], [], [], [], [], [], []
    taken = left = more = 0
    for one, (base, funding) in zip(prepared, columns.places, strict=True):
        given = signals[one.series.symbol]
        known, at = _bars_of(one, given.setups["time_ms"])
        leaving, leave_at = _bars_of(one, given.exits["time_ms"])
        adding, more_at = _bars_of(one, given.adds["time_ms"])
        for leg in legs:
            mine = given.setups["side"][known] * leg >= 0
            setups.append(given.setups[known][mine])
            setup_at.append(at[mine] + np.int32(base))
            setup_row.append(np.flatnonzero(mine))
            exit_at.append(leave_at + np.int32(base))
            exit_side.append(given.exits["side"][leaving])
            add_at.append(more_at + np.int32(base))
            adds.append(np.stack((given.adds["side"][adding], given.adds["stop_ticks"][adding]), axis=1).ravel())
            first += [base, base + one.series.start, base + len(one.series.open_ms)]
            ends = (taken + int(mine.sum()), left + len(leave_at), more + len(more_at))
            rows += [*funding, taken, ends[0], left, ends[1], more, ends[2]]
            taken, left, more = ends
    day_ms = columns.days_ms()
    equity = np.zeros(len(day_ms), np.int64)
    count = run_several(
        desks, accounts, len(legs), np.array(first, np.int64), *columns.bars(), np.array(rows, np.int64),
        *columns.funding(), columns.decides(), np.concatenate(setups), np.concatenate(setup_at),
        np.concatenate(setup_row), np.concatenate(exit_at), np.concatenate(exit_side), np.concatenate(add_at),
        np.concatenate(adds), day_ms, equity, trades, fills,
    )  # fmt: skip
    if count >= 0:
        _by_time(trades[:count], fills[: int(desks[0]["fill_count"])], len(legs))
    return count, day_ms, equity


class _Joined:
    """The columns of several series behind one another. places: of each, its first bar among them and the bounds of its
    settlements from its span on."""

    def __init__(self, prepared: Sequence[Prepared]) -> None:
        self._prepared = prepared
        self.places: list[tuple[int, tuple[int, int]]] = []
        base = funded = 0
        for one in prepared:
            series = one.series
            skipped = int(np.searchsorted(series.funding_ms, series.open_ms[series.start]))
            self.places.append((base, (funded + skipped, funded + len(series.funding_ms))))
            base, funded = base + len(series.open_ms), funded + len(series.funding_ms)

    def bars(self) -> tuple[Ints, Small, Small, Small, Small, Ints, Floats]:
        """open_ms, o, h, l, c, volume, impact."""
        many = self._prepared
        return (
            np.concatenate([one.series.open_ms for one in many]),
            np.concatenate([one.open for one in many]),
            np.concatenate([one.high for one in many]),
            np.concatenate([one.low for one in many]),
            np.concatenate([one.close for one in many]),
            np.concatenate([one.volume for one in many]),
            np.concatenate([one.impact for one in many]) if many[0].impact_model is not None else np.zeros(1),
        )

    def funding(self) -> tuple[Ints, Ints]:
        """Settlements: times and rates."""
        series = [one.series for one in self._prepared]
        return np.concatenate([one.funding_ms for one in series]), np.concatenate([one.funding_e8 for one in series])

    def decides(self) -> npt.NDArray[np.bool_]:
        """Whether a bar is a decision close."""
        found = []
        for one in self._prepared:
            found.append(np.zeros(len(one.series.open_ms), np.bool_))
            found[-1][one.decides] = True
        return np.concatenate(found)

    def days_ms(self) -> Ints:
        """The UTC midnights from the start of the first span to the end of the last."""
        series = [one.series for one in self._prepared]
        start_ms = min(int(one.open_ms[one.start]) for one in series)
        end_ms = max(int(one.open_ms[-1]) for one in series) + series[0].interval_ms
        return np.arange(start_ms // DAY_MS + 1, end_ms // DAY_MS + 1, dtype=np.int64) * DAY_MS


def _by_time(trades: Rows, fills: Rows, legs: int) -> None:
    """Put what was written desk by desk in the order of time, desks in their order within one; the numbers of trades in
    the fills follow. Numbers of desks become those of symbols."""
    trades[:] = trades[np.argsort(trades["exit_ms"], kind="stable")]
    for symbol in np.unique(fills["symbol"]):
        rows = np.append(np.flatnonzero(trades["symbol"] == symbol), len(trades))
        mine = fills["symbol"] == symbol
        fills["trade"][mine] = rows[fills["trade"][mine]]
    fills[:] = fills[np.argsort(fills["time_ms"], kind="stable")]
    trades["symbol"] //= legs
    fills["symbol"] //= legs


def _simulated(
    desks: State,
    account: np.void,
    prepared: Sequence[Prepared],
    model: FillModel,
    capital: int,
    trades: Rows,
    fills: Rows | None,
    day_ms: Ints,
    equity: Ints,
) -> Simulated:
    start_ms = min(int(one.series.open_ms[one.series.start]) for one in prepared)
    end_ms = max(int(one.series.open_ms[-1]) for one in prepared) + prepared[0].series.interval_ms
    worth = int(account["wallet"])
    legs = len(desks) // len(prepared)
    for number, desk in enumerate(desks):
        one = prepared[number // legs]
        position = desk["book"]["position"]
        worth += int(one.close[-1]) * int(position["steps"]) * one.series.instrument.unit - int(position["cost"])
    if not len(day_ms) or day_ms[-1] != end_ms:
        day_ms, equity = np.append(day_ms, end_ms), np.append(equity, worth)
    books, at_hand = desks["book"], desks["trades"][:, 0]
    is_open = desks["open"] == 1
    traded = sum(int((rows["entry_cost"] + rows["exit_value"]).sum()) for rows in (trades, at_hand[is_open]))
    return Simulated(
        symbols=tuple(one.series.symbol for one in prepared),
        trades=trades,
        fills=None if fills is None else fills[: int(desks[0]["fill_count"])],
        equity_ms=np.concatenate(([start_ms], day_ms)),
        equity=np.concatenate(([capital], equity)),
        wallet=int(account["wallet"]),
        fees=int(account["fees"]),
        funding=int(account["funding"]),
        slippage=int(books["slippage"].sum()),
        liquidation_fees=int(account["liquidation_fees"]),
        turnover=traded,
        ambiguous=int(books["ambiguous"].sum()),
        unknown_impacts=int(books["unknown_impacts"].sum()),
        held=tuple(books["position"]["steps"].reshape(-1, legs).sum(axis=1).tolist()),
        opened_ms=tuple(
            min(at_hand["entry_ms"][first : first + legs][is_open[first : first + legs]].tolist(), default=None)
            for first in range(0, len(desks), legs)
        ),
        assumptions=model.assumptions(),
    )
