"""What a run came to, as values: trades, decisions with their debates, equity, costs, refusals. Built by `collect`.

Money is int 1e-8 quote units and times are UTC milliseconds, as everywhere; average prices are float64 in quote per
base. P&L is net of fees and funding, and slippage is inside the fill prices.
"""

import msgspec

from aister.analytics.drawdown import Drawdown
from aister.core.audit import Reviewed
from aister.core.council import Decision, Setup, Standing
from aister.core.events import RunStarted
from aister.core.instrument import Instrument
from aister.core.trade import Side

__all__ = [
    "BreakerMoment",
    "Candles",
    "Counts",
    "DecisionRecord",
    "Equity",
    "Leg",
    "LimitFiring",
    "Review",
    "RunResult",
    "Settlement",
    "StopMove",
    "Trade",
    "Voided",
]


class Leg(msgspec.Struct, frozen=True):
    """One fill of a trade. `slippage` is what the price gave up against its reference (the bar's open for what fills
    there, the trigger for stops and targets inside a bar, 0 for resting limits); None where no reference is known
    (liquidation)."""

    time_ms: int
    purpose: str
    side: Side
    steps: int
    ticks: int
    price: float
    fee: int
    maker: bool
    kind: str
    client_id: str
    intent_id: str
    slippage: int | None


class StopMove(msgspec.Struct, frozen=True):
    """From `time_ms` on the protective stop asked for was at this price."""

    time_ms: int
    price: float


class Trade(msgspec.Struct, frozen=True):
    """A position from first fill to flat; `closed_ms` None = still open at the end, valued at the last close.

    gross = what the fills made before fees and funding; pnl = gross - fees - funding; r = pnl / initial_risk (None
    without a stop). `stop_price` = the first stop, `hit_stop` = the one that ended it, wherever it had been moved to
    (None: something else did). `held_ms` weighs every exit by its size. `stopped` = it ended at its first, unmoved
    stop. `ambiguous` = a stop filled in a bar that also reached a target; `target_first` = what the trade would have
    gained had that come first (Q3).
    """

    number: int
    setup_id: str
    symbol: str
    side: Side
    rule: str
    opened_ms: int
    closed_ms: int | None
    steps: int
    entry_price: float
    exit_price: float
    notional: int
    turnover: int
    stop_price: float | None
    hit_stop: float | None
    targets: tuple[float, ...]
    stops: tuple[StopMove, ...]
    gross: int
    fees: int
    funding: int
    pnl: int
    initial_risk: int
    r: float | None
    reason: str
    held_ms: int
    stopped: bool
    slippage: int
    slippage_known: bool
    ambiguous: bool
    target_first: int
    legs: tuple[Leg, ...]


class Review(msgspec.Struct, frozen=True):
    """What the risk kernel said of an entry, and when: once when the plan was armed if refused, again when it fired."""

    time_ms: int
    reviewed: Reviewed


class Voided(msgspec.Struct, frozen=True):
    time_ms: int
    reason: str


class DecisionRecord(msgspec.Struct, frozen=True):
    """A question, its answer and what became of it. `arrived_ms` is the arrival of the answer in engine time (None:
    never answered). `label` is the triple-barrier label once resolved ("" before). `trade` is the number of the trade,
    if filled."""

    number: int
    setup: Setup
    asked_ms: int
    arrived_ms: int | None
    price: float
    cost_e8: int
    standings: tuple[Standing, ...]
    account: dict[str, float]
    decision: Decision | None
    armed_ms: int | None
    reviews: tuple[Review, ...]
    voided: tuple[Voided, ...]
    trade: int | None
    label: str
    label_ms: int | None

    @property
    def vetoed(self) -> bool:
        return self.decision is not None and self.decision.verdict.stance == "VETO"


class Equity(msgspec.Struct, frozen=True):
    """Equity (wallet + unrealised at the newest closes) at every full hour and after every fill. Drawdown is watched at
    every close of the base bars and after every fill, as the fraction below the highest so far, per unit of NAV:
    transfers move amounts, never drawdown (Q23). `drawdown` holds the deepest since the point before, `deepest` the
    deepest of all."""

    times_ms: tuple[int, ...]
    amounts: tuple[int, ...]
    drawdown: tuple[float, ...]
    deepest: Drawdown


class Candles(msgspec.Struct, frozen=True):
    """One symbol's bars merged to `interval_ms` (1 h, or the base interval where that is longer), by open time."""

    interval_ms: int
    open_ms: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]


class Settlement(msgspec.Struct, frozen=True):
    """A funding settlement of the market: rate as a fraction of notional, and the newest close when it settled."""

    time_ms: int
    rate: float
    price: float


class LimitFiring(msgspec.Struct, frozen=True):
    """How often a limit refused an entry, and how often it was the one that bound the size."""

    limit: str
    refused: int
    bound: int


class BreakerMoment(msgspec.Struct, frozen=True):
    time_ms: int
    state: str
    reason: str


class Counts(msgspec.Struct, frozen=True):
    """`vetoes` by reason: a veto that names several counts under each. `trades` by symbol and side ("BTCUSDT long").
    `outcomes` by the ballot's reason. Plans voided by their reason."""

    questions: int
    decisions: int
    proposals_to_trade: int
    veto_total: int
    vetoes: dict[str, int]
    outcomes: dict[str, int]
    trades: dict[str, int]
    refused: dict[str, int]
    voided: dict[str, int]
    labels: dict[str, int]


class RunResult(msgspec.Struct, frozen=True):
    """Everything a report is made of, read from the journal alone except `flags` and `assumptions`, which the feed and
    the venue state. `span_ms` = open of the first bar, close of the last. Fees, funding and slippage are totals over
    all fills, those of open trades included. `finished` = the feed ended."""

    started: RunStarted
    span_ms: tuple[int, int]
    finished: bool
    records: int
    bars: dict[str, int]
    instruments: dict[str, Instrument]
    trades: tuple[Trade, ...]
    open_trades: tuple[Trade, ...]
    decisions: tuple[DecisionRecord, ...]
    equity: Equity
    candles: dict[str, Candles]
    settlements: dict[str, tuple[Settlement, ...]]
    fees: int
    funding: int
    slippage: int
    slippage_known: bool
    funding_proxy: bool
    transfers: tuple[tuple[int, int], ...]
    firings: tuple[LimitFiring, ...]
    breakers: tuple[BreakerMoment, ...]
    commands: tuple[tuple[int, str], ...]
    counts: Counts
    flags: tuple[str, ...]
    assumptions: dict[str, str]

    @property
    def capital(self) -> int:
        """Allotted capital in money units."""
        return self.started.capital

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.candles)
