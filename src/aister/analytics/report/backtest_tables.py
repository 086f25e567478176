"""The tables of a backtest's page: figures with their reasons, costs, groups, trades."""

from collections.abc import Iterator

from aister.analytics.backtested import Backtested, trade_rows
from aister.analytics.deflation import FEWEST_TRIAL_DAYS, Deflation
from aister.analytics.figures import Figures
from aister.analytics.grouping import Group
from aister.analytics.report.tables import table
from aister.analytics.report.words import age, escaped, percent, price, signed, signed_percent, tone, utc

__all__ = ["MOST_TRADES", "cost_table", "figure_tables", "group_tables", "trade_table"]

MOST_TRADES = 2_000
"""Rows of the trade table; the JSON holds all."""

_NUMBERS = frozenset({1})
_DAY_MS = 86_400_000

_RETURNS = (
    ("mean_daily", "Mean day", "%3"),
    ("volatility_daily", "Standard deviation of a day", "share"),
    ("sharpe_daily", "Mean / standard deviation", "3"),
    ("cagr", "Return a year, compounded", "%2"),
    ("volatility_annual", "Volatility, annual", "share"),
    ("sharpe_annual", "Sharpe ratio, annual, corrected for autocorrelation", "2"),
    ("sortino_annual", "Sortino ratio, annual", "2"),
    ("calmar", "Calmar ratio", "2"),
    ("psr", "Probability that the true Sharpe ratio is above 0", "share"),
    ("track_days", "Days needed to say so at 95 %", "days"),
    ("best_day", "Best day", "%2"),
    ("worst_day", "Worst day", "%2"),
    ("skew", "Skew", "2"),
    ("kurtosis", "Kurtosis (normal: 3)", "2"),
)
_TRADES = (
    ("win_rate", "Won", "share"),
    ("profit_factor", "Won / lost money", "2"),
    ("payoff", "Mean win / mean loss", "2"),
    ("expectancy", "Mean trade, USDT", "2"),
    ("expectancy_r", "Mean result per unit of risk, R", "3"),
    ("best_trade", "Best, USDT", "2"),
    ("worst_trade", "Worst, USDT", "2"),
    ("mean_holding_ms", "Mean time held", "age"),
)


def figure_tables(one: Backtested) -> str:
    """Daily returns, trades, excursions, and what chance says, each figure with its value or its reason."""
    p, f = one.performance, one.performance.figures
    returns = [_row(f, *named) for named in _RETURNS]
    returns += [
        ("Maximum drawdown, at midnights", percent(f.max_drawdown, 2)),
        ("From its peak", age(f.drawdown_ms) + ("" if f.drawdown_recovered else ", not recovered")),
        ("Deepest at bar closes", _deepest(one)),
        ("Longest wait for a new peak", f"{f.longest_drawdown_days:,} d"),
        ("Days below a peak", percent(f.under_water)),
    ]
    trades = [("Closed trades", f"{f.trades:,}"), *(_row(f, *named) for named in _TRADES)]
    trades += [
        ("Time with a position", percent(f.exposure)),
        ("Turnover, times capital", f"{f.turnover:,.1f}"),
        ("Trades with an ambiguous bar", f"{f.ambiguous_trades:,}"),
        ("Net P&amp;L had targets come first there", signed(f.target_first_pnl)),
    ]
    band = ""
    if p.intervals is not None:
        rows = [
            (escaped(name.replace("_", " ")), f"{within.low:+.4f} to {within.high:+.4f}")
            for name, within in p.intervals.by.items()
        ]
        rows.append(("chance of a loss", percent(p.intervals.loss_probability)))
        band = (
            f"<h3>95 % intervals</h3><p class='note'>Stationary bootstrap of whole days, {p.intervals.draws:,} draws, "
            f"mean block {p.intervals.block_days:.1f} days, seed {p.intervals.seed}.</p>"
            f"{table(('', ''), rows, right=_NUMBERS)}"
        )
    return (
        f'<div class="two"><div><h3>Daily returns, {f.days} whole days</h3>'
        f"{table(('', ''), returns, right=_NUMBERS)}</div>"
        f"<div><h3>Trades</h3>{table(('', ''), trades, right=_NUMBERS)}{_reach(one)}</div>"
        f"<div>{_luck(one)}</div><div>{band}</div></div>"
    )


def _deepest(one: Backtested) -> str:
    fall = one.deepest
    when = f" <span class='soft'>{utc(fall.peak_ms)} to {utc(fall.bottom_ms)}</span>" if fall.depth else ""
    return f"{percent(fall.depth, 2)}{when}"


def _row(f: Figures, name: str, label: str, how: str) -> tuple[str, str]:
    value = getattr(f, name)
    if value is None:
        return label, f'<span class="soft">{escaped(f.unavailable.get(name, "not known"))}</span>'
    return label, _written(value, how)


def _written(value: float, how: str) -> str:
    match how:
        case "%2" | "%3":
            return signed_percent(value, int(how[1]))
        case "share":
            return percent(value, 2)
        case "days":
            return f"{value:,.0f} d"
        case "age":
            return age(value)
    return signed(value, int(how))


def _reach(one: Backtested) -> str:
    reach = one.performance.reach
    if reach is None:
        return ""
    rows = []
    if reach.winners_mae_r:
        rows.append(("Winners went against first, median / 95th percentile", _two(reach.winners_mae_r)))
    if reach.losers_mfe_r:
        rows.append(("Losers were ahead first, median / 95th percentile", _two(reach.losers_mfe_r)))
    if reach.edge is not None:
        rows.append(("Mean favourable / mean adverse excursion", f"{reach.edge:.2f}"))
    if reach.kept is not None:
        rows.append(("Of the way winners went, taken", percent(reach.kept)))
    return f"<h3>Excursions, in R</h3>{table(('', ''), rows, right=_NUMBERS)}" if rows else ""


