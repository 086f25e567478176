"""Every bound of the risk kernel as one frozen value: three profiles, integers only."""

import hashlib

import msgspec

from aister.core.errors import SettingsError
from aister.core.money import RATE_ONE, money, rate

__all__ = ["PROFILES", "Limits", "Pace", "profile"]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


class Pace(msgspec.Struct, frozen=True, array_like=True):
    """How many messages may go: `per_second` refills a bucket of `burst`; a minute and a UTC day have bounds of their
    own."""

    per_second: int
    burst: int
    per_minute: int
    per_day: int


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds. `*_e8` are fractions in 1e-8 (of equity unless said otherwise), money is 1e-8 quote units, times are
    ms.

    The defaults are the balanced profile. `profile(name)` gives the others; a run changes single bounds with
    `msgspec.structs.replace(limits, ...)` and then calls `check`. `majors` are base assets.
    """

    name: str = "balanced"
    leverage: int = 3
    risk_e8: int = rate("0.005")
    unproven_e4: int = 2_500
    kelly_e8: int = rate("0.20")
    kelly_outcomes: int = 100
    kelly_draws: int = 1_000
    heat_e8: int = rate("0.02")
    daily_e8: int = rate("0.02")
    weekly_e8: int = rate("0.05")
    reducing_e8: int = rate("0.08")
    recovered_e8: int = rate("0.06")
    halted_e8: int = rate("0.15")
    reducing_size_e4: int = 5_000
    gross_e8: int = rate("2")
    symbol_e8: int = rate("1")
    max_order_notional: int = money("50000")
    max_position_notional: int = money("100000")
    trades_a_day: int = 12
    losses_in_row: int = 4
    losses_pause_ms: int = 12 * HOUR_MS
    stop_pause_ms: int = 30 * MINUTE_MS
    cost_to_risk_e8: int = rate("0.15")
    majors: tuple[str, ...] = ("BTC", "ETH")
    slip_atr: int = 3
    slip_major_e8: int = rate("0.01")
    slip_other_e8: int = rate("0.03")
    collar_major_e8: int = rate("0.005")
    collar_other_e8: int = rate("0.01")
    drift_stop_e8: int = rate("0.25")
    drift_spreads: int = 2
    liquidation_stops: int = 2
    liquidation_atr: int = 3
    bar_grace_ms: int = 10_000
    account_grace_ms: int = 30_000
    entries: Pace = Pace(per_second=5, burst=10, per_minute=60, per_day=1_000)
    messages_an_entry: int = 5
    repeats: int = 5
    permit_ms: int = 2_000

    @property
    def hash(self) -> str:
        """SHA-256 of the bounds in field order, hex."""
        return hashlib.sha256(msgspec.msgpack.encode(msgspec.structs.astuple(self))).hexdigest()

    def slip_e8(self, base: str) -> int:
        """The least a stop may slip, as a fraction of price."""
        return self.slip_major_e8 if base in self.majors else self.slip_other_e8

    def collar_e8(self, base: str) -> int:
        """How far the price may be from the one decided on, as a fraction of it."""
        return self.collar_major_e8 if base in self.majors else self.collar_other_e8

    def check(self) -> "Limits":
        """Itself, if every bound makes sense; raises `SettingsError` naming the first that does not."""
        for field, value in msgspec.structs.asdict(self).items():
            if isinstance(value, int) and value <= 0:
                raise SettingsError(f"{field} is {value} but must be above zero; correct it in the settings.")
        for pace in msgspec.structs.astuple(self.entries):
            if pace <= 0:
                raise SettingsError("entries must allow a message in every window; correct it in the settings.")
        for field in _FRACTIONS:
            if getattr(self, field) >= RATE_ONE:
                raise SettingsError(f"{field} is {getattr(self, field) / RATE_ONE:.0%}; give a fraction below 1.")
        for smaller, larger in _ASCENDING:
            if getattr(self, smaller) >= getattr(self, larger):
                raise SettingsError(f"{smaller} must be below {larger}; lower the first or raise the second.")
        for smaller, larger in _NOT_ABOVE:
            if getattr(self, smaller) > getattr(self, larger):
                raise SettingsError(f"{smaller} must not exceed {larger}; lower the first or raise the second.")
        for field in ("unproven_e4", "reducing_size_e4"):
            if getattr(self, field) > 10_000:
                raise SettingsError(f"{field} is a share of 10,000 and may only shrink; give at most 10000.")
        if self.kelly_e8 > RATE_ONE:
            raise SettingsError("kelly_e8 is above the whole growth-optimal fraction; give at most 1.")
        return self


_FRACTIONS = (
    "risk_e8", "heat_e8", "daily_e8", "weekly_e8", "halted_e8", "collar_major_e8", "collar_other_e8", "slip_major_e8",
    "slip_other_e8",
)  # fmt: skip
_ASCENDING = (("recovered_e8", "reducing_e8"), ("reducing_e8", "halted_e8"))
_NOT_ABOVE = (
    ("risk_e8", "heat_e8"),
    ("risk_e8", "daily_e8"),
    ("daily_e8", "weekly_e8"),
    ("symbol_e8", "gross_e8"),
    ("max_order_notional", "max_position_notional"),
)

PROFILES: dict[str, Limits] = {
    "conservative": Limits(
        name="conservative", leverage=2, risk_e8=rate("0.0025"), kelly_e8=rate("0.10"), heat_e8=rate("0.01"),
        daily_e8=rate("0.01"), weekly_e8=rate("0.03"), reducing_e8=rate("0.05"), recovered_e8=rate("0.0375"),
        halted_e8=rate("0.10"), gross_e8=rate("1"), symbol_e8=rate("0.5"), trades_a_day=6, losses_in_row=3,
        cost_to_risk_e8=rate("0.10"),
    ),
    "balanced": Limits(),
    "aggressive": Limits(
        name="aggressive", leverage=5, risk_e8=rate("0.01"), kelly_e8=rate("0.25"), heat_e8=rate("0.04"),
        daily_e8=rate("0.04"), weekly_e8=rate("0.08"), reducing_e8=rate("0.12"), recovered_e8=rate("0.09"),
        halted_e8=rate("0.20"), gross_e8=rate("3"), symbol_e8=rate("1.5"), trades_a_day=24, losses_in_row=5,
        cost_to_risk_e8=rate("0.20"),
    ),
}  # fmt: skip


def profile(name: str) -> Limits:
    """The bounds of a profile (Q40); raises `SettingsError` when there is none of that name."""
    try:
        return PROFILES[name]
    except KeyError:
        raise SettingsError(f"There is no risk profile {name!r}; choose one of {', '.join(PROFILES)}.") from None
