"""Coin flips lose exactly their costs, fill model by fill model, on driftless paths made from real bars (Q20).

A path strings blocks of the packaged sample's own 1m bars (three symbols, as moves from the close before, gap and wicks
kept), each upright or mirrored by a coin. So a path and its mirror are equally likely, and whoever enters by a coin,
with stop and target distances drawn alike, can expect nothing but his costs. Mean P&L = -(fees + slippage + funding)
is then asked for within two standard errors, and every cash flow must sum to zero to the unit.

Real bars are no martingale inside: whoever rests a limit is hit when the minute goes on against him (1 bp on these
data). What the bar of its fill takes from a limit entry is therefore told apart, computed from the path alone.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from aister.adapters.feeds.recorded import open_feed
from aister.core.events import BarClosed, FundingPaid, FundingSettled, OrderFilled
from aister.core.money import RATE_ONE
from aister.core.trade import Fill, OrderType
from aister.kernels.signals import EXIT, SETUP
from aister.kernels.trades import STOP, TARGET, TIME
from aister.lab.batch import Plan, Simulated, run
from aister.lab.prepare import prepare
from aister.portfolio import Portfolio
from aister.ports.market import Series
from aister.ports.signals import Signals
from aister.sim import Fees, FeeTier, FillModel, Margin, SimVenue, Slippage
from tests.sim.market import MINUTE_MS, MONEY, bracketed, order, plain_model

START = 1_000_000
"""Ticks of 0.1: a path begins at 100,000."""
LENGTH, BLOCK = 1_800, 24
STEPS = 100
CAPITAL = 100_000 * MONEY
FREE = Slippage(half_spread_e8=(), other_half_spread_e8=0, stop_floor_e8=0, stop_range_percent=0)
FULL = FillModel(margin=Margin("isolated", 10))
"""Impact at the rate for the unknown (a path is shorter than two days), 5 % of 100 coins a minute."""
TIERED = Fees(tiers=(FeeTier(0, 10_000, 35_000), FeeTier(100_000 * MONEY, 5_000, 30_000)))
FUNDING_EVERY = 48
Ints = npt.NDArray[np.int64]


class Path(NamedTuple):
    """Columns in ticks."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints


@cache
def pool() -> npt.NDArray[np.int64]:
    """Open, high, low and close of every real bar but the first, as moves from the close before it, in ticks at
    100,000; the last BLOCK - 1 bars of a symbol begin no block."""
    feed = open_feed("sample")
    moves = []
    for symbol in feed.symbols:
        columns = feed.columns(symbol)
        before = columns["close"][:-1]
        prices = (columns[name][1:] for name in ("open", "high", "low", "close"))
        moves.append(np.rint([START * (price / before - 1.0) for price in prices]).astype("i8"))
    return np.stack([one[:, : min(one.shape[1] for one in moves)] for one in moves])


