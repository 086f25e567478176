"""The batch loop taken in paces: up to a close, where somebody outside decides, and on. The same steps as `batch`,
in the same order; who sends the setups made on the way through `batch.run_one` gets the same trades.

Bars come as rows: open_ms, o, h, l, c (ticks), volume (steps), impact (as `batch`), settlements (funding rows due by
this bar's open, of all before it) and decides (1 when the deciding timeframe closes with it)."""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels.bars import RANGE_BARS
from aister.kernels.closes import at_close, take_setup
from aister.kernels.cost import RATE_ONE
from aister.kernels.ledger import ACCOUNT, unrealised
from aister.kernels.passing import pass_bar, pay_funding
from aister.kernels.position import DESK, answer, free, quiet
from aister.kernels.state import State

Rows = npt.NDArray[np.void]

FLOOR = np.dtype(
    [
        *(("desk", DESK), ("account", ACCOUNT), ("seen", "i8", (8,)), ("at", "i8")),
        *(("closed", "i8"), ("settled", "i8"), ("trades", "i8"), ("failed", "i8")),
    ],
    align=True,
)
"""seen: what somebody outside may see, by the numbers below: whether free, side, whether an entry is on its way, entry
and stop in ticks, time of the first fill, trades ended, equity; at: the bar reached, the one before the span at first;
closed: 1 once its close is dealt with; settled: funding rows paid; trades: ended; failed: 1 when an amount left the
int64 range or trades do not fit."""

FREE, SIDE, WAITING, ENTRY_TICKS, STOP_TICKS, OPENED_MS, TRADES, EQUITY = range(8)


@step
def _look(f: Record, close: int) -> None:
    """Write what may be seen."""
    s = f.desk
    seen = f.seen
    seen[FREE] = 1 if free(s) else 0
    seen[SIDE] = 0 if s.held == 0 else 1 if s.held > 0 else -1
    seen[WAITING] = 1 if s.entering == 1 or s.armed == 1 else 0
    seen[ENTRY_TICKS] = s.trades[0].entry_ticks if s.open == 1 else 0
    seen[STOP_TICKS] = s.stop_ticks if s.open == 1 else 0
    seen[OPENED_MS] = s.trades[0].entry_ms if s.open == 1 else 0
    seen[TRADES] = f.trades
    seen[EQUITY] = f.account.wallet
    if s.book.position.steps != 0:
        seen[EQUITY] += unrealised(s.book.position, f.account, s.book.unit, close)


@kernel
def pace(
    floors: State,
    bars: Rows,
    rates_e8: npt.NDArray[np.int64],
    setups: Rows,
    trades: Rows,
    at: int,
    row: int,
    leaves: int,
    until: int,
    to_free: int,
) -> int:
    """Deal with the close of the bar reached, then take the bars up to `until`, of the last one its inside only.

    A desk that is free goes to bar `at` first, if that lies ahead. At the close `setups[0]` is entered, the `row`-th
    given (-1: none), and what is held is closed if leaves = 1. A close that nobody decided at is dealt with when the
    next bar is taken. With to_free = 1, stop at the first bar after whose inside the desk is free. Returns the bar
    reached; `trades` needs room for one more than twice the setups given.
    """
    f = floors[0]
    s = f.desk
    account = f.account
    decided = row >= 0 or leaves == 1
    if at > f.at and free(s):
        f.at = at
        f.settled = bars[at].settlements
        f.closed = 0
    while True:
        if decided or (f.closed == 0 and f.at < until):
            bar = bars[f.at]
            now_ms = bar.open_ms + s.plan.interval_ms
            at_close(s, account, now_ms, bar.c, bar.decides, leaves)
            if row >= 0:
                take_setup(s, account, setups[0], row, now_ms, bar.c)
            answer(s, bar.c)
            f.closed = 1
            decided = False
            row = -1
            leaves = 0
        if f.at >= until:
            break
        if free(s):
            f.at = f.at + 1 if to_free == 1 else until
            f.settled = bars[f.at].settlements
            f.closed = 0
            break
        i = f.at + 1
        bar = bars[i]
        f.at = i
        if bar.settlements == f.settled and quiet(s, bar.open_ms + s.plan.interval_ms, bar.h, bar.l, bar.decides):
            f.closed = 1
            continue
        s.bar = i
        if s.book.position.steps != 0 or s.book.order_count > 0:
            while f.settled < bar.settlements:
                pay_funding(s, account, rates_e8[f.settled], bar.o)
                f.settled += 1
            total = 0
            first = max(1, i - RANGE_BARS)
            for j in range(first, i):
                before = bars[j - 1].c
                total += max(bars[j].h, before) - min(bars[j].l, before)
            known = max(0, i - first)
            range_e8 = (total * RATE_ONE + known - 1) // known if known > 0 else 0
            lost = 1 if i > 0 and bar.open_ms != bars[i - 1].open_ms + s.plan.interval_ms else 0
            pass_bar(s, account, bar.open_ms, bar.o, bar.h, bar.l, bar.c, range_e8, lost, bar.volume, bar.impact)
            for j in range(s.done):
                if f.trades == trades.size:
                    f.failed = 1
                    return f.at
                trades[f.trades] = s.trades[j + 1]
                f.trades += 1
            if account.overflow == 1:
                f.failed = 1
                return f.at
        f.settled = bar.settlements
        f.closed = 0
        if to_free == 1 and free(s):
            break
    _look(f, bars[f.at].c)
    return f.at
