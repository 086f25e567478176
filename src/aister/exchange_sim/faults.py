"""What goes wrong, and when: a plan that the exchange asks at every request, frame and order.

A fault holds from `at_ms` until `until_ms` (0: without end; times of the exchange's clock), for what it names (all
that is left empty matches), `count` times at most (0: any number), each time with probability `share_e4` / 10,000.
"""

from typing import Any

import msgspec
import numpy as np

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.records import OrderState
from aister.exchange_sim.streams import Connection
from aister.exchange_sim.trading import OrderFault
from aister.exchange_sim.wire import Params, Request

__all__ = ["ACTS", "KINDS", "Fault", "Faults"]

KINDS = {
    "request": "answer `status` (0: never) with `code`; the request is `outcome`: refused, done, or done `ms` late",
    "slow": "answer `ms` late",
    "lag": "look-ups do not see orders and trades younger than `ms`",
    "lose_void": "a noop is answered and does nothing",
    "drop": "a frame is lost",
    "duplicate": "a frame comes twice, the second `ms` later",
    "delay": "a frame comes `ms` late",
    "reorder": "a frame comes after those of the next 0..`ms` (drawn)",
    "stall": "no frame comes, and the connection stays open; what was to be sent is lost",
    "refuse_stop": "a conditional order is refused with `code`",
    "cancel_stop": "a conditional order is cancelled by the venue after `ms`, and nobody is told",
    "partial": "an order fills by `fill_e4` / 10,000 at first, the rest is on the book `ms` later",
}
ACTS = {
    "expire_listen_key": "the account's listen key expires",
    "cut": "connections are closed (code 1006)",
    "half_open": "connections stay open and nothing comes any more",
    "skew": "the exchange's own clock is `ms` off from now on",
    "leverage": "leverage of `symbol` becomes `value`",
    "margin_type": "margin type of `symbol` becomes `text` (isolated, cross)",
    "position_mode": "the account's position mode flips if it may",
    "multi_assets": "multi-assets mode flips",
    "transfer": "`value` money units come in (negative: go out)",
    "cancel_order": "the account's oldest order on `symbol` is cancelled (`text` stop: the oldest conditional one)",
    "foreign_order": "somebody places an order: `text` is its query string",
    "adl": "`fill_e4` / 10,000 of the position on `symbol` are auto-deleveraged",
    "instrument": "terms of `symbol` change: `text` is a JSON object of Instrument fields, or brackets_max_leverage; "
    "tick and step only while nobody holds or works anything in them",
    "mark": "mark price of `symbol` stands `value` ticks higher than it would (negative: lower)",
    "index": "index price of `symbol` stands `value` ticks higher than it would (negative: lower)",
    "delist": "`symbol` is gone from exchangeInfo and cannot be traded",
    "agent_expires": "the account's agents expire",
    "agent_revoked": "the account's agents are revoked",
    "agent_blocked": "the account's agents may come from `text` only",
    "ban": "addresses that have called get 418 for `ms`",
    "restart": "the exchange is down for `ms`: connections break, listen keys are gone, its books stay",
    "announce": "an announcement event without E is sent (aster-api 9)",
    "freeze": "the account may only reduce (-4088)",
}
"""What happens once, at `at_ms`."""

_FRAMES = ("stall", "drop", "delay", "reorder", "duplicate")
_LOOKUPS = ("order", "openOrder", "openOrders", "allOrders", "userTrades")


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a plan. `path`: the last part of the request's path ("order"); `stream`: text that the frame must
    hold; `account` 0 = every one."""

    kind: str
    at_ms: int = 0
    until_ms: int = 0
    count: int = 0
    share_e4: int = 10_000
    method: str = ""
    path: str = ""
    symbol: str = ""
    stream: str = ""
    account: int = 0
    user_streams: bool = False
    outcome: str = "refused"
    status: int = 503
    code: int = 0
    ms: int = 0
    fill_e4: int = 5_000
    value: int = 0
    text: str = ""

    def check(self) -> "Fault":
        """The fault itself. Raises `ValueError` for a kind or outcome there is not."""
        if self.kind not in KINDS and self.kind not in ACTS:
            raise ValueError(f"There is no fault {self.kind!r}; there are {', '.join(sorted(KINDS | ACTS))}.")
        if self.outcome not in ("refused", "done", "late"):
            raise ValueError(f"An outcome is refused, done or late, not {self.outcome!r}.")
        return self


class Faults:
    """The plan at work. All chance comes from `seed`. `hits` counts how often each fault (by place in `plan`) bit."""

    def __init__(self, plan: tuple[Fault, ...] = (), seed: int = 1) -> None:
        self.plan: list[Fault] = []
        self.hits: list[int] = []
        self._places: dict[str, list[int]] = {}
        self._acts: list[int] = []
        self._chance = np.random.default_rng(seed)
        self.add(*plan)

    def add(self, *faults: Fault) -> None:
        for fault in faults:
            place = len(self.plan)
            self.plan.append(fault.check())
            self.hits.append(0)
            self._places.setdefault(fault.kind, []).append(place)
            if fault.kind in ACTS:
                self._acts.append(place)

    def clear(self) -> None:
        """No fault any more."""
        for kept in (self.plan, self.hits, self._places, self._acts):
            kept.clear()

    def due(self, now_ms: int) -> list[Fault]:
        """Acts whose time has come, each once."""
        due = []
        for i in self._acts:
            if self.hits[i] == 0 and self.plan[i].at_ms <= now_ms:
                self.hits[i] = 1
                due.append(self.plan[i])
        return due

    def next_ms(self) -> int | None:
        """When the next act is due."""
        return min([self.plan[i].at_ms for i in self._acts if self.hits[i] == 0], default=None) if self._acts else None

    def on_request(self, request: Request, now_ms: int) -> Fault | None:
        """The fault that decides what becomes of a request."""
        return self._bite("request", now_ms, request=request)

    def slow_ms(self, request: Request, now_ms: int) -> int:
        fault = self._bite("slow", now_ms, request=request)
        return fault.ms if fault else 0

    def lag_ms(self, request: Request, now_ms: int) -> int:
        """How young an order may be and not be seen by this look-up."""
        if request.method != "GET" or request.path.rpartition("/")[2] not in _LOOKUPS:
            return 0
        fault = self._bite("lag", now_ms, request=request)
        return fault.ms if fault else 0

    def loses_void(self, request: Request, now_ms: int) -> bool:
        return self._bite("lose_void", now_ms, request=request) is not None

    def on_order(self, account: Account, order: OrderState, now_ms: int) -> OrderFault | None:
        found = OrderFault()
        if order.original.conditional:
            if refused := self._bite("refuse_stop", now_ms, account=account.number, symbol=order.symbol):
                return OrderFault(refuse=refused.code or -2010)
            if cancelled := self._bite("cancel_stop", now_ms, account=account.number, symbol=order.symbol):
                found = msgspec.structs.replace(found, cancel_after_ms=cancelled.ms)
        elif partial := self._bite("partial", now_ms, account=account.number, symbol=order.symbol):
            found = msgspec.structs.replace(found, share_e4=partial.fill_e4, rest_ms=partial.ms)
        return found

    def on_frame(self, connection: Connection, text: str, now_ms: int) -> tuple[int, ...]:
        """When copies of this frame arrive; empty: never."""
        if self._places.keys().isdisjoint(_FRAMES):
            return (now_ms,)
        if self._bite("stall", now_ms, connection=connection, text=text):
            return ()
        if self._bite("drop", now_ms, connection=connection, text=text):
            return ()
        due = now_ms
        if late := self._bite("delay", now_ms, connection=connection, text=text):
            due += late.ms
        if mixed := self._bite("reorder", now_ms, connection=connection, text=text):
            due += int(self._chance.integers(0, mixed.ms + 1))
        if twice := self._bite("duplicate", now_ms, connection=connection, text=text):
            return (due, due + twice.ms)
        return (due,)

    def _bite(self, kind: str, now_ms: int, **what: Any) -> Fault | None:
        for i in self._places.get(kind, ()):
            fault = self.plan[i]
            if now_ms < fault.at_ms or (fault.until_ms and now_ms >= fault.until_ms):
                continue
            if (fault.count and self.hits[i] >= fault.count) or not _concerns(fault, **what):
                continue
            if fault.share_e4 < 10_000 and int(self._chance.integers(10_000)) >= fault.share_e4:
                continue
            self.hits[i] += 1
            return fault
        return None


def _concerns(
    fault: Fault,
    *,
    request: Request | None = None,
    connection: Connection | None = None,
    text: str = "",
    account: int = 0,
    symbol: str = "",
) -> bool:
    if request is not None:
        if fault.method and fault.method != request.method:
            return False
        if fault.path and request.path.rpartition("/")[2] != fault.path:
            return False
        return not fault.symbol or Params.of(request).get("symbol", "").upper() == fault.symbol
    if connection is not None:
        if fault.user_streams and not connection.account:
            return False
        if fault.account and connection.account != fault.account:
            return False
        return not fault.stream or fault.stream in text
    return (not fault.account or fault.account == account) and (not fault.symbol or fault.symbol == symbol)
