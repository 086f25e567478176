"""The tick path: rows a second of CPU, beside a bare compiled loop that only looks at trades.

The seeded rows are no market, they are work: 24 % trades and 76 % level updates around a wandering middle, 16 ms apart,
seen 1 ms later; the sides never cross. The bare loop has no book, queue, latency or ledger: it bounds what an array
can be read at here today.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from aister.adapters.feeds.depth import read_stream, sample_stretch
from aister.adapters.store.sample import shipped_instruments
from aister.bench import Figure
from aister.kernels import kernel
from aister.kernels.ticks import LEVEL, TICK, TRADE
from aister.lab.ticks import Latency, Quoting, Replayed, TickPlan, replay
from aister.ports.ticks import TickStream

__all__ = ["measure", "seeded_rows"]

_NEVER = 1 << 60
_PLAN = TickPlan(interval_ns=100_000_000, latency=Latency(1_000_000, 1_000_000))
_QUOTES = Quoting(steps=10, max_steps=100, half_ticks=1, skew_e4=10_000)


def seeded_rows(count: int, seed: int) -> npt.NDArray[np.void]:
    """`count` rows of TICK, the first 400 a book of 200 levels a side. Bids lie below the middle and asks above it:
    where it moves, the row takes away what stood there."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, TICK)
    moved = rng.choice([-1, 0, 0, 0, 0, 0, 0, 0, 0, 1], count)
    moved[:400] = 0
    middle = 600_000 + np.cumsum(moved)
    trade = (rng.random(count) < 0.30) & (moved == 0)
    side = rng.choice([1, -1], count)
    away = np.minimum(rng.geometric(0.08, count), 400)
    rows["exchange_ns"] = 1_700_000_000_000_000_000 + np.cumsum(rng.integers(0, 33, count)) * 1_000_000
    rows["kind"], rows["side"] = np.where(trade, TRADE, LEVEL), side
    rows["ticks"] = np.where(trade, middle + side, middle - side * away)
    rows["steps"] = np.where(trade, rng.geometric(0.02, count), rng.integers(0, 4, count) * rng.geometric(0.005, count))
    at_middle = moved != 0
    rows["side"][at_middle], rows["ticks"][at_middle] = -moved[at_middle], middle[at_middle]
    rows["steps"][at_middle] = 0
    start = np.arange(400)
    rows["kind"][:400], rows["side"][:400], rows["steps"][:400] = LEVEL, np.where(start % 2, -1, 1), 500
    rows["ticks"][:400] = 600_000 - rows["side"][:400] * (1 + start // 2)
    rows["exchange_ns"][:400] = rows["exchange_ns"][400]
    rows["local_ns"] = rows["exchange_ns"] + 1_000_000
    return rows


@kernel
def trades_only(rows: npt.NDArray[np.void], every: int) -> int:
    """Volume that traded at or through a price kept since `every` trades."""
    price = 0
    seen = 0
    volume = 0
    for i in range(rows.size):
        if rows[i].kind == 1:
            if seen % every == 0:
                price = rows[i].ticks
            seen += 1
            if rows[i].side < 0 and rows[i].ticks <= price:
                volume += rows[i].steps
    return volume


def measure(quick: bool) -> Iterator[Figure]:
    """Rows/s of CPU (best of the rounds) bare, replayed without orders, quoting every 100 ms; the shipped stretch."""
    count, rounds = (1_000_000, 2) if quick else (5_000_000, 5)
    made = TickStream(shipped_instruments()["BTCUSDT"], seeded_rows(count, 1), 0, {}, "seeded", "seed 1")
    shipped = read_stream(sample_stretch(), least_latency_ns=1_000_000)
    idle = TickPlan(interval_ns=_NEVER)
    bare = count / _best(lambda: trades_only(made.rows, 100), rounds)
    share = float((made.rows["kind"] == TRADE).mean())
    yield Figure("bare loop over trades", bare, "rows/s", None, None, f"{count:,} seeded rows, {share:.0%} trades")
    rate = count / _best(lambda: replay(made, idle, lambda desk: None), rounds)
    yield Figure("replay, no orders", rate, "rows/s", bare, rate / bare, "two books, the exchange's and the owner's")
    last: list[Replayed] = []
    rate = count / _best(lambda: last.append(replay(made, _PLAN, _QUOTES)), rounds)
    yield Figure("replay, quoting every 100 ms", rate, "rows/s", bare, rate / bare, _told(last[-1]))
    rate = len(shipped.rows) / _best(lambda: last.append(replay(shipped, _PLAN, _QUOTES)), 3 * rounds)
    yield Figure("shipped stretch, quoting", rate, "rows/s", bare, rate / bare, _told(last[-1]))


def _told(result: Replayed) -> str:
    return f"{result.rows:,} rows, {result.decisions:,} decisions, {result.maker_fills:,} fills"


def _best(work: Callable[[], object], rounds: int) -> float:
    work()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)
