"""The simulated exchange in a thread of its own, behind sockets, with one account; and a home with the key to it."""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from aister.adapters.exchanges.aster.hosts import Net, net
from aister.adapters.exchanges.aster.sign import address_of
from aister.core.events import BarClosed
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Request, Settings
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.admin import answer_admin
from aister.exchange_sim.auth import recovered_by_eth_account
from aister.exchange_sim.rules import Readings
from aister.exchange_sim.server import Server
from aister.ports.feed import MarketSlice
from tests.adapters.signer.canary import KEY
from tests.adapters.signer.given import USER
from tests.sim.market import MINUTE_MS, MONEY, bracketed

__all__ = ["KEY_FILE", "NAME", "SYMBOL", "Served", "waves"]

NAME, SYMBOL = "simulator", "BTCUSDT"
HOUR_MS = 3_600_000
KEY_FILE = """net = "simulator"
account = "{user}"
key = "0x{key}"
origin = "{rest}"
"""


def waves(minutes: int, symbol: str = SYMBOL) -> Iterator[MarketSlice]:
    """Up and down by 0.4 % in three quarters of an hour, from the beginning of an hour on."""

    def price(minute: int) -> float:
        return round(100_000 * (1 + 0.004 * math.sin(minute / 7)), 1)

    for minute in range(minutes):
        first, last = price(minute), price(minute + 1)
        open_ms = 1_700_000_000_000 // HOUR_MS * HOUR_MS + minute * MINUTE_MS
        high, low = max(first, last) + 50.0, min(first, last) - 50.0
        bar = BarClosed(open_ms + MINUTE_MS, symbol, open_ms, first, high, low, last, 60.0)
        yield MarketSlice(open_ms, (), (bar,))


class Served:
    """`past` minutes of the market have gone by when it begins now; `home` gets the key of its account."""

    def __init__(
        self,
        home: Path,
        *,
        past: int = 60,
        speed: float = 1.0,
        money: int = 10_000 * MONEY,
        readings: Readings | None = None,
    ) -> None:
        self.home = home
        feed = waves(past + 3_000)
        window_ms = 60_000 if speed == 1 else 0
        settings = Settings(legs=3, nonce_window_ms=window_ms, readings=readings or Readings())
        first_ms = 1_700_000_000_000 // HOUR_MS * HOUR_MS
        now_ms = int(time.time() * 1000)
        shift_ms = (now_ms - past * MINUTE_MS - first_ms) // MINUTE_MS * MINUTE_MS
        read = islice(feed, max(0, past - 60))  # what lies an hour back is read only
        self.exchange = Exchange({SYMBOL: bracketed()}, feed, MINUTE_MS, settings, shift_ms=shift_ms, history=read)
        self.exchange.advance(now_ms)
        agent = address_of(KEY).lower()
        self.books: Account = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}), money)
        answer_admin(self.exchange, None, Request("GET", "/sim/books"))  # compiled now: no caller is to wait
        with suppress(ValueError):
            recovered_by_eth_account(b"a=b", 714, bytes(65))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.server = Server(self.exchange, speed=speed)
        rest, ws = asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(60)
        self.where: Net = net("simulator", f"http://127.0.0.1:{rest}", f"ws://127.0.0.1:{ws}")
        self.write_key()

    def write_key(self, *, user: str = USER, key: bytes = KEY, rest: str = "") -> None:
        path = self.home / "keys" / f"{NAME}.toml"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(0o600)
        path.write_text(KEY_FILE.format(user=user, key=key.hex(), rest=rest or self.where.rest))

    def fault(self, kind: str, **told: Any) -> None:
        """From now on."""
        self.call(lambda: self.exchange.faults.add(Fault(kind, at_ms=self.exchange.now_ms, **told)))

    def call(self, act: Callable[[], object]) -> None:
        """In the exchange's own thread."""

        async def acted() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acted(), self._loop).result(10)

    @property
    def steps(self) -> int:
        """What the exchange's own books hold."""
        return self.books.venue.position(SYMBOL).steps

    def resting(self) -> list[tuple[str, bool]]:
        """Orders that rest, each with whether it can only close."""
        return [(one.client_id, one.close_position or one.reduce_only) for one in self.books.open_orders()]

    def sent(self) -> list[str]:
        """The client id of every order that arrived, in order."""
        posts = [one for one in self.exchange.log if one.request.method == "POST" and "/order" in one.request.path]
        raws = ["&" + (one.request.query + one.request.body).decode() for one in posts]
        return [raw.partition("&newClientOrderId=")[2].partition("&")[0] for raw in raws]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
