"""`aister sweep STRATEGY`: many cells of one spec, shared work, resumable; ends with the best and what luck makes of
them."""

import os
import signal
import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aister.cli import options
from aister.cli.live_line import LiveLine

if TYPE_CHECKING:
    from aister.lab.draws import Search
    from aister.lab.sweep import Progress, Sweep

__all__ = ["search_of", "summary", "sweep"]

_STOPPING = b"\naister: stopping after the cells on their way; Ctrl-C again ends at once.\n"
_SHARES = ("net_return", "max_drawdown")
_RATIOS = ("sharpe_daily", "profit_factor")


def sweep(
    strategy: Annotated[str, typer.Argument(help="A template, or a spec file (.json).")],
    *,
    grid: Annotated[
        list[str] | None, typer.Option("--grid", help="NAME=10:100:10 or NAME=20,50,100; again for each axis.")
    ] = None,
    vary: Annotated[
        list[str] | None, typer.Option("--vary", help="NAME=1.5..4.0, or values as in --grid; for --random, --tpe.")
    ] = None,
    random: Annotated[int, typer.Option("--random", help="So many cells by chance.")] = 0,
    tpe: Annotated[int, typer.Option("--tpe", help="So many cells where the figure of --by promises most.")] = 0,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="A comparison that every cell satisfies: 'fast < slow'.")
    ] = None,
    by: Annotated[str, typer.Option(help="The figure that is sought and ranked by.")] = "sharpe_daily",
    top: Annotated[int, typer.Option(help="How many of the best are shown.")] = 10,
    data: options.Data = "sample",
    symbols: options.Symbols = "",
    start: options.Start = "",
    end: options.End = "",
    capital: options.Capital = "10000",
    seed: Annotated[int, typer.Option(help="Seed of random and TPE cells; recorded.")] = 1,
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
    workers: Annotated[int, typer.Option(help="Threads, or with --cluster local processes; 0 = one per core.")] = 0,
    cluster: Annotated[str, typer.Option(help="Run on Ray: its address, or 'local'.")] = "",
    json_path: options.JsonFile = "",
) -> None:
    """Sweep the numbers of a strategy spec. Every cell is a trial of the ledger; the same command goes on where it was
    stopped."""
    from aister.app.sweeps import Running, run_sweep, written_rules
    from aister.cli.compiling import show_compiling
    from aister.cli.given import amount, named_symbols, targets, utc_ms
    from aister.cli.output import say
    from aister.core.errors import UsageError
    from aister.lab.settings import Settings

    if not 0 <= workers <= 1_024:
        raise UsageError("--workers lies between 0 (one per core) and 1024.")
    if top < 1:
        raise UsageError("--top must be 1 or more; 10 is usual.")
    rules = written_rules(strategy)
    search = search_of(rules, grid or [], vary or [], where or [], random, tpe, by, seed)
    settings = Settings(
        capital=amount(capital),
        model=options.fill_model(intrabar, margin, positions, leverage, costs, impact, volume, latency),
        delay_bars=delay,
        seed=seed,
    ).check()
    json_path = targets(data, None, json_path, "--json")
    show_compiling()
    stopping = _Stop()
    live = _Live(by)
    with stopping:
        table, folder = run_sweep(
            rules,
            data,
            search,
            settings,
            symbols=named_symbols(symbols),
            start_ms=utc_ms(start, "--from"),
            end_ms=utc_ms(end, "--to"),
            assume_funding=assume_funding,
            running=Running(cluster, workers, live.told, stopping.asked),
        )
    live.end()
    _leave(table, folder, json_path, top)
    if json_path != "-":
        for line in summary(table, folder, top):
            say(line)
    if not table.complete and stopping.asked():
        print("aister: stopped; the same command goes on from here.", file=sys.stderr)
        raise SystemExit(130)


def search_of(
    rules: dict[str, Any],
    grid: list[str],
    vary: list[str],
    where: list[str],
    random: int,
    tpe: int,
    by: str,
    seed: int,
) -> "Search":
    """What these options ask for; raises `UsageError` when they contradict each other."""
    from aister.core.errors import UsageError
    from aister.lab.draws import Search
    from aister.lab.space import axis, condition

    if random < 0 or tpe < 0 or (random and tpe):
        raise UsageError("Give either --random N or --tpe N, a number of cells above 0.")
    if not (random or tpe) and vary:
        raise UsageError("--vary is for --random N and --tpe N; a grid is given by --grid NAME=FIRST:LAST:STEP.")
    axes = tuple(axis(text, rules) for text in (*grid, *vary))
    conditions = tuple(condition(text, axes) for text in where)
    if random:
        return Search(method="random", axes=axes, conditions=conditions, count=random, by=by, seed=seed)
    if tpe:
        return Search(method="tpe", axes=axes, conditions=conditions, count=tpe, by=by, seed=seed)
    return Search(axes=axes, conditions=conditions, by=by, seed=seed)


