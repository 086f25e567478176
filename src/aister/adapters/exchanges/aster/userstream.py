"""What the venue tells of an account, as news (aster-api 9).

* The listen key lives 60 minutes; it is extended every 30. After `listenKeyExpired` the connection stays open and
  nothing more comes: a new key and a new connection.
* Events may come twice or out of order. An identical frame is dropped. Of an order the newest state counts: news of an
  older one is told only when it holds a trade, and then with the newest state beside it, so no trade is lost and no
  order goes back. Of a position only what is newer than the last is told.
* Whenever the stream is there again, what happened in between is unknown: `StreamState(up)` asks for a survey.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from aister.adapters.exchanges.aster.amounts import rounded, units, whole
from aister.adapters.exchanges.aster.contracts import Contracts
from aister.adapters.exchanges.aster.frames import (
    AccountFrame,
    ConfigFrame,
    ExpiredFrame,
    MarginCallFrame,
    OrderFrame,
    OrderRow,
    user_frame,
)
from aister.adapters.exchanges.aster.line import Line, LineSettings
from aister.adapters.exchanges.aster.messages import ListenKey, OrderReply, TradeRow, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.translate import LEGS, execution, venue_order
from aister.adapters.exchanges.aster.wire import Clock, Lost, Wire
from aister.core.errors import DataError
from aister.ports.exchange import (
    OrderNews,
    PositionNews,
    Refused,
    StreamState,
    TermsNews,
    VenueNews,
    VenueOrder,
)

__all__ = ["KEEP_MS", "UserStream"]

KEEP_MS = 30 * 60_000
_RETRY_MS = 30_000
_REMEMBERED = 4_096
_LINE = LineSettings(silence_ms=0)
_KEY = decoder(ListenKey)


class UserStream:
    """One account's stream. `heard` gets news as they come; nothing is held back. A frame that cannot be read, or
    that tells of what this system cannot express, ends the connection: what it said is then read by a survey."""

    def __init__(
        self,
        rest: Rest,
        wire: Wire,
        clock: Clock,
        contracts: Contracts,
        heard: Callable[[VenueNews], None],
        *,
        quote: str = "USDT",
        line: LineSettings = _LINE,
    ) -> None:
        self._rest, self._clock, self._contracts = rest, clock, contracts
        self._heard, self._quote = heard, quote
        self._line = Line(wire, clock, self._path, self._frame, self._told, line)
        self._key = ""
        self._seen: dict[bytes, None] = {}
        self._orders: dict[tuple[str, int], tuple[tuple[int, int, bool], VenueOrder]] = {}
        self._positions: dict[tuple[str, int], int] = {}
        self._wallet_ms = 0

    async def run(self) -> None:
        """Until cancelled."""
        keeper = asyncio.ensure_future(self._keep())
        try:
            await self._line.run()
        finally:
            keeper.cancel()

    # ---- the listen key

    async def _path(self) -> str | Lost:
        told = await self._rest.signed("listen_key", (), _KEY)
        if isinstance(told, ListenKey):
            if self._key and told.listenKey != self._key:  # while renewing: the connection in use is deaf
                self._line.renew("The listen key had expired.")
            self._key = told.listenKey
            return f"/ws/{told.listenKey}"
        return Lost(False, told.reason if isinstance(told, Refused) else told.why)

    async def _keep(self) -> None:
        """Asking for the key extends it, and tells whether the one in use still lives (aster-api 9)."""
        wait = KEEP_MS
        while True:
            await self._clock.sleep(wait)
            wait = KEEP_MS
            if not self._key:
                continue
            told = await self._rest.signed("listen_key", (), _KEY)
            if not isinstance(told, ListenKey):
                wait = _RETRY_MS
            elif told.listenKey != self._key:
                self._line.renew("The listen key had expired.")

    def _told(self, up: bool, why: str) -> None:
        if not up:
            self._key = ""
        self._heard(StreamState(self._rest.time.now_ms(), up, why))

    # ---- frames

    def _frame(self, raw: bytes) -> None:
        if raw in self._seen:
            return
        self._seen[raw] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        try:
            frame = user_frame(raw)
            match frame:
                case OrderFrame():
                    self._order(frame)
                case AccountFrame():
                    self._account(frame)
                case ConfigFrame():
                    self._config(frame)
                case ExpiredFrame():
                    self._line.renew("The listen key expired.")
                case MarginCallFrame() | None:
                    pass
        except (ValueError, DataError) as problem:
            self._line.renew(f"The stream told what cannot be read here ({problem}).")

    def _order(self, frame: OrderFrame) -> None:
        row = frame.order
        grid = self._contracts.grid(row.symbol)
        order = venue_order(_as_reply(row, frame.time_ms), grid)
        key = (row.symbol, row.venue_id)
        place = (frame.time_ms, order.filled_steps, not order.status.working)
        newest, state = self._orders.get(key, (place, order))
        late = place < newest
        if not late:
            state = order
            self._orders.pop(key, None)
            self._orders[key] = (place, order)
            if len(self._orders) > _REMEMBERED:
                del self._orders[next(iter(self._orders))]
        traded = None
        if row.trade_id and row.last_size:
            maker, taker = self._contracts.fees(row.symbol)
            traded = execution(_as_trade(row, frame.time_ms), row.client_id, grid, maker, taker)
        if not late or traded is not None:
            self._heard(OrderNews(frame.time_ms, state, traded))

    def _account(self, frame: AccountFrame) -> None:
        told = frame.account
        moved: list[tuple[str, int, int]] = []
        for one in told.positions:
            if one.position_side not in LEGS:
                raise DataError(f"a position of {one.symbol} on the side {one.position_side[:20]}")
            leg = LEGS[one.position_side]
            if frame.time_ms >= self._positions.get((one.symbol, leg), 0):
                self._positions[one.symbol, leg] = frame.time_ms
                steps = whole(units(one.amount), self._contracts.grid(one.symbol).step)
                moved.append((one.symbol, leg, steps))
        wallet, change = None, Decimal(0)
        for balance in told.balances:
            if balance.asset == self._quote:
                change += balance.change
                if frame.time_ms >= self._wallet_ms:
                    self._wallet_ms, wallet = frame.time_ms, rounded(balance.wallet)
        if moved or wallet is not None or change:
            self._heard(PositionNews(frame.time_ms, told.reason, wallet, tuple(moved), rounded(change)))
        if told.reason == "MARGIN_TYPE_CHANGE":
            for one in told.positions:
                self._heard(TermsNews(frame.time_ms, one.symbol, f"margin type is {one.margin_type}"))

    def _config(self, frame: ConfigFrame) -> None:
        if frame.leverage is not None:
            what = f"leverage is {frame.leverage.leverage}"
            self._heard(TermsNews(frame.time_ms, frame.leverage.symbol, what))
        if frame.modes is not None:
            modes = frame.modes
            said = ("multi-assets mode", modes.multi_assets), ("hedge mode", modes.hedged)
            what = ", ".join(f"{name} is {'on' if on else 'off'}" for name, on in said if on is not None)
            self._heard(TermsNews(frame.time_ms, "", what or "account settings changed"))


def _as_reply(row: OrderRow, time_ms: int) -> OrderReply:
    """A frame's order in the shape replies have. A liquidation is CALCULATED there, its state is in X."""
    return OrderReply(
        orderId=row.venue_id,
        symbol=row.symbol,
        status=row.status,
        clientOrderId=row.client_id,
        side=row.side,
        type=row.kind,
        origType=row.original,
        positionSide=row.position_side,
        price=row.price,
        origQty=row.size,
        executedQty=row.filled,
        stopPrice=row.trigger,
        reduceOnly=row.reduce_only,
        closePosition=row.close_position,
        updateTime=row.traded_ms or time_ms,
    )


def _as_trade(row: OrderRow, time_ms: int) -> TradeRow:
    return TradeRow(
        symbol=row.symbol,
        id=row.trade_id,
        orderId=row.venue_id,
        side=row.side,
        price=row.last_price,
        qty=row.last_size,
        time=row.traded_ms or time_ms,
        realizedPnl=row.realized,
        commission=row.fee,
        commissionAsset=row.fee_asset or "",
        positionSide=row.position_side,
        maker=row.maker,
    )
