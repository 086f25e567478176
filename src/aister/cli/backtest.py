"""`aister backtest STRATEGY`: rules over recorded data, with every cost on; the result in lines, JSON and a page."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aister.cli import options

if TYPE_CHECKING:
    from aister.analytics.backtested import Backtested
    from aister.app.python_strategies import PythonRules
    from aister.strategy.spec.tree import Spec

__all__ = ["announce", "backtest", "summary"]


def backtest(
    strategy: Annotated[str, typer.Argument(help="A template, or a file: a spec (.json) or a Python strategy (.py).")],
    *,
    data: options.Data = "sample",
    symbols: options.Symbols = "",
    start: options.Start = "",
    end: options.End = "",
    capital: options.Capital = "10000",
    seed: Annotated[int, typer.Option(help="Seed of bootstrap and random entry; recorded in the result.")] = 1,
    intrabar: options.Intrabar = "stop_first",
    margin: options.MarginMode = "isolated",
    positions: options.Positions = "one_way",
    leverage: options.Leverage = 3,
    costs: options.Costs = 1.0,
    impact: options.ImpactOnOff = "on",
    volume: options.VolumePercent = 5.0,
    latency: options.LatencyMs = 150,
    delay: options.Delay = 0,
    assume_funding: options.AssumeFunding = False,
    random_draws: Annotated[int, typer.Option(help="Matched random strategies to compare with; 0 = none.")] = 1_000,
    parameters: options.Parameters = None,
    accept: options.Accept = "",
    show: options.ShowSource = False,
    fills: Annotated[bool, typer.Option("--fills", help="Put every execution into the JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report (HTML) here.")] = None,
    json_path: options.JsonFile = "",
) -> None:
    """Backtest a strategy. Fees, slippage, funding, margin and liquidation, latency and partial fills are on. Every
    backtest leaves a trial in the ledger; figures of luck count them."""
    from aister.app.backtests import rules_or_code, run_backtest
    from aister.app.python_strategies import parameters_of
    from aister.cli.compiling import show_compiling
    from aister.cli.given import amount, named_symbols, targets, utc_ms
    from aister.cli.live_line import LiveLine
    from aister.cli.output import say
    from aister.lab.settings import Settings

    settings = Settings(
        capital=amount(capital),
        model=options.fill_model(intrabar, margin, positions, leverage, costs, impact, volume, latency),
        delay_bars=delay,
        seed=seed,
        random_draws=random_draws,
        fills=fills,
    ).check()
    json_path = targets(data, html, json_path, "--html")
    rules = rules_or_code(strategy, parameters_of(parameters or []), accept)
    announce(rules, show)
    show_compiling()
    live = LiveLine()

    def answered(done: int, closes: int) -> None:
        if live.due():
            live.show(f"aister: the strategy has answered {done:,} of {closes:,} closes, {live.seconds:,.0f} s so far")

    result = run_backtest(
        rules,
        data,
        settings,
        symbols=named_symbols(symbols),
        start_ms=utc_ms(start, "--from"),
        end_ms=utc_ms(end, "--to"),
        assume_funding=assume_funding,
        hear=_heard,
        progress=answered,
    )
    live.clear()
    _leave(result, html, json_path)
    if json_path != "-":
        for line in summary(result, html, json_path):
            say(line)


def summary(result: "Backtested", html: Path | None, json_path: str) -> list[str]:
    """The result in a few lines."""
    from aister.analytics.report.backtest import chance_in_words, warnings
    from aister.analytics.report.flags import flag_in_words
    from aister.analytics.report.words import count, percent, signed, signed_percent, utc

    f, p, o = result.performance.figures, result.performance, result.origin
    held = "no bars" if p.hold is None else signed_percent(p.hold.net_return)
    lines = [
        f"Backtest   {o.name} on {', '.join(result.symbols)}, {utc(result.span_ms[0])} to {utc(result.span_ms[1])} UTC",
        f"Result     {signed_percent(f.net_return)} net of all costs ({signed(f.net_pnl)} USDT), "
        f"{count(f.trades, 'trade')}, deepest drawdown {percent(f.max_drawdown, 2)} at midnights, "
        f"{percent(result.deepest.depth, 2)} at bar closes",
        f"Before     {signed(f.before_costs)} USDT before costs: slippage {signed(-f.slippage)}, "
        f"fees {signed(-f.fees)}, funding {signed(-f.funding)}",
        f"Daily      {_daily(f)}",
        f"Beside it  buy and hold {held}",
        f"Chance     {chance_in_words(result)}",
        f"Trial      {result.trial_id[:16]}, {count(result.trials, 'trial')} on this data so far",
        f"Trades     digest {result.trades_digest}",
    ]
    lines += [f"Note       {said}" for said in (*warnings(result), *map(flag_in_words, o.flags))]
    if html is not None:
        lines.append(f"Report     {html}")
    if json_path:
        lines.append(f"JSON       {json_path}")
    return lines


def announce(rules: "Spec | PythonRules", show: bool) -> None:
    """Say on standard error which code of the user's is about to run."""
    from aister.app.python_strategies import PythonRules
    from aister.cli import shown
    from aister.core.errors import UsageError

    if isinstance(rules, PythonRules):
        print(shown(f"Code       {rules.source.name}, SHA-256 {rules.source.sha256}"), file=sys.stderr)
        if show:
            _heard(rules.source.text)
    elif show:
        raise UsageError("--show is for Python strategies; `aister strategy show` prints a spec.")


def _heard(text: str) -> None:
    """Lines of a strategy, or that it printed, on standard error."""
    from aister.cli import shown

    for line in text.splitlines():
        print(f"  | {shown(line)}", file=sys.stderr)


def _daily(f: Any) -> str:
    from aister.analytics.report.words import signed, signed_percent

    if f.sharpe_annual is not None:
        return f"Sharpe {signed(f.sharpe_annual)} a year, compounded {signed_percent(f.cagr)} a year"
    if f.mean_daily is None or f.sharpe_daily is None:
        return str(f.unavailable.get("sharpe_daily", f.unavailable.get("mean_daily", "not known")))
    mean, ratio = signed_percent(f.mean_daily, 3), signed(f.sharpe_daily, 3)
    return f"mean {mean}, Sharpe ratio of a day {ratio}, {f.days} whole days"


def _leave(result: "Backtested", html: Path | None, json_path: str) -> None:
    """Write what was asked for; '-' prints the JSON, and nothing else, on standard output."""
    from aister.analytics.backtested import published
    from aister.analytics.report.backtest import backtest_page
    from aister.cli.output import leave_json, write_text

    if html is not None:
        write_text(html, backtest_page(result))
    if json_path:
        leave_json(published(result), json_path)
