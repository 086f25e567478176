"""Bars and ranges of the detectors' page, in plain boxes: their text has its size on every screen."""

from collections.abc import Sequence

from aister.analytics.report.words import escaped, percent, signed_percent

__all__ = ["OWN_STYLE", "bars", "ranged"]

OWN_STYLE = """
.wide .card{padding:16px;overflow:hidden}.wide h3{margin-top:0}
.wide{columns:2 400px;column-gap:16px;margin-top:16px}.wide .card{break-inside:avoid;margin:0 0 16px}
.plot{display:grid;grid-template-columns:max-content minmax(60px,1fr) max-content;gap:6px 12px;align-items:center;
margin:12px 0;font-size:13px}
.plot .at{color:var(--soft)}
.track{position:relative;height:14px;border-radius:3px;background:var(--line)}
.track i{position:absolute;top:0;bottom:0}
.track .from{background:var(--gain);border-radius:2px}.track .from.loss{background:var(--loss)}
.track .reach{background:var(--hold);opacity:.55;border-radius:2px}
.track .mid{width:2px;margin-left:-1px;background:var(--text)}
.track .nil{width:1px;top:-3px;bottom:-3px;background:var(--soft)}
.track .limit{width:0;top:-3px;bottom:-3px;border-left:2px dashed var(--loss)}
.track .own{width:10px;height:10px;top:2px;margin-left:-5px;border-radius:50%;background:var(--accent);
box-shadow:0 0 0 2px var(--bg)}
"""


def bars(rows: Sequence[tuple[str, float]], title: str) -> str:
    """A bar a row from zero, gains to the right, losses to the left, with the value behind it."""
    low, high = min(0.0, *(value for _, value in rows)), max(0.0, *(value for _, value in rows))
    parts = []
    for label, value in rows:
        begin, end = sorted((_place(0.0, low, high), _place(value, low, high)))
        lost = " loss" if value < 0 else ""
        parts.append(
            f'<span class="at">{escaped(label)}</span><div class="track"><i class="from{lost}" '
            f'style="left:{begin:.2f}%;width:{end - begin:.2f}%"></i>{_mark("nil", 0.0, low, high)}</div>'
            f'<span class="num">{signed_percent(value)}</span>'
        )
    return _framed(parts, title)


def ranged(
    label: str,
    spread: tuple[float, float, float],
    own: float | None,
    title: str,
    limit: float | None = None,
    signs: bool = True,
) -> str:
    """From the lowest to the highest of `spread`, its middle as a line, `own` (if known) as a dot, `limit` dashed."""
    low, middle, high = spread
    values = [*spread, 0.0, *(one for one in (own, limit) if one is not None)]
    least, most = min(values), max(values)
    begin, end = _place(low, least, most), _place(high, least, most)
    track = (
        f'<i class="reach" style="left:{begin:.2f}%;width:{end - begin:.2f}%"></i>'
        f"{_mark('nil', 0.0, least, most)}{_mark('mid', middle, least, most)}"
        f"{'' if limit is None else _mark('limit', limit, least, most)}"
        f"{'' if own is None else _mark('own', own, least, most)}"
    )
    shown = signed_percent if signs else percent
    written = f"{shown(low, 1)} … {shown(high, 1)}"
    parts = [
        f'<span class="at">{escaped(label)}</span><div class="track">{track}</div><span class="num">{written}</span>'
    ]
    return _framed(parts, title)


def _framed(parts: Sequence[str], title: str) -> str:
    return f'<div class="plot" role="group" aria-label="{escaped(title)}">{"".join(parts)}</div>'


def _mark(name: str, value: float, low: float, high: float) -> str:
    return f'<i class="{name}" style="left:{_place(value, low, high):.2f}%"></i>'


def _place(value: float, low: float, high: float) -> float:
    """In percent of the way, a little off the edges."""
    return 2.0 + 96.0 * ((value - low) / (high - low) if high > low else 0.5)
