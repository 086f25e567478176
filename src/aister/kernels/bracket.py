"""The batch loop: one bracket at a time (market entry, resident stop, one target), driven by a list of signals.

It decides nothing that a step does not decide: signals are given, sizes come from `size_for_risk`, everything that
fills goes through `matching`. So an event engine that follows the same rule makes the same trades to the unit:

- at a bar's close with a signal, no position and no entry pending: a market order for the next open, sized by equity
  x risk over the distance from close to stop, clipped to the venue's largest market order and to the margin at hand;
  none below the smallest order;
- after its fill, in the same bar: a closing stop and a closing take-profit at the signal's prices. When the open is
  already at or beyond one of them that order is refused (as venues do) and the position is closed at market, that is
  at the next open;
- at a close `horizon_ms` or more after the entry: closed at market, at the next open;
- once flat, what rests is cancelled. Signals while in position are ignored."""

import numpy as np
import numpy.typing as npt

from aister.kernels import Record, kernel, step
from aister.kernels.book import BOOK, MARKET, STOP_MARKET, TAKE_PROFIT_MARKET, place, to_ticks, withdraw_all
from aister.kernels.cost import RANGES, mean_range_e8, take_range
from aister.kernels.ledger import ACCOUNT, unrealised
from aister.kernels.matching import begin_bar, open_phase, rest_phase, settle
from aister.kernels.sizing import size_for_risk
from aister.kernels.state import State

LIQUIDATION, ENTRY, STOP, TARGET, CLOSE, TIME = 0, 1, 2, 3, 4, 5
"""Numbers of its orders, and the reasons of exits (CLOSE: the stop or target was refused)."""

TRADE = np.dtype(
    [
        *(("entry_ms", "i8"), ("exit_ms", "i8"), ("side", "i8"), ("steps", "i8"), ("entry_ticks", "i8")),
        *(
            ("exit_ticks", "i8"),
            ("entry_fee", "i8"),
            ("fees", "i8"),
            ("funding", "i8"),
            ("slippage", "i8"),
            ("pnl", "i8"),
            ("reason", "i8"),
        ),
    ],
    align=True,
)
"""One round trip; entry_fee is the part of fees paid at the entry; pnl is net: realised - fees - funding. Slippage
is inside the prices, given for attribution."""

BRACKET = np.dtype(
    [
        *(("book", BOOK), ("account", ACCOUNT), ("ranges", RANGES), ("trade", TRADE), ("before", TRADE)),
        *(("risk_e8", "i8"), ("min_steps", "i8"), ("max_steps", "i8"), ("min_notional", "i8")),
        *(("interval_ms", "i8"), ("horizon_ms", "i8"), ("last_ms", "i8"), ("stop_ticks", "i8"), ("target_ticks", "i8")),
    ],
    align=True,
)
"""trade: the newest; before: sums of fees, funding, slippage and pnl when the one before it ended; horizon_ms: 0 for
none; last_ms: open time of the bar before, 0 before the first; stop_ticks, target_ticks: of the entry pending or
filled."""


@step
def _charge(trade: Record, before: Record, account: Record, slippage: int) -> None:
    """What the account's sums gained since the trade before is this trade's."""
    pnl = account.wallet - account.transfers
    trade.fees = account.fees - before.fees
    trade.funding = account.funding - before.funding
    trade.slippage = slippage - before.slippage
    trade.pnl = pnl - before.pnl
    before.fees = account.fees
    before.funding = account.funding
    before.slippage = slippage
    before.pnl = pnl


@step
def _protect(s: Record, o: int) -> None:
    """Rest stop and target beside a fresh position; close it at market when either is refused at the price `o`."""
    side = s.trade.side
    stopped = (o - s.stop_ticks) * side > 0
    aimed = (s.target_ticks - o) * side > 0
    if stopped:
        place(s.book, STOP, STOP_MARKET, -side, 0, 0, s.stop_ticks, 0, 1, 0)
    if aimed:
        place(s.book, TARGET, TAKE_PROFIT_MARKET, -side, 0, 0, s.target_ticks, 0, 1, 0)
    if not (stopped and aimed):
        place(s.book, CLOSE, MARKET, -side, s.trade.steps, 0, 0, 1, 0, 0)


