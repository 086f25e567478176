"""What protects a position and what gets out of it: stops, targets, closes, and each of them once more when the venue
does not want it."""

from aister.core.trade import Fill, Order, Purpose, Side
from aister.engine.desk import Desk, Found
from aister.engine.outgoing import Outgoing, Pass
from aister.execution import plan as planning
from aister.execution.bracket import ManagementRules, adopted_bracket, trailed_stop
from aister.execution.orders import OrderState, Working
from aister.execution.traits import VenueTraits
from aister.portfolio.portfolio import Portfolio
from aister.risk.kernel import RiskKernel
from aister.risk.state import STOPS_OF

__all__ = ["NOTHING_TO_REDUCE", "PASSED", "Protection"]

PASSED = ("-2021", "-4142")
"""The venue's word that the price is beyond the stop already: there is nothing left to protect but by closing."""
ONE_ONLY = "-4130"
"""The venue's word that a stop that closes the position rests already and it takes no second one."""
NOTHING_TO_REDUCE = ("-2022", "-2024")
"""The venue's word that nothing is held that the order could reduce."""
_NO_SUCH_STOP = ("-1116", "-4120", "-4136")
_MOST_STOPS, _MOST_CLOSES = 2, 6


class Protection:
    """The protection of all desks' positions."""

    def __init__(
        self, out: Outgoing, *, risk: RiskKernel, portfolio: Portfolio, management: ManagementRules, traits: VenueTraits
    ) -> None:
        self._out, self._risk, self._portfolio = out, risk, portfolio
        self._management, self._traits = management, traits
        self._one_only: set[str] = set()

    def manage(self, desk: Desk, closed: int, now: Pass) -> None:
        """Time stop, break-even and trailing; a moved stop is placed beside the old one."""
        bracket = desk.bracket
        assert bracket is not None
        if now.time_ms >= bracket.deadline_ms:
            self._out.close(desk, f"{bracket.setup_id}-time", now)
            return
        if not desk.orders.of(Purpose.STOP) and not desk.orders.of(Purpose.CLOSE):
            self._out.close(desk, f"{bracket.setup_id}-unprotected@{now.time_ms}", now)
            return
        if not (closed or desk.stop_moves):
            return
        desk.stop_moves = False
        mark = desk.mark_ticks
        bracket.best_ticks = max(bracket.best_ticks, mark) if bracket.side > 0 else min(bracket.best_ticks, mark)
        stop = trailed_stop(bracket, mark, self._management)
        if stop != bracket.stop_ticks:
            bracket.stop_ticks = stop
            if bracket.symbol in self._one_only and desk.orders.of(Purpose.STOP):
                self._by_size(desk, now)
            else:
                self._out.review(desk, planning.stop_intent(bracket), now)

    def one_only(self, desk: Desk, now: Pass) -> None:
        """The venue takes no second stop that closes the position: a better one goes beside it by size, reduce-only
        (Q28)."""
        self._one_only.add(desk.instrument.symbol)
        self._by_size(desk, now)

    def replaced(self, desk: Desk, now: Pass) -> None:
        """The old stop has gone for one by size: now there is room again for one that closes whatever is held."""
        stops = desk.orders.of(Purpose.STOP)
        if desk.bracket is not None and stops and not any(w.order.close_position for w in stops):
            self._out.review(desk, planning.again(planning.stop_intent(desk.bracket), now.sequence), now)

    def rests(self, desk: Desk) -> bool:
        """Whether the venue has confirmed a stop that closes all that is held."""
        return any(w.state is OrderState.WORKING and self._covers(desk, w) for w in desk.orders.of(Purpose.STOP))

    def cover(self, desk: Desk, now: Pass) -> None:
        """More is held than the stops by size would close: one for the whole goes beside them."""
        stops = desk.orders.of(Purpose.STOP)
        if stops and not desk.orders.of(Purpose.CLOSE) and not any(self._covers(desk, w) for w in stops):
            self._by_size(desk, now)

    def _covers(self, desk: Desk, stop: Working) -> bool:
        held = abs(self._portfolio.holding(desk.instrument.symbol, desk.leg).steps)
        return stop.order.close_position or stop.order.steps - stop.filled >= held

    def _by_size(self, desk: Desk, now: Pass) -> None:
        bracket = desk.bracket
        steps = abs(self._portfolio.holding(desk.instrument.symbol, desk.leg).steps)
        if bracket is not None and steps:
            self._out.review(desk, planning.again(planning.sized_stop_intent(bracket, steps), now.sequence), now)

    def leave(self, desk: Desk, now: Pass) -> None:
        """Close what the strategy wants to leave, once its time has come."""
        if desk.bracket is not None and now.time_ms >= desk.leave_ms:
            self._out.close(desk, f"{desk.bracket.setup_id}-exit", now)

    def aim(self, desk: Desk, now: Pass) -> None:
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
            self._out.review(desk, intent, now)

    def again(self, desk: Desk, lost: Order, reason: str, now: Pass) -> None:
        """A stop that was refused, lost or taken away: once more, then out of the position (C19)."""
        bracket = desk.bracket
        if bracket is None or self.rests(desk):
            return
        desk.tries += 1
        if desk.tries > _MOST_STOPS:
            self.unusable(desk, reason)
            self._out.close(desk, f"{lost.intent_id}-refused", now)
        else:
            self._out.review(desk, planning.again(planning.stop_intent(bracket), desk.tries), now)

    def unusable(self, desk: Desk, reason: str) -> None:
        """Where a stop was refused because the venue takes no such stop at all, nothing is entered that would need
        one (C19)."""
        symbol = desk.instrument.symbol
        if reason.startswith(_NO_SUCH_STOP):
            self._risk.freeze(f"{STOPS_OF}{symbol}", f"{symbol}: the venue takes no such stop ({reason})")

    def shown(self, desk: Desk, steps: int, now: Pass) -> None:
        """The venue holds something of which no fill was told yet: what enters there gets the stop it is to have."""
        proposal = desk.entry
        if proposal is None or desk.bracket is not None or proposal.side * steps <= 0:
            return
        if not desk.orders.of(Purpose.STOP) and desk.tries < _MOST_STOPS:
            desk.tries += 1
            self._out.review(desk, planning.again(planning.guard_intent(proposal, desk.leg), desk.tries), now)

    def bare(self, desk: Desk, steps: int, now: Pass) -> None:
        """The venue shows no stop that covers what is held here: one more goes beside those our books have, or, where
        no plan says where it belongs, the position is closed. What is on its way already is waited for."""
        symbol = desk.instrument.symbol
        if not steps or steps != self._portfolio.holding(symbol, desk.leg).steps:
            return
        if desk.bracket is None:
            self._out.close(desk, f"{symbol}-{now.time_ms}-bare", now)
        elif not desk.orders.of(Purpose.CLOSE) and all(
            one.state is not OrderState.SENT for one in desk.orders.of(Purpose.STOP)
        ):
            self._out.review(desk, planning.again(planning.stop_intent(desk.bracket), now.sequence), now)

    def close_again(self, desk: Desk, lost: Order, reason: str, now: Pass, *, refused: bool = True) -> None:
        """A close that was refused or is lost: once more, as long as there is something to close. Only refusals are
        counted, six of them call a person: a venue that does not answer has not said no."""
        steps = self._portfolio.holding(lost.symbol, desk.leg).steps
        if not steps or steps * lost.side > 0:
            return
        desk.tries += refused
        if desk.tries > _MOST_CLOSES:
            why = f"{lost.symbol} cannot be closed ({reason}); close it on the venue's page, then aister run --resume"
            self._out.moved(self._risk.halt("protection", why), now)
            return
        side = Side.BUY if steps > 0 else Side.SELL
        cause = lost.intent_id.partition("~")[0].removesuffix("-close")
        intent = planning.close_intent(lost.symbol, side, abs(steps), desk.mark_ticks, cause, desk.leg)
        self._out.review(desk, planning.again(intent, desk.tries if refused else now.sequence), now)

    def resumed(self, desk: Desk) -> None:
        """A person has looked: what was refused before counts no more."""
        desk.tries = 0
        self._risk.thaw(f"{STOPS_OF}{desk.instrument.symbol}")

    def unasked(self, desk: Desk, fill: Fill, now: Pass) -> None:
        """A fill that no order of ours made where nothing of ours was open (C16): what it opened is closed, unless it
        is a position that was found and is to be kept; what it closed needs no order any more."""
        if self._portfolio.holding(fill.symbol, fill.leg).steps:
            if desk.found is not None:
                self._adopt(desk, desk.found, fill, now)
            elif desk.entry is None:
                self._out.close(desk, f"{fill.symbol}-{fill.time_ms}-unasked", now)
        else:
            self._out.cancel(desk, planning.obsolete(desk.orders), "flat", now)

    def _adopt(self, desk: Desk, found: Found, fill: Fill, now: Pass) -> None:
        """What was found at the venue becomes ours, with the stop it has there or one at the same price."""
        desk.found = None
        desk.bracket = adopted_bracket(
            fill.symbol,
            desk.leg,
            steps=self._portfolio.holding(fill.symbol, desk.leg).steps,
            entry_ticks=fill.price_ticks,
            stop_ticks=found.stop_ticks,
            unit=desk.instrument.unit,
            time_ms=now.time_ms,
            life_ms=found.life_ms,
        )
        if not desk.orders.of(Purpose.STOP):
            self._out.review(desk, planning.stop_intent(desk.bracket), now)
