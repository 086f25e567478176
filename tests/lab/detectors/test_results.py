"""Detectors that run a strategy again: cost, delay, orders, paths; on prices where the answer is known beforehand."""

from typing import Any

import msgspec
import numpy as np
import pytest

from aister.adapters.store.sample import shipped_instruments
from aister.adapters.store.trials import MemoryTrials
from aister.core.money import UNIT
from aister.kernels.signals import EXIT, SETUP
from aister.lab.batch import Plan
from aister.lab.detectors.cost import at_costs, detect_cost
from aister.lab.detectors.delay import detect_delay
from aister.lab.detectors.fills import detect_fills
from aister.lab.detectors.monte_carlo import detect_order, detect_paths
from aister.lab.detectors.neighbourhood import detect_neighbourhood
from aister.lab.detectors.own import claims_of
from aister.lab.detectors.parameters import neighbours, parameters_of
from aister.lab.detectors.reading import SpecAround, SpecReading
from aister.lab.detectors.trying import KIND, Looked, Trying
from aister.lab.detectors.verdict import Verdict
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.sim.models import FillModel
from aister.strategy.templates import template
from tests.fakes.rows import HOUR_MS, MINUTE_MS, START_MS, series
from tests.kernels.walks import walk

STILL = Plan()
HOLD_MS = 10 * MINUTE_MS


def made(count: int, seed: int, jump: float = 0.0, every: int = 60) -> Market:
    """A walk of minutes of BTCUSDT that jumps by `jump` inside the first bar after each `every`th close."""
    bars = walk(count, seed, 30_000.0, start_ms=START_MS)
    factor = np.ones(count)
    factor[every::every] = 1.0 + jump
    path = np.cumprod(factor)
    before = np.concatenate(([1.0], path[:-1]))
    one = series(
        np.round(bars.c * path, 1),
        open=np.round(bars.o * before, 1),
        high=np.round(bars.h * path, 1) + 0.1,
        low=np.round(bars.l * before, 1) - 0.1,
        volume=np.full(count, 1e6),
        instrument=shipped_instruments()["BTCUSDT"],
    )
    return Market((one,), (START_MS, START_MS + count * MINUTE_MS), f"walk {seed}")


def before_each(market: Market, every: int = 60) -> dict[str, Signals]:
    """A long at the close before each jump, out ten minutes later, with a stop and a target far away."""
    one = market.series[0]
    at = np.arange(every, len(one.close), every) - 1
    rows = np.zeros(len(at), SETUP)
    ticks = np.rint(one.close[at] * one.instrument.ticks_per_quote).astype(np.int64)
    rows["time_ms"], rows["side"], rows["entry_ticks"] = one.open_ms[at] + one.interval_ms, 1, ticks
    rows["stop_ticks"], rows["targets"], rows["horizon_ms"] = ticks * 97 // 100, 1, HOLD_MS
    rows["target_ticks"][:, 0], rows["share_e4"][:, 0] = ticks * 110 // 100, 10_000
    rows["life_ms"] = 30 * MINUTE_MS
    return {one.symbol: Signals(rows, np.zeros(0, EXIT))}


def trying(market: Market, **changed: Any) -> tuple[Trying, MemoryTrials]:
    ledger = MemoryTrials()
    looked = Looked(owner_id="o", name="test", spec="{}", spec_hash="s", code_hash="c", made_ms=1, ledger=ledger)
    tried = Trying(
        market=market,
        signals=before_each(market),
        plan=STILL,
        model=FillModel(),
        capital=10_000 * UNIT,
        decides_ms=MINUTE_MS,
        cost_e8={"BTCUSDT": 100_000},
        looked=looked,
        says=before_each,
    )
    return msgspec.structs.replace(tried, **changed), ledger


def test_a_profit_made_of_one_bar_is_caught_by_delay() -> None:
    tried, ledger = trying(made(6_000, 1, jump=0.006))
    found = detect_delay(tried)
    assert found.verdict is Verdict.CAUGHT
    assert found.lost is not None
    assert found.lost > 0.5
    assert found.t is not None
    assert found.t > 10
    assert [bars for bars, _ in found.looks] == [0, 1, 3, 10]
    assert found.looks[0][1].net_return > 0 > found.looks[1][1].net_return
    assert {trial.settings["varied"] for trial in ledger.overlapping(["BTCUSDT"], (0, 1 << 60))} == {
        f"{bars} base bars later" for bars in (0, 1, 3, 10)
    }


def test_a_profit_that_drifts_in_is_clean() -> None:
    market = made(6_000, 1)
    one = market.series[0]
    rising = np.exp(3e-4 * np.arange(6_000))  # 3 bp a minute, all the time
    columns = {name: np.round(getattr(one, name) * rising, 1) for name in ("open", "high", "low", "close")}
    columns["high"], columns["low"] = columns["high"] + 0.2, columns["low"] - 0.2
    tried, _ = trying(msgspec.structs.replace(market, series=(msgspec.structs.replace(one, **columns),)))
    found = detect_delay(tried)
    assert found.looks[0][1].net_return > 0
    assert found.verdict is Verdict.CLEAN


