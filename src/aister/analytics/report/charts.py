"""Charts as inline SVG: equity, drawdown, the benchmark on one scale. Every chart has a title that says what it
shows."""

import math
from collections.abc import Sequence

import msgspec

from aister.analytics.report.words import escaped, month, utc

__all__ = ["HEIGHT", "WIDTH", "Plot", "axes", "drawn", "line_path", "nice_steps", "thinned"]

WIDTH = 1160
HEIGHT = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 76, 10, 22
_DAY_MS = 86_400_000


class Plot(msgspec.Struct, frozen=True):
    """Times and values to points of a WIDTH x height drawing. Values outside the range are drawn at its edge."""

    start_ms: int
    end_ms: int
    low: float
    high: float
    height: int = HEIGHT

    def x(self, time_ms: float) -> float:
        part = (time_ms - self.start_ms) / max(1, self.end_ms - self.start_ms)
        return _LEFT + min(1.0, max(0.0, part)) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.height - _BOTTOM - min(1.0, max(0.0, part)) * (self.height - _TOP - _BOTTOM)

    @property
    def floor(self) -> int:
        return self.height - _BOTTOM

    @property
    def right(self) -> int:
        return WIDTH - _RIGHT


def nice_steps(low: float, high: float, most: int = 5) -> list[float]:
    """Round values within [low, high], at most `most` + 1: multiples of 1, 2 or 5 x 10^k."""
    if not high > low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def thinned(times_ms: Sequence[int], values: Sequence[float], most: int = 1_600) -> list[tuple[int, float]]:
    """At most about `most` points that keep every extreme: of each run of points its first, lowest and highest."""
    if len(times_ms) <= most:
        return list(zip(times_ms, values, strict=True))
    size = math.ceil(3 * len(times_ms) / most)
    kept: set[int] = {len(times_ms) - 1}
    for at in range(0, len(times_ms), size):
        run = range(at, min(at + size, len(times_ms)))
        kept |= {at, min(run, key=values.__getitem__), max(run, key=values.__getitem__)}
    return [(times_ms[i], values[i]) for i in sorted(kept)]


def line_path(plot: Plot, points: Sequence[tuple[int, float]]) -> str:
    return "M" + "L".join(f"{plot.x(at):.1f} {plot.y(value):.1f}" for at, value in points)


def axes(plot: Plot, written: list[tuple[float, str]]) -> str:
    """Horizontal lines with their labels on the right, and days (or months) along the bottom, UTC."""
    parts = []
    for value, label in written:
        y = plot.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{plot.right}"/>')
        parts.append(f'<text x="{plot.right + 6}" y="{y + 4:.1f}">{escaped(label)}</text>')
    days = (plot.end_ms - plot.start_ms) / _DAY_MS
    every = next((n for n in (1, 2, 5, 7, 14, 30, 90, 180, 365) if days / n <= 14), 730) * _DAY_MS
    at = -(-plot.start_ms // every) * every
    while at <= plot.end_ms:
        x = plot.x(at)
        parts.append(f'<path class="grid" d="M{x:.1f} {plot.floor}v4"/>')
        if x < plot.right - 30:
            label = month(at) if days <= 200 else utc(at)[:7]
            parts.append(f'<text x="{x + 3:.1f}" y="{plot.floor + 15}">{label}</text>')
        at += every
    return "".join(parts)


def drawn(plot: Plot, title: str, body: str) -> str:
    """The whole picture, in a box that scrolls sideways on a narrow screen."""
    name = escaped(title)
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{name}"><svg viewBox="0 0 {WIDTH} {plot.height}" '
        f'role="img" '
        f'aria-label="{name}"><title>{name}</title>{body}</svg></div>'
    )
