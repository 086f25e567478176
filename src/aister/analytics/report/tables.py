"""Tables: metrics with their reasons, costs, trades, vetoes, limits, what was cited."""

from collections.abc import Iterable, Mapping, Sequence

from aister.analytics.findings import Findings, Kelly
from aister.analytics.metrics import Metrics
from aister.analytics.report.words import age, escaped, figure, money, percent, price, signed, signed_percent, tone, utc
from aister.analytics.run_result import RunResult, Trade
from aister.features.catalogue import CATALOGUE

__all__ = ["cited", "figures", "happenings", "ranking", "table", "trades"]


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset(), empty: str = ""
) -> str:
    """A table of ready HTML cells; the columns in `right` hold figures. `empty` is said when there are no rows."""
    body = [
        "<tr>" + "".join(f"<td{' class=n' if i in right else ''}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    ]
    if not body and empty:
        return f'<p class="soft">{empty}</p>'
    head = "".join(f"<th scope=col{' class=n' if i in right else ''}>{name}</th>" for i, name in enumerate(heads))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def figures(metrics: Metrics) -> str:
    """Two tables of metrics; a figure that is not known says why."""
    m, n = metrics, frozenset({1})
    lost = m.unavailable

    def shown(name: str, text: str | None) -> str:
        return text if text is not None else f'<span class="soft">{escaped(lost.get(name, "not known"))}</span>'

    def maybe(name: str, value: float | None, write: str) -> Sequence[str]:
        return (_METRIC_NAMES[name], shown(name, None if value is None else _write(value, write)))

    interval = None
    if m.mean_daily_low is not None and m.mean_daily_high is not None:
        interval = f"{signed_percent(m.mean_daily_low, 3)} to {signed_percent(m.mean_daily_high, 3)}"
    returns = [
        maybe("mean_daily", m.mean_daily, "%3"),
        ("95 % interval of that mean", shown("mean_daily_low", interval)),
        maybe("volatility_daily", m.volatility_daily, "share"),
        maybe("sharpe_daily", m.sharpe_daily, "3"),
        maybe("volatility_annual", m.volatility_annual, "share"),
        maybe("sharpe_annual", m.sharpe_annual, "2"),
        ("Maximum drawdown", percent(m.max_drawdown, 2)),
        ("From its peak", age(m.drawdown_ms) + (" to the recovery" if m.drawdown_recovered else ", not recovered")),
        ("Time with a position", percent(m.exposure)),
        ("Turnover, times capital", figure(round(m.turnover, 2))),
    ]
    each = [
        ("Closed trades", f"{m.trades:,}"),
        ("Still open", f"{m.open_trades:,}"),
        maybe("win_rate", m.win_rate, "share"),
        maybe("profit_factor", m.profit_factor, "ratio"),
        maybe("expectancy_r", m.expectancy_r, "R"),
        maybe("mean_holding_ms", m.mean_holding_ms, "age"),
        ("Stops in a bar that also reached a target", f"{m.ambiguous_trades:,}"),
        ("Net P&amp;L had those targets come first", signed(m.target_first_pnl)),
    ]
    lower = (
        '<p class="warn">Over 10 % of the net result hangs on what came first inside a bar: use a lower timeframe.</p>'
    )
    return (
        f'<div class="two"><div><h3>Daily returns, {m.days} whole days</h3>{table(("", ""), returns, right=n)}</div>'
        f"<div><h3>Trades</h3>{table(('', ''), each, right=n)}<h3>Costs</h3>{_costs(m)}</div></div>"
        f"{lower if m.needs_lower_timeframe else ''}"
    )


_METRIC_NAMES = {
    "mean_daily": "Mean",
    "volatility_daily": "Standard deviation",
    "sharpe_daily": "Mean / standard deviation",
    "volatility_annual": "Volatility, annual",
    "sharpe_annual": "Sharpe ratio, annual, corrected for autocorrelation",
    "win_rate": "Won",
    "profit_factor": "Won / lost money",
    "expectancy_r": "Mean result per unit of risk",
    "mean_holding_ms": "Mean time held",
}


def _write(value: float, how: str) -> str:
    match how:
        case "%3":
            return signed_percent(value, 3)
        case "share":
            return percent(value, 2)
        case "ratio":
            return f"{value:.2f}"
        case "R":
            return f"{signed(value)} R"
        case "age":
            return age(value)
    return signed(value, int(how))


def _costs(m: Metrics) -> str:
    """From what the prices would have given to what is left."""
    if m.before_costs is None or m.slippage is None:
        rows = [("Result before fees and funding", signed(m.gross_pnl), "")]
    else:
        rows = [
            ("Before all costs", signed(m.before_costs), ""),
            ("Slippage", signed(-m.slippage), _share(m.slippage_share)),
        ]
    rows += [
        ("Fees", signed(-m.fees), _share(m.fees_share)),
        ("Funding received" if m.funding < 0 else "Funding paid", signed(-m.funding), _share(m.funding_share)),
        ("<b>Net</b>", f'<b class="{tone(m.net_pnl)}">{signed(m.net_pnl)}</b>', ""),
    ]
    return table(("USDT", "", "of what was earned"), rows, right=frozenset({1, 2}))


def _share(value: float | None) -> str:
    return '<span class="soft">nothing earned</span>' if value is None else percent(value)


def trades(result: RunResult) -> str:
    """Every trade on a line, linked to its decision; open ones at the end."""
    asked = {d.setup.id: d.number for d in result.decisions}
    rows = "".join(_trade(t, result, asked.get(t.setup_id)) for t in (*result.trades, *result.open_trades))
    if not rows:
        return '<p class="soft">No trades: nothing passed the council and the risk kernel on this span.</p>'
    heads = (
        "#",
        "opened UTC",
        "held",
        "symbol",
        "side",
        "rule",
        "size",
        "entry",
        "stop",
        "exit",
        "ended by",
        "fees",
        "funding",
        "net",
        "R",
    )
    right = {0, 2, 6, 7, 8, 9, 11, 12, 13, 14}
    head = "".join(f"<th scope=col{' class=n' if i in right else ''}>{name}</th>" for i, name in enumerate(heads))
    closed = result.trades
    total = sum(t.pnl for t in closed)
    foot = (
        f'<tr class="total"><td colspan=11>{len(closed)} closed trades</td><td '
        f"class=n>{money(-sum(t.fees for t in closed))}</td>"
        f"<td class=n>{money(-sum(t.funding for t in closed))}</td>"
        f'<td class="n {tone(total)}">{money(total)}</td><td></td></tr>'
    )
    return (
        f'<div class="scroll"><table '
        f'class="dense"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody><tfoot>{foot}</tfoot></table></div>'
    )


def _trade(t: Trade, result: RunResult, decision: int | None) -> str:
    one = result.instruments[t.symbol]
    d = one.price_decimals
    number = f'<a href="#d{decision}">{t.number}</a>' if decision else str(t.number)
    stop = "none" if t.stop_price is None else price(t.stop_price, d)
    if t.hit_stop is not None and t.hit_stop != t.stop_price:
        stop = f'{price(t.hit_stop, d)} <span class="soft">first {stop}</span>'
    ended = "still open" if t.closed_ms is None else escaped(t.reason) + (" ±" if t.ambiguous else "")
    multiple = "" if t.r is None else signed(t.r)
    return (
        f'<tr id="t{t.number}"><td class=n>{number}</td><td class="num when">{utc(t.opened_ms)}</td><td '
        f"class=n>{age(t.held_ms)}</td>"
        f"<td>{escaped(t.symbol)}</td><td>{t.side.word}</td><td>{escaped(t.rule)}</td><td "
        f"class=n>{one.size_text(t.steps)}</td>"
        f"<td class=n>{price(t.entry_price, d)}</td><td class=n>{stop}</td><td "
        f"class=n>{price(t.exit_price, d)}</td><td>{ended}</td>"
        f"<td class=n>{money(-t.fees)}</td><td class=n>{money(-t.funding)}</td>"
        f'<td class="n {tone(t.pnl)}">{money(t.pnl)}</td><td class="n {tone(t.pnl)}">{multiple}</td></tr>'
    )


def ranking(counts: Mapping[str, int], head: str, whole: int, empty: str) -> str:
    """Names with counts, shares of `whole` and bars, most frequent first."""
    rows = [
        (
            escaped(name),
            f"{n:,}",
            percent(n / whole) if whole else "",
            f'<span class="share" style="width:{80 * n / max(counts.values()):.0f}px"></span>',
        )
        for name, n in counts.items()
    ]
    return table((head, "", "share", ""), rows, right=frozenset({1, 2}), empty=empty)


def happenings(findings: Findings) -> str:
    """Vetoes, outcomes, limits, breakers, commands."""
    r, c = findings.result, findings.result.counts
    limits = table(
        ("limit", "refused an entry", "bound the size"),
        [(escaped(f.limit), f"{f.refused:,}", f"{f.bound:,}") for f in r.firings],
        right=frozenset({1, 2}),
        empty="No limit refused or shrank an entry.",
    )
    breakers = table(
        ("UTC", "state", "why"),
        [(utc(b.time_ms, seconds=True), escaped(b.state), escaped(b.reason)) for b in r.breakers],
        empty="The breaker stayed ACTIVE.",
    )
    commands = table(
        ("UTC", "command"),
        [(utc(at, seconds=True), escaped(words)) for at, words in r.commands],
        empty="Nobody intervened.",
    )
    return (
        '<section><h2>What held it back</h2><div class="two">'
        f"<div><h3>Vetoes by reason</h3><p class='note'>{c.veto_total:,} vetoes of {c.decisions:,} decisions; one "
        f"that names several reasons "
        f"counts under each.</p>{ranking(c.vetoes, 'reason', c.veto_total, 'No vetoes.')}</div>"
        f"<div><h3>How decisions "
        f"ended</h3>{ranking(c.outcomes, 'outcome', c.decisions, 'No decisions: this run asked no council.')}</div>"
        f"<div><h3>Limits that fired</h3>{limits}{_kelly(findings.kelly)}"
        f"<h3>Breaker</h3>{breakers}<h3>Commands</h3>{commands}</div>"
        f"<div><h3>Plans given up</h3>{ranking(c.voided, 'why', sum(c.voided.values()), 'None.')}"
        f"<h3>What proposals came to</h3><p class='note'>Every proposal followed to its first barrier, traded or "
        f"not.</p>"
        f"{ranking(c.labels, 'first', sum(c.labels.values()), 'None resolved.')}"
        f"<h3>Trades by symbol and side</h3>{ranking(c.trades, '', len(r.trades), 'None.')}</div></div></section>"
    )


def _kelly(kelly: Kelly) -> str:
    """The state of the Kelly cap and what it rests on."""
    n = f"{kelly.outcomes:,} outcomes, worth {kelly.effective_n:,.0f} independent ones"
    if kelly.proven and kelly.bound is not None:
        says = f"the cap rests on a lower bound of {percent(kelly.bound, 2)} of equity"
    else:
        says = (
            f"{kelly.needed:,} of a certified strategy are needed, and until then a trade risks at most "
            f"{percent(kelly.unproven_share, 0)} of what the profile allows"
        )
    return f"<p><b>Kelly {kelly.state}</b>, n = {kelly.effective_n:,.0f}: {n}; {says}.</p>"


def cited(result: RunResult) -> str:
    """What the feature ids in the debates mean."""
    names = {
        e.feature for d in result.decisions for s in (d.decision.statements if d.decision else ()) for e in s.evidence
    }
    names |= {e.feature for d in result.decisions for e in d.setup.evidence}
    rows = [
        (f"<code>{escaped(f.id)}</code>", escaped(f.unit), escaped(f.meaning))
        for name in sorted(names)
        if (f := CATALOGUE.get(name))
    ]
    return table(("feature", "unit", "meaning"), rows, empty="No features were cited.")
