"""What the first resources say, held against where it comes from."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aister.adapters.store.sample import shipped_instruments
from aister.core.money import rate
from aister.risk.profile import PROFILES
from aister.strategy.templates import template_names
from tests.api.served import Asker, Hands, parts


@pytest.fixture(scope="module")
def asker() -> Asker:
    return Asker(parts(), "a-viewer")


def listed(asker: Asker, path: str, limit: int) -> list[Any]:
    """All pages."""
    found: list[Any] = []
    following: str | None = ""
    while following is not None:
        page = asker.get(path, params={"limit": limit} | ({"cursor": following} if following else {})).json()
        assert len(page["items"]) <= limit
        found, following = found + page["items"], page["next"]
    return found


def test_health_names_what_is_not_well_and_only_the_signed_in_learn_why() -> None:
    hands, trouble = Hands(), {"disk": ""}

    def fails() -> str:
        raise OSError("a path nobody should read")

    made = parts(hands, probes={"disk": lambda: trouble["disk"], "home": lambda: "", "store": fails})
    asker = Asker(made, "a-viewer")
    assert asker.get("/health").json() == {"status": "degraded", "degraded": ["store"]}
    trouble["disk"] = "9 MB are free: free 100 MB."
    assert asker.get("/health").json()["degraded"] == ["store"]  # asked at most every few seconds
    hands.s += 5
    assert asker.get("/health").json()["degraded"] == ["disk", "store"]
    assert "9 MB" not in asker.get("/health").text
    told = {part["name"]: part for part in asker.get("/api/v1/system").json()["parts"]}
    assert told["disk"] == {"name": "disk", "ok": False, "reason": "9 MB are free: free 100 MB."}
    assert "OSError" in told["store"]["reason"] and "path" not in told["store"]["reason"]
    assert Asker(parts()).get("/health").json() == {"status": "ok", "degraded": []}


def test_system() -> None:
    hands = Hands()
    asker = Asker(parts(hands), "a-viewer")
    hands.s += 61.5
    told = asker.get("/api/v1/system").json()
    assert (told["version"], told["engine_hash"]) == ("1.2.3", "abc")
    assert (told["started_ms"], told["up_s"]) == (1_750_000_000_000, 61)


@pytest.mark.parametrize(("path", "limit"), [("specs", 5), ("instruments", 3), ("candles", 1)])
def test_pages_are_the_whole_list_once(asker: Asker, path: str, limit: int) -> None:
    whole = asker.get(f"/api/v1/{path}").json()
    assert whole["next"] is None and len(whole["items"]) > limit
    assert listed(asker, f"/api/v1/{path}", limit) == whole["items"]


def test_specs(asker: Asker) -> None:
    assert [one["name"] for one in asker.get("/api/v1/specs").json()["items"]] == list(template_names())
    schema = asker.get("/api/v1/specs/schema").json()
    for name in template_names():
        shown = asker.get(f"/api/v1/specs/{name}").json()
        assert shown["name"] == name and shown["sides"]
        Draft202012Validator(schema).validate(shown["spec"])


def test_a_shown_spec_is_sound_and_keeps_its_hash(asker: Asker) -> None:
    shown = asker.get("/api/v1/specs/rsi_reversion").json()
    judged = asker("POST", "/api/v1/specs/check", json=shown["spec"]).json()
    assert judged == {"sound": True, "name": "rsi_reversion", "hash": shown["hash"], "findings": []}


def test_every_fault_of_a_spec_is_told_with_its_place(asker: Asker) -> None:
    spec = asker.get("/api/v1/specs/rsi_reversion").json()["spec"] | {"timeframe": "7m", "horizon": {"days": 1}}
    judged = asker("POST", "/api/v1/specs/check", json=spec).json()
    assert judged["sound"] is False and judged["hash"] == ""
    assert {"/timeframe", "/horizon"} <= {one["path"] for one in judged["findings"]}
    assert all(one["reason"] for one in judged["findings"])


@pytest.mark.parametrize(
    ("body", "word"),
    [(b"", "not JSON"), (b"[]", "one JSON object"), (b"\xff", "UTF-8"), (b"[" * 150 + b"]" * 150, "nested"),
     (b"{}", "lacks"), (b'{"name": "' + b"[" * 900 + b'\\""}', "lacks"),
     (b'{"name": "a", "name": "b"}', "twice"), (b'{"\\ud800": 1}', ""), (b" " * 300_000, "longer")],
)  # fmt: skip
def test_what_is_no_spec_is_a_finding_not_a_failure(asker: Asker, body: bytes, word: str) -> None:
    answer = asker("POST", "/api/v1/specs/check", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["sound"] is False
    assert any(word in one["reason"] for one in answer.json()["findings"]), answer.text


def test_instruments(asker: Asker) -> None:
    shipped = shipped_instruments()
    told = {one["symbol"]: one for one in asker.get("/api/v1/instruments").json()["items"]}
    assert list(told) == sorted(shipped)
    for symbol, one in shipped.items():
        assert rate(told[symbol]["tick"]) == one.tick_e8 and rate(told[symbol]["taker_fee"]) == one.taker_e8
        assert told[symbol]["source"] == one.source and len(told[symbol]["brackets"]) == len(one.brackets)
    assert asker.get("/api/v1/instruments/BTCUSDT").json() == told["BTCUSDT"]
    assert asker.get("/api/v1/instruments", params={"quote": "EUR"}).json() == {"items": [], "next": None}


def test_candles_are_the_stored_bars(asker: Asker) -> None:
    [first, *_] = asker.get("/api/v1/candles").json()["items"]
    assert (first["symbol"], first["interval"], first["origin"]) == ("BTCUSDT", "1m", "sample")
    start, end = first["first_ms"] + 60_000, first["first_ms"] + 8 * 60_000
    span = {"start_ms": start, "end_ms": end}
    whole = asker.get("/api/v1/candles/BTCUSDT/1m", params=span).json()
    assert [one["open_ms"] for one in whole["items"]] == list(range(start, end, 60_000)) and whole["next"] is None
    begun = asker.get("/api/v1/candles/BTCUSDT/1m", params=span | {"limit": 4}).json()
    rest = asker.get("/api/v1/candles/BTCUSDT/1m", params=span | {"limit": 4, "cursor": begun["next"]}).json()
    assert begun["items"] + rest["items"] == whole["items"] and rest["next"] is None
    assert all(one["low"] <= min(one["open"], one["close"]) <= one["high"] for one in whole["items"])


def test_risk_profiles(asker: Asker) -> None:
    told = {one["name"]: one for one in asker.get("/api/v1/risk/profiles").json()["items"]}
    assert list(told) == list(PROFILES)
    for name, limits in PROFILES.items():
        assert rate(told[name]["daily"]) == limits.daily_e8 and told[name]["hash"] == limits.hash
        assert asker.get(f"/api/v1/risk/profiles/{name}").json() == told[name]


@pytest.mark.parametrize(
    ("path", "status"),
    [("specs/nope", 404), ("specs/..%2f..%2fsecret", 404), ("instruments/nope", 404), ("candles/BTCUSDT/7m", 404),
     ("candles/..%2f/1m", 404), ("risk/profiles/nope", 404), ("specs?limit=0", 422), ("specs?limit=x", 422),
     ("specs?cursor=x", 422), ("instruments?quote=a'b", 422), ("candles/BTCUSDT/1m?start_ms=5&end_ms=5", 422),
     ("candles/BTCUSDT/1m?start_ms=-1", 422), ("candles/BTCUSDT/1m?start_ms=1e99", 422)],
)  # fmt: skip
def test_what_is_not_there_or_cannot_be_is_a_sentence(asker: Asker, path: str, status: int) -> None:
    answer = asker.get(f"/api/v1/{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["detail"].endswith(".")
