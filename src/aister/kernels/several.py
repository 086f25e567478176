"""The batch loop over several desks on one wallet: symbols, or hedged both legs of each, on isolated or cross margin,
with further entries where the plan has them.

All desks take each phase of a bar before any takes the next, as at the venue: on cross margin what one loses is what
another may be liquidated for. It goes from each time at which something can happen to any of them to the next, as
`run_one` does with one; on cross margin it looks at every bar while something is held or ordered. `dense` = 1 looks at
all and must give the same."""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, rare, step
from aister.kernels.bars import mean_range
from aister.kernels.batch import OVERFLOW, TOO_MANY, hand_over
from aister.kernels.book import CROSS
from aister.kernels.closes import at_close, fire_more, take_setup, want_more
from aister.kernels.ledger import unrealised
from aister.kernels.margin import need, weigh, worth
from aister.kernels.matching import begin_bar, share_bar
from aister.kernels.others import OPEN, left_at, see_others
from aister.kernels.passing import pay_funding, phase
from aister.kernels.position import NEVER_MS, answer, free, trails, wakes_ms
from aister.kernels.state import State

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]

REST, AGAIN = 1, 2


@step
def busy(s: Record) -> bool:
    """Whether a bar has to be looked into for this desk."""
    return s.book.position.steps != 0 or s.book.order_count > 0


@rare
def quiet_until(
    s: Record,
    i: int,
    end: int,
    setup_at: int,
    exit_at: int,
    add_at: int,
    funding_ms: int,
    open_ms: Ints,
    bars: State,
    decides: npt.NDArray[np.bool_],
) -> int:
    """The open time of the first bar, of those from number `i` to before `end`, in which something can happen to this
    desk on isolated margin, or that of a settlement on the way; NEVER_MS if nothing will. `*_at`: numbers of the bars
    with its next setup, exit and add."""
    if i >= end:
        return NEVER_MS if s.book.position.steps == 0 else funding_ms
    if free(s):
        return open_ms[setup_at] if setup_at < end else NEVER_MS
    if s.book.due == 1:
        return open_ms[i]
    until = end
    when = wakes_ms(s) - s.plan.interval_ms
    if s.open == 1:
        until = min(until, exit_at, add_at)
    if s.book.position.steps != 0:
        when = min(when, funding_ms)
    low = s.book.watch_low
    high = s.book.watch_high
    follows = trails(s)
    k = i
    while k < until and open_ms[k] < when and bars[k].l > low and bars[k].h < high and not (follows and decides[k]):
        k += 1
    return min(when, open_ms[k]) if k < end else when


