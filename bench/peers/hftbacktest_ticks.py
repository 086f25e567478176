"""hftbacktest on rows of the tick path: the same events, queue rule, latency and quoting rule.

    python hftbacktest_ticks.py ROWS.npy PARAMETERS.json

ROWS.npy holds rows of `aister.kernels.ticks.TICK`; PARAMETERS.json the contract and plan (keys: see `main`). Prints one
JSON object: version, rows, best CPU seconds of the rounds, seconds of the first call (compilation), peak memory, and
every fill as [exchange ns, side, ticks, steps]. Runs in an environment of its own; imports nothing of aister.
"""

import json
import resource
import sys
import time
from importlib.metadata import version

import numpy as np
from hftbacktest import (
    BUY,
    BUY_EVENT,
    DEPTH_EVENT,
    EXPIRED,
    FILLED,
    GTX,
    LIMIT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.data.validation import correct_event_order, validate_event_order
from hftbacktest.types import event_dtype
from numba import njit

TRADE = 1


def converted(rows, tick, lot):
    """Rows in hftbacktest's 64-byte form, split where one clock's order differs from the other's."""
    events = np.zeros(len(rows), event_dtype)
    kind = np.where(rows["kind"] == TRADE, TRADE_EVENT, DEPTH_EVENT)
    events["ev"] = kind | np.where(rows["side"] > 0, BUY_EVENT, SELL_EVENT)
    events["exch_ts"], events["local_ts"] = rows["exchange_ns"], rows["local_ns"]
    events["px"], events["qty"] = rows["ticks"] * tick, rows["steps"] * lot
    ordered = correct_event_order(
        events, np.argsort(events["exch_ts"], kind="stable"), np.argsort(events["local_ts"], kind="stable")
    )
    validate_event_order(ordered)
    return ordered


def desk(events, p, rows):
    trades = rows["ticks"][rows["kind"] == TRADE]
    asset = (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(p["entry_ns"], p["response_ns"])
        .no_partial_fill_exchange()
        .trading_value_fee_model(p["maker"], p["taker"])
        .tick_size(p["tick"])
        .lot_size(p["lot"])
        .roi_lb(max(int(trades.min()) - 50_000, 1) * p["tick"])
        .roi_ub((int(trades.max()) + 50_000) * p["tick"])
        .last_trades_capacity(0)
    )
    if p["rule"] == "risk_averse":
        asset.risk_adverse_queue_model()
    elif p["rule"] == "power":
        asset.power_prob_queue_model(p["power"])
    else:
        asset.log_prob_queue_model()
    return ROIVectorMarketDepthBacktest([asset])


@njit
def collect(hbt, lot, fills, count, late):
    """Fills and late orders that the owner has heard of since."""
    orders = hbt.orders(0)
    values = orders.values()
    while values.has_next():
        order = values.get()
        if order.status == FILLED:
            fills[count, 0] = order.exch_timestamp
            fills[count, 1] = order.side
            fills[count, 2] = order.exec_price_tick
            fills[count, 3] = round(order.qty / lot)
            count += 1
        elif order.status == EXPIRED:
            late += 1
    hbt.clear_inactive_orders(0)
    return count, late


@njit
def quote(hbt, interval_ns, half, skew_e4, steps, limit, tick, lot, fills):
    next_id = 0
    count = 0
    late = 0
    while hbt.elapse(interval_ns) == 0:
        count, late = collect(hbt, lot, fills, count, late)
        orders = hbt.orders(0)
        depth = hbt.depth(0)
        bid = depth.best_bid_tick
        ask = depth.best_ask_tick
        if bid <= 0 or ask >= 1 << 40:
            continue
        position = round(hbt.position(0) / lot)
        mid2 = bid + ask - 2 * (skew_e4 * position // (steps * 10_000))
        at_bid = min((mid2 - 2 * half) // 2, bid)
        at_ask = max(-((-mid2 - 2 * half) // 2), ask)
        for side in (1, -1):
            ticks = at_bid if side > 0 else at_ask
            wanted = position * side < limit and ticks > 0
            have = False
            gone = 0
            values = orders.values()
            while values.has_next():
                order = values.get()
                if order.side == side:
                    have = True
                    if order.cancellable and (not wanted or order.price_tick != ticks):
                        gone = order.order_id
            if gone > 0:
                hbt.cancel(0, gone, False)
            if wanted and not have:
                next_id += 1
                if side == BUY:
                    hbt.submit_buy_order(0, next_id, ticks * tick, steps * lot, GTX, LIMIT, False)
                else:
                    hbt.submit_sell_order(0, next_id, ticks * tick, steps * lot, GTX, LIMIT, False)
    count, late = collect(hbt, lot, fills, count, late)  # heard of while the rows came to their end
    return count, next_id, late


def main():
    rows = np.load(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        p = json.load(file)
    events = converted(rows, p["tick"], p["lot"])
    fills = np.zeros((max(len(rows), 1_000), 4), np.int64)
    spent, first = [], 0.0
    for number in range(p["rounds"] + 1):
        hbt = desk(events, p, rows)
        before = time.process_time()
        count, sent, expired = quote(
            hbt, p["interval_ns"], p["half_ticks"], p["skew_e4"], p["steps"], p["max_steps"], p["tick"], p["lot"], fills
        )
        passed = time.process_time() - before
        hbt.close()
        if number:
            spent.append(passed)
        else:
            first = passed
    print(
        json.dumps(
            {
                "engine": f"hftbacktest {version('hftbacktest')}",
                "rows": len(rows),
                "cpu_s": min(spent),
                "first_s": first,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "sent": int(sent),
                "expired": int(expired),
                "fills": fills[:count].tolist(),
            }
        )
    )


if __name__ == "__main__":
    main()
