"""An exchange on made-up bars, and a client of a few lines for it: the signature is a digest that names its signer, so
that tests need no elliptic curve (test_auth uses the real thing)."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.exchange_sim import Agent, Credentials, Exchange, Faults, Request, Response, Settings
from aister.ports.feed import MarketSlice
from tests.sim.market import MINUTE_MS, MONEY, bar, instrument

USER = "0x63DD5aCC6b1aa0f563956C0e534DD30B6dcF7C4e"
SIGNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
START_MS = 1_700_000_040_000


def digest(message: bytes, signer: str) -> bytes:
    return bytes.fromhex(signer[2:]) + hashlib.sha256(message).digest() + bytes(13)


def verify(message: bytes, chain_id: int, signature: bytes) -> str:
    """The stand-in for signature recovery."""
    if signature[20:52] != hashlib.sha256(message).digest():
        raise ValueError("not a signature")
    return "0x" + signature[:20].hex()


def slices(
    *prices: tuple[float, float, float, float], symbols: tuple[str, ...] = ("BTCUSDT",)
) -> Iterator[MarketSlice]:
    """Minutes with these prices, one after the other, from START_MS on."""
    for minute, (o, h, l, c) in enumerate(prices):
        start = START_MS + minute * MINUTE_MS
        bars = tuple(BarClosed(start + MINUTE_MS, s, start, o, h, l, c, 60.0) for s in symbols)
        yield MarketSlice(start, (), bars)


FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)


def exchange(
    *prices: tuple[float, float, float, float],
    settings: Settings | None = None,
    faults: Faults | None = None,
    symbols: tuple[str, ...] = ("BTCUSDT",),
    **changes: object,
) -> Exchange:
    """One that trades these minutes (by default ten flat ones)."""
    listed: dict[str, Instrument] = {symbol: instrument(symbol, **changes) for symbol in symbols}
    feed = slices(*(prices or (FLAT,) * 10), symbols=symbols)
    return Exchange(listed, feed, MINUTE_MS, settings, faults=faults, verify=verify)


class Client:
    """One account and its calls. `status` and `headers` are of the last reply."""

    def __init__(self, made: Exchange, money: int = 10_000, user: str = USER, signer: str = SIGNER) -> None:
        self.exchange, self.user, self.signer = made, user, signer
        agents = {signer.lower(): Agent(signer.lower())}
        credentials = Credentials(user=user, agents=agents, api_key=f"key-{user[-4:]}", secret="secret")
        self.account = made.add_account(credentials, money * MONEY)
        self.nonce = 0
        self.status = 0
        self.headers: dict[str, str] = {}

    def request(self, method: str, name: str, nonce: int = 0, **params: Any) -> Request:
        """The signed request, not sent."""
        self.nonce = nonce or max(self.nonce + 1, self.exchange.now_us)
        pairs = {key: str(value) for key, value in params.items()}
        message = urlencode({**pairs, "nonce": str(self.nonce), "user": self.user, "signer": self.signer}).encode()
        raw = message + b"&signature=0x" + digest(message, self.signer).hex().encode()
        path = f"/fapi/v3/{name}"
        return Request(method, path, raw) if method == "GET" else Request(method, path, body=raw)

    def send(self, request: Request) -> Any:
        return self.read(self.exchange.handle(request))

    def read(self, response: Response) -> Any:
        self.status, self.headers = response.status, response.headers
        return json.loads(response.body) if response.body[:1] in (b"{", b"[") else response.body

    def call(self, method: str, name: str, nonce: int = 0, **params: Any) -> Any:
        return self.send(self.request(method, name, nonce, **params))

    def public(self, name: str, **params: Any) -> Any:
        return self.send(Request("GET", f"/fapi/v3/{name}", urlencode(params).encode()))

    def order(self, side: str, kind: str = "MARKET", symbol: str = "BTCUSDT", **params: Any) -> Any:
        """Place an order; by default 0.1 of it."""
        if "closePosition" not in params:
            params.setdefault("quantity", "0.100")
        if kind == "LIMIT":
            params.setdefault("timeInForce", "GTC")
        return self.call("POST", "order", symbol=symbol, side=side, type=kind, **params)

    def position(self, symbol: str = "BTCUSDT") -> str:
        return str(self.call("GET", "positionRisk", symbol=symbol)[0]["positionAmt"])

    def listen(self) -> Any:
        """A connection to the user stream."""
        return self.exchange.connect("/ws/" + self.call("POST", "listenKey")["listenKey"])


def frames(connection: Any) -> list[Any]:
    return [json.loads(text) for text in connection.take()]


__all__ = ["FLAT", "MINUTE_MS", "START_MS", "Client", "bar", "exchange", "frames", "slices"]
