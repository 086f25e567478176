"""Random specs that are sound: a hypothesis strategy of JSON documents over every part of the grammar."""

from typing import Any

from hypothesis import strategies as st

from aister.strategy.spec.grammar import KILL_ZONE_NAMES, SESSION_NAMES, WEEKDAYS

Document = dict[str, Any]

DECISIONS = ("5m", "5m", "15m", "1h")
OTHERS = ("5m", "5m", "15m", "15m", "1h", "4h")

_PRICES = (
    *("close", "open", "high", "low", "ema", "sma", "wma", "highest", "lowest", "donchian_high", "donchian_low"),
    *("bollinger_upper", "bollinger_lower", "keltner_upper", "keltner_lower", "swing_high", "swing_low", "vwap"),
    "supertrend",
)
_INDICES = ("rsi", "adx", "plus_di", "minus_di", "stochastic_k")
_SPREADS = ("macd_histogram", "vwap_distance", "ema_spread", "zscore", "ema_slope")
_SPANS = st.sampled_from((2, 3, 5, 8))
_PARAMETERS: dict[str, Document] = {
    **{name: {"span": _SPANS} for name in ("ema", "sma", "wma", "highest", "lowest", "donchian_high", "donchian_low")},
    **{name: {"span": _SPANS} for name in ("rsi", "adx", "plus_di", "minus_di", "zscore", "ema_slope", "atr")},
    **{f"bollinger_{end}": {"span": _SPANS, "width": st.sampled_from((1, 1.5, 2))} for end in ("upper", "lower")},
    **{f"keltner_{end}": {"span": _SPANS, "multiple": st.sampled_from((1, 1.5))} for end in ("upper", "lower")},
    "stochastic_k": {"span": _SPANS, "smooth": st.just(3)},
    "supertrend": {"span": _SPANS, "multiple": st.sampled_from((1, 2))},
    "vwap_distance": {"span": _SPANS},
    "ema_spread": {"fast": st.sampled_from((2, 3)), "slow": st.sampled_from((5, 8))},
    "macd_histogram": {"fast": st.just(3), "slow": st.just(8), "signal": st.just(3)},
}
_CLOSE = {"feature": "close"}


def _feature(names: tuple[str, ...]) -> st.SearchStrategy[Document]:
    def placed(name: str) -> st.SearchStrategy[Document]:
        timeframe = st.fixed_dictionaries({}, optional={"timeframe": st.sampled_from(OTHERS)})
        rest = st.fixed_dictionaries(_PARAMETERS.get(name, {}))
        return st.builds(lambda one, other: {"feature": name, **one, **other}, timeframe, rest)

    return st.sampled_from(names).flatmap(placed)


def _small(low: float, high: float) -> st.SearchStrategy[float]:
    return st.integers(int(low * 4), int(high * 4)).map(lambda n: n / 4)


_ATR = st.fixed_dictionaries({"feature": st.just("atr"), "span": _SPANS})
_AMOUNTS = st.builds(lambda factor, atr: {"*": [factor, atr]}, _small(0.25, 3), _ATR)
_LEVELS = st.one_of(
    _feature(_PRICES),
    st.just({"feature": "session.midnight_open"}),
    st.builds(lambda level, amount, sign: {sign: [level, amount]}, _feature(_PRICES), _AMOUNTS, st.sampled_from("+-")),
    st.builds(lambda one, other, pick: {pick: [one, other]}, *[_feature(_PRICES)] * 2, st.sampled_from(("min", "max"))),
    st.builds(lambda level, bars: {"of": level, "ago": bars}, _feature(_PRICES), st.integers(0, 5)),
)
_PURE = st.one_of(
    _feature(_SPREADS),
    st.builds(lambda one, other: {"-": [one, other]}, _LEVELS, _LEVELS),
    st.builds(lambda one, two, amount: {"/": [{"-": [one, two]}, amount]}, _LEVELS, _LEVELS, _AMOUNTS),
    st.builds(lambda part: {"abs": {"neg": part}}, _feature(_SPREADS)),
    st.sampled_from(({"feature": "funding.rate"}, {"/": [1, {"feature": "session.kill_zone"}]})),
)
_COMPARED = st.sampled_from((">", ">=", "<", "<="))
_CROSSED = st.sampled_from(("crosses_above", "crosses_below"))


def _names(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(known), st.lists(st.sampled_from(known), min_size=1, max_size=5, unique=True))