def test_costs_take_the_profit_at_a_multiple_between_the_looks() -> None:
    tried, ledger = trying(made(6_000, 1, jump=0.0012))
    found = detect_cost(tried)
    nets = [look.net_return for _, look in found.looks]
    assert nets == sorted(nets, reverse=True)
    assert nets[0] > 0 > nets[2]
    assert found.verdict is Verdict.CAUGHT
    assert found.break_even is not None
    assert 0 < found.break_even < 2
    at = tried.simulate(tried.prepared(), model=at_costs(tried.model, found.break_even))
    assert abs(int(at.equity[-1]) - tried.capital) < tried.capital * 0.01
    trials = list(ledger.overlapping(["BTCUSDT"], (0, 1 << 60)))
    assert {trial.kind for trial in trials} == {KIND}
    assert len(trials) >= 4


def test_a_profit_that_bears_twice_the_costs_is_clean() -> None:
    tried, _ = trying(made(6_000, 1, jump=0.006))
    assert detect_cost(tried).verdict is Verdict.CLEAN


def test_few_trades_carry_no_verdict() -> None:
    tried, _ = trying(made(600, 1, jump=0.006))
    for found in (detect_cost(tried), detect_delay(tried), detect_order(tried)):
        assert found.verdict is Verdict.UNKNOWN
        assert "9 trades" in found.sentence


def test_where_nothing_was_traded_nothing_is_said_of_what_it_earns() -> None:
    tried, _ = trying(made(30, 1, jump=0.006))
    assert detect_cost(tried).sentence == "0 trades; a verdict about costs needs 30"


def test_the_order_of_trades_gives_a_distribution_that_holds_the_own_one() -> None:
    tried, _ = trying(made(6_000, 2))
    found = detect_order(tried, draws=300)
    assert found.drawdown is not None
    assert found.drawdown.low <= found.drawdown.middle <= found.drawdown.high
    assert 0.0 < found.own < 1.0
    assert found == detect_order(tried, draws=300)
    assert found.drawdown != detect_order(tried, draws=300, seed=2).drawdown


def test_paths_have_no_profit_and_pay_the_costs() -> None:
    """Twenty-two days of a rising market; what bought it on every path pays its costs and wins nothing."""
    tried, ledger = trying(made(22 * 1_440, 3, jump=0.001))
    assert detect_paths(tried, paths=2).own_net > 0
    found = detect_paths(tried, paths=12)
    assert found.net is not None
    assert found.net.middle < 0
    assert found.rank == 1.0
    assert found.trades is not None
    assert found.trades > 400
    assert len({one.data_hash for one in ledger.overlapping(["BTCUSDT"], (0, 1 << 60))}) == 13


def test_paths_of_a_few_days_are_not_judged() -> None:
    tried, _ = trying(made(6_000, 3))
    assert detect_paths(tried, paths=3).verdict is Verdict.UNKNOWN


def test_the_trades_of_the_batch_loop_can_have_been() -> None:
    tried, _ = trying(made(6_000, 4, jump=-0.004))
    simulated = tried.simulate(tried.prepared())
    claims = claims_of(simulated, tried.signals, tried.market, stops_stay=True)
    found = detect_fills(claims, tried.market)
    assert (found.verdict, found.broken) == (Verdict.CLEAN, ())
    assert found.trades == 99


def test_neighbours_are_within_twenty_percent_and_differ() -> None:
    spec = template("donchian_breakout")
    names = {one.path: one for one in parameters_of(spec)}
    assert names["/let/stop_atr"].value == 2.5
    assert names["/horizon/minutes"].whole
    assert not any("share" in path or "sizing" in path for path in names)
    around, _ = neighbours(spec, 60, 1)
    assert len(around) == 60
    for other in around:
        for one in parameters_of(other):
            slack = 0.51 if one.whole else 1e-9
            assert abs(one.value - names[one.path].value) <= 0.2 * abs(names[one.path].value) + slack
    assert around == neighbours(spec, 60, 1)[0]


def test_a_neighbourhood_is_run_with_shared_columns_and_leaves_its_trials() -> None:
    spec = template("vwap_reversion")
    bars = walk(40 * 24 * 4, 5, 30_000.0, 15 * MINUTE_MS, START_MS)
    one = series(
        np.round(bars.c, 1),
        interval_ms=15 * MINUTE_MS,
        open=np.round(bars.o, 1),
        high=np.round(bars.h, 1) + 0.1,
        low=np.round(bars.l, 1) - 0.1,
        volume=np.full(len(bars.c), 1e5),
        instrument=shipped_instruments()["BTCUSDT"],
    )
    market = Market((one,), (START_MS, START_MS + 40 * 24 * HOUR_MS), "walk")
    reading = SpecReading(spec, {"BTCUSDT": 100_000})
    tried, ledger = trying(market, signals=reading.says(market), says=reading.says, decides_ms=spec.interval_ms)
    found = detect_neighbourhood(tried, SpecAround(spec, market, tried.cost_e8, lambda _: STILL), cells=20)
    assert found.cells == 20
    assert found.worst is not None
    assert found.median is not None
    assert found.best is not None
    assert found.worst <= found.median <= found.best
    assert found.rank is not None
    assert 0.0 <= found.rank <= 1.0
    hashes = {trial.spec_hash for trial in ledger.overlapping(["BTCUSDT"], (0, 1 << 60))}
    assert len(hashes) == 21
    assert found.chosen.trades == len(tried.simulate(tried.prepared()).trades)
    assert found.verdict is (Verdict.CAUGHT if found.chosen.trades >= 30 else Verdict.UNKNOWN)
    assert (
        pytest.approx(found.profitable)
        == sum(
            trial.figures["net_return"] > 0  # type: ignore[operator]
            for trial in ledger.overlapping(["BTCUSDT"], (0, 1 << 60))
            if trial.settings["varied"] == "parameters"
        )
        / 20
    )
