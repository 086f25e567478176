"""Any sequence of orders, cancels, moves and settlements: the client of the simulator sees what a plain model says."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aister.core.trade import Order, OrderType, Purpose, Side
from tests.conformance.plain_account import PlainAccount
from tests.conformance.subjects import CAPITAL, running

SIDES = st.sampled_from([Side.BUY, Side.SELL])
STEPS = st.sampled_from([1, 10, 40, 41, 60])
AWAY = st.sampled_from([-2_000, -1_000, -500, -1, 0, 1, 500, 1_000, 2_000])
MOVES = st.lists(
    st.sampled_from([-3_000, -1_001, -1_000, -999, -500, 500, 999, 1_000, 1_001, 3_000]), min_size=1, max_size=3
)
LOWEST, HIGHEST = 960_000, 1_040_000
MOST_ORDERS = 10


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.venue = running(False, self.loop, slips=False)
        terms = self.venue.instrument
        self.model = PlainAccount(1_000_000, CAPITAL, terms.unit, terms.maker_e8, terms.taker_e8)

    def teardown(self) -> None:
        self.loop.close()

    # ---- what happens

    @initialize(side=SIDES, orders=st.lists(st.tuples(SIDES, STEPS, AWAY), min_size=3, max_size=6), moves=MOVES)
    def begin(self, side: Side, orders: list[tuple[Side, int, int]], moves: list[int]) -> None:
        """A position, a stop that closes it, and limits on both sides."""
        self.market(side, 40, False)
        self.conditional(side.opposite, OrderType.STOP_MARKET, 0, -1_000 * side, True, False)
        for wanted, steps, away in orders:
            self.limit(wanted, steps, -abs(away) * wanted, False, False)
        self.move(moves)

    @rule(side=SIDES, steps=STEPS, reduces=st.booleans())
    def market(self, side: Side, steps: int, reduces: bool) -> None:
        self._place(side, OrderType.MARKET, steps, reduces=reduces)

    @precondition(lambda self: len(self.model.book) < MOST_ORDERS)
    @rule(side=SIDES, steps=STEPS, away=AWAY, post_only=st.booleans(), reduces=st.booleans())
    def limit(self, side: Side, steps: int, away: int, post_only: bool, reduces: bool) -> None:
        self._place(side, OrderType.LIMIT, steps, price=self.model.price + away, post_only=post_only, reduces=reduces)

    @precondition(lambda self: len(self.model.book) < MOST_ORDERS)
    @rule(
        side=SIDES,
        kind=st.sampled_from([OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET]),
        steps=STEPS,
        away=AWAY,
        closes=st.booleans(),
        reduces=st.booleans(),
    )
    def conditional(self, side: Side, kind: OrderType, steps: int, away: int, closes: bool, reduces: bool) -> None:
        trigger = self.model.price + away
        self._place(side, kind, 0 if closes else steps, trigger=trigger, closes=closes, reduces=reduces and not closes)

    @rule(which=st.integers(0, MOST_ORDERS))
    def cancel(self, which: int) -> None:
        ids = [order.client_id for order in self.model.book]
        client_id = ids[which] if which < len(ids) else "nobody's"
        assert self.venue.cancel(client_id) == self.model.cancel(client_id)

    @rule(moves=MOVES)
    def move(self, moves: list[int]) -> None:
        """One minute after the other, compared after each."""
        for by in moves:
            to = min(max(self.model.price + by, LOWEST), HIGHEST)
            self.model.walk(to)
            self.venue.move(close=to)
            self.everything_agrees()

    @precondition(lambda self: len(self.model.book) < MOST_ORDERS)
    @rule(side=SIDES, steps=STEPS, away=AWAY, moves=MOVES)
    def rest_and_move(self, side: Side, steps: int, away: int, moves: list[int]) -> None:
        self.limit(side, steps, -abs(away) * side, False, False)
        self.move(moves)

    @rule(rate_e8=st.sampled_from([-50_000, 1, 10_000]))
    def settle(self, rate_e8: int) -> None:
        self.model.settle(rate_e8)
        self.venue.move(close=self.model.price, funding_e8=rate_e8)

    def _place(
        self,
        side: Side,
        kind: OrderType,
        steps: int,
        *,
        price: int = 0,
        trigger: int = 0,
        reduces: bool = False,
        closes: bool = False,
        post_only: bool = False,
    ) -> None:
        order = Order(
            client_id=self.venue.fresh_id(),
            intent_id="",
            symbol="BTCUSDT",
            side=side,
            type=kind,
            purpose=Purpose.CLOSE if reduces or closes else Purpose.ENTRY,
            steps=steps,
            price_ticks=price,
            trigger_ticks=trigger,
            reduce_only=reduces,
            close_position=closes,
            post_only=post_only,
        )
        code = self.model.place(order)
        reason = self.venue.place(order)
        assert reason.partition(" ")[0] == (str(code) if code else ""), reason

    # ---- what must hold

    @invariant()
    def everything_agrees(self) -> None:
        venue, model = self.venue, self.model
        assert venue.working() == [order.client_id for order in model.book]
        assert venue.fills() == model.fills
        assert venue.wallet() == model.cash
        assert venue.held() == model.steps
        assert abs(venue.cost() - model.cost) <= 1  # venues tell a mean price, rounded


@pytest.fixture
def warm() -> None:
    """Compiling raises the recursion limit, which must not happen inside an example."""
    machine = Machine()
    machine.market(Side.BUY, 1, False)
    machine.move([10])
    machine.everything_agrees()
    machine.teardown()


def test_the_client_and_the_plain_model_agree(warm: None) -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=8, stateful_step_count=15, deadline=None))
