"""What the venue assumes: every kind of order, mode and policy through it, and the shortcut that changes nothing."""

import numpy as np
import pytest

from aister.core.errors import SettingsError
from aister.core.events import (
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    VenueReport,
)
from aister.core.trade import FillKind, Order, OrderType, Purpose, Side
from aister.kernels.impact import DAY_MS
from aister.sim import Fees, FeeTier, FillModel, Impact, Latency, Margin, SimVenue, Slippage
from tests.sim.market import MINUTE_MS, MONEY, bar, instrument, order, plain_model, walk
from tests.sim.test_venue import FREE, fills

FULL = FillModel()
FREE_MODEL = plain_model(slippage=FREE)


def venue(model: FillModel, symbols: tuple[str, ...] = ("BTCUSDT",), capital: int = 10_000) -> SimVenue:
    """A venue with a bar at 100,000 behind it and money."""
    made = SimVenue(base_interval_ms=MINUTE_MS, model=model)
    for symbol in symbols:
        made.list_instrument(instrument(symbol))
    made.deposit(capital * MONEY)
    first = [bar(0, 1e5, 1e5, 1e5, 1e5, symbol) for symbol in symbols]
    made.open(first)
    made.rest(first)
    return made


def of_leg(client_id: str, side: int, leg: int, steps: int = 100) -> Order:
    return Order(
        client_id, "i", "BTCUSDT", Side(side), OrderType.MARKET, Purpose.ENTRY, steps, 0, 0, False, False, leg=leg
    )


def conditional(client_id: str, side: int, kind: OrderType, **terms: int | bool) -> Order:
    given = {"steps": 100, "price_ticks": 0, "trigger_ticks": 0, "reduce_only": False, "close_position": False} | terms
    return Order(client_id, "i", "BTCUSDT", Side(side), kind, Purpose.ENTRY, **given)  # type: ignore[arg-type]


def flat(minute: int, price: float, symbol: str = "BTCUSDT") -> list:  # type: ignore[type-arg]
    return [bar(minute, price, price, price, price, symbol)]


def refusal(made: SimVenue, one: Order) -> str:
    made.take_reports()
    made.send(one, MINUTE_MS)
    (said,) = made.take_reports()
    return said.reason.split()[0] if isinstance(said, OrderRejected) else ""


def test_partial_fills_are_reported_one_by_one() -> None:
    """Volume 1.0 = 1,000 steps a bar, 5 % of it ours: 50, 50, 20."""
    made = venue(FillModel(slippage=FREE, impact=None))
    made.send(order("in", 1, steps=120), MINUTE_MS)
    got = []
    for minute in (1, 2, 3):
        made.open(flat(minute, 100_000.0))
        got += [(r.fill.steps, r.done) for r in made.take_reports() if isinstance(r, OrderFilled)]
    assert got == [(50, False), (50, False), (20, True)]
    assert made.position("BTCUSDT").steps == 120
    assert made.open_orders("BTCUSDT") == []


def test_an_acknowledgement_comes_later_and_not_for_what_is_gone() -> None:
    made = venue(plain_model(latency=Latency(ms=0, ack_ms=2 * MINUTE_MS)))
    made.send(order("rests", 1, OrderType.LIMIT, at=990_000), MINUTE_MS)
    made.send(order("gone", 1, OrderType.LIMIT, at=990_000), MINUTE_MS)
    made.cancel("BTCUSDT", "gone", MINUTE_MS)
    made.open(flat(1, 100_000.0))
    assert made.take_reports() == [OrderCanceled(MINUTE_MS, "BTCUSDT", "gone", "requested")]
    made.open(flat(2, 100_000.0))
    assert made.take_reports() == [OrderAccepted(2 * MINUTE_MS, "BTCUSDT", "rests")]


def test_hedged_legs_are_positions_of_their_own() -> None:
    made = venue(FillModel(slippage=FREE, impact=None, volume_share_e4=0, position_mode="hedge"))
    made.send(of_leg("long", 1, 1), MINUTE_MS)
    made.send(of_leg("short", -1, -1, 40), MINUTE_MS)
    made.open(flat(1, 100_000.0))
    assert (made.position("BTCUSDT", 1).steps, made.position("BTCUSDT", -1).steps) == (100, -40)
    assert [r.fill.leg for r in made.take_reports() if isinstance(r, OrderFilled)] == [1, -1]
    made.settle(FundingSettled(2 * MINUTE_MS, "BTCUSDT", 10_000, MINUTE_MS), 100_000.0)
    assert [r.steps for r in made.take_reports() if isinstance(r, FundingPaid)] == [100, -40]
    made.send(of_leg("out", -1, 1, 300), 2 * MINUTE_MS)
    made.open(flat(2, 100_000.0))
    assert fills(made.take_reports())[-1][2] == -100
    assert refusal(made, of_leg("none", -1, 1)) == "-2022"
    assert refusal(made, of_leg("mode", 1, 0)) == "-4061"
    assert refusal(venue(FREE_MODEL), of_leg("mode", 1, 1)) == "-4061"


