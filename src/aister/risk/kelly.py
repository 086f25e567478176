"""Kelly as a cap: what fraction of equity the record itself would risk per trade, and how far that is from proven (Q1,
Q17).

    f* = argmax over 0 <= f <= 1 of mean log(1 + f R),   R = net P&L / initial risk
    bound = 5th percentile of f* over 1,000 day-block bootstraps; cap = profile fraction x bound

R includes fees, funding and slippage, and gap losses below -1 R as they were. Until the strategy is certified and 100
effective outcomes exist the state is UNPROVEN and the cap is the profile's risk x 0.25, whatever the record says.
Source: Kelly (1956), Breiman (1961) for log growth; Lopez de Prado (2018), ch. 4, for counting overlapping outcomes.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.audit import TradeClosed
from aister.core.money import RATE_ONE
from aister.risk.nav import day_of

__all__ = ["Kelly", "Outcome", "effective", "growth_optimal", "lower_bound", "remember"]

Floats = npt.NDArray[np.float64]
_HALVINGS = 50


class Outcome(msgspec.Struct):
    """One closed trade: when, its net R, and how many other trades were open during it."""

    opened_ms: int
    closed_ms: int
    r: float
    beside: int = 0


class Kelly(msgspec.Struct, frozen=True):
    """The state of the cap: `effective_n` outcomes against the number that proves, and the bound (None while
    UNPROVEN)."""

    proven: bool = False
    outcomes: int = 0
    effective_n: float = 0.0
    bound_e8: int | None = None


def remember(outcomes: list[Outcome], trade: TradeClosed) -> None:
    """Add a trade (they come in order of closing) and count whom it overlapped. No initial risk, no outcome."""
    if trade.initial_risk <= 0:
        return
    new = Outcome(trade.opened_ms, trade.closed_ms, trade.pnl / trade.initial_risk)
    for old in reversed(outcomes):
        if old.closed_ms <= new.opened_ms:
            break
        old.beside += 1
        new.beside += 1
    outcomes.append(new)


def effective(outcomes: list[Outcome]) -> float:
    """How many independent outcomes these are worth: sum of 1 / (1 + trades open beside it)."""
    return sum(1 / (1 + outcome.beside) for outcome in outcomes)


def growth_optimal(r: Floats, weights: Floats | None = None) -> Floats:
    """f* of each row of `weights` (rows x outcomes, how often each outcome counts; default: once each, one row).

    mean log(1 + f R) is concave, so its slope mean R / (1 + f R) is halved to zero on [0, min(1, 1 / worst loss)).
    0 where the mean R is not positive. Unit: fraction of equity risked to -1 R.
    """
    weights = np.ones((1, r.size)) if weights is None else weights
    worst = -float(r.min()) if r.size else 0.0
    top = min(1.0, (1 - 1e-9) / worst) if worst > 0 else 1.0
    low, high = np.zeros(len(weights)), np.full(len(weights), top)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rising = (weights * (r / (1 + middle[:, None] * r))).sum(axis=1) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.where(weights @ r > 0, (low + high) / 2, 0.0)


def lower_bound(outcomes: list[Outcome], draws: int, seed: int) -> float:
    """5th percentile of f* over `draws` bootstraps of whole UTC days (of closing): days with replacement, as many as
    seen."""
    if not outcomes:
        return 0.0
    r = np.array([outcome.r for outcome in outcomes])
    days = np.unique([day_of(outcome.closed_ms) for outcome in outcomes], return_inverse=True)[1]
    count = int(days.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)
    return float(np.quantile(growth_optimal(r, drawn[:, days]), 0.05))


def assess(outcomes: list[Outcome], *, certified: bool, needed: int, draws: int, seed: int) -> Kelly:
    """The state of the cap from the record."""
    n = effective(outcomes)
    if not certified or n < needed:
        return Kelly(False, len(outcomes), n)
    return Kelly(True, len(outcomes), n, int(lower_bound(outcomes, draws, seed) * RATE_ONE))
