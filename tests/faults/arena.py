"""Runs over sockets with real processes and real signals: `aister run --venue aster` before the simulated exchange,
killed, stopped and started again, judged by the exchange's books and log, and by the journal that is left.

The exchange's clock runs `SPEED` times the wall's. Bars of time are those of virtual time, plus `SLACK_MS` of that
clock, plus the time in which the machine gave the processes no turn (`turns`).
"""

import asyncio
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.sign import address_of
from aister.adapters.signer.child import holder_of
from aister.adapters.store.installation import installation
from aister.adapters.store.records import AuditReader
from aister.app.watcher import end_watcher
from aister.app.watching import lock_path
from aister.core.audit import TradeClosed
from aister.core.events import BarClosed
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, OrderState, Request, Settings
from aister.exchange_sim.admin import answer_admin
from aister.exchange_sim.server import Server
from aister.ports.feed import MarketSlice
from tests.adapters.signer.canary import KEY
from tests.adapters.signer.given import USER
from tests.app.served import KEY_FILE, NAME
from tests.faults import oracle
from tests.faults.forked import started
from tests.faults.house import signed_by
from tests.faults.turns import Turns, schedstat
from tests.faults.wrong import SYMBOLS
from tests.sim.market import MINUTE_MS, MONEY, bracketed

__all__ = ["SPEED", "Ended", "real_runs"]

SPEED, SLACK_MS = 20, 20_000
LASTS_S, DAYS = 12.0, 9.5
PAST = round(DAYS * 1_440) + 10
FIRST_MS = 1_700_000_000_000 // 3_600_000 * 3_600_000
BLOWS = ("kill trader", "kill signer", "kill watcher", "kill all", "stop trader", "stop watcher")
QUICK = {
    "version": 1,
    "name": "quick",
    "description": "In and out within minutes.",
    "timeframe": "1m",
    "long": {
        "entry": {">": [{"feature": "close"}, {"feature": "ema", "span": 3}]},
        "stop": {"distance": {"*": [3.0, {"feature": "atr", "span": 14}]}},
        "targets": [{"r": 0.5, "share": 1.0}],
    },
    "short": "mirror",
    "horizon": {"bars": 2},
    "sizing": {"risk": 0.005, "notional": 0.4, "leverage": 3},
}


class Ended(msgspec.Struct, frozen=True):
    """What a run over sockets came to."""

    seed: int
    blows: tuple[str, ...]
    breaches: tuple[tuple[str, int, str], ...]
    orders: int
    trips: int
    lives: int
    naked: tuple[int, ...]
    said: str


class Afterwards(oracle.Oracle):
    """An oracle that hears of the journal when all is over."""

    def __init__(self, exchange: Exchange, account: object, blind: Callable[[int, int, bool], int]) -> None:
        super().__init__(exchange, account, blind)  # type: ignore[arg-type]
        self._seen: list[OrderState] = []
        self._late_steps: dict[str, int] = {}

    def leave(self) -> None:
        """The trader has ended: what happens from here on is nobody's to journal; nor what happened just now."""
        with suppress(ValueError):
            self._exchange.observers.remove(self.happened)
        since_ms = self._exchange.now_ms - oracle.LOST_MS - SLACK_MS
        for (client_id, _), at_ms in self._waiting.items():
            if at_ms >= since_ms:
                self._late_steps[client_id] = self._traded[client_id]

    def _quantity(self, order: OrderState, now_ms: int) -> None:
        self._seen.append(order)

    def judge(self, home: Path) -> int:
        """Every check that needs the journal; how many round trips it holds."""
        instance, trips = installation(home), 0
        self._waiting.clear()
        with AuditReader(home) as reader:
            for entry in reader.entries():
                self.journal(entry.audit, instance)
                trips += sum(isinstance(one, TradeClosed) for one in entry.audit.outputs)
        self._waiting.clear()
        for order in self._seen:
            super()._quantity(order, order.created_ms)
        for client_id, steps in self._traded.items():
            if self._told[client_id] < steps and client_id not in self._late_steps:
                self._breach(
                    "lost", self._exchange.now_ms, f"{client_id}: {self._told[client_id]} of {steps} journaled"
                )
        self.end()
        return trips


