"""The command line. One short file per verb, imported when that verb is asked for, and what is heavy inside its
functions, so that `aister --help` stays quick. Exit codes: 0 done, 1 the answer is no (or whoever read it left before
its end), 2 bad usage, bad input or an output that cannot be written, 130 interrupted."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from aister.adapters.host.spared import NotForNumba
from aister.core.errors import AisterError

__all__ = ["VERBS", "build", "main", "shown"]

VERBS = {
    "run": "Run the trader.",
    "backtest": "Backtest a strategy.",
    "detect": "Look for what makes a backtest lie.",
    "data": "Market data: import, download, list, check, export.",
    "journal": "The journal: list, verify, show, export, accept-rollback.",
    "strategy": "Strategies: list, show, check a spec, its JSON Schema.",
    "ticks": "Recorded depth and trades: replay.",
    "council": "The council: explain a vote.",
    "sweep": "Sweep the numbers of a strategy spec.",
    "serve": "Serve the HTTP interface and its reference page.",
    "keys": "Keys of exchanges: list, check, watcher.",
    "secrets": "Keys at rest: list, seal, rotate.",
    "db": "The platform's database: migrate.",
    "sim": "The simulated exchange: serve.",
    "doctor": "Look at this machine and this installation.",
    "bench": "Measure speed and memory on this machine.",
}
"""Every verb and its sentence in the help: each is the first of its own help, from the file named like it."""


def shown(text: str) -> str:
    """Text from data or files made safe for a terminal: control and bidirectional characters appear escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Verbs(TyperGroup):
    """Finds a verb in the file of its name, and turns deliberate errors into one sentence and an exit code."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands: Any = dict.fromkeys(VERBS)  # the names, for "did you mean"

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in VERBS:
            return None
        module, app = import_module(f"{__name__}.{cmd_name}"), _typer()
        if hasattr(module, "register"):  # a verb with verbs of its own
            module.register(app)
        else:  # a plain verb: the function named like its file
            app.command(cmd_name)(getattr(module, cmd_name))
        return get_group(app).commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AisterError as error:
            _complain(shown(str(error)))
            raise SystemExit(error.exit_code) from None
        except KeyboardInterrupt:
            _complain(_INTERRUPTED)
            raise SystemExit(130) from None


_INTERRUPTED = "interrupted; what was already recorded is kept."


def _complain(sentence: str) -> None:
    print(f"aister: {sentence}", file=sys.stderr)


def _typer(**more: Any) -> typer.Typer:
    return typer.Typer(
        no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **more
    )


def _version(asked: bool) -> None:
    if asked:
        from aister import __version__

        print(f"aister {__version__}")
        raise typer.Exit()


def build() -> typer.Typer:
    """The command with every verb of `VERBS`."""
    app = _typer(cls=_Verbs)

    @app.callback()
    def aister(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        """Autonomous trading of crypto perpetuals: a council proposes, a risk kernel decides, every claim can be
        re-run."""

    return app


def main() -> None:
    """Entry point of the `aister` command. An output that cannot be written is one sentence and exit code 2; a reader
    that left before the end is exit code 1 without a word, as nobody can say what it missed."""
    _streams()
    _take_keys()
    sys.meta_path.insert(0, NotForNumba())
    try:
        try:
            build()(prog_name="aister")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere()
        raise SystemExit(1) from None
    except OSError as error:
        _to_nowhere()
        reason = error.strerror or str(error)
        if error.filename is None:
            _complain(f"The output could not be written ({reason}); make room or send it elsewhere.")
        else:
            _complain(shown(f"{error.filename} cannot be used ({reason}); check the path and its permissions."))
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        _complain(_INTERRUPTED)
        raise SystemExit(130) from None


def _streams() -> None:
    """Whoever closed a standard stream must not have a file of ours opened under its number."""
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if sys.stdout is None:
        if sys.stderr is not None:
            _complain("Standard output is closed; send it to a file or to /dev/null.")
        raise SystemExit(2)
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _take_keys() -> None:
    """Keys given in the environment leave it first of all: nothing that is started inherits them."""
    if any(name.startswith("AISTER_KEY_") for name in os.environ):
        from aister.adapters.vault.keyring import take_environment

        take_environment()


def _to_nowhere() -> None:
    """What is still buffered for standard output is given up, or Python would try again while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
