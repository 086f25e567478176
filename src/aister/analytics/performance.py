"""Every figure of a backtest, from its daily equity and its trades alone. What cannot be known is None, with the reason
beside it. `docs/metrics.md` has the definitions."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.alpha import Alpha
from aister.analytics.benchmarks import BuyAndHold
from aister.analytics.bootstrap import DRAWS, FEWEST_DAYS, Intervals, intervals
from aister.analytics.daily import DailyEquity, returns_of
from aister.analytics.deflation import Deflation, deflate
from aister.analytics.drawdown import Drawdown
from aister.analytics.excursions import Excursions, Reach, summarise
from aister.analytics.figures import Figures, Totals, figures
from aister.analytics.grouping import Group, groups
from aister.analytics.random_entry import RandomEntry

__all__ = ["Beside", "Performance", "measure"]

Rows = npt.NDArray[np.void]


class Beside(msgspec.Struct, frozen=True):
    """What stands beside a result and is computed by functions of its own: `excursions.excursions`, `alpha.alpha`,
    `benchmarks.hold_market`, `random_entry.random_entry`. None = not asked for, or not defined."""

    excursions: Excursions | None = None
    alpha: Alpha | None = None
    hold: BuyAndHold | None = None
    random: RandomEntry | None = None


_NOTHING = Beside()


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest came to. Parts that were not asked for, or for which there is too little, are None, with the
    reason in `unavailable` (that of single figures is in theirs).

    figures     everything of one number: see `Figures`
    intervals   95 % intervals from the stationary bootstrap, with the seed
    deflation   the Sharpe ratio among the trials of the ledger
    tables      trades by side, symbol, weekday, kill zone, session
    reach       MAE and MFE
    alpha       against holding the traded instruments;   hold: that benchmark;   random: matched random entry
    """

    figures: Figures
    intervals: Intervals | None
    deflation: Deflation | None
    tables: dict[str, tuple[Group, ...]]
    reach: Reach | None
    alpha: Alpha | None
    hold: BuyAndHold | None
    random: RandomEntry | None
    unavailable: dict[str, str]


def measure(
    equity: DailyEquity,
    trades: Rows,
    symbols: Sequence[str],
    *,
    seed: int,
    draws: int = DRAWS,
    totals: Totals | None = None,
    deepest: Drawdown | None = None,
    trials: npt.NDArray[np.floating[Any]] | None = None,
    beside: Beside = _NOTHING,
) -> Performance:
    """All of it. trades: closed ones, dtype TRADE; symbols: name of each series; `totals`, `deepest`: as for `figures`;
    trials: daily returns of the ledger's trials on these instruments in this time, this one among them (`Calendar`
    returns); seed, draws: of the bootstrap."""
    one = figures(equity, trades, totals=totals, deepest=deepest)
    returns = returns_of(equity)
    band = intervals(returns, seed=seed, draws=draws)
    deflated = None if trials is None else deflate(returns, trials)
    missing = {
        "intervals": f"{one.days} whole days; {FEWEST_DAYS} are needed for an interval",
        "deflation": "no trial ledger was given" if trials is None else "the daily returns have no Sharpe ratio",
        "reach": "not asked for" if beside.excursions is None else "no closed trades",
        "alpha": "not asked for, or too few days for its coefficients",
        "hold": "not asked for, or no bars",
        "random": "not asked for",
    }
    parts: dict[str, Any] = {
        "intervals": band,
        "deflation": deflated,
        "reach": summarise(trades, beside.excursions) if beside.excursions is not None and len(trades) else None,
        "alpha": beside.alpha,
        "hold": beside.hold,
        "random": beside.random,
    }
    return Performance(
        figures=one,
        tables=groups(trades, symbols),
        unavailable={name: missing[name] for name, part in parts.items() if part is None},
        **parts,
    )
