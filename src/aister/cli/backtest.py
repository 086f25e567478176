"""`aister backtest STRATEGY`: rules over recorded data, with every cost on; the result in lines, JSON and a page."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aister.analytics.backtested import Backtested
    from aister.app.python_strategies import PythonRules
    from aister.sim.models import FillModel
    from aister.strategy.spec.tree import Spec

__all__ = ["backtest", "fill_model", "summary"]

_OFF = "off"


def backtest(
    strategy: Annotated[str, typer.Argument(help="A template, or a file: a spec (.json) or a Python strategy (.py).")],
    *,
    data: Annotated[
        str, typer.Option("--data", "--feed", help="'sample', a symbol of the store, or a path.")
    ] = "sample",
    symbols: Annotated[str, typer.Option(help="Symbols separated by commas; all of the data by default.")] = "",
    start: Annotated[str, typer.Option("--from", help="First bar, UTC: 2025-05-10 or 2025-05-10T12:00.")] = "",
    end: Annotated[str, typer.Option("--to", help="End, exclusive, UTC.")] = "",
    capital: Annotated[str, typer.Option(help="Starting capital in USDT.")] = "10000",
    seed: Annotated[int, typer.Option(help="Seed of bootstrap and random entry; recorded in the result.")] = 1,
    intrabar: Annotated[
        str, typer.Option(help="Order of things inside a bar: stop_first, ohlc_path or lower_timeframe.")
    ] = "stop_first",
    margin: Annotated[str, typer.Option(help="isolated or cross.")] = "isolated",
    leverage: Annotated[int, typer.Option(help="Leverage of entries, unless the spec names its own.")] = 3,
    costs: Annotated[float, typer.Option(help="Fees and half-spreads times this: 2 is the usual stress.")] = 1.0,
    impact: Annotated[str, typer.Option(help="Square-root impact, 'on' or 'off'.")] = "on",
    volume: Annotated[float, typer.Option(help="Most percent of a bar's volume that may be ours; 0 = no cap.")] = 5.0,
    latency: Annotated[int, typer.Option(help="From order to arrival, ms.")] = 150,
    delay: Annotated[int, typer.Option(help="Base bars between a decision and its order.")] = 0,
    assume_funding: Annotated[
        bool, typer.Option("--assume-funding", help="Fill missing settlements with the stated scenario.")
    ] = False,
    random_draws: Annotated[int, typer.Option(help="Matched random strategies to compare with; 0 = none.")] = 1_000,
    parameters: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of a Python strategy, name=value; may be repeated.")
    ] = None,
    accept: Annotated[
        str, typer.Option(help="What must be typed to run a Python strategy where the system cannot wall it in.")
    ] = "",
    show: Annotated[bool, typer.Option("--show", help="Print a Python strategy's source before it runs.")] = False,
    fills: Annotated[bool, typer.Option("--fills", help="Put every execution into the JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report (HTML) here.")] = None,
    json_path: Annotated[str, typer.Option("--json", help="Write the result (JSON) here; '-' = standard output.")] = "",
) -> None:
    """Backtest a strategy. Fees, slippage, funding, margin and liquidation, latency and partial fills are on. Every
    backtest leaves a trial in the ledger; figures of luck count them."""
    from aister.app.backtests import rules_or_code, run_backtest
    from aister.app.python_strategies import parameters_of
    from aister.cli import shown
    from aister.cli.given import amount, named_symbols, targets, utc_ms
    from aister.cli.output import means_stdout
    from aister.lab.backtest import Settings

    settings = Settings(
        capital=amount(capital),
        model=fill_model(intrabar, margin, leverage, costs, impact, volume, latency),
        delay_bars=delay,
        seed=seed,
        random_draws=random_draws,
        fills=fills,
    ).check()
    json_path = "-" if means_stdout(json_path) else json_path
    targets(data, html, Path(json_path) if json_path not in ("", "-") else None, "--html")
    rules = rules_or_code(strategy, parameters_of(parameters or []), accept)
    _announce(rules, show)
    result = run_backtest(
        rules,
        data,
        settings,
        symbols=named_symbols(symbols),
        start_ms=utc_ms(start, "--from"),
        end_ms=utc_ms(end, "--to"),
        assume_funding=assume_funding,
        hear=_heard,
    )
    _leave(result, html, json_path)
    if json_path != "-":
        for line in summary(result, html, json_path):
            print(shown(line))


def fill_model(
    intrabar: str, margin: str, leverage: int, costs: float, impact: str, volume: float, latency: int
) -> "FillModel":
    """The fill model that these options describe; raises `UsageError` naming the one that cannot be."""
    from aister.core.errors import UsageError
    from aister.sim.models import Fees, FillModel, Impact, Latency, Margin, Slippage

    for flag, given, allowed in (
        ("--intrabar", intrabar, ("stop_first", "ohlc_path", "lower_timeframe")),
        ("--margin", margin, ("isolated", "cross")),
        ("--impact", impact, ("on", _OFF)),
    ):
        if given not in allowed:
            raise UsageError(f"{flag} {given!r} is not possible; choose one of {', '.join(allowed)}.")
    if not 0 <= costs <= 100:
        raise UsageError("--costs lies between 0 and 100; 1 is what the instrument asks, 2 the usual stress.")
    if not 0 <= volume <= 100:
        raise UsageError("--volume is a percentage of a bar's volume from 0 (no cap) to 100.")
    if not 1 <= leverage <= 125:
        raise UsageError("--leverage lies between 1 and 125.")
    if not 0 <= latency <= 86_400_000:
        raise UsageError("--latency lies between 0 and 86400000 ms.")
    usual = Slippage()
    return FillModel(
        fees=Fees(scale_e4=round(costs * 10_000)),
        slippage=Slippage(
            half_spread_e8=tuple((base, round(rate * costs)) for base, rate in usual.half_spread_e8),
            other_half_spread_e8=round(usual.other_half_spread_e8 * costs),
        ),
        impact=Impact() if impact == "on" else None,
        volume_share_e4=round(volume * 100),
        latency=Latency(ms=latency),
        margin=Margin(mode="cross" if margin == "cross" else "isolated", leverage=leverage),
        intrabar=intrabar,  # type: ignore[arg-type]  # checked above
    ).check()


def summary(result: "Backtested", html: Path | None, json_path: str) -> list[str]:
    """The result in a few lines."""
    from aister.analytics.report.backtest import chance_in_words, warnings
    from aister.analytics.report.words import count, percent, signed, signed_percent, utc

    f, p, o = result.performance.figures, result.performance, result.origin
    held = "no bars" if p.hold is None else signed_percent(p.hold.net_return)
    lines = [
        f"Backtest   {o.name} on {', '.join(result.symbols)}, {utc(result.span_ms[0])} to {utc(result.span_ms[1])} UTC",
        f"Result     {signed_percent(f.net_return)} net of all costs ({signed(f.net_pnl)} USDT), "
        f"{count(f.trades, 'trade')}, deepest drawdown {percent(f.max_drawdown, 2)}",
        f"Before     {signed(f.before_costs)} USDT before costs: slippage {signed(-f.slippage)}, "
        f"fees {signed(-f.fees)}, funding {signed(-f.funding)}",
        f"Daily      {_daily(f)}",
        f"Beside it  buy and hold {held}",
        f"Chance     {chance_in_words(result)}",
        f"Trial      {result.trial_id[:16]}, {count(result.trials, 'trial')} on this data so far",
        f"Trades     digest {result.trades_digest}",
    ]
    lines += [f"Note       {said}" for said in (*warnings(result), *o.flags)]
    if html is not None:
        lines.append(f"Report     {html}")
    if json_path:
        lines.append(f"JSON       {json_path}")
    return lines


def _announce(rules: "Spec | PythonRules", show: bool) -> None:
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
    import msgspec

    from aister.analytics.backtested import published
    from aister.analytics.report.backtest import backtest_page
    from aister.cli.output import write_json, write_text

    if html is not None:
        write_text(html, backtest_page(result))
    if json_path == "-":
        text = msgspec.json.format(msgspec.json.encode(published(result)), indent=1)
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.buffer.flush()
    elif json_path:
        write_json(Path(json_path), published(result))
