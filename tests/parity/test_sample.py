"""Acceptance on the whole packaged sample, one run for the module: how much is traded and refused, and that money,
permissions, stops and risk are what the journal says they are."""

import re
from collections import Counter, defaultdict

import msgspec
import pytest

from aister.app.build import Built
from aister.app.settings import RunSettings
from aister.core.audit import AskCouncil, Audit, CancelOrder, PlaceOrder, Reviewed, TradeClosed
from aister.core.council import Decision, Stance
from aister.core.events import BarClosed, DecisionMade, FundingPaid, FundingSettled, OrderFilled
from aister.core.money import apply_rate
from aister.core.trade import FillKind, Purpose
from aister.engine.runner import run_sync
from aister.risk.profile import profile
from aister.sim.venue import SimVenue
from tests.parity.ledger_of import Bookkeeper
from tests.parity.runs import built

CLIENT_ID = re.compile(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")


class Whole(msgspec.Struct, frozen=True):
    built: Built
    audits: list[Audit]

    @property
    def venue(self) -> SimVenue:
        assert isinstance(self.built.floor, SimVenue)
        return self.built.floor

    def outputs(self, kind: type) -> list:  # type: ignore[type-arg]
        return [output for audit in self.audits for output in audit.outputs if type(output) is kind]


@pytest.fixture(scope="module")
def whole() -> Whole:
    audits: list[Audit] = []
    sample = built(RunSettings().check(), None, audits.append)
    run_sync(sample.run)
    return Whole(sample, audits)


@pytest.fixture(scope="module")
def trades(whole: Whole) -> list[TradeClosed]:
    return whole.outputs(TradeClosed)


@pytest.fixture(scope="module")
def decisions(whole: Whole) -> list[Decision]:
    return [audit.event.decision for audit in whole.audits if isinstance(audit.event, DecisionMade)]


def test_the_council_trades_every_symbol_on_both_sides(whole: Whole, trades: list[TradeClosed]) -> None:
    assert 30 <= len(trades) <= 600
    sides = Counter((trade.symbol, trade.side.word) for trade in trades)
    assert len(sides) == 2 * len(whole.built.feed.symbols)
    assert min(sides.values()) >= 5, sides


def test_it_vetoes_for_many_reasons_and_for_none_always(decisions: list[Decision]) -> None:
    vetoes = Counter(one.verdict.reasons[0] for one in decisions if one.verdict.stance is Stance.VETO)
    assert len(vetoes) >= 4, vetoes
    assert max(vetoes.values()) <= 0.8 * vetoes.total(), vetoes


def test_every_decision_arrives_in_another_pass_than_the_one_that_asked(whole: Whole) -> None:
    asked: dict[str, Audit] = {}
    answered = 0
    for audit in whole.audits:
        for output in audit.outputs:
            if isinstance(output, AskCouncil):
                asked[output.question.id] = audit
        if isinstance(audit.event, DecisionMade):
            pass_that_asked = asked.pop(audit.event.decision.question_id)
            assert pass_that_asked.sequence < audit.sequence
            assert pass_that_asked.event.time_ms < audit.event.time_ms
            answered += 1
    assert answered > 100
    assert all(audit.event.time_ms >= whole.audits[-1].event.time_ms for audit in asked.values())


def test_the_wallet_is_capital_and_the_net_profit_of_trades_to_the_unit(
    whole: Whole, trades: list[TradeClosed]
) -> None:
    portfolio, capital = whole.built.engine.portfolio, whole.built.settings.capital
    holdings = [portfolio.holding(symbol) for symbol in portfolio.positions]
    running = sum(one.realised - one.fees - one.funding for one in holdings)
    assert whole.venue.wallet == portfolio.wallet == capital + sum(trade.pnl for trade in trades) + running
    assert sum(portfolio.ledger.balances().values()) == 0
    assert all(trade.pnl == _gross(trade) - trade.fees - trade.funding for trade in trades)


def _gross(trade: TradeClosed) -> int:
    return trade.side * (trade.exit_value - trade.entry_cost)


def test_a_second_bookkeeper_finds_the_same_money_and_positions(whole: Whole) -> None:
    """At the end, and never negative on the way."""
    books = Bookkeeper()
    for audit in whole.audits:
        books.take(audit)
        assert books.wallet > 0
    portfolio = whole.built.engine.portfolio
    assert books.equity == portfolio.equity
    assert {s: n for s, n in books.steps.items() if n} == {s: p.steps for s, p in portfolio.positions.items()}
    for symbol in whole.built.feed.symbols:
        assert books.steps[symbol] == whole.venue.position(symbol).steps
        working = [one.client_id for one in books.working.values() if one.symbol == symbol]
        assert working == [one.client_id for one in whole.venue.open_orders(symbol)]


def test_every_fill_was_granted_before(whole: Whole) -> None:
    granted: dict[str, int] = {}
    fills = 0
    for audit in whole.audits:
        if isinstance(audit.event, OrderFilled) and audit.event.fill.kind is FillKind.TRADE:
            fill = audit.event.fill
            assert fill.steps <= granted[fill.intent_id]
            granted[fill.intent_id] -= fill.steps
            fills += 1
        granted.update((o.intent.id, o.granted_steps) for o in audit.outputs if isinstance(o, Reviewed))
    assert fills > 60


def test_every_order_has_an_approval_of_its_own_before_it(whole: Whole) -> None:
    approved: Counter[str] = Counter()
    for audit in whole.audits:
        for output in audit.outputs:
            if isinstance(output, Reviewed) and output.granted_steps:
                approved[output.intent.id] += 1
            elif isinstance(output, PlaceOrder):
                assert approved[output.order.intent_id] > 0
                approved[output.order.intent_id] -= 1
                assert output.order.reduce_only or output.order.close_position or output.order.purpose is Purpose.ENTRY


def test_no_position_is_without_a_working_stop_at_any_close(whole: Whole) -> None:
    """Nor does a stop leave before the one that replaces it was accepted."""
    books = Bookkeeper()
    held = replaced = 0
    for audit in whole.audits:
        books.take(audit)
        if isinstance(audit.event, BarClosed) and books.steps[audit.event.symbol]:
            stops = books.stops(audit.event.symbol)
            assert stops, f"naked at record {audit.sequence}"
            assert all(stop.side == (-1 if books.steps[audit.event.symbol] > 0 else 1) for stop in stops)
            held += 1
        for output in audit.outputs:
            if isinstance(output, CancelOrder) and books.orders[output.client_id].purpose is Purpose.STOP:
                others = [one for one in books.stops(output.symbol) if one.client_id != output.client_id]
                assert others or not books.steps[output.symbol], f"unprotected by record {audit.sequence}"
                replaced += bool(others)
    assert held > 1_000
    assert replaced > 0


def test_stops_move_only_towards_profit(whole: Whole) -> None:
    """Per trade, by the triggers of its stops in the order in which they were sent."""
    triggers: dict[str, list[int]] = defaultdict(list)
    for order in (output.order for output in whole.outputs(PlaceOrder)):
        if order.purpose is Purpose.STOP:
            triggers[order.intent_id.rpartition("-stop@")[0]].append(-order.side * order.trigger_ticks)
    assert all(moves == sorted(moves) for moves in triggers.values())
    assert any(len(moves) > 2 for moves in triggers.values())


def test_no_trade_risks_more_than_the_profile_allows_while_unproven(whole: Whole) -> None:
    """Sized at the close that fires it: distance to the stop x size within 0.125 % of equity then. Filled at the next
    open, the risk is that and no more than what price moved and the half-spread took meanwhile."""
    limits = profile(whole.built.settings.profile)
    share_e12 = limits.risk_e8 * limits.unproven_e4
    books, planned, closed = Bookkeeper(), dict[str, tuple[int, int]](), 0
    for audit in whole.audits:
        books.take(audit)
        for output in audit.outputs:
            if isinstance(output, PlaceOrder) and output.order.purpose is Purpose.ENTRY:
                order = output.order
                reviews = [o for o in audit.outputs if isinstance(o, Reviewed)]
                intent = next(one.intent for one in reviews if one.intent.id == order.intent_id)
                price = order.price_ticks or books.marks[order.symbol]
                risk = abs(price - intent.stop_ticks) * order.steps * books.instruments[order.symbol].unit
                assert risk * 10**12 <= books.equity * share_e12
                planned[intent.id.removesuffix("-entry")] = (risk, price)
            elif isinstance(output, TradeClosed):
                risk, price = planned[output.setup_id]
                moved = abs(output.entry_cost - price * output.steps * books.instruments[output.symbol].unit)
                assert output.initial_risk <= risk + moved
                closed += 1
    assert share_e12 == 125 * 10**7
    assert closed >= 30


def test_funding_is_paid_at_settlements_on_what_is_held(whole: Whole) -> None:
    settled: dict[tuple[str, int], FundingSettled] = {}
    books, paid = Bookkeeper(), 0
    for audit in whole.audits:
        books.take(audit)
        if isinstance(audit.event, FundingSettled):
            settled[audit.event.symbol, audit.event.time_ms] = audit.event
        elif isinstance(audit.event, FundingPaid):
            one = audit.event
            market = settled.pop((one.symbol, one.time_ms))
            assert (one.rate_e8, one.steps) == (market.rate_e8, books.steps[one.symbol])
            assert one.steps != 0
            notional = one.steps * one.price_ticks * books.instruments[one.symbol].unit
            assert one.amount == apply_rate(notional, one.rate_e8)
            paid += 1
    assert paid > 0


def test_client_ids_are_the_venues_form_and_never_used_twice(whole: Whole) -> None:
    ids = [output.order.client_id for output in whole.outputs(PlaceOrder)]
    assert len(set(ids)) == len(ids) > 100
    assert all(CLIENT_ID.match(one) for one in ids)
