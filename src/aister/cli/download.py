"""`aister data download`: historical bars and funding from AsterDex into the store."""

import sys
from typing import Annotated, Any

import typer

from aister.core.errors import UsageError

__all__ = ["download"]


def download(
    symbols: Annotated[list[str], typer.Argument(help="Such as BTCUSDT ETHUSDT.")],
    *,
    start: Annotated[str, typer.Option("--from", help="First bar, UTC: 2025-05-10 or 2025-05-10T12:00.")],
    end: Annotated[str, typer.Option("--to", help="End, exclusive, UTC; by default now.")] = "",
    interval: Annotated[str, typer.Option(help="Such as 1m, 15m or 1h.")] = "1m",
    funding: Annotated[bool, typer.Option(help="Bring the funding settlements too.")] = True,
    net: Annotated[str, typer.Option(help="mainnet, testnet, or simulator.")] = "mainnet",
    rest: Annotated[str, typer.Option(help="Address of the simulator, such as http://127.0.0.1:8080.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Bring bars and funding from AsterDex into the store; what is there already is not asked for again."""
    import asyncio

    from aister.adapters.exchanges.aster import hosts
    from aister.adapters.exchanges.aster.download import Downloaded, Wanted
    from aister.adapters.exchanges.aster.download import download as bring
    from aister.adapters.exchanges.aster.history import History
    from aister.adapters.exchanges.aster.rest import Rest
    from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
    from aister.adapters.store.home import open_home
    from aister.adapters.store.intervals import interval_ms
    from aister.adapters.store.market import data_folder
    from aister.cli.given import utc_ms

    start_ms = utc_ms(start, "--from") or 0
    end_ms = utc_ms(end, "--to") or sys.maxsize
    if end_ms <= start_ms:
        raise UsageError("The span ends before it starts; swap --from and --to.")
    if (net == "simulator") != bool(rest):
        raise UsageError("--rest is the simulator's address: give it with --net simulator, and only then.")
    where = hosts.net(net, rest, rest.replace("http", "ws", 1)) if rest else hosts.net(net)
    wanted = Wanted(
        symbols=tuple(dict.fromkeys(symbols)),
        interval_ms=interval_ms(interval),
        start_ms=start_ms,
        end_ms=end_ms,
        source=f"AsterDex {net}, REST",
        proxies=() if net == "mainnet" else (net,),
        funding=funding,
    )
    open_home()

    async def fetch() -> list[Downloaded]:
        wire, clock = SocketWire(where), WallClock()
        try:
            history = History(Rest(wire, clock, timeout_ms=10_000), gathering=True)
            return await bring(history, clock, data_folder(), wanted, _progress)
        finally:
            await wire.close()

    done = asyncio.run(fetch())
    if as_json:
        _print_json(done)
        return
    for one in done:
        _say(
            f"{one.symbol} {one.kind} {one.interval}: {one.rows_new:,} new rows, {one.rows_there:,} already there, "
            f"{one.missing:,} missing in the whole series (recorded, not filled)."
        )


def _progress(line: str) -> None:
    from aister.cli import shown

    print(shown(line), file=sys.stderr)


def _say(line: str) -> None:
    from aister.cli import shown

    print(shown(line))


def _print_json(value: Any) -> None:
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
    sys.stdout.buffer.flush()
