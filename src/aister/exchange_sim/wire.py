"""What goes over the wire, without a wire: requests, responses, parameters as they were received, refusals."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from aister.exchange_sim.rules import CODES

__all__ = ["DOWN", "NO_ANSWER", "Params", "Refusal", "Request", "Response", "pairs", "reply"]

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
_LONGEST = 40


class Request(msgspec.Struct, frozen=True):
    """One HTTP request: raw query and body, header names in lower case, `remote` the address it came from."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = {}
    remote: str = "127.0.0.1"


class Response(msgspec.Struct, frozen=True):
    """Status, headers and body. `NO_ANSWER` stands for silence: the connection stays open and nothing ever comes.
    `DOWN`: nobody listens, nothing of the request was read."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay_ms: int = 0
    """How long after the request it is sent."""


NO_ANSWER = Response(0, {}, b"")
DOWN = Response(-1, {}, b"")


class Refusal(Exception):
    """The venue's no: a code of the reference's list and what it is about."""

    def __init__(self, code: int, detail: str = "", *, status: int = 0) -> None:
        default = CODES.get(code)
        self.code = code
        self.status = status or (default.status if default else 400)
        self.text = detail or (default.text if default else "Unknown error.")
        super().__init__(f"{code} {self.text}")

    @property
    def body(self) -> dict[str, Any]:
        return {"code": self.code, "msg": self.text}


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, msgspec.json.encode(value))


class Params(Mapping[str, str]):
    """Parameters of a request: those of the query before those of the body; an empty value counts as absent.

    Readers raise `Refusal` with the code the venue gives: -1102 absent, -1100 malformed, -1111 more decimals than 8.
    """

    def __init__(self, pairs: dict[str, str]) -> None:
        self._pairs = pairs

    @classmethod
    def of(cls, request: Request) -> "Params":
        return cls(pairs(request.body) | pairs(request.query))

    def __getitem__(self, name: str) -> str:
        return self._pairs[name]

    def __iter__(self) -> Any:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def need(self, name: str) -> str:
        value = self._pairs.get(name, "")
        if not value:
            raise Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """An integer; `default` None: it must be there."""
        text = self._pairs.get(name, "") if default is not None else self.need(name)
        if not text:
            return default or 0
        try:
            return int(text)
        except ValueError:
            raise Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.") from None

    def number(self, name: str) -> Decimal | None:
        """A plain decimal, None when absent."""
        text = self._pairs.get(name, "")
        if not text:
            return None
        if not _PLAIN.match(text) or len(text) > _LONGEST:
            raise Refusal(-1100, f"Illegal characters found in parameter '{name}'.")
        if len(text.partition(".")[2].rstrip("0")) > 8:
            raise Refusal(-1111)
        return Decimal(text)

    def flag(self, name: str) -> bool:
        """true, True and TRUE are the same (aster-api 13)."""
        text = self._pairs.get(name, "").lower()
        if text not in ("", "true", "false"):
            raise Refusal(-1100, f"Illegal characters found in parameter '{name}'.")
        return text == "true"


def pairs(raw: bytes) -> dict[str, str]:
    """Names and values of a form; of a name that comes twice, the last."""
    if not raw:
        return {}
    parts = [part.partition("=") for part in raw.decode("utf-8", "replace").split("&") if part]
    if b"%" not in raw and b"+" not in raw:
        return {name: value for name, _, value in parts}
    return {unquote_plus(name): unquote_plus(value) for name, _, value in parts}
