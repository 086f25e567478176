"""nautilus' trades of the oracle month: [entry bar, exit bar, side, entry price, exit price] as JSON.

Its market orders fill when they are sent, at the close of the bar that decided, which is the open of the next."""

import json
import sys

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.events import PositionClosed
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

from bench.oracles.month import SIZE
from bench.peers.nautilus_single import BARS, INSTRUMENT, VENUE
from bench.peers.shared import load

MINUTE_NS = 60_000_000_000


class Handed(Strategy):  # type: ignore[misc]
    def __init__(self, given: dict[int, tuple[int, int, int]], first_ns: int) -> None:
        super().__init__(StrategyConfig())
        self.given, self.first_ns = given, first_ns
        self.rows: list[list[float]] = []

    def on_start(self) -> None:
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        given = self.given.get((bar.ts_event - self.first_ns) // MINUTE_NS - 1)
        if given is None or not self.portfolio.is_flat(INSTRUMENT.id) or self.cache.orders_open_count():
            return
        side, stop, target = given
        orders = self.order_factory.bracket(
            INSTRUMENT.id,
            OrderSide.BUY if side > 0 else OrderSide.SELL,
            INSTRUMENT.make_qty(SIZE),
            sl_trigger_price=INSTRUMENT.make_price(stop / 100),
            tp_price=INSTRUMENT.make_price(target / 100),
            tp_post_only=False,
        )
        self.submit_order_list(orders)

    def on_event(self, event: object) -> None:
        if isinstance(event, PositionClosed):
            side = 1 if event.entry == OrderSide.BUY else -1
            # A report inside a bar carries the bar's close time: the bar that began a minute before.
            entered = (event.ts_opened - self.first_ns) // MINUTE_NS
            left = (event.ts_closed - self.first_ns) // MINUTE_NS - 1
            self.rows.append([entered, left, side, float(event.avg_px_open), float(event.avg_px_close)])


def main() -> None:
    bars = load(sys.argv[1])
    given = {int(at): (int(side), int(stop), int(target)) for at, side, stop, target in bars["signals"]}
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True))
    )
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USDT)], base_currency=USDT)
    engine.add_instrument(INSTRUMENT)
    index = pd.to_datetime(bars["open_ms"] + 60_000, unit="ms", utc=True)
    frame = pd.DataFrame({name: bars[name] for name in ("open", "high", "low", "close", "volume")}, index=index)
    engine.add_data(BarDataWrangler(BARS, INSTRUMENT).process(frame))
    strategy = Handed(given, int(bars["open_ms"][0]) * 1_000_000)
    engine.add_strategy(strategy)
    engine.run()
    print(json.dumps(strategy.rows))
    engine.dispose()


if __name__ == "__main__":
    main()
