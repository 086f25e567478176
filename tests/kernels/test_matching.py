"""Matching: hand-worked bars, and thousands of random bars and orders against a plain second implementation."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from aister.kernels.book import (
    LIMIT,
    place_order,
    withdraw_order,
)
from aister.kernels.matching import settle_funding
from tests.kernels.bench import UNIT, Bench
from tests.kernels.plain_book import PlainBook


def test_a_gap_through_the_stop_fills_at_the_open_worsened() -> None:
    """Stop 9,900, open 9,800: market there, less 0.5 bp (0.49) and 10 % of a range of 200 (20): 9,800 - 21 = 9,779."""
    bench = Bench(half_spread=5_000)
    bench.place(1, "market", 1, 3)
    bench.open(10_000)
    bench.place(2, "stop", -1, at=9_900, close=True)
    assert bench.open(9_800, range_ticks=200) == [(2, 3, 9_779)]
    assert bench.steps == 0


def test_a_stop_inside_the_bar_fills_at_its_trigger_worsened() -> None:
    """Stop 9,900 within [9,850, 10,050]: 9,900 - ceil(0.495 + max(0.99, 0)) = 9,898."""
    bench = Bench(half_spread=5_000, floor=10_000)
    bench.place(1, "market", 1, 3)
    bench.open(10_000)
    bench.place(2, "stop", -1, at=9_900, close=True)
    assert bench.rest(10_000, 10_050, 9_850) == [(2, 3, 9_898)]


def test_both_sides_in_one_bar_is_the_stop_and_is_counted() -> None:
    bench = Bench()
    bench.long(2, 100)
    bench.place(1, "stop", -1, at=95, close=True)
    bench.place(2, "target", -1, 2, at=105, reduce=True)
    assert bench.rest(100, 106, 94) == [(1, 2, 95), (2, 0, 0)]
    assert bench.books[0]["ambiguous"] == 1
    assert bench.wallet == 10**12 + 2 * (95 - 100) * UNIT


def test_a_limit_fills_when_traded_through_and_not_when_touched() -> None:
    bench = Bench(fees=(10_000, 35_000, 0))
    bench.place(1, "limit", 1, 4, at=98)
    assert bench.open(100) == []
    assert bench.rest(100, 101, 98) == []
    assert bench.open(99) == []
    assert bench.rest(99, 101, 97) == [(1, 4, 98)]
    assert bench.account[0]["fees"] == 4 * 98 * UNIT // 10_000  # maker: 1 bp


def test_a_limit_that_crosses_on_arrival_is_a_taker_at_the_open() -> None:
    """Buy limit 101 sent before an open at 99: half-spread 1 % makes the ask 100 (99.99 up), within the limit."""
    bench = Bench(half_spread=1_000_000, fees=(10_000, 35_000, 0))
    bench.place(1, "limit", 1, 1, at=101)
    assert bench.open(99) == [(1, 1, 100)]
    assert bench.account[0]["fees"] == 100 * UNIT * 35_000 // 10**8
    bench.place(2, "limit", 1, 1, at=100)
    assert bench.open(100) == []  # the ask is 101: it rests
    assert bench.rest(100, 100, 99) == [(2, 1, 100)]


def test_a_resting_limit_gapped_over_fills_at_its_own_price() -> None:
    bench = Bench()
    bench.place(1, "limit", 1, 1, at=98)
    bench.open(100)
    bench.rest(100, 101, 99)
    assert bench.open(95) == []
    assert bench.rest(95, 96, 94) == [(1, 1, 98)]


def test_a_limit_entry_can_be_stopped_in_its_own_bar() -> None:
    """Bought at 98 on the way to 94; its stop at 95 arrives after the fill and is met by the same bar, seen again."""
    bench = Bench()
    bench.place(1, "limit", 1, 2, at=98)
    bench.open(100)
    assert bench.rest(100, 103, 94) == [(1, 2, 98)]
    bench.place(2, "stop", -1, at=95, close=True)
    assert bench.rest(100, 103, 94, again=1) == [(2, 2, 95)]
    assert bench.rest(100, 103, 94, again=1) == []


def test_a_second_look_leaves_older_positions_alone() -> None:
    """A stop raised to 99 once the target filled inside the bar acts from the next bar, though this one fell to 97."""
    bench = Bench()
    bench.long(2, 100)
    bench.place(1, "target", -1, 1, at=105, reduce=True)
    assert bench.rest(100, 106, 97) == [(1, 1, 105)]
    bench.place(2, "stop", -1, at=99, close=True)
    assert bench.rest(100, 106, 97, again=1) == []
    assert bench.open(100) == []
    assert bench.rest(100, 101, 98) == [(2, 1, 99)]


def test_a_limit_entry_takes_no_target_in_its_own_bar() -> None:
    bench = Bench()
    bench.place(1, "limit", 1, 2, at=98)
    bench.place(2, "target", -1, 2, at=102, reduce=True)
    bench.place(3, "limit", -1, 2, at=103, reduce=True)
    bench.open(100)
    assert bench.rest(100, 104, 97) == [(1, 2, 98)]
    assert bench.open(100) == []
    assert bench.rest(100, 104, 99) == [(3, 2, 103), (2, 0, 0)]


def test_targets_fill_nearest_first_and_only_what_is_left() -> None:
    bench = Bench()
    bench.long(3, 100)
    bench.place(1, "target", -1, 3, at=110, reduce=True)
    bench.place(2, "target", -1, 2, at=105, reduce=True)
    assert bench.rest(100, 111, 99) == [(2, 2, 105), (1, 1, 110)]
    assert bench.steps == 0


def test_a_favourable_gap_gives_the_target_the_open() -> None:
    bench = Bench()
    bench.long(1, 100)
    bench.place(1, "target", -1, 1, at=105, reduce=True)
    assert bench.open(109) == [(1, 1, 109)]


# Leverage 10, maintenance 5 %: margin 10 of 100, liquidated where P - 90 = 0.05 P: 94.7, up to 95; bankrupt at 90.


def test_liquidation_before_the_stop() -> None:
    """The trigger 95 is nearer the open than the stop 93; at the bankruptcy price 90, paying 1.25 % of 90 = 1.125."""
    bench = Bench(leverage=10, tiers=((5_000_000, 0),), fees=(0, 35_000, 1_250_000))
    bench.place(90, "market", 1, 1)
    bench.open(100)
    fee = 100 * UNIT * 35_000 // 10**8
    assert bench.books[0]["liquidation"] == 95
    assert bench.books[0]["bankruptcy"] == 90
    bench.place(1, "stop", -1, at=93, close=True)
    assert bench.rest(100, 101, 92) == [(0, 1, 90), (1, 0, 0)]
    assert bench.wallet == 10**12 - 10 * UNIT - 112_500_000 - fee
    assert bench.account[0]["liquidation_fees"] == 112_500_000
    assert bench.steps == 0
    assert bench.books[0]["liquidation"] == 0


def test_the_stop_before_liquidation() -> None:
    bench = Bench(leverage=10, tiers=((5_000_000, 0),))
    bench.long(1, 100)
    bench.place(1, "stop", -1, at=96, close=True)
    assert bench.rest(100, 101, 80) == [(1, 1, 96)]


def test_a_gap_crosses_the_nearer_trigger_first() -> None:
    bench = Bench(leverage=10, tiers=((5_000_000, 0),))
    bench.long(1, 100)
    bench.place(1, "stop", -1, at=96, close=True)
    assert bench.open(85) == [(1, 1, 85)]
    bench.long(1, 100)
    bench.place(2, "stop", -1, at=94, close=True)
    assert bench.open(85) == [(0, 1, 85), (2, 0, 0)]  # beyond bankruptcy: no insurance fund pays the rest


def test_a_short_is_liquidated_above() -> None:
    """Margin 10: 10 + 100 - P = 0.05 P, P = 104.76 > 104; bankrupt at 110."""
    bench = Bench(leverage=10, tiers=((5_000_000, 0),))
    bench.place(1, "market", -1, 1)
    bench.open(100)
    assert bench.books[0]["liquidation"] == 104
    assert bench.rest(100, 104, 99) == [(0, 1, 110)]


def test_the_tier_in_force_is_the_one_that_liquidates_first() -> None:
    """1,000 held at 100, leverage 10. 5 % flat from notional 50 on: 10,000 + 1,000 P - 100,000 = 0.05 x 1,000 P - 2:
    P = 94.734 up to 95. Tier one alone, 1 %: 90.9."""
    bench = Bench(leverage=10, tiers=((1_000_000, 0), (5_000_000, 2 * UNIT)))
    bench.long(1_000, 100)
    assert bench.books[0]["liquidation"] == 95


def test_without_leverage_a_long_is_never_liquidated() -> None:
    bench = Bench(leverage=1, tiers=((500_000, 0),))
    bench.long(1, 100)
    assert bench.books[0]["liquidation"] == 0
    assert bench.rest(100, 100, 1) == []


def test_reduce_only_never_opens_nor_grows() -> None:
    bench = Bench()
    bench.place(1, "market", -1, 5, reduce=True)
    assert bench.open(100) == [(1, 0, 0)]
    bench.long(3, 100)
    bench.place(2, "market", 1, 5, reduce=True)
    bench.place(3, "market", -1, 5, reduce=True)
    bench.place(4, "market", -1, 5, reduce=True)
    assert bench.open(100) == [(2, 0, 0), (3, 3, 100), (4, 0, 0)]
    assert bench.steps == 0


def test_an_order_under_way_meets_a_later_open() -> None:
    bench = Bench()
    bench.place(1, "market", 1, 1, wait=2)
    assert bench.open(100) == []
    assert bench.rest(100, 110, 90) == []
    assert bench.open(101) == []
    assert bench.open(102) == [(1, 1, 102)]


def test_exits_after_missing_bars_pay_the_stop_extra() -> None:
    """Out at 10,000 - 1 bp (1 tick); in at 10,000 flat."""
    bench = Bench(floor=10_000)
    bench.place(1, "market", 1, 1)
    assert bench.open(10_000, lost=1) == [(1, 1, 10_000)]
    bench.place(2, "market", -1, 1, reduce=True)
    assert bench.open(10_000, lost=1) == [(2, 1, 9_999)]


def test_funding_is_charged_on_what_is_held_before_the_open() -> None:
    """2 x 100 at 0.01 %: 0.02. The order to close is on the book already and fills afterwards."""
    bench = Bench()
    bench.long(2, 100)
    bench.place(1, "market", -1, 2, reduce=True)
    assert settle_funding(bench.books, bench.account, 10_000, 100.0) == (2_000_000, 100)
    assert bench.open(100) == [(1, 2, 100)]
    assert settle_funding(bench.books, bench.account, 10_000, 100.0) == (0, 100)
    assert bench.wallet == 10**12 - 2_000_000


def test_a_full_book_takes_no_more_and_an_order_can_be_withdrawn() -> None:
    bench = Bench()
    for number in range(1, 17):
        bench.place(number, "limit", 1, 1, at=50)
    assert place_order(bench.books, 17, LIMIT, 1, 1, 50, 0, 0, 0, 0) == 0
    assert withdraw_order(bench.books, 5) == 1
    assert withdraw_order(bench.books, 5) == 0
    assert [int(x) for x in bench.books[0]["orders"]["id"][:15]] == [n for n in range(1, 17) if n != 5]


def test_money_that_does_not_fit_raises_the_flag_and_changes_nothing() -> None:
    bench = Bench()
    bench.place(1, "market", 1, 3_000_000_000)
    bench.open(1_000_000)
    assert bench.account[0]["overflow"] == 1
    assert bench.steps == 0


# The second implementation


def _random_order(rng: np.random.Generator, number: int, price: int) -> dict[str, Any]:
    kind = str(rng.choice(["market", "limit", "stop", "target"], p=[0.25, 0.35, 0.25, 0.15]))
    close = kind in ("stop", "target") and rng.random() < 0.3
    return {
        "id": number,
        "kind": kind,
        "side": int(rng.choice([-1, 1])),
        "steps": 0 if close else int(rng.integers(1, 30)),
        "price": max(1, price + int(rng.integers(-25, 26))) if kind == "limit" else 0,
        "trigger": max(1, price + int(rng.integers(-25, 26))) if kind in ("stop", "target") else 0,
        "reduce": not close and bool(rng.random() < 0.4),
        "close": bool(close),
        "wait": int(rng.choice([0, 0, 0, 1, 2])),
        "fresh": True,
    }


@pytest.mark.parametrize("seed", range(12))
def test_random_bars_and_orders_equal_the_plain_book(seed: int) -> None:
    rng = np.random.default_rng(seed)
    leverage = int(rng.choice([2, 5, 20, 50]))
    unit = int(rng.choice([1, 97, 10_000]))
    fees = {"maker": 10_000, "taker": 35_000, "liquidation": 1_250_000}
    half_spread = int(rng.choice([0, 40_000, 300_000]))
    bounds = [0, 5_000 * unit, 20_000 * unit, 10**15]
    rates = [400_000, 1_000_000, 2_500_000]
    deductions = [0]
    for i in (1, 2):
        deductions.append(deductions[-1] + bounds[i] * (rates[i] - rates[i - 1]) // 10**8)
    bench = Bench(
        leverage, half_spread, 10_000, (10_000, 35_000, 1_250_000), tuple(zip(rates, deductions, strict=True)), 10**12
    )
    bench.books[0]["unit"] = unit
    tiers = [(bounds[i], bounds[i + 1], Fraction(rates[i], 10**8), deductions[i]) for i in range(3)]
    plain = PlainBook(
        unit, leverage, tiers, {k: Fraction(v, 10**8) for k, v in fees.items()}, Fraction(half_spread, 10**8), 10**12
    )
    price, number, liquidations, stops_and_targets = 1_000, 0, 0, 0

    def send(count: int) -> None:
        nonlocal number
        for _ in range(count):
            if len(plain.orders) < 14:
                number += 1
                order = _random_order(rng, number, price)
                plain.orders.append(order)
                bench.place(
                    number,
                    order["kind"],
                    order["side"],
                    order["steps"],
                    order["price"] or order["trigger"],
                    reduce=order["reduce"],
                    close=order["close"],
                    wait=order["wait"],
                )

    def same(what: str) -> None:
        book = bench.books[0]
        said = [
            (int(r["id"]), int(r["side"]), 0)
            if r["steps"] == 0
            else (int(r["id"]), int(r["side"]), int(r["steps"]), int(r["ticks"]), int(r["fee"]), bool(r["maker"]))
            for r in book["reports"][: book["report_count"]]
        ]
        assert said == plain.said, (seed, what)
        assert (bench.steps, int(book["position"]["cost"]), bench.wallet) == (plain.steps, plain.cost, plain.wallet), (
            what
        )
        assert int(book["liquidation"]) == plain.liquidation(), what
        assert [int(x) for x in book["orders"]["id"][: book["order_count"]]] == [x["id"] for x in plain.orders], what
        assert int(book["ambiguous"]) == plain.ambiguous, what

    for bar in range(400):
        if rng.random() < 0.3 and plain.orders:
            gone = plain.orders.pop(int(rng.integers(len(plain.orders))))
            assert withdraw_order(bench.books, gone["id"])
        send(int(rng.integers(0, 3)))
        o = max(60, price + int(rng.integers(-12, 13)))
        h, l = o + int(rng.integers(0, 30)), o - int(rng.integers(0, 30))
        c = int(rng.integers(l, h + 1))
        mean_range, lost = int(rng.integers(0, 100)), int(rng.random() < 0.1)
        if bar % 5 == 0:
            settle_funding(bench.books, bench.account, 12_345, float(o))
            plain.settle(Fraction(12_345, 10**8), o)
        bench.open(o, mean_range, lost)
        plain.open(o, Fraction(mean_range), bool(lost))
        same(f"open of bar {bar}")
        send(int(rng.integers(0, 2)))
        for again in (0, 1):
            bench.rest(o, h, l, again=again)
            plain.rest(o, h, l, Fraction(mean_range), bool(again))
            same(f"rest of bar {bar}, again {again}")
            liquidations += sum(s[0] == 0 for s in plain.said)
            stops_and_targets += sum(len(s) > 3 for s in plain.said)
            if again == 0:
                send(int(rng.integers(0, 2)))
        price = c
    a = bench.account[0]
    assert a["wallet"] == a["transfers"] + a["realised"] - a["fees"] - a["funding"]
    assert stops_and_targets > 50
    assert liquidations > 0 or leverage < 20
