"""A run on a live market, in virtual time on the simulated exchange: what it was told is its journal, so stopped and
started again it leaves the chain of one that never stopped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.store.journal import open_chain
from aister.app.build import build_run
from aister.app.live import LiveMarket, beginning_path, identity_of
from aister.app.settings import RunSettings
from aister.app.simulator import SimulatorSettings, open_exchange, open_market
from aister.app.tape import read_beginning, slices_of, tape_of, write_beginning
from aister.core.audit import Audit
from aister.core.errors import DataError, StorageError, UsageError
from aister.core.events import BarClosed, Event, FundingSettled, InstrumentListed
from aister.exchange_sim import Fault
from aister.ports.feed import MarketSlice
from aister.ports.live import FeedEvent, FeedNews
from aister.strategy.ema_cross import EmaCross
from tests.fakes.virtual import World
from tests.sim.market import instrument

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
WALL_MS = 1_795_000_000_000 // HOUR_MS * HOUR_MS + 12_345
FEED_MS = 1_746_403_200_000 + 13 * HOUR_MS
NET = net("simulator", "http://127.0.0.1:1", "ws://127.0.0.1:1")
SYMBOLS = ("BTCUSDT", "ETHUSDT")
SETTINGS = RunSettings(
    data="live simulator",
    symbols=SYMBOLS,
    strategy="ema_cross",
    mind="none",
    end_ms=WALL_MS // MINUTE_MS * MINUTE_MS + 100 * MINUTE_MS,
)


def world(*faults: Fault) -> World:
    asked = SimulatorSettings(symbols=SYMBOLS, start_ms=FEED_MS, history_ms=10 * HOUR_MS).check()
    return World(open_exchange(asked, open_market(asked), (), faults, None, WALL_MS))


def lived(
    home: Path, there: World, until: Callable[[MarketSlice], bool] = lambda market: False
) -> tuple[str, list[FeedNews], bool]:
    """A run until its end or the slice of which `until` is true; its head, the news of the way, whether it ended."""
    identity = identity_of(SETTINGS, NET)
    path, news = beginning_path(home, identity), list[FeedNews]()

    async def scene() -> tuple[str, bool]:
        with open_chain(home, "owner", identity, "run") as journal:
            live = LiveMarket(NET, there, there, SYMBOLS)
            beginning = read_beginning(path) if journal.sequence else None
            if beginning is None:
                beginning = await live.begin(0.3)
                write_beginning(path, beginning)
            else:
                await live.renew()
            tape = tape_of(beginning, journal.records() if journal.sequence else ())
            built = build_run(SETTINGS, tape, journal, strategy=EmaCross("1m"))

            def watch(market: MarketSlice) -> None:
                if until(market):
                    built.run.stop()

            await live.follow(built, tape, watch, news.append, SETTINGS.end_ms)
            journal.flush()
            assert built.run.stopping or any(one.outputs for one in journal.records())
            return built.journal.head, built.run.finished

    head, finished = there.run(scene())
    return head, news, finished


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("whole")
    head, news, finished = lived(home, world())
    assert finished and not [one for one in news if one.event not in (FeedEvent.UP, FeedEvent.FRESH)]
    return home, head


def test_it_trades_every_bar_once_and_ends_where_it_was_told_to(whole: tuple[Path, str]) -> None:
    with open_chain(whole[0], "owner", identity_of(SETTINGS, NET), "run", fresh=True) as fresh:
        assert fresh.sequence == 0  # a finished run is followed by a new one
    kept = read_beginning(beginning_path(whole[0], identity_of(SETTINGS, NET)))
    assert kept is not None and kept.start_ms == WALL_MS // MINUTE_MS * MINUTE_MS
    assert {symbol: len(bars) for symbol, bars in kept.bars.items()} == dict.fromkeys(SYMBOLS, 432)
    assert all(bars[-1].time_ms == kept.start_ms for bars in kept.bars.values())


def test_stopped_and_started_again_it_leaves_the_same_chain(whole: tuple[Path, str], tmp_path: Path) -> None:
    seen = 0

    def after_forty(market: MarketSlice) -> bool:
        nonlocal seen
        seen += 1
        return seen == 40

    _, _, finished = lived(tmp_path, world(), after_forty)
    assert not finished
    later = world()
    later.loop.now = 55 * 60.0  # a quarter of an hour went by without it
    later.catch_up()
    head, _, finished = lived(tmp_path, later)
    assert finished and head == whole[1]


def test_frames_that_are_lost_change_nothing(whole: tuple[Path, str], tmp_path: Path) -> None:
    head, news, _ = lived(
        tmp_path,
        world(
            Fault("drop", stream="kline", share_e4=3_000),
            Fault("cut", at_ms=20 * MINUTE_MS),
            Fault("half_open", at_ms=50 * MINUTE_MS),
        ),
    )
    assert head == whole[1]
    assert FeedEvent.DOWN in {one.event for one in news}


def test_slices_come_back_from_the_records() -> None:
    def bar(symbol: str, minute: int) -> BarClosed:
        return BarClosed((minute + 1) * MINUTE_MS, symbol, minute * MINUTE_MS, 1.0, 1.0, 1.0, 1.0, 1.0)

    paid = FundingSettled(2 * MINUTE_MS, "AUSDT", 10, 8 * HOUR_MS)
    told = (
        MarketSlice(0, (), (bar("AUSDT", 0), bar("BUSDT", 0))),
        MarketSlice(MINUTE_MS, (), (bar("BUSDT", 1),)),
        MarketSlice(2 * MINUTE_MS, (paid,), (bar("AUSDT", 2), bar("BUSDT", 2)), (instrument("AUSDT"),)),
    )
    events: list[Event] = [InstrumentListed(0, instrument("AUSDT")), InstrumentListed(0, instrument("BUSDT"))]
    for market in told:
        terms = [InstrumentListed(market.open_time_ms, one) for one in market.instruments]
        events += [*market.funding, *terms, *market.bars]
    records = [Audit(number, event, ()) for number, event in enumerate(events, 1)]
    assert tuple(slices_of(records, 2)) == told


def test_offline_it_says_so_and_offers_the_sample() -> None:
    there = world()
    there.exchange.down_until_ms = WALL_MS + HOUR_MS

    async def scene() -> None:
        await LiveMarket(NET, there, there, SYMBOLS).begin(0.2)

    with pytest.raises(DataError, match=r"cannot be reached.*aister run --feed sample"):
        there.run(scene())


def test_a_symbol_the_venue_does_not_have_is_refused() -> None:
    there = world()

    async def scene() -> None:
        await LiveMarket(NET, there, there, ("BTCUSDT", "NOPEUSDT")).begin(0.2)

    with pytest.raises(UsageError, match=r"NOPEUSDT.*no such symbol"):
        there.run(scene())


def test_a_beginning_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "b.bin"
    file.write_bytes(b"no")
    with pytest.raises(StorageError, match="--fresh"):
        read_beginning(file)
    assert read_beginning(tmp_path / "none.bin") is None
