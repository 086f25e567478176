"""Signatures over raw bytes, nonces, agents: with the reference's vectors and eth-account itself."""

import hashlib
import hmac
import json

import pytest

from aister.exchange_sim import (
    Agent,
    Credentials,
    Exchange,
    Readings,
    Refusal,
    Request,
    Settings,
    recovered_by_eth_account,
)
from aister.exchange_sim.auth import Nonces
from tests.exchange_sim.floor import MINUTE_MS, SIGNER, USER, Client, exchange, slices
from tests.sim.market import MONEY, instrument

A = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=9000&nonce=1748310859508867"
    f"&user={USER}&signer={SIGNER}"
)
A_MAINNET = (
    "3d54b4e68ab90c8b41dcc227d05e16e55451bab3930ee0b578a5d772d3b0fdd61b9d10042b3b1ad75089199f9a70e69b4d77908ef6bcb26"
    "74531047635b483b71c"
)
A_TESTNET = (
    "d2a5794cd63bbe225d7c7b31f7f6d5caa0e5be1c9f5f9bdc408b1bd57d04619c3a6d23a4bd6ac22acb215b78c80cfc8337fb44f36944cf7"
    "ed0be7a1e96424d8e1c"
)
C = f"nonce=1748310859508869&signer={SIGNER}&symbol=BTCUSDT&user={USER}"
C_MAINNET = (
    "d445546c5bcdf7284ac478027aa02c761a5031bfad9cc704916545cf819ef6551ccab23b09b6e5e22e572bf62167cb076e3a132db5cf8083"
    "9357ab5a1abc9f191c"
)
SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"


@pytest.mark.parametrize(
    ("message", "chain", "signature"), [(A, 1666, A_MAINNET), (A, 714, A_TESTNET), (C, 1666, C_MAINNET)]
)
def test_the_reference_vectors_recover_to_their_signer(message: str, chain: int, signature: str) -> None:
    assert recovered_by_eth_account(message.encode(), chain, bytes.fromhex(signature)) == SIGNER


def at_vector_time(**settings: object) -> Exchange:
    """An exchange whose clock stands at the vectors' nonces, checking with eth-account."""
    made = Exchange(
        {"BTCUSDT": instrument()},
        slices((9_000.0, 9_000.0, 9_000.0, 9_000.0)),
        MINUTE_MS,
        Settings(chain_id=1666, **settings),  # type: ignore[arg-type]
        shift_ms=1_748_310_859_000 - 1_700_000_040_000,
    )
    made.add_account(Credentials(user=USER, agents={SIGNER.lower(): Agent(SIGNER.lower())}), 100_000 * MONEY)
    return made


def body(made: Exchange, request: Request) -> dict[str, object]:
    return json.loads(made.handle(request).body)  # type: ignore[no-any-return]


def test_a_signed_order_of_the_vector_is_taken_from_the_body_and_with_the_0x() -> None:
    made = at_vector_time()
    request = Request("POST", "/fapi/v3/order", body=f"{A}&signature=0x{A_MAINNET}".encode())
    assert body(made, request)["status"] == "NEW"
    assert body(made, request)["code"] == -4225


def test_any_change_of_the_bytes_is_refused() -> None:
    made = at_vector_time()
    for message in (A.replace("quantity=1", "quantity=2"), A.replace("side=BUY&type=LIMIT", "type=LIMIT&side=BUY")):
        request = Request("POST", "/fapi/v3/order", body=f"{message}&signature={A_MAINNET}".encode())
        assert body(made, request)["code"] == -1022
    garbage = Request("POST", "/fapi/v3/order", body=f"{A}&signature=zz".encode())
    assert body(made, garbage)["code"] == -1022


@pytest.mark.parametrize("reading", [-1022, -1000])
def test_a_bad_signature_in_both_readings(reading: int) -> None:
    made = at_vector_time(readings=Readings(bad_signature=reading))  # type: ignore[arg-type]
    request = Request("POST", "/fapi/v3/order", body=f"{A}&signature={A_TESTNET}".encode())
    assert body(made, request)["code"] == reading
    for status in (400, 401):
        made = at_vector_time(readings=Readings(bad_signature=reading, bad_signature_status=status))  # type: ignore[arg-type]
        assert made.handle(request).status == status


