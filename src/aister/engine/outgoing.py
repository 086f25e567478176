"""What leaves a pass: intents that risk has let through as orders, cancels, and the way out of a position."""

import msgspec

from aister.core.audit import Breaker, BreakerChanged, CancelOrder, Output, PlaceOrder, PlanVoided
from aister.core.permission import Approved, Intent
from aister.core.trade import Order, Purpose, Side
from aister.engine.account import Account
from aister.engine.desk import Desk
from aister.execution import plan as planning
from aister.execution.orders import order_of
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel

__all__ = ["Outgoing", "Pass"]

_IN_A_PASS = 256
"""More orders than leave in one pass; the last two figures of an id."""


class Pass(msgspec.Struct):
    """One pass in the making: its time, its number in the chain, what it has led to so far."""

    time_ms: int
    sequence: int
    out: list[Output]


class Outgoing:
    """The one place where an intent becomes an order. `permits` holds the permission of each order until the runner
    takes it. `life` is another after every rollback of the journal and every stop that was found, and part of the ids:
    those that lost records or an earlier chain gave out are not given out again (D1)."""

    def __init__(
        self, trader_id: str, risk: RiskKernel, portfolio: Portfolio, account: Account, desks: dict[str, Desk]
    ) -> None:
        self.permits: dict[str, Approved] = {}
        self.life = 0
        self._trader_id, self._risk, self._portfolio, self._account = trader_id, risk, portfolio, account
        self._desks = desks

    def review(self, desk: Desk, intent: Intent, now: Pass) -> Order | None:
        """Ask risk; an approved intent becomes one order on its way out."""
        entry = intent.purpose is Purpose.ENTRY
        situation = self._account.situation(desk, now.time_ms) if entry else self._account.holding(desk, now.time_ms)
        permit, reviewed = self._risk.review(intent, situation)
        now.out.append(reviewed)
        if not isinstance(permit, Approved):
            return None
        number = len(now.out) + _IN_A_PASS * self.life
        order = order_of(permit, f"{self._trader_id}-{now.sequence:x}-{number:x}")
        self.permits[order.client_id] = permit
        desk.orders.sent(order)
        now.out.append(PlaceOrder(order))
        self.moved(self._risk.sent(now.time_ms, order), now)
        return order

    def cancel(self, desk: Desk, client_ids: list[str], reason: str, now: Pass) -> None:
        """Ask the venue to take these orders away, each once."""
        for client_id in client_ids:
            if desk.orders.canceling(client_id):
                now.out.append(CancelOrder(desk.instrument.symbol, client_id, reason))

    def give_up(self, desk: Desk, reason: str, now: Pass) -> None:
        """An entry that waits for its stop is not made."""
        entering, desk.entering = desk.entering, None
        if entering is not None:
            now.out.append(PlanVoided(entering.proposal.setup_id, desk.instrument.symbol, reason))
            self.cancel(desk, [entering.guard], reason, now)

    def withdraw(self, desk: Desk, reason: str, now: Pass) -> None:
        """No new risk: the armed plan is void and a working entry is cancelled; what protects or reduces stays."""
        if desk.plan is not None:
            now.out.append(PlanVoided(desk.plan.proposal.setup_id, desk.instrument.symbol, reason))
            desk.plan = None
        self.give_up(desk, reason, now)
        self.cancel(desk, desk.working(Purpose.ENTRY), reason, now)
        desk.rewake()

    def close(self, desk: Desk, cause: str, now: Pass) -> None:
        """Close what is held at market unless a close is already on its way; what is still entering is withdrawn."""
        symbol = desk.instrument.symbol
        steps = self._portfolio.holding(symbol, desk.leg).steps
        if steps and not desk.orders.of(Purpose.CLOSE):
            self.cancel(desk, desk.working(Purpose.ENTRY), "the position is being closed", now)
            side = Side.BUY if steps > 0 else Side.SELL
            self.review(desk, planning.close_intent(symbol, side, abs(steps), desk.mark_ticks, cause, desk.leg), now)

    def moved(self, changed: BreakerChanged | None, now: Pass) -> None:
        """Note a breaker's move; a halt withdraws whatever would still add risk."""
        if changed is None:
            return
        now.out.append(changed)
        if changed.state is Breaker.HALTED:
            for desk in self._desks.values():
                for leg in desk.legs:
                    self.withdraw(leg, f"halted: {changed.reason}", now)
