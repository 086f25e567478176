"""`aister ticks replay FILE`: recorded depth and trades through an order book, with the built-in quoting strategy."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aister.lab.ticks import Replayed
    from aister.ports.ticks import TickStream

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Recorded depth and trades: replay.")
    verbs.callback()(lambda: None)
    verbs.command("replay")(replay)
    app.add_typer(verbs, name="ticks")


def replay(
    file: Annotated[str, typer.Argument(help="A recorded .jsonl, .jsonl.xz or .jsonl.gz; `sample`: the shipped one.")],
    *,
    strategy: Annotated[str, typer.Option(help="The only one so far is `quoting`.")] = "quoting",
    size: Annotated[str, typer.Option(help="Base units a quote.")] = "0.01",
    limit: Annotated[str, typer.Option(help="Position, in base units, from which a side is not quoted.")] = "0.1",
    half_ticks: Annotated[int, typer.Option(help="Distance of a quote from the mid, in ticks.")] = 0,
    skew: Annotated[float, typer.Option(help="Ticks of lean against each quote's size of position.")] = 1.0,
    every_ms: Annotated[int, typer.Option(help="Time between decisions.")] = 100,
    entry_ms: Annotated[float, typer.Option(help="How long an order or cancel takes to the exchange.")] = 5.0,
    response_ms: Annotated[float, typer.Option(help="How long a report takes back.")] = 5.0,
    queue: Annotated[str, typer.Option(help="Queue rule: risk_averse, power or log.")] = "risk_averse",
    power: Annotated[float, typer.Option(help="n of the power rule.")] = 3.0,
    least_latency_ms: Annotated[
        float | None, typer.Option(help="How long the fastest frame took; needed where clocks disagree (sample: 1).")
    ] = None,
    instruments: Annotated[str, typer.Option(help="Instruments file; by default the shipped one.")] = "",
    capital: Annotated[str, typer.Option(help="Money at the start, in quote currency.")] = "10000",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, every fill included.")] = False,
) -> None:
    """Replay a recording with the quoting strategy: fills, profit and loss, what became of the orders."""
    from pathlib import Path

    from aister.adapters.feeds.depth import read_stream, sample_stretch
    from aister.adapters.store.instruments import read_instruments
    from aister.cli.compiling import show_compiling
    from aister.core.errors import UsageError
    from aister.core.money import money
    from aister.lab.ticks import Latency, Queue, Quoting, TickPlan
    from aister.lab.ticks import replay as run

    if strategy != "quoting":
        raise UsageError(f"There is no tick strategy {strategy!r}; the built-in one is quoting.")
    if queue not in ("risk_averse", "power", "log"):
        raise UsageError(f"There is no queue rule {queue!r}; choose risk_averse, power or log.")
    if file != "sample" and not Path(file).is_file():
        raise UsageError(f"{file} is no file; give a recorded .jsonl, .jsonl.xz or .jsonl.gz, or sample.")
    known = read_instruments(Path(instruments)) if instruments else None
    if least_latency_ms is None and file == "sample":
        least_latency_ms = 1.0  # its README: the two clocks disagree; the shift is printed
    least = None if least_latency_ms is None else round(least_latency_ms * 1e6)
    stream = read_stream(sample_stretch() if file == "sample" else Path(file), known, least)
    step = stream.instrument.step_e8
    plan = TickPlan(
        interval_ns=every_ms * 1_000_000,
        latency=Latency(round(entry_ms * 1e6), round(response_ms * 1e6)),
        queue=Queue(queue, power),  # type: ignore[arg-type]
        capital=money(capital),
    )
    quoting = Quoting(money(size) // step, money(limit) // step, half_ticks, round(skew * 10_000))
    show_compiling()
    result = run(stream, plan, quoting)
    for line in [_json(stream, result)] if as_json else _lines(stream, result):
        typer.echo(line)


def _json(stream: "TickStream", result: "Replayed") -> str:
    import msgspec

    fills = {name: result.fills[name].tolist() for name in result.fills.dtype.names or ()}
    rest = {name: getattr(result, name) for name in result.__struct_fields__ if name != "fills"}
    about = {"shift_ns": stream.shift_ns, "left_out": stream.left_out, "instrument": stream.instrument.source}
    return msgspec.json.encode({**rest, **about, "fills": fills}).decode()


def _lines(stream: "TickStream", result: "Replayed") -> list[str]:
    from aister.core.money import money_text

    contract, span = stream.instrument, stream.span_ns
    moved = f"; local times shifted by {stream.shift_ns / 1e6:+,.1f} ms" if stream.shift_ns else ""
    ahead = "none joined" if result.ahead is None else f"{contract.size(1) * result.ahead:,.3f} {contract.base}"
    rested = "none" if result.rested_ns is None else f"{result.rested_ns / 1e6:,.0f} ms"
    return [
        f"{stream.symbol}: {result.rows:,} rows over {(span[1] - span[0]) / 1e9:,.1f} s{moved}",
        f"fees and grid: {contract.source}; funding and liquidation are not modelled here",
        f"decisions   {result.decisions:,}",
        f"orders      {result.sent:,} sent, {result.accepted:,} rested, {result.expired:,} expired on arrival",
        f"cancels     {result.cancelled:,} worked, {result.cancels_late:,} came after the fill",
        f"queue       mean quantity ahead on joining {ahead}; mean rest before a fill {rested}",
        f"fills       {result.maker_fills:,} as maker, {result.taker_fills:,} as taker; "
        f"bought {contract.size_text(result.bought_steps)}, sold {contract.size_text(result.sold_steps)}",
        f"position    {contract.size_text(result.position_steps)} {contract.base}",
        f"realised    {money_text(result.realised, 2)} {contract.quote} before fees of {money_text(result.fees, 2)}",
        f"unrealised  {money_text(result.unrealised, 2)} {contract.quote} at the middle of the last book",
        f"net         {money_text(result.pnl, 2)} {contract.quote}, deepest fall {money_text(result.drawdown, 2)}",
    ]
