"""Our order to the parameters of the venue's, and the venue's rows to our nouns (aster-api 6 and 7).

Sizes and prices of ours count the `Grid` the run began with; filters are those read last. So a grid the venue changes
in between refuses orders, and never silently changes what an integer means.
"""

import msgspec

from aister.adapters.exchanges.aster.amounts import product, rounded, text, units, whole
from aister.adapters.exchanges.aster.codes import meaning
from aister.adapters.exchanges.aster.filters import Wanted, breach
from aister.adapters.exchanges.aster.listing import Listing
from aister.adapters.exchanges.aster.messages import OrderReply, PositionRow, TradeRow
from aister.core.errors import DataError
from aister.core.instrument import Instrument
from aister.core.money import UNIT, divide_half_even
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.exchange import Execution, Refused, VenueOrder, VenuePosition, VenueStatus

__all__ = ["Grid", "Params", "execution", "grid_of", "order_params", "unasked", "venue_order", "venue_position"]

Params = tuple[tuple[str, str], ...]
LEGS = {"BOTH": 0, "LONG": 1, "SHORT": -1}
_POSITION_SIDES = {leg: name for name, leg in LEGS.items()}
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_KINDS = {one.name: one for one in OrderType}
_LEAST_CALLBACK_E8, _MOST_CALLBACK_E8 = 100_000, 5_000_000


class Grid(msgspec.Struct, frozen=True, array_like=True):
    """What one tick and one step are, in 1e-8."""

    tick: int
    step: int


def grid_of(known: Instrument | Listing) -> Grid:
    return Grid(known.tick_e8, known.step_e8) if isinstance(known, Instrument) else Grid(known.tick, known.lot.step)


def order_params(
    order: Order,
    grid: Grid,
    listed: Listing,
    *,
    mark_e8: int = 0,
    working_type: str = "MARK_PRICE",
    prevents: bool = False,
) -> Params | Refused:
    """The business parameters of an order that passes every filter, or why it does not.

    A market order that must not fill worse than `worst_ticks` goes out as LIMIT IOC at that price (the venue's MARKET
    has no bound), at the edge of the price band where that is nearer; a limit with a worst price is IOC too. Stops
    trigger on mark by default (Q28). A reduction is reduce-only in one-way mode; hedged, the leg says it (the flag is
    illegal there). `prevents`: should it meet an order of ours, an entry expires itself, a reduction the other (C13).
    """
    if order.close_position and order.type not in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET):
        return Refused(-4138, f"{order.type.name} cannot close a position by itself; send it with a quantity.")
    if not order.close_position and order.steps <= 0:
        return Refused(-4003, meaning(-4003).sentence)
    bounded = order.type is OrderType.MARKET and order.worst_ticks > 0
    trails = order.type is OrderType.TRAILING_STOP_MARKET
    price = order.price_ticks * grid.tick if order.type.limited else 0
    if bounded:
        price = _within_band(order.worst_ticks * grid.tick, order.side, listed, mark_e8)
    reduces = order.purpose is not Purpose.ENTRY and (order.reduce_only or order.close_position or order.leg != 0)
    wanted = Wanted(
        kind=OrderType.LIMIT if bounded else order.type,
        side=order.side,
        size=0 if order.close_position else order.steps * grid.step,
        price=price,
        trigger=(order.activation_ticks if trails else order.trigger_ticks if order.type.conditional else 0)
        * grid.tick,
        reduces=reduces,
        mark=mark_e8,
    )
    refused = _shape_breach(order, wanted) or breach(wanted, listed)
    if refused is not None:
        return refused
    params = [
        ("newClientOrderId", order.client_id),
        ("side", order.side.name),
        ("symbol", order.symbol),
        ("type", wanted.kind.name),
    ]
    if wanted.size:
        params.append(("quantity", text(wanted.size)))
    if wanted.price:
        params.append(("price", text(wanted.price)))
        params.append(("timeInForce", "IOC" if order.worst_ticks else "GTX" if order.post_only else "GTC"))
    if trails:
        params.append(("callbackRate", text(order.callback_e8 * 100)))
        if wanted.trigger:
            params.append(("activationPrice", text(wanted.trigger)))
    elif order.type.conditional:
        params.append(("stopPrice", text(wanted.trigger)))
    if order.type.conditional:
        params.append(("workingType", working_type))
        params.append(("priceProtect", "FALSE"))
    if order.close_position:
        params.append(("closePosition", "true"))
    elif order.reduce_only and order.leg == 0:
        params.append(("reduceOnly", "true"))
    if order.leg:
        params.append(("positionSide", _POSITION_SIDES[order.leg]))
    if order.type is OrderType.MARKET:
        params.append(("newOrderRespType", "RESULT"))
    if prevents and not order.type.conditional:
        params.append(("stpMode", "EXPIRE_TAKER" if order.purpose is Purpose.ENTRY else "EXPIRE_MAKER"))
    return tuple(params)


