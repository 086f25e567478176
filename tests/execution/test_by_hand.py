"""Somebody trades by hand what a trader trades: entries freeze, one sentence says who did what, and by which policy it
is dealt with (C14, Q22)."""

import pytest

from aister.core.events import EntriesFrozen, EntriesThawed, OrderFilled
from aister.core.trade import Purpose, Side
from aister.exchange_sim import Fault
from aister.execution.identity import by_hand, watch_id
from aister.execution.traits import VenueTraits
from tests.engine.rig import setup
from tests.execution.kept import US, Kept
from tests.execution.scene import FLAT, SYMBOL, order, stop
from tests.execution.trader import Trader

OTHER = "ETHUSDT"
BOUGHT = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=web_1"
SOLD = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.01&newClientOrderId=web_2"
LONG = setup(14, stop=99_000.0, targets=((103_000.0, 10_000),))


def test_an_opening_freezes_until_ten_minutes_after_the_last() -> None:
    scene = Kept(Fault("foreign_order", at_ms=3_000, text=BOUGHT), Fault("foreign_order", at_ms=300_000, text=BOUGHT))

    async def story() -> None:
        await scene.wait(5_000)
        assert "bought 10 steps of BTCUSDT (order web_1)" in scene.frozen()["outside"]
        kinds = [type(one) for one in scene.reports if isinstance(one, EntriesFrozen | OrderFilled)]
        assert kinds[-2:] == [EntriesFrozen, OrderFilled], "no entry may come between"
        await scene.wait(885_000)
        assert "outside" in scene.frozen()
        await scene.wait(45_000)

    scene.keep(story)
    assert scene.frozen() == {}


@pytest.mark.parametrize(("told", "freezes"), [(BOUGHT, True), (SOLD, False)])
def test_what_is_added_freezes_what_is_taken_away_is_only_told(told: str, freezes: bool) -> None:
    scene = Kept(Fault("foreign_order", at_ms=8_000, text=told))

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(12_000)

    scene.keep(story)
    assert ("outside" in scene.frozen()) is freezes
    assert not freezes or "beside what this trader holds" in scene.frozen()["outside"]
    assert scene.steps == (110 if freezes else 90) == scene.courier.teller.held[SYMBOL, 0]


def test_a_position_turned_round_by_hand_ends_flat_with_entries_frozen_and_nothing_resting() -> None:
    turned = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.15&newClientOrderId=web_1"
    trader = Trader(
        setup(2, stop=99_000.0, targets=((103_000.0, 10_000),)),
        prices=[FLAT] * 9,
        traits=VenueTraits("before", "limit"),
        faults=(Fault("foreign_order", at_ms=330_000, text=turned),),
    ).trade(8)
    fills = [one.event.fill for one in trader.audits if isinstance(one.event, OrderFilled)]
    entry, hand, close = fills
    assert entry.steps < hand.steps == entry.steps + close.steps and close.purpose == Purpose.CLOSE
    assert (trader.there, trader.steps, trader.books.open_orders()) == (0, 0, [])
    assert "more than this trader held" in trader.courier.teller.frozen["outside"]


def test_a_position_opened_by_hand_is_closed_and_nothing_is_entered_meanwhile_also_after_a_crash() -> None:
    trader = Trader(
        LONG,
        prices=[FLAT] * 20,
        traits=VenueTraits("before", "limit"),
        faults=(Fault("foreign_order", at_ms=250_000, text=BOUGHT),),
    ).trade(18, 400_000)
    fills = [one.event.fill for one in trader.audits if isinstance(one.event, OrderFilled)]
    assert [(one.client_id == "web_1", one.side, one.purpose) for one in fills[:2]] == [
        (True, Side.BUY, ""),
        (False, Side.SELL, Purpose.CLOSE),
    ]
    thawed = next(
        one.event for one in trader.audits if isinstance(one.event, EntriesThawed) and one.event.cause == "outside"
    )
    assert fills[0].time_ms + 600_000 <= thawed.time_ms <= fills[0].time_ms + 640_000
    assert trader.there == trader.steps


@pytest.mark.parametrize("lost", [False, True])
def test_a_trade_of_a_symbol_that_is_not_the_traders_is_not_told_as_one_and_freezes(lost: bool) -> None:
    bought = Fault("foreign_order", at_ms=3_000, text=BOUGHT.replace(SYMBOL, OTHER))
    faults = (bought, Fault("drop", at_ms=2_000, until_ms=6_000, text="ORDER_TRADE_UPDATE", user_streams=True))
    scene = Kept(*faults[: 1 + lost], others=(OTHER,))

    async def story() -> None:
        await scene.wait(45_000)

    scene.keep(story)
    assert scene.books.venue.position(OTHER).steps == 10
    assert not [one for one in scene.reports if isinstance(one, OrderFilled)] and not scene.courier.teller.held
    assert f"{OTHER}: the account holds 10 steps" in scene.frozen()["foreign"]


@pytest.mark.parametrize(
    ("client_id", "hand"),
    [
        ("web_1", True),
        ("x-abc", True),
        ("", False),
        ("autoclose-17", False),
        ("adl_autoclose", False),
        ("adopted-BTCUSDT-1", False),
        (f"{US}-1-1", False),
        ("ai11111111-1-1", False),  # a twin has a cause of its own
        (watch_id(US, Purpose.CLOSE, 1, 1), False),
    ],
)
def test_whose_hand_it_is(client_id: str, hand: bool) -> None:
    assert by_hand(client_id) is hand
