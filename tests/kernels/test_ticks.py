"""The compiled tick path against a plain one, to the unit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.kernels.depth import NO_ASK, NO_BID, WINDOW, empty_depth, show
from aister.kernels.state import allocate
from aister.kernels.ticks import run_quotes, run_to_decision
from aister.lab.ticks import Latency, Queue, Replayed, TickPlan, replay
from aister.ports.ticks import TickStream
from tests.kernels.plain_ticks import PlainBook, PlainDesk
from tests.kernels.tick_worlds import CONTRACT, MS, drawn, erratic, plain_rows

UNIT = CONTRACT.unit


def _fills(result: Replayed) -> list[tuple[int, ...]]:
    names = ("time_ns", "id", "side", "ticks", "steps", "maker", "left", "fee", "joined")
    return list(zip(*(result.fills[name].tolist() for name in names), strict=True))


def _plain(given: TickStream, plan: TickPlan, strategy: Any) -> PlainDesk:
    desk = PlainDesk(plain_rows(given), CONTRACT, plan)
    desk.run(strategy)
    return desk


PLANS = st.builds(
    TickPlan,
    interval_ns=st.sampled_from([1, 3, 10]).map(lambda ms: ms * MS),
    latency=st.builds(
        Latency,
        entry_ns=st.sampled_from([0, 1, 5]).map(lambda ms: ms * MS),
        response_ns=st.sampled_from([0, 2, 7]).map(lambda ms: ms * MS),
        entry_feed_e4=st.sampled_from([0, 5_000]),
        response_feed_e4=st.sampled_from([0, 10_000]),
    ),
    queue=st.builds(
        Queue,
        rule=st.sampled_from(["risk_averse", "power", "log"]),
        power=st.sampled_from([1.0, 3.0]),
        whole=st.booleans(),
    ),
)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 300), plan=PLANS)
@settings(max_examples=60)
def test_random_streams_and_orders_agree_with_the_plain_desk(seed: int, count: int, plan: TickPlan) -> None:
    market = drawn(seed, count)
    ours, plain = replay(market, plan, erratic(seed)), _plain(market, plan, erratic(seed))
    assert _fills(ours) == plain.fills
    assert (ours.position_steps, ours.fees, ours.sent) == (plain.held, plain.fees, plain.ids)
    assert (ours.expired, ours.cancels_late) == (plain.expired, plain.late)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40)
def test_the_ledger_adds_up(seed: int) -> None:
    """Cash of every fill and the open position at the middle = profit before fees, to the unit."""
    market, plan = drawn(seed, 250), TickPlan(interval_ns=2 * MS)
    result = replay(market, plan, erratic(seed))
    fills = result.fills
    cash = -int((fills["side"] * fills["ticks"] * fills["steps"]).sum()) * UNIT
    held = int((fills["side"] * fills["steps"]).sum())
    assert held == result.position_steps == result.bought_steps - result.sold_steps
    assert int(fills["fee"].sum()) == result.fees
    assert len(fills) == result.maker_fills + result.taker_fills
    plain = _plain(market, plan, erratic(seed))
    bid, ask = plain.book.best(1), plain.book.best(-1)
    if bid is not None and ask is not None:
        worth = (bid * held * UNIT + ask * held * UNIT) // 2
        assert result.pnl == cash + worth - result.fees
    again = replay(market, plan, erratic(seed))
    assert again.fills.tobytes() == fills.tobytes() and again.pnl == result.pnl


@given(
    changes=st.lists(
        st.tuples(st.sampled_from([1, -1]), st.integers(990, 1_010), st.integers(0, 3)), min_size=1, max_size=150
    )
)
@settings(max_examples=150)
def test_the_book_is_the_plain_book(changes: list[tuple[int, int, int]]) -> None:
    state, plain = empty_depth(), PlainBook()
    for side, ticks, steps in changes:
        before = plain.size(side, ticks)
        assert show(state, side, ticks, steps) == before
        plain.show(side, ticks, steps)
        none = {1: NO_BID, -1: NO_ASK}
        for which, b in ((1, 0), (-1, 1)):
            best = plain.best(which)
            assert int(state["best"][0, b]) == (none[which] if best is None else best)
            assert int(state["levels"][0, b]) == len(plain.sides[which])
    bid, ask = plain.best(1), plain.best(-1)
    assert bid is None or ask is None or bid < ask  # never left crossed


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_the_window_follows_the_market_and_keeps_what_is_near(seed: int) -> None:
    """Prices wander over several windows; every level within a quarter window of the best price is still right."""
    rng = np.random.default_rng(seed)
    state, plain = empty_depth(), PlainBook()
    middle = 3 * WINDOW
    for _ in range(400):
        if rng.random() < 0.02:
            middle += int(rng.integers(-WINDOW // 3, WINDOW // 3))
            for side in (1, -1):  # the market left: what it showed is withdrawn, then shown anew
                for ticks in list(plain.sides[side]):
                    show(state, side, ticks, 0)
                    plain.show(side, ticks, 0)
        side = int(rng.choice([1, -1]))
        ticks, steps = middle - side * int(rng.integers(1, 2_000)), int(rng.integers(0, 4))
        show(state, side, ticks, steps)
        plain.show(side, ticks, steps)
        for which, b in ((1, 0), (-1, 1)):
            best = plain.best(which)
            assert best is None or int(state["best"][0, b]) == best


def test_a_far_level_is_dropped_and_counted() -> None:
    state = empty_depth()
    show(state, 1, 600_000, 5)
    show(state, 1, 600_000 - WINDOW, 7)
    assert int(state["beyond"][0]) == 1
    assert int(state["best"][0, 0]) == 600_000
    show(state, 1, 600_000 + WINDOW, 9)  # a better price moves the window, and what it leaves is forgotten
    assert int(state["best"][0, 0]) == 600_000 + WINDOW
    assert int(state["levels"][0, 0]) == 1


def test_each_kernel_is_compiled_once() -> None:
    market = drawn(1, 50)
    replay(market, TickPlan(interval_ns=2 * MS), erratic(1))
    for kernel in (run_to_decision, run_quotes, show):
        assert len(kernel.signatures) <= 1  # type: ignore[attr-defined]
    assert allocate(empty_depth().dtype).nbytes < 3_000_000


def test_an_order_that_walks_too_far_is_refused() -> None:
    from aister.core.errors import MoneyOverflow
    from tests.kernels.tick_worlds import scripted, written

    levels = [(0, "ask", 1_000 + k, 1) for k in range(200)]
    market = written((0, "bid", 990, 1), *levels, (40, "bid", 990, 2))
    with pytest.raises(MoneyOverflow, match="smaller orders"):
        replay(market, TickPlan(interval_ns=10 * MS), scripted({1: [("place", 1, 2_000, 190, "limit")]}))
