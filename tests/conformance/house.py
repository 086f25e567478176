"""An account on two symbols, one-way or hedged: the real client and a second hand on one exchange, beside a plain model
of both symbols' positions and their one purse.

The second hand is what the client has no call for (batches, amendments, cancel-all, position margin): raw requests of
another agent of the same account.
"""

import asyncio
import json
from collections import deque
from typing import Any
from urllib.parse import urlencode

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.core.events import BarClosed, FundingSettled
from aister.core.money import UNIT
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import FREE_MODEL, Agent, Credentials, Exchange, Fault, Limits, Request, Settings
from aister.ports.exchange import Cancelled, Money, Placed, Refused, Unknown
from aister.ports.feed import MarketSlice
from aister.sim.models import Slippage
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.conformance.plain_account import PlainAccount
from tests.conformance.venue import Done
from tests.execution.scene import fast
from tests.fakes.wire import ExchangeClock, IndoorWire
from tests.sim.market import MINUTE_MS, bracketed

__all__ = ["CAPITAL", "SYMBOLS", "House"]

SYMBOLS = ("BTCUSDT", "ETHUSDT")
CAPITAL = 1_000_000 * UNIT
START_TICKS = 1_000_000
START_MS = 1_700_000_040_000
_OTHER = "0x" + "22" * 20
_SIDES = {0: "BOTH", 1: "LONG", -1: "SHORT"}


