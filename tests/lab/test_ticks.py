"""Replays of the shipped stretch, and of a plan that cannot be replayed."""

from functools import cache
from typing import Any

import msgspec
import pytest

from aister.adapters.feeds.depth import read_stream, sample_stretch
from aister.core.errors import DataError, SettingsError
from aister.lab.ticks import Desk, Latency, Queue, Quoting, Replayed, TickPlan, replay
from aister.ports.ticks import TickStream
from tests.kernels.plain_ticks import PlainDesk
from tests.kernels.tick_worlds import MS, drawn, plain_rows

QUOTES = Quoting(steps=10, max_steps=100, half_ticks=1, skew_e4=10_000)


@cache
def stretch() -> TickStream:
    return read_stream(sample_stretch(), least_latency_ns=1_000_000)


def quoting(q: Quoting, position: Any = lambda desk: desk.position) -> Any:
    """The built-in rule again, in Python."""

    def act(desk: Any) -> None:
        bid, ask = desk.bid, desk.ask
        if bid is None or ask is None:
            return
        mid2 = bid + ask - 2 * (q.skew_e4 * desk.position // (q.steps * 10_000))
        prices = {1: min((mid2 - 2 * q.half_ticks) // 2, bid), -1: max(-((-mid2 - 2 * q.half_ticks) // 2), ask)}
        for side, ticks in prices.items():
            wanted = desk.position * side < q.max_steps
            mine = [order for order in desk.orders if order.side == side]
            for order in mine:
                if not wanted or order.ticks != ticks:
                    desk.cancel(order.slot)
            if wanted and not mine:
                desk.place(side, ticks, q.steps, "post_only")

    return act


def _core(result: Replayed) -> dict[str, Any]:
    return {n: getattr(result, n) for n in result.__struct_fields__ if n not in ("fills", "quoting", "plan")}


def test_compiled_quotes_are_the_python_quotes() -> None:
    plan = TickPlan(latency=Latency(5 * MS, 5 * MS))
    compiled, python = replay(stretch(), plan, QUOTES), replay(stretch(), plan, quoting(QUOTES))
    assert compiled.fills.tobytes() == python.fills.tobytes()
    assert _core(compiled) == _core(python)
    assert compiled.maker_fills > 50 and compiled.taker_fills == 0


@pytest.mark.parametrize("rule", ["risk_averse", "log"])
def test_the_shipped_stretch_agrees_with_the_plain_desk(rule: Any) -> None:
    plan = TickPlan(interval_ns=50 * MS, latency=Latency(5 * MS, 5 * MS, 5_000, 5_000), queue=Queue(rule))
    some = msgspec.structs.replace(stretch(), rows=stretch().rows[:15_000])
    ours = replay(some, plan, QUOTES)
    plain = PlainDesk(plain_rows(some), some.instrument, plan)
    plain.run(quoting(QUOTES))
    names = ("time_ns", "id", "side", "ticks", "steps", "maker", "left", "fee", "joined")
    assert list(zip(*(ours.fills[n].tolist() for n in names), strict=True)) == plain.fills
    assert (ours.position_steps, ours.fees, ours.sent, ours.expired) == (
        plain.held,
        plain.fees,
        plain.ids,
        plain.expired,
    )
    assert len(plain.fills) > 3


def test_result_is_recorded_with_its_plan_and_data() -> None:
    result = replay(stretch(), TickPlan(), QUOTES)
    assert msgspec.json.encode(result.plan)
    assert result.data_hash == stretch().data_hash
    assert result.pnl == result.realised - result.fees + result.unrealised
    assert result.drawdown >= 0
    slow = replay(stretch(), TickPlan(latency=Latency(200 * MS, 200 * MS)), QUOTES)
    assert slow.maker_fills < result.maker_fills  # later in every queue


def test_a_python_strategy_sees_the_book_late() -> None:
    seen: list[tuple[int | None, int | None, int]] = []

    def look(desk: Desk) -> None:
        bid = desk.bid
        seen.append((bid, desk.ask, 0 if bid is None else desk.displayed(1, bid)))
        assert desk.displayed(1, -(10**9)) == 0 and not desk.cancel(99)

    replay(stretch(), TickPlan(interval_ns=1_000 * MS), look)
    known = [(bid, ask, size) for bid, ask, size in seen if bid is not None and ask is not None]
    assert len(known) > 80
    assert all(ask > bid and size > 0 for bid, ask, size in known)


def test_plans_that_cannot_be_replayed_are_refused() -> None:
    market = drawn(1, 20)
    for plan, quotes, words in (
        (TickPlan(latency=Latency(entry_ns=-1)), QUOTES, "negative"),
        (TickPlan(interval_ns=0), QUOTES, "interval"),
        (TickPlan(), Quoting(steps=0, max_steps=1), "at least 1 step"),
    ):
        with pytest.raises(SettingsError, match=words):
            replay(market, plan, quotes)
    with pytest.raises(DataError, match="no rows"):
        replay(msgspec.structs.replace(market, rows=market.rows[:0]), TickPlan(), QUOTES)