def _two(values: tuple[float, float]) -> str:
    return f"{values[0]:.2f} / {values[1]:.2f}"


def _threshold(d: Deflation) -> str:
    if d.threshold is None:
        return f'<span class="soft">not known: fewer than two have {FEWEST_TRIAL_DAYS} days</span>'
    return f"{d.threshold:.4f}"


def _luck(one: Backtested) -> str:
    p = one.performance
    rows: list[tuple[str, str]] = []
    if (d := p.deflation) is not None:
        rows += [
            ("Trials on these instruments in this time", f"{d.trials:,} ({d.effective:,} independent)"),
            ("Best Sharpe ratio that luck would make of them, daily", _threshold(d)),
            ("This one, daily, corrected", f"{d.sharpe:.4f}"),
            ("Deflated Sharpe ratio", "not defined" if d.probability is None else f"{d.probability:.3f}"),
        ]
    if (a := p.alpha) is not None:
        rows += [("Alpha a day, exposure removed", signed_percent(a.daily, 4)), ("t of alpha (HAC)", f"{a.t:.2f}")]
    elif "alpha" in p.unavailable:
        rows.append(("Alpha", f'<span class="soft">{escaped(p.unavailable["alpha"])}</span>'))
    if p.random is not None and p.random.matched.percentile is not None:
        rows.append(("Percentile among matched random strategies", f"{p.random.matched.percentile:.1f}"))
    return f"<h3>Luck</h3>{table(('', ''), rows, right=_NUMBERS)}" if rows else ""


def cost_table(f: Figures) -> str:
    """From what the market's prices would have given to what is left, with the share of it that each cost ate."""

    def share(value: float | None) -> str:
        return '<span class="soft">nothing earned</span>' if value is None else percent(value)

    rows = [
        ("Before all costs", signed(f.before_costs), ""),
        ("Slippage: spread, impact, stops", signed(-f.slippage), share(f.slippage_share)),
        ("Fees", signed(-f.fees), share(f.fees_share)),
        ("Funding received" if f.funding < 0 else "Funding paid", signed(-f.funding), share(f.funding_share)),
        ("<b>Net</b>", f'<b class="{tone(f.net_pnl)}">{signed(f.net_pnl)}</b>', ""),
    ]
    return f"<h3>Costs</h3>{table(('USDT', '', 'of what was earned'), rows, right=frozenset({1, 2}))}"


def group_tables(one: Backtested) -> str:
    """A table by side, symbol, weekday, kill zone and session of the entry."""
    parts = [
        f"<div><h3>By {escaped(name.replace('_', ' '))}</h3>{_groups(groups)}</div>"
        for name, groups in one.performance.tables.items()
        if groups
    ]
    return f'<div class="two">{"".join(parts)}</div>'


def _groups(groups: tuple[Group, ...]) -> str:
    rows = [
        (
            escaped(g.name.replace("_", " ")),
            f"{g.trades:,}",
            f'<span class="{tone(g.pnl)}">{signed(g.pnl)}</span>',
            f"{g.costs:,.2f}",
            "" if g.win_rate is None else percent(g.win_rate),
            "" if g.expectancy_r is None else signed(g.expectancy_r),
        )
        for g in groups
    ]
    return table(("", "Trades", "Net", "Costs", "Won", "R"), rows, right=frozenset({1, 2, 3, 4, 5}))


def trade_table(one: Backtested) -> str:
    """Every closed trade, at most `MOST_TRADES`."""
    rows = trade_rows(one)
    heads = (
        "#",
        "Symbol",
        "Side",
        "Entry",
        "Exit",
        "Held",
        "Size",
        "In",
        "Out",
        "Fees",
        "Funding",
        "P&amp;L",
        "R",
        "End",
    )
    note = ""
    if len(rows) > MOST_TRADES:
        note = f'<p class="note">The first {MOST_TRADES:,} of {len(rows):,}; --json holds all.</p>'
    body = table(
        heads,
        _trades(one, rows[:MOST_TRADES]),
        right=frozenset({0, 5, 6, 7, 8, 9, 10, 11, 12}),
        empty="No trade was closed.",
    )
    return f'<div class="dense">{note}{body}</div>'


def _trades(one: Backtested, rows: list[dict[str, object]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        known: dict[str, float] = {k: v for k, v in row.items() if isinstance(v, int | float)}
        instrument = one.instruments[str(row["symbol"])]
        r = row["r"]
        yield (
            f"{row['number']}",
            escaped(row["symbol"]),
            escaped(row["side"]),
            f'<span class="when">{utc(int(known["entry_ms"]))}</span>',
            f'<span class="when">{utc(int(known["exit_ms"]))}</span>',
            age(known["exit_ms"] - known["entry_ms"]),
            f"{known['size']:,.{instrument.size_decimals}f}",
            price(known["entry_price"], instrument.price_decimals),
            price(known["exit_price"], instrument.price_decimals),
            f"{known['fees']:,.2f}",
            signed(-known["funding"]),
            f'<span class="{tone(known["pnl"])}">{signed(known["pnl"])}</span>',
            signed(float(r)) if isinstance(r, float) else "",
            escaped(row["reason"]) + (" ±" if row["ambiguous"] else ""),
        )
