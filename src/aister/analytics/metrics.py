"""Figures of a run, net of fees, funding and slippage. What cannot be known is None, with the reason beside it."""

import math

import msgspec
import numpy as np

from aister.analytics.bootstrap import bootstrap_mean
from aister.analytics.daily import ANNUAL_DAYS, YEAR_DAYS, daily_returns
from aister.analytics.outcomes import (
    cost_shares,
    covered_ms,
    expectancy_r,
    needs_lower_timeframe,
    profit_factor,
    win_rate,
)
from aister.analytics.ratios import lo_factor, sharpe, volatility
from aister.analytics.run_result import RunResult, Trade
from aister.core.money import UNIT

__all__ = ["Metrics", "measure"]


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Returns and shares are fractions (0.01 = 1 %), money is quote currency, times are milliseconds.

    Daily figures are over whole UTC days on allotted capital, flat days included. `unavailable` gives the reason of
    each None.

    net_return        (equity at the end - transfers - capital) / capital, open trades valued at the last close
    before_costs      net + fees + funding + slippage;   *_share = that cost / before_costs, where it is positive
    volatility_daily  standard deviation of daily returns;   *_annual x sqrt(365)
    sharpe_daily      mean / standard deviation of daily returns;   sharpe_annual = Lo's eta(365) x sharpe_daily
    mean_daily_low, _high   95 % interval, stationary bootstrap, 1,000 draws
    profit_factor     sum of winning P&L / -sum of losing P&L;   expectancy_r = mean of net P&L / initial risk
    max_drawdown      deepest fall from a peak of equity, seen at every close of the base bars and after every fill;
                      drawdown_ms from that peak to the recovery, or to the end
    exposure          share of the time with any position open;   turnover = traded notional / capital
    ambiguous_trades  stops that filled in a bar that also reached a target; target_first_pnl = net P&L had targets
                      come first
    """

    days: int
    trades: int
    open_trades: int
    net_return: float
    net_pnl: float
    gross_pnl: float
    before_costs: float | None
    fees: float
    funding: float
    slippage: float | None
    fees_share: float | None
    funding_share: float | None
    slippage_share: float | None
    mean_daily: float | None
    mean_daily_low: float | None
    mean_daily_high: float | None
    volatility_daily: float | None
    volatility_annual: float | None
    sharpe_daily: float | None
    sharpe_annual: float | None
    max_drawdown: float
    drawdown_ms: int
    drawdown_recovered: bool
    win_rate: float | None
    profit_factor: float | None
    expectancy_r: float | None
    exposure: float
    turnover: float
    mean_holding_ms: float | None
    ambiguous_trades: int
    target_first_pnl: float
    needs_lower_timeframe: bool
    unavailable: dict[str, str]


def measure(result: RunResult, *, seed: int) -> Metrics:
    """The figures of a result; `seed` is that of the bootstrap."""
    missing: dict[str, str] = {}
    capital = result.capital
    final = result.equity.amounts[-1]
    net = final - capital - sum(amount for _, amount in result.transfers)
    returns = daily_returns(result.equity.times_ms, result.equity.amounts, result.transfers, capital, result.span_ms)
    days = len(returns)
    mean = float(returns.mean()) if days else None
    sigma, ratio = volatility(returns), sharpe(returns)
    low = high = None
    interval = bootstrap_mean(returns, seed=seed)
    if interval:
        low, high = interval
    factor = lo_factor(returns) if days >= ANNUAL_DAYS else None
    _note(missing, "volatility_daily", sigma, f"{days} whole days; two are needed")
    _note(missing, "mean_daily", mean, "no whole UTC day in the span")
    _note(missing, "mean_daily_low", low, f"{days} whole days; eight are needed for an interval")
    _note(missing, "mean_daily_high", high, f"{days} whole days; eight are needed for an interval")
    _note(
        missing,
        "sharpe_daily",
        ratio,
        "the daily returns do not vary" if days > 1 else f"{days} whole days; two are needed",
    )
    short = f"{days} whole days; annualised figures need {ANNUAL_DAYS}"
    annual = sigma * math.sqrt(YEAR_DAYS) if sigma is not None and days >= ANNUAL_DAYS else None
    sharpe_annual = ratio * factor if ratio is not None and factor is not None else None
    _note(missing, "volatility_annual", annual, short)
    _note(
        missing,
        "sharpe_annual",
        sharpe_annual,
        short if days < ANNUAL_DAYS else "the correction is not defined on these returns",
    )

    closed = result.trades
    none = "no closed trades"
    pnl, risk = (np.array(column, np.int64) for column in ([t.pnl for t in closed], [t.initial_risk for t in closed]))
    hits, factor_won, multiple = win_rate(pnl), profit_factor(pnl), expectancy_r(pnl, risk)
    _note(missing, "win_rate", hits, none)
    _note(missing, "profit_factor", factor_won, "no losing trades" if closed else none)
    _note(missing, "expectancy_r", multiple, "no trade with a stop" if closed else none)
    _note(missing, "mean_holding_ms", closed or None, none)

    slippage = result.slippage if result.slippage_known else None
    before, shares = None, None
    if slippage is not None:
        before, shares = cost_shares(net, {"fees": result.fees, "funding": result.funding, "slippage": slippage})
    _note(missing, "slippage", slippage, "a liquidation has no reference price")
    _note(missing, "before_costs", before, "slippage is not known")
    for name in ("fees_share", "funding_share", "slippage_share"):
        _note(
            missing, name, shares, "nothing was earned before costs" if before is not None else "slippage is not known"
        )
    fall = result.equity.deepest
    until_ms = result.equity.times_ms[-1] if fall.back_ms is None else fall.back_ms
    gain = sum(t.target_first for t in closed)
    return Metrics(
        days=days,
        trades=len(closed),
        open_trades=len(result.open_trades),
        net_return=net / capital,
        net_pnl=net / UNIT,
        gross_pnl=(net + result.fees + result.funding) / UNIT,
        before_costs=None if before is None else before / UNIT,
        fees=result.fees / UNIT,
        funding=result.funding / UNIT,
        slippage=None if slippage is None else slippage / UNIT,
        fees_share=shares["fees"] if shares else None,
        funding_share=shares["funding"] if shares else None,
        slippage_share=shares["slippage"] if shares else None,
        mean_daily=mean,
        mean_daily_low=low,
        mean_daily_high=high,
        volatility_daily=sigma,
        volatility_annual=annual,
        sharpe_daily=ratio,
        sharpe_annual=sharpe_annual,
        max_drawdown=fall.depth,
        drawdown_ms=until_ms - fall.peak_ms if fall.depth else 0,
        drawdown_recovered=not fall.depth or fall.back_ms is not None,
        win_rate=hits,
        profit_factor=factor_won,
        expectancy_r=multiple,
        exposure=_exposure(result),
        turnover=sum(t.turnover for t in (*closed, *result.open_trades)) / capital,
        mean_holding_ms=sum(t.held_ms for t in closed) / len(closed) if closed else None,
        ambiguous_trades=sum(t.ambiguous for t in closed),
        target_first_pnl=(net + gain) / UNIT,
        needs_lower_timeframe=needs_lower_timeframe(gain, net),
        unavailable=missing,
    )


def _note(missing: dict[str, str], name: str, value: object, reason: str) -> None:
    if value is None:
        missing[name] = reason


def _exposure(result: RunResult) -> float:
    """Share of the span covered by the union of all positions' lives."""
    start, end = result.span_ms
    lives = [(t.opened_ms, _end(t, end)) for t in (*result.trades, *result.open_trades)]
    opened, closed = np.array(lives, np.int64).reshape(-1, 2).T
    return covered_ms(opened, closed, result.span_ms) / (end - start) if end > start else 0.0


def _end(trade: Trade, end_ms: int) -> int:
    return end_ms if trade.closed_ms is None else trade.closed_ms
