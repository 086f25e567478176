"""The batch loops: an account driven by setups through a year of bars, looking only at bars where something can happen.

`run_one` jumps: flat, to the next setup; with a position or an order, over every bar whose range stays between the
book's watched prices and at which nothing is due. `dense` = 1 takes the same steps at every bar and must give the same.
`run_several` steps through the merged bars of several symbols on one wallet. Both only drive `position` and `closes`.
"""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, rare, wide
from aister.kernels.closes import arm, at_close, fire
from aister.kernels.cost import RATE_ONE
from aister.kernels.ledger import unrealised
from aister.kernels.matching import begin_bar
from aister.kernels.position import NEVER_MS, answer, free, pass_bar, pay_funding, trails, wakes_ms
from aister.kernels.sizing import margin_reserved
from aister.kernels.state import State

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]

TOO_MANY = -1
OVERFLOW = -2

RANGE_BARS = 14


@kernel
def decision_bars(open_ms: Ints, interval_ms: int, decides_ms: int, out: Small) -> int:
    """The bars at whose close a timeframe of `decides_ms` closes, as the features see it: the base bar that ends with
    it, or the first one after an end that is missing; never the truncated one at the very beginning. Returns how
    many."""
    count = 0
    began = NEVER_MS
    window = NEVER_MS
    for i in range(open_ms.size):
        at = open_ms[i]
        if i == 0 or at >= window + decides_ms:
            window = at - at % decides_ms
        closed = False
        if began != NEVER_MS and window > began:
            closed = True
            began = NEVER_MS
        if began == NEVER_MS and window >= open_ms[0]:
            began = window
        if began == window and at + interval_ms == window + decides_ms:
            closed = True
            began = NEVER_MS
        if closed:
            out[count] = i
            count += 1
    return count


@rare
def copy_setup(s: Record, row: Record) -> None:
    """Take a row of SETUP."""
    setup = s.setup
    setup.time_ms = row.time_ms
    setup.side = row.side
    setup.limit = row.limit
    setup.entry_ticks = row.entry_ticks
    setup.stop_ticks = row.stop_ticks
    setup.targets = row.targets
    for i in range(3):
        setup.target_ticks[i] = row.target_ticks[i]
        setup.share_e4[i] = row.share_e4[i]
    setup.horizon_ms = row.horizon_ms
    setup.life_ms = row.life_ms


@kernel
def run_one(
    desks: State,
    accounts: State,
    open_ms: Ints,
    o: Small,
    h: Small,
    l: Small,
    c: Small,
    volume: Ints,
    impact: npt.NDArray[np.float64],
    start: int,
    funding_at: Small,
    funding_e8: Ints,
    decides: Small,
    setups: npt.NDArray[np.void],
    setup_at: Small,
    exit_at: Small,
    exit_side: Ints,
    day_at: Small,
    equity: Ints,
    trades: npt.NDArray[np.void],
    fills: npt.NDArray[np.void],
    dense: int,
) -> int:
    """Drive one symbol from bar `start` on. Prices are int32 ticks, `volume` steps a bar, `impact` impact(1) a bar or
    one 0; `*_at` bar numbers, rising: of funding rows (charged at the open), decision closes, setups and exits (at the
    close), and the last bar of each UTC day, at whose end `equity` is written. Fills `trades` and, if it has room for
    any, `fills` (their number is `fill_count` of the desk afterwards). Returns the number of trades; TOO_MANY when
    they do not fit, OVERFLOW when an amount left the int64 range."""
    s = desks[0]
    account = accounts[0]
    plan = s.plan
    n = open_ms.size
    interval_ms = plan.interval_ms
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
                while k < until and l[k] > low and h[k] < high:
                    k += 1
        while day < day_at.size and day_at[day] < k:
            equity[day] = account.wallet
            if s.book.position.steps != 0:
                equity[day] += unrealised(s.book.position, account, s.book.unit, wide(c[day_at[day]]))
            day += 1
        if k >= n:
            break
        i = k
        s.bar = i
        # its open and its inside
        time_ms = began_ms + i * interval_ms if regular else open_ms[i]
        if s.book.position.steps != 0 or s.book.order_count > 0:
            while funded < funding_at.size and funding_at[funded] < i:
                funded += 1
            while funded < funding_at.size and funding_at[funded] == i:
                pay_funding(s, account, funding_e8[funded], wide(o[i]))
                funded += 1
            total = 0
            first = max(1, i - RANGE_BARS)
            for j in range(first, i):
                total += max(h[j], c[j - 1]) - min(l[j], c[j - 1])
            bars = max(0, i - first)
            range_e8 = (total * RATE_ONE + bars - 1) // bars if bars > 0 else 0
            lost = 1 if not regular and i > 0 and time_ms != open_ms[i - 1] + interval_ms else 0
            begin_bar(s.book, account, time_ms, range_e8, lost, volume[i], impact[i] if impact.size > 1 else 0.0)
            s.done = 0
            s.fill_count = 0
            pass_bar(s, account, time_ms, wide(o[i]), wide(h[i]), wide(l[i]), wide(c[i]))
            for j in range(s.fill_count):
                if noted == fills.size:
                    return TOO_MANY
                fills[noted] = s.fills[j]
                noted += 1
            for j in range(s.done):
                if count == trades.size:
                    return TOO_MANY
                trades[count] = s.trades[j + 1]
                count += 1
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
        close = wide(c[i])
        at_close(s, now_ms, close, decide, leave)
        if s.armed == 1 and now_ms >= s.fires_ms:
            fire(s, now_ms, close, account.wallet, 0, account.wallet)
        while taken < setup_at.size and setup_at[taken] < i:
            taken += 1
        if taken < setup_at.size and setup_at[taken] == i and free(s):
            copy_setup(s, setups[taken])
            arm(s, now_ms, taken)
            if plan.delay_ms == 0:
                fire(s, now_ms, close, account.wallet, 0, account.wallet)
        answer(s, close)
    s.fill_count = noted
    return count


