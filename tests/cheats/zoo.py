"""Known cheats, each by name: functions that look honest and know the future (Q19). A row per bar unless it says
otherwise.

Each returns a `Table` whose column bears the cheat's own name, claimed known at the close of the bar (or as the
cheat is).
"""

from collections.abc import Callable

import numpy as np

from aister.features.lookahead import Bars, Floats, Table

HOUR_MS = 3_600_000


def shift_minus_one(bars: Bars) -> Table:
    """The next bar's return, from a shift in the wrong direction."""
    following = np.append(bars.close[1:], np.nan)
    return Table(bars.close_time_ms, {"shift(-1)": following / bars.close - 1.0})


def centred_window(bars: Bars, half: int = 5) -> Table:
    """A moving average centred on its bar: smooth, without lag, and half of it is future."""
    sums = np.convolve(bars.close, np.ones(2 * half + 1), mode="same")
    counts = np.convolve(np.ones(len(bars)), np.ones(2 * half + 1), mode="same")
    return Table(bars.close_time_ms, {"centred window": sums / counts})


def full_sample_normaliser(bars: Bars) -> Table:
    """A z-score whose mean and deviation were fitted to the whole history."""
    deviation = bars.close.std() or 1.0
    return Table(bars.close_time_ms, {"full-sample normaliser": (bars.close - bars.close.mean()) / deviation})


def forming_larger_bar(bars: Bars) -> Table:
    """The hour's high on every minute of it: the larger bar is read while it is forming."""
    hour = bars.open_time_ms // HOUR_MS
    high = np.array([bars.high[hour == h].max() for h in hour])
    return Table(bars.close_time_ms, {"forming higher-timeframe bar": high})


def bar_labelled_by_open(bars: Bars) -> Table:
    """The close of each bar, filed under the time at which the bar opened."""
    return Table(bars.open_time_ms, {"bar labelled by open": bars.close.copy()})


def pivot_at_its_origin(bars: Bars, side: int = 3) -> Table:
    """Swing highs, dated by the bar that made them and not by the bar that confirmed them. A row per swing."""
    window = 2 * side + 1
    highs = (
        np.lib.stride_tricks.sliding_window_view(bars.high, window) if len(bars) >= window else np.empty((0, window))
    )
    origin = np.flatnonzero(highs.argmax(axis=1) == side) + side
    return Table(bars.close_time_ms[origin], {"pivot at its origin": bars.high[origin]})


CHEATS: dict[str, Callable[[Bars], Table]] = {
    "shift(-1)": shift_minus_one,
    "centred window": centred_window,
    "full-sample normaliser": full_sample_normaliser,
    "forming higher-timeframe bar": forming_larger_bar,
    "bar labelled by open": bar_labelled_by_open,
    "pivot at its origin": pivot_at_its_origin,
}


def _lagged(values: Floats, by: int) -> Floats:
    return np.concatenate((np.full(by, np.nan), values[: max(0, len(values) - by)]))[: len(values)]


def honest_shift(bars: Bars) -> Table:
    """The return of the bar that closed."""
    return Table(bars.close_time_ms, {"shift(-1)": bars.close / _lagged(bars.close, 1) - 1.0})


def honest_window(bars: Bars) -> Table:
    """A trailing average."""
    sums = np.array([bars.close[max(0, i - 10) : i + 1].mean() for i in range(len(bars))])
    return Table(bars.close_time_ms, {"centred window": sums})


def honest_normaliser(bars: Bars) -> Table:
    """Mean and deviation of what was known at each bar."""
    past = [bars.close[: i + 1] for i in range(len(bars))]
    values = np.array([(seen[-1] - seen.mean()) / (seen.std() or np.nan) for seen in past])
    return Table(bars.close_time_ms, {"full-sample normaliser": values})


def honest_larger_bar(bars: Bars) -> Table:
    """The high of the last hour that has closed."""
    hour = bars.open_time_ms // HOUR_MS
    high = np.array([bars.high[hour == h - 1].max() if (hour == h - 1).any() else np.nan for h in hour])
    return Table(bars.close_time_ms, {"forming higher-timeframe bar": high})


def honest_label(bars: Bars) -> Table:
    """The close of each bar, known when it closed."""
    return Table(bars.close_time_ms, {"bar labelled by open": bars.close.copy()})


def honest_pivot(bars: Bars, side: int = 3) -> Table:
    """The same swings, known when confirmed."""
    origin = pivot_at_its_origin(bars, side)
    return Table(
        origin.known_at_ms + side * bars.interval_ms, {"pivot at its origin": origin.columns["pivot at its origin"]}
    )


HONEST: dict[str, Callable[[Bars], Table]] = {
    "shift(-1)": honest_shift,
    "centred window": honest_window,
    "full-sample normaliser": honest_normaliser,
    "forming higher-timeframe bar": honest_larger_bar,
    "bar labelled by open": honest_label,
    "pivot at its origin": honest_pivot,
}
"""What each cheat pretends to be. The detector must not cry wolf at these."""
