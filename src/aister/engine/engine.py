"""`Engine.process(event) -> Audit`: one synchronous pass, no I/O, no clock but the event's own time.

When it returns, nothing has left the house: the runner journals the audit first and hands its outputs on afterwards.
Reading order of a bar: labels that resolve, the position, the armed plan, new setups (`docs/architecture.md`).
"""

from collections.abc import Callable
from typing import Any

from aister.core.audit import Audit, Output
from aister.core.commands import ABSENCE, AcceptAbsence, AcceptRollback, ClosePosition, ResumeTrading, Transfer
from aister.core.errors import DataError, SequenceError
from aister.core.events import (
    BarClosed,
    CommandGiven,
    DecisionMade,
    EntriesFrozen,
    EntriesThawed,
    Event,
    FundingAssumed,
    FundingPaid,
    FundingSettled,
    InstrumentListed,
    MoneyBooked,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PositionBare,
    PositionFound,
    PositionShown,
    RunEnded,
    RunStarted,
)
from aister.core.instrument import Instrument
from aister.core.permission import Approved
from aister.core.trade import Side
from aister.council.calibration import Calibration
from aister.engine.account import Account, Costs
from aister.engine.deliberation import Deliberation
from aister.engine.desk import Desk
from aister.engine.outgoing import Pass
from aister.engine.rules import EngineRules
from aister.engine.trading import Trading
from aister.execution.traits import VenueTraits
from aister.features.market import Features
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel
from aister.strategy.strategy import Strategy

__all__ = ["Engine"]