def _market(minutes: int, chance: random.Random) -> Iterator[MarketSlice]:
    """Two symbols that wander about a third of a percent a minute."""
    at = {symbol: price for symbol, price in zip(SYMBOLS, (100_000.0, 3_000.0), strict=True)}
    for minute in range(minutes):
        open_ms = FIRST_MS + minute * MINUTE_MS
        bars = []
        for symbol in SYMBOLS:
            first, reach = at[symbol], at[symbol] / 400
            last = at[symbol] = round(first + chance.uniform(-reach, reach), 1)
            high, low = max(first, last) + reach / 3, min(first, last) - reach / 3
            bar = BarClosed(open_ms + MINUTE_MS, symbol, open_ms, first, round(high, 1), round(low, 1), last, 900.0)
            bars.append(bar)
        yield MarketSlice(open_ms, (), tuple(bars))


class Arena:
    """One exchange behind sockets, one home, and the processes of one trader after the other."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home, self.seed, self.chance = home, seed, random.Random(seed)
        now_ms = int(time.time() * 1000)
        shift_ms = (now_ms - PAST * MINUTE_MS - FIRST_MS) // MINUTE_MS * MINUTE_MS
        listed = {symbol: msgspec.structs.replace(bracketed(), symbol=symbol, base=symbol[:3]) for symbol in SYMBOLS}
        settings = Settings(legs=3, nonce_window_ms=0)
        feed = _market(PAST + 3_000, random.Random(seed))
        past = islice(feed, PAST - 5)
        self.exchange = Exchange(listed, feed, MINUTE_MS, settings, shift_ms=shift_ms, verify=signed_by, history=past)
        self.exchange.advance(now_ms)
        agent = address_of(KEY).lower()
        self.books = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}), 10_000 * MONEY)
        answer_admin(self.exchange, None, Request("GET", "/sim/books"))
        self.dark: list[tuple[int, int]] = []
        self.oracle = Afterwards(self.exchange, self.books, self._blind)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = Server(self.exchange, speed=SPEED)
        rest, ws = asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(60)
        self._where = net("simulator", f"http://127.0.0.1:{rest}", f"ws://127.0.0.1:{ws}")
        key = home / "keys" / f"{NAME}.toml"
        key.parent.mkdir(mode=0o700)
        key.touch(0o600)
        key.write_text(KEY_FILE.format(user=USER, key=KEY.hex(), rest=self._where.rest))
        self.spec = home / "quick.json"
        self.spec.write_text(json.dumps(QUICK))
        self.log = home / "said.log"
        self.lives = 0
        self.turns = Turns(self._threads, lambda: self.exchange.now_ms, SPEED)

    def _blind(self, since_ms: int, until_ms: int, protecting: bool) -> int:
        """Nobody was there, or nobody had a turn, and the slack."""
        gone = sum(max(0, min(ended, until_ms) - max(begun, since_ms)) for begun, ended in self.dark)
        return SLACK_MS + gone + self.turns.missed_ms(since_ms, until_ms)

    def _threads(self) -> list[Path]:
        """Whose turns count: those of the exchange, of the trader, its signer and its watcher."""
        ours = schedstat(os.getpid(), self._thread.native_id or 0)
        return [ours, *(schedstat(pid) for pid in self._pids("all"))]

    def begin(self) -> None:
        self.lives += 1
        where = ["--rest-url", self._where.rest, "--ws-url", self._where.stream, "--symbols", ",".join(SYMBOLS)]
        asked = ["run", "--venue", "aster", "--feed", "live", "--net", "simulator", "--speed", str(SPEED), *where]
        what = ["--strategy", str(self.spec), "--mind", "none", "--profile", "aggressive", "--warm-up", str(DAYS)]
        self.trader = started(self.home, self.log, [*asked, *what])
        if self.lives == 1 and not self.turns.begun:
            self.turns.begin()

    def strike(self, blow: str) -> None:
        """A signal, and what follows from it: a dead trader is started again, a stopped process goes on."""
        what, whom = blow.split()
        number = signal.SIGKILL if what == "kill" else signal.SIGSTOP
        fell_ms = self.exchange.now_ms
        pids = self._pids(whom)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(self.chance.uniform(0.2, 1.5))
        if what == "stop":
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        elif whom in ("trader", "all"):
            self.trader.join(5)
            self.begin()
            self.settled()
        self.dark.append((fell_ms, self.exchange.now_ms))

    def _pids(self, whom: str) -> list[int]:
        signer = holder_of(self.home / "signer" / f"{address_of(KEY).lower()}.lock")
        watcher, trader = holder_of(lock_path(self.home, NAME)), self.trader.pid or 0
        by_name = {"trader": [trader], "signer": [signer], "watcher": [watcher], "all": [trader, signer, watcher]}
        return [pid for pid in by_name[whom] if pid > 1]

    def settled(self, within_s: float = 240.0) -> None:
        """Until the trader has read the exchange's books. A first start that a busy machine made fail is repeated."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if not self.trader.is_alive():
                if self.lives > 1 or "cannot be read" not in self.log.read_text("utf-8"):
                    break
                self.lives -= 1
                self.begin()
            said = self.log.read_text("utf-8") if self.log.exists() else ""
            if said.count("The exchange's books are read.") >= self.lives:
                return
            time.sleep(0.05)
        raise AssertionError(f"the trader did not come up: {self.log.read_text('utf-8')[-2_000:]}")

    def traded(self, within_s: float = 30.0) -> None:
        """Until something was ordered: blows may have taken all the minutes there were so far."""
        until = time.monotonic() + within_s
        while not self.books.orders and time.monotonic() < until:
            time.sleep(0.1)

    def end(self) -> None:
        """Ctrl-C; then nothing of it is left."""
        if self.trader.is_alive() and self.trader.pid:
            os.kill(self.trader.pid, signal.SIGINT)
            self.trader.join(20)
        if self.trader.is_alive():
            self.trader.kill()
            self.trader.join(5)
        self.oracle.leave()
        end_watcher(self.home, NAME)

    def close(self) -> None:
        self.turns.end()
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


