"""`aister run --venue aster` as it is typed, before the simulated exchange's sockets at sixty times the wall's speed: a
real signer and watcher, real signals. What counts is what the exchange's own books and log say."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest

from aister.adapters.exchanges.aster.sign import address_of
from aister.adapters.signer.child import holder_of
from aister.app.watcher import end_watcher
from aister.app.watching import lock_path
from tests.adapters.signer.canary import KEY, leaks
from tests.app.served import NAME, SYMBOL, Served

DAYS, SPEED = 9.5, 60
QUICK = {
    "version": 1,
    "name": "quick",
    "description": "In and out within minutes.",
    "timeframe": "1m",
    "long": {
        "entry": {">": [{"feature": "ema", "span": 5}, {"feature": "ema", "span": 20}]},
        "stop": {"distance": {"*": [20.0, {"feature": "atr", "span": 14}]}},
        "targets": [{"r": 0.5, "share": 1.0}],
    },
    "short": "mirror",
    "horizon": {"bars": 4},
    "sizing": {"risk": 0.01, "notional": 0.5, "leverage": 3},
}


class Command:
    """One process of the command, and what it says."""

    begun: ClassVar[list["Command"]] = []

    def __init__(self, served: Served, spec: Path, *more: str) -> None:
        self.home = served.home
        asked = ["--venue", "aster", "--feed", "live", "--net", "simulator", "--speed", str(SPEED)]
        where = ["--rest-url", served.where.rest, "--ws-url", served.where.stream, "--symbols", SYMBOL]
        what = ["--strategy", str(spec), "--mind", "none", "--profile", "aggressive", "--warm-up", str(DAYS)]
        self.log = served.home.with_name(f"{served.home.name}.{time.monotonic_ns()}.log")
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aister", "run", *asked, *where, *what, *more],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"AISTER_HOME": str(served.home), "PYTHONWARNINGS": "ignore"},
            )
        Command.begun.append(self)

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def until(self, holds: Callable[[], object], within_s: float = 120) -> None:
        began = time.monotonic()
        while not holds():
            assert self.process.poll() is None and time.monotonic() - began < within_s, self.said
            time.sleep(0.02)

    def end(self, number: int = signal.SIGINT, within_s: float = 60) -> int:
        self.process.send_signal(number)
        return self.process.wait(within_s)


@pytest.fixture
def served() -> Iterator[Served]:
    with TemporaryDirectory(prefix="aister-") as folder:
        home = Path(folder) / "h"
        home.mkdir(mode=0o700)
        made = Served(home, past=round(DAYS * 1_440) + 10, speed=SPEED)
        try:
            yield made
        finally:
            while Command.begun:
                left = Command.begun.pop().process
                left.kill()
                left.wait(5)
            end_watcher(home, NAME)
            made.stop()


def signer_of(home: Path) -> int:
    return holder_of(home / "signer" / f"{address_of(KEY).lower()}.lock")


def test_it_trades_dies_goes_on_and_leaves_its_stop(served: Served, tmp_path: Path) -> None:
    spec = tmp_path / "quick.json"
    spec.write_text(json.dumps(QUICK))
    first = Command(served, spec)
    first.until(lambda: "closed by" in first.said and served.steps, 180)  # kernels may be compiled first

    other = Command(served, spec)
    assert other.process.wait(120) == 2
    assert "one trader per account" in other.said and "Traceback" not in other.said

    os.kill(signer_of(served.home), signal.SIGKILL)
    first.until(lambda: "no longer frozen by signer" in first.said)
    assert "frozen (signer)" in first.said
    first.until(lambda: served.steps and any(closes for _, closes in served.resting()))
    assert first.end(signal.SIGKILL) == -signal.SIGKILL

    again = Command(served, spec)
    again.until(lambda: "The exchange's books are read." in again.said)
    assert "An unfinished run of these settings was found" in again.said
    again.until(lambda: again.said.count(" opened at ") >= 1 and served.steps)
    assert again.end() == 130
    assert "stop" in again.said and "NO STOP" not in again.said and "the same command goes on" in again.said
    held = "nothing is held" not in again.said.splitlines()[-2]  # its time may have come in the last moment
    assert held == bool(served.steps) == any(closes for _, closes in served.resting())
    assert all(closes for _, closes in served.resting())
    assert not held or holder_of(lock_path(served.home, NAME)), "the watcher stays while something is held"

    ids = served.sent()
    assert len(ids) == len(set(ids)) > 8, "an order was sent twice"
    assert "Traceback" not in first.said + again.said
    for content in (first.said, again.said, *_texts(served.home)):
        assert not leaks(content)
    assert leaks((served.home / "keys" / f"{NAME}.toml").read_bytes()), "the scanner finds what is there"


def _texts(home: Path) -> list[bytes]:
    """Everything the run left, but the file the key lies in."""
    return [one.read_bytes() for one in home.rglob("*") if one.is_file() and one.parent.name != "keys"]