@step
def _follow(s: Record, o: int, time_ms: int) -> int:
    """After a phase: protect a fresh position, or finish the trade that went flat. Returns 1 when one finished."""
    closed = 0
    for i in range(s.book.report_count):
        report = s.book.reports[i]
        if report.steps > 0 and report.id == ENTRY:
            s.trade.side = report.side
            s.trade.steps = report.steps
            s.trade.entry_ms = time_ms
            s.trade.entry_ticks = report.ticks
            s.trade.entry_fee = report.fee
            _protect(s, o)
        elif report.steps > 0:
            closed = 1
            s.trade.exit_ms = time_ms
            s.trade.exit_ticks = report.ticks
            s.trade.reason = report.id
    if closed == 1:
        withdraw_all(s.book)
        _charge(s.trade, s.before, s.account, s.book.slippage)
    return closed


@step
def _time_out(s: Record, now_ms: int) -> None:
    """Close at market a position held for the horizon, unless its close is already on its way."""
    if s.horizon_ms == 0 or s.book.position.steps == 0 or now_ms < s.trade.entry_ms + s.horizon_ms:
        return
    for i in range(s.book.order_count):
        if s.book.orders[i].kind == MARKET:
            return
    place(s.book, TIME, MARKET, -s.trade.side, s.trade.steps, 0, 0, 1, 0, 0)


@step
def on_bar(
    s: Record, time_ms: int, o: int, h: int, l: int, c: int, funding_e8: int, side: int, stop: int, target: int
) -> int:
    """Take one bar that opened at `time_ms` (prices in ticks), the funding rate settled at its open (0: none) and the
    signal at its close (side 0: none; stop and target in ticks). Returns 1 when a trade finished, now in `s.trade`."""
    closed = 0
    if s.book.position.steps != 0 or s.book.order_count > 0:
        if funding_e8 != 0 and s.book.position.steps != 0:
            settle(s.book, s.account, funding_e8, o)
        range_e8 = mean_range_e8(s.ranges)
        lost = 1 if s.last_ms > 0 and time_ms != s.last_ms + s.interval_ms else 0
        begin_bar(s.book, s.account, time_ms, range_e8, lost, 0, 0.0)
        open_phase(s.book, s.account, o)
        closed += _follow(s, o, time_ms)
        rest_phase(s.book, s.account, o, h, l, c, 0)
        closed += _follow(s, o, time_ms + s.interval_ms - 1)
        _time_out(s, time_ms + s.interval_ms)
    take_range(s.ranges, h, l, c)
    s.last_ms = time_ms
    if side != 0 and s.book.position.steps == 0 and s.book.order_count == 0:
        wallet = s.account.wallet
        steps = min(size_for_risk(wallet, s.risk_e8, (c - stop) * side, s.book.unit), s.max_steps)
        steps = min(steps, wallet // s.book.unit // c * s.book.leverage)
        if steps >= s.min_steps and steps * c * s.book.unit >= s.min_notional:
            s.stop_ticks = stop
            s.target_ticks = target
            place(s.book, ENTRY, MARKET, side, steps, 0, 0, 0, 0, 0)
    return closed


@kernel
def run(
    state: State,
    open_ms: npt.NDArray[np.int64],
    o: npt.NDArray[np.float64],
    h: npt.NDArray[np.float64],
    l: npt.NDArray[np.float64],
    c: npt.NDArray[np.float64],
    funding_e8: npt.NDArray[np.int64],
    signals: npt.NDArray[np.void],
    paid: npt.NDArray[np.int64],
    equity: npt.NDArray[np.int64],
    trades: npt.NDArray[np.void],
) -> int:
    """Drive `on_bar` over bars and over signals (dtype SIGNAL, `time_ms` = close time, rising); fill `paid` (funding
    that
    left the wallet in each bar), `equity` (money at each close) and `trades`. Returns the number of trades, or -1 - i
    when an amount left the int64 range in bar i.

    `funding_e8` is a column beside the bars. `trades` needs room for one trade a signal.
    """
    s = state[0]
    count = 0
    due = 0
    for i in range(open_ms.size):
        close_ms = open_ms[i] + s.interval_ms
        while due < signals.size and signals[due].time_ms < close_ms:
            due += 1
        side = 0
        stop = 0
        target = 0
        if due < signals.size and signals[due].time_ms == close_ms:
            side = signals[due].side
            stop = signals[due].stop_ticks
            target = signals[due].target_ticks
        close = to_ticks(s.book, c[i])
        opened, high, low = to_ticks(s.book, o[i]), to_ticks(s.book, h[i]), to_ticks(s.book, l[i])
        before = s.account.funding
        if on_bar(s, open_ms[i], opened, high, low, close, funding_e8[i], side, stop, target) == 1:
            trades[count] = s.trade
            count += 1
        paid[i] = s.account.funding - before
        equity[i] = s.account.wallet + unrealised(s.book.position, s.account, s.book.unit, close)
        if s.account.overflow == 1:
            return -1 - i
    return count
