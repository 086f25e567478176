"""What the simulated venue assumes beyond the data: each a small value that can be replaced and that a result can
print."""

import msgspec

from aister.core.instrument import Instrument
from aister.core.money import divide_half_even

__all__ = ["Fees", "Latency", "Slippage"]

_WHOLE_E4 = 10_000


class Fees(msgspec.Struct, frozen=True):
    """The instrument's own fees, times `scale_e4` / 10,000 (20_000 = the stress at twice the cost)."""

    scale_e4: int = _WHOLE_E4

    def rates_e8(self, instrument: Instrument) -> tuple[int, int, int]:
        """(maker, taker, liquidation) as rates of notional in 1e-8."""
        rates = (instrument.maker_e8, instrument.taker_e8, instrument.liquidation_e8)
        maker, taker, liquidation = (divide_half_even(rate * self.scale_e4, _WHOLE_E4) for rate in rates)
        return maker, taker, liquidation

    def __str__(self) -> str:
        scale = self.scale_e4 / _WHOLE_E4
        return f"the instrument's own x {scale:g}; a liquidation pays its fee instead of the taker's"


class Slippage(msgspec.Struct, frozen=True):
    """Half-spread by base asset, paid by every taker; stops, liquidations and exits after data loss pay on top the
    larger of a floor and a percentage of the mean true range of the last 14 bars (quant Q29). Rates of price in 1e-8;
    impact is not modelled."""

    half_spread_e8: tuple[tuple[str, int], ...] = (
        ("BTC", 5_000),
        ("ETH", 5_000),
        ("SOL", 10_000),
        ("BNB", 10_000),
        ("XRP", 10_000),
    )
    other_half_spread_e8: int = 40_000
    stop_floor_e8: int = 10_000
    stop_range_percent: int = 10

    def half_spread(self, instrument: Instrument) -> int:
        """The half-spread of this instrument in 1e-8 of price."""
        return dict(self.half_spread_e8).get(instrument.base, self.other_half_spread_e8)

    def __str__(self) -> str:
        table = ", ".join(f"{base} {rate / 10_000:g}" for base, rate in self.half_spread_e8)
        return (
            f"half-spread in bp: {table}, others {self.other_half_spread_e8 / 10_000:g}; stops, liquidations and exits"
            f" after data loss + max({self.stop_floor_e8 / 10_000:g} bp, {self.stop_range_percent} % of mean true range"
            " of 14 bars); no impact, no volume cap"
        )


class Latency(msgspec.Struct, frozen=True):
    """Time from sending to arrival. On bars it acts in whole base intervals, rounded down: an order sent before an
    open meets it."""

    ms: int = 150

    def bars(self, base_interval_ms: int) -> int:
        """How many opens pass before the order has arrived."""
        return self.ms // base_interval_ms

    def __str__(self) -> str:
        return f"{self.ms} ms, in whole base bars rounded down"
