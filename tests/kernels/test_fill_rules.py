"""Each rule of docs/fills.md beyond the plain ones, worked by hand: one tick x one step = 1 quote unit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.kernels.bars import BAR, write_bars
from aister.kernels.book import BEYOND, CROSSING, EMPTY, FILLED, WITHDRAWN
from aister.kernels.impact import DAY_MS, days_state, end_day
from tests.kernels.bench import KINDS, UNIT, Bench


def test_an_order_larger_than_its_share_of_the_bar_goes_on_at_the_next_open() -> None:
    """5 % of 119 is 5 steps a bar: 12 bought at 100, 101 and 102."""
    bench = Bench(share_e4=500)
    bench.place(1, "market", 1, 12)
    assert bench.open(100, volume=119.0) == [(1, 5, 100)]
    assert bench.left() == [(1, 7, FILLED)]
    assert bench.rest(100, 110, 90) == []
    assert bench.open(101, volume=119.0) == [(1, 5, 101)]
    assert bench.open(102, volume=119.0) == [(1, 2, 102)]
    assert bench.left() == [(1, 0, FILLED)]
    assert bench.of("order_count") == 0


def test_orders_share_the_bars_volume_in_the_order_in_which_they_fill() -> None:
    """8 steps: 5 to the older, 3 to the younger, none to the limit that is traded through."""
    bench = Bench(share_e4=1_000)
    bench.place(1, "market", 1, 5)
    bench.place(2, "market", 1, 5)
    bench.place(3, "limit", 1, 5, at=95)
    assert bench.open(100, volume=80.0) == [(1, 5, 100), (2, 3, 100)]
    assert bench.rest(100, 100, 90) == []
    assert bench.open(100, volume=80.0) == [(2, 2, 100)]
    assert bench.rest(100, 100, 90) == [(3, 5, 95)]


def test_a_stop_cut_short_is_a_market_order_from_then_on() -> None:
    """Stop at 95 for 10, 4 a bar: 4 at 95 less the extra of 10 % of 20, then 4 and 2 at the opens, without it."""
    bench = Bench()
    bench.long(10, 100)
    bench.books[0]["costs"]["share_e4"] = 400
    bench.place(1, "stop", -1, at=95, close=True)
    assert bench.open(100, range_ticks=20, volume=100.0) == []
    assert bench.rest(100, 100, 94) == [(1, 4, 93)]
    assert bench.left() == [(1, 6, FILLED)]
    assert bench.open(97, range_ticks=20, volume=100.0) == [(1, 4, 97)]
    assert bench.open(98, range_ticks=20, volume=100.0) == [(1, 2, 98)]
    assert bench.steps == 0


def test_a_stop_reached_in_a_bar_without_volume_has_been_triggered() -> None:
    bench = Bench()
    bench.long(10, 100)
    bench.books[0]["costs"]["share_e4"] = 500
    bench.place(1, "stop", -1, at=95, close=True)
    assert bench.open(100) == []
    assert bench.rest(100, 100, 94) == []
    assert bench.open(120, volume=1_000.0) == [(1, 10, 120)]


def test_a_liquidation_waits_for_no_volume() -> None:
    bench = Bench(leverage=10, tiers=((5_000_000, 0),))
    bench.long(1, 100)
    bench.books[0]["costs"]["share_e4"] = 500
    assert bench.open(100) == []
    assert bench.rest(100, 101, 92) == [(0, 1, 90)]


def test_a_limit_cut_short_rests() -> None:
    bench = Bench(share_e4=500)
    bench.place(1, "limit", 1, 7, at=98)
    assert bench.open(99, volume=100.0) == []
    assert bench.rest(99, 99, 97) == [(1, 5, 98)]
    assert bench.open(97, volume=100.0) == []
    assert bench.rest(97, 97, 97) == [(1, 2, 98)]


def test_impact_grows_with_the_root_of_what_fills() -> None:
    """k = 1 bp: 25 steps move 10,000 by 5 bp = 5 ticks, 100 steps by 10 ticks; makers pay none."""
    bench = Bench()
    bench.place(1, "market", 1, 25)
    assert bench.open(10_000, impact=1e-4) == [(1, 25, 10_005)]
    bench.place(2, "market", 1, 100)
    assert bench.open(10_000, impact=1e-4) == [(2, 100, 10_010)]
    bench.place(3, "limit", 1, 100, at=9_990)
    assert bench.open(10_000, impact=1e-4) == []
    assert bench.rest(10_000, 10_000, 9_980) == [(3, 100, 9_990)]
    assert bench.of("unknown_impacts") == 0


def test_unknown_impact_is_the_models_own_rate_and_is_counted() -> None:
    bench = Bench()
    bench.books[0]["costs"]["unknown_impact_e8"] = 20_000
    bench.place(1, "market", 1, 100)
    assert bench.open(10_000, impact=-1.0) == [(1, 100, 10_002)]
    assert bench.of("unknown_impacts") == 1


def test_a_limit_never_takes_beyond_its_price() -> None:
    bench = Bench()
    bench.place(1, "limit", 1, 100, at=10_004)
    assert bench.open(10_000, impact=1e-4) == [(1, 100, 10_004)]


def test_impact_of_a_day_by_hand() -> None:
    """Closes 100, 110, 99 and volumes 100, 200, 300: sigma^2 = (ln 1.1^2 + ln 0.9^2) / 2, ADV 200, a quarter of it."""
    days = days_state(1.0, 0.25)
    assert end_day(days, 0, DAY_MS, 100.0, 100) < 0
    end_day(days, DAY_MS, 2 * DAY_MS, 110.0, 200)
    got = end_day(days, 2 * DAY_MS, 3 * DAY_MS, 99.0, 300)
    assert got == pytest.approx(math.sqrt((math.log(1.1) ** 2 + math.log(0.9) ** 2) / 2) / math.sqrt(50.0))
    assert end_day(days, 3 * DAY_MS + 1, 4 * DAY_MS, 1.0, 1) == got, "a day seen in part does not count"


def _impacts(hours: np.ndarray, close: np.ndarray, volume: np.ndarray) -> np.ndarray:
    rows = np.zeros(hours.size, BAR)
    write_bars(days_state(1.0, 1.0), hours, close, close, close, close, volume, 3_600_000, 1.0, 1.0, rows)
    return rows["impact"]


def test_impact_of_bars_looks_at_finished_days_only() -> None:
    hours = np.arange(24 * 5, dtype="i8") * 3_600_000
    close = 100.0 + np.arange(hours.size) % 7
    volume = np.full(hours.size, 10.0)
    full, cut = _impacts(hours, close, volume), _impacts(hours[:60], close[:60], volume[:60])
    assert (full[:48] < 0).all() and (full[48:] > 0).all()
    assert (full[:60] == cut).all()
    assert len(set(full[48:].tolist())) == 3


def test_fees_fall_with_the_turnover_of_the_days_before() -> None:
    """1 % until 1,000 were traded, then 0.5 %, until that day is 31 days ago."""
    bench = Bench()
    bench.books[0]["fee_tier_count"] = 2
    bench.books[0]["fee_tiers"][:2] = [(0, 1_000_000, 1_000_000), (1_000 * UNIT, 500_000, 500_000)]
    paid = []
    for number, day in ((1, 100), (2, 100), (3, 101), (4, 130), (5, 131), (6, 170)):
        before = int(bench.account[0]["fees"])
        bench.place(number, "market", 1, 10 if number < 3 else 1)
        bench.open(100, day=day)
        paid.append((int(bench.account[0]["fees"]) - before) / UNIT)
    assert paid == [10.0, 10.0, 0.5, 0.5, 1.0, 1.0]


def test_post_only_makes_or_expires() -> None:
    bench = Bench(fees=(10_000, 35_000, 0))
    bench.place(1, "limit", 1, 1, at=100, post=True)
    assert bench.open(100) == [(1, 0, 0)]
    assert bench.left() == [(1, 0, CROSSING)]
    bench.place(2, "limit", 1, 1, at=99, post=True)
    assert bench.open(100) == []
    assert bench.rest(100, 100, 98) == [(2, 1, 99)]


def test_a_market_order_expires_beyond_its_worst_price() -> None:
    bench = Bench(half_spread=1_000_000)
    bench.place(1, "market", 1, 1, worst=100)
    assert bench.open(100) == [(1, 0, 0)]
    assert bench.left() == [(1, 0, BEYOND)]
    bench.place(2, "market", 1, 1, worst=101)
    assert bench.open(100) == [(2, 1, 101)]


def test_a_stop_limit_takes_within_its_limit_and_rests_beyond_it() -> None:
    bench = Bench()
    bench.long(2, 100)
    bench.place(1, "stop-limit", -1, 1, at=95, limit=94, reduce=True)
    bench.place(2, "stop-limit", -1, 1, at=95, limit=97, reduce=True)
    assert bench.open(100) == []
    assert bench.rest(100, 101, 92) == [(1, 1, 95)], "the other became a limit at 97, not met again in this bar"
    assert bench.open(96) == []
    assert bench.rest(96, 98, 96) == [(2, 1, 97)]


def test_a_stop_limit_gapped_over_arrives_at_the_open() -> None:
    """The open at 90 is below the limit 94: it rests, and makes when price trades through."""
    bench = Bench()
    bench.long(1, 100)
    bench.place(1, "stop-limit", -1, 1, at=95, limit=94, reduce=True)
    assert bench.open(90) == []
    assert bench.rest(90, 94, 89) == []
    assert bench.open(93) == []
    assert bench.rest(93, 95, 93) == [(1, 1, 94)]


def test_a_take_profit_limit_makes_where_price_trades_through() -> None:
    bench = Bench()
    bench.long(2, 100)
    bench.place(1, "target-limit", -1, 1, at=105, limit=105, reduce=True)
    bench.place(2, "target-limit", -1, 1, at=105, limit=107, reduce=True)
    assert bench.rest(100, 105, 99) == [], "reached, not traded through"
    assert bench.open(104) == []
    assert bench.rest(104, 108, 104) == [(1, 1, 105), (2, 1, 107)]


def test_a_trailing_stop_follows_by_whole_bars() -> None:
    """10 % behind the best: 90 at first. A bar up to 120 makes it 108 from the next bar on."""
    bench = Bench()
    bench.long(1, 100)
    bench.place(1, "trailing", -1, 1, reduce=True, callback_e8=10_000_000, last=100)
    assert bench.open(100) == []
    assert bench.rest(100, 120, 91) == [], "106 would have been met, had it acted in its own bar"
    assert bench.open(119) == []
    assert bench.rest(119, 119, 107) == [(1, 1, 108)]


def test_a_trailing_stop_waits_for_its_activation() -> None:
    bench = Bench()
    bench.place(90, "market", -1, 1)
    bench.open(100)
    bench.place(1, "trailing", 1, 1, reduce=True, callback_e8=5_000_000, activation=90, last=100)
    assert bench.open(100) == []
    assert bench.rest(100, 150, 91) == []
    assert bench.open(95) == []
    assert bench.rest(95, 100, 85) == [], "85 activates it: 85 x 1.05 = 89.25, up to 90"
    assert bench.open(86) == []
    assert bench.rest(86, 89, 86) == []
    assert bench.open(89) == []
    assert bench.rest(89, 91, 89) == [(1, 1, 90)]


def test_of_an_oco_group_one_fills() -> None:
    bench = Bench(share_e4=10_000)
    bench.place(1, "limit", 1, 5, at=95, group=7)
    bench.place(2, "stop", 1, 5, at=105, group=7)
    bench.place(3, "stop", 1, 5, at=106)
    bench.open(100, volume=3.0)
    assert bench.rest(100, 105, 100) == [(2, 3, 105), (1, 0, 0)]
    assert bench.left() == [(2, 2, FILLED), (1, 0, WITHDRAWN)]
    assert bench.of("order_count") == 2


def test_what_the_target_would_have_brought_is_kept() -> None:
    """Both inside: 2 of 3 aimed at 110 and stopped at 95 instead: 2 x 15, fees 1 % of 190 instead of 220."""
    bench = Bench(fees=(0, 1_000_000, 0))
    bench.long(3, 100)
    bench.place(1, "stop", -1, at=95, close=True)
    bench.place(2, "target", -1, 2, at=110, reduce=True)
    assert bench.rest(100, 111, 94) == [(1, 3, 95), (2, 0, 0)]
    assert bench.left()[1] == (2, 0, EMPTY)
    assert bench.of("target_first") == 30 * UNIT - 30 * UNIT // 100


def test_hedged_legs_only_reduce_from_the_other_side() -> None:
    """The long leg: a sale of 5 closes the 3 held and opens nothing."""
    bench = Bench(leg=1)
    bench.place(1, "market", -1, 5)
    assert bench.open(100) == [(1, 0, 0)]
    bench.long(3, 100)
    bench.place(2, "market", -1, 5)
    assert bench.open(100) == [(2, 3, 100)]
    assert bench.steps == 0


def test_cross_margin_is_the_wallet() -> None:
    """1 held at 100 with 20 in the wallet, 5 %: 20 + P - 100 = 0.05 P, P = 84.2, up to 85; bankrupt at 80. With 10
    elsewhere that need 2: 28 + P - 100 <= 0.05 P, 75.8, 76; bankrupt at 70."""
    bench = Bench(leverage=10, tiers=((5_000_000, 0),), wallet=20 * UNIT, cross=True)
    bench.long(1, 100)
    assert (bench.of("liquidation"), bench.of("bankruptcy")) == (85, 80)
    bench.weigh(100, 10 * UNIT, 2 * UNIT)
    assert (bench.of("liquidation"), bench.of("bankruptcy")) == (76, 70)
    assert bench.rest(100, 100, 76) == [(0, 1, 70)]


def test_hedged_legs_fall_at_one_price() -> None:
    """Long 3 and short 2 at 100, wallet 30, 5 % of each: 30 + (P - 100) <= 0.25 P from 93.3 down; bankrupt at 70."""
    bench = Bench(leverage=10, tiers=((5_000_000, 0),), wallet=30 * UNIT, cross=True, leg=1)
    bench.long(3, 100)
    bench.weigh(100, twin=(-2, -200 * UNIT))
    assert bench.of("liquidation") == 93
    assert bench.of("bankruptcy") == 70
    bench.weigh(93, twin=(-2, -200 * UNIT))
    assert bench.of("liquidation") == 93, "at the market's own price: at once"


def test_a_path_lets_the_nearer_extreme_come_first() -> None:
    """Open 100, low 96 nearer than high 110: the entry at 98, its target placed after the fill at 105, all in one bar;
    the stop at 95 is never met."""
    bench = Bench(path=True)
    bench.place(1, "limit", 1, 2, at=98)
    bench.open(100)
    assert bench.rest(100, 110, 96, 104) == [(1, 2, 98)]
    bench.place(2, "stop", -1, at=95, close=True)
    bench.place(3, "target", -1, 2, at=105, reduce=True)
    assert bench.rest(100, 110, 96, 104, again=1) == [(3, 2, 105)]
    assert bench.rest(100, 110, 96, 104, again=1) == []


def test_on_a_path_a_trailing_stop_follows_at_once() -> None:
    """Low first: 99; then up to 110, so that 10 % behind is 99; the close at 98 meets it."""
    bench = Bench(path=True)
    bench.long(1, 100)
    bench.place(1, "trailing", -1, 1, reduce=True, callback_e8=10_000_000, last=100)
    assert bench.rest(100, 110, 98, 98) == [(1, 1, 99)]


def test_on_a_path_limits_need_a_tick_more_and_keep_their_order() -> None:
    bench = Bench(path=True)
    bench.place(1, "limit", 1, 1, at=95)
    bench.place(2, "limit", 1, 1, at=97)
    bench.open(100)
    assert bench.rest(100, 100, 95, 99) == [(2, 1, 97)]
    assert bench.rest(100, 100, 95, 99, again=1) == []


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_stream_keeps_the_books_and_the_volume(seed: int, path: bool) -> None:
    """Random orders of every kind: fills of a bar never exceed its share, wallet identity and position sums hold, and
    nothing rests in more than one piece."""
    rng = np.random.default_rng(seed)
    bench = Bench(5, 40_000, 10_000, (10_000, 35_000, 1_250_000), ((400_000, 0), (1_000_000, 3_000_000)), 10**12, 1_000)
    bench.books[0]["policy"] = int(path)
    price, number, held = 1_000, 0, 0
    for _ in range(40):
        for _ in range(int(rng.integers(0, 3))):
            if bench.of("order_count") == 16:
                break
            number += 1
            kind = str(rng.choice(list(KINDS)))
            at = price + int(rng.integers(-30, 31))
            bench.place(
                number,
                kind,
                int(rng.choice([-1, 1])),
                int(rng.integers(1, 40)),
                0 if kind in ("market", "trailing") else at,
                limit=at + int(rng.integers(-5, 6)) if kind.endswith("-limit") else 0,
                reduce=bool(rng.random() < 0.4),
                wait=int(rng.random() < 0.1),
                group=int(rng.integers(0, 4)),
                post=kind == "limit" and rng.random() < 0.2,
                callback_e8=2_000_000 if kind == "trailing" else 0,
                last=price,
            )
        o = price + int(rng.integers(-8, 9))
        h, l = o + int(rng.integers(0, 30)), o - int(rng.integers(0, 30))
        c = int(rng.integers(l, h + 1))
        volume = float(rng.integers(0, 600))
        traded = 0
        bench.open(o, 20, 0, volume, 1e-5)
        again = 0
        while True:
            for row in bench.books[0]["reports"][: bench.of("report_count")]:
                held += int(row["steps"] * row["side"])
                traded += int(row["steps"]) if row["id"] else 0
                assert row["why"] == FILLED or row["steps"] == 0
            if again and not bench.of("report_count"):
                break
            bench.rest(o, h, l, c, again=again)
            again = 1 if bench.of("report_count") or again else 2
            if again == 2:
                break
        assert traded <= volume * 0.1
        assert held == bench.steps
        ids = [int(x) for x in bench.books[0]["orders"]["id"][: bench.of("order_count")]]
        assert len(ids) == len(set(ids))
        price = c
    account = bench.account[0]
    assert account["wallet"] == account["transfers"] + account["realised"] - account["fees"] - account["funding"]
    assert account["overflow"] == 0
