"""Is the journal as new as everybody else remembers it? The signer keeps its head, and every order at the exchange
carries the number of the record that asked for it (D1). Where it is not, a trader starts only when a person has
answered for it, and writes who and why into the journal."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.signer.client import SignerClient
from aister.adapters.store.emergency import GuardedJournal
from aister.adapters.store.journal import SqliteJournal
from aister.adapters.store.records import AuditReader
from aister.adapters.store.rollback import acceptance, done_with, note_remembered
from aister.app.trader_seat import Connected
from aister.core.audit import PlaceOrder
from aister.core.commands import AcceptRollback
from aister.core.errors import AisterError, JournalError
from aister.core.events import CommandGiven
from aister.engine.runner import Run
from aister.execution.identity import instance_of, sequence_of

__all__ = ["accepted_rollback", "check_head", "check_orders", "newest_asked", "write_acceptance"]

_POWER = "power"
Chained: TypeAlias = SqliteJournal | GuardedJournal


def accepted_rollback(there: Connected, journal: Chained) -> AcceptRollback | None:
    """What a person has answered for about the journal as it stands."""
    given = acceptance(there.seat.home, journal.chain.chain_id, journal.sequence, journal.head)
    if given is None:
        return None
    return AcceptRollback(given.by, given.reason, given.sequence, given.remembered, given.wall_ms)


def check_head(there: Connected, journal: Chained, accepted: AcceptRollback | None) -> None:
    """Raises `JournalError` when the journal is older than the signer remembers it, unless that was accepted."""
    line: SignerClient = there.line
    chain_id = journal.chain.chain_id
    declined = line.keep_head(chain_id, journal.sequence, journal.head, accepted=accepted is not None)
    if declined is not None:
        kept = line.kept_head(chain_id)
        note_remembered(there.seat.home, chain_id, max(journal.sequence, kept[0] if kept else 0))
        raise JournalError(declined.reason)


async def check_orders(
    there: Connected,
    journal: Chained,
    instance: str,
    symbols: tuple[str, ...],
    since_ms: int,
    earlier: tuple[str, ...] = (),
) -> None:
    """Raises `JournalError` when the exchange tells of an order that a record asked for which is not there. What a
    power loss may take of the journal's end is not held against it: those orders are taken over or away. `earlier`:
    orders that records of another chain asked for, and that were there when this one began. An order that another chain
    of this home has a record of is that one's: a run of other settings may have gone further meanwhile."""
    if any(_POWER in note for note in journal.notes):
        return
    asked = await _asked(there.account, instance, symbols, since_ms, earlier)
    beyond = {client_id: sequence for sequence, client_id in asked if sequence >= journal.sequence}
    others = _of_others(there.seat.home, journal.chain.chain_id, beyond) if beyond else set()
    newest = max((sequence for client_id, sequence in beyond.items() if client_id not in others), default=-1)
    if newest >= journal.sequence:
        note_remembered(there.seat.home, journal.chain.chain_id, newest + 1)
        raise JournalError(
            f"The exchange holds an order that record {newest} of the journal asked for, and the journal ends at "
            f"{journal.sequence}: it was put back. Restore it, or accept the rollback with aister journal "
            "accept-rollback."
        )


async def newest_asked(
    account: AsterAccount, instance: str, symbols: tuple[str, ...], since_ms: int, earlier: tuple[str, ...] = ()
) -> int:
    """The newest record that the exchange knows an order of, -1 for none; symbols are read side by side."""
    return max((one for one, _ in await _asked(account, instance, symbols, since_ms, earlier)), default=-1)


async def _asked(
    account: AsterAccount, instance: str, symbols: tuple[str, ...], since_ms: int, earlier: tuple[str, ...]
) -> list[tuple[int, str]]:
    found = await asyncio.gather(*(_sequences(account, symbol, instance, since_ms, earlier) for symbol in symbols))
    return [one for asked in found for one in asked]


def _of_others(home: Path, chain_id: str, asked: Mapping[str, int]) -> set[str]:
    """Those of these orders (id and record) that the very records of other live chains asked for. A chain that cannot
    be read says nothing."""
    found: set[str] = set()
    parts = tuple(client_id.encode() for client_id in asked)
    with suppress(AisterError), AuditReader(home) as reader:
        for other in [one.chain_id for one in reader.summaries() if one.kind == "live" and one.chain_id != chain_id]:
            with suppress(JournalError):
                for entry in reader.entries(other, min(asked.values()), max(asked.values()), parts):
                    placed = [one.order.client_id for one in entry.audit.outputs if isinstance(one, PlaceOrder)]
                    found |= {one for one in placed if asked.get(one) == entry.sequence}
    return found


async def _sequences(
    account: AsterAccount, symbol: str, instance: str, since_ms: int, earlier: tuple[str, ...]
) -> list[tuple[int, str]]:
    """The records that asked for what rests and for what traded since; nothing where it cannot be read: the survey
    will tell."""
    orders, trades = await asyncio.gather(account.open_orders(symbol), account.executions(symbol, since_ms))
    ids = [one.client_id for one in orders if one.updated_ms >= since_ms] if isinstance(orders, tuple) else []
    ids += [one.client_id for one in trades] if isinstance(trades, tuple) else []
    found = [(sequence_of(one), one) for one in ids if instance_of(one) == instance and one not in earlier]
    return [(sequence, one) for sequence, one in found if sequence is not None]


def write_acceptance(there: Connected, journal: Chained, run: Run, accepted: AcceptRollback) -> None:
    """Who answered for the rollback and why: the first record that follows."""
    run.hear(CommandGiven(run.engine.time_ms, accepted))
    done_with(there.seat.home, journal.chain.chain_id)
