"""Money that was moved changes units; what was earned or charged beside the trades is gain or loss, and a fee."""

from aister.core.commands import Transfer
from aister.core.events import MoneyBooked
from aister.core.money import UNIT
from aister.portfolio.ledger import Account
from aister.portfolio.portfolio import Portfolio


def booked(amount: int, *, moved: bool) -> MoneyBooked:
    return MoneyBooked(7, "", "TRANSFER" if moved else "COMMISSION_REBATE", amount, moved, 5)


def test_what_was_moved_is_a_transfer_like_any_other() -> None:
    said, told = Portfolio("ann", 1_000 * UNIT), Portfolio("ann", 1_000 * UNIT)
    for amount in (500 * UNIT, -300 * UNIT):
        said.apply(Transfer("ann", amount), 7)
        told.apply(booked(amount, moved=True), 7)
    assert (told.wallet, told.nav_per_unit) == (1_200 * UNIT, 1.0)
    assert told.account() == said.account() and told.ledger.balances() == said.ledger.balances()


def test_a_rebate_is_a_gain_and_less_of_fees_never_funding() -> None:
    one = Portfolio("ann", 1_000 * UNIT)
    one.apply(booked(10 * UNIT, moved=False))
    one.apply(booked(-4 * UNIT, moved=False))
    account = one.account()
    assert (one.wallet, account["fees"], account["funding"], account["transfers"]) == (
        1_006 * UNIT,
        -6 * UNIT,
        0,
        1_000 * UNIT,
    )
    assert one.nav_per_unit == 1.006
    balances = one.ledger.balances()
    assert sum(balances.values()) == 0 and balances[Account.WALLET] == one.wallet
