"""The position manager: what protects and ends one position, and how that moves. Pure arithmetic on ticks.

A bracket is made when the entry fills. Its stop only ever moves towards profit. Everything that moves it is decided at
a bar's close and therefore acts from the next bar (Q3.7).
"""

import msgspec

from aister.core.council import Proposal, Target
from aister.core.money import RATE_ONE
from aister.core.trade import Side

__all__ = ["Bracket", "ManagementRules", "bracket_for", "split_targets", "trailed_stop"]


class ManagementRules(msgspec.Struct, frozen=True):
    """`break_even_after` targets have filled: the stop goes to entry plus round-trip cost. `trail_share_e4` of the
    initial risk distance is kept behind the best close once break-even is reached (0 = no trailing)."""

    break_even_after: int = 1
    trail_share_e4: int = 10_000


class Bracket(msgspec.Struct):
    """One open position's plan: resident stop, remaining targets (steps by ticks), time stop, and what trailing
    needs."""

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


def bracket_for(
    proposal: Proposal, *, entry_ticks: int, planned_ticks: int, steps: int, unit: int, opened_ms: int, cost_e8: int
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
    )


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