def _shape_breach(order: Order, wanted: Wanted) -> Refused | None:
    if wanted.kind.limited and wanted.price <= 0:
        return Refused(-4013, "A limit order needs a price above zero.")
    if order.type is OrderType.TRAILING_STOP_MARKET:
        callback = order.callback_e8
        if callback % _LEAST_CALLBACK_E8 or not _LEAST_CALLBACK_E8 <= callback <= _MOST_CALLBACK_E8:
            return Refused(-2007, meaning(-2007).sentence)
    elif order.type.conditional and wanted.trigger <= 0:
        return Refused(-4006, "A stop or take-profit needs a trigger above zero.")
    return None


def _within_band(price: int, side: Side, listed: Listing, mark: int) -> int:
    if mark and side is Side.BUY and listed.up:
        edge = mark * listed.up // UNIT
        return min(price, edge - edge % listed.tick)
    if mark and side is Side.SELL and listed.down:
        edge = -(-mark * listed.down // UNIT)
        return max(price, edge + -edge % listed.tick)
    return price


def venue_order(row: OrderReply, grid: Grid) -> VenueOrder:
    """Of a reply. A size between two steps (an order of somebody else's, in a grid that became finer) counts as the
    next one away from zero, so that it hides no other order. Raises `DataError` for a state or side unknown here."""
    status = "NEW" if row.status in ("NEW_INSURANCE", "NEW_ADL") else row.status
    if status not in VenueStatus.__members__ or row.side not in _SIDES or row.positionSide not in LEGS:
        raise DataError(f"The venue told of order {row.orderId} in words unknown here; query it on its own page.")
    return VenueOrder(
        client_id=row.clientOrderId,
        venue_id=row.orderId,
        symbol=row.symbol,
        side=_SIDES[row.side],
        kind=_KINDS.get(row.origType or row.type),
        status=VenueStatus[status],
        steps=_outward(units(row.origQty), grid.step),
        filled_steps=units(row.executedQty) // grid.step,
        price_ticks=_nearest(rounded(row.price), grid.tick),
        trigger_ticks=_nearest(rounded(row.stopPrice), grid.tick),
        reduce_only=row.reduceOnly,
        close_position=row.closePosition,
        leg=LEGS[row.positionSide],
        updated_ms=row.updateTime or row.time,
    )


def execution(row: TradeRow, client_id: str, grid: Grid, maker_e8: int, taker_e8: int) -> Execution:
    """Of one row of userTrades.

    The documents leave the sign of `commission` open (aster-api 7 [?]): a fee is paid when the account's rate for
    that role is not negative, whichever sign the row has. A price between two ticks (the venue's became finer while the
    position was held) is told as the nearest: a fill that is not told would be worse. Raises `DataError` for a size off
    the grid.
    """
    fee = abs(units(row.commission))
    return Execution(
        trade_id=row.id,
        venue_id=row.orderId,
        client_id=client_id,
        symbol=row.symbol,
        side=_side(row),
        steps=whole(units(row.qty), grid.step),
        price_ticks=_nearest(units(row.price), grid.tick),
        fee=-fee if (maker_e8 if row.maker else taker_e8) < 0 else fee,
        fee_asset=row.commissionAsset,
        realized=units(row.realizedPnl),
        maker=row.maker,
        leg=LEGS[row.positionSide],
        time_ms=row.time,
        liquidation=unasked(client_id),
    )


def _side(row: TradeRow) -> Side:
    if row.side not in _SIDES or row.positionSide not in LEGS:
        raise DataError(f"The venue told of trade {row.id} in words unknown here; see its own page.")
    return _SIDES[row.side]


def unasked(client_id: str) -> bool:
    """Whether the venue itself placed the order: liquidation or auto-deleveraging (aster-api 6)."""
    return client_id.startswith(("autoclose-", "adl_autoclose"))


def venue_position(row: PositionRow, grid: Grid) -> VenuePosition:
    """Of one row of positionRisk. A size between two steps (the venue's became finer) is told as one, so that it hides
    no other position. Raises `DataError` for words unknown here."""
    size = units(row.positionAmt)
    if row.positionSide not in LEGS:
        raise DataError(f"The venue told of a position of {row.symbol} in words unknown here; see its own page.")
    return VenuePosition(
        symbol=row.symbol,
        leg=LEGS[row.positionSide],
        steps=_outward(size, grid.step),
        cost=product(size, row.entryPrice),
        mark_ticks=_nearest(rounded(row.markPrice), grid.tick),
        liquidation_ticks=_nearest(max(0, rounded(row.liquidationPrice)), grid.tick),
        leverage=int(row.leverage),
        isolated=row.marginType.lower() == "isolated",
        entry_ticks=_nearest(max(0, rounded(row.entryPrice)), grid.tick),
        between=text(size) if size % grid.step else "",
    )


def _outward(amount: int, grid: int) -> int:
    """How many grid units hold the amount, sign kept."""
    steps = -(-abs(amount) // grid)
    return -steps if amount < 0 else steps


def _nearest(amount: int, grid: int) -> int:
    return divide_half_even(amount, grid)
