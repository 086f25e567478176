"""One symbol's state between passes: what we wait for, what we hold, and when a bar deserves attention.

Most bars deserve none. `wake_low`, `wake_high` and `wake_ms` bound the bars that do; everything else is one comparison.
"""

from collections.abc import Callable
from functools import cache

import msgspec

from aister.core.audit import ProposalResolved
from aister.core.council import Decision, Odds, Proposal, Setup
from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.core.trade import Purpose, Side
from aister.execution.bracket import Bracket
from aister.execution.orders import OrderBook, OrderState
from aister.kernels import entry
from aister.kernels.barrier import EXPIRED, OPEN, STOP, TARGET, barrier_state, follow
from aister.kernels.state import State
from aister.risk.situation import Reserved

__all__ = ["Adding", "Asked", "Desk", "Entering", "Found", "Plan", "Shadow"]

_NEVER_MS = 2**62

LABELS = {OPEN: "", TARGET: "target", STOP: "stop", EXPIRED: "neither"}
"""The labelling step's outcomes in the journal's words."""


@cache
def _follow() -> Callable[..., int]:
    """The labelling step behind its fast entry point, compiled when the first label is due."""
    return entry(follow, barrier_state(1, 1.0, 0.5, 2.0, 0), 0, 1.0, 1.0, 1.0, 1.0)


class Asked(msgspec.Struct, frozen=True):
    """A question on its way; the engine asks no second one for the symbol until it is answered or too old."""

    question_id: str
    setup: Setup
    time_ms: int


class Adding(msgspec.Struct, frozen=True):
    """More of what is held is to be entered at the first close not before `fires_ms`; `stop_ticks`: where the stop then
    belongs, 0 = it stays."""

    fires_ms: int
    stop_ticks: int


class Entering(msgspec.Struct, frozen=True):
    """An entry that waits for its stop to rest (C6), not longer than until `expires_ms`: `guard` is the stop's client
    id."""

    proposal: Proposal
    size_factor_e4: int
    reference_ticks: int
    life_ms: int
    guard: str
    expires_ms: int


class Found(msgspec.Struct, frozen=True):
    """A position at the venue that shall be kept as it is found: its stop, and how long it may be held."""

    stop_ticks: int
    life_ms: int


class Plan(msgspec.Struct, frozen=True):
    """An armed council decision: fires at the first bar close not before `not_before_ms`, expires at `expires_ms`.

    `reference_ticks` is the price the question was asked on, 0 = the mark when it fires; `reserved` what risk holds
    for it meanwhile; `life_ms` how long an entry may rest once it fired.
    """

    proposal: Proposal
    size_factor_e4: int
    reference_ticks: int
    not_before_ms: int
    expires_ms: int
    reserved: Reserved | None
    life_ms: int


class Shadow(msgspec.Struct, frozen=True):
    """A setup that was decided on, followed to its first barrier, traded or not: labels for calibration, never
    capital (Q14, Q15).

    `barriers` is the labelling step's own record; stop and target are kept beside it to know which bars to look at.
    """

    setup_id: str
    side: Side
    stop: float
    target: float
    asked_ms: int
    expires_ms: int
    p0: float
    odds: tuple[tuple[str, Odds], ...]
    barriers: State


