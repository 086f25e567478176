"""The batch loop: equal to the simulated venue driven order by order, worked by hand, and losing exactly its costs."""

import numpy as np
import numpy.typing as npt
import pytest

from aister.core.events import BarClosed, FundingSettled, OrderFilled, OrderRejected
from aister.core.money import apply_rate
from aister.core.trade import FillKind, OrderType, Purpose
from aister.kernels.bracket import BRACKET, CLOSE, LIQUIDATION, STOP, TARGET, TIME, TRADE, run
from aister.kernels.ledger import book_transfer
from aister.kernels.signals import SIGNAL
from aister.kernels.sizing import size_for_risk
from aister.kernels.state import State, allocate
from aister.sim import SimVenue, Slippage
from aister.sim.desk import write_book
from tests.sim.market import MINUTE_MS, MONEY, bracketed, order, plain_model, walk

Columns = tuple[npt.NDArray[np.int64], ...]
CAPITAL = 100_000 * MONEY


def batch_state(
    leverage: int = 3, risk_e8: int = 500_000, horizon_ms: int = 0, slippage: Slippage | None = None
) -> State:
    terms = bracketed()
    state = allocate(BRACKET)
    s = state[0]
    write_book(s["book"], terms, plain_model(leverage, slippage=slippage))
    book_transfer(state["account"], CAPITAL)
    s["risk_e8"], s["min_steps"], s["max_steps"] = risk_e8, terms.min_steps, terms.market_max_steps
    s["min_notional"], s["interval_ms"], s["horizon_ms"] = terms.min_notional, MINUTE_MS, horizon_ms
    return state


def drive(
    state: State, bars: list[BarClosed], funding: npt.NDArray[np.int64], signals: npt.NDArray[np.void]
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int64]]:
    columns = np.array([(b.open, b.high, b.low, b.close) for b in bars]).T.copy()
    open_ms = np.array([b.open_time_ms for b in bars], "i8")
    equity, trades = np.zeros(len(bars), "i8"), np.zeros(len(signals), TRADE)
    paid = np.zeros(len(bars), "i8")
    count = run(state, open_ms, *columns, funding, signals, paid, equity, trades)
    assert count >= 0
    return trades[:count], equity


def signal_rows(rows: list[tuple[int, int, int, int, int]]) -> npt.NDArray[np.void]:
    """(close time, side, close, stop, target) of each."""
    return np.array(rows, SIGNAL)


def random_signals(
    bars: list[BarClosed], seed: int, stop: int, target: int, share: float = 0.1
) -> npt.NDArray[np.void]:
    rng = np.random.default_rng(seed)
    rows = []
    for bar in bars:
        if rng.random() < share:
            side, close = int(rng.choice([-1, 1])), round(bar.close * 10)
            near, far = int(rng.integers(stop // 8, stop)), int(rng.integers(target // 8, target))
            rows.append((bar.time_ms, side, close, close - side * near, close + side * far))
    return signal_rows(rows)


def by_the_venue(
    bars: list[BarClosed],
    funding: npt.NDArray[np.int64],
    signals: npt.NDArray[np.void],
    leverage: int,
    risk_e8: int,
    horizon_ms: int,
) -> tuple[list[tuple[int, ...]], list[int]]:
    """The same rule as orders to the simulated venue and answers to its reports."""
    terms = bracketed()
    venue = SimVenue(base_interval_ms=MINUTE_MS, model=plain_model(leverage))
    venue.list_instrument(terms)
    venue.deposit(CAPITAL)
    by_time = {int(s["time_ms"]): s for s in signals}
    trades: list[tuple[int, ...]] = []
    equity: list[int] = []
    signal = signals[0] if len(signals) else None
    entry = None
    closing = False
    base = (0, 0, 0)

    def sums() -> tuple[int, int, int]:
        account = venue.account()
        return account["fees"], account["funding"], account["wallet"]

    def answer() -> None:
        nonlocal entry, closing, base
        while reports := venue.take_reports():
            for report in reports:
                if isinstance(report, OrderRejected) and report.client_id[0] in "st" and not closing:
                    closing = True
                    venue.send(order("x-close", -entry.side, steps=entry.steps, reduce=True), report.time_ms)
                if not isinstance(report, OrderFilled):
                    continue
                fill = report.fill
                if fill.purpose == Purpose.ENTRY and fill.client_id == "in":
                    entry, closing = fill, False
                    at = int(signal["stop_ticks"])
                    venue.send(order("stop", -fill.side, OrderType.STOP_MARKET, at=at, close=True), fill.time_ms)
                    at = int(signal["target_ticks"])
                    venue.send(
                        order("target", -fill.side, OrderType.TAKE_PROFIT_MARKET, at=at, close=True), fill.time_ms
                    )
                elif venue.position("BTCUSDT").steps == 0:
                    for left in venue.open_orders("BTCUSDT"):
                        venue.cancel("BTCUSDT", left.client_id, fill.time_ms)
                    now = sums()
                    reason = {"stop": STOP, "target": TARGET, "x-close": CLOSE, "x-time": TIME}.get(
                        fill.client_id, LIQUIDATION
                    )
                    assert (reason == LIQUIDATION) == (fill.kind == FillKind.LIQUIDATION)
                    trades.append(
                        (
                            entry.time_ms,
                            fill.time_ms,
                            int(entry.side),
                            entry.steps,
                            entry.price_ticks,
                            fill.price_ticks,
                            now[0] - base[0],
                            now[1] - base[1],
                            now[2] - base[2],
                            reason,
                        )
                    )
                    base = now

    base = sums()
    for i, bar in enumerate(bars):
        if funding[i]:
            venue.settle(FundingSettled(bar.open_time_ms, "BTCUSDT", int(funding[i]), MINUTE_MS), bar.open)
            venue.take_reports()
        venue.open([bar])
        answer()
        venue.rest([bar])
        answer()
        position = venue.position("BTCUSDT")
        close = round(bar.close * 10)
        working = venue.open_orders("BTCUSDT")
        if position.steps and horizon_ms and bar.time_ms >= entry.time_ms + horizon_ms:
            leaving = any(o.type == OrderType.MARKET for o in working)
            if not leaving:
                venue.send(order("x-time", -entry.side, steps=entry.steps, reduce=True), bar.time_ms)
        if (due := by_time.get(bar.time_ms)) is not None and position.steps == 0 and not working:
            side, stop = int(due["side"]), int(due["stop_ticks"])
            steps = min(
                size_for_risk(venue.wallet, risk_e8, (close - stop) * side, terms.unit),
                terms.market_max_steps,
                venue.wallet // terms.unit // close * leverage,
            )
            if steps and terms.notional(close, steps) >= terms.min_notional:
                signal = due
                venue.send(order("in", side, steps=steps), bar.time_ms)
        venue.take_reports()
        equity.append(venue.wallet + position.steps * close * terms.unit - position.cost)
    return trades, equity


@pytest.mark.parametrize(
    ("seed", "leverage", "risk_e8", "horizon_ms"),
    [(1, 3, 500_000, 0), (2, 3, 500_000, 15 * MINUTE_MS), (3, 50, 2_000_000, 0), (4, 100, 500_000, 60 * MINUTE_MS)],
)
def test_batch_equals_the_venue_trade_for_trade(seed: int, leverage: int, risk_e8: int, horizon_ms: int) -> None:
    bars = walk(seed, 2_500, scale=200 if leverage == 3 else 2_000)
    funding = np.zeros(len(bars), "i8")
    funding[::97] = np.random.default_rng(seed).integers(-30_000, 30_001, len(funding[::97]))
    signals = random_signals(bars, seed, *((800, 1_200) if leverage == 3 else (25_000, 12_000)))
    trades, equity = drive(batch_state(leverage, risk_e8, horizon_ms), bars, funding, signals)
    expected, expected_equity = by_the_venue(bars, funding, signals, leverage, risk_e8, horizon_ms)
    names = [n for n in TRADE.names or () if n not in ("slippage", "entry_fee")]
    assert [tuple(int(t[n]) for n in names) for t in trades] == expected
    assert equity.tolist() == expected_equity
    assert len(trades) > 30
    reasons = set(trades["reason"].tolist())
    assert {STOP, TARGET} <= reasons if leverage == 3 else {LIQUIDATION, TARGET} <= reasons
    assert (TIME in reasons) == bool(horizon_ms)


def test_a_trade_by_hand() -> None:
    """Signal at 100,000.0, stop 99,000.0: 100,000 x 0.5 % / (10,000 ticks x 0.0001) = 500 steps. In at the next open,
    100,000.0 + 0.5 bp = 100,005.0; target 101,000.0 less 0.5 bp (50.5, outward 51 ticks): out at 100,994.9.
    Fees 3.5 bp of 50,002.5 and of 50,497.45; profit 0.5 x 989.9 = 494.95.
    """
    quiet = (100_000.0, 100_000.0, 100_000.0, 100_000.0)
    bars = [
        BarClosed((i + 1) * MINUTE_MS, "BTCUSDT", i * MINUTE_MS, *p, 1.0)
        for i, p in enumerate([quiet, quiet, (100_000.0, 101_000.0, 99_500.0, 100_500.0), quiet])
    ]
    signals = signal_rows([(MINUTE_MS, 1, 1_000_000, 990_000, 1_010_000), (2 * MINUTE_MS, -1, 1, 1, 1)])
    trades, equity = drive(batch_state(), bars, np.zeros(4, "i8"), signals)
    entry_fee = apply_rate(1_000_050 * 500 * 10_000, 35_000)
    fees = entry_fee + apply_rate(1_009_949 * 500 * 10_000, 35_000)
    profit = (1_009_949 - 1_000_050) * 500 * 10_000
    assert len(trades) == 1
    assert trades[0].tolist() == (
        MINUTE_MS,
        3 * MINUTE_MS - 1,
        1,
        500,
        1_000_050,
        1_009_949,
        entry_fee,
        fees,
        0,
        (50 + 51) * 500 * 10_000,
        profit - fees,
        TARGET,
    )
    assert profit == 494_95 * MONEY // 100
    assert equity.tolist()[-1] == CAPITAL + profit - fees


def test_overflow_names_the_bar() -> None:
    state = batch_state()
    state["account"]["wallet"][0] = 2**62 - 1
    state["book"]["costs"]["taker_e8"][0] = -(10**8)
    bars = walk(1, 50)
    signals = random_signals(bars, 1, 800, 1_200, 1.0)
    columns = np.array([(b.open, b.high, b.low, b.close) for b in bars]).T.copy()
    open_ms = np.array([b.open_time_ms for b in bars], "i8")
    count = run(
        state,
        open_ms,
        *columns,
        np.zeros(50, "i8"),
        signals,
        np.zeros(50, "i8"),
        np.zeros(50, "i8"),
        np.zeros(50, TRADE),
    )
    assert count == -2


# Coin flips (quant Q20)


def driftless_pool(seed: int, count: int = 4_000) -> tuple[npt.NDArray[np.int64], ...]:
    """High, low and close of `count` bars relative to their open, in ticks: each a walk of +-1 tick, so that a trigger
    is met exactly and a stopped price is worth its trigger; their number wanders, so that volatility clusters."""
    rng = np.random.default_rng(seed)
    level = np.exp(0.5 * np.convolve(rng.normal(size=count + 49), np.ones(50) / 50**0.5, "valid"))
    highs, lows, closes = np.zeros((3, count), "i8")
    for i, steps in enumerate((200 * level).astype("i8") + 1):
        path = np.cumsum(rng.integers(0, 2, steps) * 2 - 1)
        highs[i], lows[i], closes[i] = max(0, path.max()), min(0, path.min()), path[-1]
    return highs, lows, closes


def test_coin_flips_lose_exactly_their_costs() -> None:
    """1,000 seeds of random-side entries on block-bootstrapped driftless bars: P&L + fees + slippage + funding is 0
    within 2 standard errors, and every run's sums are equal to the unit."""
    rng = np.random.default_rng(20)
    pool, length, block = driftless_pool(7), 600, 24
    highs, lows, closes = pool
    gross = np.zeros(1_000)
    costs = np.zeros(1_000)
    count = 0
    open_ms = np.arange(length, dtype="i8") * MINUTE_MS
    paid, equity, trades = np.zeros(length, "i8"), np.zeros(length, "i8"), np.zeros(length, TRADE)
    funding = np.where(np.arange(length) % 48 == 0, 10_000, 0).astype("i8")
    for seed in range(1_000):
        starts = rng.integers(0, len(closes) - block, length // block)
        picked = (starts[:, None] + np.arange(block)).ravel()
        flip = np.repeat(rng.integers(0, 2, length // block) * 2 - 1, block)
        up, down, move = highs[picked], lows[picked], closes[picked] * flip
        high, low = np.where(flip > 0, up, -down), np.where(flip > 0, down, -up)
        close = 1_000_000 + np.cumsum(move)
        opened = close - move
        rows = np.zeros(length // 10, SIGNAL)
        at = np.arange(0, length, 10)
        side = rng.integers(0, 2, at.size) * 2 - 1
        rows["time_ms"], rows["side"] = open_ms[at] + MINUTE_MS, side
        rows["stop_ticks"], rows["target_ticks"] = close[at] - side * 60, close[at] + side * 75
        state = batch_state(leverage=10)
        state[0]["max_steps"] = 100
        prices = [np.asarray(x / 10.0) for x in (opened, opened + high, opened + low, close)]
        done = run(state, open_ms, *prices, funding, rows, paid, equity, trades)
        account = state["account"][0]
        assert account["wallet"] == account["transfers"] + account["realised"] - account["fees"] - account["funding"]
        closed = trades[:done]
        gross[seed] = (closed["pnl"] + closed["fees"] + closed["slippage"] + closed["funding"]).sum() / MONEY
        costs[seed] = (closed["fees"] + closed["slippage"] + closed["funding"]).sum() / MONEY
        count += done
        if state["book"]["position"]["steps"][0] == 0:
            assert closed["pnl"].sum() == account["wallet"] - account["transfers"]
            assert closed["fees"].sum() == account["fees"]
    error = gross.std(ddof=1) / np.sqrt(len(gross))
    assert count > 20_000
    assert abs(gross.mean()) <= 2 * error, (gross.mean(), error)
    assert costs.mean() > 20 * error
    print(f"{count} trades, mean gross {gross.mean():.4f} +- {error:.4f}, mean costs {costs.mean():.4f}")
