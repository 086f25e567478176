"""What a venue must do, case by case, whichever it is: `SimVenue`, the simulator over the wire, testnet by hand.

A case is a function of a `Subject`; its id stays when its words change. `needs`: what the venue must be able to do for
the case ("market": its market can be moved, "hedge": it holds a long and a short leg). Sources: aster-api is the API
reference, "fills" is docs/fills.md.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from aister.core.instrument import Instrument
from aister.core.money import apply_rate
from aister.core.trade import Order, OrderType, Purpose, Side

__all__ = ["CASES", "Case", "Done", "Subject"]


class Done(NamedTuple):
    """One execution."""

    client_id: str
    side: int
    steps: int
    ticks: int
    fee: int
    maker: bool


class Subject(Protocol):
    """A venue under test, with one account that begins flat. `size`: steps of an ordinary order. Prices in ticks."""

    instrument: Instrument
    size: int
    taker_e8: int

    def last(self) -> int: ...
    def place(self, order: Order) -> str:
        """Empty when it was taken, else the refusal: code and words."""
        ...

    def cancel(self, client_id: str) -> bool:
        """Whether an order was there and is gone."""
        ...

    def settle_down(self) -> None:
        """Let everything act that is due without the market moving."""
        ...

    def move(self, *, low: int = 0, high: int = 0, close: int = 0, opens: int = 0, funding_e8: int = 0) -> None:
        """The market moves for a minute: from `opens` (default: where it stands) over the extremes to `close`."""
        ...

    def working(self) -> list[str]:
        """Client ids on the book, oldest first."""
        ...

    def held(self, leg: int = 0) -> int: ...
    def fills(self) -> list[Done]: ...
    def wallet(self) -> int: ...
    def fresh_id(self) -> str: ...


class Case(msgspec.Struct, frozen=True):
    id: str
    says: str
    source: str
    needs: frozenset[str]
    check: Callable[[Subject], None]


CASES: list[Case] = []


def case(id_: str, source: str, *needs: str) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
    def add(check: Callable[[Subject], None]) -> Callable[[Subject], None]:
        CASES.append(Case(id_, (check.__doc__ or "").strip(), source, frozenset(needs), check))
        return check

    return add


def _order(venue: Subject, side: int, kind: OrderType = OrderType.MARKET, steps: int = 0, **given: object) -> Order:
    closes = bool(given.get("close_position"))
    reduces = closes or bool(given.get("reduce_only"))
    made = {
        "client_id": venue.fresh_id(),
        "intent_id": "conformance",
        "symbol": venue.instrument.symbol,
        "side": Side(side),
        "type": kind,
        "purpose": Purpose.CLOSE if reduces else Purpose.ENTRY,
        "steps": 0 if closes else steps or venue.size,
        "price_ticks": 0,
        "trigger_ticks": 0,
        "reduce_only": False,
        "close_position": False,
    }
    return Order(**{**made, **given})  # type: ignore[arg-type]


def _enter(venue: Subject, side: int = 1, steps: int = 0) -> None:
    assert venue.place(_order(venue, side, steps=steps)) == ""
    venue.settle_down()
    assert venue.held() == side * (steps or venue.size)


def _far(venue: Subject, share: float) -> int:
    """A price this share away from the last one."""
    return round(venue.last() * (1 + share))


def _refused(reason: str, *codes: int) -> None:
    assert reason.split(" ", maxsplit=1)[0] in {str(code) for code in codes}, reason or "it was taken"


# ---- orders that act at once ------------------------------------------------------------------------------------


@case("VC-001", "aster-api 6")
def market_opens(venue: Subject) -> None:
    """A market order holds exactly its size afterwards, and leaves nothing on the book."""
    for side in (1, -1):
        before = venue.held()
        assert venue.place(_order(venue, side)) == ""
        venue.settle_down()
        assert venue.held() == before + side * venue.size
    assert venue.working() == []
    assert sum(done.side * done.steps for done in venue.fills()) == 0


@case("VC-002", "aster-api 6, one-way")
def market_turns(venue: Subject) -> None:
    """One-way, selling more than is held turns the position around."""
    _enter(venue)
    assert venue.place(_order(venue, -1, steps=3 * venue.size)) == ""
    venue.settle_down()
    assert venue.held() == -2 * venue.size


@case("VC-003", "aster-api 6, reduceOnly")
def reduce_only_clips(venue: Subject) -> None:
    """A reduce-only order larger than the position closes it and no more."""
    _enter(venue)
    assert venue.place(_order(venue, -1, steps=3 * venue.size, reduce_only=True)) == ""
    venue.settle_down()
    assert venue.held() == 0
    assert venue.working() == []


@case("VC-004", "aster-api 6, reduceOnly; -2022")
def reduce_only_while_flat(venue: Subject) -> None:
    """Reduce-only with nothing to reduce is refused."""
    _refused(venue.place(_order(venue, -1, reduce_only=True)), -2022)


@case("VC-005", "aster-api 6, timeInForce IOC; fills, worst price")
def worst_price(venue: Subject) -> None:
    """A market entry whose worst price the market is beyond fills nothing and is gone."""
    assert venue.place(_order(venue, 1, worst_ticks=_far(venue, -0.01))) == ""
    venue.settle_down()
    assert (venue.held(), venue.working()) == (0, [])


@case("VC-006", "aster-api 6, GTX")
def post_only_never_takes(venue: Subject) -> None:
    """A post-only order that would take does not: it is refused, or expires."""
    order = _order(venue, 1, OrderType.LIMIT, price_ticks=_far(venue, 0.01), post_only=True)
    reason = venue.place(order)
    venue.settle_down()
    assert (venue.held(), venue.working()) == (0, [])
    if reason:
        _refused(reason, -2010, -5022)


@case("VC-007", "aster-api 7, userTrades; fills, fees")
def taker_fee(venue: Subject) -> None:
    """A taker pays its rate of notional, half-even, in the quote asset."""
    _enter(venue)
    for done in venue.fills():
        assert not done.maker
        notional = done.steps * done.ticks * venue.instrument.unit
        assert done.fee == apply_rate(notional, venue.taker_e8)


@case("VC-008", "aster-api 7, balance and income")
def wallet_adds_up(venue: Subject) -> None:
    """After a round trip the wallet has changed by what the fills say, fees included, to the unit."""
    before, seen = venue.wallet(), len(venue.fills())
    _enter(venue)
    assert venue.place(_order(venue, -1, reduce_only=True)) == ""
    venue.settle_down()
    assert venue.held() == 0
    cash = sum(-d.side * d.steps * d.ticks * venue.instrument.unit - d.fee for d in venue.fills()[seen:])
    assert venue.wallet() - before == cash


# ---- the book ---------------------------------------------------------------------------------------------------


@case("VC-010", "aster-api 6; 7, openOrders")
def limit_rests(venue: Subject) -> None:
    """A limit away from the market rests under its own id until it is cancelled."""
    order = _order(venue, 1, OrderType.LIMIT, price_ticks=_far(venue, -0.02))
    assert venue.place(order) == ""
    venue.settle_down()
    assert venue.working() == [order.client_id]
    assert venue.cancel(order.client_id)
    assert (venue.working(), venue.held()) == ([], 0)


@case("VC-011", "aster-api 6; -2011")
def cancel_twice(venue: Subject) -> None:
    """Cancelling what is not there does nothing."""
    order = _order(venue, 1, OrderType.LIMIT, price_ticks=_far(venue, -0.02))
    assert not venue.cancel(order.client_id)
    assert venue.place(order) == ""
    assert venue.cancel(order.client_id)
    assert not venue.cancel(order.client_id)


@case("VC-012", "aster-api 6, newClientOrderId; -4015")
def id_is_unique_while_open(venue: Subject) -> None:
    """A client id that is open is refused; one that is gone may come again, so an id does not de-duplicate."""
    order = _order(venue, 1, OrderType.LIMIT, price_ticks=_far(venue, -0.02))
    assert venue.place(order) == ""
    _refused(venue.place(order), -4015)
    assert venue.working() == [order.client_id]
    assert venue.cancel(order.client_id)
    assert venue.place(order) == ""
    assert venue.cancel(order.client_id)


@case("VC-013", "aster-api 5, LOT_SIZE; -4005")
def largest_size(venue: Subject) -> None:
    """More than the largest size is refused, of limits and of market orders."""
    terms = venue.instrument
    limit = _order(venue, 1, OrderType.LIMIT, terms.max_steps + 1, price_ticks=_far(venue, -0.02))
    _refused(venue.place(limit), -4005)
    _refused(venue.place(_order(venue, 1, steps=terms.market_max_steps + 1)), -4005)


@case("VC-014", "aster-api 5, MIN_NOTIONAL; -4164")
def least_notional(venue: Subject) -> None:
    """Less than the least notional is refused, of an entry."""
    price = _far(venue, -0.02)
    steps = (venue.instrument.min_notional - 1) // (price * venue.instrument.unit)
    if steps >= venue.instrument.min_steps:
        _refused(venue.place(_order(venue, 1, OrderType.LIMIT, steps, price_ticks=price)), -4164)


@case("VC-015", "aster-api 5, PERCENT_PRICE; -4016, -4024")
def price_band(venue: Subject) -> None:
    """A buy above the band over mark and a sell below it are refused."""
    terms = venue.instrument
    above = venue.last() * terms.band_up_e8 // 10**8 + 100
    below = venue.last() * terms.band_down_e8 // 10**8 - 100
    _refused(venue.place(_order(venue, 1, OrderType.LIMIT, price_ticks=above)), -4016)
    _refused(venue.place(_order(venue, -1, OrderType.LIMIT, price_ticks=below)), -4024)


@case("VC-016", "aster-api 10; -2019, -2027")
def margin(venue: Subject) -> None:
    """An entry that the account cannot pay for is refused."""
    price = _far(venue, -0.01)
    most = min(venue.instrument.max_steps, 200 * venue.wallet() // (price * venue.instrument.unit))
    _refused(venue.place(_order(venue, 1, OrderType.LIMIT, most, price_ticks=price)), -2019, -2027)


# ---- triggers ---------------------------------------------------------------------------------------------------


@case("VC-020", "aster-api 6, triggers; -2021, -4142")
def no_trigger_behind_the_market(venue: Subject) -> None:
    """What would trigger at once is refused."""
    _enter(venue)
    for kind, share in ((OrderType.STOP_MARKET, 0.01), (OrderType.TAKE_PROFIT_MARKET, -0.01)):
        order = _order(venue, -1, kind, trigger_ticks=_far(venue, share), close_position=True)
        _refused(venue.place(order), -2021, -4142)


@case("VC-021", "quant Q28; aster-api 6, closePosition")
def stop_beside_stop(venue: Subject) -> None:
    """A better closePosition stop is taken beside the old one, which is cancelled then."""
    _enter(venue)
    first = _order(venue, -1, OrderType.STOP_MARKET, trigger_ticks=_far(venue, -0.03), close_position=True)
    second = _order(venue, -1, OrderType.STOP_MARKET, trigger_ticks=_far(venue, -0.02), close_position=True)
    assert venue.place(first) == ""
    assert venue.place(second) == ""
    assert venue.working() == [first.client_id, second.client_id]
    assert venue.cancel(first.client_id)
    assert venue.working() == [second.client_id]


@case("VC-022", "aster-api 6, STOP_MARKET, closePosition", "market")
def stop_closes_everything(venue: Subject) -> None:
    """A closePosition stop leaves nothing of the position, whatever it has grown to."""
    for side in (1, -1):
        _enter(venue, side)
        stop = _order(venue, -side, OrderType.STOP_MARKET, trigger_ticks=_far(venue, -0.01 * side), close_position=True)
        assert venue.place(stop) == ""
        assert venue.place(_order(venue, side)) == ""
        venue.settle_down()
        assert venue.held() == 2 * side * venue.size
        venue.move(close=_far(venue, -0.012 * side))
        assert (venue.held(), venue.working()) == (0, [])
        assert venue.fills()[-1].client_id == stop.client_id


@case("VC-023", "aster-api 6, triggers", "market")
def a_tick_short(venue: Subject) -> None:
    """A stop acts where its trigger is reached, and a tick before it does not."""
    _enter(venue)
    trigger = _far(venue, -0.01)
    stop = _order(venue, -1, OrderType.STOP_MARKET, trigger_ticks=trigger, close_position=True)
    assert venue.place(stop) == ""
    venue.move(low=trigger + 1, close=_far(venue, -0.005))
    assert (venue.held(), venue.working()) == (venue.size, [stop.client_id])
    venue.move(low=trigger, close=_far(venue, 0.002))
    assert (venue.held(), venue.working()) == (0, [])


@case("VC-024", "aster-api 6, TAKE_PROFIT_MARKET, reduceOnly", "market")
def target_takes_its_share(venue: Subject) -> None:
    """A reduce-only take-profit closes its own size and leaves the rest."""
    _enter(venue, steps=2 * venue.size)
    target = _order(venue, -1, OrderType.TAKE_PROFIT_MARKET, trigger_ticks=_far(venue, 0.01), reduce_only=True)
    assert venue.place(target) == ""
    venue.move(close=_far(venue, 0.012))
    assert (venue.held(), venue.working()) == (venue.size, [])
    assert venue.fills()[-1].ticks > venue.fills()[0].ticks


@case("VC-025", "aster-api 6, TRAILING_STOP_MARKET; fills", "market")
def trailing_follows(venue: Subject) -> None:
    """A trailing stop rises with the market and acts its callback below the best price."""
    _enter(venue)
    start = venue.last()
    trail = _order(venue, -1, OrderType.TRAILING_STOP_MARKET, reduce_only=True, callback_e8=1_000_000)
    assert venue.place(trail) == ""
    venue.move(close=round(start * 1.02))
    assert venue.held() == venue.size
    venue.move(close=round(start * 1.02 * 0.988))
    assert (venue.held(), venue.working()) == (0, [])
    assert start < venue.fills()[-1].ticks <= round(start * 1.02 * 0.9901)


@case("VC-026", "fills, resting limits", "market")
def limit_through(venue: Subject) -> None:
    """A limit that is only touched rests; traded through by a tick it fills at its own price as maker."""
    price = _far(venue, -0.01)
    order = _order(venue, 1, OrderType.LIMIT, price_ticks=price)
    assert venue.place(order) == ""
    venue.move(low=price, close=_far(venue, -0.005))
    assert (venue.held(), venue.working()) == (0, [order.client_id])
    venue.move(low=price - 1, close=_far(venue, -0.002))
    assert (venue.held(), venue.working()) == (venue.size, [])
    [done] = venue.fills()
    assert (done.ticks, done.maker) == (price, True)
    assert done.fee <= apply_rate(done.steps * done.ticks * venue.instrument.unit, venue.taker_e8)


@case("VC-027", "aster-api 6, STOP", "market")
def stop_limit_keeps_its_limit(venue: Subject) -> None:
    """A stop-limit that price leaps over rests at its limit: it never fills worse."""
    _enter(venue)
    trigger, limit = _far(venue, -0.01), _far(venue, -0.011)
    order = _order(venue, -1, OrderType.STOP, trigger_ticks=trigger, price_ticks=limit, reduce_only=True)
    assert venue.place(order) == ""
    venue.move(opens=_far(venue, -0.02), close=_far(venue, -0.02))
    assert (venue.held(), venue.working()) == (venue.size, [order.client_id])
    venue.move(close=limit + 50)
    assert (venue.held(), venue.working()) == (0, [])
    assert venue.fills()[-1].ticks >= limit


@case("VC-028", "aster-api 7, funding; fills", "market")
def funding(venue: Subject) -> None:
    """A positive rate is paid by longs and received by shorts, on notional, half-even."""
    for side in (1, -1):
        _enter(venue, side)
        before, at = venue.wallet(), venue.last()
        venue.move(close=at, funding_e8=10_000)
        due = apply_rate(side * venue.size * at * venue.instrument.unit, 10_000)
        assert venue.wallet() - before == -due
        assert venue.place(_order(venue, -side, reduce_only=True)) == ""
        venue.settle_down()


@case("VC-029", "safety C6; aster-api 6, closePosition [?]", "market")
def stop_before_the_position(venue: Subject) -> None:
    """A closePosition stop may rest before there is a position (or is refused, and then does not), and closes it."""
    stop = _order(venue, -1, OrderType.STOP_MARKET, trigger_ticks=_far(venue, -0.01), close_position=True)
    reason = venue.place(stop)
    if reason:
        _refused(reason, -2022, -2024, -4509)
        assert venue.working() == []
        return
    assert venue.working() == [stop.client_id]
    _enter(venue)
    venue.move(close=_far(venue, -0.012))
    assert (venue.held(), venue.working()) == (0, [])
    assert venue.fills()[-1].client_id == stop.client_id


# ---- hedge mode -------------------------------------------------------------------------------------------------


@case("VC-030", "aster-api 6, positionSide", "hedge")
def legs_stand_side_by_side(venue: Subject) -> None:
    """A long and a short leg of one symbol are held at once, and do not net."""
    for leg in (1, -1):
        assert venue.place(_order(venue, leg, leg=leg)) == ""
    venue.settle_down()
    assert (venue.held(1), venue.held(-1)) == (venue.size, -venue.size)


@case("VC-031", "aster-api 6, positionSide; quant Q5", "hedge")
def a_leg_never_turns(venue: Subject) -> None:
    """An order against its leg reduces it and no more; against an empty leg it is refused."""
    _refused(venue.place(_order(venue, -1, leg=1)), -2022)
    assert venue.place(_order(venue, 1, leg=1)) == ""
    venue.settle_down()
    assert venue.place(_order(venue, -1, steps=3 * venue.size, leg=1)) == ""
    venue.settle_down()
    assert (venue.held(1), venue.held(-1)) == (0, 0)


@case("VC-032", "aster-api 6, positionSide; -4061", "hedge")
def no_order_without_a_leg(venue: Subject) -> None:
    """An order that names no leg is refused in hedge mode."""
    _refused(venue.place(_order(venue, 1)), -4061)


@case("VC-033", "safety C6; aster-api 6, positionSide, closePosition [?]", "hedge", "market")
def a_leg_s_stop_leaves_the_other(venue: Subject) -> None:
    """A closePosition stop of one leg, resting before it is there, closes it and leaves the other."""
    stop = _order(venue, -1, OrderType.STOP_MARKET, trigger_ticks=_far(venue, -0.01), close_position=True, leg=1)
    reason = venue.place(stop)
    for leg in (1, -1):
        assert venue.place(_order(venue, leg, leg=leg)) == ""
    venue.settle_down()
    if reason:
        _refused(reason, -2022, -2024, -4509)
        assert venue.place(stop) == ""
    venue.move(close=_far(venue, -0.012))
    assert (venue.held(1), venue.held(-1), venue.working()) == (0, -venue.size, [])


@case("VC-034", "aster-api 6, positionSide; fills, resting limits", "hedge", "market")
def a_limit_against_a_leg_reduces_it(venue: Subject) -> None:
    """A limit against a leg fills at its price as maker, cuts to what the leg holds, and opens nothing."""
    assert venue.place(_order(venue, 1, leg=1)) == ""
    venue.settle_down()
    price = _far(venue, 0.01)
    target = _order(venue, -1, OrderType.LIMIT, steps=3 * venue.size, price_ticks=price, leg=1)
    assert venue.place(target) == ""
    venue.move(close=_far(venue, 0.012))
    assert (venue.held(1), venue.held(-1), venue.working()) == (0, 0, [])
    assert (venue.fills()[-1].ticks, venue.fills()[-1].steps, venue.fills()[-1].maker) == (price, venue.size, True)
