"""What the simulated venue assumes beyond the data: each a small value that can be replaced and that a result can
print. `FillModel` is all of them."""

from itertools import pairwise
from typing import Literal

import msgspec

from aister.core.errors import SettingsError
from aister.core.instrument import Instrument
from aister.core.money import divide_half_even, money_text

__all__ = ["FeeTier", "Fees", "FillModel", "Impact", "Latency", "Margin", "Slippage"]

_WHOLE_E4 = 10_000


class FeeTier(msgspec.Struct, frozen=True):
    """Fees from a turnover of `volume` money units over the 30 UTC days before on: rates of notional in 1e-8."""

    volume: int
    maker_e8: int
    taker_e8: int


class Fees(msgspec.Struct, frozen=True):
    """The instrument's own fees, or with `tiers` those of the account's turnover, times `scale_e4` / 10,000 (20_000 =
    the stress at twice the cost). Tiers rise in volume from 0."""

    scale_e4: int = _WHOLE_E4
    tiers: tuple[FeeTier, ...] = ()

    def rates_e8(self, instrument: Instrument) -> tuple[int, int, int]:
        """(maker, taker, liquidation) as rates of notional in 1e-8; of the first tier where there are tiers."""
        maker_e8, taker_e8 = instrument.maker_e8, instrument.taker_e8
        if self.tiers:
            maker_e8, taker_e8 = self.tiers[0].maker_e8, self.tiers[0].taker_e8
        return self.scaled(maker_e8), self.scaled(taker_e8), self.scaled(instrument.liquidation_e8)

    def scaled(self, rate_e8: int) -> int:
        """A rate times the scale, half-even."""
        return divide_half_even(rate_e8 * self.scale_e4, _WHOLE_E4)

    def __str__(self) -> str:
        scale = f"x {self.scale_e4 / _WHOLE_E4:g}; a liquidation pays its fee instead of the taker's"
        if not self.tiers:
            return f"the instrument's own {scale}"
        steps = ", ".join(
            f"from {money_text(tier.volume, 0)}: maker {tier.maker_e8 / 10_000:g} taker {tier.taker_e8 / 10_000:g} bp"
            for tier in self.tiers
        )
        return f"by turnover of 30 days ({steps}) {scale}"


class Slippage(msgspec.Struct, frozen=True):
    """Half-spread by base asset, paid by every taker; stops, liquidations and exits after data loss pay on top the
    larger of a floor and a percentage of the mean true range of the last 14 bars (quant Q29). Rates of price in
    1e-8."""

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
            " of 14 bars)"
        )


class Impact(msgspec.Struct, frozen=True):
    """Square-root impact on every taker: coefficient x sigma of a day x sqrt(Q / (haircut x mean daily volume)), from
    at most 30 complete UTC days; `unknown_e8` of price is charged while fewer than two are known. Coefficient and
    haircut in 1 / 10,000 (haircut 2_500: a quarter of the volume shown counts)."""

    coefficient_e4: int = _WHOLE_E4
    haircut_e4: int = 2_500
    unknown_e8: int = 10_000

    def __str__(self) -> str:
        return (
            f"{self.coefficient_e4 / _WHOLE_E4:g} x daily volatility x sqrt(size / {self.haircut_e4 / _WHOLE_E4:g} of"
            f" daily volume) of up to 30 days; {self.unknown_e8 / 10_000:g} bp until two are known"
        )


class Latency(msgspec.Struct, frozen=True):
    """ms: from sending to arrival; ack_ms: from arrival to the acknowledgement; decision_ms: from a bar's close to the
    order that answers it. On bars each acts in whole base intervals, rounded down: an order sent before an open meets
    it."""

    ms: int = 150
    ack_ms: int = 150
    decision_ms: int = 250

    def bars(self, base_interval_ms: int) -> int:
        """How many opens pass before the order has arrived."""
        return self.ms // base_interval_ms

    def ack_bars(self, base_interval_ms: int) -> int:
        """How many opens pass between arrival and acknowledgement."""
        return self.ack_ms // base_interval_ms

    def __str__(self) -> str:
        return (
            f"decision {self.decision_ms} ms, order {self.ms} ms, acknowledgement {self.ack_ms} ms, in whole base bars"
            " rounded down"
        )


