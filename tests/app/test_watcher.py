"""A watcher, its trader and their signers as real processes before the simulated exchange's sockets; who dies, dies by
a real signal. What counts is what the exchange's own books say."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.signer.child import holder_of
from aister.adapters.vault.environment import EnvironmentVault
from aister.adapters.vault.file import FileVault
from aister.adapters.watcher.acts import acts_path, read_acts
from aister.adapters.watcher.line import Watching
from aister.app.watcher import WatcherProcess, end_watcher, watching
from aister.app.watching import lock_path
from aister.core.errors import SettingsError
from aister.core.trade import OrderType
from aister.exchange_sim import Agent, Credentials, Exchange, Fault
from aister.exchange_sim.server import Server
from aister.execution.identity import instance_of, watched
from tests.adapters.signer.given import AGENT, USER
from tests.app.posted import INSTANCE, NAME, SYMBOL
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, slices
from tests.sim.market import MONEY, instrument

KEY_FILE = """scheme = "v3"
net = "simulator"
account = "{user}"
key = "0x{key}"
origin = "{rest}"
"""


class Post:
    """The exchange in a thread of its own, a trader in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        now = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
        feed = slices(*[FLAT] * 10)
        self.exchange = Exchange({SYMBOL: instrument()}, feed, MINUTE_MS, shift_ms=now - START_MS)
        self.books = self.exchange.add_account(
            Credentials(USER, {AGENT.lower(): Agent(AGENT.lower())}), 100_000 * MONEY
        )
        self.loop = asyncio.new_event_loop()
        self.threads = [threading.Thread(target=self.loop.run_forever, daemon=True)]
        self.threads[0].start()
        self.server = Server(self.exchange)
        rest, ws = asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(60)
        urls = f"http://127.0.0.1:{rest}", f"ws://127.0.0.1:{ws}"
        (home / "keys").mkdir(mode=0o700)
        path = home / "keys" / f"{NAME}.toml"
        path.write_text(KEY_FILE.format(user=USER, key="11" * 32, rest=urls[0]))
        path.chmod(0o600)
        self.trader = subprocess.Popen(
            [sys.executable, "-m", "tests.app.posted", str(home), *urls],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told: dict[str, Any] = {}
        self.threads.append(threading.Thread(target=self._listen, daemon=True))
        self.threads[1].start()

    def _listen(self) -> None:
        assert self.trader.stdout is not None
        for line in self.trader.stdout:
            self.told = json.loads(line)

    def until(self, holds: Callable[[], object], within_s: float) -> float:
        """Until it holds; how long that took."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < within_s, (self.told, self.acts(), self.steps, self.stops())
            time.sleep(0.02)
        return time.monotonic() - began

    @property
    def steps(self) -> int:
        return self.books.venue.position(SYMBOL).steps

    def stops(self) -> list[str]:
        return [one.client_id for one in self.books.open_orders() if one.original is OrderType.STOP_MARKET]

    def acts(self) -> list[str]:
        return [one.what for one in read_acts(acts_path(self.home, NAME))]

    def fault(self, kind: str, **told: Any) -> None:
        """From now on."""
        self.loop.call_soon_threadsafe(
            lambda: self.exchange.faults.add(Fault(kind, at_ms=self.exchange.now_ms, **told))
        )

    def lose_the_stop(self) -> None:
        self.fault("cancel_order", symbol=SYMBOL, text="stop")
        self.until(lambda: not self.stops(), 5)

    def watcher(self) -> int:
        return holder_of(lock_path(self.home, NAME))

    def close(self) -> None:
        for pid in (self.told.get("signer", 0), self.trader.pid):
            if pid:
                with_pid(pid, signal.SIGKILL)
        self.trader.wait(5)
        end_watcher(self.home, NAME)
        asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        for thread in self.threads:
            thread.join(5)
        self.loop.close()
        assert self.trader.stdin is not None and self.trader.stdout is not None
        self.trader.stdin.close()
        self.trader.stdout.close()


def with_pid(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        assert number == signal.SIGKILL


@pytest.fixture
def post() -> Iterator[Post]:
    with tempfile.TemporaryDirectory(prefix="aister-") as folder:
        made = Post(Path(folder))
        try:
            made.until(lambda: made.told.get("why") == "", 90)
            yield made
        finally:
            made.close()


def test_a_stop_lost_while_the_trader_stands_still_is_put_back_and_a_dead_watcher_is_told(post: Post) -> None:
    assert post.steps == 100 and len(post.stops()) == 1
    watcher = post.watcher()
    for told in ("cmdline", "environ", "limits"):
        assert b"11" * 32 not in (said := Path(f"/proc/{watcher}/{told}").read_bytes()), said
    assert re.search(rb"Max core file size +0 +0 ", said) and Path(f"/proc/{watcher}/environ").stat().st_uid == 0
    os.kill(watcher, signal.SIGSTOP)
    assert post.until(lambda: post.told["why"] != "", 6) <= 5
    post.until(lambda: post.told["why"] == "" and post.told["starts"] == 2, 10)
    assert post.watcher() not in (0, watcher)

    os.kill(post.trader.pid, signal.SIGSTOP)
    post.lose_the_stop()
    assert post.until(post.stops, 11) <= 10
    [stop] = post.stops()
    assert (instance_of(stop), watched(stop)) == (INSTANCE, "stop")
    os.kill(post.trader.pid, signal.SIGCONT)
    post.until(lambda: "stop put back" in post.acts() and "trader back" in post.acts(), 5)


def test_with_trader_and_signer_dead_it_signs_for_itself_closes_what_has_no_stop_and_ends_when_flat(post: Post) -> None:
    signer = post.told["signer"]
    post.fault("refuse_stop", code=-4120)
    os.kill(post.trader.pid, signal.SIGKILL)
    with_pid(signer, signal.SIGKILL)
    post.trader.wait(5)
    post.lose_the_stop()
    assert post.until(lambda: post.steps == 0, 11) <= 10
    assert [what for what in post.acts() if what in ("stop put back", "closed")] == ["stop put back", "closed"]
    post.until(lambda: not post.watcher(), 12)
    lock = post.home / "signer" / f"{AGENT.lower()}.lock"
    post.until(lambda: not holder_of(lock), 5)


def test_it_stays_after_a_clean_end_while_something_is_held_and_can_be_ended(post: Post) -> None:
    assert post.trader.stdin is not None
    post.trader.stdin.write("leave\n")
    post.trader.stdin.flush()
    assert post.trader.wait(10) == 0
    post.until(lambda: "stays" in post.told, 2)
    assert post.told["stays"] is True
    own = Watching(0, "", (SYMBOL,))  # once it has a signer of its own
    post.until(lambda: (told := watching(post.home, NAME)) is not None and replace(told, pid=0) == own, 10)
    post.lose_the_stop()
    assert post.until(post.stops, 11) <= 10
    post.until(lambda: (told := watching(post.home, NAME)) is not None and told.last.startswith("The venue has it"), 5)
    assert end_watcher(post.home, NAME) and not post.watcher() and not end_watcher(post.home, NAME)
    assert watching(post.home, NAME) is None


def test_a_key_without_a_file_is_handed_over_and_a_venue_that_is_silent_is_told(tmp_path: Path) -> None:
    told = {
        "SCHEME": "v3",
        "NET": "simulator",
        "ACCOUNT": USER,
        "KEY": "0x" + "11" * 32,
        "ORIGIN": "http://127.0.0.1:9",
    }
    vault = EnvironmentVault({f"AISTER_KEY_TEST_{name}": value for name, value in told.items()})
    where = net("simulator", "http://127.0.0.1:9", "ws://127.0.0.1:9")
    with tempfile.TemporaryDirectory(prefix="aister-") as folder:
        home = Path(folder)
        watcher = WatcherProcess(home, vault, NAME, where, symbols=(SYMBOL,), instance=INSTANCE)
        watcher.start()
        try:
            until = time.monotonic() + 10
            while watcher.state is None or "No connection" not in watcher.state.why:
                assert time.monotonic() < until, watcher.state
                time.sleep(0.1)
                watcher.beat()
            assert watcher.alive and watcher.pid == holder_of(lock_path(home, NAME)) and watcher.starts == 1
        finally:
            watcher.stop()
        assert not holder_of(lock_path(home, NAME))
        assert not [one for one in home.rglob("*") if one.is_file() and b"11" * 32 in one.read_bytes()]

        nobody = WatcherProcess(home, FileVault(home), "none", where, symbols=(SYMBOL,), instance=INSTANCE)
        with pytest.raises(SettingsError, match="There is no key none"):
            nobody.start()


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_simulator_that_is_gone_is_given_up_by_this_machines_clock(speed: float, monkeypatch: Any) -> None:
    """This one has never answered, and no trader was heard of since the watcher began."""
    monkeypatch.setattr("aister.app.watcher._LOST_S", 2.0)
    where = net("simulator", "http://127.0.0.1:9", "ws://127.0.0.1:9")
    told = KEY_FILE.format(user=USER, key="11" * 32, rest="http://127.0.0.1:9")
    with tempfile.TemporaryDirectory(prefix="aister-") as folder:
        home = Path(folder)
        (home / "keys").mkdir(mode=0o700)
        (home / "keys" / f"{NAME}.toml").touch(0o600)
        (home / "keys" / f"{NAME}.toml").write_text(told)
        vault = FileVault(home)
        watcher = WatcherProcess(home, vault, NAME, where, symbols=(SYMBOL,), instance=INSTANCE, speed=speed)
        watcher.start()
        assert holder_of(lock_path(home, NAME))
        began = time.monotonic()
        while holder_of(lock_path(home, NAME)):
            assert time.monotonic() - began < 15
            time.sleep(0.1)
        assert time.monotonic() - began > 1.5
        watcher.stop()
        assert WatcherProcess(home, vault, NAME, net("testnet"), symbols=(), instance="")._start_of.lost_s == 0.0
