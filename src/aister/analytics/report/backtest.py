"""The page of a backtest: what ran, what came of it beside chance and holding, every figure, every trade, how to check
it. A pure function: the same result gives the same bytes."""

from collections.abc import Sequence

import numpy as np

from aister.analytics.backtested import Backtested
from aister.analytics.deflation import FEWEST_TRIAL_DAYS
from aister.analytics.report.backtest_tables import cost_table, figure_tables, group_tables, trade_table
from aister.analytics.report.charts import Plot, axes, drawn, line_path, nice_steps, thinned
from aister.analytics.report.flags import flag_in_words
from aister.analytics.report.page import POLICY
from aister.analytics.report.style import STYLE
from aister.analytics.report.words import count, escaped, funding, percent, signed, signed_percent, tone, utc
from aister.core.money import UNIT

__all__ = ["FEWEST_TRADES", "backtest_page", "chance_in_words", "warnings"]


FEWEST_TRADES = 30
"""Below this nothing is said of chance or skill."""


def backtest_page(one: Backtested) -> str:
    """The whole page as a string."""
    title = f"{one.origin.name}: backtest {utc(one.span_ms[0])[:10]} to {utc(one.span_ms[1])[:10]}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head><body>{_top(one)}"
        f"<main>{_outcome(one)}{_curves(one)}"
        f"<section><h2>Figures</h2>{figure_tables(one)}</section>"
        f"<section><h2>Where it came from</h2>{cost_table(one.performance.figures)}{group_tables(one)}</section>"
        f"<section><h2>Trades</h2><p class='note'>In order of closing, times UTC, money in USDT and net. ± marks a "
        f"trade with a bar that held both its stop and a target.</p>{trade_table(one)}</section>"
        f"<section><details><summary><b>The rules</b></summary><pre class='mono' style='white-space:pre-wrap'>"
        f"{_lines(one.origin.spec)}</pre></details></section>"
        f"</main>{_bottom(one)}</body></html>\n"
    )


def warnings(one: Backtested) -> list[str]:
    """What a reader must know before believing a figure, gravest first."""
    f, said = one.performance.figures, []
    if not f.trades and one.setups and not any(one.held.values()):
        said.append(
            f"{count(one.setups, 'setup')} fired and none was traded: what the risk allows lay below the contract's "
            "smallest order (more capital, or more risk a trade), or no entry was reached in time"
        )
    elif not f.trades:
        said.append(f"{'no trade was closed' if one.setups else 'the rules never fired'}: nothing can be concluded")
    elif f.trades < FEWEST_TRADES:
        said.append(f"only {count(f.trades, 'closed trade')}: too few to conclude anything")
    if f.needs_lower_timeframe:
        said.append("needs a lower timeframe: over 10 % of the net result hangs on what came first inside a bar")
    if one.liquidation_fees:
        said.append("positions were liquidated")
    if one.unknown_impacts:
        said.append(f"{one.unknown_impacts:,} fills were charged the stated rate because impact was not yet known")
    if held := {symbol: steps for symbol, steps in one.held.items() if steps}:
        since = [
            symbol + (f" since {utc(one.open_since_ms[symbol])}" if symbol in one.open_since_ms else "")
            for symbol in held
        ]
        said.append(f"still open at the end, valued at the last close: {', '.join(since)}")
    if one.unsound:
        said.append(f"{count(one.unsound, 'setup')} did not fire because a price was unknown or on the wrong side")
    return said


def chance_in_words(one: Backtested) -> str:
    """Where the result stands among matched random strategies, and among the trials of the ledger."""
    random, deflated = one.performance.random, one.performance.deflation
    words = [random.matched.words] if random is not None else ["Matched random entry was not asked for."]
    enough = one.performance.figures.trades >= FEWEST_TRADES
    if enough and deflated is not None and deflated.threshold is None:
        words.append(
            f"What luck makes of {count(deflated.trials, 'trial')} on this data is not known: fewer than two of them "
            f"have {FEWEST_TRIAL_DAYS} days."
        )
    elif enough and deflated is not None and deflated.probability is not None:
        words.append(
            f"Deflated Sharpe: a probability of {deflated.probability:.2f} that it beats the best that luck makes of "
            f"{count(deflated.trials, 'trial')} on this data ({deflated.effective:,} independent); 0.95 is convincing."
        )
    return " ".join(words)


