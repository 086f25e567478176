"""Who judges: the exchange's own books and its raw log, never what the trader believes.

duplicate  executed or working quantity of an order above what was asked for, or a second attempt of what may have
           arrived
lost       an order of ours, or a trade, that the journal does not hold 30 s after the venue could be reached and showed
           it
orphan     a conditional or reduce-only order that works for more than 5 s while nothing is held; for a stop the time
           does not count in which an entry it was placed for may act yet, by the venue's own rules (C1, C6)
invented   a fill that the journal holds and the books do not, or an order called absent that acted
nonce      a nonce used twice
unsafe     an order that is to reduce and could add
naked      time with a position that no resting stop covers whole, while the venue can be reached and the trader is
           alive; at most 5 s at a stretch, and none at all by our own cancel
fenced     something asked for by a trader after another one had taken over, or an entry without a lease (`leasing`)
deaf       nobody listens to the account 30 s after its stream was told that the key had expired (`hearing`)
twin       what a second installation does before it notices the first: more than one intent, or a cancel of an order
           of the first's
"""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from aister.core.audit import Audit, PlaceOrder
from aister.core.events import EntriesFrozen, InstrumentListed, OrderFilled, OrderRejected
from aister.core.trade import Order, OrderType, Purpose
from aister.exchange_sim import Account, Exchange, Happening, OrderState
from aister.exchange_sim.wire import pairs
from aister.execution.identity import instance_of, watched
from tests.faults.fate import open_until, outside
from tests.faults.reach import Reach

__all__ = ["LOST_MS", "NAKED_MS", "ORPHAN_MS", "Breach", "Oracle"]

NAKED_MS, ORPHAN_MS, LOST_MS = 5_000, 5_000, 30_000
FIRST, SECOND = "ai00000000", "ai00000001"
"""The installation, and the one that should not be there."""
SILENT_MS = 35_000
"""Within which a stop that the venue cancelled without a word is missed (C19)."""
_STOPS = (OrderType.STOP_MARKET, OrderType.TRAILING_STOP_MARKET)


class Breach(msgspec.Struct, frozen=True):
    """One thing that must not happen. `time_ms` from the start of the run."""

    what: str
    time_ms: int
    text: str


class Spell(msgspec.Struct):
    """A state that began and has not ended."""

    since_ms: int = -1
    most_ms: int = 0


