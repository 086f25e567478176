"""Every fault there is, planted in each of three ways (a fixture, the administrator's call, a file as the command line
takes it), does what it says; without it the same story ends otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aister.app.simulator import planned, read_faults
from aister.exchange_sim import DOWN, NO_ANSWER, Fault, Request
from aister.exchange_sim.admin import answer_admin
from aister.exchange_sim.faults import ACTS, KINDS
from tests.exchange_sim.floor import FLAT, START_MS, Client, exchange, frames

BTC = "BTCUSDT"
STOP = {"stopPrice": "99000.0", "closePosition": "true"}
Story = Callable[[Client], Any]


def later(client: Client, ms: int = 2_000) -> Client:
    client.exchange.advance(client.exchange.now_ms + ms)
    return client


def placed(client: Client) -> Any:
    answer = client.exchange.handle(client.request("POST", "order", symbol=BTC, side="BUY", type="MARKET", quantity=1))
    return "none" if answer in (NO_ANSWER, DOWN) else answer.status


def late(client: Client) -> Any:
    return client.exchange.handle(Request("GET", "/fapi/v3/ping")).delay_ms


def told(client: Client) -> list[str]:
    """Kinds of frames that one order brings, the connection's end, over six seconds."""
    stream = client.listen()
    client.order("BUY", quantity="0.010")
    first = [one["e"][:5] for one in frames(stream)]
    later(client, 6_000)
    return [*first, "later", *(one["e"][:5] for one in frames(stream)), f"closed {stream.closed}"]


def stop_after(client: Client) -> Any:
    client.order("BUY", quantity="0.010")
    made = client.order("SELL", "STOP_MARKET", **STOP)
    later(client)
    return made.get("code", 0), len(client.call("GET", "openOrders", symbol=BTC))


def seen_at_once(client: Client) -> Any:
    client.order("BUY", "LIMIT", price="99000.0")
    return len(client.call("GET", "openOrders", symbol=BTC))


def filled_at_once(client: Client) -> str:
    client.order("BUY")
    return client.position()


def killed(client: Client) -> str:
    client.exchange.faults.add(Fault("request", path="order", method="POST", outcome="late", ms=5_000, count=1))
    client.order("BUY")
    client.call("POST", "noop", client.nonce)
    return later(client, 6_000).position()


def half_done(client: Client) -> Any:
    client.order("BUY", quantity="0.100")
    later(client)
    return client.position(), len(client.call("GET", "openOrders", symbol=BTC))


def stood_by(client: Client) -> Any:
    """What is left of a position with a stop, and of a resting entry."""
    client.order("BUY", "LIMIT", price="98000.0", newClientOrderId="rests")
    client.order("BUY")
    client.order("SELL", "STOP_MARKET", **STOP)
    later(client)
    orders = [one["clientOrderId"][:5] for one in client.call("GET", "openOrders", symbol=BTC)]
    return client.position(), len(orders), "rests" in orders


def asked(*path: str) -> Story:
    """One field of a reply two seconds later."""
    name, *fields = path

    def story(client: Client) -> Any:
        later(client)
        found = client.call("GET", name, **({"symbol": BTC} if name == "positionRisk" else {}))
        found = found[0] if isinstance(found, list) else found
        return found.get(fields[0], found.get("code"))

    return story


def published(name: str, field: str) -> Story:
    def story(client: Client) -> Any:
        return later(client).public(name, symbol=BTC)[field]

    return story


def allowed(client: Client) -> Any:
    return later(client).order("BUY").get("code", 0)


def listed(client: Client) -> Any:
    row = later(client).public("exchangeInfo")["symbols"][0]
    return row["status"], row["filters"][0]["tickSize"]


def answered(client: Client) -> Any:
    client.public("ping")
    later(client).public("ping")
    return client.status


def silent(client: Client) -> bool:
    """Whether a connection stays open and brings nothing."""
    stream = client.listen()
    later(client).order("BUY")
    return not frames(stream) and not stream.closed


