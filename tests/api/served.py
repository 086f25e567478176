"""The interface over small parts, asked in process."""

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
from fastapi import FastAPI
from msgspec.structs import replace

from aister.adapters.store.candles import StoredCandles
from aister.adapters.store.sample import shipped_instruments
from aister.api.application import Parts, make_api
from aister.api.frame.access import Caller
from aister.api.frame.hosts import addresses
from aister.api.frame.limits import Bounds
from aister.api.setup.service import Setup
from aister.core.people import Role

__all__ = ["CALLERS", "ORIGIN", "SET_UP", "Asker", "Hands", "parts"]

ORIGIN = "http://localhost:8700"
SET_UP = "the-set-up-token-of-this-test"
CALLERS = {
    "an-owner": Caller("usr_1", Role.OWNER),
    "a-trader": Caller("usr_2", Role.TRADER),
    "a-viewer": Caller("usr_3", Role.VIEWER),
    "a-key": Caller("key_1", Role.TRADER, frozenset({"specs:read"})),
}


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


def parts(hands: Hands | None = None, **changed: Any) -> Parts:
    monotonic = hands or Hands()
    made = Parts(
        version="1.2.3",
        known=addresses("http", ("127.0.0.1", "localhost", "[::1]"), 8700),
        tls=False,
        setup=Setup(SET_UP, monotonic),
        identify=CALLERS.get,
        probes={"disk": lambda: ""},
        instruments=shipped_instruments(),
        candles=StoredCandles(),
        engine_hash="abc",
        now_ms=lambda: 1_750_000_000_000,
        monotonic=monotonic,
        bounds=Bounds(burst=100_000),
    )
    return replace(made, **changed)


class Asker:
    """Asks as somebody: a bearer token of `CALLERS`, or nobody."""

    def __init__(self, api: FastAPI | Parts, bearer: str = "") -> None:
        self.api = make_api(api) if isinstance(api, Parts) else api
        self._headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.all([(method, path, more)])[0]

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self("GET", path, **more)

    def all(self, asked: Iterable[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """Side by side."""

        async def scene() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                return list(await asyncio.gather(*(self._one(client, *one) for one in asked)))

        return asyncio.run(scene())

    async def _one(self, client: httpx.AsyncClient, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        headers = {**self._headers, **more.get("headers", {})}
        return await client.request(method, path, **{**more, "headers": headers})
