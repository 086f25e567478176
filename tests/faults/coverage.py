"""Which kinds of faults met orders in which states: a cell is hit when a fault bites while an order of ours stands
there. Of a request, frame or order that is named, only that order counts; of everything else, all that are open, and
those of the last minute that have ended."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from aister.exchange_sim import Account, Connection, Fault, Faults, OrderState, Request
from aister.exchange_sim.wire import pairs
from aister.execution.states import Course, State
from tests.faults.scenario import START_MS

__all__ = ["Cell", "Coverage", "Noted", "label"]

Cell = tuple[str, str]
RECENT_MS = 60_000


class Coverage:
    """`courier` gives the trader's courier, None while there is none; `now_ms` the time. `bites`: when something went
    wrong, in order."""

    def __init__(self, courier: Callable[[], Any], now_ms: Callable[[], int]) -> None:
        self.cells: Counter[Cell] = Counter()
        self.bites: list[int] = []
        self._courier, self._now_ms = courier, now_ms

    def bit(self, kind: str, about: str = "") -> None:
        """A fault of this kind has bitten; `about`: the text that may name orders of ours."""
        self.bites.append(self._now_ms())
        courses = self._courses()
        named = [one for one in courses if about and one.order.client_id in about]
        if about and not named and not about.startswith("{"):
            return  # an order of the watcher's, or of an earlier life
        for one in named or self.standing():
            self.cells[kind, str(one.state)] += 1

    def standing(self) -> list[Course]:
        """What is open, and what has ended within the last minute."""
        recent_ms = self._now_ms() + START_MS - RECENT_MS
        return [one for one in self._courses()[-40:] if not one.closed or one.sent_ms >= recent_ms]

    def _courses(self) -> list[Course]:
        courier = self._courier()
        return [] if courier is None else list(courier._courses.values())


class Noted(Faults):
    """The exchange's plan, which tells of every bite: `told` what the matrix calls it and what it names, `bitten` the
    fault itself, `expired` the account whose stream has just been told that its key expired."""

    def __init__(
        self,
        seed: int,
        told: Callable[[str, str], None],
        bitten: Callable[[Fault], None],
        expired: Callable[[int], None],
    ) -> None:
        super().__init__(seed=seed)
        self._told, self._bitten, self._expired = told, bitten, expired
        self._about = ""

    def due(self, now_ms: int) -> list[Fault]:
        due = super().due(now_ms)
        for fault in due:
            self._told(label(fault), "")
        return due

    def on_order(self, account: Account, order: OrderState, now_ms: int) -> Any:
        self._about = order.client_id
        found = super().on_order(account, order, now_ms)
        self._about = ""
        return found

    def _bite(self, kind: str, now_ms: int, **what: Any) -> Fault | None:
        fault = super()._bite(kind, now_ms, **what)
        if fault is not None:
            self._told(label(fault), self._about or _named(what))
            self._bitten(fault)
        return fault

    def on_frame(self, connection: Connection, text: str, now_ms: int) -> tuple[int, ...]:
        due = super().on_frame(connection, text, now_ms)
        if due and not connection.silent and "listenKeyExpired" in text:
            self._expired(connection.account)
        return due


def _named(what: dict[str, Any]) -> str:
    request = what.get("request")
    if isinstance(request, Request):
        asked = pairs(request.query or request.body)
        return asked.get("newClientOrderId") or asked.get("origClientOrderId") or ""
    return str(what.get("text", ""))


def label(fault: Fault) -> str:
    """What the matrix calls it."""
    if fault.kind != "request":
        return fault.kind.replace("_", " ")
    if fault.status in (0, 503):  # 503, -1006, -1007 and silence all say that nobody knows
        return f"no answer {fault.method.lower()} {fault.outcome}"
    return "refused" if fault.status == 400 else str(fault.status)


STATES = tuple(str(one) for one in State)

UNREACHABLE = (
    ("", ("PLANNED",), "an order leaves in the pass that hands it over; it stands nowhere before that"),
    (" post ", tuple(set(STATES) - {"SENT"}), "the answer to an order being placed finds it sent, and nothing else"),
    (" refused ", tuple(set(STATES) - {"SENT"}), "the answer to an order being placed finds it sent, and nothing else"),
    (" delete ", ("SENT", "REJECTED"), "only what may be there is cancelled"),
    (" delete ", ("FILLED", "CANCELLED", "EXPIRED"), "what has ended is not cancelled: it ends within that request"),
    ("refuse stop", tuple(set(STATES) - {"SENT", "UNKNOWN"}), "the venue decides on it as it arrives"),
    ("cancel stop", tuple(set(STATES) - {"SENT", "UNKNOWN"}), "the venue decides on it as it arrives"),
    ("partial", tuple(set(STATES) - {"SENT", "UNKNOWN"}), "the venue decides on it as it arrives"),
)
"""Cells that no run can hit, by text that the kind holds, states, and the reason."""


def missed(cells: Counter[Cell], least: int = 30) -> dict[str, int]:
    """Cells that can be reached and were hit fewer times than that."""
    return {
        f"{kind} / {state}": cells[kind, state]
        for kind in sorted({kind for kind, _ in cells})
        for state in STATES
        if cells[kind, state] < least
        and not any(text in f" {kind} " and state in states for text, states, _ in UNREACHABLE)
    }
