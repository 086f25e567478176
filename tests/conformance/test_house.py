"""Any sequence of what an account can do and of what befalls it, on two symbols, one-way or hedged: the client of the
simulator sees what a plain model says, after every step."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from aister.core.trade import Order, OrderType, Side
from tests.conformance.house import CAPITAL, SYMBOLS, House
from tests.conformance.plain_account import PlainAccount

SYMBOL = st.sampled_from(SYMBOLS)
SIDE = st.sampled_from([Side.BUY, Side.SELL])
STEPS = st.sampled_from([1, 10, 40, 41, 60])
AWAY = st.sampled_from([-2_000, -1_000, -500, -1, 0, 1, 500, 1_000, 2_000])
MOVE = st.sampled_from([-3_000, -1_001, -1_000, -999, -500, 500, 999, 1_000, 1_001, 3_000])
KIND = st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET])
ORDER = st.tuples(st.booleans(), SIDE, KIND, STEPS, AWAY, st.booleans())
LOWEST, HIGHEST = 980_000, 1_020_000
MOST_ORDERS = 10
COUNTED: Counter[str] = Counter()


class Machine(RuleBasedStateMachine):
    hedged: ClassVar[bool] = False
    house: House

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.loop.close()

    @initialize(opens=st.lists(st.tuples(SYMBOL, SIDE), min_size=2, max_size=4))
    def begin(self, opens: list[tuple[str, Side]]) -> None:
        """Positions with a stop each, and limits on both sides."""
        self.house = House(hedged=self.hedged)
        self.isolated: set[str] = set()
        for symbol, side in opens:
            leg = int(side) if self.hedged else 0
            self._both(symbol, leg, side, OrderType.MARKET, 40)
            self._both(symbol, leg, side.opposite, OrderType.STOP_MARKET, 0, away=-1_000 * side, close_position=True)
            self._both(symbol, leg, side, OrderType.LIMIT, 10, away=-500 * side)

    # ---- orders

    @rule(symbol=SYMBOL, first=st.booleans(), side=SIDE, steps=STEPS, reduces=st.booleans())
    def market(self, symbol: str, first: bool, side: Side, steps: int, reduces: bool) -> None:
        COUNTED["market"] += 1
        self._both(symbol, self._leg(first), side, OrderType.MARKET, steps, reduce_only=reduces)

    @rule(
        symbol=SYMBOL,
        first=st.booleans(),
        side=SIDE,
        steps=STEPS,
        away=AWAY,
        post_only=st.booleans(),
        reduces=st.booleans(),
    )
    def limit(
        self, symbol: str, first: bool, side: Side, steps: int, away: int, post_only: bool, reduces: bool
    ) -> None:
        if self._room(symbol):
            COUNTED["limit"] += 1
            given = {"post_only": post_only, "reduce_only": reduces}
            self._both(symbol, self._leg(first), side, OrderType.LIMIT, steps, away=away, **given)

    @rule(
        symbol=SYMBOL,
        first=st.booleans(),
        side=SIDE,
        kind=st.sampled_from([OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET]),
        steps=STEPS,
        away=AWAY,
        closes=st.booleans(),
    )
    def conditional(
        self, symbol: str, first: bool, side: Side, kind: OrderType, steps: int, away: int, closes: bool
    ) -> None:
        if self._room(symbol):
            COUNTED["conditional"] += 1
            self._both(symbol, self._leg(first), side, kind, steps, away=away, close_position=closes)

    @rule(symbol=SYMBOL, first=st.booleans(), orders=st.lists(st.tuples(SIDE, STEPS, AWAY), min_size=1, max_size=5))
    def batch(self, symbol: str, first: bool, orders: list[tuple[Side, int, int]]) -> None:
        """Up to five at once: each is taken or refused for itself."""
        if len(self._working(symbol)) + len(orders) > MOST_ORDERS:
            return
        COUNTED["batch"] += 1
        leg, house = self._leg(first), self.house
        made = [
            house.order(symbol, leg, side, OrderType.LIMIT, steps, price_ticks=house.at[symbol] + away)
            for side, steps, away in orders
        ]
        codes = [house.models[symbol, leg].place(order) for order in made]
        rows = house.ask("POST", "batchOrders", batchOrders=_json([house.pairs(order) for order in made]))
        assert [row.get("code", 0) for row in rows] == codes, rows

    @rule(symbol=SYMBOL, which=st.integers(0, MOST_ORDERS))
    def cancel(self, symbol: str, which: int) -> None:
        COUNTED["cancel"] += 1
        ids = [one.client_id for one in self._working(symbol)]
        client_id = ids[which] if which < len(ids) else "nobody's"
        there = [model.cancel(client_id) for model in self._models(symbol)]
        assert self.house.cancel(symbol, client_id) == any(there)

    @rule(symbol=SYMBOL)
    def cancel_all(self, symbol: str) -> None:
        COUNTED["cancel_all"] += 1
        self._emptied(symbol)
        assert self.house.ask("DELETE", "allOpenOrders", symbol=symbol)["code"] == "200"

    @rule(symbol=SYMBOL, which=st.integers(0, 5), steps=STEPS, away=AWAY)
    def amend(self, symbol: str, which: int, steps: int, away: int) -> None:
        """Another price and size; what then would take takes, or expires when it may not."""
        if not any(one.type is OrderType.LIMIT for one in self._working(symbol)):
            leg = self._leg(True)
            self._both(symbol, leg, Side.BUY, OrderType.LIMIT, 10, away=-1_500)
        COUNTED["amend"] += 1
        limits = [one for one in self._working(symbol) if one.type is OrderType.LIMIT]
        old, house = limits[which % len(limits)], self.house
        ticks = house.at[symbol] + away
        code = house.models[symbol, old.leg].amend(old.client_id, steps, ticks)
        terms = house.terms[symbol]
        told = house.ask(
            "PUT",
            "order",
            symbol=symbol,
            side=old.side.name,
            origClientOrderId=old.client_id,
            quantity=terms.size_text(steps),
            price=terms.price_text(ticks),
        )
        assert told.get("code", 0) == code, told

    @rule(symbol=SYMBOL, armed=st.booleans())
    def countdown(self, symbol: str, armed: bool) -> None:
        """Armed and not armed again it takes everything, stops too; disarmed nothing."""
        COUNTED["countdown"] += 1
        house = self.house
        assert house.ask("POST", "countdownCancelAll", symbol=symbol, countdownTime="5000")["symbol"] == symbol
        if armed:
            self._emptied(symbol)
        else:
            assert house.ask("POST", "countdownCancelAll", symbol=symbol, countdownTime="0")["symbol"] == symbol
        house.wait(6_000)

    # ---- what befalls orders

    @rule(symbol=SYMBOL, first=st.booleans(), side=SIDE, steps=st.sampled_from([10, 40, 60]))
    def filled_in_part(self, symbol: str, first: bool, side: Side, steps: int) -> None:
        """A market order fills by a half, and the rest a while later."""
        house, leg = self.house, self._leg(first)
        model = house.models[symbol, leg]
        if leg * side < 0 or model.steps * side < 0:
            side = side.opposite
        order = house.order(symbol, leg, side, OrderType.MARKET, steps)
        COUNTED["filled_in_part"] += 1
        house.fault("partial", symbol=symbol, fill_e4=5_000, ms=3_000, count=1)
        assert house.place(order) == 0
        model.part(order, steps // 2)
        assert house.held(symbol)[leg][0] == model.steps
        house.wait(4_000)
        model.part(order, steps - steps // 2)

    @rule(
        symbol=SYMBOL,
        first=st.booleans(),
        side=SIDE,
        steps=STEPS,
        outcome=st.sampled_from(["done", "refused", "late"]),
        code=st.sampled_from([0, -1006, -1007]),
    )
    def unanswered(self, symbol: str, first: bool, side: Side, steps: int, outcome: str, code: int) -> None:
        """No answer tells: it was placed, or not, or is placed a while later."""
        COUNTED["unanswered " + outcome] += 1
        house, leg = self.house, self._leg(first)
        order = house.order(symbol, leg, side, OrderType.MARKET, steps)
        house.fault("request", method="POST", path="order", outcome=outcome, status=503, code=code, ms=10_000, count=1)
        house.place_unanswered(order)
        if outcome == "late":
            self.everything_agrees()
            house.wait(11_000)
        if outcome != "refused":
            house.models[symbol, leg].place(order)

    @rule(symbol=SYMBOL, first=st.booleans(), side=SIDE)
    def stop_refused(self, symbol: str, first: bool, side: Side) -> None:
        COUNTED["stop_refused"] += 1
        house, leg = self.house, self._leg(first)
        house.fault("refuse_stop", symbol=symbol, code=-2010, count=1)
        trigger = house.at[symbol] + 2_000 * side
        closes = leg * side <= 0
        order = house.order(symbol, leg, side, OrderType.STOP_MARKET, 10, trigger_ticks=trigger, close_position=closes)
        if house.models[symbol, leg].steps * side < 0:
            assert house.place(order) == -2010
        else:
            house.exchange.faults.clear()

    @rule(symbol=SYMBOL)
    def stop_vanishes(self, symbol: str) -> None:
        """The venue cancels a stop and tells nobody."""
        if not self._room(symbol):
            return
        held = next((one for one in self._models(symbol) if one.steps), None)
        if held is None:
            leg = self._leg(True)
            self._both(symbol, leg, Side.BUY, OrderType.MARKET, 10)
            held = self.house.models[symbol, leg]
        COUNTED["stop_vanishes"] += 1
        side = Side.SELL if held.steps > 0 else Side.BUY
        house = self.house
        house.fault("cancel_stop", symbol=symbol, ms=2_000, count=1)
        trigger = house.at[symbol] + 3_000 * side
        order = house.order(
            symbol, held.leg, side, OrderType.STOP_MARKET, 0, trigger_ticks=trigger, close_position=True
        )
        assert house.place(order) == 0
        assert order.client_id in house.working(symbol)[held.leg]
        house.wait(3_000)

    @rule(symbol=SYMBOL, share=st.sampled_from([1, 5_000, 10_000]))
    def deleveraged(self, symbol: str, share: int) -> None:
        COUNTED["deleveraged"] += 1
        self.house.fault("adl", symbol=symbol, fill_e4=share)
        self.house.wait(1)
        for model in self._models(symbol):
            model.force(share)

    @rule(ms=st.sampled_from([100, 5_000]))
    def restarted(self, ms: int) -> None:
        """Nobody is there for a while; the books stay."""
        COUNTED["restarted"] += 1
        self.house.fault("restart", ms=ms)
        self.house.wait(ms + 1)

    @rule(amount=st.sampled_from([-1_000 * 10**8, 1, 5_000 * 10**8]))
    def transferred(self, amount: int) -> None:
        COUNTED["transferred"] += 1
        self.house.fault("transfer", value=amount)
        self.house.wait(1)
        self.house.moved += amount

    # ---- terms

    @rule(symbol=SYMBOL, leverage=st.sampled_from([5, 10, 20]))
    def leverage(self, symbol: str, leverage: int) -> None:
        """Less of it is refused while a position is on isolated margin."""
        house = self.house
        now = house.books.terms[symbol].leverage
        held = any(model.steps for model in self._models(symbol))
        told = house.run(house.account.set_leverage(symbol, leverage))
        if symbol in self.isolated and held and leverage < now:
            COUNTED["leverage refused"] += 1
            assert told.code == -4161
        else:
            COUNTED["leverage"] += 1
            assert told is True

    @rule(symbol=SYMBOL, isolated=st.booleans(), empty=st.booleans())
    def margin_type(self, symbol: str, isolated: bool, empty: bool) -> None:
        """Refused with orders or a position, no change is as good as one."""
        house = self.house
        if empty:
            self.cancel_all(symbol)
            for model in self._models(symbol):
                if model.steps:
                    side = Side.SELL if model.steps > 0 else Side.BUY
                    self._both(symbol, model.leg, side, OrderType.MARKET, abs(model.steps), reduce_only=True)
        told = house.run(house.account.set_isolated(symbol, isolated))
        if (symbol in self.isolated) == isolated:
            assert told is True
        elif self._working(symbol):
            assert told.code == -4047
        elif any(model.steps for model in self._models(symbol)):
            assert told.code == -4048
        else:
            COUNTED["margin_type"] += 1
            assert told is True
            self.isolated ^= {symbol}

    @rule(symbol=SYMBOL, first=st.booleans(), amount=st.sampled_from([1, 250]))
    def position_margin(self, symbol: str, first: bool, amount: int) -> None:
        COUNTED["position_margin"] += 1
        house, leg = self.house, self._leg(first)
        sides = {0: "BOTH", 1: "LONG", -1: "SHORT"}
        told = house.ask("POST", "positionMargin", symbol=symbol, amount=amount, type=1, positionSide=sides[leg])
        wanted = -4049 if symbol not in self.isolated else 200 if house.models[symbol, leg].steps else -4054
        assert told["code"] == wanted

    # ---- the market

    @rule(symbol=SYMBOL, by=MOVE, funding_e8=st.sampled_from([0, 0, -50_000, 1, 10_000]))
    def move(self, symbol: str, by: int, funding_e8: int) -> None:
        COUNTED["funding" if funding_e8 else "move"] += 1
        self.house.move(symbol, min(max(self.house.at[symbol] + by, LOWEST), HIGHEST), funding_e8)

    @rule(symbol=SYMBOL, orders=st.lists(ORDER, min_size=2, max_size=4), by=MOVE)
    def some_orders_and_a_move(
        self, symbol: str, orders: list[tuple[bool, Side, OrderType, int, int, bool]], by: int
    ) -> None:
        COUNTED["some_orders_and_a_move"] += 1
        for first, side, kind, steps, away, flag in orders:
            if kind is OrderType.MARKET:
                self.market(symbol, first, side, steps, flag)
            elif kind is OrderType.LIMIT:
                self.limit(symbol, first, side, steps, away, flag, not flag)
            else:
                self.conditional(symbol, first, side, kind, steps, away, flag)
        self.everything_agrees()
        self.move(symbol, by, 0)

    # ---- inside

    def _leg(self, first: bool) -> int:
        return self.house.legs[0 if first or not self.hedged else 1]

    def _models(self, symbol: str) -> Iterator[PlainAccount]:
        return (self.house.models[symbol, leg] for leg in self.house.legs)

    def _working(self, symbol: str) -> list[Order]:
        return [order for model in self._models(symbol) for order in model.book]

    def _room(self, symbol: str) -> bool:
        return len(self._working(symbol)) < MOST_ORDERS

    def _emptied(self, symbol: str) -> None:
        for model in self._models(symbol):
            model.book.clear()

    def _both(
        self, symbol: str, leg: int, side: Side, kind: OrderType, steps: int, away: int = 0, **given: Any
    ) -> None:
        """The client and the model do the same, and agree on the answer."""
        at = self.house.at[symbol] + away
        if kind is OrderType.LIMIT:
            given["price_ticks"] = at
        elif kind.conditional:
            given["trigger_ticks"] = at
        order = self.house.order(symbol, leg, side, kind, steps, **given)
        assert self.house.place(order) == self.house.models[symbol, leg].place(order), order

    # ---- what must hold

    @invariant()
    def everything_agrees(self) -> None:
        if not hasattr(self, "house"):
            return
        house = self.house
        for symbol in SYMBOLS:
            working, held, fills = house.working(symbol), house.held(symbol), house.fills(symbol)
            for leg in house.legs:
                model = house.models[symbol, leg]
                assert working[leg] == [order.client_id for order in model.book]
                assert fills[leg] == model.fills
                assert held[leg][0] == model.steps
                assert abs(held[leg][1] - model.cost) <= max(1, abs(model.steps))
        assert house.wallet() == CAPITAL + house.moved + sum(model.cash for model in house.models.values())


class HedgedMachine(Machine):
    hedged = True


def _json(rows: list[dict[str, str]]) -> str:
    return json.dumps(rows, separators=(",", ":"))


@pytest.fixture(scope="module")
def warm() -> None:
    """Compiling raises the recursion limit, which must not happen inside an example."""
    house = House(hedged=True)
    house.place(house.order("BTCUSDT", 1, Side.BUY, OrderType.MARKET, 10))
    house.move("BTCUSDT", 1_001_000, 10_000)
    house.loop.close()


@pytest.mark.parametrize("machine", [Machine, HedgedMachine])
def test_the_client_and_the_plain_model_agree(machine: type[Machine], warm: None) -> None:
    COUNTED.clear()
    run_state_machine_as_test(machine, settings=settings(max_examples=50, stateful_step_count=30, deadline=None))
    rules = {name for name in vars(Machine) if hasattr(getattr(Machine, name), "hypothesis_stateful_rule")}
    ran: Counter[str] = Counter()
    for name, times in COUNTED.items():
        ran["move" if name == "funding" else name.partition(" ")[0]] += times
    assert ran.keys() == rules
    assert min(ran.values()) >= 2, ran  # each rule has really done something, more than once
