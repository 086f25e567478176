"""The watcher at work against the exchange's own books, in virtual time."""

import asyncio

import pytest

from aister.core.audit import TradeClosed
from aister.core.events import EntriesFrozen
from aister.core.trade import OrderType, Side
from aister.exchange_sim import Fault
from aister.execution.watch import Watch
from aister.execution.watchman import Act, Watchman, WatchmanRules
from aister.ports.exchange import Placed, VenueNews
from tests.engine.rig import setup
from tests.execution.scene import SYMBOL, Scene, order, stop
from tests.execution.trader import INSTANCE, Trader

US = "ai00000000"


class Watched(Scene):
    """A scene with a watcher whose trader can fall silent."""

    man: Watchman | None = None

    def watchman(self, rules: WatchmanRules | None = None) -> Watchman:
        self.acts: list[Act] = []
        self.watch = Watch(US, (SYMBOL,))
        log, sleep = self.acts.append, self.world.sleep
        self.man = Watchman(self.account, self.watch, (SYMBOL,), sleep=sleep, log=log, rules=rules)
        return self.man

    def hear(self, news: VenueNews) -> None:
        super().hear(news)
        if self.man is not None:
            self.man.hear(news)

    def said(self, what: str) -> list[Act]:
        return [one for one in self.acts if one.what == what]

    async def flat_or_stopped(self, within_ms: int) -> int:
        """How long a position was held without a stop from now on."""
        bare_ms = 0
        for _ in range(within_ms // 100):
            await self.wait(100)
            stops = [one for one in self.books.venue.open_orders(SYMBOL) if one.type is OrderType.STOP_MARKET]
            bare_ms += 100 if self.steps and not stops else 0
        return bare_ms


@pytest.mark.parametrize("beats", [True, False], ids=["trader there", "trader silent"])
@pytest.mark.parametrize("refused", [True, False], ids=["stops refused", "stops taken"])
def test_a_stop_that_the_venue_takes_away_is_put_back_or_the_position_closed(beats: bool, refused: bool) -> None:
    faults = [Fault("cancel_stop", ms=2_000, count=1)]
    if refused:
        faults.append(Fault("refuse_stop", code=-4120, at_ms=1_500))
    scene = Watched(*faults)

    async def story() -> None:
        man = scene.watchman()
        working = asyncio.ensure_future(man.run())
        await scene.wait(100)
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(1_000)
        await scene.courier.stop()  # nobody but the watcher sees to it from here on
        for _ in range(10):
            bare_ms = await scene.flat_or_stopped(1_000)
            if beats:
                man.beat()
            scene.naked_ms = getattr(scene, "naked_ms", 0) + bare_ms  # type: ignore[attr-defined]
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    scene.play(story)
    assert scene.naked_ms <= 5_000  # type: ignore[attr-defined]
    if refused:
        assert scene.steps == 0 and SYMBOL in scene.watch.unusable
        assert len(scene.said("stop put back")) == len(scene.said("closed")) == 1
    else:
        assert scene.steps == 100 and not scene.said("closed")
        [back] = scene.books.venue.open_orders(SYMBOL)
        assert (back.close_position, back.trigger_ticks) == (True, 990_000)
    assert bool(scene.said("trader silent")) is not beats


@pytest.mark.parametrize("what", ["for less", "wrong side"])
def test_a_stop_that_covers_too_little_is_none(what: str) -> None:
    less = {"close_position": False, "reduce_only": True, "steps": 40}
    wrong = {"side": Side.BUY, "trigger_ticks": 1_010_000}

    scene = Watched(stream=False)

    async def story() -> None:
        bad = {name: value for name, value in (less if what == "for less" else wrong).items()}
        given = {"type": OrderType.STOP_MARKET, "trigger_ticks": 990_000, "close_position": True, "steps": 0}
        side = bad.pop("side", Side.SELL)
        scene.send(order(f"{US}-1-1"))
        await scene.wait(500)
        made = order(f"{US}-2-1", side, **{**given, "purpose": stop().purpose, **bad})
        scene.send(made)
        working = asyncio.ensure_future(scene.watchman().run())
        await scene.wait(9_000)
        working.cancel()

    scene.play(story)
    stops = [one for one in scene.books.venue.open_orders(SYMBOL) if one.close_position and one.side is Side.SELL]
    assert len(stops) == 1 if what == "for less" else scene.steps == 0


def test_entries_nobody_would_protect_are_withdrawn_and_it_ends_when_flat() -> None:
    scene = Watched(stream=False)
    entry = order(f"{US}-1-1", type=OrderType.LIMIT, price_ticks=900_000)
    foreign = order("web_1", type=OrderType.LIMIT, price_ticks=900_000)

    async def story() -> int:
        scene.send(entry, foreign)
        await scene.wait(500)
        started_ms = scene.world.now_ms()
        man = scene.watchman()
        await man.run()
        return scene.world.now_ms() - started_ms

    took_ms = scene.play(story)
    assert [one.client_id for one in scene.books.open_orders()] == ["web_1"]
    assert [one.client_id for one in scene.said("entry withdrawn")] == [entry.client_id]
    assert 60_000 <= took_ms <= 70_000


def test_a_trader_that_leaves_in_good_order_takes_it_along_when_flat_and_leaves_it_while_held() -> None:
    scene = Watched(stream=False)

    async def story() -> tuple[bool, int]:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        man = scene.watchman()
        working = asyncio.ensure_future(man.run())
        await scene.wait(1_000)
        man.leave()
        await scene.wait(120_000)
        stays = not working.done()
        scene.send(order(f"{US}-3-1", Side.SELL, reduce_only=True, purpose=stop().purpose))
        await scene.wait(2_000)
        await asyncio.wait_for(working, 5)
        return stays, len(scene.acts)

    assert scene.play(story) == (True, 0)


def test_a_stop_that_it_put_back_goes_when_the_position_has_ended_whoever_ended_it() -> None:
    """Seed 739942007: it was in no book of the trader's, and look-ups lagged."""
    scene = Watched(Fault("cancel_stop", ms=3_000, count=1), stream=False)

    async def story() -> None:
        man = scene.watchman()
        working = asyncio.ensure_future(man.run())
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(1_000)
        await scene.courier.stop()
        for _ in range(8):
            await scene.wait(1_000)
            man.beat()
        scene.fault(Fault("lag", ms=30_000))
        assert [one.close_position for one in scene.books.open_orders()] == [True]
        await scene.account.place(order("web-1", Side.SELL, reduce_only=True, purpose=stop().purpose))
        await scene.wait(4_000)
        working.cancel()

    scene.play(story)
    assert scene.steps == 0 and not scene.books.open_orders()
    assert len(scene.said("stop put back")) == len(scene.said("stop taken back")) == 1


def test_a_new_watcher_takes_back_what_the_last_one_put_there_as_soon_as_look_ups_show_it() -> None:
    scene = Watched(stream=False)

    async def story() -> None:
        await scene.account.place(stop(f"{US}-ws-1-1"))
        scene.fault(Fault("lag", ms=20_000))
        working = asyncio.ensure_future(scene.watchman().run())
        await scene.wait(19_000)
        assert scene.books.open_orders()
        await scene.wait(5_000)
        assert not scene.books.open_orders()
        working.cancel()

    scene.play(story)


def test_the_trader_books_what_the_watcher_did_as_its_own() -> None:
    trader = Trader(setup(2, stop=99_000.0, targets=((103_000.0, 10_000),)), prices=[(100_000.0,) * 4] * 12)

    async def watcher() -> None:
        await trader.world.sleep(270_000)
        [held] = await trader.account.positions(SYMBOL)  # type: ignore[misc]
        [close] = Watch(INSTANCE, (SYMBOL,)).look(trader.world.now_ms(), (held,), (), alone=True)
        assert isinstance(await trader.account.place(close), Placed)

    async def both() -> None:
        await asyncio.gather(watcher(), trader._lives(9, []))

    trader.world.run(both())
    assert trader.there == trader.steps == 0 and trader.free and not trader.books.open_orders()
    assert [one.reason for one in trader.said(TradeClosed)] == ["close"]
    frozen = {one.event.cause for one in trader.audits if isinstance(one.event, EntriesFrozen)}
    assert frozen <= {"start"}


@pytest.mark.parametrize("speed", [20, 120])
def test_a_clock_that_runs_fast_does_not_make_a_trader_silent(speed: int) -> None:
    """The trader beats once a second of this machine, whatever the speed of the simulator's clock; the watcher stays
    and is not busier than the machine can bear."""
    scene = Watched()

    async def story() -> None:
        man = scene.watchman(WatchmanRules().at_speed(speed))
        working = asyncio.ensure_future(man.run())
        for _ in range(5):
            man.beat()
            await scene.wait(1_000 * speed)
        assert not working.done()
        assert man.looks <= 5 * 25
        await scene.wait(70_000 * speed)
        assert working.done()  # nothing is held and nobody has been heard of for a minute

    scene.play(story)
    assert [one.what for one in scene.acts] == ["trader silent"]
