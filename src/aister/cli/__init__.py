"""The command line. One short file per verb; each registers itself and imports what is heavy inside its functions, so
that
`aister --help` stays quick. Exit codes: 0 done, 1 the answer is no, 2 bad usage or input, 130 interrupted."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from aister.core.errors import AisterError

__all__ = ["build", "main", "shown"]


def shown(text: str) -> str:
    """Text from data or files made safe for a terminal: control and bidirectional characters appear escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Verbs(TyperGroup):
    """Turns deliberate errors into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AisterError as error:
            print(f"aister: {shown(str(error))}", file=sys.stderr)
            raise SystemExit(error.exit_code) from None
        except KeyboardInterrupt:
            print("aister: interrupted; what was already recorded is kept.", file=sys.stderr)
            raise SystemExit(130) from None


def _version(asked: bool) -> None:
    if asked:
        from aister import __version__

        print(f"aister {__version__}")
        raise typer.Exit()


def build() -> typer.Typer:
    """The command with every verb found beside this file (a file with an underscore in its name helps a verb)."""
    app = typer.Typer(
        cls=_Verbs, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )

    @app.callback()
    def aister(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        """Autonomous trading of crypto perpetuals: a council proposes, a risk kernel decides, every claim can be
        re-run."""

    for name in sorted(module.name for module in iter_modules(__path__) if "_" not in module.name):
        module = import_module(f"{__name__}.{name}")
        if hasattr(module, "register"):  # a verb with verbs of its own
            module.register(app)
        elif hasattr(module, name):  # a plain verb: the function named like its file
            app.command(name)(getattr(module, name))
    return app


def main() -> None:
    """Entry point of the `aister` command."""
    build()(prog_name="aister")
