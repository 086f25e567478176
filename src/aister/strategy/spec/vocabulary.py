"""The features a spec may name: kinds of indicators with their parameters, and what belongs to no timeframe; what each
becomes in a market upside down."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from aister.core.errors import UsageError
from aister.features.catalogue import CATALOGUE, CONTEXT
from aister.features.indicators import KINDS, STANDARD, indicator, name_of
from aister.features.timeframes import INTERVAL_MS, NAMES
from aister.kernels.outputs import MOVES
from aister.strategy.spec.grammar import Bound
from aister.strategy.spec.tree import Feature

__all__ = [
    "FEATURES",
    "Given",
    "Kind",
    "Mirror",
    "asked_of",
    "feature_id",
    "kind_of",
    "mirror_of",
    "moves_with_price",
    "unknown",
    "warm_up_ms",
]


class Given(NamedTuple):
    """A parameter: what it is called, its bounds, its value when it is left out (None: it must be given)."""

    name: str
    bound: Bound
    standard: float | None


class Mirror(NamedTuple):
    """Upside down a feature is `fold` - partner, or the partner itself (fold None)."""

    partner: str
    fold: float | None


class Kind(NamedTuple):
    """A feature as a spec names it. of_bars: it has a timeframe; ordered: its first parameter is below its second;
    positive: it is never negative."""

    name: str
    parameters: tuple[Given, ...]
    of_bars: bool
    unit: str
    moves: bool
    ordered: bool
    positive: bool
    mirror: Mirror | None

    def refusal(self, parameters: Mapping[str, float]) -> str:
        """Why these parameters, each in its range, do not go together."""
        first, second = list(parameters)[:2] if self.ordered else ("", "")
        if self.ordered and not parameters[first] < parameters[second]:
            return f"{first} must be below {second}"
        return ""


_SWAPPED = (
    *(
        ("high", "low"),
        ("highest", "lowest"),
        ("bollinger_upper", "bollinger_lower"),
        ("donchian_high", "donchian_low"),
    ),
    *(("keltner_upper", "keltner_lower"), ("swing_high", "swing_low"), ("swing_high_before", "swing_low_before")),
)
_SWAPPED_SAME = (
    ("plus_di", "minus_di"),
    *((f"swing_high{b}_{at}_at", f"swing_low{b}_{at}_at") for b in ("", "_before") for at in ("formed", "known")),
)
_TURNED = (
    *("open", "close", "ema", "sma", "wma", "donchian_middle", "supertrend", "vwap", "session.midnight_open"),
    *("macd", "macd_signal", "macd_histogram", "zscore", "supertrend_direction", "roc", "obv", "vwap_distance"),
    *("ema_slope", "ema_spread", "funding.rate", "funding.rate_8h"),
)
_FOLDED = {"rsi": 100.0, "stochastic_k": 100.0, "stochastic_d": 100.0, "bollinger_position": 1.0, "swing_position": 1.0}
_KEPT = ("volume", "atr", "adx", "bollinger_bandwidth", "volatility", "volume_sma")

_MIRRORS: dict[str, Mirror] = {
    **{one: Mirror(other, 0.0) for pair in _SWAPPED for one, other in (pair, pair[::-1])},
    **{one: Mirror(other, None) for pair in _SWAPPED_SAME for one, other in (pair, pair[::-1])},
    **{name: Mirror(name, 0.0) for name in _TURNED},
    **{name: Mirror(name, fold) for name, fold in _FOLDED.items()},
    **{name: Mirror(name, None) for name in _KEPT},
    **{f.id: Mirror(f.id, None) for f in CONTEXT if f.additive != MOVES and not f.id.startswith("funding.rate")},
}
_POSITIVE = {"rsi", "adx", "plus_di", "minus_di", "stochastic_k", "stochastic_d", *_KEPT}
_PLAIN = {canonical: name for name, canonical in STANDARD.items()}


def _of_bars(name: str) -> Kind:
    kind = KINDS[name]
    standard = indicator(name).parameters if name in STANDARD else ()
    given = tuple(
        Given(p.name, Bound(p.low, p.high, p.whole), standard[index] if standard else None)
        for index, p in enumerate(kind.parameters)
    )
    moves = kind.additive == MOVES
    return Kind(name, given, True, kind.unit, moves, kind.ordered, moves or name in _POSITIVE, _MIRRORS.get(name))


FEATURES: dict[str, Kind] = {
    **{name: _of_bars(name) for name in KINDS},
    **{
        f.id: Kind(f.id, (), False, f.unit, f.additive == MOVES, False, "funding.rate" not in f.id, _MIRRORS.get(f.id))
        for f in CONTEXT
    },
}
"""By the name under which a spec knows them."""


def kind_of(name: str) -> Kind | None:
    return FEATURES.get(name)


def unknown(name: str) -> str:
    """The reason to refuse a name, with the nearest thing there is."""
    head, _, tail = name.partition(".")
    if head in NAMES and tail:
        return f"unknown feature {name!r}; write the timeframe beside it: 'timeframe': '{head}'"
    try:
        known = indicator(name)
    except UsageError:
        return f"unknown feature {name!r}; choose one of {', '.join(FEATURES)}"
    told = [f"'feature': '{known.kind}'"]
    told += [f"'{p.name}': {v:g}" for p, v in zip(KINDS[known.kind].parameters, known.parameters, strict=True)]
    return f"unknown feature {name!r}; write {', '.join(told)}"


def mirror_of(name: str) -> Mirror | None:
    return FEATURES[name].mirror


def moves_with_price(name: str) -> float:
    """By how much the value moves when every price moves by one."""
    return 1.0 if FEATURES[name].moves else 0.0


@lru_cache(maxsize=65_536)
def feature_id(feature: Feature) -> str:
    """The feature's id: `15m.ema_34`, or the catalogue's own where it has one (`15m.swing_high`)."""
    if not feature.timeframe:
        return feature.name
    name = name_of(feature.name, *(value for _, value in feature.parameters))
    return f"{feature.timeframe}.{_PLAIN.get(name, name)}"


def asked_of(ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(timeframe, name) of the features among `ids` that the catalogue does not have by itself."""
    found = (id.partition(".") for id in ids if id not in CATALOGUE)
    return tuple((timeframe, name) for timeframe, _, name in found)


def warm_up_ms(ids: Iterable[str]) -> int:
    """How much market these features must have seen before they are known."""
    parts = (id.partition(".") for id in ids)
    return max((indicator(name).warmup * INTERVAL_MS[tf] for tf, _, name in parts if tf in INTERVAL_MS), default=0)
