"""How values are written: escaped text, money, shares, times in UTC, ages in words."""

import html
from datetime import UTC, datetime

from aister.core.money import UNIT

__all__ = [
    "age",
    "count",
    "escaped",
    "figure",
    "funding",
    "money",
    "month",
    "percent",
    "price",
    "signed",
    "signed_percent",
    "tone",
    "utc",
]

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000


def escaped(text: object) -> str:
    """Text from data, safe inside an element or a quoted attribute: markup is quoted, and control, bidirectional and
    other invisible characters are shown as their escapes."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return html.escape(plain, quote=True)


def utc(time_ms: int, *, seconds: bool = False) -> str:
    """2025-05-06 14:15, with seconds on request. The page says UTC once per table."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def month(time_ms: int) -> str:
    """05-06, for an axis."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%m-%d")


def age(duration_ms: float) -> str:
    """A duration in its two largest units: 2 d 5 h, 3 h 20 min, 45 s."""
    whole = round(duration_ms)
    for size, word, part, small in (
        (_DAY_MS, "d", _HOUR_MS, "h"),
        (_HOUR_MS, "h", _MINUTE_MS, "min"),
        (_MINUTE_MS, "min", 1000, "s"),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {word} {rest} {small}" if rest else f"{whole // size} {word}"
    return f"{whole / 1000:.0f} s" if whole >= 10_000 else f"{whole} ms"


def signed(value: float, decimals: int = 2) -> str:
    """+12.30, −4.00 (a real minus), 0.00 without a sign."""
    shown = f"{abs(value):,.{decimals}f}"
    if not float(shown.replace(",", "")):
        return shown
    return f"+{shown}" if value > 0 else f"−{shown}"


def signed_percent(fraction: float, decimals: int = 2) -> str:
    return f"{signed(100 * fraction, decimals)} %"


def percent(fraction: float, decimals: int = 1) -> str:
    return f"{100 * fraction:.{decimals}f} %"


def figure(value: float) -> str:
    """A number of unknown size in six digits."""
    return f"{value:,.6g}".replace("-", "−")


def price(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}"


def count(number: int, noun: str) -> str:
    """1 trade, 2 trades."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def money(amount: int) -> str:
    """Units of 1e-8 as quote currency with two decimals and a sign."""
    return signed(amount / UNIT)


def funding(amount: float) -> str:
    """Net funding in words: 5.00 funding paid, 5.00 funding received. Positive = paid. In tables, where a gain is
    positive, what was paid is negative."""
    return f"{abs(amount):,.2f} funding {'received' if amount < 0 else 'paid'}"


def tone(value: float) -> str:
    """The class that colours a gain or a loss."""
    return "gain" if value > 0 else "loss" if value < 0 else "flat"
