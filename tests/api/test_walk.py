"""Every route there is: known, described, closed to strangers, and silent about secrets."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount, Route

from aister.api.application import PUBLIC, make_api
from aister.api.frame.access import needs_of
from aister.core.people import Role
from tests.adapters.signer.canary import leaks
from tests.api.served import ORIGIN, SET_UP, Asker, parts

BEARER = hashlib.sha256(b"a bearer token").hexdigest()
REAL = {"{name}": "balanced", "{symbol}": "BTCUSDT", "{interval}": "1m"}
Operation = tuple[str, str]


def walked(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every method and path, through mounts and included routers."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner is not None:
            yield from walked(inner, path)
        else:
            for method in sorted(getattr(route, "methods", None) or {"?"}):
                yield method, path, route


def unknown(api: FastAPI) -> set[Operation]:
    """Routes that the description and the list of public ones do not account for, and the other way round."""
    described = {
        (method.upper(), path)
        for path, methods in Asker(api).get("/api/v1/openapi.json").json()["paths"].items()
        for method in methods
    }
    return {(method, path) for method, path, _ in walked(api.routes)} ^ (described | PUBLIC)


def closed() -> list[Operation]:
    return sorted((m, p) for m, p, _ in walked(make_api(parts()).routes) if (m, p) not in PUBLIC)


def real(path: str) -> str:
    named = path.replace("specs/{name}", "specs/rsi_reversion")
    for parameter, value in REAL.items():
        named = named.replace(parameter, value)
    return named


def body(method: str) -> dict[str, Any]:
    return {"json": {}} if method != "GET" else {}


def test_the_routes_are_the_description_and_the_public_list() -> None:
    api = make_api(parts())
    assert unknown(api) == set()
    assert len(PUBLIC) <= 12
    assert len(closed()) >= 10
    for method, path, route in walked(api.routes):
        assert (needs_of(route) is None) is ((method, path) in PUBLIC), path


def test_a_route_that_slips_past_is_found() -> None:
    api = make_api(parts())
    api.routes.append(Mount("/inner", routes=[Route("/hidden", lambda request: None)]))
    assert unknown(api) == {("GET", "/inner/hidden"), ("HEAD", "/inner/hidden")}


def test_an_endpoint_that_says_nothing_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    from aister.api.risk import endpoints

    monkeypatch.setattr(endpoints, "signed_in", lambda role, scope: [])
    with pytest.raises(ValueError, match="must either say what it needs"):
        make_api(parts())


@pytest.mark.parametrize("bearer", ["", "unknown", SET_UP])
def test_strangers_learn_nothing(bearer: str) -> None:
    asker = Asker(parts(), bearer)
    answers = asker.all(
        [(method, real(path), {"content": b"{"} | JSON if method != "GET" else {}) for method, path in closed()]
    )
    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)
    assert {answer.json()["title"] for answer in answers} == {"Unauthorized"}


JSON: dict[str, Any] = {"headers": {"Content-Type": "application/json"}}


def test_every_closed_route_works_for_those_who_may() -> None:
    for bearer in ("an-owner", "a-viewer"):
        answers = Asker(parts(), bearer).all([(m, real(p), body(m)) for m, p in closed()])
        assert {answer.status_code for answer in answers} == {200}, [(a.url, a.status_code) for a in answers]


def test_a_key_reaches_its_scope_only() -> None:
    api = make_api(parts())
    needs = {(method, path): needs_of(route) for method, path, route in walked(api.routes)}
    answers = Asker(api, "a-key").all([(m, real(p), body(m)) for m, p in closed()])
    for (method, path), answer in zip(closed(), answers, strict=True):
        found = needs[method, path]
        assert found is not None and found.role is Role.VIEWER
        assert answer.status_code == (200 if found.scope == "specs:read" else 403), path
    assert {answer.status_code for answer in answers} == {200, 403}


@pytest.mark.parametrize("role", [Role.TRADER, Role.OWNER])
def test_a_role_too_low_is_refused(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    from aister.api.frame import access

    monkeypatch.setattr("aister.api.system.endpoints.signed_in", lambda _, scope: access.signed_in(role, scope))
    api = make_api(parts())
    assert Asker(api, "a-viewer").get("/api/v1/system").status_code == 403
    assert Asker(api, "an-owner").get("/api/v1/system").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example"}, 421), ({"Origin": "http://localhost:3000"}, 403), ({"Origin": "null"}, 403)],
)
def test_every_route_refuses_other_names_and_pages(headers: dict[str, str], status: int) -> None:
    everything = [*closed(), *sorted(PUBLIC)]
    answers = Asker(parts(), "an-owner").all([(m, real(p), {**body(m), "headers": headers}) for m, p in everything])
    assert {answer.status_code for answer in answers} == {status}
    own = Asker(parts(), "an-owner").all(
        [(m, real(p), {**body(m), "headers": {"Origin": ORIGIN}}) for m, p in closed()]
    )
    assert {answer.status_code for answer in own} == {200}


def told(answer: Any) -> bytes:
    return b"\n".join([answer.content, *(b"%b: %b" % pair for pair in answer.headers.raw)])


def test_no_answer_holds_a_secret() -> None:
    from tests.api.served import CALLERS

    canary = bytes.fromhex(BEARER)
    made = parts(identify={**CALLERS, BEARER: CALLERS["an-owner"]}.get)
    asker = Asker(made, BEARER)
    asked: list[tuple[str, str, dict[str, Any]]] = [(m, real(p), body(m)) for m, p in [*closed(), *sorted(PUBLIC)]]
    asked += [(m, real(p), {"content": BEARER, **JSON}) for m, p in [*closed(), *PUBLIC] if m != "GET"]
    asked += [(m, real(p), {"json": {"token": BEARER, "more": BEARER}}) for m, p in [*closed(), *PUBLIC] if m != "GET"]
    asked += [("GET", "/api/v1/candles", {"params": {"cursor": BEARER}}), ("GET", "/nothing/here", {})]
    for answer in asker.all(asked):
        assert leaks(told(answer), canary) == [], answer.url


def test_the_search_finds_a_planted_secret() -> None:
    api = make_api(parts())

    async def echo(request: Any) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("ok", headers={"X-Seen": request.headers["authorization"]})

    api.routes.append(Route("/echo", echo))
    assert "hex" in leaks(told(Asker(api, BEARER).get("/echo")), bytes.fromhex(BEARER))
