"""The simulated exchange, composed: a recorded feed as its market, accounts, a plan of faults, a file it goes on from.

Served at the wall's speed its clock is the wall's, and the recording is moved so that it plays now: clients that know
only the present can trade on it.
"""

import asyncio
import signal
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from math import lcm
from pathlib import Path
from typing import TypeVar

import msgspec

from aister.adapters.feeds.recorded import RecordedFeed, open_feed
from aister.core.errors import StorageError, UsageError
from aister.core.money import UNIT
from aister.exchange_sim import FREE_MODEL, Agent, Credentials, Exchange, Fault, Request, Settings
from aister.exchange_sim.admin import answer_admin
from aister.exchange_sim.server import Server
from aister.exchange_sim.state import load, save
from aister.sim.models import FillModel, Margin

__all__ = [
    "TEST_AGENT",
    "TEST_KEY",
    "TEST_USER",
    "AccountFile",
    "SimulatorSettings",
    "event_loop",
    "keep_state",
    "open_exchange",
    "open_market",
    "planned",
    "read_accounts",
    "read_faults",
    "read_rules",
    "serve",
]

TEST_USER = "0x63DD5aCC6b1aa0f563956C0e534DD30B6dcF7C4e"
TEST_AGENT = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
TEST_KEY = "0x" + "11" * 32
"""The account of a simulator that was given none. Its key is in print: it is worth nothing anywhere else."""

T = TypeVar("T")
_ANY_NONCE = 0
_MARGINS, _POSITIONS = ("isolated", "cross"), ("one_way", "hedge")
_INTRABAR = ("stop_first", "ohlc_path", "lower_timeframe")


class AccountFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account as a file names it: main wallet address and agents (V3), or API key and secret (V1); `money` in whole
    units of the quote asset."""

    money: float = 10_000
    user: str = ""
    agents: tuple[str, ...] = ()
    api_key: str = ""
    secret: str = ""


class SimulatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated. `speed`: market seconds per wall second; `history_ms` of the feed have passed when it starts.
    In lockstep the feed keeps its own times, its history is what lies before `start_ms`, and `intrabar`, `leverage`,
    `margin` and `positions` are those of the run it is compared with. `given`: a JSON object of further `Settings` of
    the exchange."""

    data: str = "sample"
    symbols: tuple[str, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    assume_funding: bool = False
    speed: float = 1.0
    lockstep: bool = False
    intrabar: str = "stop_first"
    leverage: int = 3
    margin: str = "isolated"
    positions: str = "one_way"
    seed: int = 1
    history_ms: int = 86_400_000
    given: bytes = b"{}"

    def check(self) -> "SimulatorSettings":
        """The settings, if they make sense; raises `UsageError` naming the remedy."""
        if not 0 < self.speed <= 100_000:
            raise UsageError("--speed lies between 0 (exclusive) and 100000 market seconds per wall second; give 1.")
        if self.intrabar not in _INTRABAR:
            raise UsageError(f"--intrabar {self.intrabar!r} is not possible; choose one of {', '.join(_INTRABAR)}.")
        if self.margin not in _MARGINS:
            raise UsageError(f"--margin {self.margin!r} is not possible; choose isolated or cross.")
        if self.positions not in _POSITIONS:
            raise UsageError(f"--positions {self.positions!r} is not possible; choose one_way or hedge.")
        if not 1 <= self.leverage <= 125:
            raise UsageError("--leverage lies between 1 and 125.")
        if not 0 <= self.seed < 2**63:
            raise UsageError("--seed must be a whole number from 0 to 2^63 - 1; for example 1.")
        if not 0 <= self.history_ms <= 30 * 86_400_000:
            raise UsageError("--history lies between 0 and 720 hours; give 24.")
        if find_spec("eth_account") is None:
            raise UsageError(
                "The simulator checks signatures with eth-account, which is not installed; pip install 'aister[sim]'."
            )
        return self

    def of_exchange(self) -> Settings:
        """The exchange's own settings. Where its clock is not the wall's, nonces of any time are taken."""
        free = FREE_MODEL
        if self.lockstep:
            margin = Margin(self.margin, self.leverage)  # type: ignore[arg-type]
            free = FillModel(margin=margin, intrabar=self.intrabar)  # type: ignore[arg-type]
        model = msgspec.structs.replace(free, position_mode=self.positions)
        window_ms = 60_000 if self.speed == 1 and not self.lockstep else _ANY_NONCE
        usual = Settings(lockstep=self.lockstep, model=model, seed=self.seed, nonce_window_ms=window_ms)
        given = msgspec.json.decode(self.given, type=dict[str, object])
        return msgspec.convert(msgspec.to_builtins(usual) | given, Settings).check()


def open_market(settings: SimulatorSettings) -> RecordedFeed:
    """The feed the settings name. Raises `DataError` or `UsageError`."""
    return open_feed(
        settings.data,
        symbols=settings.symbols or None,
        start_ms=settings.start_ms,
        end_ms=settings.end_ms,
        assume_funding=settings.assume_funding,
        warm_up_ms=settings.history_ms if settings.lockstep else 0,
    )


def open_exchange(
    settings: SimulatorSettings,
    feed: RecordedFeed,
    accounts: tuple[AccountFile, ...],
    plan: tuple[Fault, ...],
    kept: Path | None,
    now_ms: int,
) -> Exchange:
    """The exchange: as the file left it, when there is one (accounts and faults are in it), else a new one.

    `now_ms` is the wall clock. A new one begins at the first bar of the feed, moved by whole funding intervals so that
    with its history played, or up to one interval more, it is now; fault times count from now. One that goes on at the
    wall's speed has missed nothing: what happened meanwhile in the market is played."""
    asked = settings.of_exchange()
    if kept is not None and kept.exists():
        made = load(_read(kept), feed.data_hash, feed.instruments, feed.slices(), feed.base_interval_ms, asked)
        if settings.speed == 1 and not settings.lockstep:
            made.advance(now_ms)
        return made
    step = feed.base_interval_ms
    first, whole = feed.span_ms[0], lcm(step, *(one.funding_interval_ms for one in feed.instruments.values()))
    shift = 0 if settings.lockstep else (now_ms - settings.history_ms - first) // whole * whole
    past = feed.history.slices() if feed.history else ()
    made = Exchange(feed.instruments, feed.slices(), step, asked, shift_ms=shift, history=past)
    if not settings.lockstep:
        made.advance(now_ms)
    for account in accounts or (AccountFile(user=TEST_USER, agents=(TEST_AGENT,)),):
        made.add_account(_credentials(account), round(account.money * UNIT))
    made.faults.add(*(planned(fault, made.now_ms) for fault in plan))
    return made


def _credentials(account: AccountFile) -> Credentials:
    agents = {address.lower(): Agent(address.lower()) for address in account.agents}
    return Credentials(account.user, agents, account.api_key, account.secret)


def planned(fault: Fault, start_ms: int) -> Fault:
    """A fault of a file, whose times count from the start."""
    until_ms = fault.until_ms + start_ms if fault.until_ms else 0
    return msgspec.structs.replace(fault, at_ms=fault.at_ms + start_ms, until_ms=until_ms)


def read_accounts(path: Path) -> tuple[AccountFile, ...]:
    """A JSON list of accounts. Raises `UsageError` saying what is wrong with it."""
    found = _decoded(path, "accounts", tuple[AccountFile, ...])
    for account in found:
        if not (account.user and account.agents) and not (account.api_key and account.secret):
            raise UsageError(
                f"An account in {path} has neither user and agents nor api_key and secret; give it one of the two."
            )
        if not 0 <= account.money <= 1_000_000_000:
            raise UsageError(f"The money of an account in {path} lies between 0 and 1,000,000,000.")
    return found


def read_faults(path: Path) -> tuple[Fault, ...]:
    """A JSON list of faults whose times count from the start, in ms. Raises `UsageError`."""
    try:
        return tuple(fault.check() for fault in _decoded(path, "faults", tuple[Fault, ...]))
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None


def read_rules(path: Path) -> bytes:
    """A JSON object of the exchange's settings (`exchange_sim.Settings`), as far as they differ from the usual. Raises
    `UsageError`."""
    raw = _read(path)
    try:
        given = msgspec.json.decode(raw, type=dict[str, object])
        if strange := sorted(given.keys() - set(Settings.__struct_fields__)):
            raise msgspec.ValidationError(f"there is no setting {strange[0]!r}")
        msgspec.convert(given, Settings)
    except (msgspec.ValidationError, msgspec.DecodeError) as wrong:
        raise UsageError(f"{path} is not a JSON object of settings ({wrong}); docs/simulator.md lists them.") from None
    return raw


def _decoded(path: Path, what: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(_read(path), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as wrong:
        raise UsageError(f"{path} is not a JSON list of {what} ({wrong}); docs/simulator.md shows one.") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from None


def keep_state(exchange: Exchange, feed: RecordedFeed, path: Path) -> None:
    """The exchange as a file only its owner can read, whole or not at all. Raises `StorageError`."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.touch(0o600)
        beside.write_bytes(save(exchange, feed.data_hash))
        beside.replace(path)
    except OSError as error:
        raise StorageError(f"The simulator's state could not be written to {path} ({error.strerror}).") from None


def serve(server: Server, rest_port: int, ws_port: int, ready: Callable[[int, int], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is told the ports. Raises `UsageError` for a port that is taken."""
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(_serve(server, rest_port, ws_port, ready))


async def _serve(server: Server, rest_port: int, ws_port: int, ready: Callable[[int, int], None]) -> None:
    for slow in ("eth_account", "eth_account.messages"):  # loaded and compiled now: the first caller is not to wait
        import_module(slow)
    answer_admin(server.exchange, None, Request("GET", "/sim/books"))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        try:
            ports = await server.start(rest_port, ws_port)
        except OSError as error:
            raise UsageError(
                f"The simulator cannot listen on ports {rest_port} and {ws_port} ({error.strerror}); "
                "name others with --rest-port and --ws-port, 0 takes a free one."
            ) from None
        ready(*ports)
        await stop.wait()
    finally:
        await server.stop()


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed, else None: Python's own."""
    if find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - not on every system

    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made
