"""Known cheats as Python strategies that dig where `bar` shows nothing, each with an honest twin (quant Q19).

All of them enter whenever they may, with a stop that tells what they believe to know.
"""

_RULES = """
import math
import random
import sys

import numpy as np

from aister.strategy import LONG, Enter, PythonStrategy


class Zoo(PythonStrategy):
    timeframe = "1m"

    def on_bar(self, bar, account):
        value = self.value(bar)
        if not account.free or value != value:
            return None
        depth = 0.02 + 0.01 * math.tanh(value)
        return Enter(LONG, stop=bar.close * (1 - depth), targets=bar.close * 1.05, horizon_ms=60_000)

    def column(self, bar, name):
        return np.asarray(bar._columns[name])
"""


def _valued(body: str) -> str:
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return f"{_RULES}\n    def value(self, bar):\n{lines}\n"


def _filtered(body: str, more: str = "") -> str:
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    unasked = "    while_open = False\n\n    def value(self, bar):\n        return 0.0\n"
    return f"{_RULES}\n{more}{unasked}\n    def candidates(self, columns):\n{lines}\n"


_SEEN = "\nseen = self.column(bar, {name!r})[: bar._at + 1]"

LOOKING: dict[str, tuple[str, str]] = {
    "shift(-1)": (
        _valued("""
closes, at = self.column(bar, "close"), bar._at + 1
return 1000 * (closes[at] / bar.close - 1) if at < len(closes) else 0.0"""),
        _valued("""
return 1000 * (bar.close / bar.before("close") - 1)"""),
    ),
    "centred window": (
        _filtered("""
smooth = np.convolve(columns["close"], np.ones(11) / 11, mode="same")
return columns["close"] < smooth[: len(columns["close"])]"""),
        _filtered(
            """
close = columns["close"]
past = np.concatenate((np.full(10, close[0]), close))
smooth = np.convolve(past, np.ones(11) / 11, mode="valid")
return close < smooth""",
            "    lookback = 10\n",
        ),
    ),
    "full-sample normaliser": (
        _valued("""
closes = self.column(bar, "close")
return (bar.close - closes.mean()) / (closes.std() or np.nan)"""),
        _valued("""
seen = self.column(bar, "close")[: bar._at + 1]
return (bar.close - seen.mean()) / (seen.std() or np.nan)"""),
    ),
    "forming higher-timeframe bar": (
        _valued("""
times, highs = self.column(bar, "time_ms"), self.column(bar, "high")
hour = (bar.time_ms - 1) // 3_600_000
return 100 * (highs[(times - 1) // 3_600_000 == hour].max() / bar.close - 1)"""),
        _valued("""
times, highs = self.column(bar, "time_ms"), self.column(bar, "high")
within = (times - 1) // 3_600_000 == (bar.time_ms - 1) // 3_600_000 - 1
return 100 * (highs[within].max() / bar.close - 1) if within.any() else 0.0"""),
    ),
    "bar labelled by open": (
        _valued("""
opened = self.column(bar, "time_ms") - 60_000
of_now = self.column(bar, "close")[opened == bar.time_ms]
return 1000 * (of_now[0] / bar.open - 1) if len(of_now) else 0.0"""),
        _valued("""
of_now = self.column(bar, "close")[self.column(bar, "time_ms") == bar.time_ms]
return 1000 * (of_now[0] / bar.open - 1)"""),
    ),
    "pivot at its origin": (
        _valued("""
around = self.column(bar, "high")[max(0, bar._at - 3) : bar._at + 4]
return 1.0 if bar.high == around.max() else math.nan"""),
        _valued("""
around = self.column(bar, "high")[max(0, bar._at - 6) : bar._at + 1]
return 1.0 if bar.before("high", 3) == around.max() else math.nan"""),
    ),
    "future-fitted regime": (
        _valued("""
wide = self.column(bar, "high") - self.column(bar, "low")
return 1.0 if bar.high - bar.low > np.median(wide) else -1.0"""),
        _valued("""
wide = (self.column(bar, "high") - self.column(bar, "low"))[: bar._at + 1]
return 1.0 if bar.high - bar.low > np.median(wide) else -1.0"""),
    ),
    "funding rate before settlement": (
        _valued("""
floor = sys._getframe(2).f_locals["self"]._floor
rates = floor._rates_e8
due = int(floor._bars["settlements"][bar._columns["bar"][bar._at]])
return rates[due] * 1e-5 if due < len(rates) else 0.0"""),
        _valued("""
floor = sys._getframe(2).f_locals["self"]._floor
due = int(floor._bars["settlements"][bar._columns["bar"][bar._at]])
return floor._rates_e8[due - 1] * 1e-5 if due > 0 else 0.0"""),
    ),
}
"""Caught by look-ahead; the twin says the same of what is known."""

BLOCKS: tuple[str, str] = (
    _filtered("""
smooth, value = np.empty(len(columns["close"])), columns["close"][0]
for place, close in enumerate(columns["close"]):
    value += 0.02 * (close - value)
    smooth[place] = value
return columns["close"] < smooth"""),
    _filtered(
        """
return columns["close"] < np.concatenate((columns["close"][:1], columns["close"][:-1]))"""
    ),
)
"""A recursive average begun anew in each block, and a rule that looks back no farther than it says."""

CHANCE: tuple[str, str] = (
    _valued("""
return random.random()"""),
    _RULES
    + """
    def __init__(self, seed=1):
        self.chance = random.Random(seed)

    def value(self, bar):
        return self.chance.random()
""",
)
"""Answers that differ from run to run, and those of a seed."""

MEMORY: tuple[str, str] = tuple(  # type: ignore[assignment]
    f"""{_RULES}
    smooth = 0.0
{declared}
    def value(self, bar):
        self.smooth += 0.15 * (bar.close - self.smooth) if self.smooth else bar.close
        return 1000 * (bar.close / self.smooth - 1)
"""
    for declared in ("", "    warm_up = 150\n")
)
"""An average that begins at the first close it is asked about, undeclared and declared."""
