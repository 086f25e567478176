"""From an intent to a flat book: every order and position of every desk, and nothing about why one wanted them.

Called by the engine within a pass. What should rest at the venue is `execution.plan`'s business, whether it may is
risk's; here they meet, and the venue's reports move the desk on.
"""

import msgspec

from aister.core.audit import Breaker, BreakerChanged, CancelOrder, Output, PlaceOrder, PlanVoided, TradeClosed
from aister.core.council import Proposal
from aister.core.events import FundingPaid, OrderAccepted, OrderCanceled, OrderFilled, OrderRejected, OrderUnknown
from aister.core.permission import Approved, Intent
from aister.core.trade import Fill, FillKind, Order, Purpose, Side
from aister.engine.account import Account
from aister.engine.desk import Adding, Desk, Entering
from aister.execution import plan as planning
from aister.execution.bracket import Bracket, ManagementRules, ScalingRules, bracket_for, grown, trailed_stop
from aister.execution.orders import order_of
from aister.execution.traits import VenueTraits
from aister.portfolio.holding import Closing
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel
from aister.risk.situation import Reserved
from aister.risk.sizing import size_to_add

__all__ = ["Pass", "Trading"]


_PASSED = ("-2021", "-4142")
"""The venue's word that the price is beyond the stop already: there is nothing left to protect but by closing."""
_NOTHING_TO_REDUCE = ("-2022", "-2024")
_NO_SUCH_STOP = ("-1116", "-4120", "-4136")
_MOST_STOPS, _MOST_CLOSES = 2, 6


class Pass(msgspec.Struct):
    """One pass in the making: its time, its number in the chain, what it has led to so far."""

    time_ms: int
    sequence: int
    out: list[Output]