class Desk:
    """One symbol's state (hedged: of one leg). Prices remembered are those of the newest closed bar.

    `leg`: 0 one-way, 1 the long and -1 the short leg; `legs`: the desks of the symbol, itself included, the long leg's
    before the short's. Each leg has an owner, a bracket and orders of its own (quant Q22)."""

    __slots__ = (
        "adding",
        "adds",
        "asked",
        "bar_ms",
        "bracket",
        "close",
        "entering",
        "entry",
        "entry_expires_ms",
        "entry_ticks",
        "found",
        "instrument",
        "leave_ms",
        "leg",
        "legs",
        "life_ms",
        "orders",
        "plan",
        "shadows",
        "stop_moves",
        "tries",
        "wake_high",
        "wake_low",
        "wake_ms",
        "working_entry",
    )

    def __init__(self, instrument: Instrument, leg: int = 0) -> None:
        self.instrument = instrument
        self.leg = leg
        self.legs: tuple[Desk, ...] = (self,)
        self.close = 0.0
        self.bar_ms = -1
        self.asked: Asked | None = None
        self.plan: Plan | None = None
        self.bracket: Bracket | None = None
        self.entry: Proposal | None = None
        self.working_entry: Reserved | None = None
        self.entering: Entering | None = None
        self.found: Found | None = None
        self.entry_ticks = 0
        self.entry_expires_ms = 0
        self.life_ms = 0
        self.adding: Adding | None = None
        self.adds: int | None = None
        """Steps filled so far of the further entry on its way; None: none is."""
        self.leave_ms = _NEVER_MS
        self.orders = OrderBook()
        self.shadows: list[Shadow] = []
        self.stop_moves = False
        self.tries = 0
        """Stops and closes of this position that were refused, lost or taken away, and tried once more."""
        self.wake_low = float("-inf")
        self.wake_high = float("inf")
        self.wake_ms = _NEVER_MS

    @staticmethod
    def hedged(instrument: Instrument) -> "Desk":
        """The long leg's desk, with the short leg's among its `legs`."""
        legs = Desk(instrument, 1), Desk(instrument, -1)
        for desk in legs:
            desk.legs = legs
        return legs[0]

    def of(self, leg: int) -> "Desk | None":
        """The desk of this leg of the symbol; None: of a position mode that is not the trader's."""
        return next((desk for desk in self.legs if desk.leg == leg), None)

    def with_order(self, client_id: str) -> "Desk":
        """The desk among the symbol's that has this order; this one when none has it any more."""
        return next((desk for desk in self.legs if client_id in desk.orders), self)

    @property
    def mark_ticks(self) -> int:
        return self.instrument.to_ticks(self.close)

    @property
    def resident_stop_ticks(self) -> int | None:
        """Where the best accepted stop rests; None when the venue has confirmed none."""
        stops = [w.order.trigger_ticks for w in self.orders.of(Purpose.STOP) if w.state is OrderState.WORKING]
        if not stops or self.bracket is None:
            return None
        return max(stops) if self.bracket.side > 0 else min(stops)

    def working(self, purpose: Purpose) -> list[str]:
        """Client ids of the live orders of one purpose, oldest first, those being cancelled excluded."""
        return [working.order.client_id for working in self.orders.of(purpose)]

    def enters(self) -> bool:
        """Whether an entry may still fill, one being cancelled included."""
        return any(working.order.purpose is Purpose.ENTRY for working in self.orders.live())

    def settle(self) -> None:
        """The position is gone: forget what was wanted of it."""
        self.bracket, self.stop_moves, self.tries = None, False, 0
        self.found = None
        self.adding = self.adds = None
        self.leave_ms = _NEVER_MS
        self.orders.flat()

    @property
    def free(self) -> bool:
        """Whether a new setup may be asked about: nothing held, planned, working or being asked."""
        return (
            self.asked is None
            and self.plan is None
            and self.bracket is None
            and self.entry is None
            and not len(self.orders)
        )

    def follow(self, setup: Setup, decision: Decision, asked_ms: int) -> None:
        """Start the shadow of a setup that was decided on, whatever was decided: passed and vetoed ones are labels
        too."""
        entry, stop, target = (
            self.instrument.price(ticks) for ticks in (setup.entry_ticks, setup.stop_ticks, setup.targets[0].ticks)
        )
        expires_ms = asked_ms + setup.horizon_ms
        stated = {s.agent.value: s.odds for s in decision.statements if s.round == 1 and s.odds is not None}
        self.shadows.append(
            Shadow(
                setup_id=setup.id,
                side=setup.side,
                stop=stop,
                target=target,
                asked_ms=asked_ms,
                expires_ms=expires_ms,
                p0=decision.ballot.p0,
                odds=tuple(stated.items()),
                barriers=barrier_state(int(setup.side), entry, stop, target, expires_ms),
            )
        )

    def resolve(self, bar: BarClosed) -> list[ProposalResolved]:
        """Labels known with this bar, oldest first."""
        if not self.shadows:
            return []
        resolved: list[ProposalResolved] = []
        still: list[Shadow] = []
        step = _follow()
        for shadow in self.shadows:
            label = LABELS[step(shadow.barriers, bar.time_ms, bar.open, bar.high, bar.low, bar.close)]
            if label:
                resolved.append(ProposalResolved(shadow.setup_id, label, shadow.asked_ms, shadow.p0, shadow.odds))
            else:
                still.append(shadow)
        if resolved:
            self.shadows = still
        return resolved

    def rewake(self) -> None:
        """Recompute which bars deserve attention: any barrier of a shadow, any deadline, anything in motion."""
        low, high, when = float("-inf"), float("inf"), _NEVER_MS
        for shadow in self.shadows:
            below, above = (shadow.stop, shadow.target) if shadow.side > 0 else (shadow.target, shadow.stop)
            low, high, when = max(low, below), min(high, above), min(when, shadow.expires_ms)
        if self.plan is not None or self.stop_moves:
            when = 0
        if self.asked is not None:
            when = min(when, self.asked.time_ms)
        if self.bracket is not None:
            when = min(when, self.bracket.deadline_ms, self.leave_ms)
        if self.adding is not None:
            when = min(when, self.adding.fires_ms)
        if self.entering is not None:
            when = min(when, self.entering.expires_ms)
        if self.working_entry is not None:
            when = min(when, self.entry_expires_ms)
        self.wake_low, self.wake_high, self.wake_ms = low, high, when
