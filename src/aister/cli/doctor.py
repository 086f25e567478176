"""`aister doctor`: what is installed, what is missing, what to do about it."""

from typing import Annotated

import typer

__all__ = ["doctor"]


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False) -> None:
    """Look at this machine and this installation. Exit code 1 when something must be put right."""
    import msgspec

    from aister.adapters.host.checks import examine
    from aister.adapters.store.home import home
    from aister.cli import shown
    from aister.cli.journal_words import json_text

    checks = examine(home(checked=False))
    if as_json:
        print(json_text(msgspec.to_builtins(checks)))
    for check in () if as_json else checks:
        print(shown(f"{check.status:<5} {check.name:<13} {check.fact}"))
        if check.remedy:
            print(shown(f"{'':19} {check.remedy}"))
    if any(check.status == "bad" for check in checks):
        raise typer.Exit(1)
