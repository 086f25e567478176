"""Options that several verbs share, each written once with its flags and its sentence, and the fill model that they
describe."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aister.sim.models import FillModel

__all__ = [
    "Accept",
    "AssumeFunding",
    "Capital",
    "Costs",
    "Data",
    "Delay",
    "End",
    "ImpactOnOff",
    "Intrabar",
    "JsonFile",
    "LatencyMs",
    "Leverage",
    "MarginMode",
    "Parameters",
    "Positions",
    "ShowSource",
    "Start",
    "Symbols",
    "VolumePercent",
    "fill_model",
]

Data = Annotated[str, typer.Option("--data", "--feed", help="'sample', a symbol of the store, or a path.")]
Symbols = Annotated[str, typer.Option(help="Symbols separated by commas; all of the data by default.")]
Start = Annotated[str, typer.Option("--from", help="First bar, UTC: 2025-05-10 or 2025-05-10T12:00.")]
End = Annotated[str, typer.Option("--to", help="End, exclusive, UTC.")]
AssumeFunding = Annotated[
    bool,
    typer.Option(
        "--assume-funding", help="Fill missing settlements: 0.01 % per 8 hours, paid by the position; flagged."
    ),
]
Capital = Annotated[str, typer.Option(help="Starting capital in USDT.")]
Parameters = Annotated[
    list[str] | None, typer.Option("--set", help="A parameter of a Python strategy, name=value; may be repeated.")
]
Accept = Annotated[
    str, typer.Option(help="What must be typed to run a Python strategy where the system cannot wall it in.")
]
ShowSource = Annotated[bool, typer.Option("--show", help="Print a Python strategy's source before it runs.")]
JsonFile = Annotated[str, typer.Option("--json", help="Write the result (JSON) here; '-' = standard output.")]

Intrabar = Annotated[str, typer.Option(help="Order of things inside a bar: stop_first, ohlc_path or lower_timeframe.")]
MarginMode = Annotated[str, typer.Option(help="isolated or cross.")]
Positions = Annotated[str, typer.Option(help="one_way, or hedge: a long and a short leg of every symbol.")]
Leverage = Annotated[int, typer.Option(help="Leverage of entries, unless the spec names its own.")]
Costs = Annotated[float, typer.Option(help="Fees and half-spreads times this: 2 is the usual stress.")]
ImpactOnOff = Annotated[str, typer.Option(help="Square-root impact, 'on' or 'off'.")]
VolumePercent = Annotated[float, typer.Option(help="Most percent of a bar's volume that may be ours; 0 = no cap.")]
LatencyMs = Annotated[int, typer.Option(help="From order to arrival, ms.")]
Delay = Annotated[int, typer.Option(help="Base bars between a decision and its order.")]


def fill_model(
    intrabar: str, margin: str, positions: str, leverage: int, costs: float, impact: str, volume: float, latency: int
) -> "FillModel":
    """The fill model that these options describe; raises `UsageError` naming the one that cannot be."""
    from aister.core.errors import UsageError
    from aister.sim.models import Fees, FillModel, Impact, Latency, Margin, Slippage

    for flag, given, allowed in (
        ("--intrabar", intrabar, ("stop_first", "ohlc_path", "lower_timeframe")),
        ("--margin", margin, ("isolated", "cross")),
        ("--positions", positions, ("one_way", "hedge")),
        ("--impact", impact, ("on", "off")),
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
        position_mode="hedge" if positions == "hedge" else "one_way",
        intrabar=intrabar,  # type: ignore[arg-type]  # checked above
    ).check()
