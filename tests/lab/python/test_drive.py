"""The account a strategy is shown is the batch loop's own: its answers, given to the batch loop, trade the same."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.money import UNIT
from aister.execution.bracket import ManagementRules
from aister.features.columns import FeatureColumns
from aister.features.timeframes import INTERVAL_MS
from aister.kernels.signals import EXIT, SETUP
from aister.kernels.trades import REASONS
from aister.lab.batch import Plan, Simulated, open_account, run
from aister.lab.prepare import prepare
from aister.lab.python.columns import first_close, tables_of
from aister.lab.python.drive import Drive
from aister.lab.python.floor import KernelFloor
from aister.lab.python.memory import Opening, Tables, tables_in
from aister.ports.signals import Signals
from aister.sim.models import FillModel
from aister.strategy import LONG, SHORT, Account, Bar, Enter, Exit, PythonStrategy
from tests.adapters.sandbox.given import CAPITAL, market

PLAIN = Plan()
TRAILING = Plan(management=ManagementRules(break_even_after=1, trail_share_e4=5_000), delay_bars=1)


class Whim(PythonStrategy):
    """Enters and leaves by a coin: markets and limits, one to three targets, short and long horizons."""

    def __init__(self, seed: int, timeframe: str = "1m", while_open: bool = True) -> None:
        self.chance = random.Random(seed)
        self.timeframe, self.while_open = timeframe, while_open

    def on_bar(self, bar: Bar, account: Account) -> Enter | Exit | None:
        chance = self.chance
        if account.side and chance.random() < 0.05:
            return Exit()
        if not account.free or chance.random() > 0.2:
            return None
        side, close = chance.choice((LONG, SHORT)), bar.close
        entry = close * (1 - side * chance.choice((0.0002, 0.0005))) if chance.random() < 0.5 else None
        away = entry or close
        far = chance.choice((0.002, 0.004, 0.01))
        prices = tuple(away * (1 + side * far * step) for step in range(1, chance.randint(1, 3) + 1))
        return Enter(
            side,
            stop=away * (1 - side * chance.choice((0.001, 0.003))),
            targets=tuple((price, 0.4) for price in prices),
            limit=entry,
            horizon_ms=chance.choice((600_000, 3_600_000)),
            life_ms=chance.choice((120_000, 1_800_000)),
        )


def driven(strategy: PythonStrategy, plan: Plan, seed: int, cuts: random.Random) -> tuple[bytes, Signals, Simulated]:
    """Its trades by its own account, its signals, and what the batch loop makes of them."""
    over = market(800, seed, start=100)
    series, model = over.series[0], FillModel()
    prepared = prepare(series, model, (INTERVAL_MS[strategy.timeframe],))
    tables = packed(tables_of(prepared, strategy.timeframe, (), FeatureColumns(series)))
    desks, accounts = open_account([prepared], plan, model, CAPITAL)
    opening = Opening(desks.tobytes(), accounts.tobytes(), series.start)
    floor = KernelFloor(series.instrument, tables.bars, tables.rates_e8, opening)
    at = first_close(series.start, tables)
    drive = Drive(strategy, series.instrument, tables.closes, floor, at)
    setups, exits = b"", b""
    while at < len(tables.closes["bar"]):
        at = min(at + cuts.randint(1, 300), len(tables.closes["bar"]))
        more = drive.advance(at)
        setups, exits = setups + more[0], exits + more[1]
    signals = Signals(np.frombuffer(setups, SETUP), np.frombuffer(exits, EXIT))
    return floor.finish(), signals, run([prepared], {series.symbol: signals}, plan, model, CAPITAL)


def packed(tables: Tables) -> Tables:
    """As they lie in the shared memory, read-only."""
    held = np.zeros(tables.shape.size, np.uint8)
    shown = tables_in(held, tables.shape)
    for name, column in tables.bars.items():
        shown.bars[name] = column
    shown.rates_e8[:] = tables.rates_e8
    for name, column in tables.closes.items():
        shown.closes[name][:] = column
    return tables_in(held.tobytes(), tables.shape)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    timeframe=st.sampled_from(("1m", "5m")),
    while_open=st.booleans(),
    plan=st.sampled_from((PLAIN, TRAILING)),
)
def test_its_account_trades_what_the_batch_loop_trades(seed: int, timeframe: str, while_open: bool, plan: Plan) -> None:
    trades, signals, batch = driven(Whim(seed, timeframe, while_open), plan, seed, random.Random(seed))
    assert trades == batch.trades.tobytes()
    assert len(signals.setups) > 0


def test_every_way_out_is_seen() -> None:
    reasons: set[str] = set()
    for seed in range(4):
        _, _, batch = driven(Whim(seed), PLAIN, seed, random.Random(seed))
        reasons |= {REASONS[number] for number in batch.trades["reason"]}
    assert {"stop", "target", "time", "exit"} <= reasons


def test_how_the_closes_are_cut_changes_nothing() -> None:
    class Whole(random.Random):
        def randint(self, a: int, b: int) -> int:
            return 10_000

    cut = driven(Whim(5), PLAIN, 5, random.Random(1))
    whole = driven(Whim(5), PLAIN, 5, Whole(1))
    assert cut[0] == whole[0] and np.array_equal(cut[1].setups, whole[1].setups)


class Crossing(PythonStrategy):
    """Even closes only, once by looking at each and once through `candidates`."""

    timeframe = "1m"
    while_open = False

    def on_bar(self, bar: Bar, account: Account) -> Enter | None:
        if bar.close > bar.before("close"):
            return Enter(LONG, stop=bar.close * 0.998, targets=bar.close * 1.002)
        return None


class Filtered(Crossing):
    def candidates(self, columns):  # type: ignore[no-untyped-def]
        rising = np.zeros(len(columns["close"]), bool)
        rising[1:] = columns["close"][1:] > columns["close"][:-1]
        return rising


def test_a_filter_saves_calls_and_changes_nothing() -> None:
    plain = driven(Crossing(), PLAIN, 9, random.Random(2))
    quick = driven(Filtered(), PLAIN, 9, random.Random(3))
    assert plain[0] == quick[0] and np.array_equal(plain[1].setups, quick[1].setups)
    assert len(plain[1].setups) > 20


def test_an_answer_that_cannot_act_is_dropped_and_counted() -> None:
    class Stubborn(PythonStrategy):
        timeframe = "1m"

        def on_bar(self, bar: Bar, account: Account) -> Enter | Exit:
            return Exit() if account.free and account.trades == 0 and bar.time_ms % 120_000 else long(bar)

    def long(bar: Bar) -> Enter:
        return Enter(LONG, stop=bar.close * 0.999, targets=bar.close * 1.001)

    _, signals, batch = driven(Stubborn(), PLAIN, 4, random.Random(1))
    assert len(signals.exits) == 0
    assert len(signals.setups) in (len(batch.trades), len(batch.trades) + 1)


@pytest.mark.parametrize("answer", [np.ones(3, bool), np.ones(700), "yes"])
def test_a_filter_that_answers_something_else_is_told_so(answer: object) -> None:
    class Wrong(Crossing):
        def candidates(self, columns):  # type: ignore[no-untyped-def]
            return answer

    with pytest.raises(TypeError, match="candidates answered"):
        driven(Wrong(), PLAIN, 1, random.Random(1))


def test_the_equity_shown_is_the_accounts() -> None:
    seen: list[tuple[int, float]] = []

    class Watching(Crossing):
        while_open = True

        def on_bar(self, bar: Bar, account: Account) -> Enter | None:
            seen.append((account.trades, account.equity))
            return super().on_bar(bar, account) if account.free else None

    _, _, batch = driven(Watching(), PLAIN, 2, random.Random(2))
    settled = dict(reversed(seen))
    worth = CAPITAL / UNIT
    for number, trade in enumerate(batch.trades[:-1], 1):
        worth += int(trade["pnl"]) / UNIT
        assert settled[number] == pytest.approx(worth, abs=1e-6)
