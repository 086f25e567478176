"""What parent and child say to each other: msgpack, one length-prefixed frame each, typed and bounded.

The parent trusts `Ready` alone, which arrives before the child has been given a line of the strategy.
"""

import struct
from typing import TypeVar

import msgspec

from aister.adapters.sandbox.walls import Walls
from aister.core.instrument import Instrument
from aister.lab.python.memory import Opening, Shape

__all__ = [
    "HEADER",
    "Answered",
    "Described",
    "Failed",
    "Finished",
    "FromChild",
    "FromParent",
    "Load",
    "Parameter",
    "Ready",
    "Reveal",
    "Start",
    "decode_from_child",
    "decode_from_parent",
    "frame",
    "frame_size",
]

HEADER = struct.Struct("<I")
Parameter = bool | int | float | str
T = TypeVar("T")


class Load(msgspec.Struct, frozen=True, tag=True):
    """The strategy's source, the name of its file, and the keyword arguments of its class."""

    source: str
    name: str
    parameters: dict[str, Parameter]
    symbol: str


class Start(msgspec.Struct, frozen=True, tag=True):
    """Everything known before the first bar. first: the first close that may be decided on."""

    instrument: Instrument
    shape: Shape
    first: int
    opening: Opening


class Reveal(msgspec.Struct, frozen=True, tag=True):
    """Closes below `until`, and the bars up to them, now lie in the shared memory. last: all bars do, and no
    close is left to ask about."""

    until: int
    last: bool


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The walls stand; give me the source."""

    walls: Walls


class Described(msgspec.Struct, frozen=True, tag=True):
    """What the class asks for. parameters: the keyword arguments its class names, with the values they have."""

    name: str
    timeframe: str
    features: tuple[str, ...]
    lookback: int
    warm_up: int
    filtered: bool
    parameters: dict[str, Parameter]


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The rows (dtypes SETUP and EXIT) of the closes revealed last."""

    setups: bytes
    exits: bytes


class Finished(msgspec.Struct, frozen=True, tag=True):
    """What the child says it traded (dtype TRADE), how many answers were dropped, and the processor time of its run."""

    trades: bytes
    dropped: int
    cpu_s: float


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The strategy raised: where in its file (0: nowhere in it), the text of that line, and what was said."""

    line: int
    text: str
    error: str


FromParent = Load | Start | Reveal
FromChild = Ready | Described | Answered | Finished | Failed

_encode = msgspec.msgpack.Encoder().encode
decode_from_parent = msgspec.msgpack.Decoder(FromParent).decode
decode_from_child = msgspec.msgpack.Decoder(FromChild).decode


def frame(message: FromParent | FromChild) -> bytes:
    """The message with its length in front."""
    body = _encode(message)
    return HEADER.pack(len(body)) + body


def frame_size(head: bytes) -> int:
    """Bytes that follow this header."""
    size: int = HEADER.unpack(head)[0]
    return size
