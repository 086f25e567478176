"""`aister data download` as it is typed: from a simulator over sockets into the store, and what it says without one."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aister.exchange_sim import Exchange, Settings
from aister.exchange_sim.server import Server
from tests.cli.test_data import ask, home, run
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, slices
from tests.sim.market import instrument

__all__ = ["home"]

FROM, TO = "2023-11-14T22:14", "2023-11-14T22:44"  # START_MS and half an hour


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A simulator that has played forty minutes."""
    exchange = Exchange({"BTCUSDT": instrument()}, slices(*(FLAT,) * 60), MINUTE_MS, Settings(legs=3))
    exchange.advance(START_MS + 40 * MINUTE_MS + 5_000)
    loop, told = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []
    server = Server(exchange)

    def serve() -> None:
        asyncio.set_event_loop(loop)
        ports.append(loop.run_until_complete(server.start())[0])
        told.set()
        loop.run_forever()
        loop.run_until_complete(server.stop())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert told.wait(30)
    yield f"http://127.0.0.1:{ports[0]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)


def test_bars_come_once_and_are_listed_with_what_they_stand_for(home: Path, address: str) -> None:
    words = ["data", "download", "BTCUSDT", "--from", FROM, "--to", TO, "--net", "simulator", "--rest", address]
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert "BTCUSDT klines 1m: 30 new rows, 0 already there" in done.stdout
    again = ask(*words, "--no-funding")
    assert [(one["kind"], one["rows_new"], one["rows_there"], one["missing"]) for one in again] == [
        ("klines", 0, 30, 0)
    ]
    [listed] = [row for row in ask("data", "list") if row["where"] == "store"]
    assert (listed["rows"], listed["flags"]) == (30, ["proxy: simulator"])
    assert listed["sources"] == ["AsterDex simulator, REST"]
    assert ask("data", "check") == []


def test_without_a_way_to_the_exchange_one_sentence_names_the_others(home: Path) -> None:
    words = ["data", "download", "BTCUSDT", "--from", FROM, "--net", "simulator", "--rest", "http://127.0.0.1:9"]
    done = run(*words)
    assert done.returncode != 0 and done.stdout == ""
    assert "cannot be reached" in done.stderr and "aister data import" in done.stderr and "sample" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["BTCUSDT", "--from", TO, "--to", FROM], "swap --from and --to"),
        (["BTCUSDT", "--from", FROM, "--interval", "7m"], "7m"),
        (["BTCUSDT", "--from", FROM, "--net", "moon"], "moon"),
        (["BTCUSDT", "--from", FROM, "--rest", "http://127.0.0.1:9"], "--net simulator"),
        (["BTCUSDT", "--from", FROM, "--net", "simulator", "--rest", "http://example.org"], "on this machine"),
    ],
)
def test_bad_words_cost_one_sentence(home: Path, words: list[str], said: str) -> None:
    done = run("data", "download", *words)
    assert done.returncode in (1, 2) and len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr
