"""Which kinds of faults met orders in which states: a cell is hit when a fault bites while an order of ours stands
there. Of a request or frame that names an order, only that order counts; of everything else, all that are open, and
those that ended within the last 5 s."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from aister.exchange_sim import Fault, Faults, Request
from aister.execution.states import State

__all__ = ["Cell", "Coverage", "Noted", "label"]

Cell = tuple[str, str]
RECENT_MS = 5_000


class Coverage:
    """`courier` gives the trader's courier, None while there is none."""

    def __init__(self, courier: Callable[[], Any]) -> None:
        self.cells: Counter[Cell] = Counter()
        self._courier = courier

    def bit(self, kind: str, about: str = "") -> None:
        """A fault of this kind has bitten; `about`: the text that may name orders of ours."""
        courier = self._courier()
        if courier is None:
            return
        courses = list(getattr(courier, "_courses", {}).values())
        named = [one for one in courses if about and one.order.client_id in about]
        now_ms = courier.known_ms
        for one in named or [one for one in courses[-40:] if not one.closed or one.sent_ms >= now_ms - RECENT_MS]:
            self.cells[kind, str(one.state)] += 1


class Noted(Faults):
    """The exchange's plan, which tells of every bite."""

    def __init__(self, seed: int, told: Callable[[str, str], None]) -> None:
        super().__init__(seed=seed)
        self._told = told

    def due(self, now_ms: int) -> list[Fault]:
        due = super().due(now_ms)
        for fault in due:
            self._told(label(fault), "")
        return due

    def _bite(self, kind: str, now_ms: int, **what: Any) -> Fault | None:
        fault = super()._bite(kind, now_ms, **what)
        if fault is not None:
            self._told(label(fault), _named(what))
        return fault


def _named(what: dict[str, Any]) -> str:
    request = what.get("request")
    if isinstance(request, Request):
        pairs = dict(parse_qsl((request.query or request.body).decode()))
        return pairs.get("newClientOrderId") or pairs.get("origClientOrderId") or ""
    return str(what.get("text", ""))


def label(fault: Fault) -> str:
    """What the matrix calls it."""
    if fault.kind != "request":
        return fault.kind.replace("_", " ")
    what = "silence" if not fault.status else str(fault.code or fault.status)
    return f"{what} {fault.method.lower()} {fault.outcome}" if fault.status in (0, 503) else what


STATES = tuple(str(one) for one in State)
