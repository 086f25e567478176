"""`aister serve`: everything the HTTP interface is made of, and the server in front of it."""

import asyncio
import ipaddress
import os
import shutil
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn

from aister import __version__
from aister.adapters.host.checks import Check, disk, state_folder
from aister.adapters.store.candles import StoredCandles
from aister.adapters.store.market import user_store
from aister.adapters.store.sample import shipped_instruments
from aister.api.application import Parts, make_api
from aister.api.frame.hosts import Addresses, addresses
from aister.api.health.service import Probe
from aister.api.setup.service import Setup
from aister.core.errors import AisterError, StorageError, UsageError
from aister.lab.code import code_hash

__all__ = ["TOKEN_FILE", "ServeSettings", "listening", "make_parts", "serve", "token_file"]

TOKEN_FILE = "setup-token"
_MOST_CONNECTIONS = 1_000
_GRACE_S = 5


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens. `urls`: further addresses people reach it by, through a proxy, say; `certificate` and `key`:
    PEM files of TLS; `plain`: an address others can reach is served without TLS all the same."""

    host: str = "127.0.0.1"
    port: int = 8700
    urls: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    plain: bool = False

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        try:
            return ipaddress.ip_address("127.0.0.1" if self.host == "localhost" else self.host)
        except ValueError:
            raise UsageError(f"--host {self.host!r} is no IP address; give 127.0.0.1, ::1 or one of yours.") from None

    def check(self) -> "ServeSettings":
        """Itself, if it is safe to serve so; raises `UsageError` with the remedy."""
        if not 0 <= self.port <= 65_535:
            raise UsageError(f"--port {self.port} is not a port; give 1 to 65535, or 0 for a free one.")
        if (self.certificate is None) is not (self.key is None):
            raise UsageError("TLS needs both --certificate and --key; give the other one too.")
        if not self.ip.is_loopback and not self.certificate and not self.plain:
            raise UsageError(
                f"Others can reach {self.host} and would read tokens on the way; give --certificate and --key, keep to "
                "127.0.0.1 behind a proxy, or insist with --without-tls."
            )
        if self.ip.is_unspecified and not self.urls:
            raise UsageError(
                f"{self.host} is every address; name with --url the one people use, as only it is answered."
            )
        return self

    def known(self, port: int) -> Addresses:
        """The Host and Origin values that are answered when this port is served."""
        at = f"[{self.ip}]" if self.ip.version == 6 else str(self.ip)
        names = (
            (at, "localhost")
            if self.ip.is_loopback
            else ("127.0.0.1", "localhost")
            if self.ip.is_unspecified
            else (at,)
        )
        return addresses(self.scheme, names, port, self.urls)

    def url(self, port: int) -> str:
        """Where a person opens it."""
        if self.urls:
            return self.urls[0].rstrip("/")
        return f"{self.scheme}://[{self.ip}]:{port}" if self.ip.version == 6 else f"{self.scheme}://{self.ip}:{port}"


def make_parts(settings: ServeSettings, port: int, home: Path, setup: Setup) -> Parts:
    """The interface's parts over a state folder."""
    return Parts(
        version=__version__,
        known=settings.known(port),
        tls=settings.scheme == "https",
        setup=setup,
        identify=setup.identify,
        probes=_probes(home),
        instruments=shipped_instruments(),
        candles=StoredCandles(),
        engine_hash=code_hash(),
        now_ms=lambda: time.time_ns() // 1_000_000,
        monotonic=time.monotonic,
    )


def _probes(home: Path) -> dict[str, Probe]:
    def market_data() -> str:
        try:
            user_store()
        except AisterError as error:
            return str(error)
        return ""

    return {
        "home": lambda: _wrong(state_folder(home)),
        "disk": lambda: _wrong(disk(shutil.disk_usage(home).free, home)),
        "market data": market_data,
    }


def _wrong(check: Check) -> str:
    return f"{check.fact}: {check.remedy}" if check.status == "bad" else ""


def listening(settings: ServeSettings) -> socket.socket:
    """A socket that listens there. Raises `UsageError` for an address that is taken or not this machine's."""
    family = socket.AF_INET6 if settings.ip.version == 6 else socket.AF_INET
    try:
        return socket.create_server((str(settings.ip), settings.port), family=family)
    except OSError as error:
        raise UsageError(
            f"It cannot listen on {settings.host} port {settings.port} ({error.strerror}); name another --port, 0 "
            "takes a free one."
        ) from None


def serve(settings: ServeSettings, parts: Parts, bound: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, which let answers that are under way end; `ready` is called once requests are
    answered. Raises `UsageError` for a certificate that cannot be used."""
    config = uvicorn.Config(
        make_api(parts),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The certificate {settings.certificate} and its key cannot be used ({type(error).__name__}); give two PEM "
            "files that belong together."
        ) from None
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_Server(config, ready).serve(sockets=[bound]))


class _Server(uvicorn.Server):
    """Says when it is ready, and takes signals as a wish to end, not as a failure."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop, taken = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in taken:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)


@contextmanager
def token_file(home: Path, token: str) -> Iterator[Path]:
    """The set-up token in a file that only its owner can read, gone afterwards: for a server whose output is no
    terminal and may be kept as a log."""
    path = home / TOKEN_FILE
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{token}\n")
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}); check the folder.") from None
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