def _faults(chance: random.Random, now_ms: int) -> Iterator[Fault]:
    """Some of what the exchange does beside the signals, within the time of the run."""
    for _ in range(3):
        at_ms = now_ms + int(chance.uniform(0.1, 0.8) * LASTS_S * SPEED * 1000)
        yield chance.choice((
            Fault("request", at_ms=at_ms, count=1, method="POST", path="order", status=503, code=-1007, outcome="done"),
            Fault("request", at_ms=at_ms, count=1, method="POST", path="order", status=503, outcome="refused"),
            Fault("cut", at_ms=at_ms, user_streams=True),
            Fault("expire_listen_key", at_ms=at_ms),
            Fault("drop", at_ms=at_ms, until_ms=at_ms + 30_000, share_e4=5_000, user_streams=True),
            Fault("partial", at_ms=at_ms, count=2, fill_e4=4_000, ms=500),
        ))  # fmt: skip


def real_runs(seeds: range, at_once: int) -> tuple[Ended, ...]:
    """So many side by side, as they mostly wait."""
    with ThreadPoolExecutor(at_once) as pool:
        return tuple(pool.map(_fought, seeds))


def _fought(seed: int) -> Ended:
    """One run: it comes up, trades for `LASTS_S` (or until it has) under one to three blows, is ended by Ctrl-C and
    judged."""
    with TemporaryDirectory(prefix="aister-") as folder:
        home = Path(folder) / "h"
        home.mkdir(mode=0o700)
        arena = Arena(home, seed)
        chance = arena.chance
        blows = tuple(chance.choice(BLOWS) for _ in range(chance.randint(1, 3)))
        try:
            arena.begin()
            arena.settled()
            arena.exchange.faults.add(*_faults(chance, arena.exchange.now_ms))
            for blow in blows:
                time.sleep(LASTS_S / (len(blows) + 1) * chance.uniform(0.6, 1.0))
                arena.strike(blow)
            time.sleep(LASTS_S / (len(blows) + 1))
            arena.traded()
            arena.end()
            said = arena.log.read_text("utf-8")
        finally:
            arena.end()
            arena.close()
        trips = arena.oracle.judge(home)
    found = tuple((one.what, one.time_ms, one.text) for one in arena.oracle.breaches)
    if "Traceback" in said:
        found = (*found, ("problem", 0, said[said.index("Traceback") :][:2_000]))
    orders = len({one.client_id for one in arena.books.orders.values()})
    naked = tuple(arena.oracle.naked)
    return Ended(seed, blows, found, orders, trips, arena.lives, naked, said[-3_000:])
