"""A tag of what was answered, so that asking again costs nothing when nothing changed."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Tags"]

_KEEP = "private, no-cache"


class Tags:
    """Every 200 of a GET that is JSON in one piece carries an ETag, the SHA-256 of its body; an asker that names it in
    If-None-Match gets 304 without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_json(message):
                start = message
                return
            if start is not None:
                head, start = start, None
                if not message.get("more_body", False):
                    head, message = _with_tag(head, message, asked)
                await send(head)
            await send(message)

        await self._app(scope, receive, tagged)


def _is_json(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type", "") == "application/json"


def _with_tag(start: Message, body: Message, asked: str) -> tuple[Message, Message]:
    tag = f'"{hashlib.sha256(body.get("body", b"")).hexdigest()[:32]}"'
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"], headers["Cache-Control"] = tag, _KEEP
    if tag in [one.strip().removeprefix("W/") for one in asked.split(",")]:
        del headers["content-length"]
        return {**start, "status": 304, "headers": headers.raw}, {**body, "body": b""}
    return {**start, "headers": headers.raw}, body