def test_nonces_are_taken_once_within_their_window() -> None:
    client = Client(exchange())
    now = client.exchange.now_us
    assert client.call("GET", "openOrders", now + 59_000_000) == []
    assert client.call("GET", "openOrders", now + 59_000_000)["code"] == -4225
    assert client.call("GET", "openOrders", now + 61_000_000)["code"] == -4225
    assert client.call("GET", "openOrders", now - 59_000_000) == []
    assert client.call("GET", "openOrders", now - 61_000_000)["code"] == -4225


def test_a_hundred_nonces_are_kept_and_older_ones_expire() -> None:
    nonces = Nonces(100)
    for nonce in range(100, 300, 2):
        nonces.take(nonce)
    nonces.take(150 + 1)
    with pytest.raises(Refusal, match="below the oldest"):
        nonces.take(99)
    with pytest.raises(Refusal, match="used before"):
        nonces.take(298)


@pytest.mark.parametrize(("per", "expected"), [("signer", True), ("user", False)])
def test_two_agents_of_a_user_share_nonces_in_one_reading_only(per: str, expected: bool) -> None:
    made = exchange(settings=Settings(readings=Readings(nonces_per=per)))  # type: ignore[arg-type]
    first = Client(made)
    other = "0x" + "22" * 20
    first.account.credentials.agents[other] = Agent(other)
    nonce = made.now_us
    assert first.call("GET", "openOrders", nonce) == []
    first.signer = other
    assert (first.call("GET", "openOrders", nonce) == []) is expected


def test_an_agent_that_expired_was_revoked_or_calls_from_elsewhere_is_refused() -> None:
    client = Client(exchange())
    agent = client.account.credentials.agents[SIGNER.lower()]
    for name, value, back in (("expires_ms", 1, 0), ("revoked", True, False), ("addresses", ("10.0.0.1",), ())):
        setattr(agent, name, value)
        assert (client.call("GET", "openOrders")["code"], client.status) == (-2015, 401)
        setattr(agent, name, back)
    assert client.call("GET", "openOrders") == []
    client.signer = "0x" + "33" * 20
    assert client.call("GET", "openOrders")["code"] == -2015


def signed_v1(message: str) -> str:
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


def test_hmac_as_in_the_reference() -> None:
    message = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
        "&timestamp=1591702613943"
    )
    assert signed_v1(message) == "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def test_v1_paths_take_a_key_and_a_fresh_hmac_over_query_and_body() -> None:
    made = exchange()
    made.add_account(Credentials(api_key="k", secret=SECRET), 10_000 * MONEY)
    headers = {"x-mbx-apikey": "k"}
    now = made.now_ms
    query, rest = f"symbol=BTCUSDT&side=BUY&type=MARKET&timestamp={now}", "quantity=0.1"
    request = Request(
        "POST", "/fapi/v1/order", query.encode(), f"{rest}&signature={signed_v1(query + rest)}".encode(), headers
    )
    assert body(made, request)["status"] == "NEW"
    late = f"timestamp={now - 5_001}"
    old = Request("GET", "/fapi/v2/balance", f"{late}&signature={signed_v1(late)}".encode(), headers=headers)
    assert body(made, old)["code"] == -1021
    fresh = f"timestamp={now}"
    good = Request("GET", "/fapi/v2/balance", f"{fresh}&signature={signed_v1(fresh).upper()}".encode(), headers=headers)
    assert made.handle(good).status == 200
    bad = Request("GET", "/fapi/v2/balance", f"{fresh}&signature={'0' * 64}".encode(), headers=headers)
    assert body(made, bad)["code"] == -1022
    assert made.handle(Request("POST", "/fapi/v1/listenKey", headers=headers)).status == 200
    assert body(made, Request("POST", "/fapi/v1/listenKey"))["code"] == -2014
    assert made.handle(Request("GET", "/fapi/v1/balance", headers=headers)).status == 404


def test_a_noop_kills_what_has_not_landed_yet() -> None:
    client = Client(exchange())
    request = client.request("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1")
    assert client.call("POST", "noop", client.nonce)["code"] == 200
    assert client.send(request)["code"] == -4225
    client.order("BUY")
    assert client.call("POST", "noop", client.nonce)["code"] == -4225


def test_a_guarded_cancel_names_the_nonce_of_its_order() -> None:
    client = Client(exchange())
    placed = client.order("BUY", "LIMIT", price="99000.0")
    nonce = client.nonce
    one = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    assert client.call("DELETE", "guardedCancelOrder", nonce + 7, **one)["code"] == -2011
    assert client.call("DELETE", "guardedCancelOrder", nonce, **one)["status"] == "CANCELED"
