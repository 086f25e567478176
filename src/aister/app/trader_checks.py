"""What must be so before a new run may trade an account, told in one sentence each; and the account's settings made
what the run was asked for."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.app.trader_seat import why
from aister.app.watcher import watching
from aister.core.commands import Transfer
from aister.core.errors import AisterError, DataError, UsageError
from aister.core.instrument import Instrument
from aister.core.money import UNIT, money_text
from aister.execution.adoption import Policy, keepable
from aister.ports.exchange import Open, Refused, VenuePosition

__all__ = ["Found", "arm", "arm_flat", "check_account", "check_watched", "held_there", "read_contracts", "transfer_of"]

Found = Policy | Literal[""]
"""What a person has said becomes of a position that is in no book of the run; "": nothing."""

_CENT = 1_000_000
_RETRY_S = 2.0


async def check_account(account: AsterAccount, expires_ms: int, leverage: int, found: Found = "") -> Open:
    """The account's state, when nothing stands in the way of a new run. What it holds of these symbols is taken over
    only where somebody said so (`found`). Raises `UsageError` with every reason why it may not start, `DataError` when
    the venue cannot be asked."""
    told = await hindrances(account, expires_ms)
    if not isinstance(told, tuple):
        raise DataError(f"The account cannot be read: {why(told)}")
    if told:
        raise UsageError(" ".join(one.reason for one in told))
    open_ = await account.survey()
    if not isinstance(open_, Open):
        raise DataError(f"The account's positions and balance cannot be read: {why(open_)}")
    instruments = account.contracts.instruments
    held = held_there(open_, tuple(instruments))
    for row in held:
        if not found:
            raise UsageError(_held(row, instruments[row.symbol]))
        if found == "adopt" and not keepable(row, open_.orders):
            raise UsageError(_bare(row, instruments[row.symbol]))
    if not held:
        marks = {row.symbol: row.mark_ticks for row in open_.positions}
        _check_margin(open_.money.available, instruments, marks, leverage)
    return open_


async def read_contracts(account: AsterAccount, say: Callable[[str], object]) -> None:
    """Until they can be read: without them nothing the venue tells can be counted."""
    said = ""
    while not isinstance(told := await account.instruments(), dict):
        if why(told) != said:
            said = why(told)
            say(f"The account cannot be read: {said} It is tried again; stops at the exchange stay as they are.")
        await asyncio.sleep(_RETRY_S)


def held_there(open_: Open, symbols: tuple[str, ...]) -> tuple[VenuePosition, ...]:
    """What is held of these symbols."""
    return tuple(row for row in open_.positions if row.steps and row.symbol in symbols)


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
    return (
        f"The account holds {_what(row, one)}, which is in no book of this run; go on with the run that opened it, "
        "take it over with --found adopt, or close it on the exchange's page."
    )


def _bare(row: VenuePosition, one: Instrument) -> str:
    return (
        f"The account holds {_what(row, one)} and no stop there closes it whole, so that it cannot be adopted; place "
        "one on the exchange's page (stop market, close position), close it there, or close it with --found flatten."
    )


def _what(row: VenuePosition, one: Instrument) -> str:
    return f"{row.symbol} {'long' if row.steps > 0 else 'short'} {one.size_text(abs(row.steps))}"


def _check_margin(
    available: int, instruments: Mapping[str, Instrument], marks: Mapping[str, int], leverage: int
) -> None:
    """Whether the smallest order of any symbol could be paid."""
    least = min((_least(one, marks.get(symbol, 0)) for symbol, one in instruments.items()), default=0) // leverage
    if available < max(least, UNIT):
        raise UsageError(
            f"The margin does not suffice: {money_text(available, 2)} USDT are available and the smallest order "
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


async def arm(
    account: AsterAccount, symbols: tuple[str, ...], leverage: int, isolated: bool, held: tuple[VenuePosition, ...] = ()
) -> None:
    """Leverage and margin type of every symbol as the run was asked for; of what is held they stay, because they say
    where it would be liquidated. Raises `UsageError` with the venue's reason when it says no, or when something is held
    on other terms."""
    for row in held:
        if (row.leverage, row.isolated) != (leverage, isolated):
            margin = "isolated" if row.isolated else "cross"
            raise UsageError(
                f"{row.symbol} is held at {row.leverage} x, {margin}, and this run would trade it on other terms; give "
                f"--leverage {row.leverage} --margin {margin}, or close it."
            )
    for symbol in sorted(set(symbols) - {row.symbol for row in held}):
        for told in (await account.set_isolated(symbol, isolated), await account.set_leverage(symbol, leverage)):
            if isinstance(told, Refused):
                raise UsageError(f"{symbol}: {told.reason}")
            if not isinstance(told, bool):
                raise DataError(f"{symbol}: leverage and margin type cannot be set: {why(told)}")


async def arm_flat(
    account: AsterAccount,
    symbols: tuple[str, ...],
    leverage: int,
    isolated: bool,
    is_flat: Callable[[str], bool],
    say: Callable[[str], object],
) -> None:
    """The same for what was held at the beginning and is being closed, each once it is flat; until then its terms keep
    entries frozen. What the venue says against it is said, once, and tried again."""
    said = ""
    for symbol in symbols:
        while True:
            await asyncio.sleep(_RETRY_S)
            if not is_flat(symbol):
                continue
            try:
                await arm(account, (symbol,), leverage, isolated)
                break
            except AisterError as error:
                if said != str(error):
                    said = str(error)
                    say(f"{said} It is tried again; entries are frozen until then.")
