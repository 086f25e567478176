"""One AsterDex account as a port `Exchange`: our nouns in, our nouns out, every call ending in a value."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from aister.adapters.exchanges.aster.amounts import rounded, units
from aister.adapters.exchanges.aster.codes import Kind, meaning
from aister.adapters.exchanges.aster.contracts import Contracts
from aister.adapters.exchanges.aster.governor import Rank
from aister.adapters.exchanges.aster.instruments import InstrumentChanged
from aister.adapters.exchanges.aster.messages import (
    BalanceRow,
    MultiAssets,
    OrderReply,
    PositionMode,
    PositionRow,
    PremiumIndex,
    decoder,
)
from aister.adapters.exchanges.aster.paging import all_income, all_trades
from aister.adapters.exchanges.aster.rest import Params, Rest
from aister.adapters.exchanges.aster.translate import execution, order_params, venue_order, venue_position
from aister.core.errors import DataError
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.core.trade import Order, Purpose
from aister.ports.exchange import (
    AccountTerms,
    Answer,
    Cancelled,
    Execution,
    Money,
    Open,
    Placed,
    Refused,
    Unknown,
    Unreachable,
    VenueOrder,
    VenuePosition,
)

__all__ = ["AsterAccount"]

T = TypeVar("T")
_FRESH_MS = 5_000
_TIME_MS = 10_000
_YOUNG_MS = 300_000
_MOST_SKEW_MS = {"v3": 30_000, "v1": 900}
_KEPT_IDS = 20_000
_PROTECTING_MS = 1_000
"""How long the answer to a stop, a close or a cancel is waited for: another one beside it does no harm."""
_ANSWERS = (Refused, Unknown, Unreachable)
_ORDER = decoder(OrderReply)
_ORDERS = decoder(tuple[OrderReply, ...])
_POSITIONS = decoder(tuple[PositionRow, ...])
_BALANCES = decoder(tuple[BalanceRow, ...])
_MODE = decoder(PositionMode)
_MULTI = decoder(MultiAssets)
_MARK = decoder(PremiumIndex)


class _Any(msgspec.Struct):
    """A reply of which only the success counts."""


_DONE = decoder(_Any)


class AsterAccount:
    """`epoch` is the lease's, carried by every order; set it when the lease is taken. `working_type` is what resting
    stops trigger on."""

    def __init__(
        self,
        rest: Rest,
        symbols: Iterable[str],
        *,
        source: str,
        quote: str = "USDT",
        working_type: str = "MARK_PRICE",
        assumed: Mapping[str, Instrument] | None = None,
    ) -> None:
        self.rest = rest
        self.contracts = Contracts(rest, symbols, source=source, assumed=assumed)
        self.epoch = -1
        self._quote = quote
        self._working_type = working_type
        self._marks: dict[str, tuple[int, int]] = {}
        self._ids: dict[int, str] = {}
        self._time_due = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.contracts.symbols

    def now_ms(self) -> int:
        """The venue's clock as estimated here."""
        return self.rest.time.now_ms()

    def told_mark(self, symbol: str, mark_e8: int) -> None:
        """The mark price a stream told just now (1e-8), so that no order has to wait for one."""
        self._marks[symbol] = (mark_e8, self.now_ms())

    def learn(self, venue_id: int, client_id: str) -> None:
        """Which of our ids the venue's number stands for: its trades carry only the number."""
        if len(self._ids) >= _KEPT_IDS:
            self._ids.pop(next(iter(self._ids)))
        self._ids[venue_id] = client_id

    # ---- orders -------------------------------------------------------------------------------------------------

    async def place(self, order: Order) -> Placed | Answer:
        enters = order.purpose is Purpose.ENTRY
        listed = self.contracts.listing(order.symbol)
        if listed is None:
            return Refused(-1121, f"{order.symbol}: {meaning(-1121).sentence}")
        if enters and self.clock_is_wrong():
            return Refused(-1021, meaning(-1021).sentence)
        mark = await self._mark(order.symbol, wait=enters)
        if not isinstance(mark, int):
            return mark
        grid = self.contracts.grid(order.symbol)
        prevents = self.rest.scheme == "v3"
        params = order_params(order, grid, listed, mark_e8=mark, working_type=self._working_type, prevents=prevents)
        if isinstance(params, Refused):
            return self._noted(params)
        price = (order.worst_ticks or order.price_ticks or order.trigger_ticks) * grid.tick or mark
        reply = await self.rest.signed(
            "place",
            params,
            _ORDER,
            Rank.ENTER if enters else Rank.PROTECT,
            right="trade" if enters else "reduce",
            epoch=self.epoch,
            notional=price * order.steps * grid.step // UNIT,
            timeout_ms=0 if enters else _PROTECTING_MS,
        )
        told = self._order(reply)
        return Placed(told) if isinstance(told, VenueOrder) else told

    async def cancel(self, symbol: str, client_id: str) -> Cancelled | Answer:
        params = (("origClientOrderId", client_id), ("symbol", symbol))
        reply = await self.rest.signed(
            "cancel", params, _ORDER, Rank.PROTECT, right="reduce", epoch=self.epoch, timeout_ms=_PROTECTING_MS
        )
        told = self._order(reply)
        if not isinstance(told, VenueOrder):
            return told
        if told.status.working:
            return Unknown(
                f"The venue took the cancel of {client_id} and still calls it {told.status}.", 0, self.now_ms()
            )
        return Cancelled(client_id, told.filled_steps)

    async def void(self, nonce_us: int) -> bool | Answer:
        reply = await self.rest.signed(
            "noop", (), _DONE, Rank.PROTECT, right="reduce", epoch=self.epoch, nonce_us=nonce_us
        )
        if isinstance(reply, Refused) and reply.code == -4225:
            return False  # the nonce was seen: the request itself arrived, or is too old; reads must tell
        return self._done(reply)

    # ---- reading ------------------------------------------------------------------------------------------------

    async def order(self, symbol: str, client_id: str) -> VenueOrder | Answer | None:
        told = await self._query((("origClientOrderId", client_id), ("symbol", symbol)))
        return None if isinstance(told, Refused) and meaning(told.code).kind is Kind.ABSENT else told

    async def _query(self, params: Params) -> VenueOrder | Answer:
        reply = await self.rest.signed("order", params, _ORDER)
        return self._order(reply)

    async def open_orders(self, symbol: str = "") -> tuple[VenueOrder, ...] | Answer:
        reply = await self.rest.signed("open_orders", (("symbol", symbol),) if symbol else (), _ORDERS)
        if not isinstance(reply, tuple):
            return self._noted(reply)
        told = [self._order(row) for row in reply]
        return next((one for one in told if not isinstance(one, VenueOrder)), None) or tuple(
            one for one in told if isinstance(one, VenueOrder)
        )

    async def executions(self, symbol: str, since_ms: int) -> tuple[Execution, ...] | Answer:
        rows = await all_trades(self.rest, symbol, since_ms)
        if not isinstance(rows, tuple):
            return self._noted(rows)
        grid, listed = self.contracts.grid(symbol), self.contracts.listing(symbol)
        if listed is not None and listed.lot.step == grid.step:  # what is off the grid in force was done in a finer one
            rows = tuple(row for row in rows if units(row.qty) % grid.step == 0)
        for number, time_ms in {row.orderId: row.time for row in rows if row.orderId not in self._ids}.items():
            told = await self._query((("orderId", str(number)), ("symbol", symbol)))
            if isinstance(told, Refused) and meaning(told.code).kind is Kind.ABSENT:
                if self.now_ms() - time_ms < _YOUNG_MS:
                    return Unknown(
                        f"The venue tells of a trade of order {number} and not yet of the order.", 0, time_ms
                    )
                self.learn(number, "")  # the venue forgot it
            elif not isinstance(told, VenueOrder):
                return told
        maker, taker = self.contracts.fees(symbol)
        try:
            done = [execution(row, self._ids.get(row.orderId, ""), grid, maker, taker) for row in rows]
        except DataError as error:
            return Unknown(str(error), 0, self.now_ms())
        return tuple(sorted(done, key=lambda one: (one.time_ms, one.trade_id)))

    async def positions(self, symbol: str = "") -> tuple[VenuePosition, ...] | Answer:
        reply = await self.rest.signed("positions", (("symbol", symbol),) if symbol else (), _POSITIONS)
        if not isinstance(reply, tuple):
            return self._noted(reply)
        try:
            return tuple(
                venue_position(row, self.contracts.grid(row.symbol))
                for row in reply
                if row.positionAmt or row.symbol in self.contracts.symbols
            )
        except DataError as error:
            return Unknown(str(error), 0, self.now_ms())

    async def money(self) -> Money | Answer:
        """Of the quote asset."""
        reply = await self.rest.signed("balance", (), _BALANCES)
        if not isinstance(reply, tuple):
            return self._noted(reply)
        try:
            return next(
                (
                    Money(rounded(row.balance), rounded(row.availableBalance))
                    for row in reply
                    if self._quote == row.asset
                ),
                Money(0, 0),
            )
        except DataError as error:
            return Unknown(str(error), 0, self.now_ms())

    async def terms(self) -> AccountTerms | Answer:
        """Position mode and multi-assets mode."""
        asked_mode = self.rest.signed("position_mode", (), _MODE)
        asked_multi = self.rest.signed("multi_assets", (), _MULTI)
        mode, multi = await asyncio.gather(asked_mode, asked_multi)
        if not isinstance(mode, PositionMode):
            return self._noted(mode)
        if not isinstance(multi, MultiAssets):
            return self._noted(multi)
        return AccountTerms(mode.dualSidePosition, multi.multiAssetsMargin)

    async def survey(self) -> Open | Answer:
        time_ms = await self.server_time()
        if not isinstance(time_ms, int):
            return time_ms
        orders, positions, money, terms = await asyncio.gather(
            self.open_orders(), self.positions(), self.money(), self.terms()
        )
        if isinstance(orders, _ANSWERS):
            return orders
        if isinstance(positions, _ANSWERS):
            return positions
        if isinstance(money, _ANSWERS):
            return money
        return terms if isinstance(terms, _ANSWERS) else Open(time_ms, orders, positions, money, terms)

    async def income(self, since_ms: int, until_ms: int) -> tuple[tuple[int, str, str, int], ...] | Answer:
        rows = await all_income(self.rest, since_ms, until_ms)
        if not isinstance(rows, tuple):
            return self._noted(rows)
        try:
            quote = [row for row in rows if row.asset in ("", self._quote)]
            return tuple((row.time, row.symbol, row.incomeType, units(row.income)) for row in quote)
        except DataError as error:
            return Unknown(str(error), 0, self.now_ms())

    # ---- settings and what is known about the venue ---------------------------------------------------------------

    async def set_leverage(self, symbol: str, leverage: int) -> bool | Answer:
        params = (("leverage", str(leverage)), ("symbol", symbol))
        reply = await self.rest.signed("leverage", params, _DONE, right="trade", epoch=self.epoch)
        return self._done(reply)

    async def set_isolated(self, symbol: str, isolated: bool) -> bool | Answer:
        params = (("marginType", "ISOLATED" if isolated else "CROSSED"), ("symbol", symbol))
        reply = await self.rest.signed("margin_type", params, _DONE, right="trade", epoch=self.epoch)
        return self._done(reply)

    async def instruments(self) -> dict[str, Instrument] | Answer:
        told = await self.contracts.read()
        return self.contracts.instruments if isinstance(told, tuple) else self._noted(told)

    async def server_time(self) -> int | Answer:
        told = await self.rest.server_time()
        if isinstance(told, int):
            self._time_due = self.now_ms() + _TIME_MS
        return told

    async def attend(self) -> tuple[InstrumentChanged, ...] | Answer:
        """What is due: the clock every 10 s (which keeps a connection warm), the contracts every 5 minutes and after a
        telling refusal. Call it about every second."""
        if self.rest.time.watch() or not self.rest.time.measured or self.now_ms() >= self._time_due:
            told = await self.server_time()
            if not isinstance(told, int):
                return told
        return await self.contracts.read() if self.contracts.due else ()

    def clock_is_wrong(self) -> bool:
        """Whether this machine's wall clock, of which nonces are made, is too far from the venue's to enter on."""
        return abs(self.rest.time.skew_ms()) > _MOST_SKEW_MS[self.rest.scheme]

    async def _mark(self, symbol: str, *, wait: bool) -> int | Answer:
        """Mark price in 1e-8; asked for when what is known is old and `wait`, else 0 = unknown."""
        mark, at = self._marks.get(symbol, (0, 0))
        if mark and self.now_ms() - at <= _FRESH_MS:
            return mark
        if not wait:
            return 0
        told = await self.rest.public("premium_index", (("symbol", symbol),), _MARK, Rank.ENTER)
        if not isinstance(told, PremiumIndex):
            return Unreachable(told.why, self.now_ms()) if isinstance(told, Unknown) else told
        self.told_mark(symbol, rounded(told.markPrice))
        return self._marks[symbol][0]

    def _order(self, reply: OrderReply | Answer) -> VenueOrder | Answer:
        if not isinstance(reply, OrderReply):
            return self._noted(reply)
        self.learn(reply.orderId, reply.clientOrderId)
        try:
            return venue_order(reply, self.contracts.grid(reply.symbol))
        except DataError as error:
            return Unknown(str(error), 0, self.now_ms())

    def _done(self, reply: _Any | Answer) -> bool | Answer:
        if isinstance(reply, Refused) and meaning(reply.code).kind is Kind.DONE:
            return True
        return True if isinstance(reply, _Any) else self._noted(reply)

    def _noted(self, answer: Answer) -> Answer:
        """The answer, after noting what it tells about contracts and clock."""
        if isinstance(answer, Refused):
            kind = meaning(answer.code).kind
            self.contracts.stale = self.contracts.stale or kind is Kind.STALE
            if kind is Kind.CLOCK:
                self._time_due = 0
        return answer