def summary(table: "Sweep", folder: Path, top: int) -> list[str]:
    """The table in a few lines."""
    from aister.analytics.report.words import count, utc

    refused, aborted = (int((table[name] != "").sum()) for name in ("refused", "aborted"))
    of = f" of {table.total:,}" if not table.complete else ""
    told = f"{count(len(table), 'cell')}{of} ({table.method})"
    told += f", {refused:,} refused" if refused else ""
    told += f", {aborted:,} aborted" if aborted else ""
    told += f", {table.left_out:,} outside the conditions" if table.left_out else ""
    lines = [
        f"Sweep      {table.name} on {', '.join(table.symbols)}, "
        f"{utc(table.span_ms[0])} to {utc(table.span_ms[1])} UTC",
        f"Cells      {told}",
    ]
    for name, cells in (("refused", refused), ("aborted", aborted)):
        if cells:
            first = next(str(reason) for reason in table[name] if reason)
            lines.append(f"{name.capitalize():<11}for example: {first}")
    lines += _best(table, top)
    lines += [f"Trials     {count(table.trials, 'trial')} on these instruments and this time so far", _luck(table)]
    lines += [f"Note       {said}" for said in _warnings(table)]
    lines.append(f"Rows       {folder}")
    return lines


def _warnings(table: "Sweep") -> list[str]:
    """What to know before believing the best cell, and what the marks on the data mean."""
    import numpy as np

    from aister.analytics.report.backtest import FEWEST_TRADES
    from aister.analytics.report.flags import flag_in_words

    said, best = [], table.best()
    trades = table["trades"][best[0]] if best else np.nan
    if trades < FEWEST_TRADES:
        said.append(f"the best cell has {trades:,.0f} trades: below {FEWEST_TRADES} nothing can be concluded from it")
    return [*said, *map(flag_in_words, table.flags)]


def _best(table: "Sweep", top: int) -> list[str]:
    rows = table.best(top)
    if not rows:
        return [f"Best       none: no cell has a {table.by}"]
    figures = dict.fromkeys((table.by, "net_return", "sharpe_daily", "max_drawdown", "trades", "profit_factor"))
    heads = (*table.axes, *figures)
    cells = [[_short(name, table[name][row]) for name in heads] for row in rows]
    widths = [max(len(head), *(len(line[i]) for line in cells)) for i, head in enumerate(heads)]
    lines = [" ".join(head.rjust(width) for head, width in zip(heads, widths, strict=True))]
    return lines + [" ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]


def _short(name: str, value: Any) -> str:
    """Shares of the capital in percent, counts whole, anything else in six digits at most."""
    if not isfinite(value):
        return "-"
    if name in _SHARES:
        return f"{float(value):+.2%}" if name == "net_return" else f"{float(value):.2%}"
    return f"{float(value):.4g}" if name in _RATIOS else f"{float(value):.6g}"


def _luck(table: "Sweep") -> str:
    luck = table.deflation
    if luck is None:
        return "Luck       not known: the best cell has no Sharpe ratio"
    if luck.threshold is None:
        return (
            f"Luck       the best of {luck.trials:,} trials must beat luck; what luck makes of them is not known: "
            "fewer than two of them have 30 days"
        )
    chance = "not defined" if luck.probability is None else f"{luck.probability:.1%}"
    return (
        f"Luck       the best of {luck.trials:,} trials ({luck.effective:,} that differ) must beat luck: Sharpe "
        f"{luck.sharpe:+.3f} a day against {luck.threshold:+.3f} expected of the best without skill; "
        f"deflated Sharpe ratio {chance}"
    )


def _leave(table: "Sweep", folder: Path, json_path: str, top: int) -> None:
    """The table as JSON: columns, the best rows, and what luck says."""
    if not json_path:
        return
    import numpy as np

    from aister.cli.output import leave_json

    columns: dict[str, list[Any]] = {}
    for name, values in table.columns.items():
        if np.issubdtype(values.dtype, np.number):
            columns[name] = [
                value if known else None for value, known in zip(values.tolist(), np.isfinite(values), strict=True)
            ]
        else:
            columns[name] = [str(value) for value in values]
    value = {
        **{name: getattr(table, name) for name in ("id", "name", "method", "axes", "by", "symbols", "span_ms")},
        **{name: getattr(table, name) for name in ("total", "left_out", "complete", "trials", "deflation", "flags")},
        "folder": str(folder),
        "best": table.best(top),
        "columns": columns,
    }
    leave_json(value, json_path)


class _Stop:
    """The first Ctrl-C asks for an end after the cells on their way, and says so; a second one ends at once."""

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> "_Stop":
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, *_: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        os.write(2, _STOPPING)  # not through a stream that may just be written to


class _Live:
    """Progress on standard error."""

    def __init__(self, by: str) -> None:
        self._by, self._line = by, LiveLine()

    def told(self, now: "Progress") -> None:
        if not self._line.due() and now.done < now.total:
            return
        rate = now.here / now.seconds if now.seconds > 0 else 0.0
        left = (now.total - now.done) / rate if rate else 0.0
        best = None if now.best is None else now.best.figure(self._by)
        text = f"{now.done:,} of {now.total:,} cells, {rate:,.0f} a second, {left:,.0f} s left"
        self._line.show(text if best is None else f"{text}, best {self._by} {best:.4g}")

    def end(self) -> None:
        self._line.end()
