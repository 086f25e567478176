"""`aister secrets list|seal|rotate`: keys at rest, and the key they are sealed with."""

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys at rest: list, seal, rotate.")
    for verb in (list_secrets, seal, rotate):
        verbs.command(verb.__name__.removesuffix("_secrets"))(verb)
    app.add_typer(verbs, name="secrets")


def list_secrets(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Every key in a file: plain, or sealed with which key-encryption key. Exit code 1 when one cannot be used."""
    import msgspec

    from aister.adapters.store.home import home
    from aister.adapters.vault.sealing import kept
    from aister.cli import shown

    found = kept(home())
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        for one in found:
            print(shown(f"{one.name}: {f'sealed with {one.kek}' if one.kek else 'plain'}"))
            if one.why:
                print(shown(f"no   {one.why}"))
        if not found:
            print("There are no keys in files; docs/keys.md says how to make one.")
    if any(one.why for one in found):
        raise typer.Exit(1)


def seal(
    names: Annotated[list[str] | None, typer.Argument(help="Keys to seal; all there are when none is named.")] = None,
) -> None:
    """Encrypt the keys in files, each for its own name, account and host. The first time makes the key-encryption key,
    which you keep a copy of elsewhere: without it nothing sealed opens."""
    from aister.adapters.store.home import open_home
    from aister.adapters.vault.master import master_place
    from aister.adapters.vault.sealing import seal_files
    from aister.cli import shown

    home = open_home()
    done = seal_files(home, names or [])
    for name in done:
        print(shown(f"{name}: sealed"))
    if not done:
        print("Nothing was plain.")
    print(shown(f"Keep a copy of {master_place(home)[0]} apart from your backups: without it nothing sealed opens."))


def rotate() -> None:
    """A new key-encryption key; everything sealed is wrapped with it. A crash at any moment loses nothing."""
    from aister.adapters.store.home import open_home
    from aister.adapters.vault.sealing import rotate as rotated
    from aister.cli import shown

    told = rotated(open_home())
    print(shown(f"{', '.join(told.names)}: sealed with {told.kek}"))
    if told.older:
        print(shown(f"Remove every line but the first from {told.place}: nothing is sealed with those any more."))
    else:
        print(shown(f"Keep a copy of {told.place} apart from your backups: the one you had opens nothing sealed now."))
