"""Hand-made features and a plain instrument to judge rules on."""

import json
from importlib.resources import files

from aister.core.instrument import Instrument, instrument_from_venue
from aister.features.featureset import FeatureSet
from tests.kernels.walks import START_MS

CLOSE_MS = START_MS + 40 * 3_600_000
"""A moment at which every timeframe closes."""

COST_E8 = 90_000


def instrument(symbol: str = "BTCUSDT") -> Instrument:
    rows = json.loads((files("aister.sample") / "instruments.json").read_text(encoding="utf-8"))["symbols"]
    return instrument_from_venue(next(row for row in rows if row["symbol"] == symbol), "assumed")


BASE = {
    "15m.complete": 1.0,
    "15m.open": 100.0,
    "15m.high": 100.2,
    "15m.low": 99.8,
    "15m.close": 100.0,
    "15m.ema_20": 99.0,
    "15m.ema_spread": 1.0,
    "15m.rsi_14": 50.0,
    "15m.adx_14": 30.0,
    "15m.atr_14": 0.5,
    "15m.bollinger_upper": 102.0,
    "15m.bollinger_lower": 98.0,
    "15m.vwap_distance": -1.0,
    "15m.swing_high": 103.0,
    "15m.swing_high_formed_at": 1_000.0,
    "15m.swing_low": 97.0,
    "15m.swing_low_formed_at": 2_000.0,
    "1h.complete": 1.0,
    "1h.close": 100.0,
    "1h.high": 100.5,
    "1h.low": 99.5,
    "1h.ema_20": 99.0,
    "1h.ema_20_slope": 0.0,
    "1h.rsi_14": 50.0,
    "1h.macd_histogram": 0.0,
    "1h.plus_di_14": 20.0,
    "1h.minus_di_14": 20.0,
    "1h.atr_14": 1.0,
    "session.kill_zone": 1.0,
}
"""A quiet market in which no rule sees anything."""

LONG = {
    "trend_pullback": {"15m.open": 99.1, "15m.low": 98.9, "15m.close": 99.6},
    "range_reversion": {"15m.adx_14": 15.0, "15m.low": 97.9, "15m.close": 98.2},
    "breakout": {"15m.open": 102.8, "15m.low": 102.7, "15m.close": 103.6, "15m.high": 103.7},
    "sweep_reversal": {"15m.open": 97.1, "15m.low": 96.8, "15m.close": 97.4},
    "hour_momentum": {
        **{"1h.rsi_14": 60.0, "1h.macd_histogram": 0.1, "1h.ema_20_slope": 0.05, "1h.plus_di_14": 25.0},
    },
}
"""What must change in the quiet market for each rule to see a long."""


def mirrored(values: dict[str, float]) -> dict[str, float]:
    """The same market upside down, around 100."""
    pairs = (("upper", "lower"), ("high", "low"), ("plus_di", "minus_di"))
    flipped: dict[str, float] = {}
    for id, value in values.items():
        timeframe, _, name = id.partition(".")
        for a, b in pairs:
            if a in name or b in name:
                name = name.replace(a, "*").replace(b, a).replace("*", b)
                break
        if name.endswith("_formed_at") or name in ("complete", "adx_14", "atr_14", "kill_zone") or "_di_" in name:
            flipped[f"{timeframe}.{name}"] = value
        elif name == "rsi_14":
            flipped[f"{timeframe}.{name}"] = 100.0 - value
        elif name in ("ema_spread", "vwap_distance", "ema_20_slope", "macd_histogram"):
            flipped[f"{timeframe}.{name}"] = -value
        else:
            flipped[f"{timeframe}.{name}"] = 200.0 - value
    return flipped


def scene(changes: dict[str, float], time_ms: int = CLOSE_MS, symbol: str = "BTCUSDT") -> FeatureSet:
    return FeatureSet(symbol, time_ms, BASE | changes, {})
