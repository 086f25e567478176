"""Replay of recorded depth and trades for strategies that rest orders: queue position, latencies both ways, exact
ledger. Rules: docs/tick-path.md.

Three ways to act at a decision: the built-in quoting rule (`Quoting`, compiled), a Python function taking a `Desk`, or
a kernel of your own around `kernels.ticks.run_to_decision`. One loop serves all three.

Not modelled: funding and liquidation (a stretch lasts minutes), and what own orders would have changed in the flow.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import DataError, MoneyOverflow, SettingsError
from aister.core.money import UNIT
from aister.kernels import entry
from aister.kernels.depth import NO_ASK, NO_BID, WINDOW, empty_depth
from aister.kernels.queue import (
    FREE,
    IMMEDIATE,
    LIMIT,
    LOG,
    MARKET,
    MAX_ORDERS,
    POST_ONLY,
    POWER,
    RISK_AVERSE,
    TICK_FILL,
)
from aister.kernels.state import State, allocate
from aister.kernels.ticks import DECIDE, DESK, FULL, OVERRUN, act, run_quotes, run_to_decision
from aister.ports.ticks import TickStream

__all__ = ["Desk", "Latency", "OwnOrder", "Queue", "Quoting", "Replayed", "TickPlan", "desk_state", "replay"]

_RULES = {"risk_averse": RISK_AVERSE, "power": POWER, "log": LOG}
_KINDS = {"post_only": POST_ONLY, "limit": LIMIT, "immediate": IMMEDIATE, "market": MARKET}
_STATES = ("free", "sent", "live", "cancelling")

Kind = Literal["post_only", "limit", "immediate", "market"]


class Latency(msgspec.Struct, frozen=True):
    """How long an order or cancel takes to the exchange (entry) and a report back (response), nanoseconds. A share of
    the feed's own latency at that moment may be added, in 1e-4 of it."""

    entry_ns: int = 1_000_000
    response_ns: int = 1_000_000
    entry_feed_e4: int = 0
    response_feed_e4: int = 0


class Queue(msgspec.Struct, frozen=True):
    """How the quantity ahead shrinks (`kernels.queue`). power: n of rule `power`. whole: an execution always fills the
    order whole, as hftbacktest's default exchange does."""

    rule: Literal["risk_averse", "power", "log"] = "risk_averse"
    power: float = 3.0
    whole: bool = False


class Quoting(msgspec.Struct, frozen=True):
    """The built-in rule: one post-only order a side, `half_ticks` from the mid but never inside the best price, leaning
    `skew_e4` x 1e-4 ticks against each order size of position; `steps` a quote, none on a side from `max_steps` on."""

    steps: int
    max_steps: int
    half_ticks: int = 0
    skew_e4: int = 0


class TickPlan(msgspec.Struct, frozen=True):
    """Everything a replay depends on besides rows and strategy; recorded in its result. capital: money, 1e-8 quote."""

    interval_ns: int = 100_000_000
    latency: Latency = Latency()
    queue: Queue = Queue()
    capital: int = 10_000 * UNIT


class Replayed(msgspec.Struct, frozen=True, eq=False):
    """What a replay leaves. fills: dtype TICK_FILL, by exchange time. Money in 1e-8 quote units: pnl = realised - fees
    + unrealised at the middle of the exchange's book at the end; drawdown: deepest fall of equity between decisions.

    sent, accepted, expired, cancelled, cancels_late, refused: orders sent, that came to rest, that expired, cancels
    that worked and that came too late, orders without a free slot. ahead: mean steps in front of an order when it
    joined; rested_ns: mean time from arrival to execution of maker fills; None while there was none.
    dropped: book updates outside the window (far levels).
    """

    symbol: str
    plan: TickPlan
    quoting: Quoting | None
    data_hash: str
    rows: int
    decisions: int
    fills: npt.NDArray[np.void]
    position_steps: int
    realised: int
    fees: int
    unrealised: int
    pnl: int
    drawdown: int
    sent: int
    accepted: int
    expired: int
    cancelled: int
    cancels_late: int
    refused: int
    maker_fills: int
    taker_fills: int
    bought_steps: int
    sold_steps: int
    ahead: float | None
    rested_ns: float | None
    dropped: int


