"""Candles of every symbol over the whole span, with each trade drawn into them: entry, stop as it moved, targets,
exit."""

from collections.abc import Sequence

from aister.analytics.report.charts import Plot, axes, drawn, nice_steps
from aister.analytics.report.words import age, escaped, money, price, tone, utc
from aister.analytics.run_result import Candles, RunResult, Trade
from aister.core.instrument import Instrument

__all__ = ["candle_section", "merged"]

_ROW = 240  # candles a row, so that one is wide enough to see
_ROWS = 8

_KEY = (
    '<ul class="key"><li>▲ long entry, ▼ short entry, ● exit</li>'
    '<li><span class="gain"><i></i>won</span></li><li><span class="loss"><i></i>lost</span></li>'
    '<li><span class="loss"><i class="dash"></i>stop, as it moved</span></li>'
    '<li><span class="gain"><i class="dot"></i>target</span></li></ul>'
)


def candle_section(result: RunResult) -> str:
    """The section: one block per symbol, rows of equal time from top to bottom."""
    if not result.candles:
        return ""
    blocks = "".join(_symbol(result, symbol) for symbol in result.symbols)
    return (
        "<section><h2>Price and trades</h2><p class='note'>Each row continues the one above. A trade links to its "
        "line in the table; "
        f"targets and stops outside a row's price range are not drawn.</p>{_KEY}{blocks}</section>"
    )


def merged(candles: Candles, most: int) -> Candles:
    """The candles in an interval so many times longer that at most `most` are left."""
    factor = -(-len(candles.open_ms) // most)
    if factor <= 1:
        return candles
    interval = candles.interval_ms * factor
    groups: dict[int, list[int]] = {}
    for index, at in enumerate(candles.open_ms):
        groups.setdefault(at // interval * interval, []).append(index)
    spans = list(groups.values())
    return Candles(
        interval,
        tuple(groups),
        tuple(candles.open[span[0]] for span in spans),
        tuple(max(candles.high[i] for i in span) for span in spans),
        tuple(min(candles.low[i] for i in span) for span in spans),
        tuple(candles.close[span[-1]] for span in spans),
    )


def _symbol(result: RunResult, symbol: str) -> str:
    candles, one = merged(result.candles[symbol], _ROW * _ROWS), result.instruments[symbol]
    trades = [t for t in (*result.trades, *result.open_trades) if t.symbol == symbol]
    start, end = candles.open_ms[0], candles.open_ms[-1] + candles.interval_ms
    rows = -(-(end - start) // (_ROW * candles.interval_ms))
    width = -(-(end - start) // rows // candles.interval_ms) * candles.interval_ms
    drawings = "".join(_row(candles, one, trades, start + n * width, start + (n + 1) * width) for n in range(rows))
    return (
        f"<h3>{escaped(symbol)} <span class='soft'>{age(candles.interval_ms)} candles, {len(trades)} "
        f"trades</span></h3>{drawings}"
    )


def _row(candles: Candles, one: Instrument, trades: Sequence[Trade], start: int, end: int) -> str:
    inside = [i for i, at in enumerate(candles.open_ms) if start <= at < end]
    if not inside:
        return ""
    low, high = min(candles.low[i] for i in inside), max(candles.high[i] for i in inside)
    room = 0.05 * (high - low) or high * 0.001
    plot = Plot(start, end, low - room, high + room, 230)
    labels = [(value, price(value, one.price_decimals)) for value in nice_steps(plot.low, plot.high, 7)]
    lives = "".join(
        _life(t, one, plot) for t in trades if t.opened_ms < end and (t.closed_ms is None or t.closed_ms >= start)
    )
    title = f"{one.symbol}, {utc(start)} to {utc(end)} UTC"
    return drawn(plot, title, f"{axes(plot, labels)}{_bodies(candles, inside, plot)}{lives}")


def _bodies(candles: Candles, inside: Sequence[int], plot: Plot) -> str:
    step = plot.x(candles.open_ms[inside[0]] + candles.interval_ms) - plot.x(candles.open_ms[inside[0]])
    wide = max(1.0, 0.7 * step)
    wicks: list[str] = []
    rise: list[str] = []
    fall: list[str] = []
    for i in inside:
        middle = plot.x(candles.open_ms[i] + candles.interval_ms / 2)
        wicks.append(f"M{middle:.1f} {plot.y(candles.high[i]):.1f}V{plot.y(candles.low[i]):.1f}")
        top, bottom = sorted((plot.y(candles.open[i]), plot.y(candles.close[i])))
        body = f"M{middle - wide / 2:.1f} {top:.1f}h{wide:.1f}v{max(0.8, bottom - top):.1f}h-{wide:.1f}z"
        (rise if candles.close[i] >= candles.open[i] else fall).append(body)
    return (
        f'<path class="wick" d="{"".join(wicks)}"/><path class="rise" d="{"".join(rise)}"/><path class="fall" '
        f'd="{"".join(fall)}"/>'
    )


def _life(trade: Trade, one: Instrument, plot: Plot) -> str:
    closed = plot.end_ms if trade.closed_ms is None else trade.closed_ms
    x0, x1 = plot.x(trade.opened_ms), max(plot.x(closed), plot.x(trade.opened_ms) + 1)
    y0, y1 = plot.y(trade.entry_price), plot.y(trade.exit_price)
    parts = [f'<path class="life" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>', _stop(trade, plot, x1)]
    parts += [
        f'<path class="tp" d="M{x0:.1f} {plot.y(t):.1f}H{x1:.1f}"/>'
        for t in trade.targets
        if plot.low <= t <= plot.high
    ]
    if plot.start_ms <= trade.opened_ms:
        tip = 9 * int(trade.side)
        parts.append(f'<path class="mark" d="M{x0:.1f} {y0:.1f}l5 {tip}h-10z"/>')
    if trade.closed_ms is not None and plot.start_ms <= trade.closed_ms <= plot.end_ms:
        parts.append(f'<circle class="exit" cx="{x1:.1f}" cy="{y1:.1f}" r="4"/>')
    said = f"{_said(trade, one)}"
    return f'<a href="#t{trade.number}"><g class="{tone(trade.pnl)}"><title>{said}</title>{"".join(parts)}</g></a>'


def _stop(trade: Trade, plot: Plot, x1: float) -> str:
    path, last = "", None
    for move in trade.stops:
        if not plot.low <= move.price <= plot.high:
            last = None
            continue
        x, y = max(plot.x(trade.opened_ms), plot.x(move.time_ms)), plot.y(move.price)
        path += f"M{x:.1f} {y:.1f}" if last is None else f"H{x:.1f}V{y:.1f}"
        last = y
    return f'<path class="sl" d="{path}{"" if last is None else f"H{x1:.1f}"}"/>' if path else ""


def _said(trade: Trade, one: Instrument) -> str:
    out = "still open at" if trade.closed_ms is None else f"{escaped(trade.reason)} at"
    return (
        f"#{trade.number} {escaped(one.symbol)} {trade.side.word}, {escaped(trade.rule)}: in at "
        f"{price(trade.entry_price, one.price_decimals)}, "
        f"{out} {price(trade.exit_price, one.price_decimals)}, {money(trade.pnl)} net"
    )
