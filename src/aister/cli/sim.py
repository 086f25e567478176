"""`aister sim serve`: the simulated AsterDex over HTTP and websocket, for this system's client or any other."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aister.cli import options

if TYPE_CHECKING:
    from aister.adapters.feeds.recorded import RecordedFeed
    from aister.app.simulator import SimulatorSettings
    from aister.exchange_sim.exchange import Exchange

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The simulated exchange: serve.")
    verbs.callback()(lambda: None)
    verbs.command("serve")(serve)
    app.add_typer(verbs, name="sim")


def serve(
    *,
    rest_port: Annotated[int, typer.Option(help="Port of the REST calls; 0 takes a free one.")] = 9701,
    ws_port: Annotated[int, typer.Option(help="Port of the websockets; the same as --rest-port shares it.")] = 9702,
    data: options.Data = "sample",
    symbols: options.Symbols = "",
    start: options.Start = "",
    end: options.End = "",
    assume_funding: options.AssumeFunding = False,
    speed: Annotated[float, typer.Option(help="Market seconds per wall second.")] = 1.0,
    history: Annotated[
        float, typer.Option(help="Hours of the feed that have passed when it starts (--lockstep: before --from).")
    ] = 24.0,
    lockstep: Annotated[
        bool, typer.Option("--lockstep", help="Time moves when every client has sent its barrier.")
    ] = False,
    intrabar: Annotated[str, typer.Option(help="In lockstep: stop_first, ohlc_path or lower_timeframe.")] = "",
    leverage: Annotated[int, typer.Option(help="In lockstep: leverage of entries, as of the run compared with.")] = 3,
    margin: options.MarginMode = "isolated",
    positions: options.Positions = "one_way",
    rules: Annotated[
        Path | None, typer.Option(help="JSON object of its settings: limits, readings, retention, mark, keys.")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="JSON list of accounts; without one there is one with a key in print.")
    ] = None,
    faults: Annotated[Path | None, typer.Option(help="JSON list of faults; times in ms from the start.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="File the exchange is kept in when it stops, and goes on from.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all chance: depth, faults.")] = 1,
    host: Annotated[list[str] | None, typer.Option(help="Another Host name it answers to; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say where it listens as one JSON object.")] = False,
) -> None:
    """Serve an exchange that speaks AsterDex's REST and websocket, trading a recorded feed. Ctrl-C stops it."""
    import time

    from aister.app import simulator
    from aister.cli.compiling import show_compiling
    from aister.cli.given import named_symbols, utc_ms
    from aister.cli.output import writable
    from aister.core.errors import UsageError
    from aister.exchange_sim.server import Server

    for flag, port in (("--rest-port", rest_port), ("--ws-port", ws_port)):
        if not 0 <= port <= 65_535:
            raise UsageError(f"{flag} {port} is not a port; give 1 to 65535, or 0 for a free one.")
    if intrabar and not lockstep:
        raise UsageError("--intrabar has a meaning only with --lockstep; otherwise the market follows its path.")
    settings = simulator.SimulatorSettings(
        data=data,
        symbols=named_symbols(symbols),
        start_ms=utc_ms(start, "--from"),
        end_ms=utc_ms(end, "--to"),
        assume_funding=assume_funding,
        speed=speed,
        lockstep=lockstep,
        intrabar=intrabar or "stop_first",
        leverage=leverage,
        margin=margin,
        positions=positions,
        seed=seed,
        history_ms=round(history * 3_600_000),
        given=simulator.read_rules(rules) if rules else b"{}",
    ).check()
    if state is not None:
        writable(state)
    plan = simulator.read_faults(faults) if faults else ()
    named = simulator.read_accounts(accounts) if accounts else ()
    show_compiling()
    feed = simulator.open_market(settings)
    going_on = state is not None and state.exists()
    exchange = simulator.open_exchange(settings, feed, named, plan, state, round(time.time() * 1000))

    def ready(rest: int, ws: int) -> None:
        lines = _json(rest, ws, exchange) if as_json else _lines(rest, ws, settings, feed, exchange, going_on)
        print("\n".join(lines), flush=True)

    try:
        simulator.serve(Server(exchange, speed=speed, hosts=tuple(host or ())), rest_port, ws_port, ready)
    finally:
        if state is not None:
            simulator.keep_state(exchange, feed, state)
    kept = f"; its books are in {state}, from where the same command goes on" if state else ""
    print(f"Stopped{kept}.", file=sys.stderr)


def _json(rest: int, ws: int, exchange: "Exchange") -> list[str]:
    import msgspec

    where = {"rest": f"http://127.0.0.1:{rest}", "ws": f"ws://127.0.0.1:{ws}", "chain_id": exchange.settings.chain_id}
    told = {**where, "time": exchange.now_ms, "symbols": list(exchange.market.tickers), "accounts": _known(exchange)}
    return [msgspec.json.encode(told).decode()]


def _known(exchange: "Exchange") -> list[dict[str, object]]:
    """Accounts without their secrets."""
    return [
        {
            "account": one.number,
            "user": one.credentials.user,
            "agents": list(one.credentials.agents),
            "api_key": one.credentials.api_key,
        }
        for one in exchange.accounts.values()
    ]


def _lines(
    rest: int, ws: int, settings: "SimulatorSettings", feed: "RecordedFeed", exchange: "Exchange", going_on: bool
) -> list[str]:
    from datetime import UTC, datetime

    from aister.app.simulator import TEST_AGENT, TEST_KEY
    from aister.cli import shown
    from aister.core.money import money_text

    moment = datetime.fromtimestamp(exchange.now_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    days = (feed.span_ms[1] + exchange.market.shift_ms - exchange.now_ms) / 86_400_000
    pace = "by barriers" if settings.lockstep else f"at {settings.speed:g}x"
    until = f"its last bar ends in {days:,.1f} days of its own" if days > 0 else "its last bar is over: it stands still"
    lines = [
        f"REST       http://127.0.0.1:{rest}",
        f"websocket  ws://127.0.0.1:{ws}",
        f"chain id   {exchange.settings.chain_id}",
        f"market     {', '.join(exchange.market.tickers)} of {settings.data}, {pace}; {until}",
        f"clock      {moment}" + ("; it goes on from its file" if going_on else ""),
    ]
    for one in exchange.accounts.values():
        who = one.credentials.user or f"API key {one.credentials.api_key}"
        by = f", agent {', '.join(one.credentials.agents)}" if one.credentials.agents else ""
        lines.append(f"account {one.number}  {who}{by}: {money_text(one.venue.wallet, 2)} USDT")
        if TEST_AGENT.lower() in one.credentials.agents:
            lines.append(f"           signed by {TEST_KEY}, a key in print: never use it elsewhere")
    lines.append(f"faults     {len(exchange.faults.plan)} planned; more by POST /sim/faults")
    return [shown(line) for line in lines]
