"""Small recorded stretches for the tick path's tests, written by hand or drawn from a seed."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from aister.adapters.store.sample import shipped_instruments
from aister.kernels.ticks import LEVEL, TICK, TRADE
from aister.ports.ticks import TickStream

MS = 1_000_000
T0 = 1_700_000_000_000 * MS
CONTRACT = shipped_instruments()["BTCUSDT"]  # tick 0.1, step 0.001, so unit 10,000; maker 1 bp, taker 3.5 bp
FREE = msgspec.structs.replace(CONTRACT, maker_e8=0, taker_e8=0)


def stream(rows: np.ndarray, contract: Any = CONTRACT) -> TickStream:
    return TickStream(contract, rows, 0, {}, "by hand", "0" * 32)


def written(*lines: tuple[int, str, int, int], feed_ms: int = 0, contract: Any = CONTRACT) -> TickStream:
    """Lines (ms, what, ticks, steps); what: bid, ask = level; buy, sell = trade by that side."""
    kinds = {"bid": (LEVEL, 1), "ask": (LEVEL, -1), "buy": (TRADE, 1), "sell": (TRADE, -1)}
    rows = np.zeros(len(lines), TICK)
    for row, (ms, what, ticks, steps) in zip(rows, lines, strict=True):
        row["exchange_ns"] = T0 + ms * MS
        row["local_ns"] = row["exchange_ns"] + feed_ms * MS
        row["kind"], row["side"] = kinds[what]
        row["ticks"], row["steps"] = ticks, steps
    return stream(rows, contract)


def drawn(seed: int, count: int) -> TickStream:
    """A wild market: prices within 30 ticks, levels that cross and vanish, several rows at one time, late feed."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, TICK)
    middle = 1_000 + np.cumsum(rng.integers(-1, 2, count))
    rows["exchange_ns"] = T0 + np.cumsum(rng.integers(0, 4, count)) * MS
    late = rng.integers(0, 9, count) * MS
    trade = rng.random(count) < 0.3
    rows["kind"] = np.where(trade, TRADE, LEVEL)
    rows["side"] = rng.choice([1, -1], count)
    away = rng.integers(-2, 8, count)
    rows["ticks"] = np.where(trade, middle + rows["side"] * rng.integers(0, 3, count), middle - rows["side"] * away)
    rows["steps"] = np.where(trade, rng.integers(1, 15, count), rng.integers(0, 20, count))
    rows["local_ns"] = rows["exchange_ns"] + late
    levels = ~trade
    rows["local_ns"][levels] = np.maximum.accumulate(rows["local_ns"][levels])
    return stream(rows)


def plain_rows(given: TickStream) -> list[tuple[int, ...]]:
    names = ("exchange_ns", "local_ns", "kind", "side", "ticks", "steps")
    return list(zip(*(given.rows[name].tolist() for name in names), strict=True))


def erratic(seed: int) -> Callable[[Any], None]:
    """A strategy that sends and cancels at random, the same for every desk that shows it the same."""
    rng = np.random.default_rng(seed)

    def act(desk: Any) -> None:
        bid, ask = desk.bid, desk.ask
        for order in desk.orders:
            if rng.random() < 0.2:
                desk.cancel(order.slot)
        for _ in range(rng.integers(0, 3)):
            side = int(rng.choice([1, -1]))
            offset, steps = int(rng.integers(-3, 3)), int(rng.integers(1, 12))
            kind = str(rng.choice(["post_only", "post_only", "post_only", "limit", "immediate", "market"]))
            touch = bid if side > 0 else ask
            if touch is not None and abs(desk.position) < 200:
                desk.place(side, touch + side * offset, steps, kind)

    return act


def scripted(actions: dict[int, list[tuple[Any, ...]]]) -> Callable[[Any], None]:
    """At decision n (from 1) do: ("place", side, ticks, steps[, kind]) or ("cancel", slot)."""
    done = [0]

    def act(desk: Any) -> None:
        done[0] += 1
        for what, *given in actions.get(done[0], []):
            getattr(desk, what)(*given)

    return act
