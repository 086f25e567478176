"""Double entry on its own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.errors import MoneyOverflow
from aister.portfolio import Account, Entry, Ledger

OTHERS = [account for account in Account if account is not Account.WALLET]


@given(flows=st.lists(st.tuples(st.sampled_from(OTHERS), st.integers(-(10**15), 10**15)), max_size=50))
@settings(max_examples=100)
def test_balances_sum_to_zero_and_entries_rebuild_them(flows: list[tuple[Account, int]]) -> None:
    ledger = Ledger(keep=True)
    for i, (against, amount) in enumerate(flows):
        ledger.post(Entry(i, "BTCUSDT", against, amount))
        assert sum(ledger.balances().values()) == 0
    again = Ledger()
    for entry in ledger.entries:
        again.post(entry)
    assert again.balances() == ledger.balances()
    assert again.entries == ()
    assert ledger.balances()[Account.WALLET] == sum(amount for _, amount in flows)


def test_overflow_books_nothing() -> None:
    ledger = Ledger()
    ledger.post(Entry(1, "", Account.TRANSFERS, 2**62))
    before = ledger.balances()
    with pytest.raises(MoneyOverflow):
        ledger.post(Entry(2, "", Account.TRANSFERS, 2**62))
    with pytest.raises(MoneyOverflow):
        ledger.post(Entry(2, "", Account.REALISED, 2**62))
    assert ledger.balances() == before
