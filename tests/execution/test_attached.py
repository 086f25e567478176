"""Entry and stop as one order of the venue, through the whole order path; and which protection a venue takes (C6)."""

import pytest

from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.adapters.exchanges.aster.probe import protection_of
from aister.adapters.exchanges.aster.rest import Rest
from aister.core.audit import PlaceOrder
from aister.core.trade import Order, OrderType, Purpose
from aister.exchange_sim import Fault, Settings
from aister.exchange_sim.rules import Readings
from aister.execution.traits import VenueTraits
from aister.ports.exchange import Answer, Cancelled, Placed, Unknown
from tests.engine.rig import BTC, setup
from tests.execution.scene import SYMBOL, Scene, order
from tests.execution.trader import Trader

FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)
FALL = (100_000.0, 100_000.0, 98_000.0, 98_500.0)
DIP = (100_000.0, 100_000.0, 99_850.0, 99_900.0)
LONG = setup(2, stop=99_000.0, targets=((101_000.0, 10_000),))
LIMIT = setup(2, entry=99_900.0, stop=99_000.0, targets=((101_000.0, 10_000),))
ATTACHED = VenueTraits("attached", "limit")


def trader(one: object, prices: list[tuple[float, float, float, float]], *faults: Fault) -> Trader:
    return Trader(one, prices=prices, traits=ATTACHED, attaching=True, faults=faults)  # type: ignore[arg-type]


def test_a_market_entry_and_its_stop_are_one_request_and_the_stop_ends_the_trade() -> None:
    done = trader(LONG, [FLAT] * 6 + [FALL] + [(98_500.0,) * 4] * 3).trade(9)
    assert done.there == done.steps == 0 and done.free
    assert [one.reason for one in done.closed] == ["stop"]
    assert done.longest_naked_ms == 0 and done.courier.gaps.figures.max_ms <= 20  # until it was heard of
    paths = [one.request.path.rpartition("/")[2] for one in done.exchange.log if one.request.method == "POST"]
    assert paths.count("placeStrategyOrder") == 1
    purposes = [one.order.purpose for one in done.said(PlaceOrder)]
    assert purposes == [Purpose.ENTRY, Purpose.STOP, Purpose.TARGET]


def test_a_resting_entry_brings_its_stop_along_when_it_fills_and_takes_it_along_when_it_does_not() -> None:
    filled = trader(LIMIT, [FLAT] * 5 + [DIP] + [(99_900.0,) * 4] * 6).trade(8)
    assert filled.there == filled.steps > 0 and filled.longest_naked_ms == 0
    assert [one.stop_ticks for one in filled.books.open_orders() if one.close_position] == [990_000]
    assert filled.engine.desks[BTC].resident_stop_ticks == 990_000
    never = trader(LIMIT, [FLAT] * 45).trade(42)
    assert never.there == 0 and never.books.open_orders() == [] and never.free


@pytest.mark.parametrize(("crash_ms", "held"), [(262_000, False), (342_000, True)], ids=["it rests", "it has filled"])
def test_after_a_death_an_entry_of_whose_stop_nobody_knows_goes_and_a_filled_one_keeps_its_stop(
    crash_ms: int, held: bool
) -> None:
    done = trader(LIMIT, [FLAT] * 5 + [DIP] + [(99_900.0,) * 4] * 9).trade(11, crash_ms)
    stops = [one.stop_ticks for one in done.books.open_orders() if one.close_position]
    assert (done.there == done.steps, done.there > 0, stops) == (True, held, [990_000] if held else [])
    assert done.longest_naked_ms == 0 and not done.courier.teller.frozen
    assert held or done.books.open_orders() == []


def test_an_entry_that_no_stop_joins_does_not_rest() -> None:
    scene = Scene(stream=False)
    account = AttachingAccount(Rest(scene.world, scene.world, scene.signer), (SYMBOL,), source="simulator")

    async def story() -> None:
        await account.server_time()
        await account.instruments()
        await account.place(order(type=OrderType.LIMIT, price_ticks=999_000))

    scene.play(story)
    assert scene.books.open_orders() == [] and scene.steps == 0 and scene.posts == 1


