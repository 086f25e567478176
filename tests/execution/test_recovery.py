"""Our books beside the exchange's: what is found, and what follows, by the exchange's own books."""

import msgspec
import pytest

from aister.core.audit import Audit
from aister.core.events import EntriesFrozen, EntriesThawed, FundingPaid, FundingSettled, OrderCanceled, OrderFilled
from aister.core.trade import OrderType, Purpose, Side
from aister.exchange_sim import Fault
from aister.execution.courier import Courier
from aister.execution.reconcile import FindingKind
from aister.execution.recovery import Recovery
from aister.ports.exchange import Open
from tests.exchange_sim.floor import MINUTE_MS, START_MS, slices
from tests.execution.kept import ARMED, US, Kept
from tests.execution.scene import FLAT, SYMBOL, Scene, order, stop
from tests.sim.market import MONEY

OTHERS = "ai11111111"


def test_a_quiet_account_gives_no_alarm() -> None:
    scene = Kept(armed=ARMED)

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(100_000)
        assert scene.recovery_of().findings == ()

    scene.keep(story)
    assert scene.frozen() == {}
    assert [one.cause for one in scene.reports if isinstance(one, EntriesFrozen)] == ["start"]


def test_a_stop_that_the_venue_silently_cancels_is_told_within_its_time() -> None:
    scene = Kept(Fault("cancel_stop", ms=5_000, count=1))

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(38_000)

    scene.keep(story)
    (gone,) = [one for one in scene.reports if isinstance(one, OrderCanceled)]
    assert gone.client_id == f"{US}-2-1"
    assert gone.time_ms - scene.start_ms <= 40_000


def test_what_the_stream_lost_is_read_and_booked_once() -> None:
    scene = Kept(Fault("drop", user_streams=True))

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1", 999_999), order(f"{US}-3-1", Side.SELL, 100, reduce_only=True))
        await scene.wait(40_000)

    scene.keep(story)
    fills = [one.fill.steps * one.fill.side for one in scene.reports if isinstance(one, OrderFilled)]
    assert sum(fills) == scene.steps


@pytest.mark.parametrize("told", [True, False])
def test_a_leverage_changed_from_outside_freezes_until_it_is_set_back(told: bool) -> None:
    lost = () if told else (Fault("drop", user_streams=True),)
    scene = Kept(
        Fault("leverage", at_ms=5_000, symbol=SYMBOL, value=7),
        Fault("leverage", at_ms=60_000, symbol=SYMBOL, value=20),
        *lost,
        armed=ARMED,
    )

    async def story() -> None:
        await scene.wait(40_000 if not told else 8_000)
        assert list(scene.frozen()) == ["terms"] and "leverage is 7" in scene.frozen()["terms"]
        await scene.wait(90_000)

    scene.keep(story)
    assert scene.frozen() == {}


def test_a_foreign_order_freezes_and_is_left_alone() -> None:
    foreign = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=90000&newClientOrderId=web_1"
    scene = Kept(Fault("foreign_order", at_ms=3_000, text=foreign))

    async def story() -> None:
        await scene.wait(10_000)
        assert list(scene.frozen()) == ["foreign"]
        assert scene.resting() == [OrderType.LIMIT]

    scene.keep(story)


def test_a_twin_freezes_entries_and_keeps_its_hands_off_the_other_one() -> None:
    foreign = (
        f"symbol=BTCUSDT&side=SELL&type=STOP_MARKET&stopPrice=90000&closePosition=true&newClientOrderId={OTHERS}-9-1"
    )
    scene = Kept(Fault("foreign_order", at_ms=3_000, text=foreign))

    async def story() -> None:
        scene.send(order(f"{US}-1-1"))
        await scene.wait(40_000)
        assert "twin" in scene.frozen() and OTHERS in scene.frozen()["twin"]
        assert scene.resting() == [OrderType.STOP_MARKET]

    scene.keep(story)


