"""Calls over REST: governed, signed, sent once, judged. Nothing is ever repeated here."""

from typing import TypeVar

import msgspec

from aister.adapters.exchanges.aster.codes import Kind, meaning
from aister.adapters.exchanges.aster.encode import form
from aister.adapters.exchanges.aster.endpoints import ENDPOINTS, Endpoint, weight
from aister.adapters.exchanges.aster.governor import Governor, Rank
from aister.adapters.exchanges.aster.messages import ServerTime, decoder
from aister.adapters.exchanges.aster.outcome import judged, refused
from aister.adapters.exchanges.aster.timing import VenueClock
from aister.adapters.exchanges.aster.wire import Clock, Wire
from aister.core.errors import SignerUnreachable
from aister.ports.exchange import Answer, Refused, Unknown, Unreachable
from aister.ports.signer import Call, Declined, Signer

__all__ = ["Params", "Rest"]

T = TypeVar("T")
Params = tuple[tuple[str, str], ...]
_TIME = decoder(ServerTime)
_SIGNER_RETRY_MS = 1_000
_REFUSALS, _KEY_PROBE_MS = 2, 60_000


class Rest:
    """One account's (or nobody's) REST interface at one net. `scheme` is "v3" or "v1"; without a signer only public
    calls work. `rest.time.now_ms()` is the venue's clock as estimated here; nonces are made of it unless `tells_time`
    is off (a simulator whose clock runs at another speed takes any)."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        signer: Signer | None = None,
        *,
        governor: Governor | None = None,
        scheme: str = "v3",
        timeout_ms: int = 3_000,
        tells_time: bool = True,
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._signer = signer
        self.governor = governor or Governor()
        self.time = VenueClock(clock)
        self.scheme = scheme
        self._timeout_ms = timeout_ms
        self._tells_time = tells_time
        self._key_refused = 0
        self._barred: Refused | None = None
        self._barred_until = 0.0

    async def public(
        self, name: str, params: Params, into: msgspec.json.Decoder[T], rank: Rank = Rank.WATCH
    ) -> T | Answer:
        """An unsigned call by its name in `ENDPOINTS`."""
        endpoint = ENDPOINTS[name]
        wait = self._ask(endpoint, params, rank)
        if wait is not None:
            return wait
        return await self._send(endpoint, endpoint.path(self.scheme), form(params), (), 0, into)

    async def signed(
        self,
        name: str,
        params: Params,
        into: msgspec.json.Decoder[T],
        rank: Rank = Rank.WATCH,
        *,
        right: str = "read",
        epoch: int = -1,
        nonce_us: int = 0,
        notional: int = 0,
        timeout_ms: int = 0,
    ) -> T | Answer:
        """A signed call by its name in `ENDPOINTS`. `nonce_us` 0 lets the signer take the next. A key the venue refused
        twice in a row is tried once a minute. `timeout_ms` 0 is that of this interface."""
        endpoint = ENDPOINTS[name]
        path = endpoint.path(self.scheme)
        if self._signer is None:
            return Refused(0, "No key is set for this account; add one before asking for what only its owner may see.")
        if not path:
            return Refused(0, f"The old key version has no call {name}; use an agent's key (v3).")
        if self._barred is not None and self._clock.monotonic_ms() < self._barred_until:
            return self._barred
        self.time.watch()
        if self.time.lost and not isinstance(now := await self.server_time(rank), int):
            why = "This machine's clock was stepped, and the venue does not tell the time."
            return Unreachable(why, now.retry_ms if isinstance(now, Unreachable) else 0)
        wait = self._ask(endpoint, params, rank)
        if wait is not None:
            return wait
        venue_ms = self.time.now_ms() if self._tells_time and self.time.measured else 0
        call = Call(endpoint.method, path, params, right, epoch, nonce_us, notional, venue_ms)
        try:
            signed = self._signer.sign(call)
        except SignerUnreachable as error:
            return Unreachable(str(error), self.time.now_ms() + _SIGNER_RETRY_MS)
        if isinstance(signed, Declined):
            return refused(signed.kind, signed.reason, self.time.now_ms() + _SIGNER_RETRY_MS)
        told = await self._send(endpoint, path, signed.payload, signed.headers, signed.nonce_us, into, timeout_ms)
        self._note_key(told)
        return told

    def _note_key(self, told: object) -> None:
        if isinstance(told, Unknown | Unreachable):
            return
        if not isinstance(told, Refused) or meaning(told.code).kind is not Kind.KEY:
            self._key_refused, self._barred = 0, None
            return
        self._key_refused += 1
        if self._key_refused >= _REFUSALS:
            self._barred, self._barred_until = told, self._clock.monotonic_ms() + _KEY_PROBE_MS

    async def server_time(self, rank: Rank = Rank.WATCH) -> int | Answer:
        """The venue's time, which also renews the estimate of its clock."""
        sent = self._clock.monotonic_ms()
        told = await self.public("time", (), _TIME, rank)
        if not isinstance(told, ServerTime):
            return told
        self.time.heard(told.serverTime, sent, self._clock.monotonic_ms())
        return told.serverTime

    def _ask(self, endpoint: Endpoint, params: Params, rank: Rank) -> Unreachable | None:
        cost = weight(endpoint, dict(params))
        wait = self.governor.ask(rank, cost, endpoint.orders, self._clock.monotonic_ms())
        if not wait:
            return None
        return Unreachable("Too many requests, or the venue asked to wait.", self.time.now_ms() + wait)

    async def _send(
        self,
        endpoint: Endpoint,
        path: str,
        payload: bytes,
        headers: tuple[tuple[str, str], ...],
        nonce_us: int,
        into: msgspec.json.Decoder[T],
        timeout_ms: int = 0,
    ) -> T | Refused | Unknown | Unreachable:
        ticket = self.governor.ticket
        sent_ms = self.time.now_ms()
        query, body = (payload, b"") if endpoint.method == "GET" else (b"", payload)
        reply = await self._wire.request(endpoint.method, path, query, body, headers, timeout_ms or self._timeout_ms)
        now = self._clock.monotonic_ms()
        self.governor.heard(ticket, getattr(reply, "status", 0), getattr(reply, "headers", {}), now)
        retry_ms = self.time.now_ms() + self.governor.pause_ms(now)
        return judged(reply, into, nonce_us=nonce_us, sent_ms=sent_ms, retry_ms=retry_ms)
