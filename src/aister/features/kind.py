"""What a kind of indicator is, the ranges of its parameters, and warm-ups that are more than one rule's own."""

from collections.abc import Callable
from typing import NamedTuple

from aister.kernels import table as op
from aister.kernels.averages import warmup_ema, warmup_macd, warmup_window
from aister.kernels.channels import SMOOTHING_MAX
from aister.kernels.volatility import warmup_atr


class Parameter(NamedTuple):
    """A parameter and the range, both ends included, that it must lie in; whole: only whole numbers."""

    name: str
    low: float
    high: float
    whole: bool = True


class Kind(NamedTuple):
    """What all indicators of a kind have in common; see `indicators.Indicator`. warmup: of the parameters; meaning and
    undetermined hold the parameters' names in braces; reciprocal names the partner's kind, which has the same
    parameters; ordered: the first parameter must be smaller than the second."""

    name: str
    parameters: tuple[Parameter, ...]
    opcode: tuple[int, int] | None
    unit: str
    warmup: Callable[..., int]
    meaning: str
    additive: str
    scale: str
    reciprocal: str = ""
    why: str = ""
    undetermined: str = "the bars so far do not determine it (division by zero)"
    ordered: bool = False


SPAN = Parameter("span", 2, op.SPAN_MAX)
ANY_SPAN = Parameter("span", 1, op.SPAN_MAX)
SIDE = Parameter("side", 1, op.SIDE_MAX)
WIDTH = Parameter("width", 0.1, 20.0, whole=False)
MULTIPLE = Parameter("multiple", 0.1, 20.0, whole=False)
SMOOTH, SIGNAL = Parameter("smooth", 1, SMOOTHING_MAX), Parameter("signal", 1, SMOOTHING_MAX)
FAST_SLOW = (Parameter("fast", 2, op.SPAN_MAX), Parameter("slow", 3, op.SPAN_MAX))
MACD = (*FAST_SLOW, Parameter("signal", 2, op.SPAN_MAX))
BANDS = (SPAN, WIDTH)
STUCK = "the price has not moved since the data began"
DAY_UNSEEN = "this UTC day was not seen from its first bar, or nothing has traded in it"


def of_window(span: int, *_: int) -> int:
    return warmup_window(span)


def with_one_before(span: int) -> int:
    return span + 1


def of_envelope(span: int, _: int = 0) -> int:
    return max(warmup_ema(span), warmup_atr(span))


def of_macd(_: int, slow: int, signal: int) -> int:
    return warmup_macd(slow, signal)


def of_slope(span: int) -> int:
    return max(warmup_ema(span), warmup_atr(op.ATR_SPAN))


def of_spread(_: int, slow: int) -> int:
    return of_slope(slow)


def of_trend(span: int, _: int) -> int:
    return warmup_atr(span)


def one_bar(*_: int) -> int:
    return 1
