"""Who may be addressed here, and from which pages (B1): before anything else looks at a request."""

from urllib.parse import urlsplit

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from aister.api.frame.problems import problem
from aister.core.errors import UsageError

__all__ = ["Addresses", "Doors", "addresses"]

_DEFAULT_PORT = {"http": 80, "https": 443}
_MISDIRECTED = "This server does not answer to that name; use the address that `aister serve` prints, or name it --url."
_FOREIGN = "Pages of another origin may not use this interface; open it at the address that `aister serve` prints."


class Addresses(msgspec.Struct, frozen=True):
    """`hosts`: exact values of the Host header, port included; `origins`: exact values of Origin."""

    hosts: frozenset[str]
    origins: frozenset[str]


def addresses(scheme: str, names: tuple[str, ...], port: int, urls: tuple[str, ...] = ()) -> Addresses:
    """What is served as `scheme` at these names and this port, and at `urls` (a proxy's, say). A default port may be
    left out, as browsers do. Raises `UsageError` for a URL that is no plain origin."""
    hosts: set[str] = set()
    origins: set[str] = set()
    served = [(scheme, name, port) for name in names] + [_origin(url) for url in urls]
    for kind, name, at in served:
        written = [f"{name}:{at}"] + ([name] if at == _DEFAULT_PORT[kind] else [])
        hosts.update(written)
        origins.add(f"{kind}://{written[-1]}")
    return Addresses(frozenset(hosts), frozenset(origins))


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        at = parts.port
        name = parts.hostname or ""
    except ValueError:
        parts, at, name = urlsplit(""), None, ""
    beyond = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _DEFAULT_PORT or not name or beyond or not name.isascii():
        raise UsageError(f"{url!r} is not an address; write scheme and host, for example https://trade.example.com.")
    name = f"[{name}]" if ":" in name else name
    return parts.scheme, name, at if at is not None else _DEFAULT_PORT[parts.scheme]


class Doors:
    """Refuses a Host that is not on the list with 421, and an Origin that is not with 403, before routing. A request
    line that carries a whole URL, more than one Host, and none, are refused too."""

    def __init__(self, app: ASGIApp, *, known: Addresses) -> None:
        self._app, self._known = app, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        if len(hosts) != 1 or hosts[0] not in self._known.hosts or not scope["path"].startswith("/"):
            await self._refuse(421, _MISDIRECTED, scope, receive, send)
        elif any(origin not in self._known.origins for origin in origins):
            await self._refuse(403, _FOREIGN, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await problem(scope, status, sentence)(scope, receive, send)
