"""How far trades went against and for their holder: maximum adverse and favourable excursion (MAE, MFE).

Source: Sweeney (1997), Maximum Adverse Excursion."""

import msgspec
import numpy as np
import numpy.typing as npt

from aister.kernels.excursions import excursions as run_excursions
from aister.kernels.trades import LIQUIDATION, STOP
from aister.ports.market import Market

__all__ = ["Excursions", "Reach", "excursions", "summarise"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]


class Excursions(msgspec.Struct, frozen=True, eq=False):
    """One value per trade, shape (n,), both >= 0: as a fraction of the entry price (`mae`, `mfe`) and in units of the
    planned risk (`mae_r`, `mfe_r`; NaN without one)."""

    mae: Floats
    mfe: Floats
    mae_r: Floats
    mfe_r: Floats


class Reach(msgspec.Struct, frozen=True):
    """Excursions in a few figures, in units of planned risk; None without such trades.

    winners_mae_r   how far winners went against first: median and 95th percentile
    losers_mfe_r    how far losers were ahead first: median and 95th percentile
    edge            mean MFE / mean MAE of all trades; above 1: price went further for than against
    kept            mean over winners of (P&L before costs / MFE): how much of the way was taken
    """

    winners_mae_r: tuple[float, float] | None
    losers_mfe_r: tuple[float, float] | None
    edge: float | None
    kept: float | None


def excursions(trades: Rows, market: Market) -> Excursions:
    """Read off the base bars between the first fill and the last (dtype TRADE, `symbol` = index of the series).

    Entry price = mean of the fills that grew the position. Where the order of things inside a bar is unknown the worse
    is taken (see `kernels.excursions`), so MAE is not understated and MFE not overstated; a position that was scaled
    counts as if all of it had been held throughout."""
    mae, mfe = np.zeros(len(trades)), np.zeros(len(trades))
    entry, leave, risk_price = np.ones(len(trades)), np.ones(len(trades)), np.full(len(trades), np.nan)
    for index, series in enumerate(market.series):
        mine = np.flatnonzero(trades["symbol"] == index)
        some = trades[mine]
        one = series.instrument
        price = one.tick_e8 / 1e8 / one.unit
        entry[mine] = some["entry_cost"] / some["steps"] * price
        leave[mine] = some["exit_value"] / some["steps"] * price
        risk_price[mine] = np.where(some["risk"] > 0, some["risk"] / some["steps"] * price, np.nan)
        adverse, favourable = np.zeros(len(mine)), np.zeros(len(mine))
        run_excursions(
            series.open_ms,
            series.high,
            series.low,
            series.interval_ms,
            some["entry_ms"].copy(),
            some["exit_ms"].copy(),
            some["side"].copy(),
            entry[mine],
            leave[mine],
            np.isin(some["reason"], (STOP, LIQUIDATION)),
            adverse,
            favourable,
        )
        mae[mine], mfe[mine] = adverse, favourable
    return Excursions(mae / entry, mfe / entry, mae / risk_price, mfe / risk_price)


def summarise(trades: Rows, found: Excursions) -> Reach:
    """The figures of `Reach`."""
    won, known = trades["pnl"] > 0, np.isfinite(found.mae_r)
    gross = trades["side"] * (trades["exit_value"] - trades["entry_cost"]) / np.maximum(1, trades["entry_cost"])
    reached = won & (found.mfe > 0)
    against = float(found.mae.mean()) if len(trades) else 0.0
    return Reach(
        winners_mae_r=_two(found.mae_r[won & known]),
        losers_mfe_r=_two(found.mfe_r[~won & known]),
        edge=float(found.mfe.mean()) / against if against > 0 else None,
        kept=float((gross[reached] / found.mfe[reached]).mean()) if reached.any() else None,
    )


def _two(values: Floats) -> tuple[float, float] | None:
    return (float(np.median(values)), float(np.quantile(values, 0.95))) if len(values) else None
