"""The tick path again, plain and slow: dicts, lists and one heap of things to come. Written from docs/tick-path.md."""

import heapq
import math
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

LEVEL, TRADE, CLEAR = 0, 1, 2
SEE, HEAR, HAPPEN, ARRIVE = 0, 1, 2, 3  # at one time in this order


class PlainBook:
    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}

    def best(self, side: int) -> int | None:
        prices = self.sides[side]
        return (max(prices) if side > 0 else min(prices)) if prices else None

    def size(self, side: int, ticks: int) -> int:
        return self.sides[side].get(ticks, 0)

    def show(self, side: int, ticks: int, steps: int) -> None:
        best = self.best(side)
        if steps == 0:
            self.sides[side].pop(ticks, None)
            return
        self.sides[side][ticks] = steps
        if best is None or (ticks - best) * side > 0:
            other = self.sides[-side]
            for crossed in [p for p in other if (p - ticks) * side <= 0]:
                del other[crossed]


class PlainOrder:
    def __init__(self, number: int, slot: int, side: int, ticks: int, steps: int, kind: str) -> None:
        self.id, self.slot, self.side, self.ticks, self.left, self.kind = number, slot, side, ticks, steps, kind
        self.known, self.state = steps, "sent"
        self.resting, self.ahead, self.traded, self.joined, self.arrived = False, 0.0, 0.0, 0.0, 0