class Oracle:
    """Watches one account. `blind` tells how much of a span (ms) nobody could act, for protection and for all else;
    `journal` is told of every durable record, `twin` of those of a second installation."""

    def __init__(self, exchange: Exchange, account: Account, blind: Callable[[int, int, bool], int]) -> None:
        self._exchange, self._account, self._blind = exchange, account, blind
        self.start_ms = exchange.now_ms
        self.breaches: list[Breach] = []
        self.naked: list[int] = []
        self.refused: list[int] = []
        self.silent: list[int] = []
        self._stripped: list[tuple[str, int]] = []
        self.orders: dict[str, Order] = {}
        self._asked: dict[str, int] = {}
        self._begun: list[int] = []
        self.twin_orders: dict[str, Order] = {}
        self._heard: dict[str, int] = defaultdict(int)
        self._absent: dict[str, int] = {}
        self._unjournaled: set[str] = set()
        self._steps_e8: dict[tuple[str, str], int] = {}
        self._sizes: dict[str, int] = {}
        self._told: dict[str, int] = defaultdict(int)
        self._waiting: dict[tuple[str, int], int] = {}
        self._streamed: set[tuple[str, int]] = set()
        self._reach = Reach(exchange, account)
        self._traded: dict[str, int] = defaultdict(int)
        self._naked: dict[str, Spell] = defaultdict(Spell)
        self._orphan: dict[str, Spell] = defaultdict(Spell)
        exchange.observers.append(self.happened)

    # ---- what it is told

    def journal(self, audit: Audit, instance: str = FIRST) -> None:
        """A record of an installation that is durable now; of others' fills only their own journal counts. One
        that the emergency log took first comes twice."""
        if audit.sequence < self._heard[instance]:
            return
        self._heard[instance] = audit.sequence + 1
        if isinstance(audit.event, InstrumentListed):
            self._steps_e8[instance, audit.event.instrument.symbol] = audit.event.instrument.step_e8
        for output in audit.outputs:
            if isinstance(output, PlaceOrder):
                self.orders[output.order.client_id] = output.order
                step_e8 = self._steps_e8[instance, output.order.symbol]
                self._sizes[output.order.client_id] = output.order.steps * step_e8
                self._asked.setdefault(output.order.client_id, self._exchange.now_ms)
        if isinstance(audit.event, EntriesFrozen) and audit.event.cause == "start":
            self._begun.append(self._exchange.now_ms)
        if isinstance(audit.event, OrderRejected):
            self._absent[audit.event.client_id] = audit.event.time_ms
        if isinstance(audit.event, OrderFilled) and instance_of(audit.event.fill.client_id) in (None, instance):
            fill = audit.event.fill
            client_id = fill.client_id
            self._told[client_id] += fill.steps * self._steps_e8[instance, fill.symbol]
            for key in [one for one in self._waiting if one[0] == client_id and one[1] <= self._told[client_id]]:
                self._late(key, self._waiting.pop(key))

    def twin(self, audit: Audit) -> None:
        """A durable record of the second installation."""
        before = len(self.orders)
        self.journal(audit, SECOND)
        self.twin_orders.update(list(self.orders.items())[before:])

    def restored(self, records: list[Audit]) -> None:
        """The journal is this from now on: what it forgot may be told again, under whatever name."""
        self._heard[FIRST] = len(records)
        self._told.clear()
        self._waiting.clear()
        for audit in records:
            if isinstance(audit.event, InstrumentListed):
                self._steps_e8[FIRST, audit.event.instrument.symbol] = audit.event.instrument.step_e8
            if isinstance(audit.event, OrderFilled):
                fill = audit.event.fill
                self._told[fill.client_id] += fill.steps * self._steps_e8[FIRST, fill.symbol]
        self._unjournaled |= {one.client_id for one in self._account.orders.values()}

    def happened(self, happening: Happening) -> None:
        """Something changed in the books."""
        if happening.account != self._account.number:
            return
        now_ms, order = happening.time_ms, happening.order
        if order is not None:
            self._quantity(order, now_ms)
            if happening.trade is not None:
                self._traded[order.client_id] += happening.trade.steps * self._step_e8(order.symbol, now_ms)
                key = order.client_id, self._traded[order.client_id]
                if self._told[order.client_id] < key[1] and order.client_id not in self._unjournaled:
                    self._waiting[key] = now_ms
                    if self._reach.streams():
                        self._streamed.add(key)
        was_naked = order is not None and self._naked[order.symbol].since_ms >= 0
        self._look(now_ms)
        if happening.what == "CANCELED" and order is not None and not was_naked:
            spell = self._naked[order.symbol]
            if happening.detail == "by the venue":
                spell.most_ms = SILENT_MS
            elif spell.since_ms >= 0:
                self._stripped.append((order.client_id, now_ms))

    def end(self) -> None:
        """The run is over: what is still open counts as it stands."""
        now_ms = self._exchange.now_ms
        self._look(now_ms)
        for symbol in self._account.instruments:
            self._ends(self._naked[symbol], now_ms, "naked", NAKED_MS, f"{symbol} has no stop")
        for client_id, spell in self._orphan.items():
            self._ends(spell, now_ms, "orphan", ORPHAN_MS, f"{client_id} works while flat")
        for key, since_ms in self._waiting.items():
            self._late(key, since_ms)
        for number, order in self._account.orders.items():
            if _ours(order.client_id) and order.client_id not in self.orders and not watched(order.client_id):
                self._breach("lost", order.created_ms, f"order {number} ({order.client_id}) is in no journal")
        ids = {order.client_id for order in self._account.orders.values()}
        for client_id, told in self._told.items():
            if _ours(client_id) and told > self._traded[client_id]:
                self._breach(
                    "invented", now_ms, f"{client_id}: {told / 1e8:g} told of {self._traded[client_id] / 1e8:g} traded"
                )
        for client_id, time_ms in self._absent.items():
            if client_id in ids and self._traded[client_id] > 0:
                self._breach("invented", time_ms, f"{client_id} was called refused or absent, and it acted")
        self._attempts()
        self._twins()

    # ---- the judgements

    def _quantity(self, order: OrderState, now_ms: int) -> None:
        """Nothing is asked for twice, and nothing before the journal holds it."""
        if not _ours(order.client_id):
            return
        if watched(order.client_id):
            if not (order.reduce_only or order.close_position):
                self._breach("unsafe", now_ms, f"{order.client_id} is the watcher's and may add")
            return
        asked = self.orders.get(order.client_id)
        if asked is None:
            self._breach("lost", now_ms, f"{order.client_id} came to the venue before the journal held it")
            return
        same = [one for one in self._account.orders.values() if one.client_id == order.client_id]
        if asked.purpose is not Purpose.ENTRY and not (order.reduce_only or order.close_position):
            self._breach("unsafe", now_ms, f"{order.client_id} is a {asked.purpose} and may add")
        if asked.close_position:
            if len(same) > 1:
                self._breach("duplicate", now_ms, f"{order.client_id} is at the venue {len(same)} times")
            return
        total, size = sum(self._size(one) for one in same), self._sizes[order.client_id]
        if total > size:
            self._breach("duplicate", now_ms, f"{order.client_id}: {total / 1e8:g} of {size / 1e8:g} asked for")

    def _size(self, order: OrderState) -> int:
        """Executed and still working, 1e-8."""
        return (order.steps if order.working else order.filled) * self._step_e8(order.symbol, order.created_ms)

    def _step_e8(self, symbol: str, time_ms: int) -> int:
        """What a step of the venue counted then."""
        return self._exchange.market.tickers[symbol].at(time_ms).step_e8

    def _look(self, now_ms: int) -> None:
        account = self._account
        working = account.open_orders()
        for symbol in account.instruments:
            steps = account.holding(symbol, 0).steps
            stops = [one for one in working if one.symbol == symbol and one.original in _STOPS]
            covered = sum(
                abs(steps) if one.close_position else one.steps - one.filled
                for one in stops
                if int(one.side) * steps < 0 and one.stop_ticks > 0
            )
            naked = abs(steps) > covered
            self._spell(self._naked[symbol], naked, now_ms, "naked", NAKED_MS, f"{symbol} has no stop")
            enters = any(one.symbol == symbol and not one.reduce_only and not one.original.conditional
                         for one in working)  # fmt: skip
            for order in working:
                if order.symbol == symbol:
                    orphan = steps == 0 and not enters and (order.reduce_only or order.original.conditional)
                    text = f"{order.client_id} works while flat"
                    self._spell(self._orphan[order.client_id], orphan, now_ms, "orphan", ORPHAN_MS, text)
        open_ids = {one.client_id for one in working}
        for client_id, spell in self._orphan.items():
            if client_id not in open_ids:
                self._ends(spell, now_ms, "orphan", ORPHAN_MS, f"{client_id} worked while flat")

    def _spell(self, spell: Spell, holds: bool, now_ms: int, what: str, most_ms: int, text: str) -> None:
        if holds and spell.since_ms < 0:
            spell.since_ms = now_ms
        elif not holds:
            self._ends(spell, now_ms, what, most_ms, text)

    def _ends(self, spell: Spell, now_ms: int, what: str, most_ms: int, text: str) -> None:
        if spell.since_ms < 0:
            return
        lasted = self._able(spell.since_ms, now_ms, what)
        if what == "naked":
            refused = self._reach.stop_refused(text.split(maxsplit=1)[0], spell.since_ms)
            (self.silent if spell.most_ms else self.refused if refused else self.naked).append(lasted)
        if lasted > max(most_ms, spell.most_ms) and what == "orphan":
            guard = self.orders.get(text.split(maxsplit=1)[0])
            spans = self._open(guard) if guard is not None else []
            lasted = outside(spell.since_ms, now_ms, spans, lambda since, until: self._able(since, until, what))
        if lasted > max(most_ms, spell.most_ms):
            self._breach(what, spell.since_ms, f"{text}, for {lasted} ms")
        spell.since_ms, spell.most_ms = -1, 0

    def _able(self, since_ms: int, until_ms: int, what: str) -> int:
        """How much of this span somebody could have done something."""
        return until_ms - since_ms - self._blind(since_ms, until_ms, what == "naked")

    def _open(self, guard: Order) -> list[tuple[int, int]]:
        """When an entry that this stop was placed before may have acted, for all that anybody could know (`begun`: a
        trader that was started again knows neither whether it left nor with which nonce)."""
        asked, came = self._asked, {one.client_id: one.created_ms for one in self._account.orders.values()}
        return [
            (asked[name], came.get(name) or open_until(name, asked[name], self._exchange.log, self._begun))
            for name, one in self.orders.items()
            if guard.purpose is Purpose.STOP and one.purpose is Purpose.ENTRY and one.symbol == guard.symbol
            if asked[name] >= asked[guard.client_id]
        ]

    def _late(self, key: tuple[str, int], since_ms: int) -> None:
        now_ms = self._exchange.now_ms
        hidden = 0 if key in self._streamed else self._reach.hidden(since_ms)
        lasted = now_ms - since_ms - max(self._blind(since_ms, now_ms, False), hidden)
        if lasted > LOST_MS:
            self._breach("lost", since_ms, f"a trade of {key[0]} was not journaled within {lasted} ms")

    def _attempts(self) -> None:
        """By the raw log: after an attempt that may have acted there is no second one of the same id."""
        acted: dict[str, int] = {}
        nonces: set[str] = set()
        for seen in self._exchange.log:
            told = pairs(seen.request.query or seen.request.body)
            nonce = told.get("nonce", "")
            if nonce and seen.fault != "landed late" and not seen.request.path.endswith("/noop"):
                if nonce in nonces:
                    self._breach("nonce", seen.time_us // 1000, f"{nonce} was used twice")
                nonces.add(nonce)
            if seen.request.method == "DELETE" and seen.done:
                cancelled = told.get("origClientOrderId", ""), seen.time_us // 1000
                if cancelled in self._stripped:
                    self._breach("naked", cancelled[1], f"the stop {cancelled[0]} was taken away by our own cancel")
            if seen.request.method != "POST" or not seen.request.path.endswith("/order"):
                continue
            client_id = told.get("newClientOrderId", "")
            if seen.fault == "landed late":
                continue
            if client_id in acted:
                self._breach("duplicate", seen.time_us // 1000, f"{client_id} was sent again")
            if seen.done or seen.status in (0, 503):
                acted[client_id] = seen.status

    def overtaken(self, acted: list[str]) -> None:
        """What a trader asked for after another one had taken over."""
        for one in acted:
            self._breach("fenced", self._exchange.now_ms, one)

    def _twins(self) -> None:
        """By the raw log: what the second installation did."""
        sent = {one.intent_id for one in self.twin_orders.values() if one.purpose is Purpose.ENTRY}
        there = {one.client_id for one in self._account.orders.values()}
        acted = {one.intent_id for one in self.twin_orders.values() if one.client_id in there} & sent
        if len(acted) > 1:
            self._breach("twin", self._exchange.now_ms, f"the second installation entered {len(acted)} times")

    def breach(self, what: str, time_ms: int, text: str) -> None:
        """One that somebody else saw; `time_ms` is the exchange's."""
        self._breach(what, time_ms, text)

    def _breach(self, what: str, time_ms: int, text: str) -> None:
        self.breaches.append(Breach(what, time_ms - self.start_ms, text))


def _ours(client_id: str) -> bool:
    return instance_of(client_id) is not None
