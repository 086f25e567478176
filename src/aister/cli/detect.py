"""`aister detect STRATEGY`: what would make its backtest a lie and what makes it fragile, detector by detector."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aister.cli import options

if TYPE_CHECKING:
    from aister.app.python_strategies import PythonRules
    from aister.lab.detectors.effort import Effort
    from aister.lab.detectors.examine import Examined
    from aister.lab.detectors.verdict import Found
    from aister.strategy.spec.tree import Spec

__all__ = ["detect", "figures_of", "headline"]

_INDENT = " " * 33


def detect(
    strategy: Annotated[str, typer.Argument(help="A template, or a file: a spec (.json) or a Python strategy (.py).")],
    *,
    data: options.Data = "sample",
    only: Annotated[str, typer.Option(help="Detectors separated by commas: look-ahead,delay; all by default.")] = "",
    symbols: options.Symbols = "",
    start: options.Start = "",
    end: options.End = "",
    capital: options.Capital = "10000",
    cuts: Annotated[
        int | None, typer.Option(help="Random moments at which the future is changed: 200, of a Python strategy 20.")
    ] = None,
    whole_day: Annotated[
        bool,
        typer.Option(
            "--day/--no-day", help="Change it at every bar of the busiest day, too; show code one close at a time."
        ),
    ] = True,
    cells: Annotated[
        int | None, typer.Option(help="Neighbours with their parameters up to 20 % off: 60, of a Python strategy 24.")
    ] = None,
    paths: Annotated[
        int | None, typer.Option(help="Bootstrapped paths of price: 100, of a Python strategy 30.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn; recorded in the result.")] = 1,
    assume_funding: options.AssumeFunding = False,
    parameters: options.Parameters = None,
    accept: options.Accept = "",
    show: options.ShowSource = False,
    html: Annotated[Path | None, typer.Option(help="Write the page (HTML) here.")] = None,
    json_path: options.JsonFile = "",
) -> None:
    """Look for what makes a backtest lie. Look-ahead, short warm-up, impossible fills; then a result that hangs on
    costs, on the first bar, on its exact parameters or on the order of events. Every run that shows a result leaves a
    trial in the ledger. Exit code 1 when something was caught."""
    from aister.app.backtests import rules_or_code
    from aister.app.detect import detect as run_detectors
    from aister.app.python_strategies import parameters_of
    from aister.cli import shown
    from aister.cli.backtest import announce
    from aister.cli.compiling import show_compiling
    from aister.cli.given import amount, named_symbols, targets, utc_ms
    from aister.cli.output import leave_json, say, write_text
    from aister.lab.detectors.examine import chosen_detectors
    from aister.lab.detectors.page import detectors_page
    from aister.lab.settings import Settings

    json_path = targets(data, html, json_path, "--html")
    quiet = json_path == "-"

    def tell(found: "Found") -> None:
        for line in (headline(found), *(_INDENT + figure for figure in figures_of(found))):
            print(shown(line), flush=True)

    chosen = tuple(name.strip() for name in only.split(",") if name.strip())
    chosen_detectors(chosen)
    rules = rules_or_code(strategy, parameters_of(parameters or []), accept)
    settings = Settings(capital=amount(capital), seed=seed).check()
    effort = _effort(rules, whole_day, seed, {"cuts": cuts, "cells": cells, "paths": paths})
    named, span_ms = named_symbols(symbols), (utc_ms(start, "--from"), utc_ms(end, "--to"))
    announce(rules, show)
    show_compiling()
    if not quiet:
        print(shown(f"Detectors over {strategy} on {data}"), flush=True)
    result = run_detectors(
        rules,
        data,
        only=chosen,
        settings=settings,
        effort=effort,
        symbols=named,
        span_ms=span_ms,
        assume_funding=assume_funding,
        tell=None if quiet else tell,
    )
    if html is not None:
        write_text(html, detectors_page(result))
    leave_json(result, json_path)
    if not quiet:
        for line in _conclusion(result, html, json_path):
            say(line)
    if result.caught:
        raise typer.Exit(1)


def headline(found: "Found") -> str:
    """One line: which detector, what it found, and why."""
    return f"{found.detector:<15}{found.verdict:<17} {found.sentence}"


def figures_of(found: "Found") -> list[str]:
    """The figures behind the sentence, where there are more."""
    from aister.lab.detectors.cost import Cost
    from aister.lab.detectors.delay import Delay
    from aister.lab.detectors.monte_carlo import Paths, TradeOrder
    from aister.lab.detectors.neighbourhood import Neighbourhood
    from aister.lab.detectors.warm_up import WarmUp

    match found:
        case Cost(looks=looks):
            return ["fees, spreads " + ", ".join(f"x {k:g}: {look.net_return:+.2%}" for k, look in looks)]
        case Delay(looks=looks):
            return ["bars later " + ", ".join(f"{bars}: {look.net_return:+.2%}" for bars, look in looks)]
        case Neighbourhood(cells=cells, worst=worst, median=middle, best=best) if cells:
            return [f"net: worst {worst:+.2%}, median {middle:+.2%}, best {best:+.2%}, chosen {_chosen(found)}"]
        case TradeOrder(drawdown=drawdown) if drawdown is not None:
            return [
                f"drawdown of {found.draws:,} orders: median {drawdown.middle:.1%}, 95th percentile {drawdown.high:.1%}"
            ]
        case Paths(net=net, drawdown=drawdown) if net is not None and drawdown is not None:
            return [
                f"drawdown: median {drawdown.middle:.1%}, 95th percentile {drawdown.high:.1%}; net: 5th percentile "
                f"{net.low:+.1%}, median {net.middle:+.1%}, 95th {net.high:+.1%}; "
                f"on the market itself {found.own_net:+.1%}"
            ]
        case WarmUp(drifts=drifts):
            return [str(one) for one in drifts[1:6]]
    return []


def _chosen(found: "Found") -> str:
    from aister.lab.detectors.neighbourhood import Neighbourhood

    assert isinstance(found, Neighbourhood)
    return f"{found.chosen.net_return:+.2%}"


def _effort(rules: "Spec | PythonRules", whole_day: bool, seed: int, given: dict[str, int | None]) -> "Effort":
    """What is usual for such rules, and what was asked for instead."""
    import msgspec

    from aister.lab.detectors.effort import FOR_CODE, Effort
    from aister.strategy.spec.tree import Spec

    usual = Effort() if isinstance(rules, Spec) else FOR_CODE
    asked = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(usual, whole_day=whole_day, seed=seed, **asked).check()


def _conclusion(result: "Examined", html: Path | None, json_path: str) -> list[str]:
    from aister.analytics.report.flags import flag_in_words
    from aister.lab.detectors.verdict import Verdict, utc_text

    span = " to ".join(utc_text(time_ms) for time_ms in result.span_ms)
    unsure = sum(one.verdict is Verdict.UNKNOWN for one in result.found)
    caught = ", ".join(one.detector for one in result.caught)
    lines = [
        "",
        f"Strategy   {result.name} on {', '.join(result.symbols)}, {span} UTC, seed {result.effort.seed}",
        f"Caught     {caught or 'nothing'}" + (f"; {unsure} could not say" if unsure else ""),
        f"Trials     {result.trials:,} on this data so far",
    ]
    lines += [f"Note       {flag_in_words(flag)}" for flag in result.flags]
    lines += [f"Page       {html}"] if html is not None else []
    return [*lines, f"JSON       {json_path}"] if json_path else lines