class OwnOrder(msgspec.Struct, frozen=True, gc=False):
    """An own order as its owner knows it: `state` sent, live or cancelling; `left` steps not known to be filled."""

    slot: int
    side: int
    ticks: int
    left: int
    state: str


class Desk:
    """What a Python strategy sees and may do at a decision. Everything is as the owner knows it: late."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._record = state[0]
        self._act = entry(act, state, 0, 0, 0, 0, 0)

    @property
    def time_ns(self) -> int:
        """The owner's clock."""
        return int(self._record["now_ns"])

    @property
    def bid(self) -> int | None:
        """Best bid in ticks; None while no bid is known."""
        ticks = int(self._record["seen"]["best"][0])
        return None if ticks == NO_BID else ticks

    @property
    def ask(self) -> int | None:
        ticks = int(self._record["seen"]["best"][1])
        return None if ticks == NO_ASK else ticks

    @property
    def position(self) -> int:
        """Signed steps, of the fills reported so far."""
        return int(self._record["position"])

    def displayed(self, side: int, ticks: int) -> int:
        """Steps displayed on a side (1 bids, -1 asks) at a price."""
        low = int(self._record["seen"]["low"])
        if not low <= ticks < low + WINDOW:
            return 0
        return int(self._record["seen"]["sizes"][((1 - side) >> 1) * WINDOW + (ticks & (WINDOW - 1))])

    @property
    def orders(self) -> list[OwnOrder]:
        own = self._record["floor"]["orders"][: int(self._record["floor"]["top"])]
        return [
            OwnOrder(k, int(o["side"]), int(o["ticks"]), int(o["known"]), _STATES[o["state"]])
            for k, o in enumerate(own)
            if o["state"] != FREE
        ]

    def place(self, side: int, ticks: int, steps: int, kind: Kind = "post_only") -> int | None:
        """Send an order; its slot, or None when all 16 are taken or size or price is not positive."""
        slot = int(self._act(self._state, -1, side, ticks, steps, _KINDS[kind]))
        return None if slot < 0 else slot

    def cancel(self, slot: int) -> bool:
        """Send a cancel; False when that order is not known to rest or its cancel is on its way already."""
        if not 0 <= slot < MAX_ORDERS:
            return False
        return int(self._act(self._state, slot, 0, 0, 0, 0)) == 1


def desk_state(stream: TickStream, plan: TickPlan, quoting: Quoting | None = None) -> State:
    """The memory of a replay before its first row. Raises `SettingsError` for a plan that cannot be replayed."""
    latency, contract = plan.latency, stream.instrument
    if min(latency.entry_ns, latency.response_ns, latency.entry_feed_e4, latency.response_feed_e4) < 0:
        raise SettingsError("A latency is negative; give latencies of 0 or more.")
    if plan.interval_ns < 1 or plan.queue.power <= 0:
        raise SettingsError("The decision interval and the queue's power must be positive; correct the plan.")
    if quoting is not None and (
        quoting.steps < 1 or quoting.max_steps < 1 or quoting.half_ticks < 0 or quoting.skew_e4 < 0
    ):
        raise SettingsError(
            "Quotes need a size and a position limit of at least 1 step and a distance and skew of 0 or more."
        )
    state = allocate(DESK)
    s: Any = state[0]
    s["interval_ns"], s["entry_ns"], s["entry_feed_e4"] = plan.interval_ns, latency.entry_ns, latency.entry_feed_e4
    s["now_ns"] = min(int(stream.rows["exchange_ns"][0]), int(stream.rows["local_ns"][0])) + plan.interval_ns
    s["equity"] = s["peak"] = plan.capital
    if quoting is not None:
        s["quotes"] = (quoting.half_ticks, quoting.skew_e4, quoting.steps, quoting.max_steps)
    floor = s["floor"]
    floor["unit"], floor["maker_e8"], floor["taker_e8"] = contract.unit, contract.maker_e8, contract.taker_e8
    floor["rule"], floor["whole"], floor["power"] = _RULES[plan.queue.rule], plan.queue.whole, plan.queue.power
    floor["lot"] = contract.size(1)
    floor["response_ns"], floor["response_feed_e4"] = latency.response_ns, latency.response_feed_e4
    floor["inner"], floor["outer"] = (NO_BID, NO_ASK), (NO_ASK, NO_BID)
    floor["account"]["transfers"] = floor["account"]["wallet"] = plan.capital
    empty_depth(s["seen"])
    empty_depth(floor["depth"])
    return state


