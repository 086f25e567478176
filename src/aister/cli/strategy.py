"""`aister strategy`: the strategies there are, and whether a spec of one's own is sound."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aister.strategy.spec.refusal import Finding
    from aister.strategy.spec.tree import Spec

__all__ = ["register"]

_WIDTH = 90
_NAMED = "A template, or a spec file (.json)."


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Strategies: list, show, check a spec, its JSON Schema."
    )
    verbs.callback()(lambda: None)
    for name, verb in (("list", listed), ("show", show), ("check", check), ("schema", schema)):
        verbs.command(name)(verb)
    app.add_typer(verbs, name="strategy")


def listed(as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False) -> None:
    """The strategies that `aister run --strategy` knows by name."""
    import json

    from aister.app.strategies import STRATEGIES
    from aister.strategy.spec.canon import spec_hash
    from aister.strategy.templates import template, template_names

    rows: list[dict[str, Any]] = [
        {"name": name, "kind": "code", "timeframe": "", "hash": "", "description": (of.__doc__ or "").split("\n")[0]}
        for name, of in STRATEGIES.items()
    ]
    rows += [
        {
            "name": name,
            "kind": "template",
            "timeframe": template(name).timeframe,
            "hash": spec_hash(template(name)),
            "description": template(name).description,
        }
        for name in template_names()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        said = row["description"] if len(row["description"]) <= _WIDTH else f"{row['description'][: _WIDTH - 3]}..."
        typer.echo(f"{row['name']:<22} {row['kind']:<9} {row['timeframe']:<4} {row['hash'][:12]:<13}{said}")


def show(named: Annotated[str, typer.Argument(metavar="NAME", help=_NAMED)]) -> None:
    """Print a spec as it stands; a copy is where one's own begins."""
    import json

    from aister.app.strategies import named_spec
    from aister.core.errors import UsageError
    from aister.strategy.spec.canon import canonical
    from aister.strategy.templates import template_names, template_text

    if named in template_names():
        typer.echo(template_text(named), nl=False)
        return
    spec = named_spec(named)
    if spec is None:
        raise UsageError(f"{named} is code, not a spec; `aister strategy list` shows the templates.")
    typer.echo(json.dumps(canonical(spec), indent=2))


def check(
    named: Annotated[str, typer.Argument(metavar="FILE", help=_NAMED)],
    data: Annotated[
        str, typer.Option(help="Also against the instruments and bars of these data; '' = the spec and usual costs.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Say whether a spec is sound, or everything that is wrong with it and where. Exit code 1 when it is refused."""
    import json

    from aister.app.strategies import named_spec
    from aister.cli import shown
    from aister.core.errors import UsageError
    from aister.strategy.spec.canon import spec_hash
    from aister.strategy.spec.refusal import SpecRefused

    spec: Spec | None = None
    findings: tuple[Finding, ...] = ()
    try:
        spec = named_spec(named)
    except SpecRefused as refused:
        findings = refused.findings
    else:
        if spec is None:
            raise UsageError(f"{named} is code, not a spec; there is nothing to check.")
        findings = tuple(_unfit(spec, data) if data else _too_near(spec))
    if as_json:
        found = [{"path": one.path, "reason": one.reason} for one in findings]
        typer.echo(json.dumps({"sound": not found, "hash": spec_hash(spec) if spec else None, "findings": found}))
    elif findings:
        for finding in findings:
            typer.echo(shown(str(finding)))
    else:
        assert spec is not None
        typer.echo(f"{spec.name} is sound: {spec.timeframe}, {_sides(spec)}, hash {spec_hash(spec)}")
    if findings:
        raise typer.Exit(1)


def schema() -> None:
    """Print the JSON Schema of a spec."""
    import json

    from aister.strategy.spec.schema import spec_schema

    typer.echo(json.dumps(spec_schema(), indent=1))


def _sides(spec: "Spec") -> str:
    return " and ".join(word for _, word, _ in spec.sides)


def _too_near(spec: "Spec") -> "list[Finding]":
    """Stops that the costs of the shipped instruments would move."""
    from aister.adapters.store.sample import shipped_instruments
    from aister.sim.models import FillModel
    from aister.strategy.spec.checks import unfit

    usual = FillModel()
    return unfit(spec, costs_e8={symbol: usual.round_trip_e8(one) for symbol, one in shipped_instruments().items()})


def _unfit(spec: "Spec", data: str) -> "list[Finding]":
    from aister.app.build import costs_of, open_data
    from aister.app.settings import RunSettings
    from aister.strategy.spec.checks import unfit

    feed = open_data(RunSettings(data=data).check())
    return unfit(spec, feed.instruments, base_interval_ms=feed.base_interval_ms, costs_e8=costs_of(feed))