class Margin(msgspec.Struct, frozen=True):
    """Isolated margin of each position, or the whole account behind all of them; one leverage for entries."""

    mode: Literal["isolated", "cross"] = "isolated"
    leverage: int = 3

    def __str__(self) -> str:
        return f"{self.mode}, leverage {self.leverage}"


class FillModel(msgspec.Struct, frozen=True):
    """Everything the simulated venue assumes (docs/fills.md); the defaults are those of quant Q29 and Q40.

    impact None: none is modelled. volume_share_e4: the part of a bar's volume that may be ours, in 1 / 10,000, 0 = no
    cap. position_mode: one position per symbol, or a long and a short leg. intrabar: the order of things inside a bar.
    """

    fees: Fees = Fees()
    slippage: Slippage = Slippage()
    impact: Impact | None = Impact()
    volume_share_e4: int = 500
    latency: Latency = Latency()
    margin: Margin = Margin()
    position_mode: Literal["one_way", "hedge"] = "one_way"
    intrabar: Literal["stop_first", "ohlc_path", "lower_timeframe"] = "stop_first"

    def check(self) -> "FillModel":
        """The model itself; raises `SettingsError` for what cannot be."""
        if self.margin.leverage < 1:
            raise SettingsError(f"A leverage of {self.margin.leverage} is not possible; give 1 or more.")
        if not 0 <= self.volume_share_e4 <= _WHOLE_E4:
            raise SettingsError("The share of a bar's volume lies between 0 (no cap) and 10,000 (all of it).")
        if self.impact and (self.impact.coefficient_e4 <= 0 or self.impact.haircut_e4 <= 0):
            raise SettingsError("Impact needs a positive coefficient and haircut; give None to model none.")
        if min(self.latency.ms, self.latency.ack_ms, self.latency.decision_ms) < 0:
            raise SettingsError("A latency cannot be negative.")
        tiers = self.fees.tiers
        if tiers and (tiers[0].volume != 0 or any(a.volume >= b.volume for a, b in pairwise(tiers))):
            raise SettingsError("Fee tiers start at volume 0 and rise.")
        return self

    def check_bars(self, base_interval_ms: int, deciding_ms: int) -> None:
        """Raises `SettingsError` when `lower_timeframe` is asked for and the bars fed are not shorter than every
        timeframe decided on (`deciding_ms`, the shortest)."""
        if self.intrabar == "lower_timeframe" and base_interval_ms >= deciding_ms:
            raise SettingsError(
                f"lower_timeframe needs bars shorter than the {deciding_ms // 60_000} minutes decided on;"
                " feed shorter ones, or choose stop_first."
            )

    def round_trip_e8(self, instrument: Instrument) -> int:
        """What entering and leaving once is expected to cost, of notional: taker fee and half-spread both ways, and the
        least that a stop slips. Impact depends on size and is not in it."""
        _, taker_e8, _ = self.fees.rates_e8(instrument)
        return 2 * (taker_e8 + self.slippage.half_spread(instrument)) + self.slippage.stop_floor_e8

    def assumptions(self) -> dict[str, str]:
        """Every choice by name, in words."""
        return {
            "fees": str(self.fees),
            "impact": str(self.impact) if self.impact else "none",
            "inside a bar": _INTRABAR[self.intrabar],
            "latency": str(self.latency),
            "margin": f"{self.margin}, {'hedged legs' if self.position_mode == 'hedge' else 'one-way'}",
            "slippage": str(self.slippage),
            "volume": f"at most {self.volume_share_e4 / 100:g} % of a bar's" if self.volume_share_e4 else "no cap",
        }


_INTRABAR = {
    "stop_first": "stops and liquidation, then limits traded through by a tick, then targets",
    "ohlc_path": "along open, nearer extreme, other extreme, close; limits need a tick more than their price",
    "lower_timeframe": "bars shorter than those decided on, each: stops and liquidation, then limits, then targets",
}
