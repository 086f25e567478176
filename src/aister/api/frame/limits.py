"""How much one asker may ask: requests a second, bytes a request, seconds a request."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aister.api.frame.problems import problem

__all__ = ["Bodies", "Bounds", "Pace"]

_MOST_ADDRESSES = 10_000
_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
_DEEPEST = 200
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Bounds(msgspec.Struct, frozen=True):
    """`per_second` and `burst`: requests of one address; `body`: bytes of one; `body_s`: how long it may take to
    arrive; `answer_s`: how long the answer may take."""

    per_second: float = 100.0
    burst: int = 200
    body: int = 1 << 20
    body_s: float = 10.0
    answer_s: float = 30.0


class Pace:
    """A bucket of requests for each IP address, of which the addresses heard last are remembered; 429 when it is
    empty."""

    def __init__(self, app: ASGIApp, *, bounds: Bounds, monotonic: Callable[[], float]) -> None:
        self._app, self._bounds, self._now = app, bounds, monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (wait_s := self._take(str((scope.get("client") or ("",))[0]))):
            seconds = max(1, round(wait_s + 0.5))
            sentence = f"Too many requests from this address; try again in {seconds} s."
            await problem(scope, 429, sentence, headers={"Retry-After": str(seconds)})(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _take(self, address: str) -> float:
        """0 and one request fewer, or how long until there is one."""
        now, bounds = self._now(), self._bounds
        left, at = self._left.pop(address, (float(bounds.burst), now))
        left = min(float(bounds.burst), left + (now - at) * bounds.per_second)
        self._left[address] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
        if len(self._left) > _MOST_ADDRESSES:
            self._left.popitem(last=False)
        return 0.0 if left >= 1.0 else (1.0 - left) / bounds.per_second


class Bodies:
    """Reads a request's body whole before anybody else sees the request: 413 when it is too long, 408 when it comes too
    slowly, 415 when it is no JSON, 400 when it is nested so deep that a parser might run out of stack; then gives the
    answer its time: 503 when it takes longer."""

    def __init__(self, app: ASGIApp, *, bounds: Bounds) -> None:
        self._app, self._bounds = app, bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        body = b""
        if refused is None:
            try:
                async with asyncio.timeout(self._bounds.body_s):
                    body, refused = await self._read(receive)
            except TimeoutError:
                refused = (408, "The request did not arrive in time; send it again.")
        if refused is not None:
            await problem(scope, *refused)(scope, receive, send)
            return
        await self._answer(scope, _replayed(body, receive), send)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._bounds.body:
            return self._too_long()
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        has_body = length != b"0" or b"transfer-encoding" in headers
        if scope["method"] in _WITH_BODY and (has_body or kind) and kind != b"application/json":
            return 415, "The body is not declared as JSON; send it with Content-Type: application/json."
        return None

    def _too_long(self) -> tuple[int, str]:
        return 413, f"The body is longer than {self._bounds.body:,} bytes; send less."

    async def _read(self, receive: Receive) -> tuple[bytes, tuple[int, str] | None]:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b"", (400, "The request broke off; send it again.")
            part = message.get("body", b"")
            size += len(part)
            if size > self._bounds.body:
                return b"", self._too_long()
            parts.append(part)
            if not message.get("more_body", False):
                body = b"".join(parts)
                if _depth(body) > _DEEPEST:
                    return b"", (400, f"The body is nested more than {_DEEPEST} levels deep; send a flatter one.")
                return body, None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._bounds.answer_s):
                await self._app(scope, receive, noted)
        except TimeoutError:
            if begun:
                raise
            sentence = f"No answer within {self._bounds.answer_s:g} s; ask for less, or again later."
            await problem(scope, 503, sentence)(scope, receive, send)


def _depth(body: bytes) -> int:
    """How deep brackets outside of texts stand in one another."""
    depth = deepest = 0
    for byte in _TEXT.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body as one message; afterwards what really comes: that the asker has left."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
