"""Historical bars and funding from the simulated exchange into a store: whole, resumable, exact, honest about holes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aister.adapters.exchanges.aster.download import Downloaded, Wanted, download
from aister.adapters.exchanges.aster.history import History
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.store.market import MarketStore
from aister.core.errors import DataError, UsageError
from aister.core.events import FundingSettled
from aister.exchange_sim import Exchange, Fault, Faults, Settings
from aister.ports.feed import MarketSlice
from tests.exchange_sim.floor import MINUTE_MS, START_MS
from tests.exchange_sim.floor import slices as minutes
from tests.fakes.virtual import World
from tests.sim.market import instrument

HOUR = 3_600_000
COUNT = 2_000  # more than one page
FIRST_HOUR = START_MS // HOUR * HOUR + HOUR


def slices() -> Iterator[MarketSlice]:
    """Minutes that move, with a settlement every hour: odd ones at another rate."""
    prices = [(100_000.0 + i, 100_040.0 + i, 99_980.0 + i, 100_010.3 + i) for i in range(COUNT + 60)]
    for one in minutes(*prices):
        settled = one.open_time_ms % HOUR == 0
        rate = 10_000 + one.open_time_ms // HOUR % 7
        funding = (FundingSettled(one.open_time_ms, "BTCUSDT", rate, HOUR),) if settled else ()
        yield MarketSlice(one.open_time_ms, funding, one.bars)


class Scene:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults = Faults()
        terms = {"BTCUSDT": instrument(funding_interval_ms=HOUR)}
        self.exchange = Exchange(terms, slices(), MINUTE_MS, Settings(legs=3), faults=self.faults)
        self.exchange.advance(START_MS + COUNT * MINUTE_MS + 10_000)
        self.said: list[str] = []

    def bring(self, start: int = 0, end: int = COUNT, symbols: tuple[str, ...] = ("BTCUSDT",)) -> list[Downloaded]:
        """Minutes start to end."""
        world = World(self.exchange)
        self.world = world
        span = START_MS + start * MINUTE_MS, START_MS + end * MINUTE_MS
        wanted = Wanted(symbols, MINUTE_MS, *span, source="simulator", proxies=("simulator",))
        history = History(Rest(world, world), gathering=True)
        return world.run(download(history, world, self.root, wanted, self.said.append))

    def asked(self, name: str) -> int:
        return sum(one.path.endswith(f"/{name}") for one in self.world.sent)

    def stored(self) -> list[tuple[float, ...]]:
        store = MarketStore.open(self.root)
        series = store.manifest.find("klines", "BTCUSDT", "1m")
        assert series is not None
        columns = store.columns(series)
        names = ("open_time", "open", "high", "low", "close", "volume")
        return list(zip(*(columns[name].tolist() for name in names), strict=True))

    def own(self, start: int = 0, end: int = COUNT) -> list[tuple[float, ...]]:
        price = instrument().price
        return [
            (bar.open_ms, price(bar.open), price(bar.high), price(bar.low), price(bar.close), bar.volume)
            for bar in list(self.exchange.market.tickers["BTCUSDT"].klines)[start:end]
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("store"))
    scene.bring()
    return scene


def test_every_bar_and_settlement_arrives_as_it_was(whole: Scene) -> None:
    assert whole.stored() == whole.own()
    store = MarketStore.open(whole.root)
    series = store.manifest.find("funding", "BTCUSDT")
    assert series is not None and series.proxies == ["simulator"]
    columns = store.columns(series)
    times = columns["settle_time"].tolist()
    assert times == list(range(FIRST_HOUR, START_MS + COUNT * MINUTE_MS, HOUR))
    assert [round(rate * 1e8) for rate in columns["rate"].tolist()] == [10_000 + time // HOUR % 7 for time in times]
    assert set(columns["interval_ms"].tolist()) == {HOUR}


def test_what_is_there_is_not_asked_for_again(whole: Scene) -> None:
    before = whole.stored()
    [bars, funding] = whole.bring()
    assert (bars.rows_new, bars.rows_there, bars.missing) == (0, COUNT, 0)
    assert funding.rows_new == 0 and funding.rows_there > 0
    assert whole.asked("klines") == 0
    assert whole.stored() == before


def test_the_bar_under_way_is_no_bar(whole: Scene) -> None:
    [bars, _] = whole.bring(COUNT - 5, COUNT + 50)
    assert (bars.rows_new, bars.rows_there) == (0, 5)


def test_a_hole_is_filled_and_only_the_hole_is_asked_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.bring(0, 50)
    scene.bring(80, 120)
    assert scene.stored() == scene.own(0, 50) + scene.own(80, 120)
    [bars, _] = scene.bring(0, 120)
    assert (bars.rows_new, bars.rows_there, bars.missing) == (30, 90, 0)
    assert scene.asked("klines") == 1
    assert scene.stored() == scene.own(0, 120)


def test_what_came_before_the_way_ended_stays(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.bring(0, 60)
    scene.faults.add(Fault("request", path="klines", status=503))
    with pytest.raises(DataError, match="run the same command again"):
        scene.bring(0, 120)
    assert scene.stored() == scene.own(0, 60)
    scene.faults.clear()
    scene.bring(0, 120)
    assert scene.stored() == scene.own(0, 120)


def test_a_venue_that_asks_to_wait_is_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.faults.add(Fault("request", path="klines", status=429, count=3, ms=20_000))
    scene.bring(0, 60)
    assert scene.stored() == scene.own(0, 60)
    assert scene.world.loop.now > 20


def test_unknown_symbols_and_unreachable_venues_are_one_sentence(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    with pytest.raises(UsageError, match="DOGEUSDT is not listed"):
        scene.bring(symbols=("DOGEUSDT",))
    with pytest.raises(UsageError, match="no symbol"):
        scene.bring(symbols=("../etc",))
    scene.exchange.down_until_ms = scene.exchange.now_ms + 10**9
    with pytest.raises(DataError, match="cannot be reached"):
        scene.bring()
    assert not list(tmp_path.iterdir())


def test_pages_of_the_past_join_without_a_seam(whole: Scene) -> None:
    world = World(whole.exchange)
    history = History(Rest(world, world))

    async def read() -> list[int]:
        late = await history.bars(
            "BTCUSDT", MINUTE_MS, START_MS + (COUNT - 5) * MINUTE_MS, START_MS + COUNT * MINUTE_MS
        )
        assert isinstance(late, tuple) and len(late) == 5  # the sixth is under way
        pages = [page async for page in history.bar_pages("BTCUSDT", MINUTE_MS, START_MS, START_MS + 1_799 * MINUTE_MS)]
        assert [len(page) for page in pages if isinstance(page, tuple)] == [1_500, 300]
        return [bar.open_time_ms for page in pages if isinstance(page, tuple) for bar in page]

    assert world.run(read()) == [START_MS + minute * MINUTE_MS for minute in range(1_800)]