@rare
def at_time(open_ms: Ints, i: int, end: int, time_ms: int, interval_ms: int) -> int:
    """The first bar from number `i` on that opened at `time_ms` or later; `end` if none did."""
    if i >= end or open_ms[i] >= time_ms:
        return i
    k = end
    if time_ms < NEVER_MS:
        k = min(end, i + (time_ms - open_ms[i] + interval_ms - 1) // interval_ms)
    while open_ms[k - 1] >= time_ms:  # bars are missing
        k -= 1
    return k


@kernel
def run_several(
    desks: State,
    accounts: State,
    legs: int,
    first: Ints,
    open_ms: Ints,
    bars: State,
    rows: Ints,
    funding_ms: Ints,
    funding_e8: Ints,
    decides: npt.NDArray[np.bool_],
    setups: npt.NDArray[np.void],
    setup_at: Small,
    setup_row: Ints,
    exit_at: Small,
    exit_side: Ints,
    add_at: Small,
    adds: Ints,
    days_ms: Ints,
    equity: Ints,
    trades: npt.NDArray[np.void],
    fills: npt.NDArray[np.void],
    dense: int,
) -> int:
    """Drive several desks on one wallet through their merged bars, in the order of the desks within a time; hedged
    (`legs` = 2) a symbol has two, the long leg's first.

    Columns of all symbols lie behind one another: `first` has, for each desk, its first bar, that of the span, and the
    number behind its last; bar numbers in `*_at` count over all of it. `rows` has, for each desk, the bounds of its
    rows in funding, setups, exits and adds (eight numbers); setup_row: the number a setup goes by; adds: side and stop,
    in turn. decides: whether a bar is a decision close. days_ms: the UTC midnights at which `equity` is written.
    Otherwise as `run_one`."""
    account = accounts[0]
    m = desks.size
    at = np.empty(m, np.int64)
    taken = np.empty(m, np.int64)
    funded = np.empty(m, np.int64)
    left = np.empty(m, np.int64)
    more = np.empty(m, np.int64)
    until_ms = np.zeros(m, np.int64)
    for d in range(m):
        at[d] = first[3 * d + 1]
        funded[d] = rows[8 * d]
        taken[d] = rows[8 * d + 2]
        left[d] = rows[8 * d + 4]
        more[d] = rows[8 * d + 6]
        desks[d].keep = 1 if fills.size > 0 else 0
    interval_ms = desks[0].plan.interval_ms
    cross = desks[0].book.margin_mode == CROSS
    count = 0
    noted = 0
    day = 0
    slices = 0
    time_ms = 0
    while True:
        # on to the next time at which something can happen
        idle = True
        for d in range(m):
            idle = idle and free(desks[d])
        if dense == 0 and (idle or not cross):
            next_ms = NEVER_MS
            if not idle and day < days_ms.size:
                next_ms = days_ms[day]
            for d in range(m):
                if until_ms[d] <= time_ms:
                    i = at[d]
                    end = first[3 * d + 2]
                    while taken[d] < rows[8 * d + 3] and setup_at[taken[d]] < i:
                        taken[d] += 1
                    while left[d] < rows[8 * d + 5] and exit_at[left[d]] < i:
                        left[d] += 1
                    while more[d] < rows[8 * d + 7] and add_at[more[d]] < i:
                        more[d] += 1
                    until_ms[d] = quiet_until(
                        desks[d],
                        i,
                        end,
                        setup_at[taken[d]] if taken[d] < rows[8 * d + 3] else end,
                        exit_at[left[d]] if left[d] < rows[8 * d + 5] else end,
                        add_at[more[d]] if more[d] < rows[8 * d + 7] else end,
                        funding_ms[funded[d]] if funded[d] < rows[8 * d + 1] else NEVER_MS,
                        open_ms,
                        bars,
                        decides,
                    )
                next_ms = min(next_ms, until_ms[d])
            for d in range(m):
                s = desks[d]
                k = at_time(open_ms, at[d], first[3 * d + 2], next_ms, interval_ms)
                if k > at[d]:
                    at[d] = k
                    s.close_ticks = bars[k - 1].c
                    s.mark_ticks = s.close_ticks
        slices += 1
        time_ms = NEVER_MS
        for d in range(m):
            if at[d] < first[3 * d + 2]:
                time_ms = min(time_ms, open_ms[at[d]])
        while day < days_ms.size and days_ms[day] <= time_ms:
            equity[day] = account.wallet
            for d in range(m):
                s = desks[d]
                if s.book.position.steps != 0:
                    equity[day] += unrealised(s.book.position, account, s.book.unit, s.close_ticks)
            day += 1
        if time_ms == NEVER_MS:
            break
        # the bars of this time, and what is settled before them
        any_busy = False
        for d in range(m):
            s = desks[d]
            i = at[d]
            s.here = 1 if i < first[3 * d + 2] and open_ms[i] == time_ms else 0
            if s.here == 1:
                s.o = bars[i].o
                s.h = bars[i].h
                s.l = bars[i].l
                s.c = bars[i].c
            while funded[d] < rows[8 * d + 1] and funding_ms[funded[d]] <= time_ms:
                pay_funding(s, account, funding_e8[funded[d]], s.o if s.here == 1 else s.close_ticks)
                funded[d] += 1
            any_busy = any_busy or busy(s)
        if any_busy:
            for d in range(m):
                s = desks[d]
                s.done = 0
                s.fill_count = 0
                s.bar = slices
                if s.here == 1 and (busy(s) or busy(desks[d ^ (legs - 1)])):
                    i = at[d]
                    lost = 1 if i > first[3 * d] and time_ms != open_ms[i - 1] + interval_ms else 0
                    range_e8 = mean_range(bars, first[3 * d], i)
                    begin_bar(s.book, account, time_ms, range_e8, lost, bars[i].volume, bars[i].impact)
            stage = OPEN
            while True:
                reported = 0
                for d in range(m):
                    s = desks[d]
                    if s.here == 0 or not busy(s):
                        continue
                    twin = desks[d ^ (legs - 1)]
                    if cross:
                        theirs = 0
                        needed = 0
                        for k in range(0, m, legs):
                            if k // legs == d // legs:
                                continue
                            value = 0
                            wanted = 0
                            for high in range(2):
                                here_worth = 0
                                here_need = 0
                                for e in range(k, k + legs):
                                    other = desks[e]
                                    if other.book.position.steps != 0:
                                        price = left_at(other, account, stage, high)
                                        here_worth += worth(other.book, account, price)
                                        here_need += need(other.book, account, price)
                                if high == 0 or here_worth - here_need < value - wanted:
                                    value = here_worth
                                    wanted = here_need
                            theirs += value
                            needed += wanted
                        twin_steps = 0
                        twin_cost = 0
                        if legs == 2:
                            twin_steps = twin.book.position.steps
                            twin_cost = twin.book.position.cost
                        price = s.book.at if stage == AGAIN else s.o
                        weigh(s.book, account, price, theirs, needed, twin_steps, twin_cost)
                    reported += phase(s, account, stage, time_ms, s.o, s.h, s.l, s.c)
                    if legs == 2:
                        share_bar(s.book, twin.book)
                    if not hand_over(s, trades, count, fills, noted):
                        return TOO_MANY
                    count += s.done
                    noted += s.fill_count
                    s.done = 0
                    s.fill_count = 0
                if stage != OPEN and reported == 0:
                    break
                stage = REST if stage == OPEN else AGAIN
            if account.overflow == 1:
                return OVERFLOW
        # their closes, symbol by symbol
        now_ms = time_ms + interval_ms
        for k in range(0, m, legs):
            if desks[k].here == 0:
                continue
            for d in range(k, k + legs):
                s = desks[d]
                s.bar = slices
                s.close_ticks = s.c
                s.mark_ticks = s.c
            for d in range(k, k + legs):
                s = desks[d]
                i = at[d]
                leave = 0
                while left[d] < rows[8 * d + 5] and exit_at[left[d]] <= i:
                    if s.open == 1 and exit_at[left[d]] == i and exit_side[left[d]] == s.trades[0].side:
                        leave = 1
                    left[d] += 1
                if free(s):
                    continue
                if s.armed == 1:
                    see_others(desks, account, d, legs)
                at_close(s, account, now_ms, s.c, 1 if decides[i] else 0, leave)
            for d in range(k, k + legs):
                s = desks[d]
                i = at[d]
                while taken[d] < rows[8 * d + 3] and setup_at[taken[d]] < i:
                    taken[d] += 1
                if taken[d] < rows[8 * d + 3] and setup_at[taken[d]] == i and free(s):
                    see_others(desks, account, d, legs)
                    take_setup(s, account, setups[taken[d]], setup_row[taken[d]], now_ms, s.c)
                while more[d] < rows[8 * d + 7] and add_at[more[d]] <= i:
                    if s.open == 1 and add_at[more[d]] == i and adds[2 * more[d]] == s.trades[0].side:
                        want_more(s, now_ms, adds[2 * more[d] + 1])
                    more[d] += 1
            for d in range(k, k + legs):
                s = desks[d]
                if s.wants == 1 and now_ms >= s.wants_ms:
                    see_others(desks, account, d, legs)
                    fire_more(s, account, now_ms, s.c)
        for d in range(m):
            s = desks[d]
            if s.here == 1:
                answer(s, s.c)
                at[d] += 1
    desks[0].fill_count = noted
    return count
