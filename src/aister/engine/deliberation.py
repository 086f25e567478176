"""From a sound setup to the entry it becomes: the question and its answer, the armed plan, and every wait between (Q25,
Q26)."""

from aister.core.audit import AskCouncil, PlanArmed, PlanVoided
from aister.core.council import Decision, Outcome, Proposal, Setup
from aister.core.events import DecisionMade
from aister.core.permission import Approved
from aister.core.trade import OrderType
from aister.council.calibration import Calibration
from aister.engine.account import Account
from aister.engine.desk import Asked, Desk, Plan
from aister.engine.entries import Entries
from aister.engine.outgoing import Pass
from aister.engine.rules import EngineRules
from aister.execution.plan import entry_intent
from aister.features.featureset import FeatureSet
from aister.features.timeframes import INTERVAL_MS
from aister.risk.kernel import RiskKernel

__all__ = ["Deliberation"]


class Deliberation:
    """Called by the engine within a pass. Without a council a setup is its own plan."""

    def __init__(
        self,
        entries: Entries,
        *,
        desks: dict[str, Desk],
        risk: RiskKernel,
        account: Account,
        calibration: Calibration,
        rules: EngineRules,
        base_interval_ms: int,
    ) -> None:
        self._entries, self._desks, self._risk, self._account = entries, desks, risk, account
        self._calibration, self._rules, self._base_ms = calibration, rules, base_interval_ms
        self._delay_ms = rules.delay_bars * base_interval_ms

    def pursue(self, desk: Desk, setup: Setup, features: FeatureSet, now: Pass) -> None:
        """Ask the council about a setup, or take it as it stands where there is none."""
        if not self._rules.deliberate:
            self._risk.decided(setup.symbol)
            fires_ms, life_ms = now.time_ms + self._delay_ms, self._life_ms(setup)
            desk.plan = Plan(
                _proposal(setup), self._rules.scaling.first_e4, 0, fires_ms, fires_ms + life_ms, None, life_ms
            )
            self._plan_due(desk, desk.plan, now)
            return
        if not self._account.can_judge(desk, now.time_ms):
            return
        question = self._account.question(setup, desk, features, self._calibration.standings(), now.time_ms)
        desk.asked = Asked(question.id, setup, now.time_ms)
        now.out.append(AskCouncil(question))

    def decided(self, event: DecisionMade, now: Pass) -> None:
        """The council has answered. Its decision is followed whatever it says, and armed when it is to trade."""
        decision = event.decision
        waiting = ((desk, desk.asked) for desk in self._desks[decision.symbol].legs if desk.asked is not None)
        found = next((one for one in waiting if one[1].question_id == decision.question_id), None)
        if found is None:
            now.out.append(PlanVoided(decision.setup_id, decision.symbol, "the answer came too late"))
            return
        desk, asked = found
        desk.asked = None
        desk.follow(asked.setup, decision, asked.time_ms)
        self._risk.decided(decision.symbol)
        if decision.outcome is Outcome.TRADE and decision.proposal is not None:
            self._arm(desk, asked.setup, decision.proposal, decision, now)
        desk.rewake()

    def _arm(self, desk: Desk, setup: Setup, proposal: Proposal, decision: Decision, now: Pass) -> None:
        """Reserve risk for the plan if every limit holds now; firing asks them all again (Q25)."""
        factor = round(decision.ballot.size_factor * self._rules.scaling.first_e4)
        reference = setup.entry_ticks if setup.entry_type is OrderType.MARKET else desk.mark_ticks
        situation = self._account.situation(desk, now.time_ms)
        permit, reviewed = self._risk.review(entry_intent(proposal, factor, reference, desk.leg), situation)
        if not isinstance(permit, Approved):
            now.out.append(reviewed)
            return
        entry = proposal.entry_ticks if proposal.entry_type is OrderType.LIMIT else reference
        reserved = self._account.reserve(desk, proposal.side, permit.steps, entry, proposal.stop_ticks, now.time_ms)
        not_before = max(now.time_ms, decision.timing.not_before_ms)
        life_ms = self._life_ms(setup)
        expires = not_before + life_ms
        desk.plan = Plan(proposal, factor, reference, not_before, expires, reserved, life_ms)
        risk = reserved.stop_risk + reserved.slip
        now.out.append(PlanArmed(proposal.setup_id, desk.instrument.symbol, proposal.side, risk, not_before, expires))

    def attend(self, desk: Desk, now: Pass) -> None:
        """What is due of a plan or a question at this time."""
        if desk.plan is not None:
            self._plan_due(desk, desk.plan, now)
        if desk.asked is not None and now.time_ms > desk.asked.time_ms + self._rules.answer_timeout_ms:
            now.out.append(
                PlanVoided(desk.asked.setup.id, desk.instrument.symbol, "the council did not answer in time")
            )
            desk.asked = None

    def _plan_due(self, desk: Desk, plan: Plan, now: Pass) -> None:
        if now.time_ms < plan.not_before_ms:
            return
        desk.plan = None
        if now.time_ms > plan.expires_ms:
            now.out.append(PlanVoided(plan.proposal.setup_id, desk.instrument.symbol, "the plan expired"))
        else:
            reference = plan.reference_ticks or desk.mark_ticks
            self._entries.fire(desk, plan.proposal, plan.size_factor_e4, reference, plan.life_ms, now)

    def _life_ms(self, setup: Setup) -> int:
        """How long a plan or resting entry stays good: as the setup says, else two bars of its timeframe, at most
        `plan_life_ms`, but always long enough to meet two base bars (Q25)."""
        if setup.life_ms:
            return setup.life_ms
        two_bars = 2 * INTERVAL_MS[setup.timeframe]
        return max(min(two_bars, self._rules.plan_life_ms), 2 * self._base_ms)


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