class House:
    """`at`: where each market stands; `models`: a plain account of each symbol and leg."""

    def __init__(self, *, hedged: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.hedged, self.legs = hedged, (1, -1) if hedged else (0,)
        self.terms = {
            symbol: msgspec.structs.replace(bracketed(), symbol=symbol, base=symbol[:3]) for symbol in SYMBOLS
        }
        self.at = dict.fromkeys(SYMBOLS, START_TICKS)
        self.waiting: deque[MarketSlice] = deque()
        self._minute(START_MS, {}, ())
        model = msgspec.structs.replace(
            FREE_MODEL, slippage=Slippage((), 0, 0, 0), position_mode="hedge" if hedged else "one_way"
        )
        settings = Settings(model=model, limits=Limits(weight_per_minute=10**9, orders_per_minute=10**9))
        self.exchange = Exchange(self.terms, self, MINUTE_MS, settings, verify=fast)
        self.time = ExchangeClock(self.exchange)
        signer = LocalSigner(self.time)  # type: ignore[arg-type]
        agents = {one.lower(): Agent(one.lower()) for one in (signer.address, _OTHER)}
        self.books = self.exchange.add_account(Credentials(USER, agents), CAPITAL)
        self.account = AsterAccount(
            Rest(IndoorWire(self.exchange, self.time), self.time, signer), SYMBOLS, source="sim"
        )
        assert isinstance(self.run(self.account.instruments()), dict)
        self.models = {(symbol, leg): self._plain(symbol, leg) for symbol in SYMBOLS for leg in self.legs}
        self.moved = 0
        self._since_ms, self._ids, self._nonce = self.exchange.now_ms, 0, 0

    def _plain(self, symbol: str, leg: int) -> PlainAccount:
        terms = self.terms[symbol]
        return PlainAccount(START_TICKS, 0, terms.unit, terms.maker_e8, terms.taker_e8, leg=leg)

    def run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    # ---- the market

    def __next__(self) -> MarketSlice:
        if not self.waiting:
            raise StopIteration
        return self.waiting.popleft()

    def __iter__(self) -> "House":
        return self

    def _minute(self, start_ms: int, to: dict[str, int], due: tuple[FundingSettled, ...]) -> None:
        bars = []
        for symbol in SYMBOLS:
            o, c = self.at[symbol] / 10, to.get(symbol, self.at[symbol]) / 10
            bars.append(BarClosed(start_ms + MINUTE_MS, symbol, start_ms, o, max(o, c), min(o, c), c, 1000.0))
        self.waiting.append(MarketSlice(start_ms, due, tuple(bars)))

    def move(self, symbol: str, to: int, funding_e8: int = 0) -> None:
        """The next whole minute: this symbol walks there, the other stands still."""
        for leg in self.legs:
            if funding_e8:
                self.models[symbol, leg].settle(funding_e8)
            self.models[symbol, leg].walk(to)
        start_ms = START_MS + -(-(self.exchange.now_ms - START_MS) // MINUTE_MS) * MINUTE_MS
        due = (FundingSettled(start_ms, symbol, funding_e8, 8 * 3_600_000),) if funding_e8 else ()
        self._minute(start_ms, {symbol: to}, due)
        self.exchange.advance(start_ms + MINUTE_MS)
        self.at[symbol] = to
        self.account.told_mark(symbol, to * 10_000_000)

    def wait(self, ms: int) -> None:
        """Time passes and the market stands still."""
        self.exchange.advance(self.exchange.now_ms + ms)

    # ---- orders, by the client

    def order(self, symbol: str, leg: int, side: Side, kind: OrderType, steps: int, **given: Any) -> Order:
        self._ids += 1
        closes = bool(given.get("close_position"))
        reduces = closes or given.get("reduce_only", False)
        return Order(
            client_id=f"h-{self._ids:x}",
            intent_id="",
            symbol=symbol,
            side=side,
            type=kind,
            purpose=Purpose.CLOSE if reduces else Purpose.ENTRY,
            steps=0 if closes else steps,
            price_ticks=given.get("price_ticks", 0),
            trigger_ticks=given.get("trigger_ticks", 0),
            reduce_only=given.get("reduce_only", False) and not leg,
            close_position=closes,
            post_only=given.get("post_only", False),
            leg=leg,
        )

    def place(self, order: Order) -> int:
        """0, or the code of the refusal."""
        answer = self.run(self.account.place(order))
        assert isinstance(answer, Placed | Refused), answer
        return 0 if isinstance(answer, Placed) else answer.code

    def place_unanswered(self, order: Order) -> None:
        assert isinstance(self.run(self.account.place(order)), Unknown)

    def cancel(self, symbol: str, client_id: str) -> bool:
        answer = self.run(self.account.cancel(symbol, client_id))
        assert isinstance(answer, Cancelled | Refused), answer
        return isinstance(answer, Cancelled)

    # ---- by the other hand

    def ask(self, method: str, name: str, **params: Any) -> Any:
        """A raw request of the other agent; its JSON."""
        self._nonce = max(self._nonce + 1, self.exchange.now_us)
        pairs = {key: str(value) for key, value in params.items()}
        raw = urlencode({**pairs, "nonce": str(self._nonce), "user": USER, "signer": _OTHER}).encode()
        raw += b"&signature=0x" + b"00" * 65
        path = f"/fapi/v3/{name}"
        request = Request(method, path, raw) if method == "GET" else Request(method, path, body=raw)
        return json.loads(self.exchange.handle(request).body)

    def pairs(self, order: Order) -> dict[str, str]:
        """The order as the other hand writes it down."""
        terms = self.terms[order.symbol]
        said = {
            "symbol": order.symbol,
            "side": order.side.name,
            "type": order.type.name,
            "positionSide": _SIDES[order.leg],
            "newClientOrderId": order.client_id,
        }
        if order.steps:
            said["quantity"] = terms.size_text(order.steps)
        if order.type is OrderType.LIMIT:
            said |= {"price": terms.price_text(order.price_ticks), "timeInForce": "GTX" if order.post_only else "GTC"}
        return said | ({"reduceOnly": "true"} if order.reduce_only else {})

    def fault(self, kind: str, **given: Any) -> None:
        """One that bites from now on."""
        self.exchange.faults.add(Fault(kind, self.exchange.now_ms, **given))

    # ---- what is compared

    def wallet(self) -> int:
        money = self.run(self.account.money())
        assert isinstance(money, Money), money
        return money.wallet

    def working(self, symbol: str) -> dict[int, list[str]]:
        """Client ids by leg, oldest first."""
        orders = self.run(self.account.open_orders(symbol))
        assert isinstance(orders, tuple), orders
        found = sorted(orders, key=lambda one: one.venue_id)
        return {leg: [one.client_id for one in found if one.leg == leg] for leg in self.legs}

    def held(self, symbol: str) -> dict[int, tuple[int, int]]:
        """(steps, cost) by leg."""
        rows = self.run(self.account.positions(symbol))
        assert isinstance(rows, tuple), rows
        return {one.leg: (one.steps, one.cost) for one in rows}

    def fills(self, symbol: str) -> dict[int, list[Done]]:
        """By leg, as they came."""
        rows = self.run(self.account.executions(symbol, self._since_ms))
        assert isinstance(rows, tuple), rows
        return {
            leg: [
                Done(one.client_id, int(one.side), one.steps, one.price_ticks, one.fee, one.maker)
                for one in rows
                if one.leg == leg
            ]
            for leg in self.legs
        }
