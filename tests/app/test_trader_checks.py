"""What stands in the way of trading an account, each told in one sentence with its remedy: the real client and a real
signer before the exchange's sockets."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.vault.file import FileVault
from aister.app.trader_checks import arm, check_account, transfer_of
from aister.app.trader_seat import connected, seat
from aister.core.commands import Transfer
from aister.core.errors import AisterError, CredentialError, DataError, UsageError
from aister.core.money import UNIT
from aister.risk.profile import profile
from tests.adapters.signer.canary import leaks
from tests.app.served import NAME, SYMBOL, Served

MINUTE_MS = 60_000


@pytest.fixture
def served() -> Iterator[Served]:
    with TemporaryDirectory(prefix="aister-") as folder:
        made = Served(Path(folder))
        try:
            yield made
        finally:
            made.stop()


def checked(served: Served, symbols: tuple[str, ...] = (SYMBOL,)) -> int:
    """The wallet, or what is in the way."""

    async def asked() -> int:
        with seat(served.home, FileVault(served.home), NAME, served.where, "t1") as held:
            async with connected(held, symbols, profile("balanced")) as there:
                begun = await check_account(there.account, held.expires_ms, 3)
                await arm(there.account, symbols, 3, True)
                return begun.money.wallet

    return asyncio.run(asked())


def test_an_account_that_can_trade_is_armed_as_asked_for(served: Served) -> None:
    assert checked(served) == 10_000 * UNIT
    terms = served.books.terms[SYMBOL]
    assert (terms.leverage, terms.cross) == (3, False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda there: there.fault("position_mode"), "set it to one-way on the venue's settings page"),
        (lambda there: there.fault("multi_assets"), "Multi-assets mode is on; switch it off"),
        (lambda there: there.fault("agent_revoked"), "renew the agent"),
        (lambda there: there.fault("agent_expires"), "renew the agent"),
        (lambda there: there.fault("agent_blocked", text="10.0.0.1"), "add this address to its white-list"),
        (lambda there: there.fault("delist", symbol=SYMBOL), "is not trading (delisted or halted)"),
        (lambda there: there.fault("skew", ms=-45_000), "clock is wrong; synchronise it"),
        (lambda there: there.fault("transfer", value=-9_999 * UNIT), "The margin does not suffice: 1.00 USDT"),
        (lambda there: there.write_key(key=b"\x22" * 32), "renew the agent"),
    ],
    ids=["hedge", "multi", "revoked", "expired", "address", "delisted", "clock", "margin", "key"],
)
def test_what_is_in_the_way_is_one_sentence(served: Served, change: Callable[[Served], None], words: str) -> None:
    change(served)
    with pytest.raises(UsageError) as refused:
        checked(served)
    sentence = str(refused.value)
    assert words in sentence and "\n" not in sentence and not leaks(sentence)
    assert not served.sent()


def test_a_symbol_nobody_knows_is_named(served: Served) -> None:
    with pytest.raises(UsageError, match=r"NOPEUSDT: The venue knows no such symbol"):
        checked(served, (SYMBOL, "NOPEUSDT"))


def test_a_position_of_somebody_else_is_not_taken_over(served: Served) -> None:
    order = f"symbol={SYMBOL}&side=BUY&type=MARKET&quantity=0.010"
    served.fault("foreign_order", text=order)
    served.call(lambda: None)
    with pytest.raises(UsageError, match=r"holds BTCUSDT long 0.01.*--found adopt, or close it on the exchange's page"):
        checked(served)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda there: there.write_key(rest="http://127.0.0.1:9"), CredentialError, "enter a key made for that host"),
        (lambda there: (there.home / "keys" / f"{NAME}.toml").unlink(), CredentialError, "There is no key simulator"),
        (lambda there: (there.home / "keys" / f"{NAME}.toml").chmod(0o644), CredentialError, "chmod 600"),
    ],
    ids=["host", "none", "open"],
)
def test_a_key_that_may_not_be_used_never_reaches_the_exchange(
    served: Served, change: Callable[[Served], None], kind: type[AisterError], words: str
) -> None:
    change(served)
    with pytest.raises(kind, match=words):
        checked(served)
    assert not served.exchange.log


def test_an_exchange_that_is_not_there_is_said_and_the_sample_offered(served: Served) -> None:
    nowhere = net("simulator", "http://127.0.0.1:9", "ws://127.0.0.1:9")
    served.write_key(rest=nowhere.rest)
    served.where = nowhere
    with pytest.raises(DataError, match=r"cannot be reached.*aister run --feed sample"):
        checked(served)


def test_one_trader_per_account(served: Served) -> None:
    vault = FileVault(served.home)
    with (
        seat(served.home, vault, NAME, served.where, "t1") as first,
        pytest.raises(UsageError, match=r"Trader t1 .*trades this account.*one trader per account"),
        seat(served.home, vault, NAME, served.where, "t2"),
    ):
        pass
    with seat(served.home, vault, NAME, served.where, "t2") as second:
        assert second.epoch > first.epoch


def test_a_lost_lease_file_locks_nobody_out_of_the_account(served: Served) -> None:
    """The signer remembers the epochs it has seen; the next lease is above them."""
    assert [checked(served) for _ in range(3)]
    for file in served.home.glob("leases.sqlite*"):
        file.unlink()
    for file in (served.home / "locks").iterdir():
        file.unlink()
    assert checked(served) == 10_000 * UNIT
    with seat(served.home, FileVault(served.home), NAME, served.where, "t1") as held:
        assert held.epoch == 5


def test_a_transfer_is_booked_only_when_it_explains_the_difference() -> None:
    booked = transfer_of("ann", 500 * UNIT, 10_000 * UNIT, 10_500 * UNIT + 1_000_000)
    assert booked == Transfer("ann", 500 * UNIT)
    assert transfer_of("ann", -500 * UNIT, 10_500 * UNIT, 10_000 * UNIT) == Transfer("ann", -500 * UNIT)
    again = transfer_of("ann", 500 * UNIT, 10_500 * UNIT, 10_500 * UNIT)
    assert again == "The transfer of 500.00 was not booked: the wallet differs from the ledger by 0.00."
