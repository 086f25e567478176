"""The life of an order at a real venue: one table of states, and one order's course through it.

What is heard of an order comes twice, late, and in the wrong order: its acknowledgement after its fill, a fill after
its cancel. A course therefore only ever gains knowledge: whatever the order in which a true history is heard, it ends
in the same state, and the trader is told it once, in the order in which it makes sense (accepted, fills, end).
"""

from enum import StrEnum

import msgspec

from aister.core.trade import Order
from aister.ports.exchange import Execution, VenueOrder, VenueStatus

__all__ = ["NEXT", "Course", "Heard", "State", "heard"]


class State(StrEnum):
    """PLANNED: not handed to the wire. UNKNOWN: it may have arrived. The last four end it."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    ACKED = "ACKED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def ended(self) -> bool:
        return self in (State.FILLED, State.CANCELLED, State.EXPIRED, State.REJECTED)

    @property
    def arrived(self) -> bool:
        """Whether the venue is known to have it, or to have had it."""
        return self not in (State.PLANNED, State.SENT, State.UNKNOWN, State.REJECTED)

    @property
    def may_work(self) -> bool:
        """Whether a cancel makes sense: the venue has it, or may have it."""
        return self in (State.UNKNOWN, State.ACKED, State.PARTIALLY_FILLED)


class Heard(StrEnum):
    """What can become known of an order."""

    LEFT = "its bytes left"
    LOST = "no answer tells"
    ACK = "the venue has it"
    PART = "some of it filled"
    WHOLE = "all of it filled"
    GONE = "it was cancelled"
    EXPIRED = "it expired"
    REFUSED = "the venue refused it, or never got it"


def _table() -> dict[tuple[State, Heard], State]:
    """More is known than before, or nothing new: a weaker word never undoes a stronger one. Two words contradict a
    state that was already final and win all the same: fills do happen after a cancel was told, and an order thought
    absent may land (then it is real)."""
    towards = {
        Heard.LEFT: State.SENT,
        Heard.LOST: State.UNKNOWN,
        Heard.ACK: State.ACKED,
        Heard.PART: State.PARTIALLY_FILLED,
        Heard.GONE: State.CANCELLED,
        Heard.EXPIRED: State.EXPIRED,
        Heard.WHOLE: State.FILLED,
        Heard.REFUSED: State.REJECTED,
    }
    open_ = (State.PLANNED, State.SENT, State.UNKNOWN, State.ACKED, State.PARTIALLY_FILLED)
    rank = {state: number for number, state in enumerate(open_)}
    table: dict[tuple[State, Heard], State] = {}
    for state in State:
        for word, to in towards.items():
            after = state
            if state in rank:
                after = to if to.ended or rank[to] > rank[state] else state
                if to is State.REJECTED and rank[state] >= rank[State.ACKED]:
                    after = state  # it was there: a refusal heard now is of something else
            elif to is State.FILLED or (state is State.REJECTED and to not in (State.SENT, State.UNKNOWN)):
                after = to
            table[state, word] = after
    return table


NEXT = _table()
"""Every state and everything that can be heard in it: the state after it."""

_WORDS = {
    VenueStatus.NEW: Heard.ACK,
    VenueStatus.PARTIALLY_FILLED: Heard.PART,
    VenueStatus.FILLED: Heard.WHOLE,
    VenueStatus.CANCELED: Heard.GONE,
    VenueStatus.EXPIRED: Heard.EXPIRED,
    VenueStatus.REJECTED: Heard.REFUSED,
}


def heard(order: VenueOrder) -> Heard:
    """The venue's status as a word of the table."""
    return _WORDS[order.status]


class Course(msgspec.Struct):
    """One order on its way. `fills` by trade id; `told_filled` the most steps the venue said had filled, so that
    `missing` of them are still to be read. `sent_ms` is venue time, `nonce_us` the nonce its request carried (0
    unknown).

    `cancel_wanted`: it shall go as soon as it is there. What the trader was told: `accepted`, `told` (trade ids),
    `closed` (its end). `retired`: the venue shows no position that it could close; its end is not told unasked.
    `doubted_ms`: when a life before told it as gone because the venue did not show it (0 never)."""

    order: Order
    state: State = State.PLANNED
    fills: dict[int, Execution] = {}
    told_filled: int = 0
    sent_ms: int = 0
    nonce_us: int = 0
    why: str = ""
    cancel_wanted: bool = False
    accepted: bool = False
    told: set[int] = set()
    told_before: int = 0
    attended: bool = False
    canceling: bool = False
    retired: bool = False
    doubted_ms: int = 0
    closed: bool = False

    def hear(self, word: Heard, why: str = "") -> None:
        """Learn one thing."""
        after = NEXT[self.state, word]
        if after is not self.state:
            self.state, self.why = after, why or self.why

    def see(self, seen: VenueOrder) -> None:
        """Learn what the venue shows of it."""
        self.told_filled = max(self.told_filled, seen.filled_steps)
        self.hear(heard(seen))

    def traded(self, execution: Execution) -> bool:
        """Learn of a trade; false when it is known already."""
        if execution.trade_id in self.fills:
            return False
        self.fills[execution.trade_id] = execution
        self.told_filled = max(self.told_filled, self.filled)
        whole = self.order.steps and self.filled >= self.order.steps
        self.hear(Heard.WHOLE if whole else Heard.PART)
        return True

    @property
    def filled(self) -> int:
        """Steps whose trades are known."""
        return self.told_before + sum(one.steps for one in self.fills.values())

    @property
    def missing(self) -> int:
        """Steps the venue says have filled and whose trades are not known."""
        return max(0, self.told_filled - self.filled)

    @property
    def settled(self) -> bool:
        """It has ended and every trade of it is known."""
        return self.state.ended and not self.missing
