"""`aister db migrate`: the platform's database brought to this version, or back."""

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The platform's database: migrate.")
    verbs.command("migrate")(migrate)
    verbs.callback()(lambda: None)  # or a single verb would lose its name
    app.add_typer(verbs, name="db")


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only say which revision it is at; 1 if not the newest.")
    ] = False,
    down: Annotated[
        str, typer.Option(help="Back to this older revision, or base; what only newer ones keep is lost.")
    ] = "",
    backed_up: Annotated[bool, typer.Option("--backed-up", help="PostgreSQL, with --down: there is a backup.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Bring the database to this version's schema, in one transaction; SQLite's file is copied before it changes."""
    import msgspec

    from aister.adapters.store.home import home, open_home
    from aister.app.database import database_settings, stands
    from aister.app.database import migrate as bring
    from aister.cli import shown
    from aister.core.errors import UsageError

    if check and down:
        raise UsageError("--check changes nothing; leave out --down.")
    settings = database_settings()
    if check:
        found = stands(home(), settings)
        current = found.revision == found.newest
        if as_json:
            print(msgspec.json.encode(found).decode())
        else:
            need = "the newest" if current else f"this AISTER needs {found.newest}; run: aister db migrate"
            print(shown(f"{found.where} is at {found.revision or 'no revision, it is empty'}: {need}."))
        if not current:
            raise typer.Exit(1)
        return
    done = bring(open_home(), settings, down=down, backed_up=backed_up)
    if as_json:
        print(msgspec.json.encode(done).decode())
        return
    if done.before == done.now:
        print(shown(f"{done.where} is at {done.now or 'no revision, it is empty'}; nothing to do."))
    else:
        print(shown(f"{done.where}: {done.before or 'empty'} -> {done.now or 'empty'}."))
    if done.copy:
        print(shown(f"As it was: {done.copy}"))