def path(rng: np.random.Generator, length: int = LENGTH, flip_every: int = BLOCK, symbols: int = 3) -> Path:
    """A driftless path of the first so many symbols' bars; a coin turns every `flip_every` bars upright or mirrored."""
    bars = pool()[:symbols]
    blocks = length // BLOCK
    symbol = np.repeat(rng.integers(0, len(bars), blocks), BLOCK)
    picked = (rng.integers(0, bars.shape[2] - BLOCK, blocks)[:, None] + np.arange(BLOCK)).ravel()
    gap, high, low, close = bars[symbol, :, picked].T
    flip = np.repeat(rng.integers(0, 2, length // flip_every) * 2 - 1, flip_every)
    high, low = np.where(flip > 0, high, -low), np.where(flip > 0, low, -high)
    ends = START + np.cumsum(flip * close)
    before = ends - flip * close
    return Path(before + flip * gap, before + high, before + low, ends)


def within_two_errors(gross: npt.NDArray[np.float64]) -> tuple[bool, str]:
    """Whether the mean of P&L with its costs added back is 0."""
    mean, error = float(gross.mean()), float(gross.std(ddof=1) / np.sqrt(len(gross)))
    return abs(mean) <= 2 * error, f"mean {mean:.3f} +- {error:.3f}"


def by_coin(one: Path, bars: Ints, side: Ints, near: Ints, far: Ints, horizon: int, model: FillModel) -> Simulated:
    """The batch loop over a path: at the closes of these bars 100 steps at market, stop and target so many ticks from
    the close, out after `horizon` minutes; funding now and then."""
    terms = msgspec.structs.replace(bracketed(), max_steps=STEPS, market_max_steps=STEPS)
    length = len(one.close)
    open_ms = np.arange(length, dtype=np.int64) * MINUTE_MS
    settled = open_ms[::FUNDING_EVERY]
    prices = [np.asarray(column / 10.0) for column in one]
    rates = np.full(len(settled), 30_000)
    series = Series(terms, MINUTE_MS, open_ms, *prices, np.full(length, 100.0), settled, rates)
    rows = np.zeros(len(bars), SETUP)
    rows["time_ms"], rows["side"], rows["entry_ticks"] = open_ms[bars] + MINUTE_MS, side, one.close[bars]
    rows["stop_ticks"], rows["targets"], rows["share_e4"] = one.close[bars] - side * near, 1, 10_000
    rows["target_ticks"][:, 0] = one.close[bars] + side * far
    rows["horizon_ms"], rows["life_ms"] = horizon * MINUTE_MS, MINUTE_MS
    signals = {terms.symbol: Signals(rows, np.zeros(0, EXIT))}
    plan = Plan(risk_e8=50_000_000, cap_e8=100 * RATE_ONE)
    return run([prepare(series, model, [MINUTE_MS])], signals, plan, model, CAPITAL)


def expect_money_kept(made: Simulated) -> None:
    """Every cash flow sums to zero, to the unit: what the trades lost left the wallet, and nothing else did."""
    done = made.trades
    assert (done["side"] * (done["exit_value"] - done["entry_cost"]) - done["fees"] - done["funding"]).tolist() == (
        done["pnl"].tolist()
    )
    at_hand = (made.fees - int(done["fees"].sum())) + (made.funding - int(done["funding"].sum()))
    assert made.wallet == CAPITAL + int(done["pnl"].sum()) - at_hand
    assert made.held != (0,) or at_hand == 0
    # from the trades' own prices, not from their sums
    flows = (done["side"] * (done["exit_ticks"] - done["entry_ticks"]) * done["steps"]).sum() * 10_000
    assert flows - done["fees"].sum() - done["funding"].sum() == done["pnl"].sum()
    assert (done["steps"] == STEPS).all()


def coin(rng: np.random.Generator, _: Path, at: Ints) -> Ints:
    return rng.integers(0, 2, at.size) * 2 - 1


def flipped(
    seeds: int, seed: int, *, bracket: bool, slippage: Slippage | None, choose: Callable[..., Ints] = coin
) -> tuple[npt.NDArray[np.float64], dict[str, float]]:
    """P&L + costs of each path in quote currency, and sums over all: of trades, by reason, and of each cost."""
    rng = np.random.default_rng(seed)
    model = plain_model(10, slippage=slippage)
    gross, sums = np.zeros(seeds), dict.fromkeys(("trades", "fees", "slippage", "funding", "both"), 0.0)
    reasons: set[int] = set()
    for number in range(seeds):
        one = path(rng)
        at = np.arange(0, LENGTH - 1, 10)
        side = choose(rng, one, at)
        near, far = rng.integers(3_000, 9_000, (2, at.size)) if bracket else np.full((2, at.size), 300_000)
        made = by_coin(one, at, side, near, far, 240 if bracket else 25, model)
        expect_money_kept(made)
        done = made.trades
        gross[number] = (done["pnl"] + done["fees"] + done["slippage"] + done["funding"]).sum() / MONEY
        for name in ("fees", "slippage", "funding"):
            sums[name] += done[name].sum() / MONEY
        sums["trades"] += len(done)
        sums["both"] += made.ambiguous
        reasons |= set(done["reason"].tolist())
    assert reasons == ({STOP, TARGET, TIME} if bracket else {TIME})
    return gross, sums


MODELS = [
    pytest.param(bracket, slippage, id=f"{'stop and target' if bracket else 'time exits only'}, {word}")
    for bracket in (True, False)
    for slippage, word in ((None, "with slippage"), (FREE, "without slippage"))
]


@pytest.mark.parametrize(("bracket", "slippage"), MODELS)
def test_market_entries_lose_exactly_their_costs(bracket: bool, slippage: Slippage | None) -> None:
    gross, sums = flipped(1_000, 20, bracket=bracket, slippage=slippage)
    holds, words = within_two_errors(gross)
    assert holds, words
    assert sums["trades"] > 30_000
    assert sums["fees"] > 0 and sums["funding"] != 0
    assert (sums["slippage"] == 0) == (slippage is FREE)
    assert sums["both"] < 1e-3 * sums["trades"], "bars that held stop and target alike are taken as stops"
    error = gross.std(ddof=1) / np.sqrt(len(gross))
    assert sums["fees"] / 1_000 > 10 * error, "had fees been forgotten, this would tell"
    assert slippage is FREE or sums["slippage"] / 1_000 > 4 * error, "and slippage"
    print(f"{words}, {sums}")


def knows_the_next_bar(rng: np.random.Generator, one: Path, at: Ints) -> Ints:
    """Three sides in ten are chosen by what the bar after the signal does."""
    side = coin(rng, one, at)
    ahead = np.sign(one.close[at + 1] - one.open[at + 1])
    return np.where((rng.random(at.size) < 0.3) & (ahead != 0), ahead, side)


def test_a_coin_that_knows_the_next_bar_now_and_then_is_not_taken_for_one() -> None:
    """The control: one minute's move in three trades of ten is already too much."""
    gross, _ = flipped(1_000, 20, bracket=False, slippage=FREE, choose=knows_the_next_bar)
    assert not within_two_errors(gross)[0]
    assert gross.mean() > 0


# ---- market entries on paths without any memory ----------------------------------------------------------------------


def driftless_pool(seed: int, count: int = 4_000) -> tuple[Ints, Ints, Ints]:
    """High, low and close of `count` bars relative to their open, in ticks: each a walk of +-1 tick, so that a trigger
    is met exactly and a stopped price is worth its trigger; their number wanders, so that volatility clusters."""
    rng = np.random.default_rng(seed)
    level = np.exp(0.5 * np.convolve(rng.normal(size=count + 49), np.ones(50) / 50**0.5, "valid"))
    highs, lows, closes = np.zeros((3, count), "i8")
    for i, steps in enumerate((200 * level).astype("i8") + 1):
        path = np.cumsum(rng.integers(0, 2, steps) * 2 - 1)
        highs[i], lows[i], closes[i] = max(0, path.max()), min(0, path.min()), path[-1]
    return highs, lows, closes


def test_flips_on_a_walk_of_single_ticks_lose_exactly_their_costs() -> None:
    """1,000 seeds of random-side entries on block-bootstrapped driftless bars."""
    rng = np.random.default_rng(20)
    highs, lows, closes = driftless_pool(7)
    length, model = 600, plain_model(10)
    gross, costs, count = np.zeros(1_000), np.zeros(1_000), 0
    for seed in range(1_000):
        starts = rng.integers(0, len(closes) - BLOCK, length // BLOCK)
        picked = (starts[:, None] + np.arange(BLOCK)).ravel()
        flip = np.repeat(rng.integers(0, 2, length // BLOCK) * 2 - 1, BLOCK)
        up, down, move = highs[picked], lows[picked], closes[picked] * flip
        high, low = np.where(flip > 0, up, -down), np.where(flip > 0, down, -up)
        close = START + np.cumsum(move)
        opened = close - move
        at = np.arange(0, length, 10)
        side = rng.integers(0, 2, at.size) * 2 - 1
        near, far = np.full(at.size, 60), np.full(at.size, 75)
        made = by_coin(Path(opened, opened + high, opened + low, close), at, side, near, far, length, model)
        expect_money_kept(made)
        done = made.trades
        gross[seed] = (done["pnl"] + done["fees"] + done["slippage"] + done["funding"]).sum() / MONEY
        costs[seed] = (done["fees"] + done["slippage"] + done["funding"]).sum() / MONEY
        count += len(done)
    holds, words = within_two_errors(gross)
    assert count > 20_000
    assert holds, words
    assert costs.mean() > 20 * gross.std(ddof=1) / np.sqrt(len(gross))
    print(f"{count} trades, {words}, mean costs {costs.mean():.4f}")


# ---- limit entries, order by order through the simulated venue -------------------------------------------------------


class Maker:
    """Rests a limit entry by a coin, away from the close; once in, leaves by time or by a bracket."""

    def __init__(self, rng: np.random.Generator, *, bracket: bool, model: FillModel) -> None:
        self.rng, self.bracket = rng, bracket
        self.venue = SimVenue(base_interval_ms=MINUTE_MS, model=model)
        self.books = Portfolio("coin", CAPITAL)
        for one in (self.venue, self.books):
            one.list_instrument(bracketed())
        self.venue.deposit(CAPITAL)
        self.side, self.limit, self.since = 0, 0, 0
        self.hit_money = 0
        self.entries = self.takers = 0

    def trade(self, bars: list[BarClosed], ticks: Path) -> None:
        venue = self.venue
        for i, bar in enumerate(bars):
            if i % FUNDING_EVERY == 0:
                venue.settle(FundingSettled(bar.open_time_ms, bar.symbol, 30_000, MINUTE_MS), bar.open)
            venue.open([bar])
            venue.rest([bar])
            resting = self.limit
            filled = [one for one in (self.book(report) for report in venue.take_reports()) if one is not None]
            through = (ticks.low[i] < resting) if self.side > 0 else (ticks.high[i] > resting)
            self.close(
                i,
                bar.time_ms,
                int(ticks.open[i]),
                int(ticks.close[i]),
                [one for one in filled if one.client_id == "in"],
            )
            assert not resting or bool(self.limit == 0) == bool(through), "filled if, and only if, traded through"
            venue.take_reports()

    def book(self, report: object) -> Fill | None:
        if isinstance(report, OrderFilled | FundingPaid):
            self.books.apply(report)
        return report.fill if isinstance(report, OrderFilled) else None

    def close(self, i: int, now_ms: int, opened: int, close: int, entered: list[Fill]) -> None:
        """What a minute's close makes it send."""
        venue, symbol = self.venue, "BTCUSDT"
        held = venue.position(symbol).steps
        working = {one.client_id for one in venue.open_orders(symbol)}
        if entered:
            (fill,) = entered
            met = (opened - self.limit) * self.side < 0 and not fill.maker  # the next open had crossed it on arrival
            assert met or (fill.maker, fill.price_ticks) == (True, self.limit)
            self.hit_money += self.side * (close - (opened if met else self.limit)) * STEPS * 10_000
            self.takers += met
            self.limit, self.since, self.entries = 0, i, self.entries + 1
            if self.bracket:
                near, far = (int(one) for one in self.rng.integers(2_000, 5_000, 2))
                stop, target = close - self.side * near, close + self.side * far
                venue.send(order("stop", -self.side, OrderType.STOP_MARKET, at=stop, close=True), now_ms)
                venue.send(order("target", -self.side, OrderType.TAKE_PROFIT_MARKET, at=target, close=True), now_ms)
        elif held:
            if i - self.since >= (120 if self.bracket else 10) and "out" not in working:
                venue.send(order("out", -self.side, steps=STEPS, reduce=True), now_ms)
        elif self.limit == 0:
            for left in working:
                venue.cancel(symbol, left, now_ms)
            self.side, self.since = int(self.rng.integers(0, 2)) * 2 - 1, i
            self.limit = close - self.side * int(self.rng.integers(300, 900))
            venue.send(order("in", self.side, OrderType.LIMIT, STEPS, at=self.limit), now_ms)

    def figures(self) -> tuple[float, float, float]:
        """P&L with costs added back and without what the bars of its fills took; that; the costs."""
        account, close = self.venue.account(), self.books.unrealised
        costs = account["fees"] + account["funding"] + self.venue.slippage_paid("BTCUSDT")
        gross = account["wallet"] + close - CAPITAL + costs
        return (gross - self.hit_money) / MONEY, self.hit_money / MONEY, costs / MONEY


@pytest.mark.parametrize(
    ("bracket", "model"),
    [
        pytest.param(False, plain_model(10), id="time exits only, with slippage"),
        pytest.param(True, plain_model(10), id="stop and target, with slippage"),
        pytest.param(True, plain_model(10, slippage=FREE), id="stop and target, without slippage"),
        pytest.param(True, FULL, id="stop and target, the full model"),
        pytest.param(
            True, msgspec.structs.replace(FULL, margin=Margin("cross", 10), fees=TIERED), id="cross, fee tiers"
        ),
    ],
)
def test_limit_entries_lose_their_costs_and_what_the_bar_that_hits_them_takes(bracket: bool, model: FillModel) -> None:
    """200 paths of BTCUSDT's bars, the calmest, so that costs stand out. Signs change every bar here, so that being hit
    tells nothing about the next one."""
    rng = np.random.default_rng(20)
    rows, entries, takers, slipped, both = [], 0, 0, 0, 0
    for _ in range(200):
        ticks = path(rng, 600, flip_every=1, symbols=1)
        columns = [(column / 10.0).tolist() for column in ticks]
        maker = Maker(rng, bracket=bracket, model=model)
        bars = [
            BarClosed((i + 1) * MINUTE_MS, "BTCUSDT", i * MINUTE_MS, *prices, 100.0)
            for i, prices in enumerate(zip(*columns, strict=True))
        ]
        maker.trade(bars, ticks)
        maker.books.mark("BTCUSDT", bars[-1].close)
        account, booked = maker.venue.account(), maker.books.account()
        assert {name: account[name] for name in booked} == booked
        assert sum(maker.books.ledger.balances().values()) == 0
        assert account["wallet"] == CAPITAL + account["realised"] - account["fees"] - account["funding"]
        rows.append(maker.figures())
        entries, takers = entries + maker.entries, takers + maker.takers
        slipped += maker.venue.slippage_paid("BTCUSDT")
        both += maker.venue.ambiguous_bars("BTCUSDT")
    gross, hit, costs = np.array(rows).T
    holds, words = within_two_errors(gross)
    print(f"{entries} entries, {words}, hit {hit.mean():.3f}, costs {costs.mean():.3f}")
    assert holds, words
    assert (slipped == 0) == (model.slippage is FREE)
    assert both < 1e-3 * entries
    assert takers < 0.01 * entries
    assert hit.mean() < -3 * hit.std(ddof=1) / np.sqrt(len(hit)), "a fill inside a bar is never a gift"
    assert costs.mean() > 4 * gross.std(ddof=1) / np.sqrt(len(gross))