_NOTHING: tuple[Output, ...] = ()


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
        cost_of: Callable[[Instrument], Costs],
        rules: EngineRules,
        traits: VenueTraits | None = None,
    ) -> None:
        self.time_ms = 0
        self.sequence = 0
        self.features, self.strategy, self.risk, self.portfolio = features, strategy, risk, portfolio
        self.calibration, self.desks, self.rules = calibration, desks, rules
        self._account = Account(portfolio, risk, desks, features, cost_of)
        self._trading = Trading(
            trader_id=trader_id,
            risk=risk,
            portfolio=portfolio,
            account=self._account,
            desks=desks,
            management=rules.management,
            scaling=rules.scaling,
            traits=traits or VenueTraits(),
        )
        self._deliberation = Deliberation(
            self._trading.entries,
            desks=desks,
            risk=risk,
            account=self._account,
            calibration=calibration,
            rules=rules,
            base_interval_ms=features.base_interval_ms,
        )
        self._mask = strategy.mask
        self._exits: Callable[..., tuple[Side, ...]] | None = getattr(strategy, "exits", None)
        self._adds: Callable[..., tuple[tuple[Side, int], ...]] | None = getattr(strategy, "adds", None)
        self._delay_ms = rules.delay_bars * features.base_interval_ms
        self._update = features.update
        self._handlers: dict[type, Callable[[Any, Pass], None]] = {
            FundingAssumed: self._funding_settled,
            FundingSettled: self._funding_settled,
            FundingPaid: self._trading.funding_paid,
            MoneyBooked: self._trading.money_booked,
            OrderAccepted: self._trading.accepted,
            OrderRejected: self._trading.rejected,
            OrderCanceled: self._trading.canceled,
            OrderFilled: self._trading.filled,
            OrderUnknown: self._trading.unknown,
            PositionShown: self._trading.shown,
            PositionBare: self._trading.bare,
            PositionFound: self._trading.found,
            EntriesFrozen: self._frozen,
            EntriesThawed: self._thawed,
            DecisionMade: self._deliberation.decided,
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
        if type(event) is BarClosed:
            audit = Audit(self.sequence, event, self._bar_closed(event))
        else:
            now = Pass(time_ms, self.sequence, [])
            self._handlers[type(event)](event, now)
            audit = Audit(self.sequence, event, tuple(now.out))
        self.sequence += 1
        return audit

    def permit(self, client_id: str) -> Approved:
        """Hand over the permission of an order that is about to leave; it can be taken once."""
        return self._trading.out.permits.pop(client_id)

    # ---- market -----------------------------------------------------------------------------------------------------

    def _bar_closed(self, bar: BarClosed) -> tuple[Output, ...]:
        """Most bars end here: nothing closed that decides, nothing held that moved a breaker, nothing to wake for."""
        closed = self._update(bar) & self._mask
        legs = self.desks[bar.symbol].legs
        time_ms = bar.time_ms
        changed, held, quiet = None, False, True
        for desk in legs:
            desk.close, desk.bar_ms = bar.close, time_ms
            held = held or desk.bracket is not None
            quiet = quiet and desk.wake_low < bar.low and bar.high < desk.wake_high and time_ms < desk.wake_ms
        if held:
            self.portfolio.mark(bar.symbol, bar.close)
            changed = self.risk.mark(time_ms, self.portfolio.equity)
        if quiet and not closed and changed is None:
            return _NOTHING
        now = Pass(time_ms, self.sequence, [])
        self._trading.out.moved(changed, now)
        for desk in legs:
            self._attend(desk, bar, closed, now)
        if closed:
            self._look(legs, now)
        for desk in legs:
            self._trading.entries.add(desk, now)
            desk.rewake()
        return tuple(now.out)

    def _attend(self, desk: Desk, bar: BarClosed, closed: int, now: Pass) -> None:
        """What a position (hedged: a leg) and its plan need at this close."""
        for resolved in desk.resolve(bar):
            self.calibration.record(resolved, bar.time_ms)
            now.out.append(resolved)
        if desk.bracket is not None:
            self._trading.protection.manage(desk, closed, now)
            self._trading.protection.leave(desk, now)
        self._deliberation.attend(desk, now)
        self._trading.entries.expire(desk, now)

    def _look(self, legs: tuple[Desk, ...], now: Pass) -> None:
        """New setups on the bars that just closed; the first sound one (hedged: of each side) is pursued when its desk
        is free."""
        instrument = legs[0].instrument
        features = self.features.snapshot(instrument.symbol, now.time_ms)
        setups = self.strategy.setups(features, instrument, self._account.cost_e8(legs[0]))
        if self._exits is not None:
            sides = self._exits(features, instrument)
            for desk in legs:
                if desk.bracket is not None and desk.bracket.side in sides:
                    desk.leave_ms = min(desk.leave_ms, now.time_ms + self._delay_ms)
                    self._trading.protection.leave(desk, now)
        if self._adds is not None:
            for side, stop_ticks in self._adds(features, instrument):
                for desk in legs:
                    self._trading.entries.want_more(desk, side, stop_ticks, now.time_ms + self._delay_ms)
        for desk in legs:
            setup = next((one for one in setups if one.sound and one.side * desk.leg >= 0), None)
            if setup is not None and desk.free:
                self._deliberation.pursue(desk, setup, features, now)

    def _funding_settled(self, event: FundingSettled, now: Pass) -> None:
        self.features.settle(event)

    def _listed(self, event: InstrumentListed, now: Pass) -> None:
        """New terms of an instrument: whoever counts with them learns of it. Plans on another grid are void, and so
        is what would enter one that no longer trades."""
        new = event.instrument
        desk = self.desks.get(new.symbol)
        if desk is None:
            raise DataError(f"{new.symbol} is not one of this run's symbols; name it with --symbols.")
        old = desk.instrument
        self.portfolio.list_instrument(new)
        self.risk.listed(new)
        self._account.listed(new)
        for leg in desk.legs:
            leg.instrument = new
            if (old.tick_e8, old.step_e8) != (new.tick_e8, new.step_e8):
                leg.asked = None
                self._trading.out.withdraw(leg, "the grid of its prices or sizes changed", now)
            elif new.status not in (old.status, "TRADING"):
                self._trading.out.withdraw(leg, f"{new.symbol} is {new.status}", now)

    # ---- council ----------------------------------------------------------------------------------------------------

    def _frozen(self, event: EntriesFrozen, now: Pass) -> None:
        """No new risk: armed plans are void, working entries are withdrawn; what protects stays."""
        self.risk.freeze(event.cause, event.reason)
        for desk in self.desks.values():
            for leg in desk.legs:
                self._trading.out.withdraw(leg, f"entries are frozen: {event.reason}", now)

    def _thawed(self, event: EntriesThawed, now: Pass) -> None:
        self.risk.thaw(event.cause)

    # ---- operator ---------------------------------------------------------------------------------------------------

    def _commanded(self, event: CommandGiven, now: Pass) -> None:
        command = event.command
        if isinstance(command, Transfer):
            self._trading.out.moved(self.risk.transfer(now.time_ms, command.amount, self.portfolio.equity), now)
            self.portfolio.apply(command, now.time_ms)
        elif isinstance(command, ClosePosition):
            named = self.desks.get(command.symbol)
            for desk in named.legs if named is not None else ():
                self._trading.out.withdraw(desk, "the position is being closed", now)
                self._trading.out.close(desk, f"{command.symbol}-{now.time_ms}-asked", now)
        elif isinstance(command, AcceptAbsence):
            self.risk.thaw(ABSENCE)
        elif isinstance(command, AcceptRollback):
            self._trading.out.life = command.given_ms // 1000 or command.remembered
        else:
            if isinstance(command, ResumeTrading):
                for desk in self.desks.values():
                    for leg in desk.legs:
                        self._trading.protection.resumed(leg)
            self._trading.out.moved(self.risk.command(now.time_ms, command), now)

    def _nothing(self, event: Event, now: Pass) -> None:
        return None
