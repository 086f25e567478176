"""The simulated venue: what it accepts, refuses and reports, and that its shortcut changes nothing."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from aister.core.errors import DataError, MoneyOverflow, SettingsError, UsageError
from aister.core.events import (
    FundingAssumed,
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    VenueReport,
)
from aister.core.instrument import Bracket
from aister.core.trade import FillKind, OrderType, Purpose, Side
from aister.ports.floor import Floor
from aister.ports.venue import Venue
from aister.sim import Fees, Latency, SimVenue, Slippage
from tests.sim.market import MINUTE_MS, MONEY, bar, instrument, order, plain_model, walk

FREE = Slippage(half_spread_e8=(), other_half_spread_e8=0, stop_floor_e8=0, stop_range_percent=0)


def venue(capital: int = 10_000, slippage: Slippage = FREE, **options: object) -> SimVenue:
    """A venue with one instrument, one bar at 100,000 behind it and money."""
    made = SimVenue(base_interval_ms=MINUTE_MS, model=plain_model(slippage=slippage, **options))  # type: ignore[arg-type]
    made.list_instrument(instrument())
    made.deposit(capital * MONEY)
    first = [bar(0, 100_000.0, 100_000.0, 100_000.0, 100_000.0)]
    made.open(first)
    made.rest(first)
    return made


def refused(made: SimVenue, *args: object, **options: object) -> str:
    """The code with which an order is refused; empty when it is taken."""
    made.take_reports()
    made.send(order(*args, **options), MINUTE_MS)  # type: ignore[arg-type]
    (report,) = made.take_reports()
    return report.reason.split()[0] if isinstance(report, OrderRejected) else ""


def fills(reports: list[VenueReport]) -> list[tuple[int, str, int, int]]:
    return [
        (r.time_ms, r.fill.client_id, r.fill.steps * r.fill.side, r.fill.price_ticks)
        for r in reports
        if isinstance(r, OrderFilled)
    ]


def held(steps: int = 100, side: int = 1, **options: object) -> SimVenue:
    """A venue holding a position bought (or sold) at the open of minute 1, still inside that bar."""
    made = venue(**options)  # type: ignore[arg-type]
    made.send(order("in", side, steps=steps), MINUTE_MS)
    made.open([bar(1, 100_000.0, 100_000.0, 100_000.0, 100_000.0)])
    made.take_reports()
    return made


def test_it_is_a_venue_and_a_floor() -> None:
    made: tuple[Venue, Floor] = (venue(), venue())
    assert made[0].take_reports() == []
    assert made[1].take_reports() == []


def test_a_trade_from_order_to_stop() -> None:
    made = venue(slippage=Slippage())
    made.send(order("in", 1), MINUTE_MS)
    this = [bar(1, 100_000.0, 100_100.0, 99_000.0, 99_500.0)]
    made.open(this)
    accepted, filled = made.take_reports()
    assert accepted == OrderAccepted(MINUTE_MS, "BTCUSDT", "in")
    assert isinstance(filled, OrderFilled)
    assert filled.done
    fill = filled.fill
    assert (fill.time_ms, fill.intent_id, fill.purpose, fill.side) == (MINUTE_MS, "i-in", "entry", Side.BUY)
    assert (fill.steps, fill.price_ticks, fill.maker, fill.kind) == (100, 1_000_050, False, FillKind.TRADE)
    assert fill.fee == 1_000_050 * 100 * 10_000 * 35_000 // 10**8
    made.send(order("out", -1, OrderType.STOP_MARKET, at=995_000, purpose=Purpose.STOP, close=True), MINUTE_MS)
    made.rest(this)
    assert made.open_orders("BTCUSDT") == []
    stop = made.take_reports()[1]
    assert isinstance(stop, OrderFilled)
    # 995,000 - half-spread 49.75 - 1 bp 99.5 = 994,850.75, so 994,850; stamped a millisecond before the close
    assert (stop.fill.time_ms, stop.fill.price_ticks, stop.fill.steps) == (2 * MINUTE_MS - 1, 994_850, 100)
    assert made.position("BTCUSDT").steps == 0
    account = made.account()
    assert account["wallet"] == account["transfers"] + account["realised"] - account["fees"] - account["funding"]
    assert made.slippage_paid("BTCUSDT") == (50 + 150) * 100 * 10_000


def test_refusals_carry_the_venues_codes() -> None:
    made = venue()
    assert refused(made, "a", 1, steps=0) == "-4004"
    assert refused(made, "a", 1, steps=200_000) == "-4005"
    assert refused(made, "a", 1, OrderType.LIMIT, at=1_060_000) == "-4016"
    assert refused(made, "a", -1, OrderType.LIMIT, at=940_000) == "-4024"
    assert refused(made, "a", 1, OrderType.STOP_MARKET, at=1_000_000) == "-2021"
    assert refused(made, "a", -1, OrderType.STOP_MARKET, at=1_000_000) == "-2021"
    assert refused(made, "a", 1, OrderType.TAKE_PROFIT_MARKET, at=1_000_001) == "-2021"
    assert refused(made, "a", -1, OrderType.TAKE_PROFIT_MARKET, at=999_999) == "-2021"
    assert refused(made, "a", -1, reduce=True) == "-2022"
    assert refused(made, "a", 1, steps=301) == "-2019"  # 30,100 / 3 > 10,000
    assert refused(made, "a", -1, close=True) == "-4136"
    assert refused(made, "a", 1, steps=150) == ""
    assert refused(made, "a", 1, steps=10) == "-4015"
    assert refused(made, "b", 1, steps=151) == "-2019"  # 5,000 are reserved for the first
    assert refused(made, "b", 1, steps=150) == ""


def test_small_orders_need_their_minimum_notional_unless_they_reduce() -> None:
    made = venue()
    made.list_instrument(instrument(min_notional=500 * MONEY))
    assert refused(made, "a", 1, steps=4) == "-4164"
    made = held(10)
    made.list_instrument(instrument(min_notional=500 * MONEY))
    assert refused(made, "a", -1, steps=4, reduce=True) == ""


def test_a_book_holds_so_many_orders_and_a_large_position_so_much_leverage() -> None:
    made = venue(10**6)
    for number in range(16):
        assert refused(made, f"o{number}", 1, OrderType.LIMIT, 1, at=990_000) == ""
    assert refused(made, "one more", 1, OrderType.LIMIT, 1, at=990_000) == "-2025"
    made = venue(10**7, leverage=20)
    assert refused(made, "a", 1, steps=10_000) == "-2027"  # 1,000,000: at most 10x


def test_no_price_no_order_and_no_listing_no_symbol() -> None:
    made = SimVenue(base_interval_ms=MINUTE_MS)
    made.list_instrument(instrument())
    assert refused(made, "a", 1) == "-4131"
    with pytest.raises(UsageError, match="not listed"):
        made.send(order("a", 1, symbol="XUSDT"), 0)
    made.list_instrument(instrument(status="SETTLING"))
    made.open([bar(0, 1.0, 1.0, 1.0, 1.0)])
    assert refused(made, "a", 1) == "-4140"


def test_reducing_needs_no_margin_and_is_clipped() -> None:
    made = held(300)
    assert refused(made, "close", -1, steps=400, reduce=True) == ""
    assert refused(made, "more", 1, steps=1) == "-2019"
    made.open([bar(2, 100_000.0, 100_000.0, 100_000.0, 100_000.0)])
    assert fills(made.take_reports()) == [(2 * MINUTE_MS, "close", -300, 1_000_000)]
    assert refused(made, "again", -1, reduce=True) == "-2022"


def test_orders_can_be_cancelled_once() -> None:
    made = venue()
    made.send(order("a", 1, OrderType.LIMIT, at=990_000), MINUTE_MS)
    made.cancel("BTCUSDT", "a", MINUTE_MS + 5)
    made.cancel("BTCUSDT", "a", MINUTE_MS + 6)
    assert made.take_reports()[1:] == [OrderCanceled(MINUTE_MS + 5, "BTCUSDT", "a", "requested")]
    this = [bar(1, 100_000.0, 100_000.0, 90_000.0, 100_000.0)]
    made.open(this)
    made.rest(this)
    assert made.take_reports() == []
    assert refused(made, "full", 1, steps=300) == ""  # its margin is free again


def test_a_close_order_without_position_expires_when_it_triggers() -> None:
    made = held()
    made.send(order("stop", -1, OrderType.STOP_MARKET, at=995_000, close=True), MINUTE_MS)
    made.send(order("flat", -1, reduce=True), MINUTE_MS)
    this = [bar(2, 100_000.0, 100_000.0, 99_000.0, 99_000.0)]
    made.open(this)
    made.rest(this)
    assert made.take_reports()[-1] == OrderCanceled(3 * MINUTE_MS - 1, "BTCUSDT", "stop", "expired: nothing to reduce")


def test_funding_is_paid_by_what_is_held() -> None:
    """0.1 BTC at 100,000.0, rate 0.01 %: 1 quote unit leaves a long's wallet and enters a short's."""
    for side in (1, -1):
        made = held(side=side)
        before = made.wallet
        made.settle(FundingSettled(2 * MINUTE_MS, "BTCUSDT", 10_000, 8 * 3_600_000), 100_000.0)
        paid = FundingPaid(2 * MINUTE_MS, "BTCUSDT", side * MONEY, 10_000, side * 100, 1_000_000, True)
        assert made.take_reports() == [paid]
        assert made.wallet == before - side * MONEY
    made = venue()
    made.settle(FundingSettled(2 * MINUTE_MS, "BTCUSDT", 10_000, 8 * 3_600_000), 100_000.0)
    assert made.take_reports() == []


def test_assumed_funding_is_paid_by_whatever_is_held() -> None:
    """Nobody knows who would have paid: 1 quote unit leaves the wallet of a long and of a short (Q8)."""
    for side in (1, -1):
        made = held(side=side)
        before = made.wallet
        made.settle(FundingAssumed(2 * MINUTE_MS, "BTCUSDT", 10_000, 8 * 3_600_000), 100_000.0)
        paid = FundingPaid(2 * MINUTE_MS, "BTCUSDT", MONEY, side * 10_000, side * 100, 1_000_000, True)
        assert made.take_reports() == [paid]
        assert made.wallet == before - MONEY


def test_a_liquidation_is_nobodys_order() -> None:
    made = held(300, leverage=10, capital=4_000)
    level = made.liquidation_ticks("BTCUSDT")
    assert 900_000 < level < 910_000
    made.rest([bar(1, 100_000.0, 100_000.0, level / 10, 95_000.0)])
    (report,) = made.take_reports()
    assert isinstance(report, OrderFilled)
    fill = report.fill
    assert (fill.kind, fill.purpose, fill.intent_id) == (FillKind.LIQUIDATION, "", "")
    assert fill.client_id.startswith("autoclose-")
    assert (fill.steps, fill.price_ticks) == (300, 900_000)
    assert fill.fee == 900_000 * 300 * 10_000 * 1_250_000 // 10**8
    assert made.account()["liquidation_fees"] == fill.fee


def test_the_stop_of_a_limit_entry_is_judged_by_the_entrys_price() -> None:
    """Entry at 99,000.0 in a bar that closes at 98,000.0: a stop at 98,500.0 is not refused and is met in that bar."""
    made = venue()
    made.send(order("in", 1, OrderType.LIMIT, at=990_000), MINUTE_MS)
    this = [bar(1, 100_000.0, 100_000.0, 97_000.0, 98_000.0)]
    made.open(this)
    made.rest(this)
    assert fills(made.take_reports()) == [(2 * MINUTE_MS - 1, "in", 100, 990_000)]
    made.send(order("stop", -1, OrderType.STOP_MARKET, at=985_000, close=True), 2 * MINUTE_MS - 1)
    made.rest(this, again=True)
    assert fills(made.take_reports()) == [(2 * MINUTE_MS - 1, "stop", -100, 985_000)]


def test_latency_acts_in_whole_bars() -> None:
    made = venue(latency=Latency(90_000))
    made.send(order("in", 1), MINUTE_MS)
    made.take_reports()
    for minute, expected in ((1, []), (2, [(2 * MINUTE_MS, "in", 100, 1_000_000)])):
        this = [bar(minute, 100_000.0, 100_100.0, 99_000.0, 100_000.0)]
        made.open(this)
        made.rest(this)
        assert fills(made.take_reports()) == expected
    assert "90000 ms" in made.assumptions()["latency"]


def test_fees_can_be_stressed() -> None:
    made = held(fees=Fees(scale_e4=20_000))
    assert made.account()["fees"] == 2 * 1_000_000 * 100 * 10_000 * 35_000 // 10**8


def test_every_assumption_is_said() -> None:
    said = venue(slippage=Slippage()).assumptions()
    assert said["filters and brackets"] == "made up for tests"
    assert "BTC 0.5" in said["slippage"]
    assert all(text and "\n" not in text for text in said.values())


def test_what_cannot_be_is_refused_at_the_door() -> None:
    with pytest.raises(SettingsError):
        SimVenue(base_interval_ms=MINUTE_MS, model=plain_model(0))
    with pytest.raises(SettingsError):
        SimVenue(base_interval_ms=0)
    tiers = (Bracket(0, MONEY, 500_000, 0, 10), Bracket(MONEY, 2 * MONEY, 400_000, 0, 10))
    with pytest.raises(DataError, match="must rise"):
        SimVenue(base_interval_ms=MINUTE_MS).list_instrument(instrument(brackets=tiers))
    with pytest.raises(DataError, match="merge"):
        SimVenue(base_interval_ms=MINUTE_MS).list_instrument(instrument(brackets=tiers[:1] * 17))
    with pytest.raises(DataError, match="maxQty"):
        SimVenue(base_interval_ms=MINUTE_MS).list_instrument(instrument(max_steps=10**10))
    with pytest.raises(MoneyOverflow):
        venue().deposit(2**62)


def test_the_remembered_bars_give_the_mean_true_range() -> None:
    made = venue()
    bars = walk(3, 40)
    for i, this in enumerate(bars):
        made.open([this])
        made.rest([this])
        past = [bar(0, 1e5, 1e5, 1e5, 1e5), *bars[:i]][-15:]
        ranges = [round(max(b.high, a.close) * 10) - round(min(b.low, a.close) * 10) for a, b in pairwise(past)]
        expected = -(-sum(ranges) * 10**8 // len(ranges)) if ranges else 0
        assert made._tapes["BTCUSDT"].range_e8() == expected
        assert expected == 0 or expected >= Fraction(sum(ranges), len(ranges)) * 10**8


def _random_session(seed: int, *, skip: bool, leverage: int) -> tuple[list[VenueReport], dict[str, int], int]:
    rng = np.random.default_rng(seed)
    made = SimVenue(base_interval_ms=MINUTE_MS, model=plain_model(leverage), skip=skip)
    made.list_instrument(instrument())
    made.list_instrument(instrument("SOLUSDT"))
    made.deposit(10**6 * MONEY)
    reports: list[VenueReport] = []
    number = 0

    def act(price: int, time_ms: int) -> None:
        nonlocal number
        working = made.open_orders("BTCUSDT")
        if working and rng.random() < 0.3:
            made.cancel("BTCUSDT", working[int(rng.integers(len(working)))].client_id, time_ms)
        for _ in range(int(rng.random() < 0.15)):
            number += 1
            kind = OrderType(int(rng.choice([1, 2, 3, 4])))
            at = 0 if kind == OrderType.MARKET else price + int(rng.integers(-400, 401))
            close = kind >= OrderType.STOP_MARKET and rng.random() < 0.5
            reduce = bool(not close and rng.random() < 0.3)
            side = int(rng.choice([-1, 1]))
            made.send(
                order(f"o{number}", side, kind, int(rng.integers(1, 2_000)), at=at, reduce=reduce, close=close), time_ms
            )

    for this in walk(seed, 500):
        if rng.random() < 0.02:
            made.settle(FundingSettled(this.open_time_ms, "BTCUSDT", 10_000, MINUTE_MS), this.open)
        made.open([this])
        reports += made.take_reports()
        act(round(this.open * 10), this.open_time_ms)
        made.rest([this])
        new = made.take_reports()
        reports += new
        if new:
            act(round(this.close * 10), this.time_ms - 1)
            made.rest([this], again=True)
            reports += made.take_reports()
        act(round(this.close * 10), this.time_ms)
    return reports, made.account(), made.slippage_paid("BTCUSDT") + made.ambiguous_bars("BTCUSDT")


@pytest.mark.parametrize("seed", range(10))
def test_the_shortcut_changes_nothing(seed: int) -> None:
    leverage = 3 if seed % 2 else 9
    short = _random_session(seed, skip=True, leverage=leverage)
    assert short == _random_session(seed, skip=False, leverage=leverage)
    assert sum(isinstance(r, OrderFilled) for r in short[0]) > 10
    account = short[1]
    assert account["wallet"] == account["transfers"] + account["realised"] - account["fees"] - account["funding"]