def replay(stream: TickStream, plan: TickPlan, strategy: Quoting | Callable[[Desk], None]) -> Replayed:
    """Replay the rows; `strategy` is asked every `plan.interval_ns`. The same input gives the same result, to the unit.

    Raises `DataError` without rows, `SettingsError` as `desk_state`, `MoneyOverflow` when an amount leaves int64 or one
    row fills more orders than a row can.
    """
    if not len(stream.rows):
        raise DataError(f"{stream.source} holds no rows to replay; record depth with a snapshot, and trades.")
    quoting = strategy if isinstance(strategy, Quoting) else None
    state = desk_state(stream, plan, quoting)
    fills = np.zeros(4_096, TICK_FILL)
    if isinstance(strategy, Quoting):
        go, desk = run_quotes, None
    else:
        go, desk = entry(run_to_decision, state, stream.rows, fills), Desk(state)
    while (code := go(state, stream.rows, fills)) in (DECIDE, FULL):
        if code == FULL:
            fills = np.concatenate([fills, np.zeros(len(fills), TICK_FILL)])
        elif desk is not None:
            strategy(desk)  # type: ignore[operator]
    if code == OVERRUN:
        raise MoneyOverflow(
            f"{stream.symbol}: an amount or one order's walk through the book did not fit; use smaller orders."
        )
    return _result(stream, plan, quoting, state, fills[: int(state["fill_count"][0])])


def _result(
    stream: TickStream, plan: TickPlan, quoting: Quoting | None, state: State, fills: npt.NDArray[np.void]
) -> Replayed:
    s: Any = state[0]
    floor, account, counts = s["floor"], s["floor"]["account"], s["floor"]["counts"]
    accepted, makers = int(counts["accepted"]), fills[fills["maker"] == 1]
    wallet, equity = int(account["wallet"]), int(s["equity"])
    return Replayed(
        symbol=stream.symbol,
        plan=plan,
        quoting=quoting,
        data_hash=stream.data_hash,
        rows=len(stream.rows),
        decisions=int(s["decisions"]),
        fills=fills,
        position_steps=int(floor["position"]["steps"]),
        realised=int(account["realised"]),
        fees=int(account["fees"]),
        unrealised=equity - wallet,
        pnl=equity - plan.capital,
        drawdown=int(s["drawdown"]),
        sent=int(s["sent"]),
        accepted=accepted,
        expired=int(counts["expired"]),
        cancelled=int(counts["cancelled"]),
        cancels_late=int(counts["too_late"]),
        refused=int(s["refused"]),
        maker_fills=int(counts["maker_fills"]),
        taker_fills=int(counts["taker_fills"]),
        bought_steps=int(counts["bought"]),
        sold_steps=int(counts["sold"]),
        ahead=float(counts["joined"]) / accepted if accepted else None,
        rested_ns=float(makers["rested_ns"].mean()) if len(makers) else None,
        dropped=int(floor["depth"]["beyond"]),
    )
