"""`aister keys list|check`: which keys there are, and whether one can trade."""

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys of exchanges: list, check.")
    for verb in (list_keys, check):
        verbs.command(verb.__name__.removesuffix("_keys"))(verb)
    app.add_typer(verbs, name="keys")


def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False) -> None:
    """The names of the keys there are; what a key holds is never shown."""
    import msgspec

    from aister.adapters.store.home import home
    from aister.adapters.vault.file import FileVault

    names = FileVault(home()).names()
    if as_json:
        print(msgspec.json.encode(names).decode())
        return
    for name in names:
        print(name)
    if not names:
        print("There are no keys; docs/keys.md says how to make one.")


def check(
    name: Annotated[str, typer.Argument(help="The key's name: AISTER_HOME/keys/NAME.toml.")],
    *,
    symbols: Annotated[str, typer.Option(help="Symbols it is to trade, separated by commas.")] = "BTCUSDT",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Ask the venue whether this key can trade: clock, key, account modes, symbols. Nothing is changed there, no order
    is sent. Exit code 1 when something stands in the way."""
    import msgspec

    from aister.adapters.store.home import open_home
    from aister.app.connection import check_connection
    from aister.cli import shown
    from aister.cli.given import named_symbols

    told = check_connection(open_home(), name, named_symbols(symbols))
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        print(shown(f"{told.name}: account {told.account} on {told.net}, signed by {told.signer}"))
        for sentence in told.hindrances:
            print(shown(f"no   {sentence}"))
        if not told.hindrances:
            print(f"ok   clock, key, account modes and {symbols}: nothing stands in the way of trading")
        print("     whether the key may place orders or withdraw, no call of the venue tells; see docs/keys.md")
    if told.hindrances:
        raise typer.Exit(1)