def _top(one: Backtested) -> str:
    o = one.origin
    facts = [
        ("Symbols", ", ".join(one.symbols)),
        ("Bars", f"{one.interval_ms // 60_000} min, decisions on {o.timeframe}"),
        ("Data", o.data or o.data_hash[:12]),
        ("Kind", o.kind),
        ("Seed", str(o.seed)),
        *((name.capitalize(), value) for name, value in o.settings.items()),
    ]
    listed = "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
    flags = "".join(f"<li>{escaped(flag)}</li>" for flag in (*warnings(one), *map(flag_in_words, o.flags)))
    assumed = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(text)}</dd>" for name, text in o.assumptions.items())
    notes = f'<ul class="flags" aria-label="Read this first">{flags}</ul>' if flags else ""
    return (
        f'<header class="top"><span class="badge">BACKTEST</span><h1>{escaped(o.name)}, {utc(one.span_ms[0])} to '
        f"{utc(one.span_ms[1])} UTC</h1><p class='soft'>{escaped(o.description)}</p>"
        "<p class='soft'>Everything is net of fees and funding; slippage is inside the fill prices. Money in USDT.</p>"
        f'<dl class="facts">{listed}</dl>{notes}<details><summary>What the fill model assumes</summary>'
        f"<dl class='hashes'>{assumed}</dl></details></header>"
    )


def _outcome(one: Backtested) -> str:
    f, hold, random = one.performance.figures, one.performance.hold, one.performance.random
    tiles = [
        f'<div class="tile first"><h2>This backtest</h2><div class="big num {tone(f.net_return)}">'
        f"{signed_percent(f.net_return)}</div><p>{signed(f.net_pnl)} USDT after {f.fees:,.2f} fees and "
        f"{funding(f.funding)}; {count(f.trades, 'closed trade')}, deepest drawdown {percent(f.max_drawdown, 2)} "
        f"({escaped(f.drawdown_seen)}), {percent(one.deepest.depth, 2)} at bar closes.</p></div>"
    ]
    if hold is None:
        tiles.append('<div class="tile"><h2>Buy and hold</h2><p>No bars.</p></div>')
    else:
        tiles.append(
            f'<div class="tile"><h2>Buy and hold</h2><div class="big num">{signed_percent(hold.net_return)}</div>'
            f"<p>The same capital spread evenly, unlevered, after {hold.fees:,.2f} fees and {funding(hold.funding)}, "
            f"without slippage. Deepest drawdown at hourly closes {percent(hold.max_drawdown, 1)}.</p></div>"
        )
    figure = ""
    if random is not None and random.matched.mean is not None:
        figure = f'<div class="big num">{signed_percent(random.matched.mean)}</div>'
    tiles.append(f'<div class="tile"><h2>Chance</h2>{figure}<p>{escaped(chance_in_words(one))}</p></div>')
    return (
        f'<section><h2>Result after all costs</h2><div class="cards">{"".join(tiles)}</div><p class="note">Matched '
        "random entry: the same number of trades, symbols, sides, hours of day, sizes, stops, costs and holding times, "
        "entered at random on the same bars. A backtest shows what these rules would have made of this data; it is "
        "no promise.</p></section>"
    )


