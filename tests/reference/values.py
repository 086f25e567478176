"""What the reference matcher works on: whole numbers. Prices in ticks, sizes in steps, money and rates in 1e-8."""

from dataclasses import dataclass, field
from fractions import Fraction

ONE = 10**8

MARKET, LIMIT, STOP, TAKE, STOP_LIMIT, TAKE_LIMIT, TRAILING = (
    "market",
    "limit",
    "stop",
    "take-profit",
    "stop-limit",
    "take-profit-limit",
    "trailing",
)
TRIGGERED_BY_STOP = (STOP, STOP_LIMIT, TRAILING)
TRIGGERED_BY_TARGET = (TAKE, TAKE_LIMIT)


@dataclass
class Terms:
    """One instrument under one fill model. `unit` = money of one tick x one step; `tiers` = (maintenance rate,
    deduction); `cap_e8` None = no volume cap; `impact` None or (coefficient, ADV haircut, rate when unknown), in 1e-8;
    `fee_tiers` = (turnover from which it holds, maker, taker), rising."""

    unit: int
    maker_e8: int
    taker_e8: int
    liquidation_e8: int
    half_spread_e8: int
    tiers: list[tuple[int, int]]
    leverage: int
    floor_e8: int = 10_000
    range_percent: int = 10
    cap_e8: int | None = None
    impact: tuple[int, int, int] | None = None
    fee_tiers: list[tuple[int, int, int]] = field(default_factory=list)


@dataclass
class Bar:
    """`volume` in whole steps."""

    symbol: str
    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0


@dataclass
class Order:
    """`leg`: 0 in one-way mode, +1 the long and -1 the short leg in hedge mode. `worst`: a market order whose fill
    would lie beyond it expires (0 = none). `passes`: opens that still pass before it arrives; `absent`: not there yet.
    `tired`: cut short in this bar, does nothing more in it. `fresh`: arrived since the last bar; `resting`: False for
    what became a limit in this bar; `opened`: on the book since the open of this bar. `extreme`: best price a trailing
    stop has seen, 0 while inactive. `ack_passes`: opens until it is acknowledged."""

    id: str
    symbol: str
    kind: str
    side: int
    steps: int = 0
    price: int = 0
    trigger: int = 0
    reduce: bool = False
    close: bool = False
    post_only: bool = False
    group: int = 0
    leg: int = 0
    worst: int = 0
    callback_e8: int = 0
    activation: int = 0
    passes: int = 0
    ack_passes: int = 0
    tired: bool = False
    fresh: bool = True
    extreme: int = 0
    absent: bool = False
    resting: bool = True
    opened: bool = False

    def __str__(self) -> str:
        """What differs from an order's defaults."""
        plain = Order("", "", "", 0)
        shown = {key: value for key, value in vars(self).items() if value != vars(plain)[key] and key != "symbol"}
        return " ".join(f"{key}={value}" for key, value in shown.items())

    @property
    def reducing(self) -> bool:
        return self.reduce or self.close


@dataclass
class Position:
    steps: int = 0
    cost: int = 0
    opened_inside: bool = False

    @property
    def sign(self) -> int:
        return (self.steps > 0) - (self.steps < 0)


@dataclass
class Report:
    """What happened: "fill", "gone" (withdrawn or expired unfilled or in part), "funding", or "ack" at `time_ms`."""

    what: str
    id: str
    side: int = 0
    steps: int = 0
    ticks: int = 0
    fee: int = 0
    maker: bool = False
    done: bool = True
    liquidation: bool = False
    time_ms: int = 0


def half_even(value: Fraction) -> int:
    """Python rounds halves to even."""
    return round(value)


def rate_of(amount: int, rate_e8: int) -> int:
    return half_even(Fraction(amount * rate_e8, ONE))