@kernel
def run_several(
    desks: State,
    accounts: State,
    first: Ints,
    open_ms: Ints,
    o: Small,
    h: Small,
    l: Small,
    c: Small,
    volume: Ints,
    impact: npt.NDArray[np.float64],
    rows: Ints,
    funding_ms: Ints,
    funding_e8: Ints,
    decides: npt.NDArray[np.bool_],
    setups: npt.NDArray[np.void],
    setup_at: Small,
    exit_at: Small,
    exit_side: Ints,
    days_ms: Ints,
    equity: Ints,
    trades: npt.NDArray[np.void],
    fills: npt.NDArray[np.void],
) -> int:
    """Drive several symbols on one wallet through their merged bars, in the order of the desks within a time.

    Columns of all symbols lie behind one another: `first` has, for each, its first bar, that of the span, and the
    number behind its last; bar numbers in `*_at` count over all of it. `rows` has, for each symbol, the bounds of its
    rows in funding, setups and exits (six numbers). decides: whether a bar is a decision close. days_ms: the UTC
    midnights at which `equity` is written. Otherwise as `run_one`, at every bar."""
    account = accounts[0]
    m = desks.size
    at = np.empty(m, np.int64)
    taken = np.empty(m, np.int64)
    funded = np.empty(m, np.int64)
    left = np.empty(m, np.int64)
    for d in range(m):
        at[d] = first[3 * d + 1]
        funded[d] = rows[6 * d]
        taken[d] = rows[6 * d + 2]
        left[d] = rows[6 * d + 4]
        desks[d].keep = 1 if fills.size > 0 else 0
    interval_ms = desks[0].plan.interval_ms
    count = 0
    noted = 0
    day = 0
    slices = 0
    while True:
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
        for d in range(m):
            s = desks[d]
            i = at[d]
            here = i < first[3 * d + 2] and open_ms[i] == time_ms
            while funded[d] < rows[6 * d + 1] and funding_ms[funded[d]] <= time_ms:
                pay_funding(s, account, funding_e8[funded[d]], wide(o[i]) if here else s.close_ticks)
                funded[d] += 1
        for d in range(m):
            s = desks[d]
            i = at[d]
            if not (i < first[3 * d + 2] and open_ms[i] == time_ms):
                continue
            if s.book.position.steps != 0 or s.book.order_count > 0:
                total = 0
                begin = max(first[3 * d] + 1, i - RANGE_BARS)
                for j in range(begin, i):
                    total += max(h[j], c[j - 1]) - min(l[j], c[j - 1])
                bars = max(0, i - begin)
                range_e8 = (total * RATE_ONE + bars - 1) // bars if bars > 0 else 0
                lost = 1 if i > first[3 * d] and time_ms != open_ms[i - 1] + interval_ms else 0
                begin_bar(s.book, account, time_ms, range_e8, lost, volume[i], impact[i] if impact.size > 1 else 0.0)
                s.bar = slices
                s.done = 0
                s.fill_count = 0
                pass_bar(s, account, time_ms, wide(o[i]), wide(h[i]), wide(l[i]), wide(c[i]))
                for j in range(s.fill_count):
                    if noted == fills.size:
                        return TOO_MANY
                    fills[noted] = s.fills[j]
                    noted += 1
                for j in range(s.done):
                    if count == trades.size:
                        return TOO_MANY
                    trades[count] = s.trades[j + 1]
                    count += 1
        if account.overflow == 1:
            return OVERFLOW
        now_ms = time_ms + interval_ms
        for d in range(m):
            s = desks[d]
            i = at[d]
            if not (i < first[3 * d + 2] and open_ms[i] == time_ms):
                continue
            s.bar = slices
            leave = 0
            while left[d] < rows[6 * d + 5] and exit_at[left[d]] <= i:
                if s.open == 1 and exit_at[left[d]] == i and exit_side[left[d]] == s.trades[0].side:
                    leave = 1
                left[d] += 1
            close = wide(c[i])
            at_close(s, now_ms, close, 1 if decides[i] else 0, leave)
            while taken[d] < rows[6 * d + 3] and setup_at[taken[d]] < i:
                taken[d] += 1
            for look in range(2):
                if look == 1 and taken[d] < rows[6 * d + 3] and setup_at[taken[d]] == i and free(s):
                    copy_setup(s, setups[taken[d]])
                    arm(s, now_ms, taken[d] - rows[6 * d + 2])
                if s.armed == 0 or now_ms < s.fires_ms:
                    continue
                worth = account.wallet
                spare = account.wallet
                gross = 0
                for e in range(m):
                    other = desks[e]
                    unit = other.book.unit
                    plan = other.plan
                    if other.open == 1:
                        worth += unrealised(other.book.position, account, unit, other.mark_ticks)
                        gross += other.close_ticks * abs(other.book.position.steps) * unit
                        spare -= -(-abs(other.book.position.cost) // plan.leverage)
                    if other.entering == 1:
                        notional = other.planned_ticks * other.entry_left * unit
                        gross += notional
                        spare -= margin_reserved(notional, plan.leverage, plan.taker_e8)
                fire(s, now_ms, close, worth, gross, spare)
        for d in range(m):
            i = at[d]
            if i < first[3 * d + 2] and open_ms[i] == time_ms:
                answer(desks[d], wide(c[i]))
                at[d] += 1
    desks[0].fill_count = noted
    return count
