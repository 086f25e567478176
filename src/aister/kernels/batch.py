"""The batch loop: an account driven by setups through a year of bars, looking only at bars where something can happen.

`run_one` jumps: flat, to the next setup; with a position or an order, over every bar whose range stays between the
book's watched prices and at which nothing is due. `dense` = 1 takes the same steps at every bar and must give the same.
`several` has the loop over several desks on one wallet. Both only drive `passing` and `closes`.
"""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels.bars import mean_range
from aister.kernels.closes import at_close, take_setup
from aister.kernels.ledger import unrealised
from aister.kernels.passing import pass_bar, pay_funding
from aister.kernels.position import NEVER_MS, answer, free, trails, wakes_ms
from aister.kernels.state import State

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Rows = npt.NDArray[np.void]

TOO_MANY = -1
OVERFLOW = -2


@step
def hand_over(s: Record, trades: Rows, count: int, fills: Rows, noted: int) -> bool:
    """Write what ended and filled in a bar behind what was there; False when it does not fit."""
    if count + s.done > trades.size or noted + s.fill_count > fills.size:
        return False
    for j in range(s.done):
        trades[count + j] = s.trades[j + 1]
    for j in range(s.fill_count):
        fills[noted + j] = s.fills[j]
    return True


@kernel
def run_one(
    desks: State,
    accounts: State,
    open_ms: Ints,
    bars: State,
    start: int,
    funding_at: Small,
    funding_e8: Ints,
    decides: Small,
    setups: Rows,
    setup_at: Small,
    exit_at: Small,
    exit_side: Ints,
    day_at: Small,
    equity: Ints,
    trades: Rows,
    fills: Rows,
    dense: int,
) -> int:
    """Drive one symbol from bar `start` on. `bars`: rows of BAR; `*_at`: bar numbers, rising, of funding rows (charged
    at the open), decision closes, setups and exits (at the close), and the last bar of each UTC day, at whose end
    `equity` is written. Fills `trades` and, if it has room for any, `fills` (their number is `fill_count` of the desk
    afterwards). Returns the number of trades; TOO_MANY when they do not fit, OVERFLOW when an amount left the int64
    range."""
    s = desks[0]
    account = accounts[0]
    n = open_ms.size
    interval_ms = s.plan.interval_ms
    began_ms = open_ms[0] if n > 0 else 0
    regular = n > 0 and open_ms[n - 1] - began_ms == (n - 1) * interval_ms  # then times are reckoned, not fetched
    s.keep = 1 if fills.size > 0 else 0
    count = 0
    noted = 0
    funded, decided, taken, left, day = 0, 0, 0, 0, 0
    i = start - 1
    while True:
        # which bar is looked at next
        while taken < setup_at.size and setup_at[taken] <= i:
            taken += 1
        k = i + 1
        if dense == 0:
            if free(s):
                k = setup_at[taken] if taken < setup_at.size else n
            elif s.book.due == 0:
                until = n
                while funded < funding_at.size and funding_at[funded] <= i:
                    funded += 1
                if funded < funding_at.size:
                    until = min(until, funding_at[funded])
                if s.open == 1:
                    while left < exit_at.size and exit_at[left] <= i:
                        left += 1
                    if left < exit_at.size:
                        until = min(until, exit_at[left])
                if trails(s):
                    while decided < decides.size and decides[decided] <= i:
                        decided += 1
                    if decided < decides.size:
                        until = min(until, decides[decided])
                when = wakes_ms(s) - interval_ms
                if when < NEVER_MS - interval_ms and until > k:
                    by_then = max(k, min(n, (when - began_ms + interval_ms - 1) // interval_ms))
                    while not regular and by_then > k and open_ms[by_then - 1] >= when:
                        by_then -= 1
                    until = min(until, by_then)
                low, high = s.book.watch_low, s.book.watch_high
                while k < until and bars[k].l > low and bars[k].h < high:
                    k += 1
        while day < day_at.size and day_at[day] < k:
            equity[day] = account.wallet
            if s.book.position.steps != 0:
                equity[day] += unrealised(s.book.position, account, s.book.unit, bars[day_at[day]].c)
            day += 1
        if k >= n:
            break
        i = k
        s.bar = i
        bar = bars[i]
        # its open and its inside
        time_ms = began_ms + i * interval_ms if regular else open_ms[i]
        if s.book.position.steps != 0 or s.book.order_count > 0:
            while funded < funding_at.size and funding_at[funded] < i:
                funded += 1
            while funded < funding_at.size and funding_at[funded] == i:
                pay_funding(s, account, funding_e8[funded], bar.o)
                funded += 1
            lost = 1 if not regular and i > 0 and time_ms != open_ms[i - 1] + interval_ms else 0
            range_e8 = mean_range(bars, 0, i)
            pass_bar(s, account, time_ms, bar.o, bar.h, bar.l, bar.c, range_e8, lost, bar.volume, bar.impact)
            if not hand_over(s, trades, count, fills, noted):
                return TOO_MANY
            count += s.done
            noted += s.fill_count
            if account.overflow == 1:
                return OVERFLOW
        # its close
        now_ms = time_ms + interval_ms
        decide = 0
        leave = 0
        if s.open == 1:
            while decided < decides.size and decides[decided] < i:
                decided += 1
            if decided < decides.size and decides[decided] == i:
                decide = 1
            while left < exit_at.size and exit_at[left] < i:
                left += 1
            while left < exit_at.size and exit_at[left] == i:
                if exit_side[left] == s.trades[0].side:
                    leave = 1
                left += 1
        at_close(s, account, now_ms, bar.c, decide, leave)
        while taken < setup_at.size and setup_at[taken] < i:
            taken += 1
        if taken < setup_at.size and setup_at[taken] == i:
            take_setup(s, account, setups[taken], taken, now_ms, bar.c)
        answer(s, bar.c)
    s.fill_count = noted
    return count
