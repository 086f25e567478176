"""Indicators of every kind, with short and long parameters, for the tests of all of them."""

from aister.features.indicators import KINDS, name_of

SPANS = (7, 34)
PARAMETERS: dict[str, tuple[tuple[float, ...], ...]] = {
    "macd": ((5, 13, 4), (12, 26, 20)),
    "macd_signal": ((5, 13, 4), (6, 13, 20)),
    "macd_histogram": ((5, 13, 4),),
    "bollinger_upper": ((20, 2.5), (55, 1)),
    "bollinger_lower": ((20, 2.5),),
    "bollinger_position": ((14, 1.5),),
    "bollinger_bandwidth": ((14, 1.5),),
    "stochastic_k": ((14, 1), (21, 5)),
    "stochastic_d": ((14, 3, 3), (5, 50, 1)),
    "supertrend": ((10, 3), (7, 1.5)),
    "supertrend_direction": ((10, 3), (7, 1.5)),
    "keltner_upper": ((20, 1.5),),
    "keltner_lower": ((9, 2.25),),
    "ema_spread": ((5, 13), (20, 50)),
    "highest": ((1,), (20,)),
    "lowest": ((1,), (20,)),
    "donchian_high": ((1,), (20,)),
    "donchian_low": ((1,), (55,)),
    "donchian_middle": ((1,), (20,)),
    "roc": ((1,), (10,)),
}


def _examples() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind in KINDS.values():
        if not kind.parameters:
            sets: tuple[tuple[float, ...], ...] = ((),)
        elif kind.parameters[0].name == "side":
            sets = ((1,), (5,))
        else:
            sets = PARAMETERS.get(kind.name, tuple((span,) for span in SPANS))
        found[kind.name] = tuple(name_of(kind.name, *values) for values in sets)
    return found


EXAMPLES: dict[str, tuple[str, ...]] = _examples()
"""Names by kind; every kind is there."""

ALL: tuple[str, ...] = tuple(name for names in EXAMPLES.values() for name in names)
