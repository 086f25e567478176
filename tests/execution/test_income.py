"""Money the venue booked beside trades and funding: booked by itself where it explains the wallet, once; else a person
is asked (C14)."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.audit import Audit
from aister.core.events import EntriesFrozen, FundingPaid, MoneyBooked, OrderFilled
from aister.exchange_sim import Fault
from aister.execution.courier import Courier
from aister.execution.income import Income, Row
from aister.execution.reconcile import Ours
from aister.execution.recovery import Recovery
from tests.execution.kept import US, Kept
from tests.execution.scene import SYMBOL
from tests.sim.market import MONEY


def row(time_ms: int, units: int, kind: str = "TRANSFER") -> Row:
    return (time_ms, "", kind, units * MONEY)


def test_rows_are_booked_where_they_explain_the_difference_and_only_once() -> None:
    income = Income()
    for _ in range(2):
        income.read(
            [row(1, 5), row(2, -3, "INSURANCE_CLEAR"), (3, SYMBOL, "FUNDING_FEE", 7 * MONEY), row(4, 100)], (SYMBOL,)
        )
    assert income.explains(99 * MONEY) == ()
    (moved,) = income.explains(100 * MONEY)
    assert (moved.kind, moved.amount, moved.moved, moved.booked_ms) == ("TRANSFER", 100 * MONEY, True, 4)
    assert income.explains(100 * MONEY) == () == income.explains(5 * MONEY), "what is older was explained otherwise"
    income.read([row(5, 5), row(6, -3, "INSURANCE_CLEAR")], ())
    two = income.explains(2 * MONEY + 1)
    assert [(one.kind, one.moved) for one in two] == [("TRANSFER", True), ("INSURANCE_CLEAR", False)]


def test_what_the_ledger_has_already_is_never_booked() -> None:
    income = Income()
    income.booked_before(MoneyBooked(9, "", "TRANSFER", 5 * MONEY, True, 1))
    income.read([row(1, 5), row(2, 6), row(9, 8)], ())
    assert income.explains(5 * MONEY) == ()
    income.settled(8)
    assert income.explains(6 * MONEY) == () and len(income.explains(8 * MONEY)) == 1


def test_equal_rows_of_one_millisecond_count_as_often_as_the_venue_tells_them() -> None:
    income, two = Income(), [row(1, 2, "COMMISSION_REBATE")] * 2
    income.read(two[:1], ())
    for _ in range(2):
        income.read(two, ())
    assert [one.amount for one in income.explains(4 * MONEY)] == [2 * MONEY, 2 * MONEY]
    again = Income()
    again.booked_before(MoneyBooked(9, "", "COMMISSION_REBATE", 2 * MONEY, False, 1))
    again.read(two, ())
    assert again.explains(4 * MONEY) == () and len(again.explains(2 * MONEY)) == 1


@settings(max_examples=50)
@given(st.lists(st.integers(-9, 9).filter(bool), max_size=80), st.integers(-30, 30))
def test_what_is_booked_makes_up_the_difference_within_bounds(amounts: list[int], difference: int) -> None:
    income = Income()
    for number, units in enumerate(amounts):
        income.read([row(number * 3_600_000, units)], ())
    booked = income.explains(difference * MONEY)
    assert not booked or sum(one.amount for one in booked) == difference * MONEY
    assert len(income._open) <= 50 and len(income._seen) <= 26


class Ledgered(Kept):
    """The same with a wallet that is compared: what the trader was told adds up to it."""

    def wallet(self) -> int:
        self.reports += self.courier.take_reports()
        moved = sum(one.amount for one in self.reports if isinstance(one, MoneyBooked))
        return 10_000 * MONEY + moved - sum(one.amount for one in self.reports if isinstance(one, FundingPaid))

    def ours(self) -> Ours:
        return self.courier.ours(US, (SYMBOL,), self.wallet())


def keep(scene: Ledgered, *lives_ms: int) -> None:
    """So many lives one after the other, each with what was told so far."""

    async def life(ms: int) -> None:
        for number, event in enumerate(scene.reports):
            scene.courier.recall(Audit(number, event, ()))
        keeper = scene.recovery = Recovery(scene.account, scene.courier, scene.ours, sleep=scene.world.sleep)
        await keeper.start()
        running = asyncio.ensure_future(keeper.run())
        await scene.wait(ms)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await scene.courier.stop()

    async def story() -> None:
        for ms in lives_ms:
            await life(ms)
            scene.courier = Courier(scene.account, sleep=scene.world.sleep)
            scene.courier.start()

    scene.recovery = Recovery(scene.account, scene.courier, scene.ours, sleep=scene.world.sleep)
    scene.play(story)


def test_a_deposit_and_a_withdrawal_are_booked_by_themselves_and_freeze_nothing_for_long() -> None:
    scene = Ledgered(
        Fault("transfer", at_ms=5_000, value=500 * MONEY), Fault("transfer", at_ms=90_000, value=-200 * MONEY)
    )
    keep(scene, 150_000)
    told = [one for one in scene.reports if isinstance(one, MoneyBooked)]
    assert [(one.kind, one.amount, one.moved) for one in told] == [
        ("TRANSFER", 500 * MONEY, True),
        ("TRANSFER", -200 * MONEY, True),
    ]
    assert scene.frozen() == {} and not [one for one in scene.reports if isinstance(one, FundingPaid)]


def test_a_rebate_is_booked_as_what_it_is() -> None:
    scene = Ledgered()
    scene.books.charge("COMMISSION_REBATE", SYMBOL, 3 * MONEY, 77, scene.start_ms + 1)
    keep(scene, 5_000)
    (told,) = [one for one in scene.reports if isinstance(one, MoneyBooked)]
    assert (told.kind, told.symbol, told.amount, told.moved) == ("COMMISSION_REBATE", SYMBOL, 3 * MONEY, False)
    assert scene.frozen() == {}


def test_money_of_symbols_that_are_not_the_traders_is_moved_by_the_account_and_ends_nothing() -> None:
    by_hand = "symbol=ETHUSDT&type=MARKET&quantity=0.01&newClientOrderId=web_"
    scene = Ledgered(
        Fault("foreign_order", at_ms=5_000, text=f"{by_hand}1&side=BUY"),
        Fault("foreign_order", at_ms=60_000, text=f"{by_hand}2&side=SELL"),
        others=("ETHUSDT",),
    )
    scene.books.charge("FUNDING_FEE", "ETHUSDT", -3 * MONEY, 77, scene.start_ms + 1)
    keep(scene, 150_000, 5_000)
    told = [one for one in scene.reports if isinstance(one, MoneyBooked)]
    assert all(one.moved and one.symbol == "ETHUSDT" for one in told) and "FUNDING_FEE" in {one.kind for one in told}
    assert scene.wallet() == scene.books.venue.wallet < 9_997 * MONEY
    assert scene.frozen() == {} and not [one for one in scene.reports if isinstance(one, FundingPaid | OrderFilled)]


def test_what_nothing_explains_freezes_until_a_person_has_looked() -> None:
    scene = Ledgered(Fault("transfer", at_ms=5_000, value=500 * MONEY))
    scene.books.venue.deposit(7 * MONEY)  # and no row of it
    keep(scene, 60_000)
    assert "money" in scene.frozen() and not [one for one in scene.reports if isinstance(one, MoneyBooked)]


def test_over_a_restart_a_deposit_is_booked_once() -> None:
    scene = Ledgered(Fault("transfer", at_ms=1_000, value=500 * MONEY))
    keep(scene, 40_000, 5_000)
    assert len([one for one in scene.reports if isinstance(one, MoneyBooked)]) == 1
    assert "money" not in [one.cause for one in scene.reports if isinstance(one, EntriesFrozen)]
