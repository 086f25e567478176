"""What a backtest leaves: what ran on what, every trade, daily equity, figures. JSON and page are made of it."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.drawdown import Drawdown
from aister.analytics.performance import Performance
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.kernels.trades import REASONS

__all__ = ["Backtested", "Origin", "published", "trade_rows"]

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[Any]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides a backtest: the same origin gives the same trades, to the unit.

    kind: spec or python; spec: the canonical rules (JSON) or the source; settings: what else decides, in words;
    assumptions: the fill model, in words; flags: the data's own; walls: of the process that ran a Python strategy."""

    kind: str
    name: str
    description: str
    spec: str
    spec_hash: str
    timeframe: str
    data: str
    data_hash: str
    code_hash: str
    seed: int
    settings: dict[str, str]
    assumptions: dict[str, str]
    flags: tuple[str, ...]
    versions: dict[str, str]
    walls: tuple[str, ...] = ()


class Backtested(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The result. trades: closed ones, dtype `kernels.trades.TRADE`; fills: dtype FILL, None unless asked for; equity
    at `equity_ms` (the start, each 00:00 UTC, the end) and turnover, the notional traded until then, money units;
    deepest: the deepest drawdown seen at the closes of base bars; held: signed steps still open at the end, by symbol,
    open_since_ms: since when, of those that are; setups: how many fired, unsound: how many had an impossible price;
    ambiguous: bars; trades_digest: SHA-256 over the trades' integers; trial_id, trials: in the ledger, this one among
    them (0: no ledger was given)."""

    origin: Origin
    span_ms: tuple[int, int]
    interval_ms: int
    instruments: dict[str, Instrument]
    capital: int
    trades: Rows
    fills: Rows | None
    equity_ms: Ints
    equity: Ints
    turnover: Ints
    deepest: Drawdown
    held: dict[str, int]
    open_since_ms: dict[str, int]
    setups: int
    unsound: int
    ambiguous: int
    unknown_impacts: int
    liquidation_fees: int
    performance: Performance
    trades_digest: str
    trial_id: str
    trials: int

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.instruments)

    def __repr__(self) -> str:
        f = self.performance.figures
        return (
            f"<Backtested {self.origin.name} on {', '.join(self.symbols)}: {f.net_return:+.2%} net, {f.trades} trades>"
        )


def _mean_price(instrument: Instrument, trade: Any, value: str) -> float:
    """What the fills on one side of a trade came to on average, by size: a trade may leave in parts."""
    return int(trade[value]) / (int(trade["steps"]) * instrument.unit) * instrument.tick_e8 / UNIT


def trade_rows(one: Backtested) -> list[dict[str, Any]]:
    """The closed trades in words and quote currency; prices are means over the fills, by size. Ticks, steps and money
    units stay in `trades`."""
    rows = []
    for number, trade in enumerate(one.trades, 1):
        instrument = one.instruments[one.symbols[int(trade["symbol"])]]
        rows.append(
            {
                "number": number,
                "symbol": instrument.symbol,
                "side": "long" if trade["side"] > 0 else "short",
                "entry_ms": int(trade["entry_ms"]),
                "exit_ms": int(trade["exit_ms"]),
                "size": instrument.size(int(trade["steps"])),
                "entry_price": _mean_price(instrument, trade, "entry_cost"),
                "exit_price": _mean_price(instrument, trade, "exit_value"),
                "fees": int(trade["fees"]) / UNIT,
                "funding": int(trade["funding"]) / UNIT,
                "slippage": int(trade["slippage"]) / UNIT,
                "pnl": int(trade["pnl"]) / UNIT,
                "r": int(trade["pnl"]) / int(trade["risk"]) if trade["risk"] > 0 else None,
                "reason": REASONS[int(trade["reason"])],
                "ambiguous": bool(trade["ambiguous"]),
            }
        )
    return rows


def published(one: Backtested) -> dict[str, Any]:
    """The result as JSON can hold it; figures that are not finite become null."""
    fills = None
    if one.fills is not None:
        fills = {name: one.fills[name].tolist() for name in one.fills.dtype.names or ()}
    return {
        "origin": msgspec.to_builtins(one.origin),
        "symbols": one.symbols,
        "span_ms": one.span_ms,
        "interval_ms": one.interval_ms,
        "capital": one.capital / UNIT,
        "setups": one.setups,
        "unsound_setups": one.unsound,
        "ambiguous_bars": one.ambiguous,
        "unknown_impacts": one.unknown_impacts,
        "liquidation_fees": one.liquidation_fees / UNIT,
        "held_at_end": one.held,
        "open_since_ms": one.open_since_ms,
        "drawdown_at_bar_closes": msgspec.to_builtins(one.deepest),
        "performance": msgspec.to_builtins(one.performance),
        "equity": {
            "time_ms": one.equity_ms.tolist(),
            "quote": (one.equity / UNIT).tolist(),
            "turnover": (one.turnover / UNIT).tolist(),
        },
        "trades": trade_rows(one),
        "fills": fills,
        "trades_digest": one.trades_digest,
        "trial_id": one.trial_id,
        "trials": one.trials,
    }
