"""`Engine.process(event) -> Audit`: one synchronous pass, no I/O, no clock but the event's own time.

When it returns, nothing has left the house: the runner journals the audit first and hands its outputs on afterwards.
Reading order of a bar: labels that resolve, the position, the armed plan, new setups (`docs/architecture.md`).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from aister.core.audit import (
    AskCouncil,
    Audit,
    CancelOrder,
    Output,
    PlaceOrder,
    PlanArmed,
    PlanVoided,
    TradeClosed,
)
from aister.core.commands import ClosePosition, EngageKill, Transfer
from aister.core.council import Decision, Outcome, Proposal, Setup
from aister.core.errors import DataError, SequenceError
from aister.core.events import (
    BarClosed,
    CommandGiven,
    DecisionMade,
    Event,
    FundingPaid,
    FundingSettled,
    InstrumentListed,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    RunEnded,
    RunStarted,
)
from aister.core.permission import Approved, Intent
from aister.core.trade import Fill, FillKind, Order, OrderType, Purpose, Side
from aister.council.calibration import Calibration
from aister.engine.account import Account, CostOf
from aister.engine.desk import Asked, Desk, Plan
from aister.execution import plan as planning
from aister.execution.bracket import ManagementRules, bracket_for, trailed_stop
from aister.execution.orders import order_of
from aister.features.market import Features
from aister.portfolio.holding import Closing
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel
from aister.strategy.strategy import Strategy

__all__ = ["Engine", "EngineRules"]

_NOTHING: tuple[Output, ...] = ()


class EngineRules(msgspec.Struct, frozen=True):
    """How the stages are put together. `deliberate` false = setups trade directly, without council (benchmarks,
    parity).

    `plan_life_ms` bounds an armed plan (Q25), `answer_timeout_ms` a question without answer (Q26)."""

    deliberate: bool = True
    plan_life_ms: int = 1_800_000
    answer_timeout_ms: int = 60_000
    management: ManagementRules = ManagementRules()


class Engine:
    """The trader. Five slots: features, strategy, risk, portfolio, calibration; execution is pure and needs none.

    `trader_id` prefixes client ids. `process` raises `SequenceError` when an event is older than one already processed.
    """

    def __init__(
        self,
        *,
        trader_id: str,
        features: Features,
        strategy: Strategy,
        risk: RiskKernel,
        portfolio: Portfolio,
        calibration: Calibration,
        desks: dict[str, Desk],
        cost_of: CostOf,
        rules: EngineRules,
    ) -> None:
        self.time_ms = 0
        self.sequence = 0
        self.permits: dict[str, Approved] = {}
        self.features, self.strategy, self.risk, self.portfolio = features, strategy, risk, portfolio
        self.calibration, self.desks, self.rules = calibration, desks, rules
        self._account = Account(portfolio, risk, desks, features, cost_of)
        self._trader_id = trader_id
        self._mask = strategy.mask
        self._update = features.update
        self._handlers: dict[type, Callable[[Any], tuple[Output, ...]]] = {
            BarClosed: self._bar_closed,
            FundingSettled: self._funding_settled,
            FundingPaid: self._funding_paid,
            OrderAccepted: self._accepted,
            OrderRejected: self._rejected,
            OrderCanceled: self._canceled,
            OrderFilled: self._filled,
            DecisionMade: self._decided,
            CommandGiven: self._commanded,
            InstrumentListed: self._listed,
            RunStarted: self._nothing,
            RunEnded: self._nothing,
        }

    def process(self, event: Event) -> Audit:
        """One event through every stage it concerns."""
        time_ms = event.time_ms
        if time_ms < self.time_ms:
            raise SequenceError(
                f"An event of {time_ms} ms came after {self.time_ms} ms; the feed's clock runs backwards."
            )
        self.time_ms = time_ms
        audit = Audit(self.sequence, event, self._handlers[type(event)](event))
        self.sequence += 1
        return audit

    # ---- market -----------------------------------------------------------------------------------------------------

    def _bar_closed(self, bar: BarClosed) -> tuple[Output, ...]:
        closed = self._update(bar) & self._mask
        desk = self.desks[bar.symbol]
        desk.close = bar.close
        desk.bar_ms = time_ms = bar.time_ms
        changed = None
        if desk.bracket is not None:
            self.portfolio.mark(bar.symbol, bar.close)
            changed = self.risk.mark(time_ms, self.portfolio.equity)
        if (
            not closed
            and changed is None
            and desk.wake_low < bar.low
            and bar.high < desk.wake_high
            and time_ms < desk.wake_ms
        ):
            return _NOTHING
        out: list[Output] = [] if changed is None else [changed]
        self._attend(desk, bar, closed, out)
        desk.rewake()
        return tuple(out)

    def _attend(self, desk: Desk, bar: BarClosed, closed: int, out: list[Output]) -> None:
        for resolved in desk.resolve(bar.low, bar.high, bar.time_ms):
            self.calibration.record(resolved, bar.time_ms)
            out.append(resolved)
        if desk.bracket is not None:
            self._manage(desk, closed, out)
        if desk.plan is not None:
            self._plan_due(desk, out)
        if desk.asked is not None and bar.time_ms > desk.asked.time_ms + self.rules.answer_timeout_ms:
            out.append(PlanVoided(desk.asked.setup.id, bar.symbol, "the council did not answer in time"))
            desk.asked = None
        if desk.entry is not None and desk.bracket is None and bar.time_ms >= desk.entry_expires_ms:
            self._cancel(desk, [w.order.client_id for w in desk.orders.of(Purpose.ENTRY)], "entry expired", out)
        if closed:
            self._look(desk, out)

    def _look(self, desk: Desk, out: list[Output]) -> None:
        """New setups on the bars that just closed; the first one is pursued when the desk is free."""
        features = self.features.snapshot(desk.instrument.symbol, self.time_ms)
        setups = self.strategy.setups(features, desk.instrument, self._account.cost_e8(desk))
        if not setups or not desk.free:
            return
        setup = setups[0]
        if not self.rules.deliberate:
            self.risk.decided(setup.symbol)
            self._fire(desk, _proposal(setup), 10_000, desk.mark_ticks, out)
            return
        question = self._account.question(setup, desk, features, self.calibration.standings(), self.time_ms)
        desk.asked = Asked(question.id, setup, self.time_ms)
        out.append(AskCouncil(question))

    def _funding_settled(self, event: FundingSettled) -> tuple[Output, ...]:
        self.features.settle(event)
        return _NOTHING

    def _listed(self, event: InstrumentListed) -> tuple[Output, ...]:
        desk = self.desks.get(event.instrument.symbol)
        if desk is None:
            raise DataError(f"{event.instrument.symbol} is not one of this run's symbols; name it with --symbols.")
        out: list[Output] = []
        old, new = desk.instrument, event.instrument
        self.portfolio.list_instrument(new)
        self.risk.listed(new)
        self._account.listed(new)
        desk.instrument = new
        if (old.tick_e8, old.step_e8) != (new.tick_e8, new.step_e8):
            desk.asked = None
            self._withdraw(desk, "the grid of its prices or sizes changed", out)
        return tuple(out)

    # ---- council ----------------------------------------------------------------------------------------------------

    def _decided(self, event: DecisionMade) -> tuple[Output, ...]:
        decision = event.decision
        desk = self.desks[decision.symbol]
        asked = desk.asked
        if asked is None or asked.question_id != decision.question_id:
            return (PlanVoided(decision.setup_id, decision.symbol, "the answer came too late"),)
        desk.asked = None
        desk.follow(decision, asked.time_ms)
        self.risk.decided(decision.symbol)
        out: list[Output] = []
        if decision.outcome is Outcome.TRADE and decision.proposal is not None:
            self._arm(desk, decision.proposal, decision, out)
        desk.rewake()
        return tuple(out)

    def _arm(self, desk: Desk, proposal: Proposal, decision: Decision, out: list[Output]) -> None:
        """Reserve risk for the plan if every limit holds now; firing asks them all again (Q25)."""
        factor = round(decision.ballot.size_factor * 10_000)
        reference = desk.mark_ticks
        intent = _entry_intent(proposal, factor, reference)
        permit, reviewed = self.risk.review(intent, self._account.situation(desk, self.time_ms))
        if not isinstance(permit, Approved):
            out.append(reviewed)
            return
        entry = proposal.entry_ticks if proposal.entry_type is OrderType.LIMIT else reference
        reserved = self._account.reserve(desk, proposal.side, permit.steps, entry, proposal.stop_ticks, self.time_ms)
        not_before = max(self.time_ms, decision.timing.not_before_ms)
        expires = max(not_before, self.time_ms) + self.rules.plan_life_ms
        desk.plan = Plan(proposal, factor, reference, not_before, expires, reserved)
        risk = reserved.stop_risk + reserved.slip
        out.append(PlanArmed(proposal.setup_id, desk.instrument.symbol, proposal.side, risk, not_before, expires))

    def _plan_due(self, desk: Desk, out: list[Output]) -> None:
        plan = desk.plan
        assert plan is not None
        if self.time_ms < plan.not_before_ms:
            return
        desk.plan = None
        if self.time_ms > plan.expires_ms:
            out.append(PlanVoided(plan.proposal.setup_id, desk.instrument.symbol, "the plan expired"))
        else:
            self._fire(desk, plan.proposal, plan.size_factor_e4, plan.reference_ticks, out)

    # ---- orders -----------------------------------------------------------------------------------------------------

    def _fire(self, desk: Desk, proposal: Proposal, factor_e4: int, reference: int, out: list[Output]) -> None:
        intent = _entry_intent(proposal, factor_e4, reference)
        order = self._review(desk, intent, out)
        if order is not None:
            desk.entry = proposal
            entry = order.price_ticks or desk.mark_ticks
            desk.working_entry = self._account.reserve(
                desk, order.side, order.steps, entry, proposal.stop_ticks, self.time_ms
            )
            desk.entry_expires_ms = self.time_ms + self.rules.plan_life_ms

    def _review(self, desk: Desk, intent: Intent, out: list[Output]) -> Order | None:
        """Ask risk; an approved intent becomes one order on its way out."""
        permit, reviewed = self.risk.review(intent, self._account.situation(desk, self.time_ms))
        out.append(reviewed)
        if not isinstance(permit, Approved):
            return None
        order = order_of(permit, f"{self._trader_id}-{self.sequence:x}-{len(out):x}")
        self.permits[order.client_id] = permit
        desk.orders.sent(order)
        out.append(PlaceOrder(order))
        tripped = self.risk.sent(self.time_ms, order)
        if tripped is not None:
            out.append(tripped)
        return order

    def _cancel(self, desk: Desk, client_ids: list[str], reason: str, out: list[Output]) -> None:
        for client_id in client_ids:
            if desk.orders.canceling(client_id):
                out.append(CancelOrder(desk.instrument.symbol, client_id, reason))

    def _withdraw(self, desk: Desk, reason: str, out: list[Output]) -> None:
        """No new risk: the armed plan is void and a working entry is cancelled; what protects or reduces stays."""
        if desk.plan is not None:
            out.append(PlanVoided(desk.plan.proposal.setup_id, desk.instrument.symbol, reason))
            desk.plan = None
        self._cancel(desk, [w.order.client_id for w in desk.orders.of(Purpose.ENTRY)], reason, out)
        desk.rewake()

    def _close(self, desk: Desk, cause: str, out: list[Output]) -> None:
        """Close what is held at market unless a close is already on its way."""
        steps = self.portfolio.holding(desk.instrument.symbol).steps
        if steps and not desk.orders.of(Purpose.CLOSE):
            side = Side.BUY if steps > 0 else Side.SELL
            self._review(
                desk, planning.close_intent(desk.instrument.symbol, side, abs(steps), desk.mark_ticks, cause), out
            )

    def _manage(self, desk: Desk, closed: int, out: list[Output]) -> None:
        """Time stop, break-even and trailing; a moved stop is placed beside the old one."""
        bracket = desk.bracket
        assert bracket is not None
        if self.time_ms >= bracket.deadline_ms:
            self._close(desk, f"{bracket.setup_id}-time", out)
            return
        if not desk.orders.of(Purpose.STOP) and not desk.orders.of(Purpose.CLOSE):
            self._close(desk, f"{bracket.setup_id}-unprotected@{self.time_ms}", out)
            return
        if not (closed or desk.stop_moves):
            return
        desk.stop_moves = False
        mark = desk.mark_ticks
        bracket.best_ticks = max(bracket.best_ticks, mark) if bracket.side > 0 else min(bracket.best_ticks, mark)
        stop = trailed_stop(bracket, mark, self.rules.management)
        if stop != bracket.stop_ticks:
            bracket.stop_ticks = stop
            self._review(desk, planning.stop_intent(bracket), out)

    # ---- what the venue reports
    # ---------------------------------------------------------------------------------------

    def _accepted(self, event: OrderAccepted) -> tuple[Output, ...]:
        desk = self.desks[event.symbol]
        order = desk.orders.accepted(event.client_id)
        out: list[Output] = []
        if order is not None and order.purpose is Purpose.STOP:
            self._cancel(desk, planning.superseded_stops(desk.orders, event.client_id), "replaced", out)
        return tuple(out)

    def _rejected(self, event: OrderRejected) -> tuple[Output, ...]:
        desk = self.desks[event.symbol]
        order = desk.orders.gone(event.client_id)
        out: list[Output] = []
        if order is None:
            return _NOTHING
        if order.purpose is Purpose.ENTRY:
            out.append(
                PlanVoided(order.intent_id.removesuffix("-entry"), event.symbol, f"the venue refused: {event.reason}")
            )
            desk.entry = desk.working_entry = None
        elif order.purpose in (Purpose.STOP, Purpose.TARGET):
            self._close(desk, f"{order.intent_id}-refused", out)
        desk.stop_moves = desk.bracket is not None
        desk.rewake()
        return tuple(out)

    def _canceled(self, event: OrderCanceled) -> tuple[Output, ...]:
        desk = self.desks[event.symbol]
        order = desk.orders.gone(event.client_id)
        out: list[Output] = []
        if order is not None and order.purpose is Purpose.ENTRY and desk.bracket is None:
            out.append(
                PlanVoided(order.intent_id.removesuffix("-entry"), event.symbol, f"entry cancelled: {event.reason}")
            )
            desk.entry = desk.working_entry = None
        elif order is not None and desk.bracket is not None:
            desk.stop_moves = True
        desk.rewake()
        return tuple(out)

    def _filled(self, event: OrderFilled) -> tuple[Output, ...]:
        fill = event.fill
        desk = self.desks[fill.symbol]
        desk.orders.filled(fill.client_id, fill.steps, event.done)
        closing = self.portfolio.apply(event)
        out: list[Output] = []
        if fill.purpose == Purpose.ENTRY:
            self._entered(desk, event, out)
        elif closing is not None:
            self._flat(desk, fill, closing, out)
        elif desk.bracket is not None and fill.purpose == Purpose.TARGET:
            desk.bracket.targets_hit += 1
            desk.stop_moves = True
        changed = self.risk.mark(self.time_ms, self.portfolio.equity)
        if changed is not None:
            out.append(changed)
        desk.rewake()
        return tuple(out)

    def _entered(self, desk: Desk, event: OrderFilled, out: list[Output]) -> None:
        """The first fill makes the bracket and puts the stop at the venue before anything else."""
        proposal, fill = desk.entry, event.fill
        assert proposal is not None
        steps = abs(self.portfolio.holding(fill.symbol).steps)
        desk.working_entry = None
        desk.bracket = bracket_for(
            setup_id=proposal.setup_id,
            symbol=fill.symbol,
            side=fill.side,
            entry_ticks=fill.price_ticks,
            stop_ticks=proposal.stop_ticks,
            targets=proposal.targets,
            steps=steps,
            unit=desk.instrument.unit,
            deadline_ms=fill.time_ms + proposal.horizon_ms,
            cost_e8=self._account.cost_e8(desk),
        )
        self._review(desk, planning.stop_intent(desk.bracket), out)
        for intent in planning.target_intents(desk.bracket, steps):
            self._review(desk, intent, out)

    def _flat(self, desk: Desk, fill: Fill, closing: Closing, out: list[Output]) -> None:
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
        out.append(closed)
        if closed.pnl < 0:
            self._account.lost(closed.closed_ms)
        desk.bracket, desk.entry, desk.stop_moves = None, None, False
        self._cancel(desk, planning.obsolete(desk.orders), "flat", out)
        changed = self.risk.trade_closed(closed)
        if changed is not None:
            out.append(changed)

    def _funding_paid(self, event: FundingPaid) -> tuple[Output, ...]:
        self.portfolio.apply(event)
        changed = self.risk.mark(self.time_ms, self.portfolio.equity)
        return _NOTHING if changed is None else (changed,)

    # ---- operator
    # -----------------------------------------------------------------------------------------------------

    def _commanded(self, event: CommandGiven) -> tuple[Output, ...]:
        command = event.command
        out: list[Output] = []
        if isinstance(command, Transfer):
            changed = self.risk.transfer(self.time_ms, command.amount, self.portfolio.equity)
            self.portfolio.apply(command, self.time_ms)
            return _NOTHING if changed is None else (changed,)
        if isinstance(command, ClosePosition):
            desk = self.desks.get(command.symbol)
            if desk is not None:
                self._close(desk, f"{command.symbol}-{self.time_ms}-asked", out)
            return tuple(out)
        changed = self.risk.command(self.time_ms, command)
        if changed is not None:
            out.append(changed)
        if isinstance(command, EngageKill):
            for desk in self.desks.values():
                self._withdraw(desk, "kill switch", out)
        return tuple(out)

    def _nothing(self, event: Event) -> tuple[Output, ...]:
        return _NOTHING


def _exit_reason(fill: Fill) -> str:
    if fill.kind is FillKind.LIQUIDATION:
        return "liquidation"
    if fill.purpose == Purpose.CLOSE:
        return "time" if fill.intent_id.endswith("-time-close") else "close"
    return fill.purpose


def _proposal(setup: Setup) -> Proposal:
    """A setup taken as it stands, for a trader without a council."""
    return Proposal(
        setup_id=setup.id,
        symbol=setup.symbol,
        side=setup.side,
        entry_type=setup.entry_type,
        entry_ticks=setup.entry_ticks,
        stop_ticks=setup.stop_ticks,
        targets=setup.targets,
        horizon_ms=setup.horizon_ms,
        thesis=setup.rule,
    )


def _entry_intent(proposal: Proposal, factor_e4: int, reference_ticks: int) -> Intent:
    limit = proposal.entry_type is OrderType.LIMIT
    return Intent(
        id=f"{proposal.setup_id}-entry",
        symbol=proposal.symbol,
        purpose=Purpose.ENTRY,
        side=proposal.side,
        type=proposal.entry_type,
        steps=0,
        price_ticks=proposal.entry_ticks if limit else reference_ticks,
        trigger_ticks=0,
        stop_ticks=proposal.stop_ticks,
        size_factor_e4=factor_e4,
        reduce_only=False,
        close_position=False,
    )
