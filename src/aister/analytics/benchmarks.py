"""What a result stands beside: holding the same symbols, and random entries matched to its trades (Q12)."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.run_result import RunResult, Trade
from aister.core.money import RATE_ONE, UNIT
from aister.ports.market import Market

__all__ = [
    "ENOUGH_TRADES",
    "Bars",
    "BuyAndHold",
    "MatchedRandom",
    "buy_and_hold",
    "hold_market",
    "matched_random",
    "planned_holding",
    "standing",
]

ENOUGH_TRADES = 30
"""Closed trades below which no percentile is called evidence."""

_HOUR_MS = 3_600_000
_CELLS = 1 << 19  # trades x draws worked on at a time

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Bars(msgspec.Struct, frozen=True):
    """One symbol's base bars as columns: open time in ms (int64), prices in quote per base (float64)."""

    interval_ms: int
    open_time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats


class BuyAndHold(msgspec.Struct, frozen=True):
    """The capital spread evenly over the symbols, bought at the first open and sold at the last close, unlevered.

    Fees: taker, in and out. Funding: what a long of that size pays at each settlement, at the newest close. Slippage:
    none, which favours it. Money in quote currency; `times_ms` and `equity` hold a point per candle for the chart
    (exit fee not yet paid).
    """

    net_return: float
    fees: float
    funding: float
    max_drawdown: float
    times_ms: tuple[int, ...]
    equity: tuple[float, ...]
    by_symbol: dict[str, float]


class MatchedRandom(msgspec.Struct, frozen=True):
    """`draws` random strategies with the result's own number of trades, symbols, sides, hours of day, sizes, stops,
    costs and distribution of holding times. Returns are fractions of capital, closed trades only. `percentile`: share
    of the random strategies below the result (ties half), in percent; None without closed trades. `evidence`: whether
    there are enough trades to take it as more than an illustration. `words` says so in one sentence."""

    draws: int
    trades: int
    net_return: float
    mean: float | None
    low: float | None
    high: float | None
    percentile: float | None
    evidence: bool
    words: str


def buy_and_hold(result: RunResult) -> BuyAndHold | None:
    """The benchmark over the result's span, from its candles and settlements; None without bars."""
    prices = {
        symbol: _Prices(
            np.array(candles.open_ms, np.int64),
            np.array(candles.open_ms, np.int64) + candles.interval_ms,
            candles.open[0],
            np.array(candles.close),
            result.instruments[symbol].taker_e8 / RATE_ONE,
            [(s.time_ms, s.rate, s.price or candles.open[0]) for s in result.settlements.get(symbol, ())],
        )
        for symbol, candles in result.candles.items()
        if candles.open_ms
    }
    return _hold(prices, result.capital / UNIT) if prices else None


