"""nautilus_trader 1.221.0, one run on bars with bracket orders at a hundredth of the size (its balances hold eight
decimals and refuse the full one)."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.indicators import AverageTrueRange, ExponentialMovingAverage, MovingAverageType
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

from bench.peers.shared import RISK, STOP_ATR, TARGET_ATR, measured

VENUE = Venue("SIM")
INSTRUMENT = CryptoPerpetual(
    instrument_id=InstrumentId(Symbol("BTCUSDT-PERP"), VENUE),
    raw_symbol=Symbol("BTCUSDT"),
    base_currency=BTC,
    quote_currency=USDT,
    settlement_currency=USDT,
    is_inverse=False,
    price_precision=2,
    price_increment=Price.from_str("0.01"),
    size_precision=3,
    size_increment=Quantity.from_str("0.001"),
    margin_init=Decimal("0.01"),
    margin_maint=Decimal("0.005"),
    maker_fee=Decimal("0.0004"),
    taker_fee=Decimal("0.0004"),
    ts_event=0,
    ts_init=0,
)
BARS = BarType.from_str("BTCUSDT-PERP.SIM-1-MINUTE-LAST-EXTERNAL")


class Crossing(Strategy):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(StrategyConfig())
        self.fast, self.slow = ExponentialMovingAverage(20), ExponentialMovingAverage(50)
        self.atr = AverageTrueRange(14, MovingAverageType.WILDER)
        self.gain = self.loss = 0.0
        self.last = self.above = None
        self.seen = 0

    def on_start(self) -> None:
        self.subscribe_bars(BARS)
        for indicator in (self.fast, self.slow, self.atr):
            self.register_indicator_for_bars(BARS, indicator)

    def on_bar(self, bar: Bar) -> None:
        close, self.seen = float(bar.close), self.seen + 1
        if self.last is not None:
            change = close - self.last
            self.gain += (max(change, 0.0) - self.gain) / 14
            self.loss += (max(-change, 0.0) - self.loss) / 14
        self.last, before = close, self.above
        self.above = self.fast.value > self.slow.value
        if self.seen < 52 or before is None or before == self.above or not self.portfolio.is_flat(INSTRUMENT.id):
            return
        if self.cache.orders_open_count() or self.cache.orders_inflight_count():
            return
        strength, width = 100 * self.gain / (self.gain + self.loss or 1.0), self.atr.value
        if (self.above and strength <= 50) or (not self.above and strength >= 50):
            return
        side = 1 if self.above else -1
        size = RISK / 100 / (STOP_ATR * width)
        orders = self.order_factory.bracket(
            INSTRUMENT.id,
            OrderSide.BUY if side > 0 else OrderSide.SELL,
            INSTRUMENT.make_qty(max(size, 0.001)),
            sl_trigger_price=INSTRUMENT.make_price(close - side * STOP_ATR * width),
            tp_price=INSTRUMENT.make_price(close + side * TARGET_ATR * width),
        )
        self.submit_order_list(orders)


def run(bars: dict[str, Any]) -> dict[str, Any]:
    settings = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True)
    )
    engine = BacktestEngine(settings)
    engine.add_venue(
        VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USDT)], base_currency=USDT, fill_model=FillModel()
    )
    engine.add_instrument(INSTRUMENT)
    index = pd.to_datetime(bars["open_ms"] + 60_000, unit="ms", utc=True)
    frame = pd.DataFrame(
        {name: np.asarray(bars[name]) for name in ("open", "high", "low", "close", "volume")}, index=index
    )
    engine.add_data(BarDataWrangler(BARS, INSTRUMENT).process(frame))
    engine.add_strategy(Crossing())
    engine.run()
    positions = engine.cache.positions_closed()
    snapshots = engine.cache.position_snapshots()
    balance = engine.cache.account_for_venue(VENUE).balance_total(USDT).as_double()
    engine.dispose()
    return {"trades": max(len(positions), len(snapshots) + 1), "final": balance}


if __name__ == "__main__":
    measured(
        "nautilus", "O-H-L-C path, maker and taker fees, bracket orders; no funding, no liquidation", run, repeats=1
    )
