"""What stands around every endpoint: names, sizes, times, pace, tags, errors, pages."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.api.application import make_api
from aister.api.frame.envelope import CLOSED
from aister.api.frame.hosts import Doors, addresses
from aister.api.frame.limits import Bounds
from aister.api.frame.paging import after, cursor
from aister.core.errors import DataError, UsageError
from tests.api.served import ORIGIN, Asker, Hands, parts

PORT = 8700
GOOD = ["127.0.0.1:8700", "localhost:8700", "[::1]:8700", "LOCALHOST:8700"]
BAD = [
    "evil.example", "evil.example:8700", "localhost", "127.0.0.1", "localhost:80", "localhost:08700", "localhost.:8700",
    "localhost:8700.", "127.0.0.1.:8700", "127.1:8700", "0x7f.1:8700", "2130706433:8700", "[::ffff:127.0.0.1]:8700",
    "::1:8700", "[::1]", "[0:0:0:0:0:0:0:1]:8700", "localhost:8700@evil.example", "evil.example#localhost:8700",
    "localhost:8700,evil.example", "localhost:8700 ", " localhost:8700", "", "localhost.evil.example:8700", "*",
    "0.0.0.0:8700", "localhost\t:8700",
]  # fmt: skip
ORIGINS = [
    "null", "http://localhost", "https://localhost:8700", "http://localhost:8701", "http://localhost:8700.evil.example",
    "http://localhost:8700/", "http://LOCALHOST:8700", "http://evil.example", "file://", "http://localhost:8700, null",
    "http://127.0.0.1.evil.example:8700", "", "http://user@localhost:8700",
]  # fmt: skip


def passed(known: Any, *headers: tuple[str, str], path: str = "/health", kind: str = "http", door: Any = Doors) -> int:
    """The status that the doors answer, 200 when the request came through."""
    sent: list[Any] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        sent.append({"status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "method": "GET", "path": path, "headers": raw}
    asyncio.run(door(inside, known=known)(scope, receive, send))
    return int(sent[0].get("status") or sent[0]["code"])


@pytest.fixture(scope="module")
def known() -> Any:
    return addresses("http", ("127.0.0.1", "localhost", "[::1]"), PORT)


def test_only_exact_names_are_answered(known: Any) -> None:
    assert [passed(known, ("host", host)) for host in GOOD] == [200] * len(GOOD)
    assert [host for host in BAD if passed(known, ("host", host)) != 421] == []
    assert passed(known) == 421
    assert passed(known, ("host", GOOD[0]), ("host", GOOD[0])) == 421
    assert passed(known, ("host", GOOD[0]), path="http://localhost:8700/health") == 421
    assert passed(known, ("host", "evil.example"), kind="websocket") == 1008


def test_only_exact_origins_are_let_in_and_a_matching_pair_is_no_pass(known: Any) -> None:
    host = ("host", "localhost:8700")
    assert passed(known, host, ("origin", ORIGIN)) == 200
    assert [origin for origin in ORIGINS if passed(known, host, ("origin", origin)) != 403] == []
    assert passed(known, host, ("origin", ORIGIN), ("origin", "null")) == 403
    assert passed(known, ("host", "evil.example:8700"), ("origin", "http://evil.example:8700")) == 421


class Careless:
    """The control: it lets in whoever names himself twice, and a name that merely begins well."""

    def __init__(self, app: Any, *, known: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        pair = headers.get("origin", "").removeprefix("http://") == host
        if pair or host.startswith("localhost"):
            await self._app(scope, receive, send)
        else:
            await send({"status": 421})


def test_the_same_requests_get_past_a_careless_door(known: Any) -> None:
    assert [host for host in BAD if passed(known, ("host", host), door=Careless) == 200]
    assert [one for one in ORIGINS if passed(known, ("host", "localhost:8700"), ("origin", one), door=Careless) == 200]
    evil = (("host", "evil.example:8700"), ("origin", "http://evil.example:8700"))
    assert passed(known, *evil, door=Careless) == 200


def test_addresses_behind_a_proxy() -> None:
    known = addresses("http", ("127.0.0.1",), PORT, ("https://Trade.example.com", "http://nas.lan:8080"))
    assert {"trade.example.com", "trade.example.com:443", "nas.lan:8080"} < known.hosts
    assert known.origins == {"http://127.0.0.1:8700", "https://trade.example.com", "http://nas.lan:8080"}
    for wrong in (
        "trade.example.com",
        "ftp://x",
        "https://",
        "https://x/path",
        "https://u:p@x",
        "https://x:99999",
        "https://ü.de",
    ):
        with pytest.raises(UsageError, match="is not an address"):
            addresses("http", (), PORT, (wrong,))


def test_every_answer_is_sealed() -> None:
    asker = Asker(parts(tls=True))
    for answer in (asker.get("/health"), asker.get("/nothing"), asker.get("/api/v1/specs"), asker.get("/")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["x-request-id"].startswith("req_")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert asker.get("/health").headers["content-security-policy"] == CLOSED
    assert "strict-transport-security" not in Asker(parts()).get("/health").headers


def test_the_page_loads_nothing_from_anywhere() -> None:
    page = Asker(parts()).get("/")
    assert page.status_code == 200 and "/api/v1/specs/{name}" in page.text
    assert not [word for word in ("<script", "<link", "<img", "src=", "://", "@import", "url(") if word in page.text]
    assert "'unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"x" * 1_001, "headers": {"Content-Type": "application/json"}}, 413),
        ({"content": b"{}", "headers": {"Content-Type": "application/json", "Content-Length": "-1"}}, 413),
        ({"content": b"token=x", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415),
        ({"content": b'{"token": "x"}', "headers": {"Content-Type": "text/plain"}}, 415),
        ({"content": b'{"token": "x"}'}, 415),
        ({"files": {"token": b"x"}}, 415),
        ({"content": b'{"token": "x"}', "headers": {"Content-Type": "application/json; charset=utf-8"}}, 403),
        ({"content": b'{"token": "x"}', "headers": {"Content-Type": "APPLICATION/JSON"}}, 403),
    ],
)  # fmt: skip
def test_bodies_are_short_and_json(sent: dict[str, Any], status: int) -> None:
    answer = Asker(parts(bounds=Bounds(body=1_000)))("POST", "/api/v1/setup", **sent)
    assert answer.status_code == status, answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_body_without_a_length_is_counted_and_one_that_drips_is_left() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 100

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    asker = Asker(parts(bounds=Bounds(body=1_000, body_s=0.1)))
    for content, status in ((endless(), 413), (dripping(), 408)):
        answer = asker("POST", "/api/v1/setup", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == status


def broken(act: Callable[[], Awaitable[Any]], **changed: Any) -> Asker:
    """The interface with one endpoint more."""
    api = make_api(parts(**changed))
    api.get("/act")(act)
    return Asker(api)


def test_an_answer_that_takes_too_long_is_ended() -> None:
    async def slow() -> None:
        await asyncio.sleep(5)

    answer = broken(slow, bounds=Bounds(answer_s=0.05)).get("/act")
    assert answer.status_code == 503 and "ask for less" in answer.json()["detail"]


def test_what_nobody_foresaw_is_one_sentence_outside_and_one_line_without_words_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise RuntimeError("with a secret\nand a line")

    with caplog.at_level(logging.ERROR, "aister.api"):
        answer = broken(fails).get("/act")
    assert answer.status_code == 500 and "Traceback" not in answer.text and "secret" not in answer.text
    [line] = [record.getMessage() for record in caplog.records if record.name == "aister.api"]
    told = json.loads(line)
    assert told["request"] == answer.json()["request_id"] and told["error"] == "RuntimeError"
    assert any("test_frame.py" in place for place in told["at"]) and "secret" not in line


def test_deliberate_errors_keep_their_sentence() -> None:
    async def unsound() -> None:
        raise DataError("The bars are damaged; import them again.")

    answer = broken(unsound).get("/act")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The bars are damaged; import them again.")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/health", 405), ("GET", "/health/", 404)]
)
def test_unknown_addresses_are_problems_too(method: str, path: str, status: int) -> None:
    answer = Asker(parts())(method, path)
    assert answer.status_code == answer.json()["status"] == status


def test_one_address_has_a_pace_and_gets_it_back() -> None:
    hands = Hands()
    asker = Asker(parts(hands, bounds=Bounds(per_second=2, burst=3)))
    assert [asker.get("/health").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = asker.get("/health")
    assert refused.headers["retry-after"] == "1"
    hands.s += 1
    assert [asker.get("/health").status_code for _ in range(3)] == [200, 200, 429]


def test_asking_again_costs_nothing_while_nothing_changed() -> None:
    asker = Asker(parts(), "a-viewer")
    first = asker.get("/api/v1/specs")
    tag = first.headers["etag"]
    for named in (tag, f"W/{tag}", f'"other", {tag}'):
        again = asker.get("/api/v1/specs", headers={"If-None-Match": named})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert asker.get("/api/v1/specs", headers={"If-None-Match": '"other"'}).content == first.content
    assert Asker(parts()).get("/api/v1/specs", headers={"If-None-Match": tag}).status_code == 401


_TEXT = st.text('a/?é☃"\\', max_size=12)


@given(_TEXT | st.integers(0, 2**60), _TEXT)
@settings(max_examples=30)
def test_a_cursor_comes_back_as_it_was_made(last: str | int, of: str) -> None:
    assert after(cursor(of, last), of, type(last)) == last
    with pytest.raises(UsageError):
        after(cursor(of, last), f"{of}.", type(last))


@given(st.text("aZ0-_=+/é ", max_size=60))
@settings(max_examples=30)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="begin with the first page"):
        after(text, "specs", str)
