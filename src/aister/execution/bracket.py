"""The position manager: what protects and ends one position, and how that moves. Pure arithmetic on ticks.

A bracket is made when the entry fills. Its stop only ever moves towards profit. Everything that moves it is decided at
a bar's close and therefore acts from the next bar (Q3.7).
"""

import msgspec

from aister.core.council import Proposal, Target
from aister.core.money import RATE_ONE
from aister.core.trade import Side

__all__ = [
    "Bracket",
    "ManagementRules",
    "ScalingRules",
    "adopted_bracket",
    "bracket_for",
    "grown",
    "split_targets",
    "trailed_stop",
]


class ManagementRules(msgspec.Struct, frozen=True):
    """`break_even_after` targets have filled: the stop goes to entry plus round-trip cost. `trail_share_e4` of the
    initial risk distance is kept behind the best close once break-even is reached (0 = no trailing)."""

    break_even_after: int = 1
    trail_share_e4: int = 10_000


class ScalingRules(msgspec.Struct, frozen=True):
    """Further entries of an open position: `times` at most (0: none), each of `share_e4` of the risk of a trade; the
    first entry takes `first_e4` of the size it could have. Unless `beyond_risk`, all that is held loses no more at its
    stop than the risk of a trade."""

    times: int = 0
    share_e4: int = 10_000
    first_e4: int = 10_000
    beyond_risk: bool = False


class Bracket(msgspec.Struct):
    """One open position's plan: resident stop, remaining targets (steps by ticks), time stop, and what trailing
    needs. `leg`: 0 one-way; hedged, the leg it protects.

    `entry_ticks` is the price of the first fill, after a further entry the mean of all, rounded towards profit.
    `reached_ticks`: the farthest target that has begun to fill, 0 = none. `added`: how often more was asked for."""

    setup_id: str
    symbol: str
    side: Side
    entry_ticks: int
    stop_ticks: int
    risk_ticks: int
    risk_amount: int
    deadline_ms: int
    cost_ticks: int
    targets: list[Target]
    best_ticks: int
    targets_hit: int = 0
    leg: int = 0
    reached_ticks: int = 0
    added: int = 0

    @property
    def ahead(self) -> list[Target]:
        """Targets that lie beyond every one that has begun to fill."""
        side, reached = int(self.side), self.reached_ticks
        return [target for target in self.targets if not reached or (target.ticks - reached) * side > 0]

    def stop_with(self, stop_ticks: int) -> int:
        """Where the stop lies if it may also lie there (0: nowhere else): it never goes back."""
        return _better(self.stop_ticks, stop_ticks, int(self.side)) if stop_ticks else self.stop_ticks

    def reach(self, ticks: int) -> None:
        """A target at this price has begun to fill."""
        self.reached_ticks = _better(self.reached_ticks or ticks, ticks, int(self.side))


def bracket_for(
    proposal: Proposal,
    *,
    entry_ticks: int,
    planned_ticks: int,
    steps: int,
    unit: int,
    opened_ms: int,
    cost_e8: int,
    leg: int = 0,
) -> Bracket:
    """The bracket of a proposal of which `steps` filled at `entry_ticks`. The unit of risk is the distance from fill to
    stop, but never less than the planned one: a gap towards the stop makes no trade look cheap."""
    side, stop_ticks = proposal.side, proposal.stop_ticks
    risk_ticks = max(1, (entry_ticks - stop_ticks) * side, (planned_ticks - stop_ticks) * side)
    return Bracket(
        setup_id=proposal.setup_id,
        symbol=proposal.symbol,
        side=side,
        entry_ticks=entry_ticks,
        stop_ticks=stop_ticks,
        risk_ticks=risk_ticks,
        risk_amount=risk_ticks * steps * unit,
        deadline_ms=opened_ms + proposal.horizon_ms,
        cost_ticks=-(-entry_ticks * cost_e8 // RATE_ONE),
        targets=list(proposal.targets),
        best_ticks=entry_ticks,
        leg=leg,
    )


def adopted_bracket(
    symbol: str, leg: int, *, steps: int, entry_ticks: int, stop_ticks: int, unit: int, time_ms: int, life_ms: int
) -> Bracket:
    """The bracket of a position found at the venue: signed `steps` with a stop there, no targets, held `life_ms` at
    most."""
    side = Side.BUY if steps > 0 else Side.SELL
    risk_ticks = max(1, (entry_ticks - stop_ticks) * side)
    return Bracket(
        setup_id=f"{symbol}-{time_ms}-adopted",
        symbol=symbol,
        side=side,
        entry_ticks=entry_ticks,
        stop_ticks=stop_ticks,
        risk_ticks=risk_ticks,
        risk_amount=risk_ticks * abs(steps) * unit,
        deadline_ms=time_ms + life_ms,
        cost_ticks=0,
        targets=[],
        best_ticks=entry_ticks,
        leg=leg,
    )


def grown(
    bracket: Bracket,
    *,
    paid: int,
    entered: int,
    fill_ticks: int,
    planned_ticks: int,
    steps: int,
    unit: int,
    cost_e8: int,
) -> None:
    """`steps` of a further entry filled: paid for all `entered` steps is `paid`. The entry becomes their mean, and what
    this part loses at the stop is added to the risk."""
    side, a_tick = int(bracket.side), entered * unit
    bracket.entry_ticks = -(-paid // a_tick) if side > 0 else paid // a_tick
    bracket.cost_ticks = -(-bracket.entry_ticks * cost_e8 // RATE_ONE)
    stop = bracket.stop_ticks
    bracket.risk_amount += max(1, (fill_ticks - stop) * side, (planned_ticks - stop) * side) * steps * unit


def split_targets(targets: list[Target], steps: int) -> list[tuple[int, int]]:
    """(ticks, steps) of each target; shares are floored to steps, the last one takes what is left, empty ones drop."""
    split: list[tuple[int, int]] = []
    left = steps
    for index, target in enumerate(targets):
        part = left if index == len(targets) - 1 else min(left, steps * target.share_e4 // 10_000)
        if part > 0:
            split.append((target.ticks, part))
        left -= part
    return split


def trailed_stop(bracket: Bracket, close_ticks: int, rules: ManagementRules) -> int:
    """Where the stop belongs after this close: break-even or the trail, whichever is nearer to profit of those that
    the price has not passed already; never further from profit than now."""
    side = int(bracket.side)
    stop = bracket.stop_ticks
    if bracket.targets_hit < rules.break_even_after:
        return stop
    wanted = [bracket.entry_ticks + side * bracket.cost_ticks]
    if rules.trail_share_e4:
        best = _better(bracket.best_ticks, close_ticks, side)
        wanted.append(best - side * (bracket.risk_ticks * rules.trail_share_e4 // 10_000))
    for ticks in wanted:
        if (close_ticks - ticks) * side > 0:
            stop = _better(stop, ticks, side)
    return stop


def _better(one: int, other: int, side: int) -> int:
    return max(one, other) if side > 0 else min(one, other)
