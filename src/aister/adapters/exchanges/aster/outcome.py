"""What a reply means for the request it answers: done, a no, nothing known, or never arrived. In one place, for every
call (aster-api 4, 6, 10).

* Only a 4xx with a negative code of the venue's own is a no. A venue that says it does not know (-1000, -1001, -1006,
  -1007), any 5xx, silence after a byte was written, a redirect, HTML where JSON should be, half a body: unknown.
* Nothing arrived when not a byte was written, or the venue's gate says so itself (429, 418, 403, -1003, -1015).
* Success is what decodes into the expected reply and carries no negative code ({"code": 200} is one too).
"""

from typing import TypeVar

import msgspec

from aister.adapters.exchanges.aster.codes import Kind, meaning, shown
from aister.adapters.exchanges.aster.messages import Status, decoder
from aister.adapters.exchanges.aster.wire import Lost, Reply
from aister.ports.exchange import Refused, Unknown, Unreachable

__all__ = ["judged", "refused"]

T = TypeVar("T")
_STATUS = decoder(Status)
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_GATES = {
    403: "The venue's fire wall turned the request away; check that this machine's address is allowed to trade there.",
    418: "The venue banned this address for a while after too many requests; waiting until it lifts that.",
    429: "Too many requests; waiting as the venue asks.",
}


def judged(
    reply: Reply | Lost, into: msgspec.json.Decoder[T], *, nonce_us: int, sent_ms: int, retry_ms: int
) -> T | Refused | Unknown | Unreachable:
    """`nonce_us` and `sent_ms` of the request; `retry_ms` when it may be tried again if it never arrived."""
    if isinstance(reply, Lost):
        return Unknown(reply.why, nonce_us, sent_ms) if reply.written else Unreachable(reply.why, retry_ms)
    status = _status(reply.body) if b'"code"' in reply.body else None
    code = status.code if status is not None else 0
    if code < 0 and 400 <= reply.status < 500:
        told = meaning(code, status.msg if status else "")
        if told.kind is Kind.UNKNOWN:
            return Unknown(told.sentence, nonce_us, sent_ms)
        if told.kind is Kind.RATE or reply.status in (418, 429):
            return Unreachable(told.sentence, retry_ms)
        return Refused(code, told.sentence)
    if reply.status in _GATES:
        return Unreachable(_GATES[reply.status], retry_ms)
    if code < 0 and 200 <= reply.status < 300:
        told = meaning(code, status.msg if status else "")
        return Unknown(told.sentence, nonce_us, sent_ms) if told.kind is Kind.UNKNOWN else Refused(code, told.sentence)
    if not 200 <= reply.status < 300:
        why = meaning(code).sentence if meaning(code).kind is Kind.UNKNOWN else f"The venue answered {reply.status}"
        return Unknown(f"{why} {_said(reply.body)}".strip(), nonce_us, sent_ms)
    try:
        return into.decode(reply.body)
    except _BROKEN:
        return Unknown(f"The venue's answer could not be read: {_said(reply.body)}", nonce_us, sent_ms)


def refused(kind: str, reason: str, retry_ms: int) -> Refused | Unreachable:
    """A request the signer declined: a matter of moments (clock, busy), or a no for good."""
    if kind in ("clock", "busy"):
        return Unreachable(reason, retry_ms)
    return Refused(0, reason)


def _status(body: bytes) -> Status | None:
    try:
        return _STATUS.decode(body)
    except _BROKEN:
        return None


def _said(body: bytes) -> str:
    start = shown(body[:80].decode("ascii", "replace"))
    return f"({start})" if start else "(an empty body)"
