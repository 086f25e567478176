"""Known cheats as strategies: the columns of `zoo` turned into signals, and what a column cannot show (quant Q19).

Every cheat has an honest twin that says it does the same.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from aister.features.lookahead import Bars, Floats, Table
from aister.kernels.signals import SETUP
from aister.lab.detectors.fills import ClaimedFill, ClaimedTrade, StopMove
from aister.lab.detectors.labels import Calibrate, Label
from aister.lab.detectors.revisions import Revision, revised
from aister.lab.detectors.verdict import Says
from aister.lab.detectors.worlds import until
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from tests.cheats.zoo import CHEATS, HONEST
from tests.fakes.rows import MINUTE_MS, START_MS, series
from tests.kernels.walks import walk

EVERY_MS = 30 * MINUTE_MS


def made_market(count: int = 240, seed: int = 7) -> Market:
    """One symbol with a settlement every half hour."""
    bars, rng = walk(count, seed, start_ms=START_MS), np.random.default_rng(seed)
    settled = np.arange(START_MS, START_MS + count * MINUTE_MS, EVERY_MS)
    one = series(
        bars.c,
        open_ms=bars.open_time_ms,
        open=bars.o,
        high=bars.h,
        low=bars.l,
        volume=bars.v,
        funding_ms=settled,
        funding_e8=rng.integers(-50_000, 50_000, len(settled)),
    )
    return Market((one,), (START_MS, START_MS + count * MINUTE_MS), "walk")


# ---- what looks ahead ------------------------------------------------------------------------------------------------


def future_fitted_regime(bars: Bars) -> Table:
    """Calm or wild: the border is the median range of the whole history."""
    wide = bars.high - bars.low
    return Table(bars.close_time_ms, {"future-fitted regime": (wide > np.median(wide)).astype(np.float64)})


def honest_regime(bars: Bars) -> Table:
    """The border is the median of the ranges seen so far."""
    wide = bars.high - bars.low
    border = np.array([np.median(wide[: i + 1]) for i in range(len(bars))])
    return Table(bars.close_time_ms, {"future-fitted regime": (wide > border).astype(np.float64)})


def as_signals(column: Callable[[Bars], Table]) -> Says:
    """A long entry at each row whose value is known, with a stop that tells the value."""

    def says(market: Market) -> dict[str, Signals]:
        return {one.symbol: Signals(_setups(column(_bars(one))), Signals.none().exits) for one in market.series}

    return says


def _bars(one: Series) -> Bars:
    return Bars(one.interval_ms, one.open_ms, one.open, one.high, one.low, one.close, one.volume)


def _setups(table: Table) -> np.ndarray:  # type: ignore[type-arg]
    (values,) = table.columns.values()
    values = values[: len(table.known_at_ms)]  # numpy makes a short column as long as the window
    known = ~np.isnan(values)
    return _rows(table.known_at_ms[known], values[known])


def _rows(times_ms: np.ndarray, values: Floats) -> np.ndarray:  # type: ignore[type-arg]
    rows = np.zeros(len(times_ms), SETUP)
    rows["time_ms"], rows["side"], rows["entry_ticks"], rows["targets"] = times_ms, 1, 1, 1
    rows["stop_ticks"] = np.rint(values * 1e6)
    return rows


def _funding(later: bool) -> Says:
    """At each close: the rate of the settlement that comes next, or of the last one that has been."""

    def says(market: Market) -> dict[str, Signals]:
        said = {}
        for one in market.series:
            times = one.open_ms + one.interval_ms
            at = np.searchsorted(one.funding_ms, times) - (0 if later else 1)
            there = (at >= 0) & (at < len(one.funding_ms))
            said[one.symbol] = Signals(_rows(times[there], one.funding_e8[at[there]] * 1e-8), Signals.none().exits)
        return said

    return says


LOOKING: dict[str, tuple[Says, Says]] = {
    **{name: (as_signals(CHEATS[name]), as_signals(HONEST[name])) for name in CHEATS},
    "future-fitted regime": (as_signals(future_fitted_regime), as_signals(honest_regime)),
    "funding rate before settlement": (_funding(later=True), _funding(later=False)),
}
"""Cheats that the look-ahead detector must catch, each with its honest twin."""


# ---- what no order of events allows ----------------------------------------------------------------------------------


def _trips(market: Market, every: int = 20) -> list[tuple[Series, int]]:
    return [(one, first) for one in market.series for first in range(0, len(one.open_ms) - 1, every)]


def targets_first(market: Market, *, honest: bool) -> list[ClaimedTrade]:
    """In at the open, a stop and a target equally far. Which of them came first in a bar that holds both?"""
    trades = []
    for one, first in _trips(market):
        entry = float(one.open[first])
        stop, target = entry - 0.1, entry + 0.1
        for place in range(first, len(one.open_ms)):
            stopped, reached = one.low[place] <= stop, one.high[place] >= target
            if stopped or reached:
                good = reached and not (honest and stopped)
                price, order = (target, "target") if good else (min(stop, float(one.open[place])), "stop")
                trades.append(_trade(one, first, place, entry, price, order, (StopMove(_opened(one, first), stop),)))
                break
    return trades


def trailing(market: Market, *, honest: bool) -> list[ClaimedTrade]:
    """A stop that follows the best price: does a bar that raises it also fill it?"""
    trades = []
    for one, first in _trips(market):
        entry = float(one.open[first])
        stop = entry - 0.3
        moves = [StopMove(_opened(one, first), stop)]
        for place in range(first, len(one.open_ms)):
            hit = one.low[place] <= stop
            if not (honest and hit) and one.high[place] - 0.3 > stop:
                stop = float(one.high[place]) - 0.3
                moves.append(StopMove(_opened(one, place) + MINUTE_MS - 1, stop))
                hit = hit or (not honest and bool(one.low[place] <= stop))
            if hit:
                out = stop if not honest else min(stop, float(one.open[place]))
                trades.append(_trade(one, first, place, entry, out, "stop", tuple(moves)))
                break
    return trades


def _opened(one: Series, place: int) -> int:
    return int(one.open_ms[place])


def _trade(
    one: Series, first: int, place: int, entry: float, price: float, order: str, stops: tuple[StopMove, ...]
) -> ClaimedTrade:
    bought = ClaimedFill(_opened(one, first), entry, "market", decided_ms=_opened(one, first))
    return ClaimedTrade(one.symbol, 1, bought, ClaimedFill(_opened(one, place) + 30_000, price, order), stops)


def wide_market() -> Market:
    """Bars of about 0.1 to each side, on a grid of cents, so that many hold a stop and a target."""
    one = made_market(600, 3).series[0]
    fine = msgspec.structs.replace(one.instrument, tick_e8=1_000_000)
    columns = {name: np.round(getattr(one, name), 2) for name in ("open", "high", "low", "close")}
    made = msgspec.structs.replace(one, instrument=fine, **columns)
    return Market((made,), (START_MS, START_MS + 600 * MINUTE_MS), "wide")


# ---- what was corrected later, and what was not known yet ------------------------------------------------------------


def momentum(market: Market) -> dict[str, Signals]:
    """Says at each close by how much it is above the close five bars before. An honest rule."""
    return {
        one.symbol: Signals(
            _rows(one.open_ms[5:] + one.interval_ms, one.close[5:] - one.close[:-5]), Signals.none().exits
        )
        for one in market.series
    }


def corrections(market: Market) -> list[Revision]:
    """Every tenth bar is corrected three minutes after its close."""
    one = market.series[0]
    return [
        Revision(
            one.symbol,
            _opened(one, place),
            _opened(one, place) + 4 * MINUTE_MS,
            tuple(float(getattr(one, name)[place]) * 1.01 for name in ("open", "high", "low", "close", "volume")),  # type: ignore[arg-type]
        )
        for place in range(8, len(one.open_ms) - 8, 10)
    ]


def from_corrected_history(market: Market) -> dict[str, Signals]:
    """Signals made of history as it reads today."""
    for one in corrections(market):
        market = revised(market, one)
    return momentum(market)


def as_it_was(market: Market) -> dict[str, Signals]:
    """Signals made at each close from the bars as they were then."""
    one, rows = market.series[0], []
    for close_ms in map(int, one.open_ms + one.interval_ms):
        known = market
        for revision in corrections(market):
            known = revised(known, revision) if revision.known_ms <= close_ms else known
        said = momentum(until(known, close_ms))[one.symbol].setups
        rows.append(said[said["time_ms"] == close_ms])
    return {one.symbol: Signals(np.concatenate(rows), Signals.none().exits)}


def made_labels(count: int = 60, seed: int = 3) -> list[Label]:
    """Questions a minute apart, answered after up to half an hour."""
    rng = np.random.default_rng(seed)
    waits = rng.integers(1, 30, count) * MINUTE_MS
    values = rng.integers(0, 2, count)
    asked = START_MS + MINUTE_MS * np.arange(count)
    return [Label(int(a), int(a + w), float(v)) for a, w, v in zip(asked, waits, values, strict=True)]


def _mean(labels: Sequence[Label]) -> float:
    return sum(one.value for one in labels) / len(labels) if labels else float("nan")


def from_all_labels(labels: Sequence[Label], now_ms: int) -> float:
    """Skill from every question asked so far, answered or not."""
    return _mean(labels)


def from_resolved_labels(labels: Sequence[Label], now_ms: int) -> float:
    """Skill from what had been answered."""
    return _mean([one for one in labels if one.resolved_ms < now_ms])


CALIBRATIONS: tuple[Calibrate, Calibrate] = (from_all_labels, from_resolved_labels)
"""The cheat and its honest twin."""