_TESTS = st.one_of(
    st.builds(lambda how, one, other: {how: [one, other]}, _COMPARED, _LEVELS, _LEVELS),
    st.builds(lambda how, one, other: {how: [one, other]}, _CROSSED, _LEVELS, _LEVELS),
    st.builds(lambda how, one, mark: {how: [one, mark]}, _CROSSED, _feature(_INDICES), st.integers(20, 80)),
    st.builds(lambda how, one, mark: {how: [one, mark]}, _COMPARED, _feature(_INDICES), st.integers(20, 80)),
    st.builds(lambda how, one, mark: {how: [one, mark]}, _COMPARED, _PURE, _small(-2, 2)),
    st.builds(
        lambda one, low, wide: {"between": [one, low, low + wide]}, _feature(_INDICES), *[st.integers(10, 50)] * 2
    ),
    st.builds(lambda names: {"kill_zone": names}, _names(KILL_ZONE_NAMES)),
    st.builds(lambda names: {"session": names}, _names(SESSION_NAMES)),
    st.builds(lambda names: {"weekday": names}, _names(WEEKDAYS)),
    st.just({"silver_bullet": True}),
    st.just({"==": [{"feature": "session.weekday"}, 2]}),
    st.just({"use": "allowed"}),
)


def _grown(inside: st.SearchStrategy[Document]) -> st.SearchStrategy[Document]:
    several = st.lists(inside, min_size=2, max_size=3)
    return st.one_of(
        st.builds(lambda how, parts: {how: parts}, st.sampled_from(("and", "or")), several),
        st.builds(lambda part: {"not": part}, inside),
    )


CONDITIONS: st.SearchStrategy[Document] = st.recursive(_TESTS, _grown, max_leaves=6)


@st.composite
def _sides(draw: st.DrawFn, sign: int) -> Document:
    away, back = ("-", "+") if sign > 0 else ("+", "-")
    reduce = "min" if sign > 0 else "max"
    levels = _feature(("lowest", "swing_low", "bollinger_lower") if sign > 0 else ("highest", "swing_high"))
    stop = draw(
        st.one_of(
            st.builds(lambda amount: {"distance": amount}, _AMOUNTS),
            st.builds(lambda percent: {"percent": percent}, _small(0.25, 2)),
            st.builds(lambda amount: {"price": {away: [_CLOSE, amount]}}, _AMOUNTS),
            st.builds(lambda level, a: {"price": {reduce: [level, {away: [_CLOSE, a]}]}}, levels, _AMOUNTS),
            st.builds(lambda level: {"price": level}, levels),
        )
    )
    count = draw(st.integers(1, 3))
    shares = {1: [1], 2: [0.4, 0.6], 3: [0.5, 0.25, 0.25]}[count]
    aims: list[Document] = [{"r": (index + 1) * 0.75} for index in range(count)]
    if draw(st.booleans()):
        aims[-1] = draw(
            st.one_of(
                st.builds(lambda amount: {"distance": amount}, _AMOUNTS),
                st.builds(lambda amount: {"price": {back: [_CLOSE, amount]}}, _AMOUNTS),
                st.just({"price": {"feature": "vwap"}}),
            )
        )
    side: Document = {
        "entry": draw(CONDITIONS),
        "stop": stop,
        "targets": [{**aim, "share": share} for aim, share in zip(aims, shares, strict=True)],
    }
    if draw(st.booleans()):
        side["exit"] = draw(CONDITIONS)
    if draw(st.integers(0, 2)) == 0:
        side["add"] = {"when": draw(CONDITIONS)}
        if draw(st.booleans()):
            side["add"]["stop"] = draw(st.builds(lambda amount: {"distance": amount}, _AMOUNTS))
    if draw(st.booleans()):
        # of a range no stop is made of: which of the two lies farther cannot be told without a market
        amount = {"*": [draw(_small(0.25, 1)), {"feature": "atr", "span": 21}]}
        side["order"] = {"limit": {away: [_CLOSE, amount]}, "life": draw(st.integers(1, 4))}
    return side


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A sound spec as plain values, long, short or both; decisions on 5m, 15m or 1h, features up to 4h."""
    sides = draw(st.sampled_from((("long",), ("short",), ("long", "short"), ("long", "short"))))
    document: Document = {
        "version": 1,
        "name": "random",
        "timeframe": draw(st.sampled_from(DECISIONS)),
        "let": {"allowed": draw(CONDITIONS.filter(lambda c: "'allowed'" not in str(c)))},
        "horizon": draw(st.sampled_from(({"bars": 12}, {"minutes": 240}))),
    }
    for word in sides:
        document[word] = draw(_sides(1 if word == "long" else -1))
    if draw(st.integers(0, 3)) == 0:
        document["filter"] = {"weekdays": draw(_names(WEEKDAYS)), "sessions": draw(_names(SESSION_NAMES))}
    if any("add" in document[word] for word in sides):
        document["scale_in"] = {
            "times": draw(st.integers(1, 3)),
            "share": draw(st.sampled_from((0.25, 0.5, 1))),
            "first": draw(st.sampled_from((0.25, 0.5, 1))),
            "beyond_risk": draw(st.booleans()),
        }
    if draw(st.booleans()):
        most = max(len(document[word]["targets"]) for word in sides)
        document["management"] = {"break_even_after": draw(st.integers(0, most)), "trail": draw(_small(0, 2))}
    return document
