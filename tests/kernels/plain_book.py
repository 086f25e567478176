"""The matching rules of quant Q3 a second time, in plain Python with fractions, written from the words and not from the
kernel: orders are dictionaries, every stage collects what it would do and does the first, margins are searched for.
"""

import math
from fractions import Fraction
from typing import Any

BP = Fraction(1, 10_000)
Order = dict[str, Any]


class PlainBook:
    """One symbol, one account. `tiers` are (floor, cap, rate, deduction)."""

    def __init__(
        self,
        unit: int,
        leverage: int,
        tiers: list[tuple[int, int, Fraction, int]],
        fees: dict[str, Fraction],
        half_spread: Fraction,
        wallet: int,
    ) -> None:
        self.unit, self.leverage, self.tiers, self.fees, self.half_spread = unit, leverage, tiers, fees, half_spread
        self.wallet, self.steps, self.cost = wallet, 0, 0
        self.orders: list[Order] = []
        self.said: list[tuple[Any, ...]] = []
        self.inside = False
        self.ambiguous = 0

    # money

    def _fill(self, name: int, side: int, steps: int, price: int, rate: Fraction, maker: bool) -> None:
        fee = round(price * steps * self.unit * rate)
        was = self.steps
        closing = min(steps, abs(was)) if was * side < 0 else 0
        if closing:
            removed = round(Fraction(self.cost * closing, abs(was)))
            self.wallet += -side * price * closing * self.unit - removed
            self.cost -= removed
        self.cost += side * price * (steps - closing) * self.unit
        self.steps += side * steps
        self.wallet -= fee
        self.said.append((name, side, steps, price, fee, maker))

    def settle(self, rate: Fraction, price: int) -> None:
        self.wallet -= round(price * self.steps * self.unit * rate)

    def _healthy(self, price: int) -> bool:
        """Margin plus unrealised profit covers maintenance margin at this price."""
        notional = price * abs(self.steps) * self.unit
        margin = math.ceil(Fraction(abs(self.cost), self.leverage))
        _, _, rate, deduction = next(t for t in self.tiers if t[0] <= notional < t[1])
        return margin + price * self.steps * self.unit - self.cost >= notional * rate - deduction

    def liquidation(self) -> int:
        """Long: the lowest price still healthy; short: the highest. 0 for none."""
        if self.steps == 0:
            return 0
        low, high = 0, 1
        if self.steps > 0:
            if self._healthy(0):
                return 0
            while not self._healthy(high):
                high *= 2
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._healthy(middle) else (middle, high)
            return high
        while self._healthy(high):
            high *= 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._healthy(middle) else (low, middle)
        return low

    def bankruptcy(self) -> int:
        """The price at which the margin is gone, against us."""
        margin = math.ceil(Fraction(abs(self.cost), self.leverage))
        sign = 1 if self.steps > 0 else -1
        price = Fraction(abs(self.cost) - sign * margin, abs(self.steps) * self.unit)
        return math.floor(price) if sign > 0 else math.ceil(price)

    def taken(self, price: int, side: int, extra: bool, mean_range: Fraction) -> int:
        slip = price * self.half_spread + (max(price * BP, mean_range / 10) if extra else 0)
        return max(1, price + side * math.ceil(slip))

    # stages

    def _reducible(self, order: Order) -> int:
        if not (order["reduce"] or order["close"]):
            return int(order["steps"])
        if self.steps * order["side"] >= 0:
            return 0
        return abs(self.steps) if order["close"] else min(order["steps"], abs(self.steps))

    @staticmethod
    def _hit(order: Order, high: int, low: int) -> bool:
        up = order["side"] > 0 if order["kind"] == "stop" else order["side"] < 0
        return high >= order["trigger"] if up else low <= order["trigger"]

    def _take(self, order: Order, at: int, extra: bool, mean_range: Fraction) -> None:
        self.orders.remove(order)
        steps, side = self._reducible(order), order["side"]
        if steps:
            self._fill(order["id"], side, steps, self.taken(at, side, extra, mean_range), self.fees["taker"], False)
        else:
            self.said.append((order["id"], side, 0))

    def _liquidate(self, at: int, mean_range: Fraction) -> None:
        side = -1 if self.steps > 0 else 1
        price = self.taken(at, side, True, mean_range)
        price = min(price, self.bankruptcy()) if side < 0 else max(price, self.bankruptcy())
        self._fill(0, side, abs(self.steps), price, self.fees["liquidation"], False)

    def _liquidated(self, high: int, low: int) -> bool:
        level = self.liquidation()
        return level > 0 and (low <= level if self.steps > 0 else high >= level)

    def open(self, o: int, mean_range: Fraction, lost: bool) -> None:
        self.said, self.inside = [], False
        while True:  # what the gap crossed, in the order in which a straight move would have crossed it
            crossed = [
                x for x in self.orders if x["wait"] == 0 and x["kind"] in ("stop", "target") and self._hit(x, o, o)
            ]
            first = max(crossed, key=lambda x: abs(x["trigger"] - o), default=None)
            if self._liquidated(o, o) and (first is None or abs(self.liquidation() - o) > abs(first["trigger"] - o)):
                self._liquidate(o, mean_range)
            elif first is not None:
                exiting = lost and self.steps * first["side"] < 0
                self._take(first, o, first["kind"] == "stop" or exiting, mean_range)
            else:
                break
        for order in list(self.orders):
            if order["wait"]:
                continue
            if order["kind"] == "market":
                self._take(order, o, lost and self.steps * order["side"] < 0, mean_range)
            ask = self.taken(o, order["side"], False, mean_range)
            if order["kind"] == "limit" and order["fresh"] and (order["price"] - ask) * order["side"] >= 0:
                self._take(order, o, False, mean_range)
        for order in self.orders:
            order["fresh"] = order["fresh"] and order["wait"] > 0
            order["wait"] = max(0, order["wait"] - 1)

    def rest(self, o: int, h: int, l: int, mean_range: Fraction, again: bool) -> None:
        self.said = []
        if again:
            if self.inside and self.steps:
                self._adverse(o, h, l, mean_range)
            return
        self._count_ambiguous(h, l)
        self._adverse(o, h, l, mean_range)
        while True:
            through = [
                x
                for x in self.orders
                if x["kind"] == "limit"
                and x["wait"] == 0
                and (l <= x["price"] - 1 if x["side"] > 0 else h >= x["price"] + 1)
                and not (x["reduce"] and self.inside)
            ]
            if not through:
                break
            order = min(through, key=lambda x: abs(x["price"] - o))
            self.orders.remove(order)
            steps = self._reducible(order)
            if steps:
                self._inside_after(order["id"], order["side"], steps, order["price"], self.fees["maker"])
            else:
                self.said.append((order["id"], order["side"], 0))
        while not self.inside:
            reached = [x for x in self.orders if x["kind"] == "target" and x["wait"] == 0 and self._hit(x, h, l)]
            if not reached:
                break
            order = min(reached, key=lambda x: abs(x["trigger"] - o))
            was = self.steps
            self._take(order, order["trigger"], False, mean_range)
            self._note_opening(was)
        for order in self.orders:
            order["fresh"] = order["fresh"] and order["wait"] > 0

    def _adverse(self, o: int, h: int, l: int, mean_range: Fraction) -> None:
        while True:
            hit = [x for x in self.orders if x["kind"] == "stop" and x["wait"] == 0 and self._hit(x, h, l)]
            first = min(hit, key=lambda x: abs(x["trigger"] - o), default=None)
            level = self.liquidation()
            if self._liquidated(h, l) and (first is None or abs(level - o) < abs(first["trigger"] - o)):
                self._liquidate(min(level, o) if self.steps > 0 else max(level, o), mean_range)
            elif first is not None:
                was, side = self.steps, first["side"]
                self._take(first, max(first["trigger"], o) if side > 0 else min(first["trigger"], o), True, mean_range)
                self._note_opening(was)
            else:
                return

    def _inside_after(self, name: int, side: int, steps: int, price: int, rate: Fraction) -> None:
        was = self.steps
        self._fill(name, side, steps, price, rate, True)
        self._note_opening(was)

    def _note_opening(self, was: int) -> None:
        if self.steps and (was == 0 or was * self.steps < 0):
            self.inside = True

    def _count_ambiguous(self, h: int, l: int) -> None:
        against = [x for x in self.orders if x["wait"] == 0 and x["side"] * self.steps < 0]
        stop = any(x["kind"] == "stop" and self._hit(x, h, l) for x in against)
        stop = stop or (self.steps != 0 and self.liquidation() > 0 and l <= self.liquidation() <= h)
        target = any(x["kind"] == "target" and self._hit(x, h, l) for x in against)
        target = target or any(
            x["kind"] == "limit" and x["reduce"] and (l < x["price"] if x["side"] > 0 else h > x["price"])
            for x in against
        )
        self.ambiguous += stop and target
