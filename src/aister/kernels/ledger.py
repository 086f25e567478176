"""The ledger: what a fill, a funding payment and a transfer do to a position and an account. Exact integers, checked
overflow.

wallet = transfers + realised - fees - funding, to the unit, after every step. Equity is wallet + unrealised at mark.
"""

import numpy as np

from aister.kernels import Record, kernel, rare, step
from aister.kernels.state import State

MONEY_LIMIT = 1 << 62
"""Amounts stay below this (46 billion quote units), so that the sum of any two fits in int64 and can be tested
afterwards."""

STEPS_LIMIT = 3_000_000_000
"""Positions stay at or below this many steps, so that the product of two sizes fits in int64."""

POSITION = np.dtype([("steps", "i8"), ("cost", "i8")], align=True)
"""steps: signed size; cost: sum of ticks x steps x unit of what is open, signed alike (what was paid for it)."""

TURNOVER_DAYS = 30

TURNOVER = np.dtype([("day", "i8"), ("today", "i8"), ("sum", "i8"), ("ring", "i8", (TURNOVER_DAYS,))], align=True)
"""Notional traded: today (UTC day number `day`), and over the 30 days before it; ring: of day d at d mod 30."""

SUMS = ("wallet", "transfers", "realised", "fees", "funding", "liquidation_fees", "overflow")
"""The plain figures of an account."""

ACCOUNT = np.dtype([*((name, "i8") for name in SUMS), ("turnover", TURNOVER)], align=True)
"""Money of 1e-8 quote units. fees and funding are costs (positive = paid); liquidation_fees is the part of fees paid
to liquidations; overflow: 1 once an amount did not fit, after which nothing is booked any more and every figure is to
be refused."""


@step
def value_of(account: Record, ticks: int, steps: int, unit: int) -> int:
    """ticks x steps x unit; 0 with the overflow flag raised when it does not fit."""
    if abs(float(ticks) * float(steps) * float(unit)) >= float(MONEY_LIMIT):
        account.overflow = 1
        return 0
    return ticks * steps * unit


@step
def part_of(cost: int, closing: int, held: int) -> int:
    """cost x closing / held rounded half-even, 0 < closing <= held <= STEPS_LIMIT: exactly all of it when closing =
    held.

    |cost| = q held + r, so |cost| closing / held = q closing + r closing / held, and nothing leaves int64.
    """
    size = abs(cost)
    q = size // held
    rest = (size - q * held) * closing
    part = q * closing + rest // held
    twice = 2 * (rest % held)
    if twice > held or (twice == held and part & 1):
        part += 1
    return part if cost >= 0 else -part


@step
def _fits(a: int) -> bool:
    return -MONEY_LIMIT < a < MONEY_LIMIT


@rare
def apply_fill(position: Record, account: Record, unit: int, side: int, steps: int, ticks: int, fee: int) -> int:
    """Book one execution of `steps` > 0 on `side` (1 buy, -1 sell); return the profit it realised, fee not deducted.

    Growing adds side x ticks x steps x unit to cost. Reducing removes cost pro rata, half-even, and all of it when
    the position becomes 0; realised = -side x ticks x closed x unit - removed cost. What exceeds the position opens
    the other side. Nothing is booked when an amount or size does not fit: then the overflow flag is up."""
    held = position.steps
    closing = 0
    realised = 0
    removed = 0
    if held * side < 0:
        closing = min(steps, abs(held))
        removed = part_of(position.cost, closing, abs(held))
        realised = -side * value_of(account, ticks, closing, unit) - removed
    added = side * value_of(account, ticks, steps - closing, unit)
    cost = position.cost - removed + added
    size = held + side * steps
    net = realised - fee
    if (
        account.overflow == 1
        or abs(size) > STEPS_LIMIT
        or not (_fits(realised) and _fits(fee) and _fits(cost) and _fits(net))
        or not (_fits(account.wallet + net) and _fits(account.realised + realised) and _fits(account.fees + fee))
    ):
        account.overflow = 1
        return 0
    position.steps = size
    position.cost = cost
    account.realised += realised
    account.fees += fee
    account.wallet += net
    return realised


@step
def apply_funding(account: Record, amount: int) -> None:
    """Book a funding payment: a positive amount leaves the wallet."""
    fits = _fits(amount) and _fits(account.wallet - amount) and _fits(account.funding + amount)
    if account.overflow == 1 or not fits:
        account.overflow = 1
        return
    account.funding += amount
    account.wallet -= amount


@step
def apply_transfer(account: Record, amount: int) -> None:
    """Book money moved in (positive) or out."""
    fits = _fits(amount) and _fits(account.wallet + amount) and _fits(account.transfers + amount)
    if account.overflow == 1 or not fits:
        account.overflow = 1
        return
    account.transfers += amount
    account.wallet += amount


@rare
def roll_turnover(account: Record, day: int) -> None:
    """Let UTC day number `day` begin: what was traded on the days before it moves into the sum of 30 days."""
    t = account.turnover
    if day - t.day > TURNOVER_DAYS:
        for i in range(TURNOVER_DAYS):
            t.ring[i] = 0
        t.sum = 0
        t.today = 0
        t.day = day
    while t.day < day:
        slot = t.day % TURNOVER_DAYS
        t.sum += t.today - t.ring[slot]
        t.ring[slot] = t.today
        t.today = 0
        t.day += 1


@step
def add_turnover(account: Record, notional: int) -> None:
    """Count an execution towards today's turnover, as far as it and the 30 days before stay below MONEY_LIMIT: fee
    tiers end long before, and no account stops at a figure that moves no money."""
    t = account.turnover
    t.today += max(0, min(notional, MONEY_LIMIT - 1 - t.sum - t.today))


@step
def unrealised(position: Record, account: Record, unit: int, ticks: int) -> int:
    """Profit of the open position at a price: ticks x steps x unit - cost."""
    return value_of(account, ticks, position.steps, unit) - position.cost


@kernel
def book_fill(positions: State, accounts: State, unit: int, side: int, steps: int, ticks: int, fee: int) -> int:
    """`apply_fill`, called from outside."""
    return apply_fill(positions[0], accounts[0], unit, side, steps, ticks, fee)


@kernel
def book_funding(accounts: State, amount: int) -> None:
    """`apply_funding`, called from outside."""
    apply_funding(accounts[0], amount)


@kernel
def book_transfer(accounts: State, amount: int) -> None:
    """`apply_transfer`, called from outside."""
    apply_transfer(accounts[0], amount)
