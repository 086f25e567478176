"""The figures of a backtest that are one number each: quick enough to be made for every cell of a sweep."""

import math
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.daily import ANNUAL_DAYS, DAY_MS, YEAR_DAYS, DailyEquity, returns_of, unit_values
from aister.analytics.deflation import corrected, minimum_track, probabilistic_sharpe
from aister.analytics.drawdown import Drawdown, deepest_fall
from aister.analytics.outcomes import (
    cost_shares,
    covered_ms,
    expectancy_r,
    needs_lower_timeframe,
    profit_factor,
    win_rate,
)
from aister.analytics.ratios import (
    UnderWater,
    calmar,
    growth,
    kurtosis,
    lo_factor,
    sharpe,
    skew,
    sortino,
    under_water,
    volatility,
)
from aister.core.money import UNIT

__all__ = ["Figures", "Totals", "figures"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]


class Totals(msgspec.Struct, frozen=True):
    """Over all fills of a run, those of a trade still open at the end included. Money in 1e-8 quote units; funding
    positive = paid; turnover = traded notional, both ways. `open_since_ms`: first fill of each trade still open."""

    fees: int
    funding: int
    slippage: int
    turnover: int
    open_since_ms: tuple[int, ...] = ()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Returns, shares and rates are fractions (0.01 = 1 %), money is quote currency, times are milliseconds, `_days`
    whole days. Everything is net of fees, funding and slippage. `unavailable` gives the reason of each None.

    Of the account (daily figures: whole UTC days, on allotted capital, flat days included)
    net_return        (equity at the end - transfers - capital) / capital;   cagr: that a year, compounded
    *_daily, *_annual sigma x sqrt(365); Sharpe x Lo's eta(365); Sortino x sqrt(365): hidden below 90 days, as cagr and
                      calmar are
    calmar            cagr / max_drawdown
    max_drawdown      deepest fall from a peak of unit NAV; drawdown_ms from that peak to its recovery or the end; seen
                      at midnights and at the end unless `drawdown_seen` says more often
    longest_drawdown_days, under_water   the longest wait for a peak to be met again; share of days below a peak
    psr               probability that the true Sharpe ratio is above 0;   track_days: days that 95 % would take
    before_costs      net P&L + fees + funding + slippage;   *_share = that cost / before_costs

    Of closed trades
    expectancy        mean net P&L;   expectancy_r: mean of net P&L / planned risk;   payoff: mean win / mean loss
    exposure          share of the time with any position;   turnover: traded notional / capital
    ambiguous_trades  trades with a bar that held both stop and target;   target_first_pnl: net P&L had the target come
                      first;   needs_lower_timeframe: that would add more than 10 % of the net result
    """

    span_ms: tuple[int, int]
    days: int
    capital: float
    net_pnl: float
    net_return: float
    cagr: float | None
    mean_daily: float | None
    volatility_daily: float | None
    volatility_annual: float | None
    sharpe_daily: float | None
    sharpe_annual: float | None
    sortino_daily: float | None
    sortino_annual: float | None
    calmar: float | None
    skew: float | None
    kurtosis: float | None
    best_day: float | None
    worst_day: float | None
    max_drawdown: float
    drawdown_ms: int
    drawdown_recovered: bool
    drawdown_seen: str
    longest_drawdown_days: int
    under_water: float
    psr: float | None
    track_days: float | None
    before_costs: float
    fees: float
    funding: float
    slippage: float
    fees_share: float | None
    funding_share: float | None
    slippage_share: float | None
    trades: int
    open_trades: int
    win_rate: float | None
    profit_factor: float | None
    payoff: float | None
    expectancy: float | None
    expectancy_r: float | None
    best_trade: float | None
    worst_trade: float | None
    mean_holding_ms: float | None
    exposure: float
    turnover: float
    ambiguous_trades: int
    target_first_pnl: float
    needs_lower_timeframe: bool
    unavailable: dict[str, str]


def figures(
    equity: DailyEquity, trades: Rows, *, totals: Totals | None = None, deepest: Drawdown | None = None
) -> Figures:
    """The figures of one run. trades: closed ones, dtype TRADE. `totals`: of all fills (default: those of `trades`).
    `deepest`: the deepest drawdown where it was watched more often than daily."""
    known = _of_account(equity, deepest) | _of_costs(equity, trades, totals) | _of_trades(trades)
    return Figures(
        **known,
        span_ms=equity.span_ms,
        capital=equity.capital / UNIT,
        net_pnl=equity.net / UNIT,
        net_return=equity.net / equity.capital,
        unavailable=_reasons(known),
        **_of_order_in_bars(equity, trades),
    )


def _of_account(equity: DailyEquity, deepest: Drawdown | None) -> dict[str, Any]:
    returns = returns_of(equity)
    days = len(returns)
    long_enough = days >= ANNUAL_DAYS
    water, fall = _falls(equity, deepest)
    until_ms = equity.span_ms[1] if fall.back_ms is None else fall.back_ms
    sigma, ratio, eta, down = volatility(returns), sharpe(returns), lo_factor(returns), sortino(returns)
    third, fourth, careful = skew(returns), kurtosis(returns), corrected(ratio, eta)
    psr = track = None
    if careful is not None and third is not None and fourth is not None:
        psr = probabilistic_sharpe(careful, days, third, fourth)
        track = minimum_track(careful, third, fourth)
    length = (equity.span_ms[1] - equity.span_ms[0]) / DAY_MS
    cagr = growth(equity.net / equity.capital, length) if long_enough else None
    return {
        "days": days,
        "cagr": cagr,
        "mean_daily": float(returns.mean()) if days else None,
        "volatility_daily": sigma,
        "volatility_annual": sigma * math.sqrt(YEAR_DAYS) if sigma is not None and long_enough else None,
        "sharpe_daily": ratio,
        "sharpe_annual": ratio * eta if ratio is not None and eta is not None and long_enough else None,
        "sortino_daily": down,
        "sortino_annual": down * math.sqrt(YEAR_DAYS) if down is not None and long_enough else None,
        "calmar": calmar(cagr, fall.depth),
        "skew": third,
        "kurtosis": fourth,
        "best_day": float(returns.max()) if days else None,
        "worst_day": float(returns.min()) if days else None,
        "max_drawdown": fall.depth,
        "drawdown_ms": until_ms - fall.peak_ms if fall.depth else 0,
        "drawdown_recovered": not fall.depth or fall.back_ms is not None,
        "drawdown_seen": "daily" if deepest is None else "at every close",
        "longest_drawdown_days": water.longest_days,
        "under_water": water.share,
        "psr": psr,
        "track_days": track,
    }


def _falls(equity: DailyEquity, deepest: Drawdown | None) -> tuple[UnderWater, Drawdown]:
    """Daily falls, and the deepest of all: start and end of the span count as marks too."""
    values = unit_values(equity)
    water = under_water(values)
    if deepest is not None:
        return water, deepest
    start = equity.capital / max(1, int(equity.marks[0])) if len(values) else 1.0
    before, value = (int(equity.marks[-1]), float(values[-1])) if len(values) else (equity.capital, start)
    moved = equity.moved - int(equity.transfers.sum())
    end = value * max(0.0, (equity.final - moved) / max(1, before))
    midnights = DAY_MS * np.arange(equity.first_day, equity.first_day + len(values))
    times = np.concatenate([[equity.span_ms[0]], midnights, [equity.span_ms[1]]])
    return water, deepest_fall(times, np.concatenate([[start], values, [end]]))


def _of_costs(equity: DailyEquity, trades: Rows, totals: Totals | None) -> dict[str, Any]:
    t = totals or Totals(
        fees=int(trades["fees"].sum()),
        funding=int(trades["funding"].sum()),
        slippage=int(trades["slippage"].sum()),
        turnover=sum((trades["entry_cost"] + trades["exit_value"]).tolist()),
    )
    before, shares = cost_shares(equity.net, {"fees": t.fees, "funding": t.funding, "slippage": t.slippage})
    start, end = equity.span_ms
    opened = np.concatenate([trades["entry_ms"], np.array(t.open_since_ms, np.int64)])
    closed = np.concatenate([trades["exit_ms"], np.full(len(t.open_since_ms), end, np.int64)])
    return {
        "before_costs": before / UNIT,
        "fees": t.fees / UNIT,
        "funding": t.funding / UNIT,
        "slippage": t.slippage / UNIT,
        "fees_share": shares["fees"] if shares else None,
        "funding_share": shares["funding"] if shares else None,
        "slippage_share": shares["slippage"] if shares else None,
        "open_trades": len(t.open_since_ms),
        "exposure": covered_ms(opened, closed, equity.span_ms) / (end - start) if end > start else 0.0,
        "turnover": t.turnover / equity.capital,
    }


def _of_trades(trades: Rows) -> dict[str, Any]:
    pnl, count = np.ascontiguousarray(trades["pnl"]), len(trades)  # rows are long: they are gone through once
    won, lost = pnl[pnl > 0], pnl[pnl < 0]
    return {
        "trades": count,
        "win_rate": win_rate(pnl),
        "profit_factor": profit_factor(pnl),
        "payoff": float(won.mean() / -lost.mean()) if len(won) and len(lost) else None,
        "expectancy": float(pnl.mean()) / UNIT if count else None,
        "expectancy_r": expectancy_r(pnl, trades["risk"]),
        "best_trade": int(pnl.max()) / UNIT if count else None,
        "worst_trade": int(pnl.min()) / UNIT if count else None,
        "mean_holding_ms": float((trades["exit_ms"] - trades["entry_ms"]).mean()) if count else None,
    }


def _of_order_in_bars(equity: DailyEquity, trades: Rows) -> dict[str, Any]:
    gain = int((trades["target_first"] - trades["pnl"]).sum())
    return {
        "ambiguous_trades": int((trades["ambiguous"] > 0).sum()),
        "target_first_pnl": (equity.net + gain) / UNIT,
        "needs_lower_timeframe": needs_lower_timeframe(gain, equity.net),
    }


def _reasons(known: dict[str, Any]) -> dict[str, str]:
    """Why each None is one."""
    days, trades = known["days"], known["trades"]
    assert isinstance(days, int) and isinstance(trades, int)
    two = f"{days} whole days; two are needed" if days < 2 else "the daily returns do not vary"
    few = f"{days} whole days; annualised figures need {ANNUAL_DAYS}" if days < ANNUAL_DAYS else ""
    none = "no closed trades"
    undefined = "the correction is not defined on these returns" if known["sharpe_daily"] is not None else two
    no_loss = "no losing day" if days else two
    reasons = {
        **dict.fromkeys(("mean_daily", "best_day", "worst_day"), "no whole UTC day in the span"),
        **dict.fromkeys(("volatility_daily", "sharpe_daily", "skew", "kurtosis"), two),
        "volatility_annual": few or two,
        "sharpe_annual": few or undefined,
        "sortino_daily": no_loss,
        "sortino_annual": few or no_loss,
        "cagr": few or "the capital was lost",
        "calmar": few or ("the capital was lost" if known["cagr"] is None else "no drawdown"),
        "psr": two if known["skew"] is None else "the moments are too extreme for it",
        "track_days": two if known["skew"] is None else "the Sharpe ratio is not above 0",
        **dict.fromkeys(("fees_share", "funding_share", "slippage_share"), "nothing was earned before costs"),
        **dict.fromkeys(("win_rate", "expectancy", "best_trade", "worst_trade", "mean_holding_ms"), none),
        "profit_factor": "no losing trades" if trades else none,
        "payoff": "no winning or no losing trades" if trades else none,
        "expectancy_r": "no trade with a stop" if trades else none,
    }
    return {name: reasons[name] for name, value in known.items() if value is None}
