"""Entries, from a proposal to a filled order: fired, worked, added to, given up."""

from aister.core.audit import PlanVoided
from aister.core.council import Proposal
from aister.core.events import OrderFilled
from aister.core.permission import Approved
from aister.core.trade import Fill, Order, Purpose, Side
from aister.engine.account import Account
from aister.engine.desk import Adding, Desk, Entering
from aister.engine.outgoing import Outgoing, Pass
from aister.engine.protection import NOTHING_TO_REDUCE, Protection
from aister.execution import plan as planning
from aister.execution.bracket import Bracket, ScalingRules, bracket_for, grown
from aister.execution.traits import VenueTraits
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel
from aister.risk.situation import Reserved
from aister.risk.sizing import size_to_add

__all__ = ["Entries"]

_LATE_STOP = "its stop did not rest in time"


class Entries:
    """The entries of all desks."""

    def __init__(
        self,
        out: Outgoing,
        protection: Protection,
        *,
        risk: RiskKernel,
        portfolio: Portfolio,
        account: Account,
        scaling: ScalingRules,
        traits: VenueTraits,
    ) -> None:
        self._out, self._protection = out, protection
        self._risk, self._portfolio, self._account = risk, portfolio, account
        self._scaling, self._traits = scaling, traits
        self._unguarded: set[str] = set()

    def fire(
        self, desk: Desk, proposal: Proposal, factor_e4: int, reference_ticks: int, life_ms: int, now: Pass
    ) -> None:
        """Enter, if every limit holds at this moment; where the venue allows it, once the stop rests there, or with the
        stop attached."""
        symbol, protection = desk.instrument.symbol, self._traits.protection
        if protection == "before" and symbol not in self._unguarded:
            wanted = planning.entry_intent(proposal, factor_e4, reference_ticks, desk.leg)
            permit, reviewed = self._risk.review(wanted, self._account.situation(desk, now.time_ms))
            if not isinstance(permit, Approved):
                now.out.append(reviewed)
                return
            guard = self._out.review(desk, planning.guard_intent(proposal, desk.leg), now)
            if guard is not None:
                until_ms = now.time_ms + life_ms
                desk.entering = Entering(proposal, factor_e4, reference_ticks, life_ms, guard.client_id, until_ms)
            return
        self._enter(desk, proposal, factor_e4, reference_ticks, life_ms, now)
        if protection == "attached" and desk.entry is not None:
            self._out.review(desk, planning.guard_intent(proposal, desk.leg), now)

    def _enter(
        self, desk: Desk, proposal: Proposal, factor_e4: int, reference_ticks: int, life_ms: int, now: Pass
    ) -> None:
        order = self._out.review(desk, planning.entry_intent(proposal, factor_e4, reference_ticks, desk.leg), now)
        if order is None:
            return
        entry = order.price_ticks or desk.mark_ticks
        desk.entry = proposal
        desk.entry_ticks = entry
        desk.entry_expires_ms, desk.life_ms = now.time_ms + life_ms, life_ms
        desk.working_entry = self._account.reserve(
            desk, order.side, order.steps, entry, proposal.stop_ticks, now.time_ms
        )

    def _follow(self, desk: Desk, one: Entering, now: Pass) -> None:
        if now.time_ms >= one.expires_ms:
            self._out.give_up(desk, _LATE_STOP, now)
            return
        desk.entering = None
        self._enter(desk, one.proposal, one.size_factor_e4, one.reference_ticks, one.life_ms, now)

    def want_more(self, desk: Desk, side: Side, stop_ticks: int, fires_ms: int) -> None:
        """The strategy would enter more of what this desk holds, once, unless something is still entering."""
        bracket = desk.bracket
        if bracket is None or bracket.side is not side or bracket.added >= self._scaling.times:
            return
        if desk.adding is None and desk.working_entry is None and not desk.enters():
            desk.adding = Adding(fires_ms, stop_ticks)

    def add(self, desk: Desk, now: Pass) -> None:
        """Enter more of an open position once its time has come, as far as its risk has room; its stop goes along."""
        adding, bracket = desk.adding, desk.bracket
        if adding is None or now.time_ms < adding.fires_ms:
            return
        desk.adding = None
        if bracket is None or desk.orders.of(Purpose.CLOSE) or now.time_ms > adding.fires_ms + desk.life_ms:
            return
        side, mark, stop = bracket.side, desk.mark_ticks, bracket.stop_with(adding.stop_ticks)
        steps = self._room(desk, bracket, (mark - stop) * side, stop)
        if not steps:
            return
        order = self._out.review(desk, planning.add_intent(bracket, steps, mark, stop), now)
        if order is None:
            return
        bracket.added += 1
        desk.adds, desk.entry_ticks = 0, mark
        desk.entry_expires_ms = now.time_ms + desk.life_ms
        desk.working_entry = self._account.reserve(desk, side, order.steps, mark, stop, now.time_ms)
        if stop != bracket.stop_ticks:
            bracket.stop_ticks = stop
            self._out.review(desk, planning.stop_intent(bracket), now)

    def guarded(self, desk: Desk, entering: Entering, now: Pass) -> None:
        """The stop rests: the entry follows."""
        self._follow(desk, entering, now)
        if desk.entry is None:
            self._out.cancel(desk, [entering.guard], "no entry follows", now)

    def unguarded(self, desk: Desk, entering: Entering, reason: str, now: Pass) -> None:
        """The venue refused the stop. Where it takes none while nothing is held, the stop follows the fill from now on;
        a stop refused for anything else would not rest after the fill either, so no entry is made behind it."""
        if not reason.startswith(NOTHING_TO_REDUCE):
            self._protection.unusable(desk, reason)
            self._out.give_up(desk, f"the venue refused its stop: {reason}", now)
            return
        self._unguarded.add(desk.instrument.symbol)
        self._follow(desk, entering, now)

    def filled(self, desk: Desk, event: OrderFilled, now: Pass) -> None:
        """The first fill makes the bracket and puts the stop at the venue before anything else; the stop closes
        whatever is held, so further fills need none. The targets follow once the entry is filled whole."""
        proposal, fill = desk.entry, event.fill
        if proposal is None:  # a late fill of an entry nobody waits for any more: nothing would protect it
            self._out.close(desk, f"{fill.intent_id}-late", now)
            return
        steps = abs(self._portfolio.holding(fill.symbol, fill.leg).steps)
        desk.working_entry = self._unfilled(desk, proposal, event, now)
        if desk.bracket is None:
            desk.bracket = bracket_for(
                proposal,
                entry_ticks=fill.price_ticks,
                planned_ticks=desk.entry_ticks,
                steps=steps,
                unit=desk.instrument.unit,
                opened_ms=fill.time_ms,
                cost_e8=self._account.cost_e8(desk),
                leg=desk.leg,
            )
            if not any(w.order.trigger_ticks == desk.bracket.stop_ticks for w in desk.orders.of(Purpose.STOP)):
                self._out.review(desk, planning.stop_intent(desk.bracket), now)
        if desk.adds is None:
            desk.bracket.risk_amount = desk.bracket.risk_ticks * steps * desk.instrument.unit
        else:
            self._grown(desk, desk.bracket, fill)
        if event.done:
            self._protection.aim(desk, now)

    def expire(self, desk: Desk, now: Pass) -> None:
        """A working entry past its life is cancelled, and one that still waits for its stop is not made; what it has
        filled stays and stays protected."""
        if desk.entering is not None and now.time_ms >= desk.entering.expires_ms:
            self._out.give_up(desk, _LATE_STOP, now)
        if desk.entry is not None and now.time_ms >= desk.entry_expires_ms:
            self._out.cancel(desk, desk.working(Purpose.ENTRY), "entry expired", now)

    def gone(self, desk: Desk, order: Order, reason: str, now: Pass) -> None:
        """Nothing more will fill of an entry; without a position the desk is free again, what did fill gets its
        targets."""
        desk.working_entry = None
        if desk.bracket is not None:
            if not desk.orders.of(Purpose.CLOSE):
                self._protection.aim(desk, now)
        else:
            now.out.append(PlanVoided(order.intent_id.removesuffix("-entry"), order.symbol, reason))
            desk.entry = None
            self._out.cancel(desk, desk.working(Purpose.STOP), "no entry follows", now)

    def _unfilled(self, desk: Desk, proposal: Proposal, event: OrderFilled, now: Pass) -> Reserved | None:
        """What the rest of a partly filled entry may still add."""
        waiting = [w for w in desk.orders.live() if w.order.client_id == event.fill.client_id]
        if event.done or not waiting:
            return None
        rest = waiting[0].order.steps - waiting[0].filled
        return self._account.reserve(desk, event.fill.side, rest, desk.entry_ticks, proposal.stop_ticks, now.time_ms)

    def _room(self, desk: Desk, bracket: Bracket, distance: int, stop_ticks: int) -> int:
        """The steps of a further entry whose stop lies `distance` ticks away."""
        held, unit = self._portfolio.holding(bracket.symbol, desk.leg), desk.instrument.unit
        return size_to_add(
            self._portfolio.equity,
            self._risk.limits.risk_e8,
            share_e4=self._scaling.share_e4,
            distance=distance,
            unit=unit,
            at_stop=None if self._scaling.beyond_risk else held.cost - stop_ticks * held.steps * unit,
        )

    def _grown(self, desk: Desk, bracket: Bracket, fill: Fill) -> None:
        """A further entry filled, in part or whole."""
        held = self._portfolio.holding(fill.symbol, fill.leg)
        desk.adds = (desk.adds or 0) + fill.steps
        grown(
            bracket,
            paid=held.entry_cost,
            entered=held.entered,
            fill_ticks=fill.price_ticks,
            planned_ticks=desk.entry_ticks,
            steps=fill.steps,
            unit=desk.instrument.unit,
            cost_e8=self._account.cost_e8(desk),
        )
        desk.stop_moves = True
