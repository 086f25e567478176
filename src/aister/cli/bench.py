"""`aister bench NAME`: measure, and print every figure beside its reference."""

from typing import Annotated

import typer

__all__ = ["bench"]


def bench(
    name: Annotated[str, typer.Argument(help="Which bench; leave out to list them.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="End within 40 seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Measure speed and memory on this machine."""
    import msgspec

    from aister.bench import BENCHES
    from aister.bench import bench as find

    if not name:
        if as_json:
            typer.echo(msgspec.json.encode([{"name": n, "about": about} for n, about in BENCHES.items()]).decode())
        else:
            for known, about in BENCHES.items():
                typer.echo(f"{known:10} {about}")
        return
    for figure in find(name)(quick):
        if as_json:
            typer.echo(msgspec.json.encode(figure).decode())
        else:
            beside = f"  {figure.ratio:8.2f} x {figure.reference:,.0f}" if figure.reference and figure.ratio else ""
            typer.echo(f"{figure.name:34} {figure.value:14,.1f} {figure.unit:10}{beside}  {figure.note}")