class PlainDesk:
    """Venue and owner. `rows`: (exchange_ns, local_ns, kind, side, ticks, steps)."""

    def __init__(self, rows: list[tuple[int, ...]], contract: Any, plan: Any) -> None:
        self.rows, self.contract, self.plan = rows, contract, plan
        self.book, self.seen = PlainBook(), PlainBook()
        self.orders_by_slot: dict[int, PlainOrder] = {}
        self.venue_orders: list[PlainOrder] = []
        self.fills: list[tuple[int, ...]] = []
        self.position = self.cash = self.fees = self.held = self.ids = self.late = self.expired = 0
        self.time_ns = self.feed = self.venue_feed = self.last_entry = self.last_response = 0
        self.heap: list[tuple[int, int, int, Any]] = []
        self.count = 0

    # what a strategy sees and does
    @property
    def bid(self) -> int | None:
        return self.seen.best(1)

    @property
    def ask(self) -> int | None:
        return self.seen.best(-1)

    @property
    def orders(self) -> list[PlainOrder]:
        return [self.orders_by_slot[slot] for slot in sorted(self.orders_by_slot)]

    def place(self, side: int, ticks: int, steps: int, kind: str = "post_only") -> int | None:
        free = [slot for slot in range(16) if slot not in self.orders_by_slot]
        if not free or steps <= 0 or ticks <= 0:
            return None
        self.ids += 1
        order = PlainOrder(self.ids, free[0], side, ticks, steps, kind)
        self.orders_by_slot[free[0]] = order
        self._send("new", order)
        return free[0]

    def cancel(self, slot: int) -> bool:
        order = self.orders_by_slot.get(slot)
        if order is None or order.state != "live":
            return False
        order.state = "cancelling"
        self._send("cancel", order)
        return True

    # time
    def _push(self, time_ns: int, kind: int, what: Any) -> None:
        self.count += 1
        heapq.heappush(self.heap, (time_ns, kind, self.count, what))

    def _send(self, what: str, order: PlainOrder) -> None:
        latency = self.plan.latency
        arrives = self.time_ns + latency.entry_ns + latency.entry_feed_e4 * self.feed // 10_000
        self.last_entry = max(self.last_entry, arrives)
        self._push(self.last_entry, ARRIVE, (what, order))

    def _tell(self, order: PlainOrder, what: str, signed: int, now: int) -> None:
        latency = self.plan.latency
        arrives = now + latency.response_ns + latency.response_feed_e4 * self.venue_feed // 10_000
        self.last_response = max(self.last_response, arrives)
        self._push(self.last_response, HEAR, (order, what, signed))

    def run(self, strategy: Callable[[Any], None]) -> None:
        for row in self.rows:
            self._push(row[0], HAPPEN, row)
            if row[2] != TRADE:
                self._push(row[1], SEE, row)
        self.time_ns = min(self.rows[0][0], self.rows[0][1])
        while True:
            until = self.time_ns + self.plan.interval_ns
            while self.heap and self.heap[0][0] <= until:
                time_ns, kind, _, what = heapq.heappop(self.heap)
                if kind == HAPPEN:
                    self._happen(time_ns, what)
                elif kind == SEE:
                    self.feed = what[1] - what[0]
                    self._apply(self.seen, what)
                elif kind == HEAR:
                    self._hear(*what)
                else:
                    self._arrive(time_ns, *what)
            self.time_ns = until
            if not any(kind in (SEE, HAPPEN) for _, kind, _, _ in self.heap):
                return
            strategy(self)

    def _hear(self, order: PlainOrder, what: str, signed: int) -> None:
        self.position += signed
        order.known -= abs(signed)
        if what == "accepted" and order.state == "sent":
            order.state = "live"
        elif what in ("filled", "cancelled", "expired"):
            if self.orders_by_slot.get(order.slot) is order:
                del self.orders_by_slot[order.slot]
        elif what == "late" and order.state == "cancelling":
            order.state = "live"

    # the venue
    @staticmethod
    def _apply(book: PlainBook, row: tuple[int, ...]) -> None:
        if row[2] == CLEAR:
            book.sides[row[3]].clear()
        else:
            book.show(row[3], row[4], row[5])

    def _happen(self, now: int, row: tuple[int, ...]) -> None:
        self.venue_feed = row[1] - row[0]
        _, _, kind, side, ticks, steps = row
        if kind == TRADE:
            self._trade(now, side, ticks, steps)
            return
        best, before = self.book.best(side), self.book.size(side, ticks)
        self._apply(self.book, row)
        if kind == CLEAR:
            return
        for order in self.venue_orders:
            if order.side == side and order.ticks == ticks:
                self._requeue(order, before, steps)
        after = self.book.best(side)
        if after is not None and (best is None or (after - best) * side > 0):
            for order in [o for o in self.venue_orders if o.side == -side and (o.ticks - after) * side <= 0]:
                self._fill(order, order.ticks, order.left, True, now)

    def _requeue(self, order: PlainOrder, before: int, after: int) -> None:
        rule = self.plan.queue.rule
        if rule != "risk_averse":
            gone, order.traded = before - after - order.traded, 0.0
            behind = before - order.ahead
            if gone > 0 and behind >= 0:

                def weigh(x: float) -> float:
                    size = x * self.contract.size(1)
                    return math.log(1.0 + size) if rule == "log" else size**self.plan.queue.power

                total = weigh(behind) + weigh(order.ahead)
                share = weigh(behind) / total if total > 0 else 1.0
                order.ahead -= (1.0 - share) * gone + max(share * gone - behind, 0.0)
                order.ahead = max(order.ahead, 0.0)
        order.ahead = min(order.ahead, float(after))

    def _trade(self, now: int, taker: int, ticks: int, steps: int) -> None:
        volume = float(steps)
        for order in [o for o in self.venue_orders if o.side == -taker]:
            if (ticks - order.ticks) * taker > 0:
                self._fill(order, order.ticks, order.left, True, now)
            elif order.ticks == ticks and volume > 0:
                order.traded += volume
                beyond = round(volume - order.ahead)
                order.ahead = max(order.ahead - volume, 0.0)
                if beyond > 0:
                    steps = order.left if self.plan.queue.whole else min(beyond, order.left)
                    volume -= steps
                    self._fill(order, ticks, steps, True, now)

    def _fill(self, order: PlainOrder, ticks: int, steps: int, maker: bool, now: int) -> None:
        rate = self.contract.maker_e8 if maker else self.contract.taker_e8
        value = ticks * steps * self.contract.unit
        fee = int((Decimal(value) * rate / 10**8).to_integral_value(ROUND_HALF_EVEN))
        self.held += order.side * steps
        self.cash -= order.side * value
        self.fees += fee
        order.left -= steps
        self.fills.append((now, order.id, order.side, ticks, steps, int(maker), order.left, fee, int(order.joined)))
        if order.left == 0 and order in self.venue_orders:
            self.venue_orders.remove(order)
        self._tell(order, "part" if order.left else "filled", order.side * steps, now)

    def _arrive(self, now: int, what: str, order: PlainOrder) -> None:
        if what == "cancel":
            if order in self.venue_orders:
                self.venue_orders.remove(order)
                self._tell(order, "cancelled", 0, now)
            else:
                self.late += 1
                self._tell(order, "late", 0, now)
            return
        order.arrived = now
        touch = self.book.best(-order.side)
        takes = touch is not None and (touch - order.ticks) * order.side <= 0
        if order.kind == "market" or (takes and order.kind != "post_only"):
            levels = sorted(self.book.sides[-order.side].items(), reverse=order.side < 0)
            for price, there in levels:
                if order.left == 0 or (order.kind != "market" and (price - order.ticks) * order.side > 0):
                    break
                steps = order.left if self.plan.queue.whole else min(there, order.left)
                self._fill(order, price, steps, False, now)
            if order.left == 0:
                return
        if order.kind in ("immediate", "market") or (takes and order.kind == "post_only"):
            self.expired += 1
            self._tell(order, "expired", 0, now)
            return
        order.ahead = order.joined = float(self.book.size(order.side, order.ticks))
        self.venue_orders.append(order)
        self._tell(order, "accepted", 0, now)
