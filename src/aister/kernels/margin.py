"""What margin allows a position: liquidation trigger and bankruptcy price, isolated or with the whole account behind
it.

Isolated, a position lives on its own margin M = what it cost / leverage. Cross, on M = the wallet + what the account's
other positions are worth, and it must keep their maintenance too. Long, liquidated when N + M - cost <=
maintenance(N) + theirs, that is N <= (cost - M + theirs - deduction) / (1 - rate) for any tier; short, cost C
received: N >= (C + M - theirs + deduction) / (1 + rate). Bankrupt when N + M = cost, or N = C + M. Every price is
rounded against the position.
"""

from aister.kernels import Record, kernel, rare, step
from aister.kernels.book import CROSS, to_ticks, watch
from aister.kernels.cost import RATE_ONE
from aister.kernels.ledger import value_of
from aister.kernels.state import State


@step
def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


@step
def maintenance(book: Record, notional: int) -> int:
    """Maintenance margin of a notional, in whole money units rounded down: over tiers the greatest of notional x
    rate - deduction, never below 0."""
    most = 0
    q = notional // RATE_ONE
    r = notional - q * RATE_ONE
    for i in range(book.tier_count):
        tier = book.tiers[i]
        most = max(most, q * tier.maintenance_e8 + r * tier.maintenance_e8 // RATE_ONE - tier.deduction)
    return most


@rare
def worth(book: Record, account: Record, ticks: int) -> int:
    """Unrealised profit of the position at a price."""
    return value_of(account, ticks, book.position.steps, book.unit) - book.position.cost


@rare
def need(book: Record, account: Record, ticks: int) -> int:
    """Maintenance margin of the position at a price."""
    return maintenance(book, value_of(account, ticks, abs(book.position.steps), book.unit))


@rare
def guard(book: Record, account: Record) -> None:
    """Recompute margin, liquidation trigger and bankruptcy price of the position, as of now."""
    held = book.position.steps
    cost = abs(book.position.cost)
    book.margin = _up(cost, book.leverage)
    book.liquidation = 0
    book.bankruptcy = 0
    if held == 0:
        return
    margin = book.margin
    theirs = 0
    if book.margin_mode == CROSS:
        margin = account.wallet + book.others_worth
        theirs = book.others_need
        if book.twin_steps != 0:
            _guard_hedged(book, account, margin, theirs)
            return
    money_per_tick = abs(held) * book.unit
    side = 1 if held > 0 else -1
    broke = (cost - margin) // money_per_tick if side > 0 else _up(cost + margin, money_per_tick)
    book.bankruptcy = max(broke, 0)
    for i in range(book.tier_count):
        tier = book.tiers[i]
        amount = cost - side * (margin - theirs + tier.deduction)
        share = RATE_ONE - side * tier.maintenance_e8
        if side > 0 and amount > 0:
            q = amount // share
            rest = (amount - q * share) * RATE_ONE
            book.liquidation = max(book.liquidation, _up(q * RATE_ONE + _up(rest, share), money_per_tick))
        elif side < 0:
            q = amount // share
            rest = (amount - q * share) * RATE_ONE
            trigger = max((q * RATE_ONE + rest // share) // money_per_tick, 1)
            if book.liquidation == 0 or trigger < book.liquidation:
                book.liquidation = trigger


@step
def _falls(book: Record, account: Record, margin: int, theirs: int, ticks: int) -> bool:
    """Whether the account is at or below maintenance with both legs of this symbol at one price."""
    value = value_of(account, ticks, book.position.steps + book.twin_steps, book.unit)
    mine = value_of(account, ticks, abs(book.position.steps), book.unit)
    twin = value_of(account, ticks, abs(book.twin_steps), book.unit)
    left = margin + value - book.position.cost - book.twin_cost
    return left <= theirs + maintenance(book, mine) + maintenance(book, twin)


@rare
def _guard_hedged(book: Record, account: Record, margin: int, theirs: int) -> None:
    """Both legs move with one price: search from the market's price to the side that hurts this leg. What is left
    less maintenance is concave in the price, so there is one crossing at most."""
    side = 1 if book.position.steps > 0 else -1
    net = book.position.steps + book.twin_steps
    cost = book.position.cost + book.twin_cost
    if net * side > 0:
        money_per_tick = abs(net) * book.unit
        broke = (cost - margin) // money_per_tick if side > 0 else _up(margin - cost, money_per_tick)
        book.bankruptcy = max(broke, 0)
    at = book.at
    if at == 0:
        return
    if _falls(book, account, margin, theirs, at):
        book.liquidation = at
        return
    safe = at
    far = 1 if side > 0 else 8 * at
    if not _falls(book, account, margin, theirs, far):
        return
    while abs(far - safe) > 1:
        middle = (far + safe) // 2
        if _falls(book, account, margin, theirs, middle):
            far = middle
        else:
            safe = middle
    book.liquidation = far


@rare
def weigh(
    book: Record, account: Record, at: int, worth_of_others: int, need_of_others: int, twin: int, twin_cost: int
) -> None:
    """Cross, before each phase: the market's price, what the account's other symbols are worth and need, and the
    position of the other leg; then `guard`."""
    book.at = at
    book.others_worth = worth_of_others
    book.others_need = need_of_others
    book.twin_steps = twin
    book.twin_cost = twin_cost
    guard(book, account)
    watch(book)


@kernel
def weigh_book(
    books: State, accounts: State, price: float, worth_of_others: int, need_of_others: int, twin: int, cost: int
) -> None:
    """`weigh` at a float price."""
    book = books[0]
    weigh(book, accounts[0], to_ticks(book, price), worth_of_others, need_of_others, twin, cost)


@kernel
def worth_and_need(books: State, accounts: State, price: float) -> tuple[int, int]:
    """`worth` and `need` at a float price."""
    ticks = to_ticks(books[0], price)
    return worth(books[0], accounts[0], ticks), need(books[0], accounts[0], ticks)
