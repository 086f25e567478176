"""An instrument and bars for tests of the venue: BTC-like, and one on a coarse grid where things collide."""

import msgspec
import numpy as np

from aister.core.events import BarClosed
from aister.core.instrument import Bracket, Instrument
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.sim.models import Fees, FillModel, Latency, Margin, Slippage

MINUTE_MS = 60_000
MONEY = 10**8


def instrument(symbol: str = "BTCUSDT", **changes: object) -> Instrument:
    """Tick 0.1, step 0.001, fees 1 and 3.5 bp, five maintenance tiers."""
    bounds = [0, 10_000, 50_000, 250_000, 1_000_000, 10**9]
    rates = [400_000, 500_000, 1_000_000, 2_500_000, 5_000_000]
    deductions = [0]
    for i in range(1, 5):
        deductions.append(deductions[-1] + bounds[i] * (rates[i] - rates[i - 1]))
    brackets = tuple(
        Bracket(bounds[i] * MONEY, bounds[i + 1] * MONEY, rates[i], deductions[i], (125, 100, 50, 20, 10)[i])
        for i in range(5)
    )
    terms: dict[str, object] = {
        "symbol": symbol,
        "base": symbol.removesuffix("USDT"),
        "quote": "USDT",
        "status": "TRADING",
        "tick_e8": 10_000_000,
        "step_e8": 100_000,
        "unit": 10_000,
        "min_ticks": 1,
        "max_ticks": 10_000_000,
        "min_steps": 1,
        "max_steps": 10_000_000,
        "market_max_steps": 120_000,
        "min_notional": 5 * MONEY,
        "band_up_e8": 105_000_000,
        "band_down_e8": 95_000_000,
        "max_orders": 200,
        "maker_e8": 10_000,
        "taker_e8": 35_000,
        "liquidation_e8": 1_250_000,
        "funding_interval_ms": 8 * 3_600_000,
        "brackets": brackets,
        "source": "made up for tests",
    }
    return Instrument(**{**terms, **changes})  # type: ignore[arg-type]


def bracketed() -> Instrument:
    """The same, with every leverage allowed at every size."""
    terms = instrument()
    return msgspec.structs.replace(
        terms, brackets=tuple(msgspec.structs.replace(b, max_leverage=125) for b in terms.brackets)
    )


def plain_model(
    leverage: int = 3, *, fees: Fees | None = None, slippage: Slippage | None = None, latency: Latency | None = None
) -> FillModel:
    """A fill model without impact and without volume cap."""
    return FillModel(
        fees=fees or Fees(),
        slippage=slippage or Slippage(),
        impact=None,
        volume_share_e4=0,
        latency=latency or Latency(),
        margin=Margin("isolated", leverage),
    )


def bar(minute: int, o: float, h: float, l: float, c: float, symbol: str = "BTCUSDT") -> BarClosed:
    return BarClosed((minute + 1) * MINUTE_MS, symbol, minute * MINUTE_MS, o, h, l, c, 1.0)


def order(
    client_id: str,
    side: int,
    kind: OrderType = OrderType.MARKET,
    steps: int = 100,
    *,
    at: int = 0,
    purpose: Purpose = Purpose.ENTRY,
    reduce: bool = False,
    close: bool = False,
    symbol: str = "BTCUSDT",
) -> Order:
    price, trigger = (at, 0) if kind == OrderType.LIMIT else (0, at)
    steps = 0 if close else steps
    return Order(client_id, f"i-{client_id}", symbol, Side(side), kind, purpose, steps, price, trigger, reduce, close)


def walk(seed: int, count: int, start: int = 1_000_000, scale: int = 200, symbol: str = "BTCUSDT") -> list[BarClosed]:
    """Seeded bars on the grid of 0.1 with overlapping ranges, small gaps between them now and then one missing."""
    rng = np.random.default_rng(seed)
    price, minute, bars = start, 0, []
    for _ in range(count):
        o = price + int(rng.integers(-scale // 4, scale // 4 + 1))
        h, l = o + int(rng.integers(0, scale + 1)), o - int(rng.integers(0, scale + 1))
        price = int(rng.integers(l, h + 1))
        bars.append(bar(minute, o / 10, h / 10, l / 10, price / 10, symbol))
        minute += 2 if rng.random() < 0.03 else 1
    return bars