def hold_market(market: Market, capital: int) -> BuyAndHold | None:
    """The benchmark over a market's span (history in front left out), a point per hour or base bar, whichever is
    longer. Fees are the instruments' own. capital in money units; None without bars."""
    prices = {}
    for one in market.series:
        if one.start >= len(one.open_ms):
            continue
        open_ms, close = one.open_ms[one.start :], one.close[one.start :]
        ends = open_ms + one.interval_ms
        kept = np.flatnonzero(np.append(np.diff((ends - 1) // _HOUR_MS) > 0, True))
        first = float(one.open[one.start])
        newest = np.searchsorted(ends, one.funding_ms, "right") - 1
        at = np.where(newest >= 0, close[np.maximum(newest, 0)], first)
        settled = zip(one.funding_ms.tolist(), (one.funding_e8 / RATE_ONE).tolist(), at.tolist(), strict=True)
        due = [row for row in settled if row[0] <= ends[-1]]
        prices[one.symbol] = _Prices(
            open_ms[:1], ends[kept], first, close[kept], one.instrument.taker_e8 / RATE_ONE, due
        )
    return _hold(prices, capital / UNIT) if prices else None


class _Prices(msgspec.Struct, frozen=True, eq=False):
    """What holding one symbol needs: first open, closes with their times, taker fee, settlements (time, rate, newest
    close)."""

    open_ms: Ints
    close_ms: Ints
    open: float
    close: Floats
    taker: float
    settled: list[tuple[int, float, float]]


def _hold(prices: dict[str, _Prices], capital: float) -> BuyAndHold:
    part = capital / len(prices)
    times = sorted(set().union(*(one.close_ms.tolist() for one in prices.values())))
    total = np.zeros(len(times))
    fees = funding = exit_fees = 0.0
    by_symbol = {}
    for symbol, one in prices.items():
        size = part / (one.open * (1 + one.taker))
        paid = [(at, size * price * rate) for at, rate, price in one.settled if at > one.open_ms[0]]
        entry = size * one.open * one.taker
        last = np.searchsorted(one.close_ms, times, "right") - 1
        close = np.where(last >= 0, one.close[np.maximum(last, 0)], one.open)
        owed = np.concatenate([[0.0], np.cumsum([amount for _, amount in paid])])
        due = owed[np.searchsorted([at for at, _ in paid], times, "right")]
        total += part - entry - size * one.open + size * close - due
        exit_fee = size * float(one.close[-1]) * one.taker
        fees, funding, exit_fees = fees + entry + exit_fee, funding + float(owed[-1]), exit_fees + exit_fee
        by_symbol[symbol] = float(one.close[-1]) / one.open - 1.0
    peak = np.maximum.accumulate(np.concatenate([[capital], total]))[1:]
    return BuyAndHold(
        net_return=float((total[-1] - exit_fees) / capital - 1.0),
        fees=fees,
        funding=funding,
        max_drawdown=float(np.max(1.0 - total / peak)),
        times_ms=tuple(times),
        equity=tuple(total.tolist()),
        by_symbol=by_symbol,
    )


def planned_holding(held: Sequence[int], stopped: Sequence[bool]) -> tuple[Ints, Floats]:
    """How long trades would have been held had no stop ended them: times in ms and their probabilities.

    The product-limit estimate S(t) = prod over t_i <= t of (1 - d_i / n_i), a stop being a censored observation; what
    is left after the longest time goes to it. With the same stops put on top, the distribution of holding times comes
    out as it was. Source: Kaplan & Meier (1958), JASA 53; the tail as in Efron (1967).
    """
    order = sorted(zip(held, stopped, strict=True))
    times, mass, alive = [], [], 1.0
    for index, (time_ms, was_stopped) in enumerate(order):
        if not was_stopped:
            times.append(time_ms)
            mass.append(alive / (len(order) - index))
            alive -= mass[-1]
    if order and alive > 1e-12:
        times.append(order[-1][0])
        mass.append(alive)
    return np.array(times, np.int64), np.array(mass) / sum(mass)


def matched_random(
    result: RunResult, bars_of: Callable[[str], Bars], *, seed: int, draws: int = 1_000
) -> MatchedRandom:
    """Where the closed trades stand among `draws` matched random strategies on the same bars.

    For each trade a random one: same symbol, side and notional; entered at the open of a random bar of the same UTC
    hour of day; a holding time drawn from `planned_holding` of all trades; the first stop at the same distance in
    percent, worked on the bars' lows or highs (at the open when the bar opens beyond it); else left at the open of the
    bar in which the time is up, or the last close. It pays its trade's fees and slippage as a fraction of notional,
    and the funding settled while held. Random trades of one strategy may overlap. Reproducible from `seed`.
    """
    trades = [t for t in result.trades if t.notional > 0]
    if not trades:
        return standing(np.empty(0), 0.0, 0, draws)
    times, mass = planned_holding([t.held_ms for t in trades], [t.stopped for t in trades])
    rng = np.random.default_rng(seed)
    total = np.zeros(draws)
    for symbol in sorted({t.symbol for t in trades}):
        bars = bars_of(symbol)
        settled = result.settlements.get(symbol, ())
        when = np.array([s.time_ms for s in settled], np.int64)
        owed = np.concatenate([[0.0], np.cumsum([s.rate for s in settled])])
        for side in (1, -1):
            mine = [t for t in trades if t.symbol == symbol and t.side == side]
            ladder = (
                _ladder(bars.low if side > 0 else -bars.high, int(times[-1]) // bars.interval_ms + 1) if mine else []
            )
            for at in range(0, len(mine), max(1, _CELLS // draws)):
                some = mine[at : at + max(1, _CELLS // draws)]
                held = rng.choice(times, (len(some), draws), p=mass)
                total += _walk(some, bars, ladder, side, held, when, owed, rng).sum(axis=0)
    own = sum(t.pnl for t in trades) / result.capital
    return standing(total / (result.capital / UNIT), own, len(trades), draws)


def standing(returns: Floats, own: float, trades: int, draws: int) -> MatchedRandom:
    """Where the return of a result with that many trades stands among those of its `draws` random strategies."""
    if not trades:
        none = "No closed trades: there is nothing to compare."
        return MatchedRandom(draws, 0, 0.0, None, None, None, None, False, none)
    percentile = 100.0 * float((returns < own).mean() + 0.5 * (returns == own).mean())
    low, high = (float(np.quantile(returns, q)) for q in (0.05, 0.95))
    evidence = trades >= ENOUGH_TRADES
    words = _words(trades, percentile, evidence)
    return MatchedRandom(draws, trades, own, float(returns.mean()), low, high, percentile, evidence, words)


def _words(trades: int, percentile: float, evidence: bool) -> str:
    n = "1 trade" if trades == 1 else f"{trades} trades"
    if not evidence:
        return f"{n}: not enough data to compare with chance ({ENOUGH_TRADES} are needed)."
    if percentile > 95.0:
        return f"{n}, above the 95th percentile of matched random entry: more than chance explains, on this span."
    if percentile < 5.0:
        return f"{n}, below the 5th percentile of matched random entry: worse than chance explains."
    return f"{n}, inside the middle 90 % of matched random entry: no different from chance."


def _ladder(values: Floats, longest: int) -> list[Floats]:
    """Minimum over the next 2^k values, k = 0, 1, ... while 2^k <= longest."""
    ladder = [np.ascontiguousarray(values)]
    while 1 << len(ladder) <= min(longest, len(values)):
        below, half = ladder[-1], 1 << (len(ladder) - 1)
        ladder.append(np.minimum(below, np.concatenate([below[half:], np.full(half, np.inf)])))
    return ladder


def _first_at_or_below(ladder: list[Floats], start: Ints, end: Ints, level: Floats) -> Ints:
    """The first index in [start, end) whose value is <= level, else end: binary descent over the ladder's windows."""
    at, last = start.copy(), len(ladder[0]) - 1
    for k in range(len(ladder) - 1, -1, -1):
        clear = (at + (1 << k) <= end) & (ladder[k][np.minimum(at, last)] > level)
        at = np.where(clear, at + (1 << k), at)
    return at


def _walk(
    trades: list[Trade],
    bars: Bars,
    ladder: list[Floats],
    side: int,
    held_ms: Ints,
    when: Ints,
    owed: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Net P&L in quote currency of one random stand-in per trade (rows) and draw (columns)."""
    count, draws = len(bars.open_time), held_ms.shape[1]
    hours = bars.open_time // _HOUR_MS % 24
    by_hour = np.argsort(hours, kind="stable")
    first = np.searchsorted(hours[by_hour], np.arange(25))
    wanted = np.array([t.opened_ms // _HOUR_MS % 24 for t in trades])
    choices = (first[wanted + 1] - first[wanted])[:, None]
    start = by_hour[first[wanted][:, None] + rng.integers(0, choices, (len(trades), draws))]
    end = np.minimum(start + np.maximum(1, -(-held_ms // bars.interval_ms)), count)
    entry = bars.open[start]
    distance = np.array([abs(1.0 - t.stop_price / t.entry_price) if t.stop_price else np.inf for t in trades])[:, None]
    stop = side * entry - entry * distance  # in the direction of the side: the lower, the worse
    hit = _first_at_or_below(ladder, start, end, stop)
    timed = np.where(end < count, bars.open[np.minimum(end, count - 1)], bars.close[-1])
    gap = np.minimum(stop, side * bars.open[np.minimum(hit, count - 1)])
    out = np.where(hit < end, side * gap, timed)
    left = np.where(hit < end, np.minimum(hit, count - 1), np.minimum(end, count - 1))
    funding = (
        owed[np.searchsorted(when, bars.open_time[left], "right")]
        - owed[np.searchsorted(when, bars.open_time[start], "right")]
    )
    notional = np.array([t.notional / UNIT for t in trades])[:, None]
    costs = np.array([(t.fees + t.slippage) / t.notional for t in trades])[:, None]
    pnl: Floats = notional * (side * (out / entry - 1.0) - costs - side * funding)
    return pnl