def test_a_twin_of_which_nothing_is_open_is_told_by_its_trades_before_the_first_entry() -> None:
    """Seed 50000407: both symbols were entered in one pass, before any news of the other came."""
    scene = Scene(stream=False)

    async def story() -> None:
        await scene.account.place(order(f"{OTHERS}-1-1"))
        await scene.account.place(order(f"{OTHERS}-2-1", Side.SELL, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(100_000)
        assert "twin" not in scene.courier.teller.frozen
        ours = scene.courier.ours(US, (SYMBOL,))
        await Recovery(scene.account, scene.courier, lambda: ours, sleep=scene.world.sleep).start()
        assert OTHERS in scene.courier.teller.frozen["twin"]

    scene.play(story)


def test_orphans_and_strays_go_but_not_the_last_stop_of_a_position() -> None:
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-9-1"))
        await scene.wait(1_000)
        await scene.account.place(stop(f"{US}-7-1"))
        await scene.account.place(order(f"{US}-8-1", type=OrderType.LIMIT, price_ticks=900_000))
        await scene.wait(40_000)
        assert scene.resting() == [OrderType.STOP_MARKET]
        scene.send(order(f"{US}-a-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(40_000)
        assert scene.resting() == []

    scene.keep(story)


def test_a_position_nobody_can_explain_is_booked_in_the_end() -> None:
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(5_000)
        scene.courier.teller.held[SYMBOL, 0] = 40  # as if the journal had lost its end
        scene.courier.teller._traded._trades[SYMBOL, 10**9] = 0
        await scene.wait(80_000)

    scene.keep(story)
    adopted = [one.fill for one in scene.reports if isinstance(one, OrderFilled) and one.fill.purpose == ""]
    assert [(one.side, one.steps, one.client_id[:8]) for one in adopted] == [(Side.BUY, 60, "adopted-")]
    assert scene.courier.teller.held[SYMBOL, 0] == scene.steps == 100


def test_a_venue_that_cannot_be_read_freezes_is_probed_slowly_and_thaws() -> None:
    scene = Kept(Fault("request", status=503, at_ms=5_000, until_ms=120_000))

    async def story() -> None:
        await scene.wait(100_000)
        assert "venue" in scene.frozen()
        asked = len(scene.world.sent)
        await scene.wait(19_000)
        assert len(scene.world.sent) - asked <= 4
        await scene.wait(40_000)

    scene.keep(story)
    assert scene.frozen() == {}


def test_a_lost_stream_freezes_until_a_survey_after_its_return() -> None:
    scene = Kept(Fault("cut", at_ms=5_000))

    async def story() -> None:
        await scene.wait(30_000)

    scene.keep(story)
    causes = [
        (type(one).__name__, one.cause) for one in scene.reports if isinstance(one, EntriesFrozen | EntriesThawed)
    ]
    assert ("EntriesFrozen", "stream") in causes and causes[-1] == ("EntriesThawed", "stream")


def test_what_is_found_says_what_and_how_much() -> None:
    scene = Kept()
    found: list[FindingKind] = []

    async def story() -> None:
        await scene.account.place(order("web_1"))
        read = await scene.recovery_of().reconcile()
        assert isinstance(read, Open)
        found.extend(one.kind for one in scene.recovery_of().findings)
        naked = next(one for one in scene.recovery_of().findings if one.kind is FindingKind.NAKED)
        assert (naked.theirs, msgspec.structs.asdict(naked)["symbol"]) == (100, SYMBOL)

    scene.keep(story)
    assert FindingKind.NAKED in found


def test_funding_is_booked_once_also_over_a_restart() -> None:
    settled = FundingSettled(START_MS + 2 * MINUTE_MS, SYMBOL, 10_000, 8 * 3_600_000)
    feed = list(slices(*(FLAT,) * 30))
    feed[2] = msgspec.structs.replace(feed[2], funding=(settled,))
    scene = Kept(feed=feed)
    told: list[FundingPaid] = []

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(180_000)
        told.extend(one for one in scene.reports if isinstance(one, FundingPaid))
        second = Courier(scene.account, sleep=scene.world.sleep)
        for number, report in enumerate(scene.reports):
            second.recall(Audit(number, report, ()))
        second.start()
        keeper = Recovery(scene.account, second, lambda: second.ours(US, (SYMBOL,)), sleep=scene.world.sleep)
        await keeper.start()
        assert not [one for one in second.take_reports() if isinstance(one, FundingPaid)]

    scene.keep(story)
    (paid,) = told
    assert (paid.symbol, paid.steps, paid.amount) == (SYMBOL, 100, MONEY)  # 0.1 x 100,000 at 0.01 %
