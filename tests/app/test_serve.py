"""`aister serve` as it is typed, and what it refuses to be."""

import json
import os
import pty
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from aister.adapters.store.home import open_home
from aister.api.application import make_api
from aister.api.setup.service import Setup
from aister.app.serve import TOKEN_FILE, ServeSettings, listening, make_parts
from aister.core.errors import UsageError
from tests.api.served import Asker, Hands


class Running(NamedTuple):
    process: subprocess.Popen[str]
    url: str
    token_file: Path

    @property
    def token(self) -> str:
        return self.token_file.read_text().strip()


def started(home: Path, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "aister", "serve", "--port", "0", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"AISTER_HOME": str(home), "PYTHONUNBUFFERED": "1"},
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("served")
    process = started(home)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    try:
        assert lines[1], process.communicate(timeout=20)[1]
        yield Running(process, lines[0].split()[1], home / TOKEN_FILE)
    finally:
        process.kill()
        process.communicate()


def raw(url: str, request: bytes) -> int:
    """The status that these bytes are answered with."""
    at = urlsplit(url)
    with socket.create_connection((str(at.hostname), int(at.port or 0)), timeout=20) as line:
        line.sendall(request)
        return int(line.makefile("rb").readline().split()[1])


def test_over_sockets_only_its_own_name_is_answered(running: Running) -> None:
    own = urlsplit(running.url).netloc.encode()
    port = own.rpartition(b":")[2]
    for request, status in (
        (b"GET /health HTTP/1.1\r\nHost: %b\r\n\r\n" % own, 200),
        (b"GET /health HTTP/1.1\r\nHost: localhost:%b\r\n\r\n" % port, 200),
        (b"GET /health HTTP/1.1\r\nHost: evil.example:%b\r\n\r\n" % port, 421),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET /health HTTP/1.1\r\nHost: localhost.:%b\r\n\r\n" % port, 421),
        (b"GET http://evil.example/health HTTP/1.1\r\nHost: %b\r\n\r\n" % own, 421),
        (b"GET http://%b/health HTTP/1.1\r\nHost: %b\r\n\r\n" % (own, own), 421),
        (b"GET /health HTTP/1.0\r\n\r\n", 421),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: %b\r\nHost: evil.example\r\n\r\n" % own, 400),
        (b"GET /health HTTP/1.1\r\nHost: %b\r\nX-Forwarded-Host: evil.example\r\n\r\n" % own, 200),
        (b"rubbish\r\n\r\n", 400),
    ):
        assert raw(running.url, request) == status, request


def test_from_the_token_to_bars_and_a_clean_end(running: Running) -> None:
    assert stat.S_IMODE(running.token_file.stat().st_mode) == 0o600
    token = running.token
    with httpx.Client(base_url=running.url, timeout=30) as client:
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/api/v1/candles").status_code == 401
        claimed = client.post("/api/v1/setup", json={"token": token})
        assert claimed.status_code == 201 and "server" not in claimed.headers
        assert client.post("/api/v1/setup", json={"token": token}).status_code == 403
        signed = {"Authorization": f"Bearer {claimed.json()['token']}"}
        bars = client.get("/api/v1/candles/BTCUSDT/1m", params={"limit": 3}, headers=signed).json()
        assert len(bars["items"]) == 3 and bars["next"]
        running.process.send_signal(signal.SIGINT)
        out, err = running.process.communicate(timeout=30)
    assert (running.process.returncode, err) == (0, "Stopped.\n")
    assert token not in out + err and claimed.json()["token"] not in out + err
    assert not running.token_file.exists()


def test_on_a_terminal_the_token_is_shown_and_lies_in_no_file(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = started(tmp_path, stdout=theirs)
    os.close(theirs)
    said = ""
    try:
        while "set-up" not in said or not said.endswith("\n"):
            said += os.read(ours, 4_096).decode()
        token = said.split("set-up")[1].split()[0]
        url = said.split("URL")[1].split()[0]
        assert not (tmp_path / TOKEN_FILE).exists()
        assert httpx.post(f"{url}/api/v1/setup", json={"token": token}, timeout=30).status_code == 201
        kept = [one for one in tmp_path.rglob("*") if one.is_file() and token.encode() in one.read_bytes()]
        assert kept == []
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[1] == "Stopped.\n" and process.returncode == 0
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"host": "0.0.0.0"}, "--without-tls"),
        ({"host": "::"}, "--without-tls"),
        ({"host": "192.168.1.5"}, "--certificate"),
        ({"host": "8.8.8.8"}, "behind a proxy"),
        ({"host": "0.0.0.0", "plain": True}, "--url"),
        ({"host": "0.0.0.0", "certificate": Path("c"), "key": Path("k")}, "--url"),
        ({"host": "example.com"}, "no IP address"),
        ({"host": ""}, "no IP address"),
        ({"certificate": Path("c")}, "both"),
        ({"key": Path("k")}, "both"),
        ({"port": -1}, "--port"),
        ({"port": 65_536}, "--port"),
    ],
)
def test_unsafe_settings_are_refused_with_the_remedy(given: dict[str, Any], remedy: str) -> None:
    with pytest.raises(UsageError, match=remedy):
        ServeSettings(**given).check()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"host": "localhost"},
        {"host": "127.0.0.9"},
        {"host": "::1"},
        {"host": "192.168.1.5", "plain": True},
        {"host": "0.0.0.0", "certificate": Path("c"), "key": Path("k"), "urls": ("https://nas.lan",)},
    ],
)
def test_safe_settings_know_their_names(given: dict[str, Any]) -> None:
    settings = ServeSettings(**given).check()
    assert urlsplit(settings.url(8700)).netloc in settings.known(8700).hosts
    assert settings.url(8700) in settings.known(8700).origins


def test_a_port_that_is_taken_and_a_certificate_that_is_none(tmp_path: Path) -> None:
    with listening(ServeSettings(port=0)) as bound, pytest.raises(UsageError, match="name another --port"):
        listening(ServeSettings(port=bound.getsockname()[1]))
    wrong = tmp_path / "c.pem"
    wrong.write_text("no certificate")
    process = started(tmp_path, "--certificate", str(wrong), "--key", str(wrong))
    assert "cannot be used" in process.communicate(timeout=60)[1] and process.returncode == 2


def test_a_home_out_of_order_is_degraded_not_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    hands = Hands()
    setup = Setup("token", hands)
    made = make_parts(ServeSettings(), 8700, open_home(), setup)
    asker = Asker(make_api(made))
    assert asker.get("/health").json() == {"status": "ok", "degraded": []}
    data = tmp_path / "home" / "data"
    data.mkdir()
    (data / "manifest.json").write_text("{")
    (tmp_path / "home").chmod(0o755)
    asker = Asker(make_api(made))
    assert asker.get("/health").json() == {"status": "degraded", "degraded": ["home", "market data"]}
    bearer = setup.claim("token")
    told = Asker(make_api(made), bearer).get("/api/v1/system").json()["parts"]
    assert "chmod 700" in next(part["reason"] for part in told if part["name"] == "home")
    answer = Asker(make_api(made), bearer).get("/api/v1/candles")
    assert answer.status_code == 503 and "damaged" in json.loads(answer.content)["detail"]
