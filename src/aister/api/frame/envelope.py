"""Around every answer: a request id, security headers, and an end to errors nobody foresaw."""

import json
import logging
import secrets
import traceback

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aister.api.frame.problems import FAILED, problem, request_id

__all__ = ["CLOSED", "Envelope"]

CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy of an answer that is data: a browser loads and runs nothing for it."""

_HEADERS = {
    "Content-Security-Policy": CLOSED,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
_ONE_YEAR = "max-age=31536000"
_log = logging.getLogger("aister.api")


class Envelope:
    """The outermost layer. An error that no handler knows is one JSON line in the log, with the places it passed and
    without its words or values, which may hold a secret; the asker gets a problem with the request id."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app, self._tls = app, tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["aister.request"] = f"req_{secrets.token_hex(8)}"
        begun = False

        async def sealed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._seal(MutableHeaders(scope=message), request_id(scope))
            await send(message)

        try:
            await self._app(scope, receive, sealed)
        except Exception as error:
            _log.error(_line(scope, error))
            if begun:
                raise ConnectionAbortedError("An answer broke off; its request is in the log.") from None
            await problem(scope, 500, FAILED)(scope, receive, sealed)

    def _seal(self, headers: MutableHeaders, name: str) -> None:
        for header, value in _HEADERS.items():
            headers.setdefault(header, value)
        headers["X-Request-Id"] = name
        if self._tls:
            headers["Strict-Transport-Security"] = _ONE_YEAR


def _line(scope: Scope, error: Exception) -> str:
    """One line: what failed and where, never with what."""
    places = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    route = getattr(scope.get("route"), "path", "")
    told = {"event": "request failed", "request": request_id(scope), "method": scope["method"], "route": route}
    return json.dumps({**told, "error": type(error).__name__, "at": places[-8:]})
