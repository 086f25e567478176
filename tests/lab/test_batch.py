"""The batch path's own ground: what it refuses, how it sizes, room for fills, and variants that agree to the byte."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from aister.core.errors import DataError, MoneyOverflow, SettingsError, UsageError
from aister.core.money import RATE_ONE, apply_rate
from aister.execution.bracket import ManagementRules, ScalingRules
from aister.kernels.batch import run_one
from aister.kernels.ledger import MONEY_LIMIT
from aister.kernels.several import run_several
from aister.kernels.signals import EXIT, SETUP
from aister.kernels.trades import REASONS
from aister.lab.batch import Plan, Simulated, run, simulate
from aister.lab.loop import Loop
from aister.lab.prepare import prepare
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.sim.models import Fees, FillModel, Impact, Latency, Margin, Slippage
from tests.parity.cases import random_case
from tests.sim.market import MINUTE_MS, MONEY, bracketed, plain_model

PRICE = 1_000_000
"""Ticks of 0.1: 100,000."""
CAPITAL = 10_000 * MONEY
FREE = msgspec.structs.replace(
    plain_model(20), fees=Fees(0), slippage=Slippage(stop_floor_e8=0, stop_range_percent=0), latency=Latency(0, 0, 0)
)


def flat(bars: int = 60, *, volume: float = 100.0, symbol: str = "BTCUSDT") -> Series:
    """Minutes at one price; nothing ever moves."""
    price = np.full(bars, PRICE / 10.0)
    terms = msgspec.structs.replace(bracketed(), symbol=symbol)
    none = np.zeros(0, np.int64)
    open_ms = np.arange(bars, dtype=np.int64) * MINUTE_MS
    return Series(terms, MINUTE_MS, open_ms, *[price] * 4, np.full(bars, volume), none, none)


def long_at(minute: int, *, stop: int = PRICE - 10_000, life: int = 10, horizon: int = 20) -> tuple[object, ...]:
    """A long at market, its target out of reach."""
    aims, shares = (PRICE + 500_000, 0, 0), (10_000, 0, 0)
    return minute * MINUTE_MS, 1, 0, PRICE, stop, 1, aims, shares, horizon * MINUTE_MS, life * MINUTE_MS


def told(*rows: tuple[object, ...], exits: tuple[tuple[int, int], ...] = ()) -> Signals:
    return Signals(np.array(list(rows), SETUP), np.array(list(exits), EXIT))


def traded(series: Series, signals: Signals, plan: Plan, model: FillModel, capital: int = CAPITAL) -> Simulated:
    market = Market((series,), (0, int(series.open_ms[-1]) + MINUTE_MS), "made up")
    return simulate(market, {series.symbol: signals}, plan, model, capital, decides_ms=[MINUTE_MS], fills=True)


def expect_refusal(error: type[Exception], words: str, **changed: object) -> None:
    given: dict[str, object] = {
        "series": flat(), "signals": told(long_at(5)), "plan": Plan(), "model": FREE, "capital": CAPITAL, **changed
    }  # fmt: skip
    with pytest.raises(error, match=words):
        traded(**given)  # type: ignore[arg-type]


def test_what_cannot_be_run_is_refused_with_the_way_out() -> None:
    expect_refusal(
        SettingsError, "feed longer bars", model=msgspec.structs.replace(FREE, latency=Latency(33 * MINUTE_MS))
    )
    lower = msgspec.structs.replace(FREE, intrabar="lower_timeframe")
    expect_refusal(SettingsError, "lower_timeframe needs bars shorter than the 1 minutes decided on", model=lower)
    for status in ("PENDING_TRADING", "SETTLING"):
        terms = msgspec.structs.replace(flat().instrument, status=status)
        expect_refusal(SettingsError, f"is {status}", series=msgspec.structs.replace(flat(), instrument=terms))
    expect_refusal(DataError, "coarser tick", series=msgspec.structs.replace(flat(), high=np.full(60, 3e8)))
    for plan in (Plan(risk_e8=0), Plan(risk_e8=RATE_ONE + 1)):
        expect_refusal(SettingsError, "risk of a trade", plan=plan)
    expect_refusal(SettingsError, "cap on notional", plan=Plan(cap_e8=0))
    for scaling in (ScalingRules(4), ScalingRules(-1), ScalingRules(1, 0), ScalingRules(1, 5_000, 10_001)):
        expect_refusal(SettingsError, "three further entries", plan=Plan(scaling=scaling))
    for plan in (Plan(delay_bars=-1), Plan(management=ManagementRules(-1)), Plan(management=ManagementRules(0, -1))):
        expect_refusal(SettingsError, "cannot be negative", plan=plan)


def test_what_does_not_belong_together_is_refused() -> None:
    one, other = flat(), flat(symbol="ETHUSDT")
    none = {"BTCUSDT": Signals.none(), "ETHUSDT": Signals.none()}
    cross = msgspec.structs.replace(FREE, margin=Margin("cross", 3))
    both = [prepare(series, FREE, [MINUTE_MS]) for series in (one, other)]
    hedged = msgspec.structs.replace(cross, position_mode="hedge")
    for model in (cross, hedged):
        assert run(both, none, Plan(), model, CAPITAL).wallet == CAPITAL
        assert run(both[:1], none, Plan(), model, CAPITAL).wallet == CAPITAL
    with pytest.raises(UsageError, match="prepare them again"):
        run(both, none, Plan(), msgspec.structs.replace(FREE, impact=Impact()), CAPITAL)
    with pytest.raises(UsageError, match="at least one symbol"):
        run([], none, Plan(), FREE, CAPITAL)
    wide = msgspec.structs.replace(other, interval_ms=5 * MINUTE_MS, open_ms=other.open_ms * 5)
    with pytest.raises(UsageError, match="one base interval"):
        run([both[0], prepare(wide, FREE, [5 * MINUTE_MS])], none, Plan(), FREE, CAPITAL)
    market = Market((one,), (0, 60 * MINUTE_MS), "made up")
    with pytest.raises(UsageError, match="no bars of ETHUSDT; the market has BTCUSDT"):
        simulate(market, none, Plan(), FREE, CAPITAL, decides_ms=[MINUTE_MS])


def test_an_amount_that_leaves_64_bits_stops_the_run() -> None:
    expect_refusal(MoneyOverflow, "does not fit in 64 bits", signals=told(), capital=MONEY_LIMIT)
    rising = flat()
    for column in (rising.open, rising.high, rising.low, rising.close):
        column[10:] = 2 * PRICE / 10.0
    plan = Plan(risk_e8=1_000_000, cap_e8=RATE_ONE)
    expect_refusal(MoneyOverflow, "does not fit in 64 bits", series=rising, plan=plan, capital=MONEY_LIMIT - 1_000)
    assert traded(rising, told(long_at(5)), plan, FREE, CAPITAL).wallet > CAPITAL


def test_size_is_risk_over_the_distance_to_the_stop() -> None:
    mine = traded(flat(), told(long_at(5)), Plan(risk_e8=1_000_000, cap_e8=100 * RATE_ONE), FREE)
    (trade,) = mine.trades
    assert trade["steps"] == 100  # 1 % of 10,000 = 100 over 1,000 a coin = 0.1 coin in steps of 0.001
    assert trade["risk"] >= 100 * MONEY
    assert REASONS[int(trade["reason"])] == "time"
    assert (trade["entry_ms"], trade["exit_ms"]) == (5 * MINUTE_MS, 25 * MINUTE_MS)


def test_a_trade_by_hand() -> None:
    """Signal at 100,000.0, stop 99,000.0: 100,000 x 0.5 % / (10,000 ticks x 0.0001) = 500 steps. In at the next open,
    100,000.0 + 0.5 bp = 100,005.0; target 101,000.0 less 0.5 bp (50.5, outward 51 ticks): out at 100,994.9.
    Fees 3.5 bp of 50,002.5 and of 50,497.45; profit 0.5 x 989.9 = 494.95. The second setup comes while in position.
    """
    series = flat(4)
    high, low, close = (column.copy() for column in (series.high, series.low, series.close))
    high[2], low[2], close[2] = 101_000.0, 99_500.0, 100_500.0
    series = msgspec.structs.replace(series, high=high, low=low, close=close)
    aims, rest = (PRICE + 10_000, 0, 0), ((10_000, 0, 0), 60 * MINUTE_MS, MINUTE_MS)
    signals = told(
        (MINUTE_MS, 1, 0, PRICE, PRICE - 10_000, 1, aims, *rest),
        (2 * MINUTE_MS, -1, 0, PRICE, PRICE + 10_000, 1, (PRICE - 10_000, 0, 0), *rest),
    )
    mine = traded(series, signals, Plan(), plain_model(), 100_000 * MONEY)
    entry_fee = apply_rate(1_000_050 * 500 * 10_000, 35_000)
    fees = entry_fee + apply_rate(1_009_949 * 500 * 10_000, 35_000)
    profit = (1_009_949 - 1_000_050) * 500 * 10_000
    (trade,) = mine.trades
    names = ("entry_ms", "exit_ms", "side", "steps", "entry_ticks", "exit_ticks", "entry_fee", "fees", "funding")
    expected = (MINUTE_MS, 3 * MINUTE_MS - 1, 1, 500, 1_000_050, 1_009_949, entry_fee, fees, 0)
    assert tuple(int(trade[name]) for name in names) == expected
    assert (int(trade["slippage"]), int(trade["pnl"])) == ((50 + 51) * 500 * 10_000, profit - fees)
    assert REASONS[int(trade["reason"])] == "target"
    assert profit == 494_95 * MONEY // 100
    assert int(mine.equity[-1]) == 100_000 * MONEY + profit - fees


@pytest.mark.parametrize(
    ("plan", "model", "steps"),
    [
        (Plan(risk_e8=10_000_000, cap_e8=RATE_ONE // 2), FREE, 50),  # half of equity in coins of 100,000
        (
            Plan(risk_e8=10_000_000, cap_e8=100 * RATE_ONE),
            msgspec.structs.replace(FREE, margin=Margin(leverage=2)),
            200,
        ),
        (Plan(risk_e8=100, cap_e8=RATE_ONE), FREE, 0),  # less than the smallest step
    ],
    ids=["cap on notional", "margin at hand", "nothing"],
)
def test_the_smallest_of_the_limits_decides(plan: Plan, model: FillModel, steps: int) -> None:
    mine = traded(flat(), told(long_at(5)), plan, model)
    got = int(mine.trades["steps"][0]) if len(mine.trades) else 0
    assert steps * 98 // 100 <= got <= steps, "up to what fees and spread take"


def test_there_is_room_for_as_many_fills_as_a_volume_cap_makes() -> None:
    """One entry of 100 steps, one step a bar: more fills than anybody would set aside for one setup."""
    model = msgspec.structs.replace(FREE, volume_share_e4=1_000)
    series = flat(300, volume=0.01)  # ten steps a bar, one of them ours
    signals = told(long_at(5, life=200, horizon=250))
    mine = traded(series, signals, Plan(risk_e8=1_000_000, cap_e8=100 * RATE_ONE), model)
    assert mine.fills is not None
    assert len(mine.fills[mine.fills["reason"] == 1]) == 100
    assert set(mine.fills["steps"].tolist()) == {1}


def test_a_setup_at_a_close_that_is_no_bar_of_the_span_is_nothing() -> None:
    series = msgspec.structs.replace(flat(), start=10)
    mine = traded(series, told(long_at(5), long_at(1_000)), Plan(), FREE)
    assert (len(mine.trades), mine.wallet, mine.held) == (0, CAPITAL, (0,))
    assert mine.equity_ms.tolist() == [10 * MINUTE_MS, 60 * MINUTE_MS]


def test_an_exit_closes_its_own_side_only() -> None:
    def left(side: int) -> str:
        mine = traded(flat(), told(long_at(5), exits=((8 * MINUTE_MS, side),)), Plan(), FREE)
        (trade,) = mine.trades
        return f"{REASONS[int(trade['reason'])]} {int(trade['exit_ms']) // MINUTE_MS}"

    assert (left(1), left(-1)) == ("exit 8", "time 25")


VARIANTS: dict[str, Callable[..., Simulated]] = {
    "at every bar": lambda *given: run(*given, fills=True, dense=True),
    "the loop for several": lambda *given: run(*given, fills=True, together=True),
    "without fills": run,
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_agree_to_the_byte(variant: str) -> None:
    traded_at_all = 0
    for seed in range(100, 130):
        case = random_case(seed, bars=400)
        given = (
            [prepare(one, case.model, case.decides_ms) for one in case.market.series],
            *(case.signals, case.plan, case.model, case.capital),
        )
        mine, other = run(*given, fills=True), VARIANTS[variant](*given)
        assert other.trades.tobytes() == mine.trades.tobytes()
        assert other.equity.tolist() == mine.equity.tolist()
        sums = ("wallet", "fees", "funding", "slippage", "liquidation_fees", "ambiguous", "unknown_impacts", "held")
        assert [getattr(other, name) for name in sums] == [getattr(mine, name) for name in sums]
        assert (other.fills is None) == (variant == "without fills")
        if other.fills is not None and mine.fills is not None:
            assert other.fills.tobytes() == mine.fills.tobytes()
        traded_at_all += len(mine.trades)
    assert traded_at_all > 100


@pytest.mark.parametrize("symbols", [1, 2])
def test_a_loop_made_ready_once_gives_what_a_run_gives(symbols: int) -> None:
    case = random_case(11, symbols=symbols)
    prepared = [prepare(one, case.model, case.decides_ms) for one in case.market.series]
    loop = Loop(prepared, case.plan, case.model, case.capital)
    told_so = [case.signals[one.symbol] for one in case.market.series]
    for part in (told_so, [Signals(one.setups[::3], one.exits[:0]) for one in told_so], told_so):
        by_symbol = dict(zip(case.market.symbols, part, strict=True))
        expected = run(prepared, by_symbol, case.plan, case.model, case.capital, fills=True)
        ended = loop.run(part, fills=True)
        assert ended.trades.tobytes() == expected.trades.tobytes()
        assert expected.fills is not None and ended.fills is not None
        assert ended.fills.tobytes() == expected.fills.tobytes()
        assert ended.equity.tolist() == expected.equity[1 : 1 + len(ended.equity)].tolist()


@pytest.mark.parametrize("hedge", [False, True])
@pytest.mark.parametrize(("symbols", "seed"), [(1, 11), (2, 11), (2, 14), (3, 12)])
def test_many_strategies_at_once_come_to_what_each_comes_to_alone(symbols: int, seed: int, hedge: bool) -> None:
    case = random_case(seed, symbols=symbols, hedge=hedge)
    prepared = [prepare(one, case.model, case.decides_ms) for one in case.market.series]
    setups = [case.signals[one.symbol].setups for one in case.market.series]
    strategies = [[rows[first::3] for rows in setups] for first in range(3)] + [[rows[:0] for rows in setups]]
    alone = []
    for strategy in strategies:
        entering = [Signals(rows, np.zeros(0, EXIT)) for rows in strategy]
        by_symbol = dict(zip(case.market.symbols, entering, strict=True))
        alone.append(int(run(prepared, by_symbol, case.plan, case.model, case.capital).trades["pnl"].sum()))
    behind = [np.concatenate([strategy[k] for strategy in strategies]) for k in range(symbols)]
    of = [np.cumsum([0, *(len(strategy[k]) for strategy in strategies)]) for k in range(symbols)]
    versions = len(run_one.signatures), len(run_several.signatures)
    together = Loop(prepared, case.plan, case.model, case.capital).nets(behind, of)
    assert (len(run_one.signatures), len(run_several.signatures)) == versions, "other types were compiled for"
    assert together.tolist() == alone and sum(net != 0 for net in alone) > 1 and alone[-1] == 0


def test_a_run_leaves_what_it_was_given_as_it_was() -> None:
    case = random_case(7)
    prepared = [prepare(one, case.model, case.decides_ms) for one in case.market.series]
    once, again = (run(prepared, case.signals, case.plan, case.model, case.capital, fills=True) for _ in range(2))
    assert once.trades.tobytes() == again.trades.tobytes()
    assert once.equity.tolist() == again.equity.tolist()