class Trading:
    """Orders and positions of all desks. `permits` holds the permission of each order until the runner takes it."""

    def __init__(
        self,
        *,
        trader_id: str,
        risk: RiskKernel,
        portfolio: Portfolio,
        account: Account,
        desks: dict[str, Desk],
        management: ManagementRules,
        scaling: ScalingRules,
        traits: VenueTraits,
    ) -> None:
        self.permits: dict[str, Approved] = {}
        self._trader_id, self._risk, self._portfolio, self._account = trader_id, risk, portfolio, account
        self._desks, self._management, self._scaling = desks, management, scaling
        self._traits = traits
        self._unguarded: set[str] = set()

    # ---- what the engine asks for -----------------------------------------------------------------------------------

    def fire(
        self, desk: Desk, proposal: Proposal, factor_e4: int, reference_ticks: int, life_ms: int, now: Pass
    ) -> None:
        """Enter, if every limit holds at this moment; where the venue allows it, once the stop rests there."""
        symbol = desk.instrument.symbol
        if self._traits.protection == "before" and symbol not in self._unguarded:
            wanted = planning.entry_intent(proposal, factor_e4, reference_ticks, desk.leg)
            permit, reviewed = self._risk.review(wanted, self._account.situation(desk, now.time_ms))
            if not isinstance(permit, Approved):
                now.out.append(reviewed)
                return
            guard = self._review(desk, planning.guard_intent(proposal, desk.leg), now)
            if guard is not None:
                desk.entering = Entering(proposal, factor_e4, reference_ticks, life_ms, guard.client_id)
                return
        self._enter(desk, proposal, factor_e4, reference_ticks, life_ms, now)

    def _enter(
        self, desk: Desk, proposal: Proposal, factor_e4: int, reference_ticks: int, life_ms: int, now: Pass
    ) -> None:
        order = self._review(desk, planning.entry_intent(proposal, factor_e4, reference_ticks, desk.leg), now)
        if order is None:
            return
        entry = order.price_ticks or desk.mark_ticks
        desk.entry = proposal
        desk.entry_ticks = entry
        desk.entry_expires_ms, desk.life_ms = now.time_ms + life_ms, life_ms
        desk.working_entry = self._account.reserve(
            desk, order.side, order.steps, entry, proposal.stop_ticks, now.time_ms
        )

    def expire_entry(self, desk: Desk, now: Pass) -> None:
        """A working entry past its life is cancelled; what it has filled stays and stays protected."""
        if desk.entry is not None and now.time_ms >= desk.entry_expires_ms:
            self._cancel(desk, _ids(desk, Purpose.ENTRY), "entry expired", now)

    def manage(self, desk: Desk, closed: int, now: Pass) -> None:
        """Time stop, break-even and trailing; a moved stop is placed beside the old one."""
        bracket = desk.bracket
        assert bracket is not None
        if now.time_ms >= bracket.deadline_ms:
            self.close(desk, f"{bracket.setup_id}-time", now)
            return
        if not desk.orders.of(Purpose.STOP) and not desk.orders.of(Purpose.CLOSE):
            self.close(desk, f"{bracket.setup_id}-unprotected@{now.time_ms}", now)
            return
        if not (closed or desk.stop_moves):
            return
        desk.stop_moves = False
        mark = desk.mark_ticks
        bracket.best_ticks = max(bracket.best_ticks, mark) if bracket.side > 0 else min(bracket.best_ticks, mark)
        stop = trailed_stop(bracket, mark, self._management)
        if stop != bracket.stop_ticks:
            bracket.stop_ticks = stop
            self._review(desk, planning.stop_intent(bracket), now)

    def leave(self, desk: Desk, now: Pass) -> None:
        """Close what the strategy wants to leave, once its time has come."""
        if desk.bracket is not None and now.time_ms >= desk.leave_ms:
            self.close(desk, f"{desk.bracket.setup_id}-exit", now)

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
        order = self._review(desk, planning.add_intent(bracket, steps, mark, stop), now)
        if order is None:
            return
        bracket.added += 1
        desk.adds, desk.entry_ticks = 0, mark
        desk.entry_expires_ms = now.time_ms + desk.life_ms
        desk.working_entry = self._account.reserve(desk, side, order.steps, mark, stop, now.time_ms)
        if stop != bracket.stop_ticks:
            bracket.stop_ticks = stop
            self._review(desk, planning.stop_intent(bracket), now)

    def close(self, desk: Desk, cause: str, now: Pass) -> None:
        """Close what is held at market unless a close is already on its way; what is still entering is withdrawn."""
        symbol = desk.instrument.symbol
        steps = self._portfolio.holding(symbol, desk.leg).steps
        if steps and not desk.orders.of(Purpose.CLOSE):
            self._cancel(desk, _ids(desk, Purpose.ENTRY), "the position is being closed", now)
            side = Side.BUY if steps > 0 else Side.SELL
            self._review(desk, planning.close_intent(symbol, side, abs(steps), desk.mark_ticks, cause, desk.leg), now)

    def withdraw(self, desk: Desk, reason: str, now: Pass) -> None:
        """No new risk: the armed plan is void and a working entry is cancelled; what protects or reduces stays."""
        if desk.plan is not None:
            now.out.append(PlanVoided(desk.plan.proposal.setup_id, desk.instrument.symbol, reason))
            desk.plan = None
        self._give_up(desk, reason, now)
        self._cancel(desk, _ids(desk, Purpose.ENTRY), reason, now)
        desk.rewake()

    def moved(self, changed: BreakerChanged | None, now: Pass) -> None:
        """Note a breaker's move; a halt withdraws whatever would still add risk."""
        if changed is None:
            return
        now.out.append(changed)
        if changed.state is Breaker.HALTED:
            for desk in self._desks.values():
                for leg in desk.legs:
                    self.withdraw(leg, f"halted: {changed.reason}", now)

    # ---- what the venue reports -------------------------------------------------------------------------------------

    def accepted(self, event: OrderAccepted, now: Pass) -> None:
        desk = self._desks[event.symbol].with_order(event.client_id)
        order = desk.orders.accepted(event.client_id)
        entering = desk.entering
        if entering is not None and entering.guard == event.client_id:
            desk.entering = None
            one = entering
            self._enter(desk, one.proposal, one.size_factor_e4, one.reference_ticks, one.life_ms, now)
            if desk.entry is None:
                self._cancel(desk, [one.guard], "no entry follows", now)
        elif order is not None and order.purpose is Purpose.STOP:
            self._cancel(desk, planning.superseded_stops(desk.orders, event.client_id), "replaced", now)

    def rejected(self, event: OrderRejected, now: Pass) -> None:
        desk = self._desks[event.symbol].with_order(event.client_id)
        order = desk.orders.gone(event.client_id)
        if order is None:
            return
        if desk.entering is not None and desk.entering.guard == event.client_id:
            self._unguarded_entry(desk, desk.entering, event.reason, now)
        elif order.purpose is Purpose.ENTRY:
            self._entry_gone(desk, order, f"the venue refused: {event.reason}", now)
        elif order.purpose is Purpose.STOP and desk.bracket is not None and desk.resident_stop_ticks is not None:
            desk.bracket.stop_ticks = desk.resident_stop_ticks  # the old stop still protects; it stays
        elif order.purpose is Purpose.STOP and not event.reason.startswith(_PASSED):
            self._protect(desk, order, event.reason, now)
        elif order.purpose in (Purpose.STOP, Purpose.TARGET):
            self.close(desk, f"{order.intent_id}-refused", now)
        elif not event.reason.startswith(_NOTHING_TO_REDUCE):
            self._close_again(desk, order, event.reason, now)
        desk.stop_moves = desk.bracket is not None
        desk.rewake()

    def canceled(self, event: OrderCanceled, now: Pass) -> None:
        desk = self._desks[event.symbol].with_order(event.client_id)
        taken_away, outlived = desk.orders.unasked_end(event.client_id), desk.orders.outlived(event.client_id)
        order = desk.orders.gone(event.client_id)
        if order is None:
            return
        if order.purpose is Purpose.ENTRY:
            self._entry_gone(desk, order, f"entry cancelled: {event.reason}", now)
        elif order.purpose is Purpose.STOP and taken_away and desk.bracket is None:
            self._give_up(desk, f"its stop is gone: {event.reason}", now)
            self._cancel(desk, _ids(desk, Purpose.ENTRY), "its stop is gone", now)
        elif order.purpose is Purpose.STOP and taken_away:
            self._protect(desk, order, f"the stop is gone: {event.reason}", now)
        if not outlived:  # the end of an order of the position before says nothing about this one
            desk.stop_moves = desk.bracket is not None
        desk.rewake()

    def unknown(self, event: OrderUnknown, now: Pass) -> None:
        """Nobody knows whether the order is there. An entry keeps its reservation and its desk until that is known.
        Protection cannot wait: another stop or close is sent beside it, under an id of its own; neither can ever do
        more than close what is held."""
        desk = self._desks[event.symbol].with_order(event.client_id)
        order = next((w.order for w in desk.orders.live() if w.order.client_id == event.client_id), None)
        if order is None:
            return
        if desk.entering is not None and desk.entering.guard == event.client_id:
            self._give_up(desk, f"nobody knows whether its stop rests: {event.reason}", now)
        elif order.purpose is Purpose.STOP and desk.resident_stop_ticks is None:
            self._protect(desk, order, event.reason, now)
        elif order.purpose is Purpose.CLOSE:
            self._close_again(desk, order, event.reason, now)

    def filled(self, event: OrderFilled, now: Pass) -> None:
        fill = event.fill
        desk = self._desks[fill.symbol].of(fill.leg)
        order = desk.orders.filled(fill.client_id, fill.steps, event.done)
        closing = self._portfolio.apply(event)
        if fill.purpose == Purpose.ENTRY:
            self._entered(desk, event, now)
        elif closing is not None and desk.bracket is not None:
            self._flat(desk, fill, closing, now)
        elif desk.bracket is None:
            self._unasked(desk, fill, now)
        elif desk.bracket is not None and order is not None and fill.purpose == Purpose.TARGET:
            ticks = order.trigger_ticks or order.price_ticks
            desk.bracket.reach(ticks)
            if event.done:
                desk.bracket.targets_hit += fill.intent_id == planning.target_id(desk.bracket, ticks)
                desk.stop_moves = True
        self.moved(self._risk.mark(now.time_ms, self._portfolio.equity), now)
        desk.rewake()

    def funding_paid(self, event: FundingPaid, now: Pass) -> None:
        self._portfolio.apply(event)
        self.moved(self._risk.mark(now.time_ms, self._portfolio.equity), now)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _review(self, desk: Desk, intent: Intent, now: Pass) -> Order | None:
        """Ask risk; an approved intent becomes one order on its way out."""
        entry = intent.purpose is Purpose.ENTRY
        situation = self._account.situation(desk, now.time_ms) if entry else self._account.holding(desk, now.time_ms)
        permit, reviewed = self._risk.review(intent, situation)
        now.out.append(reviewed)
        if not isinstance(permit, Approved):
            return None
        order = order_of(permit, f"{self._trader_id}-{now.sequence:x}-{len(now.out):x}")
        self.permits[order.client_id] = permit
        desk.orders.sent(order)
        now.out.append(PlaceOrder(order))
        self.moved(self._risk.sent(now.time_ms, order), now)
        return order

    def _cancel(self, desk: Desk, client_ids: list[str], reason: str, now: Pass) -> None:
        for client_id in client_ids:
            if desk.orders.canceling(client_id):
                now.out.append(CancelOrder(desk.instrument.symbol, client_id, reason))

    def _entry_gone(self, desk: Desk, order: Order, reason: str, now: Pass) -> None:
        """Nothing more will fill of an entry; without a position the desk is free again, what did fill gets its
        targets."""
        desk.working_entry = None
        if desk.bracket is not None:
            if not desk.orders.of(Purpose.CLOSE):
                self._aim(desk, now)
        else:
            now.out.append(PlanVoided(order.intent_id.removesuffix("-entry"), order.symbol, reason))
            desk.entry = None
            self._cancel(desk, _ids(desk, Purpose.STOP), "no entry follows", now)

    def _give_up(self, desk: Desk, reason: str, now: Pass) -> None:
        """An entry that waits for its stop is not made."""
        entering, desk.entering = desk.entering, None
        if entering is not None:
            now.out.append(PlanVoided(entering.proposal.setup_id, desk.instrument.symbol, reason))
            self._cancel(desk, [entering.guard], reason, now)

    def _unguarded_entry(self, desk: Desk, entering: Entering, reason: str, now: Pass) -> None:
        """The venue refused the stop: the price has passed it, or it takes none while flat. Then, from now on, the stop
        follows the fill."""
        if reason.startswith(_PASSED):
            self._give_up(desk, f"the venue refused its stop: {reason}", now)
            return
        desk.entering = None
        self._unguarded.add(desk.instrument.symbol)
        one = entering
        self._enter(desk, one.proposal, one.size_factor_e4, one.reference_ticks, one.life_ms, now)

    def _entered(self, desk: Desk, event: OrderFilled, now: Pass) -> None:
        """The first fill makes the bracket and puts the stop at the venue before anything else; the stop closes
        whatever is held, so further fills need none. The targets follow once the entry is filled whole."""
        proposal, fill = desk.entry, event.fill
        if proposal is None:  # a late fill of an entry nobody waits for any more: nothing would protect it
            self.close(desk, f"{fill.intent_id}-late", now)
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
                self._review(desk, planning.stop_intent(desk.bracket), now)
        if desk.adds is None:
            desk.bracket.risk_amount = desk.bracket.risk_ticks * steps * desk.instrument.unit
        else:
            self._grown(desk, desk.bracket, fill)
        if event.done:
            self._aim(desk, now)

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

    def _aim(self, desk: Desk, now: Pass) -> None:
        """Rest the targets of what is held, or of what a further entry has added to it."""
        bracket, added = desk.bracket, desk.adds
        assert bracket is not None
        desk.adds = None
        steps = abs(self._portfolio.holding(desk.instrument.symbol, desk.leg).steps)
        limit = self._traits.targets == "limit"
        intents = planning.target_intents(bracket, steps, limit=limit)
        if added is not None:
            intents = planning.added_intents(bracket, min(added, steps), limit=limit)
        for intent in intents:
            self._review(desk, intent, now)

    def _protect(self, desk: Desk, lost: Order, reason: str, now: Pass) -> None:
        """A stop that was refused, lost or taken away: once more, then out of the position (C19)."""
        bracket = desk.bracket
        if bracket is None or desk.resident_stop_ticks is not None:
            return
        desk.tries += 1
        if desk.tries > _MOST_STOPS:
            if reason.startswith(_NO_SUCH_STOP):
                self._risk.freeze(f"stops of {lost.symbol}", f"{lost.symbol}: the venue takes no such stop ({reason})")
            self.close(desk, f"{lost.intent_id}-refused", now)
        else:
            self._review(desk, planning.again(planning.stop_intent(bracket), desk.tries), now)

    def _close_again(self, desk: Desk, lost: Order, reason: str, now: Pass) -> None:
        """A close that was refused or is lost: once more, as long as there is something to close; then a person."""
        steps = self._portfolio.holding(lost.symbol, desk.leg).steps
        if not steps or steps * lost.side > 0:
            return
        desk.tries += 1
        if desk.tries > _MOST_CLOSES:
            why = f"{lost.symbol} cannot be closed ({reason}); close it on the venue's own page, then resume"
            self.moved(self._risk.halt("protection", why), now)
            return
        side = Side.BUY if steps > 0 else Side.SELL
        cause = lost.intent_id.partition("~")[0].removesuffix("-close")
        intent = planning.close_intent(lost.symbol, side, abs(steps), desk.mark_ticks, cause, desk.leg)
        self._review(desk, planning.again(intent, desk.tries), now)

    def _unasked(self, desk: Desk, fill: Fill, now: Pass) -> None:
        """A fill that no order of ours made where nothing of ours was open (C16): what it opened is closed, what it
        closed needs no order any more."""
        if self._portfolio.holding(fill.symbol, fill.leg).steps:
            if desk.entry is None:
                self.close(desk, f"{fill.symbol}-{fill.time_ms}-unasked", now)
        else:
            self._cancel(desk, planning.obsolete(desk.orders), "flat", now)

    def _unfilled(self, desk: Desk, proposal: Proposal, event: OrderFilled, now: Pass) -> Reserved | None:
        """What the rest of a partly filled entry may still add."""
        waiting = [w for w in desk.orders.live() if w.order.client_id == event.fill.client_id]
        if event.done or not waiting:
            return None
        rest = waiting[0].order.steps - waiting[0].filled
        return self._account.reserve(desk, event.fill.side, rest, desk.entry_ticks, proposal.stop_ticks, now.time_ms)

    def _flat(self, desk: Desk, fill: Fill, closing: Closing, now: Pass) -> None:
        """The position is gone: settle the trade's account and clear what protected it."""
        bracket = desk.bracket
        assert bracket is not None
        closed = TradeClosed(
            setup_id=bracket.setup_id,
            symbol=closing.symbol,
            side=closing.side,
            opened_ms=closing.opened_ms,
            closed_ms=closing.closed_ms,
            steps=closing.steps,
            entry_cost=closing.entry_cost,
            exit_value=closing.exit_value,
            fees=closing.fees,
            funding=closing.funding,
            pnl=closing.pnl,
            initial_risk=bracket.risk_amount,
            reason=_exit_reason(fill),
        )
        now.out.append(closed)
        if closed.pnl < 0:
            self._account.lost(closed.closed_ms)
        desk.settle()
        if not desk.enters():  # else what fills of it before it is withdrawn is protected as the entry it is
            desk.entry = None
        self._cancel(desk, [*planning.obsolete(desk.orders), *_ids(desk, Purpose.ENTRY)], "flat", now)
        self.moved(self._risk.trade_closed(closed), now)


def _ids(desk: Desk, purpose: Purpose) -> list[str]:
    return [working.order.client_id for working in desk.orders.of(purpose)]


def _exit_reason(fill: Fill) -> str:
    if fill.kind is FillKind.LIQUIDATION:
        return "liquidation"
    if fill.purpose == Purpose.CLOSE:
        cause = fill.intent_id.removesuffix("-close").rpartition("-")[2]
        return cause if cause in ("time", "exit") else "close"
    return fill.purpose
