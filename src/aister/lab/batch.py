"""Setups in, trades out: a plan, a fill model and the batch loop over columns.

    prepare(series) once  ->  many runs  ->  Simulated
    simulate(market, signals, plan, model, capital)

What a run costs is the loop alone: prices in ticks, volumes in steps, impact, settlement rows and decision closes are
worked out once a series and shared, read-only, by every run over it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import UsageError
from aister.lab.account import Plan, open_account
from aister.lab.loop import Ended, Loop
from aister.lab.memory import keep_freed
from aister.lab.prepare import Prepared, prepare
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.sim.models import FillModel

__all__ = ["Plan", "Simulated", "open_account", "run", "simulate"]

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[Any]


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
    keep_freed()
    loop = Loop(prepared, plan, model, capital, together=together)
    ended = loop.run([signals[one.series.symbol] for one in prepared], fills=fills, dense=dense)
    return _simulated(ended, prepared, model, capital)


def _simulated(ended: Ended, prepared: Sequence[Prepared], model: FillModel, capital: int) -> Simulated:
    desks, account, trades, day_ms, equity = ended.desks, ended.account, ended.trades, ended.day_ms, ended.equity
    start_ms = min(int(one.series.open_ms[one.series.start]) for one in prepared)
    end_ms = max(int(one.series.open_ms[-1]) for one in prepared) + prepared[0].series.interval_ms
    worth = int(account["wallet"])
    legs = len(desks) // len(prepared)
    for number, desk in enumerate(desks):
        one = prepared[number // legs]
        position = desk["book"]["position"]
        worth += int(one.bars[-1]["c"]) * int(position["steps"]) * one.series.instrument.unit - int(position["cost"])
    if not len(day_ms) or day_ms[-1] != end_ms:
        day_ms, equity = np.append(day_ms, end_ms), np.append(equity, worth)
    books, at_hand = desks["book"], desks["trades"][:, 0]
    is_open = desks["open"] == 1
    traded = sum(sum((rows["entry_cost"] + rows["exit_value"]).tolist()) for rows in (trades, at_hand[is_open]))
    return Simulated(
        symbols=tuple(one.series.symbol for one in prepared),
        trades=trades,
        fills=ended.fills,
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
