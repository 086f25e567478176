"""`aister keys list|check|watcher`: which keys there are, whether one can trade, and who watches over its account."""

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys of exchanges: list, check, watcher.")
    for verb in (list_keys, check, watcher):
        verbs.command(verb.__name__.removesuffix("_keys"))(verb)
    app.add_typer(verbs, name="keys")


def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False) -> None:
    """The names of the keys there are; what a key holds is never shown."""
    import msgspec

    from aister.adapters.store.home import home
    from aister.adapters.vault.keyring import Keyring

    names = Keyring(home()).names()
    if as_json:
        print(msgspec.json.encode(names).decode())
        return
    for name in names:
        print(name)
    if not names:
        print("There are no keys; docs/keys.md says how to make one.")


def check(
    name: Annotated[str, typer.Argument(help="The key's name, of AISTER_HOME/keys/NAME.toml or the environment.")],
    *,
    symbols: Annotated[str, typer.Option(help="Symbols it is to trade, separated by commas.")] = "BTCUSDT",
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Try, with orders that cannot fill, how entries can be protected there, and keep it."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Ask the venue whether this key can trade: clock, key, account modes, symbols. Nothing is changed there, and
    without --probe no order is sent. Exit code 1 when something stands in the way."""
    import msgspec

    from aister.adapters.store.home import open_home
    from aister.adapters.vault.keyring import Keyring
    from aister.app.connection import check_connection, venue_of
    from aister.app.trader_protection import IN_WORDS, try_protection
    from aister.cli import shown
    from aister.cli.given import named_symbols

    home, named = open_home(), named_symbols(symbols)
    told = check_connection(home, name, named)
    if probe and not told.hindrances:
        vault = Keyring(home)
        found = try_protection(home, vault, name, venue_of(vault.credential(name)), named[0])
        told = msgspec.structs.replace(told, protection=found.protection)
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        print(shown(f"{told.name}: account {told.account} on {told.net}, signed by {told.signer}"))
        for sentence in told.hindrances:
            print(shown(f"no   {sentence}"))
        if not told.hindrances:
            print(f"ok   clock, key, account modes and {symbols}: nothing stands in the way of trading")
        if told.protection:
            print(f"ok   entries are protected from the next new run on: {IN_WORDS[told.protection]}")
        print("     whether the key may place orders or withdraw, no call of the venue tells; see docs/keys.md")
    if told.hindrances:
        raise typer.Exit(1)


def watcher(
    name: Annotated[str, typer.Argument(help="The key's name, of AISTER_HOME/keys/NAME.toml or the environment.")],
    *,
    end: Annotated[bool, typer.Option("--end", help="End it; what is held then has only its stops.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Whether a watcher looks after the account of this key, what it sees and did last. It goes on while something is
    held, also when its trader has ended; the next `aister run` brings its own. Exit code 1 when there is none."""
    import msgspec

    from aister.adapters.store.home import home
    from aister.app.watcher import end_watcher, watching
    from aister.cli import shown

    told = watching(home(), name)
    if as_json:
        print(msgspec.json.encode(told).decode())
    elif told is None:
        print("No watcher of this key answers.")
    else:
        print(shown(f"process {told.pid}: {told.why or 'the account is watched'}"))
        print(shown(f"held {', '.join(told.held) or 'nothing'}; without a stop {', '.join(told.bare) or 'nothing'}"))
        if told.last:
            print(shown(f"last {told.last}"))
    if end and end_watcher(home(), name):
        print("It has been ended.")
    elif told is None:
        raise typer.Exit(1)