def test_hedged_legs_share_the_bars_volume() -> None:
    made = venue(FillModel(slippage=FREE, impact=None, position_mode="hedge"))
    made.send(of_leg("long", 1, 1, 30), MINUTE_MS)
    made.send(of_leg("short", -1, -1, 30), MINUTE_MS)
    made.open(flat(1, 100_000.0))
    assert [abs(size) for _, _, size, _ in fills(made.take_reports())] == [30, 20]


def test_cross_margin_looks_at_every_symbol_at_once() -> None:
    """Wallet 3,000; 0.1 BTC and 0.1 SOL long at 100,000. In the bar both fall to 86,000: BTC is reached where 3,000 -
    1,400 (SOL at its low) - 34.4 + 0.1 (P - 100,000) = 0.1 P x 0.4 %, P = 84,682; it never trades there. At 85,000 in
    the next bar: 3,000 - 1,500 - 34 = 1,466 are left, P = 85,683; bankrupt where 1,500 + 0.1 (P - 100,000) = 0, 85,000.
    So it goes there, the wallet is 1,500, and SOL has the same price."""
    model = FillModel(slippage=FREE, impact=None, volume_share_e4=0, margin=Margin("cross", 10), fees=Fees(scale_e4=0))
    made = venue(model, ("BTCUSDT", "SOLUSDT"), 3_000)
    for symbol in ("BTCUSDT", "SOLUSDT"):
        made.send(order(symbol, 1, symbol=symbol), MINUTE_MS)
    both = [bar(1, 1e5, 1e5, 86_000.0, 86_000.0, symbol) for symbol in ("BTCUSDT", "SOLUSDT")]
    made.open(both)
    made.rest(both)
    assert len(fills(made.take_reports())) == 2, "no liquidation yet"
    both = [bar(2, 86_000.0, 86_000.0, 85_000.0, 85_000.0, symbol) for symbol in ("BTCUSDT", "SOLUSDT")]
    made.open(both)
    made.rest(both)
    gone = [r.fill for r in made.take_reports() if isinstance(r, OrderFilled)]
    assert [(f.symbol, f.kind, f.price_ticks) for f in gone] == [
        ("BTCUSDT", FillKind.LIQUIDATION, 850_000),
        ("SOLUSDT", FillKind.LIQUIDATION, 850_000),
    ]
    assert made.wallet == 0


def test_a_path_lets_a_bar_finish_what_it_began() -> None:
    made = venue(FillModel(slippage=FREE, impact=None, volume_share_e4=0, intrabar="ohlc_path"))
    made.send(order("in", 1, OrderType.LIMIT, at=990_000), MINUTE_MS)
    this = [bar(1, 100_000.0, 103_000.0, 98_500.0, 102_000.0)]
    made.open(this)
    made.rest(this)
    assert fills(made.take_reports()) == [(2 * MINUTE_MS - 1, "in", 100, 990_000)]
    target = order("out", -1, OrderType.TAKE_PROFIT_MARKET, at=1_020_000, close=True)
    made.send(target, 2 * MINUTE_MS - 1)
    made.rest(this, again=True)
    assert fills(made.take_reports()) == [(2 * MINUTE_MS - 1, "out", -100, 1_020_000)]
    made.rest(this, again=True)
    assert made.take_reports() == []


def test_orders_that_make_no_sense_are_refused() -> None:
    made = venue(FREE_MODEL)
    trailing = OrderType.TRAILING_STOP_MARKET
    assert refusal(made, conditional("a", 1, trailing, callback_e8=0)) == "-2007"
    assert refusal(made, conditional("a", 1, trailing, callback_e8=10**6, activation_ticks=1_000_001)) == "-2021"
    assert refusal(made, conditional("a", 1, OrderType.STOP, price_ticks=1_010_000)) == "-1102"
    assert refusal(made, conditional("a", 1, OrderType.STOP, price_ticks=1_010_000, trigger_ticks=999_999)) == "-2021"
    assert refusal(made, conditional("a", 1, OrderType.MARKET, post_only=True)) == "-1106"
    assert refusal(made, conditional("a", 1, trailing, callback_e8=10**6)) == ""


