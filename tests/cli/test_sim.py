"""`aister sim serve` as it is typed: our client, unmodified, trades on it over sockets; stopped, it goes on from its
file."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import Agent
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.app.simulator import TEST_KEY, TEST_USER
from aister.core.trade import OrderType, Purpose
from aister.ports.exchange import Open, Placed
from aister.ports.signer import Call, Signed
from tests.cli.test_data import Done, home, run
from tests.sim.market import order

__all__ = ["home"]


class Signer:
    """Signs anything, with the key in print."""

    def __init__(self) -> None:
        self._agent = Agent(bytes.fromhex(TEST_KEY[2:]), TEST_USER, 714)
        self.address, self._nonce = self._agent.address, 0

    def sign(self, call: Call) -> Signed:
        self._nonce = max(self._nonce + 1, WallClock().now_ms() * 1000)
        return self._agent.sign(call.params, call.nonce_us or self._nonce)


def served(*words: object) -> tuple[subprocess.Popen[str], Any]:
    """The command, and what it says of where it listens."""
    asked = ["serve", "--rest-port", "0", "--ws-port", "0", "--history", "1", "--symbols", "BTCUSDT", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "aister", "sim", *asked, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return process, json.loads(line)


def traded(told: Any, story: Callable[[AsterAccount], Awaitable[None]]) -> None:
    async def scene() -> None:
        wire = SocketWire(net("simulator", told["rest"], told["ws"]))
        account = AsterAccount(Rest(wire, WallClock(), Signer(), timeout_ms=60_000), ("BTCUSDT",), source="simulator")
        try:
            await story(account)
        finally:
            await wire.close()

    asyncio.run(scene())


def test_a_client_trades_on_it_and_it_goes_on_from_its_file(home: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    entry = order("x-1", 1, OrderType.MARKET, 100)
    stop = order("x-2", -1, OrderType.STOP_MARKET, 0, at=500_000, purpose=Purpose.STOP, close=True)

    async def enter(account: AsterAccount) -> None:
        assert await hindrances(account) == ()
        for one in (entry, stop):
            assert isinstance(await account.place(one), Placed)

    async def look(account: AsterAccount) -> None:
        assert await hindrances(account) == ()
        held = await account.survey()
        assert isinstance(held, Open)
        assert [one.client_id for one in held.orders] == ["x-2"]
        assert [one.steps for one in held.positions] == [100]

    for story in (enter, look):
        process, told = served("--state", state)
        try:
            traded(told, story)
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "the same command goes on" in said[1]
    assert told["accounts"][0]["user"] == TEST_USER and "secret" not in json.dumps(told)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--rest-port", "70000"], "is not a port"),
        (["--intrabar", "ohlc_path"], "only with --lockstep"),
        (["--speed", "0"], "--speed"),
        (["--faults", "nowhere.json"], "cannot be read"),
        (["--feed", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_is_one_sentence(home: Path, given: list[str], words: str) -> None:
    expect_refused(run("sim", "serve", *given), words)


def test_a_port_that_is_taken_is_one_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        expect_refused(run("sim", "serve", "--rest-port", taken, "--ws-port", 0, "--history", 0), "name others with")


def expect_refused(done: Done, words: str) -> None:
    assert done.returncode == 2 and done.stderr.startswith("aister: ") and done.stderr.count("\n") == 1, done
    assert words in done.stderr
