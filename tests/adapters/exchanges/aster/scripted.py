"""A wire without a venue: it records what is sent and answers what the test wants, under a clock of the test."""

from collections.abc import Callable
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.sign import Agent
from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply
from aister.core.errors import SignerUnreachable
from aister.ports.signer import Call, Declined, Signed

KEY = b"\x11" * 32  # a throwaway key: no account has it
USER = "0x63DD5aCC6b1aa0f563956C0e534DD30B6dcF7C4e"
START_MS = 1_750_000_000_000


class Hands:
    """A clock the test moves; waiting moves it too."""

    def __init__(self) -> None:
        self.wall = START_MS
        self.steady = 5_000.0

    def now_ms(self) -> int:
        return self.wall

    def monotonic_ms(self) -> float:
        return self.steady

    def move(self, ms: int) -> None:
        self.wall += ms
        self.steady += ms

    async def sleep(self, ms: float) -> None:
        self.move(round(ms))


class Sent(msgspec.Struct):
    method: str
    path: str
    query: bytes
    body: bytes
    headers: dict[str, str]

    @property
    def params(self) -> dict[str, str]:
        from urllib.parse import parse_qsl

        return dict(parse_qsl((self.query or self.body).decode("ascii"), keep_blank_values=True))


Answers = Callable[[Sent], Reply | Lost]


class ScriptedWire:
    def __init__(self, answers: Answers, hands: Hands, delay_ms: int = 20) -> None:
        self.answers = answers
        self.hands = hands
        self.delay_ms = delay_ms
        self.sent: list[Sent] = []

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        one = Sent(method, path, query, body, dict(headers))
        self.sent.append(one)
        self.hands.move(self.delay_ms)
        return self.answers(one)

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        return Lost(False, f"no stream at {path} within {timeout_ms}")


class LocalSigner:
    """Signs in this process; the test says when it declines or is gone."""

    def __init__(self, hands: Hands) -> None:
        self.agent = Agent(KEY, USER, 714)
        self.hands = hands
        self.calls: list[Call] = []
        self.declines: Declined | None = None
        self.gone = False
        self.last = 0

    @property
    def address(self) -> str:
        return self.agent.address

    def sign(self, call: Call) -> Signed | Declined:
        if self.gone:
            raise SignerUnreachable("The signer does not answer; restart the trader.")
        self.calls.append(call)
        if self.declines is not None:
            return self.declines
        if call.nonce_us:
            return self.agent.sign(call.params, call.nonce_us)
        self.last = max(self.last + 1, (call.venue_ms or self.hands.now_ms()) * 1000)
        return self.agent.sign(call.params, self.last)


def reply(document: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, msgspec.json.encode(document))