def _curves(one: Backtested) -> str:
    times = one.equity_ms.tolist()
    own = (one.equity / one.capital - 1.0).tolist()
    hold = one.performance.hold
    held: Sequence[float] = [value / (one.capital / UNIT) - 1.0 for value in hold.equity] if hold is not None else []
    low, high = min(*own, *held, 0.0), max(*own, *held, 0.0)
    room = 0.06 * (high - low) or 0.01
    plot = Plot(times[0], times[-1], low - room, high + room, 260)
    labels = [(value, signed_percent(value, 1)) for value in nice_steps(plot.low, plot.high)]
    lines = f'<path class="equity" d="{line_path(plot, thinned(times, own))}"/>'
    if hold is not None:
        lines = f'<path class="hold" d="{line_path(plot, thinned(hold.times_ms, held))}"/>{lines}'
    zero = f'<path class="grid zero" d="M8 {plot.y(0.0):.1f}H{plot.right}"/>'
    key = (
        '<ul class="key"><li><span style="color:var(--accent)"><i></i></span>this backtest</li>'
        '<li><span style="color:var(--hold)"><i></i></span>buy and hold</li></ul>'
    )
    picture = drawn(plot, "This backtest and buy and hold, in percent of capital", f"{axes(plot, labels)}{zero}{lines}")
    return (
        f'<section><h2>Equity</h2><p class="note">Percent of capital, a point a day at 00:00 UTC.</p>{key}{picture}'
        f"<h3>Drawdown from the highest midnight so far</h3>{_drawdown(times, own)}"
        f"<h3>Turnover from midnight to midnight, times capital</h3>{_turnover(one)}</section>"
    )


def _turnover(one: Backtested) -> str:
    times, traded = one.equity_ms.tolist(), (np.diff(one.turnover) / one.capital).tolist()
    most = max([*traded, 1e-4])
    plot = Plot(times[0], times[-1], 0.0, 1.08 * most, 110)
    labels = [(value, f"{value:,.3g}") for value in nice_steps(0.0, most, 3)]
    bars = "".join(
        f'<path class="rise" d="M{plot.x(begin):.1f} {plot.y(0):.1f}V{plot.y(value):.1f}H{plot.x(end) - 0.6:.1f}'
        f'V{plot.y(0):.1f}Z"/>'
        for begin, end, value in zip(times, times[1:], traded, strict=False)
        if value
    )
    return drawn(plot, f"Turnover, at most {most:,.2f} times capital a day", f"{axes(plot, labels)}{bars}")


def _drawdown(times: Sequence[int], own: Sequence[float]) -> str:
    peak, below = 1.0, []
    for value in own:
        peak = max(peak, 1.0 + value)
        below.append(1.0 - (1.0 + value) / peak)
    deepest = max(*below, 1e-4)
    plot = Plot(times[0], times[-1], -1.08 * deepest, 0.0, 130)
    labels = [(-value, percent(value, 2)) for value in nice_steps(0.0, deepest, 3)]
    path = line_path(plot, thinned(times, [-value for value in below]))
    closing = f"L{plot.x(times[-1]):.1f} {plot.y(0):.1f}H{plot.x(times[0]):.1f}Z"
    body = f'{axes(plot, labels)}<path class="under" d="{path}{closing}"/>'
    return drawn(plot, f"Drawdown, at most {percent(max(below), 2)}", body)


def _bottom(one: Backtested) -> str:
    o = one.origin
    hashes = {
        "spec_hash": o.spec_hash,
        "data_hash": o.data_hash,
        "code_hash": o.code_hash,
        "trades_digest": one.trades_digest,
        "trial": f"{one.trial_id} ({one.trials:,} trials on this data so far)" if one.trials else one.trial_id,
        **({"walls": ", ".join(o.walls)} if o.walls else {}),
    }
    listed = "".join(f"<dt>{name}</dt><dd class='mono'>{escaped(value)}</dd>" for name, value in hashes.items())
    versions = ", ".join(f"{escaped(name)} {escaped(value)}" for name, value in o.versions.items())
    return (
        "<footer><h2>To check it</h2><p class='note'>The same rules, data, settings and code make the same trades, to "
        f"the unit.</p><dl class='hashes'>{listed}</dl><p class='note'>{versions}</p></footer>"
    )


def _lines(source: str) -> str:
    return "\n".join(escaped(line) for line in source.splitlines())
