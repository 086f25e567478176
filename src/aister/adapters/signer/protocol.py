"""What is said over the signer's sockets: frames of a length (4 bytes, big endian) and a msgpack message."""

import struct

import msgspec

from aister.adapters.signer.charter import Charter
from aister.adapters.signer.hardening import Hardened
from aister.ports.signer import Call, Declined, Signed

__all__ = [
    "ANSWER",
    "ASK",
    "HEADER",
    "LONGEST",
    "START",
    "Answer",
    "Ask",
    "Failed",
    "Keep",
    "Kept",
    "Mark",
    "Retire",
    "Serving",
    "Sign",
    "Start",
    "framed",
]

HEADER = struct.Struct(">I")
LONGEST = 65_536


class Sign(msgspec.Struct, frozen=True, array_like=True, tag="sign"):
    call: Call


class Mark(msgspec.Struct, frozen=True, array_like=True, tag="mark"):
    """The mark price of a symbol now, 1e-8."""

    symbol: str
    mark_e8: int


class Keep(msgspec.Struct, frozen=True, array_like=True, tag="keep"):
    """Remember the head of a journal chain; `accepted`: a person took responsibility for an older one."""

    chain: str
    sequence: int
    head: str
    accepted: bool = False


class Kept(msgspec.Struct, frozen=True, array_like=True, tag="kept"):
    """Which head of a chain is remembered?"""

    chain: str


class Retire(msgspec.Struct, frozen=True, array_like=True, tag="retire"):
    """Write everything down and end: a trader with a newer lease brings its own signer."""

    epoch: int


Ask = Sign | Mark | Keep | Kept | Retire


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A signature, a no, or neither: done. `head` answers `Kept`."""

    signed: Signed | None = None
    declined: Declined | None = None
    head: tuple[int, str] | None = None


class Start(msgspec.Struct, frozen=True, array_like=True):
    """The first and last thing the parent says over the inherited socket: the key is said here and nowhere else.

    `folder`: where the state lies; `doors`: paths of the trader's socket and the watcher's; `epoch`: of the lease the
    parent holds, -1 for a watcher; `outlives_parent`: whether it goes on without the parent.
    """

    charter: Charter
    key: bytes
    folder: str
    doors: tuple[str, str]
    epoch: int

    def __repr__(self) -> str:
        return f"Start({self.charter.name}, ...)"


class Serving(msgspec.Struct, frozen=True, array_like=True, tag="serving"):
    """It signs. `address`: the key's public identity."""

    address: str
    hardened: Hardened


class Failed(msgspec.Struct, frozen=True, array_like=True, tag="failed"):
    """It does not: which error, in one sentence."""

    error: str
    reason: str


ASK: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
ANSWER = msgspec.msgpack.Decoder(Answer)
START = msgspec.msgpack.Decoder(Start)
_ENCODE = msgspec.msgpack.Encoder().encode


def framed(message: Ask | Answer | Start | Serving | Failed) -> bytes:
    body = _ENCODE(message)
    return HEADER.pack(len(body)) + body
