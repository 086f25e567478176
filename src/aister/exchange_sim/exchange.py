"""The simulated exchange without sockets and without a clock of its own.

    exchange = Exchange(instruments, slices, interval_ms, settings)
    account = exchange.add_account(Credentials(user=..., agents=...), 10_000 * UNIT)
    response = exchange.handle(Request("GET", "/fapi/v3/time"))
    frames = exchange.connect("/ws/btcusdt@aggTrade").take()
    exchange.advance(exchange.now_ms + 60_000)      # plays the market up to then, everything in order

Time moves only through `advance` (or barriers, in lockstep). `log` and `happenings` are what judges read
(the newest `Settings.kept`; `asked` and `told` count all there ever were), `observers` are called with each happening
at once.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from aister.core.errors import MoneyOverflow
from aister.core.instrument import Instrument
from aister.exchange_sim.access import Gate
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.acts import act
from aister.exchange_sim.auth import Credentials, Verifier, recovered_by_eth_account
from aister.exchange_sim.chasing import Chases
from aister.exchange_sim.depth import Depth
from aister.exchange_sim.faults import Fault, Faults
from aister.exchange_sim.market import Market
from aister.exchange_sim.news import Newsroom
from aister.exchange_sim.playing import Player
from aister.exchange_sim.records import Happening, OrderState
from aister.exchange_sim.routes import Route, find_route
from aister.exchange_sim.rules import CODES
from aister.exchange_sim.settings import Settings
from aister.exchange_sim.strategies import Strategies
from aister.exchange_sim.streams import Connection, Hub
from aister.exchange_sim.telling import Teller
from aister.exchange_sim.trading import OrderFault, Trading
from aister.exchange_sim.wire import DOWN, NO_ANSWER, Params, Refusal, Request, Response, reply
from aister.ports.feed import MarketSlice

__all__ = ["Exchange", "Seen"]


class Seen(msgspec.Struct, frozen=True):
    """A request as it came and what became of it: `status` 0 = never answered, `fault` the kind that met it, `done`
    whether the exchange acted on it (later, for one that was late)."""

    time_us: int
    account: int
    request: Request
    status: int
    code: int
    fault: str
    done: bool


class Exchange:
    """One exchange: market, accounts, connections, faults. `verify` recovers the signer of a V3 request."""

    def __init__(
        self,
        instruments: dict[str, Instrument],
        slices: Iterator[MarketSlice],
        interval_ms: int,
        settings: Settings | None = None,
        *,
        faults: Faults | None = None,
        verify: Verifier = recovered_by_eth_account,
        shift_ms: int = 0,
        history: Iterable[MarketSlice] = (),
    ) -> None:
        self.settings = (settings or Settings()).check()
        legs = 1 if self.settings.lockstep else self.settings.legs
        seed = self.settings.seed if self.settings.mark == "model" else None
        self.market = Market(instruments, slices, interval_ms, legs, shift_ms, history, seed)
        first = self.market.ready[0]
        self.now_us = first.start_ms * 1000
        self.faults = faults or Faults(seed=self.settings.seed)
        self.accounts: dict[int, Account] = {}
        self.log: deque[Seen] = deque(maxlen=self.settings.kept)
        self.happenings: deque[Happening] = deque(maxlen=self.settings.kept)
        self.asked = self.told = 0
        self.lag_ms = 0
        self.skew_ms = 0
        self.down_until_ms = 0
        self.observers: list[Callable[[Happening], None]] = []
        self.numbers = 0
        self.tasks: list[tuple[int, int, str, tuple[Any, ...]]] = []
        self.hub = Hub(
            self.settings,
            lambda: self.now_ms,
            lambda connection, text: self.faults.on_frame(connection, text, self.now_ms),
        )
        self.depth = Depth(self.settings.model.slippage, self.settings.seed)
        self.teller = Teller(self.hub, self.market, self.depth)
        self.trading = Trading(self.market, self.settings, self.number, self._order_fault, self._later, self.depth.best)
        self.strategies = Strategies(self.trading)
        self.chases = Chases(self.trading, self.depth.best, self._later)
        self.newsroom = Newsroom(self.hub, self.market, self.teller)
        self.gate = Gate(self.settings, verify)
        self.player = Player(self)
        if not self.settings.lockstep:
            self.player.begin()

    # ---- time

    @property
    def now_ms(self) -> int:
        return self.now_us // 1000

    def advance(self, until_ms: int) -> None:
        """Play the market and everything else that is due up to a moment, in order."""
        self.advance_us(until_ms * 1000)

    def advance_us(self, until_us: int) -> None:
        """The same, in microseconds."""
        while (due_ms := self.next_due_ms()) is not None and due_ms * 1000 <= until_us:
            self.now_us = max(self.now_us, due_ms * 1000)
            self._do_due(due_ms)
        self.now_us = max(self.now_us, until_us)

    def next_due_ms(self) -> int | None:
        """When something happens next by itself; None when nothing ever will."""
        due = [self.tasks[0][0]] if self.tasks else []
        if not self.settings.lockstep and (leg := self.player.next_ms()) is not None:
            due.append(leg)
        if (act_ms := self.faults.next_ms()) is not None:
            due.append(act_ms)
        for account in self.accounts.values():
            if account.countdowns:
                due += account.countdowns.values()
            if account.listen_key:
                due.append(account.listen_until_ms)
        due += [connection.next_tick_ms(self.settings) for connection in self.hub.connections.values()]
        return max(min(due), self.now_ms) if due else None

    def _do_due(self, now_ms: int) -> None:
        for fault in self.faults.due(now_ms):
            act(self, fault)
        while self.tasks and self.tasks[0][0] <= now_ms:
            _, _, what, details = heapq.heappop(self.tasks)
            self._do_task(what, *details)
        for account in self.accounts.values():
            for symbol in [symbol for symbol, due in account.countdowns.items() if due <= now_ms]:
                del account.countdowns[symbol]
                self.trading.cancel_all(account, symbol, now_ms)
            if account.listen_key and account.listen_until_ms <= now_ms:
                self.drop_listen_key(account, tell=True)
        for connection in list(self.hub.connections.values()):
            connection.tick(now_ms, self.settings)
        if not self.settings.lockstep and (leg := self.player.next_ms()) is not None and leg <= now_ms:
            self.player.play()
        self.tell()

    def _do_task(self, what: str, *details: Any) -> None:
        if what == "land":
            (request,) = details
            self._answer(request, find_route(request), landing=True)
            return
        account = self.accounts[details[0]]
        order = account.orders.get(details[1])
        if order is None:
            return
        if what == "cancel" and order.working:
            self.trading.cancel(account, order, self.now_ms, silent=True)
            silent = Happening(self.now_ms, account.number, "CANCELED", order, detail="by the venue")
            self.happenings.append(silent)
            for observe in self.observers:
                observe(silent)
        elif what == "chase":
            self.chases.follow(account, order, self.now_ms)
        elif what == "rest":
            self.trading.bring_rest(account, order, self.now_ms)

    def _later(self, due_ms: int, what: str, *details: Any) -> None:
        heapq.heappush(self.tasks, (due_ms, self.number(), what, details))

    # ---- requests

    def handle(self, request: Request) -> Response:
        """Answer one request as it came off the wire (`NO_ANSWER`: never; `DOWN`: nobody
        was there)."""
        if self.now_ms < self.down_until_ms:
            return DOWN
        route = find_route(request)
        fault = self.faults.on_request(request, self.now_ms)
        if fault and fault.outcome == "late":
            self._later(self.now_ms + fault.ms, "land", request)
        if fault and fault.outcome != "done":
            return self._faulted(request, fault, done=False)
        response = self._answer(request, route)
        if fault:
            return self._faulted(request, fault, done=True)
        if slow := self.faults.slow_ms(request, self.now_ms):
            response = msgspec.structs.replace(response, delay_ms=slow)
        return response

    def _faulted(self, request: Request, fault: Fault, *, done: bool) -> Response:
        if not done:
            self._note(0, request, fault.status, fault.code, fault.outcome, done=False)
        if fault.status == 0:
            return NO_ANSWER
        if fault.status == 403:
            return Response(403, {"Content-Type": "text/html"}, b"<html><body>403 Forbidden</body></html>")
        if fault.status == 503 and fault.code == 0:
            return Response(503, {"Content-Type": "text/html"}, b"<html><body>503 Service Unavailable</body></html>")
        words = CODES[fault.code].text if fault.code in CODES else "Internal error."
        headers = {"Retry-After": str(max(1, fault.ms // 1000))} if fault.status in (418, 429) else {}
        if fault.status == 418:
            self.gate.meter.ban(request.remote, self.now_ms, fault.ms)
        return reply({"code": fault.code or -1003, "msg": words}, fault.status, headers)

    def _answer(self, request: Request, route: Route | None, *, landing: bool = False) -> Response:
        """The reply; everything it led to has been told when this returns."""
        account = None
        headers: dict[str, str] = {}
        try:
            if route is None:
                raise Refusal(-1000, "Path not found.", status=404)
            params = Params.of(request)
            self.gate.weigh(request, route, params, headers, self.now_ms)
            self.lag_ms = self.faults.lag_ms(request, self.now_ms)
            if route.signed == "public":
                value = route.handler(self, params)
            else:
                lost = route.name == "noop" and self.faults.loses_void(request, self.now_ms)
                account = self.gate.admit(
                    request, route, params, self.accounts, self.now_us + self.skew_ms * 1000, lost
                )
                self.gate.count_orders(account, route, params, headers, self.now_ms)
                value = route.handler(self, account, params)
            response = reply(value, 200, headers)
            code = 0
        except Refusal as refusal:
            response = reply(refusal.body, refusal.status, headers)
            code = refusal.code
        except MoneyOverflow as beyond:
            response = reply(Refusal(-4005, str(beyond)).body, 400, headers)
            code = -4005
        number = account.number if account else 0
        fault = "landed late" if landing else ""
        self._note(number, request, response.status, code, fault, done=code == 0)
        self.tell()
        return response

    def _note(self, account: int, request: Request, status: int, code: int, fault: str, *, done: bool) -> None:
        self.asked += 1
        self.log.append(Seen(self.now_us, account, request, status, code, fault, done))

    # ---- accounts

    def add_account(self, credentials: Credentials, money: int) -> Account:
        """Open an account holding `money` units of the quote asset."""
        account = Account(len(self.accounts) + 1, credentials, self.settings, self.market.base_leg_ms)
        for ticker in self.market.tickers.values():
            account.list_instrument(ticker.instrument)
        self.accounts[account.number] = account
        self.gate.know(account)
        account.transfer(money, self.now_ms, self.number())
        self.player.welcome(account)
        self.tell()
        return account

    def number(self) -> int:
        """The next number: of an order, a trade, an income row."""
        self.numbers += 1
        return self.numbers

    def sees(self, order: OrderState) -> bool:
        """Whether a look-up finds the order now: not one too young (a fault) nor one long gone without fills."""
        if self.lag_ms and order.created_ms > self.now_ms - self.lag_ms:
            return False
        gone = not order.working and order.filled == 0
        return not (gone and order.updated_ms <= self.now_ms - self.settings.retention_ms)

    def new_listen_key(self, account: Account) -> str:
        return f"{account.number:08x}{self.number():056x}"

    def drop_listen_key(self, account: Account, *, tell: bool) -> None:
        """The key ends: its sockets stay open and nothing more arrives (aster-api 9)."""
        account.listen_key = ""
        for connection in list(self.hub.connections.values()):
            if connection.account == account.number:
                if tell:
                    self.hub.send(connection, {"e": "listenKeyExpired", "E": self.now_ms})
                connection.account = -1

    def tell(self) -> None:
        """Tell user streams and judges what has happened to accounts since."""
        for account in self.accounts.values():
            if account.changed:
                told, account.changed = account.changed, []
                self.happenings.extend(told)
                self.told += len(told)
                for observe in self.observers:
                    for happening in told:
                        observe(happening)
                self.newsroom.tell(account, told, self.now_ms)

    def _order_fault(self, account: Account, order: OrderState) -> OrderFault | None:
        return self.faults.on_order(account, order, self.now_ms) if self.faults.plan else None

    # ---- connections

    def connect(self, path: str, query: str = "", remote: str = "127.0.0.1") -> Connection:
        """Open a websocket: /ws/<stream or listen key>, /stream?streams=a/b, either behind /fstream too. Raises
        `Refusal` for a path there is not or too many streams."""
        if self.now_ms < self.down_until_ms:
            raise Refusal(-1001, status=503)
        path = path.removeprefix("/fstream")
        if path in ("/stream", "/stream/"):
            streams = [s for part in query.split("&") if part.startswith("streams=") for s in part[8:].split("/") if s]
            return self._connected(streams, combined=True, remote=remote)
        if path == "/ws" or path.startswith("/ws/"):
            streams = [s for s in path[3:].split("/") if s]
            return self._connected(streams, combined=False, remote=remote)
        raise Refusal(-1000, "Path not found.", status=404)

    def _connected(self, streams: Iterable[str], *, combined: bool, remote: str) -> Connection:
        heard, number = [], 0
        for stream in streams:
            owner = next((a for a in self.accounts.values() if a.listen_key and a.listen_key == stream), None)
            if owner:
                number = owner.number
            else:
                heard.append(stream)
        if len(heard) > self.settings.streams_per_connection:
            raise Refusal(-1000, "Too many streams.", status=400)
        return self.hub.open(streams=heard, combined=combined, account=number, remote=remote)
