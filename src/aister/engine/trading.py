"""From an intent to a flat book: every order and position of every desk, and nothing about why one wanted them.

Called by the engine within a pass. What should rest at the venue is `execution.plan`'s business, whether it may is
risk's; here they meet, and the venue's reports move the desk on.
"""

import msgspec

from aister.core.audit import TradeClosed
from aister.core.events import (
    FundingPaid,
    MoneyBooked,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PositionBare,
    PositionFound,
    PositionShown,
)
from aister.core.trade import Fill, FillKind, Purpose
from aister.engine.account import Account
from aister.engine.desk import Desk, Found
from aister.engine.entries import Entries
from aister.engine.outgoing import Outgoing, Pass
from aister.engine.protection import NOTHING_TO_REDUCE, ONE_ONLY, PASSED, Protection
from aister.execution import plan as planning
from aister.execution.bracket import ManagementRules, ScalingRules
from aister.execution.traits import VenueTraits
from aister.portfolio.holding import Closing
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel

__all__ = ["Trading"]

_ADL = "adl_autoclose"


class Trading:
    """Orders and positions of all desks: `entries` that the engine asks for, `protection` of what is held, `out` for
    what leaves a pass; and here what the venue reports of them."""

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
        self._risk, self._portfolio, self._account, self._desks = risk, portfolio, account, desks
        self.out = Outgoing(trader_id, risk, portfolio, account, desks)
        self.protection = Protection(self.out, risk=risk, portfolio=portfolio, management=management, traits=traits)
        self.entries = Entries(
            self.out, self.protection, risk=risk, portfolio=portfolio, account=account, scaling=scaling, traits=traits
        )

    def accepted(self, event: OrderAccepted, now: Pass) -> None:
        desk = self._desks[event.symbol].with_order(event.client_id)
        order = desk.orders.accepted(event.client_id)
        if desk.entering is not None and desk.entering.guard == event.client_id:
            self.entries.guarded(desk, desk.entering, now)
        elif order is not None and order.purpose is Purpose.STOP:
            self.out.cancel(desk, planning.superseded_stops(desk.orders, event.client_id), "replaced", now)

    def rejected(self, event: OrderRejected, now: Pass) -> None:
        desk = self._desks[event.symbol].with_order(event.client_id)
        outlived = desk.orders.outlived(event.client_id)
        order = desk.orders.gone(event.client_id)
        if order is None:
            return
        if outlived:
            desk.rewake()
            return
        if desk.entering is not None and desk.entering.guard == event.client_id:
            self.entries.unguarded(desk, desk.entering, event.reason, now)
        elif order.purpose is Purpose.ENTRY:
            self.entries.gone(desk, order, f"the venue refused: {event.reason}", now)
        elif desk.bracket is not None and order.close_position and event.reason.startswith(ONE_ONLY):
            self.protection.one_only(desk, now)
        elif order.purpose is Purpose.STOP and desk.bracket is not None and self.protection.rests(desk):
            assert desk.resident_stop_ticks is not None
            desk.bracket.stop_ticks = desk.resident_stop_ticks  # the old stop still protects; it stays
        elif order.purpose is Purpose.STOP and not event.reason.startswith(PASSED):
            self.protection.again(desk, order, event.reason, now)
        elif order.purpose in (Purpose.STOP, Purpose.TARGET):
            self.out.close(desk, f"{order.intent_id}-refused", now)
        elif not event.reason.startswith(NOTHING_TO_REDUCE):
            self.protection.close_again(desk, order, event.reason, now)
        desk.stop_moves = desk.bracket is not None
        desk.rewake()

    def canceled(self, event: OrderCanceled, now: Pass) -> None:
        desk = self._desks[event.symbol].with_order(event.client_id)
        outlived = desk.orders.outlived(event.client_id)
        taken_away = desk.orders.unasked_end(event.client_id) and not outlived
        order = desk.orders.gone(event.client_id)
        if order is None:
            return
        if order.purpose is Purpose.ENTRY:
            self.entries.gone(desk, order, f"entry cancelled: {event.reason}", now)
        elif order.purpose is Purpose.STOP and taken_away and desk.bracket is None:
            self.out.give_up(desk, f"its stop is gone: {event.reason}", now)
            self.out.cancel(desk, desk.working(Purpose.ENTRY), "its stop is gone", now)
        elif order.purpose is Purpose.STOP and taken_away:
            self.protection.again(desk, order, f"the stop is gone: {event.reason}", now)
        elif order.purpose is Purpose.STOP and order.close_position:
            self.protection.replaced(desk, now)
        if not outlived:  # the end of an order of the position before says nothing about this one
            desk.stop_moves = desk.bracket is not None
        desk.rewake()

    def unknown(self, event: OrderUnknown, now: Pass) -> None:
        """Nobody knows whether the order is there. An entry keeps its reservation and its desk until that is known.
        Protection cannot wait: another stop or close is sent beside it, under an id of its own; neither can ever do
        more than close what is held."""
        desk = self._desks[event.symbol].with_order(event.client_id)
        order = next((w.order for w in desk.orders.live() if w.order.client_id == event.client_id), None)
        if order is None or desk.orders.outlived(event.client_id):
            return
        if desk.entering is not None and desk.entering.guard == event.client_id:
            self.out.give_up(desk, f"nobody knows whether its stop rests: {event.reason}", now)
        elif order.purpose is Purpose.STOP and not self.protection.rests(desk):
            self.protection.again(desk, order, event.reason, now)
        elif order.purpose is Purpose.CLOSE:
            self.protection.close_again(desk, order, event.reason, now, refused=False)

    def shown(self, event: PositionShown, now: Pass) -> None:
        if desk := self._desks[event.symbol].of(event.leg):
            self.protection.shown(desk, event.steps, now)

    def bare(self, event: PositionBare, now: Pass) -> None:
        if desk := self._desks[event.symbol].of(event.leg):
            self.protection.bare(desk, event.steps, now)

    def filled(self, event: OrderFilled, now: Pass) -> None:
        fill = event.fill
        desk = self._desks[fill.symbol].of(fill.leg)
        if desk is None:
            return  # somebody else's, in a position mode that is not this trader's
        order = desk.orders.filled(fill.client_id, fill.steps, event.done)
        closing = self._portfolio.apply(event)
        if closing is None:
            self.protection.cover(desk, now)
        if fill.purpose == Purpose.ENTRY:
            self.entries.filled(desk, event, now)
        elif closing is not None and desk.bracket is not None:
            self._flat(desk, fill, closing, now)
            self.out.close(desk, f"{fill.symbol}-{fill.time_ms}-unasked", now)  # what turned it round left on that side
        elif desk.bracket is None:
            self.protection.unasked(desk, fill, now)
        elif desk.bracket is not None and order is not None and fill.purpose == Purpose.TARGET:
            ticks = order.trigger_ticks or order.price_ticks
            desk.bracket.reach(ticks)
            if event.done:
                desk.bracket.targets_hit += fill.intent_id == planning.target_id(desk.bracket, ticks)
                desk.stop_moves = True
        self.out.moved(self._risk.mark(now.time_ms, self._portfolio.equity), now)
        desk.rewake()

    def found(self, event: PositionFound, now: Pass) -> None:
        """A position at the venue is to be kept: its fills follow. Where something is held or enters already, nothing
        is found."""
        desk = self._desks[event.symbol].of(event.leg)
        if desk is not None and desk.bracket is None and desk.entry is None:
            desk.found = Found(event.stop_ticks, event.life_ms)
            if event.stop is not None:
                self.out.life = max(self.out.life, event.time_ms // 1000)  # another chain's id: none of those again
                desk.orders.sent(event.stop)
                desk.orders.accepted(event.stop.client_id)

    def funding_paid(self, event: FundingPaid, now: Pass) -> None:
        self._portfolio.apply(event)
        self.out.moved(self._risk.mark(now.time_ms, self._portfolio.equity), now)

    def money_booked(self, event: MoneyBooked, now: Pass) -> None:
        """Money that was moved changes units, not what one is worth; what was earned or charged is gain or loss, and so
        is what leaves nothing, as units of nothing have no price."""
        equity = self._portfolio.equity
        if event.moved and min(equity, equity + event.amount) > 0:
            self.out.moved(self._risk.transfer(now.time_ms, event.amount, equity), now)
            self._portfolio.apply(event, now.time_ms)
        else:
            self._portfolio.apply(msgspec.structs.replace(event, moved=False))
            self.out.moved(self._risk.mark(now.time_ms, self._portfolio.equity), now)

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
        self.out.cancel(desk, [*planning.obsolete(desk.orders), *desk.working(Purpose.ENTRY)], "flat", now)
        self.out.moved(self._risk.trade_closed(closed), now)


def _exit_reason(fill: Fill) -> str:
    """Why a position went flat; of what nobody here asked for, who did it: the venue ("liquidation", "adl") or a hand
    at the venue ("outside"). C16."""
    if fill.kind is FillKind.LIQUIDATION:
        return "adl" if fill.client_id.startswith(_ADL) else "liquidation"
    if not fill.purpose:
        return "outside"
    if fill.purpose == Purpose.CLOSE:
        cause = fill.intent_id.removesuffix("-close").rpartition("-")[2]
        return cause if cause in ("time", "exit") else "close"
    return fill.purpose
