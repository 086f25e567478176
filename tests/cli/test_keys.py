"""`aister keys` as it is typed: a key that can trade, and one sentence for each reason why one cannot, from the
simulated exchange over sockets and through the signer's process."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aister.adapters.exchanges.aster.finding import kept_finding
from aister.app.simulator import TEST_KEY, TEST_USER
from tests.cli.test_data import run
from tests.cli.test_sim import served


@pytest.fixture(scope="module")
def there() -> Iterator[str]:
    process, told = served("--symbols", "BTCUSDT,ETHUSDT", "--history", "0")
    yield str(told["rest"])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str) -> Path:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "keys").mkdir(parents=True, mode=0o700)
    (tmp_path / "home").chmod(0o700)
    written(tmp_path / "home", "mine", there, TEST_KEY)
    return tmp_path / "home"


def written(home: Path, name: str, origin: str, key: str) -> None:
    file = home / "keys" / f"{name}.toml"
    file.touch(0o600)
    file.write_text(
        f'scheme = "v3"\nnet = "simulator"\naccount = "{TEST_USER}"\nkey = "{key}"\nexpires = 2099-01-01\n'
        f'origin = "{origin}"\n'
    )


def happen(there: str, **fault: Any) -> None:
    """Let it happen at the exchange, at once."""
    asked = urllib.request.Request(f"{there}/sim/faults", json.dumps([fault]).encode(), method="POST")
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 200


def test_what_stands_in_the_way_is_one_sentence_each_with_its_remedy(home: Path, there: str) -> None:
    fine = run("keys", "check", "mine")
    assert fine.returncode == 0 and "nothing stands in the way" in fine.stdout, fine
    tried = run("keys", "check", "mine", "--probe")
    assert tried.returncode == 0 and "a stop rests before an entry leaves" in tried.stdout, tried
    assert kept_finding(home, "mine", "simulator", there, TEST_USER).protection == "before"  # type: ignore[union-attr]
    assert kept_finding(home, "mine", "simulator", there, "0x" + "00" * 20) is None
    assert json.loads(run("keys", "list", "--json").stdout) == ["mine"]
    wrong = run("keys", "check", "mine", "--symbols", "BTCUSDT,NOPEUSDT")
    assert wrong.returncode == 1 and "NOPEUSDT: The venue knows no such symbol" in wrong.stdout
    written(home, "other", there, "0x" + "22" * 32)
    happen(there, kind="position_mode")
    happen(there, kind="delist", symbol="ETHUSDT")
    hedged = run("keys", "check", "mine", "--symbols", "ETHUSDT", "--json")
    told = json.loads(hedged.stdout)["hindrances"]
    assert hedged.returncode == 1 and len(told) == 2
    assert "set it to one-way" in told[0] and "ETHUSDT" in told[1]
    bad = run("keys", "check", "other")
    assert bad.returncode == 1 and "or give it the right to trade perpetuals" in bad.stdout
    happen(there, kind="agent_expires")
    ended = run("keys", "check", "mine")
    assert ended.returncode == 1 and "renew the agent" in ended.stdout
    untried = run("keys", "check", "mine", "--probe")
    assert untried.returncode == 1 and "renew the agent" in untried.stdout
    for done in (fine, tried, wrong, hedged, bad, ended):
        assert TEST_KEY[2:] not in done.stdout + done.stderr


def test_a_key_that_is_not_there_or_a_venue_that_is_silent(home: Path) -> None:
    absent = run("keys", "check", "nothing")
    assert absent.returncode == 2 and "docs/keys.md" in absent.stderr
    written(home, "far", "http://127.0.0.1:9", TEST_KEY)
    silent = run("keys", "check", "far")
    assert silent.returncode == 2 and "cannot be asked" in silent.stderr


def test_a_key_nobody_watches_over(home: Path) -> None:
    nobody = run("keys", "watcher", "mine")
    assert (nobody.returncode, nobody.stdout) == (1, "No watcher of this key answers.\n")
    asked = run("keys", "watcher", "mine", "--end", "--json")
    assert (asked.returncode, asked.stdout) == (1, "null\n")


def test_a_key_may_come_from_the_environment(home: Path, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aister.adapters.vault.keyring._TAKEN", {})
    told = {"NET": "simulator", "ACCOUNT": TEST_USER, "KEY": "0x" + "22" * 32, "ORIGIN": there, "EXPIRES": "2099-01-01"}
    for field, value in told.items():
        monkeypatch.setenv(f"AISTER_KEY_BOXED_{field}", value)
    assert json.loads(run("keys", "list", "--json").stdout) == ["boxed", "mine"]
    asked = run("keys", "check", "boxed")
    assert asked.returncode == 1 and f"boxed: account {TEST_USER} on simulator" in asked.stdout
    assert "give it the right to trade perpetuals" in asked.stdout, "that agent is not the account's"
    looked = run("doctor")
    assert "boxed (v3, simulator, from the environment) until 2099-01-01" in looked.stdout
    for done in (asked, looked):
        assert "22" * 32 not in done.stdout + done.stderr