def test_impact_is_known_after_two_whole_days_even_from_before_the_run() -> None:
    made = SimVenue(base_interval_ms=DAY_MS // 2, model=FULL)
    made.list_instrument(instrument())
    half = DAY_MS // 2
    bars = [
        bar(0, p, p, p, p).__class__((i + 1) * half, "BTCUSDT", i * half, p, p, p, p, 1_000.0)
        for i, p in enumerate((1e5, 1e5, 1e5, 1.1e5, 1e5, 1e5))
    ]
    made.remember(bars[:4])
    assert made._tapes["BTCUSDT"].impact < 0
    made.remember(bars[4:])
    expected = abs(np.log(1.1)) / np.sqrt(0.25 * 2_000_000)
    assert made._tapes["BTCUSDT"].impact == pytest.approx(expected)


def test_what_cannot_be_modelled_is_refused() -> None:
    for model in (
        FillModel(volume_share_e4=10_001),
        FillModel(impact=Impact(haircut_e4=0)),
        FillModel(latency=Latency(ms=-1)),
        FillModel(fees=Fees(tiers=(FeeTier(1, 1, 1),))),
        FillModel(margin=Margin("isolated", 0)),
    ):
        with pytest.raises(SettingsError):
            SimVenue(base_interval_ms=MINUTE_MS, model=model)
    with pytest.raises(SettingsError, match="shorter"):
        FillModel(intrabar="lower_timeframe").check_bars(900_000, 900_000)
    FillModel(intrabar="lower_timeframe").check_bars(60_000, 900_000)


def test_every_choice_is_said() -> None:
    tiers = Fees(tiers=(FeeTier(0, 10_000, 35_000), FeeTier(10**6 * MONEY, 5_000, 30_000)))
    said = venue(FillModel(fees=tiers, margin=Margin("cross", 5), position_mode="hedge")).assumptions()
    assert "taker 3 bp" in said["fees"] and "cross, leverage 5, hedged" in said["margin"]
    assert "5 %" in said["volume"] and "sqrt" in said["impact"]
    assert "none" in venue(FREE_MODEL).assumptions()["impact"]


MODELS = {
    "full": FULL,
    "path": FillModel(intrabar="ohlc_path", volume_share_e4=2_000),
    "tiers": FillModel(fees=Fees(tiers=(FeeTier(0, 10_000, 35_000), FeeTier(100_000 * MONEY, 1_000, 20_000)))),
    "slow": FillModel(latency=Latency(ms=MINUTE_MS, ack_ms=MINUTE_MS), volume_share_e4=0),
    "cross": FillModel(margin=Margin("cross", 20), slippage=Slippage(stop_floor_e8=0)),
}


def _session(seed: int, model: FillModel, *, skip: bool) -> tuple[list[VenueReport], dict[str, int], list[int]]:
    """Random orders of every kind on one symbol, 300 bars around midnight."""
    rng = np.random.default_rng(seed)
    made = SimVenue(base_interval_ms=MINUTE_MS, model=model, skip=skip)
    made.list_instrument(instrument())
    made.deposit(10**5 * MONEY)
    reports: list[VenueReport] = []
    number = 0

    def act(price: int, time_ms: int) -> None:
        nonlocal number
        working = made.open_orders("BTCUSDT")
        if working and rng.random() < 0.2:
            made.cancel("BTCUSDT", working[int(rng.integers(len(working)))].client_id, time_ms)
        if rng.random() < 0.2:
            number += 1
            kind = OrderType(int(rng.integers(1, 8)))
            at, limit = price + int(rng.integers(-400, 401)), int(rng.integers(-60, 61))
            made.send(
                Order(
                    f"o{number}",
                    "i",
                    "BTCUSDT",
                    Side(int(rng.choice([-1, 1]))),
                    kind,
                    Purpose.ENTRY,
                    int(rng.integers(1, 300)),
                    (at + (limit if kind.conditional else 0)) if kind.limited else 0,
                    at if kind.conditional and kind is not OrderType.TRAILING_STOP_MARKET else 0,
                    bool(rng.random() < 0.3),
                    False,
                    worst_ticks=price + 100 if rng.random() < 0.1 else 0,
                    post_only=kind.limited and bool(rng.random() < 0.2),
                    oco_group=int(rng.integers(0, 4)),
                    callback_e8=100_000 if kind is OrderType.TRAILING_STOP_MARKET else 0,
                ),
                time_ms,
            )

    for i, this in enumerate(walk(seed, 300)):
        shifted = this.__class__(
            this.time_ms + DAY_MS - 150 * MINUTE_MS,
            this.symbol,
            this.open_time_ms + DAY_MS - 150 * MINUTE_MS,
            this.open,
            this.high,
            this.low,
            this.close,
            float(rng.integers(0, 3)),
        )
        if i % 60 == 0:
            made.settle(FundingSettled(shifted.open_time_ms, "BTCUSDT", 10_000, MINUTE_MS), this.open)
        made.open([shifted])
        new = made.take_reports()
        reports += new
        act(round(this.open * 10), shifted.open_time_ms)
        made.rest([shifted])
        while new := made.take_reports():
            reports += new
            act(round(this.close * 10), shifted.time_ms - 1)
            made.rest([shifted], again=True)
        act(round(this.close * 10), shifted.time_ms)
    sums = [made.slippage_paid("BTCUSDT"), made.ambiguous_bars("BTCUSDT"), made.target_first("BTCUSDT")]
    return reports, made.account(), [*sums, made.position("BTCUSDT").steps]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_the_shortcut_changes_nothing_under_any_model(name: str, seed: int) -> None:
    short = _session(seed, MODELS[name], skip=True)
    assert short == _session(seed, MODELS[name], skip=False)
    assert sum(isinstance(r, OrderFilled) for r in short[0]) > 10
    account = short[1]
    assert account["wallet"] == account["transfers"] + account["realised"] - account["fees"] - account["funding"]
    held = sum(r.fill.steps * r.fill.side for r in short[0] if isinstance(r, OrderFilled))
    assert held == short[2][-1]