FRAMES = ["ORDER", "ACCOU", "ORDER"]
USUAL = [*FRAMES, "later", "closed 0"]
AT = 1_000
CASES: dict[str, tuple[dict[str, Any], Story, Any, Any]] = {
    "request": ({"path": "order", "method": "POST", "status": 0}, placed, "none", 200),
    "slow": ({"ms": 700}, late, 700, 0),
    "lag": ({"ms": 5_000}, seen_at_once, 0, 1),
    "lose_void": ({}, killed, "0.100", "0.000"),
    "drop": ({"user_streams": True}, told, ["later", "closed 0"], USUAL),
    "duplicate": ({"user_streams": True, "ms": 9}, told, [*FRAMES, "later", *FRAMES, "closed 0"], USUAL),
    "delay": ({"user_streams": True, "ms": 9}, told, ["later", *FRAMES, "closed 0"], USUAL),
    "reorder": ({"stream": "NEW", "ms": 5_000}, told, [*FRAMES[1:], "later", "ORDER", "closed 0"], USUAL),
    "stall": ({}, told, ["later", "closed 0"], USUAL),
    "refuse_stop": ({"code": -2021}, stop_after, (-2021, 0), (0, 1)),
    "cancel_stop": ({"ms": 500}, stop_after, (0, 0), (0, 1)),
    "partial": ({"fill_e4": 3_000, "ms": 60_000}, half_done, ("0.030", 1), ("0.100", 0)),
    "expire_listen_key": ({"at_ms": AT}, told, [*FRAMES, "later", "liste", "closed 0"], USUAL),
    "cut": ({"at_ms": AT}, told, [*FRAMES, "later", "closed 1006"], USUAL),
    "half_open": ({"at_ms": AT}, silent, True, False),
    "skew": ({"at_ms": AT, "ms": 90_000}, published("time", "serverTime"), START_MS + 92_000, START_MS + 2_000),
    "leverage": ({"at_ms": AT, "symbol": BTC, "value": 7}, asked("positionRisk", "leverage"), "7", "20"),
    "margin_type": (
        {"at_ms": AT, "symbol": BTC, "text": "isolated"},
        asked("positionRisk", "marginType"),
        "isolated",
        "cross",
    ),
    "position_mode": ({"at_ms": AT}, asked("positionSide/dual", "dualSidePosition"), True, False),
    "multi_assets": ({"at_ms": AT}, asked("multiAssetsMargin", "multiAssetsMargin"), True, False),
    "transfer": ({"at_ms": AT, "value": 10**10}, asked("balance", "balance"), "10100.00000000", "10000.00000000"),
    "cancel_order": ({"at_ms": AT, "symbol": BTC}, stood_by, ("0.100", 1, False), ("0.100", 2, True)),
    "foreign_order": (
        {"at_ms": AT, "text": "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.1"},
        stood_by,
        ("0.000", 2, True),
        ("0.100", 2, True),
    ),
    "adl": ({"at_ms": AT, "symbol": BTC, "fill_e4": 4_000}, stood_by, ("0.060", 2, True), ("0.100", 2, True)),
    "instrument": (
        {"at_ms": AT, "symbol": BTC, "text": '{"tick_e8":100000000,"unit":100000}'},
        listed,
        ("TRADING", "1"),
        ("TRADING", "0.1"),
    ),
    "mark": ({"at_ms": AT, "symbol": BTC, "value": 50}, published("premiumIndex", "markPrice"), "100005.0", "100000.0"),
    "index": (
        {"at_ms": AT, "symbol": BTC, "value": -50},
        published("premiumIndex", "indexPrice"),
        "99995.0",
        "100000.0",
    ),
    "delist": ({"at_ms": AT, "symbol": BTC}, listed, ("CLOSE", "0.1"), ("TRADING", "0.1")),
    "agent_expires": ({"at_ms": AT}, allowed, -2015, 0),
    "agent_revoked": ({"at_ms": AT}, allowed, -2015, 0),
    "agent_blocked": ({"at_ms": AT, "text": "10.0.0.9"}, allowed, -2015, 0),
    "ban": ({"at_ms": AT, "ms": 60_000}, answered, 418, 200),
    "restart": ({"at_ms": AT, "ms": 60_000}, answered, -1, 200),
    "announce": ({"at_ms": AT}, told, [*FRAMES, "later", "annou", "closed 0"], USUAL),
    "freeze": ({"at_ms": AT, "text": "for the test"}, allowed, -4088, 0),
}
"""By kind: the fault's fields (times from the start), a story, how it ends with the fault and without."""


def by_fixture(client: Client, fault: Fault, folder: Path) -> None:
    client.exchange.faults.add(planned(fault, START_MS))


def by_administrator(client: Client, fault: Fault, folder: Path) -> None:
    body = msgspec.json.encode([planned(fault, START_MS)])
    assert answer_admin(client.exchange, None, Request("POST", "/sim/faults", body=body)).status == 200
    (row,) = json.loads(answer_admin(client.exchange, None, Request("GET", "/sim/faults")).body)
    assert row == {"fault": json.loads(body)[0], "hits": 0}


def by_file(client: Client, fault: Fault, folder: Path) -> None:
    """As `aister sim serve --faults` reads and plants it."""
    file = folder / "faults.json"
    file.write_bytes(msgspec.json.encode([fault]))
    client.exchange.faults.add(*(planned(one, START_MS) for one in read_faults(file)))


def test_every_fault_has_a_case() -> None:
    assert CASES.keys() == KINDS.keys() | ACTS.keys()


@pytest.mark.parametrize("plant", [by_fixture, by_administrator, by_file])
@pytest.mark.parametrize("kind", CASES)
def test_a_fault_does_what_it_says(kind: str, plant: Callable[[Client, Fault, Path], None], tmp_path: Path) -> None:
    given, story, ends, _ = CASES[kind]
    client = Client(exchange(*[FLAT] * 3))
    plant(client, Fault(kind, **given), tmp_path)
    assert story(client) == ends


@pytest.mark.parametrize("kind", CASES)
def test_without_it_the_story_ends_otherwise(kind: str) -> None:
    _, story, _, otherwise = CASES[kind]
    assert story(Client(exchange(*[FLAT] * 3))) == otherwise
