"""Every kind of indicator by name, and the catalogue's names that are indicators. Read through `indicators`."""

from aister.features.kind import Kind
from aister.features.kinds_of_bars import OF_BARS
from aister.features.kinds_of_closes import OF_CLOSES
from aister.kernels import outputs as use

__all__ = ["KINDS", "STANDARD"]

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*OF_CLOSES, *OF_BARS)}
"""Every kind by name."""

_BANDS_20 = f"{use.SMA_SPAN}_{use.BOLLINGER_WIDTH:.0f}"
_MACD = f"{use.MACD_FAST}_{use.MACD_SLOW}_{use.MACD_SIGNAL}"

STANDARD: dict[str, str] = {
    **{name: f"{name}_{_MACD}" for name in ("macd", "macd_signal", "macd_histogram")},
    **{f"bollinger_{end}": f"bollinger_{end}_{_BANDS_20}" for end in ("upper", "lower", "position", "bandwidth")},
    **{name: f"{name}_{use.SWING_SIDE}" for name in KINDS if name.startswith("swing_")},
    "vwap_distance": f"vwap_distance_{use.WILDER}",
    "ema_20_slope": f"ema_slope_{use.EMA_FAST}",
    "ema_50_slope": f"ema_slope_{use.EMA_SLOW}",
    "ema_spread": f"ema_spread_{use.EMA_FAST}_{use.EMA_SLOW}",
}
"""The catalogue's names without parameters, or with them elsewhere, and the indicators that they are."""
