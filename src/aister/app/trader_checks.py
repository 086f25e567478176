"""What must be so before a new run may trade an account, told in one sentence each; and the account's settings made
what the run was asked for."""

from collections.abc import Mapping
from pathlib import Path

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.app.trader_seat import why
from aister.app.watcher import watching
from aister.core.commands import Transfer
from aister.core.errors import DataError, UsageError
from aister.core.instrument import Instrument
from aister.core.money import UNIT, money_text
from aister.ports.exchange import Money, Refused, VenuePosition

__all__ = ["arm", "check_account", "check_watched", "transfer_of"]

_CENT = 1_000_000


async def check_account(account: AsterAccount, expires_ms: int, leverage: int) -> int:
    """The wallet, when nothing stands in the way of a new run. Raises `UsageError` with every reason why it may not
    start, `DataError` when the venue cannot be asked."""
    told = await hindrances(account, expires_ms)
    if not isinstance(told, tuple):
        raise DataError(f"The account cannot be read: {why(told)}")
    if told:
        raise UsageError(" ".join(one.reason for one in told))
    rows, funds = await account.positions(), await account.money()
    if not isinstance(rows, tuple):
        raise DataError(f"The account's positions cannot be read: {why(rows)}")
    if not isinstance(funds, Money):
        raise DataError(f"The account's balance cannot be read: {why(funds)}")
    instruments = account.contracts.instruments
    for row in rows:
        if row.steps and row.symbol in instruments:
            raise UsageError(_held(row, instruments[row.symbol]))
    _check_margin(funds, instruments, {row.symbol: row.mark_ticks for row in rows}, leverage)
    return funds.wallet


def check_watched(home: Path, key: str, symbols: tuple[str, ...]) -> None:
    """Raises `UsageError` when the watcher of an earlier run still looks after something these symbols leave out: the
    next run's watcher takes its place and would not."""
    told = watching(home, key)
    left = sorted(set(told.held) - set(symbols)) if told is not None else []
    if left:
        raise UsageError(
            f"The watcher of an earlier run looks after {', '.join(left)}, which this run would leave unwatched; go on "
            "with the run that opened it, or close it on the exchange's page first."
        )


def _held(row: VenuePosition, one: Instrument) -> str:
    side = "long" if row.steps > 0 else "short"
    return (
        f"The account holds {row.symbol} {side} {one.size_text(abs(row.steps))}, which is in no book of this run; go "
        "on with the run that opened it, close it on the exchange's page, or trade another account."
    )


def _check_margin(funds: Money, instruments: Mapping[str, Instrument], marks: Mapping[str, int], leverage: int) -> None:
    """Whether the smallest order of any symbol could be paid."""
    least = min((_least(one, marks.get(symbol, 0)) for symbol, one in instruments.items()), default=0) // leverage
    if funds.available < max(least, UNIT):
        raise UsageError(
            f"The margin does not suffice: {money_text(funds.available, 2)} USDT are available and the smallest order "
            f"at {leverage} x takes {money_text(max(least, UNIT), 2)}; add funds or close something."
        )


def _least(one: Instrument, mark_ticks: int) -> int:
    return max(one.min_notional, one.min_steps * mark_ticks * one.unit)


def transfer_of(by: str, amount: int, ours: int, theirs: int) -> Transfer | str:
    """The transfer of which a person says that it explains why the wallet (`theirs`) is not what the ledger says, or
    why it is not booked: what does not explain the difference, to a cent, is not believed, and so none is booked
    twice."""
    if abs(theirs - ours - amount) <= _CENT:
        return Transfer(by, amount)
    return (
        f"The transfer of {money_text(amount, 2)} was not booked: the wallet differs from the ledger by "
        f"{money_text(theirs - ours, 2)}."
    )


async def arm(account: AsterAccount, symbols: tuple[str, ...], leverage: int, isolated: bool) -> None:
    """Leverage and margin type of every symbol as the run was asked for. Raises `UsageError` with the venue's reason
    when it says no."""
    for symbol in symbols:
        for told in (await account.set_isolated(symbol, isolated), await account.set_leverage(symbol, leverage)):
            if isinstance(told, Refused):
                raise UsageError(f"{symbol}: {told.reason}")
            if not isinstance(told, bool):
                raise DataError(f"{symbol}: leverage and margin type cannot be set: {why(told)}")