def test_a_stop_the_venue_refuses_when_its_time_comes_is_put_there_from_here() -> None:
    done = trader(LONG, [FLAT] * 9, Fault("refuse_stop", code=-1000, count=1)).trade(8)
    assert done.there == done.steps > 0
    assert [one.stop_ticks for one in done.books.open_orders() if one.close_position] == [990_000]
    assert done.longest_naked_ms <= 5_000


@pytest.mark.parametrize(
    ("readings", "protection"),
    [
        (Readings(), "before"),
        (Readings(close_position_while_flat=False), "attached"),
        (Readings(close_position_while_flat=False, strategy_orders=False), "after"),
    ],
    ids=["before", "attached", "after"],
)
def test_which_protection_a_venue_takes_is_found_out_by_trying_and_leaves_nothing_behind(
    readings: Readings, protection: str
) -> None:
    scene = Scene(settings=Settings(readings=readings), stream=False)
    account = AttachingAccount(Rest(scene.world, scene.world, scene.signer), (SYMBOL,), source="simulator")
    account.sleep = scene.world.sleep

    async def story() -> object:
        await account.server_time()
        await account.instruments()
        return await protection_of(account, SYMBOL, "ai00000000")

    assert scene.play(story) == VenueTraits(protection, "limit")  # type: ignore[arg-type]
    assert scene.books.open_orders() == [] and scene.steps == 0


def test_what_is_held_is_not_tried_with() -> None:
    scene = Scene(stream=False)
    account = AttachingAccount(Rest(scene.world, scene.world, scene.signer), (SYMBOL,), source="simulator")

    async def story() -> object:
        await account.server_time()
        await account.instruments()
        await scene.account.place(order())
        return await protection_of(account, SYMBOL, "ai00000000")

    assert scene.play(story) == "BTCUSDT is held; close it before trying."


class Silent(AttachingAccount):
    """An account some of whose orders and cancels get no answer; what was asked is kept."""

    def __init__(self, scene: Scene, *, dead: tuple[Purpose, ...], cancels: bool) -> None:
        super().__init__(Rest(scene.world, scene.world, scene.signer), (SYMBOL,), source="simulator")
        self.dead, self.cancels, self.sleep, self.cancelled = dead, cancels, scene.world.sleep, 0

    async def place(self, order: Order) -> Placed | Answer:
        told = await super().place(order)
        return Unknown("no answer", 1, self.now_ms()) if order.purpose in self.dead else told

    async def cancel(self, symbol: str, client_id: str) -> Cancelled | Answer:
        self.cancelled += 1
        return await super().cancel(symbol, client_id) if self.cancels else Unknown("no answer", 1, self.now_ms())


@pytest.mark.parametrize(
    ("readings", "dead", "cancels", "said"),
    [
        (Readings(), (), False, "may still rest"),
        (Readings(), (Purpose.STOP,), True, "nothing of it is there now"),
        (Readings(close_position_while_flat=False), (Purpose.ENTRY,), True, "nothing of it is there now"),
        (Readings(close_position_while_flat=False), (Purpose.ENTRY,), False, "may still rest"),
        (Readings(close_position_while_flat=False), (), False, "may still rest"),
    ],
)
def test_a_trial_of_unknown_outcome_finds_nothing_and_says_what_may_rest(
    readings: Readings, dead: tuple[Purpose, ...], cancels: bool, said: str
) -> None:
    scene = Scene(settings=Settings(readings=readings), stream=False)
    account = Silent(scene, dead=dead, cancels=cancels)

    async def story() -> object:
        await account.server_time()
        await account.instruments()
        return await protection_of(account, SYMBOL, "ai00000000")

    told = scene.play(story)
    assert isinstance(told, str) and said in told
    assert account.cancelled and bool(scene.books.open_orders()) is (not cancels)
