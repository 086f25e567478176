"""The right to trade one account, and the connection that goes with it: key, lease, signer, client."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.amounts import rounded
from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.adapters.exchanges.aster.hosts import Net, check_origin
from aister.adapters.exchanges.aster.messages import PremiumIndex, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import address_of
from aister.adapters.exchanges.aster.sockets import FastClock, SocketWire, WallClock
from aister.adapters.signer.charter import Limits
from aister.adapters.signer.client import SignerClient
from aister.adapters.signer.fence import AccountFence
from aister.adapters.signer.leased import LeasedSigner
from aister.adapters.signer.opening import signer_of
from aister.adapters.signer.process import SignerProcess
from aister.adapters.signer.state import epoch_seen
from aister.adapters.store.lease import LeaseKeeper, SqliteLease
from aister.adapters.store.owners import SqliteOwners
from aister.adapters.store.presence import Presence
from aister.core.errors import CredentialError, DataError, UsageError
from aister.execution.traits import VenueTraits
from aister.ports.exchange import Answer, Refused
from aister.ports.vault import Vault
from aister.risk.profile import Limits as RiskLimits

__all__ = ["TRAITS", "Connected", "Seat", "connected", "marks_of", "seat", "why"]

_MARK = decoder(PremiumIndex)
_RETRY_S = 2.0


class Seat(msgspec.Struct, frozen=True):
    """This process trades this account until it ends or another takes over. `expires_ms`: when its key ends."""

    home: Path
    vault: Vault
    key: str
    where: Net
    account: str
    expires_ms: int
    keeper: LeaseKeeper
    epoch: int
    presence: Presence


TRAITS = VenueTraits(protection="before", targets="limit")
"""How entries are protected and targets rest at AsterDex unless a trial has found otherwise."""


class Connected(msgspec.Struct, frozen=True):
    """An account that can be asked and told. `signer` is the process that holds the key, `line` the way to it; orders
    leave it as `traits` say."""

    seat: Seat
    wire: SocketWire
    clock: WallClock | FastClock
    account: AsterAccount
    signer: SignerProcess
    line: SignerClient
    traits: VenueTraits = TRAITS


@contextmanager
def seat(home: Path, vault: Vault, key: str, where: Net, trader: str, symbols: tuple[str, ...] = ()) -> Iterator[Seat]:
    """Take the account's lease, own its symbols, and give both back at the end. Raises `CredentialError` for a key that
    may not trade there, `UsageError` when another trader holds the account or owns one of the symbols."""
    credential = vault.credential(key)
    check_origin(credential, where)
    if credential.scheme != "v3":
        raise CredentialError(f"The key {key} is an old API key (v1); orders are signed by an agent's key (v3) only.")
    name = f"{where.name} {credential.account.lower()}"
    presence = Presence(home, name)
    lease, owners = SqliteLease(home), SqliteOwners(home)
    try:
        fence = AccountFence(home / "signer", credential.net, credential.account)
        above = max(presence.epoch, fence.newest(), epoch_seen(home, address_of(credential.key)))
        held = lease.take(name, f"Trader {trader} (process {os.getpid()})", above=above, dead=presence.dead)
        if isinstance(held, str):
            raise UsageError(held)
        presence.keep(held.epoch)
        keeper = LeaseKeeper(lease, held)
        try:
            if owned := owners.claim(held, trader, symbols):
                raise UsageError(owned)
            yield Seat(home, vault, key, where, credential.account, credential.expires_ms, keeper, held.epoch, presence)
        finally:
            owners.release(held)
            keeper.release()
    finally:
        owners.close()
        lease.close()
        presence.close()


@asynccontextmanager
async def connected(
    held: Seat,
    symbols: tuple[str, ...],
    limits: RiskLimits,
    *,
    speed: float = 1.0,
    patient: bool = False,
    say: Callable[[str], object] = lambda sentence: None,
    traits: VenueTraits = TRAITS,
) -> AsyncIterator[Connected]:
    """The account of a seat, its signer running under the caps of these limits. `speed` is that of a simulator's clock;
    `patient`: a venue that does not answer is waited for. Raises `DataError` when it is not, and what the signer has
    against the key."""
    clock = WallClock() if speed == 1 else FastClock(speed)
    wire = SocketWire(held.where)
    try:
        plain = Rest(wire, clock)
        await _reach(plain, clock, held.where, patient, say)
        process = signer_of(
            held.vault,
            held.key,
            held.where,
            held.home,
            epoch=held.epoch,
            limits=_caps(limits, await marks_of(plain, symbols)),
            attached=traits.protection == "attached",
        )
        try:
            with closing(await asyncio.to_thread(process.start)) as line:
                signer = LeasedSigner(line, lambda: held.keeper.entries_until_s)
                rest = Rest(wire, clock, signer, governor=plain.governor, tells_time=speed == 1)
                account = _account(rest, symbols, f"AsterDex {held.where.name}", clock, traits)
                account.epoch = held.epoch
                yield Connected(held, wire, clock, account, process, line, traits)
        finally:
            process.stop()
    finally:
        await wire.close()


def _account(
    rest: Rest, symbols: tuple[str, ...], source: str, clock: WallClock | FastClock, traits: VenueTraits
) -> AsterAccount:
    if traits.protection != "attached":
        return AsterAccount(rest, symbols, source=source)
    attaching = AttachingAccount(rest, symbols, source=source)
    attaching.sleep = clock.sleep
    return attaching


async def _reach(
    rest: Rest, clock: WallClock | FastClock, where: Net, patient: bool, say: Callable[[str], object]
) -> None:
    """Until the venue tells its time, which a clock of a simulator's own speed then keeps."""
    said = ""
    while not isinstance(told := await rest.server_time(), int):
        sentence = f"AsterDex {where.name} cannot be reached: {why(told)}"
        if not patient:
            raise DataError(f"{sentence} Offline there is the packaged market data: aister run --feed sample.")
        if sentence != said:
            said = sentence
            say(f"{sentence} It is tried again until it answers.")
        await asyncio.sleep(_RETRY_S)
    if isinstance(clock, FastClock):
        clock.meet(told)


async def marks_of(rest: Rest, symbols: tuple[str, ...]) -> dict[str, int]:
    """Mark prices in 1e-8 as the signer's caps are reckoned with, asked for side by side; 0 = unknown."""
    return dict(zip(symbols, await asyncio.gather(*(_mark(rest, symbol) for symbol in symbols)), strict=True))


async def _mark(rest: Rest, symbol: str) -> int:
    told = await rest.public("premium_index", (("symbol", symbol),), _MARK)
    return rounded(told.markPrice) if isinstance(told, PremiumIndex) else 0


def _caps(limits: RiskLimits, marks: dict[str, int]) -> Limits:
    """What the signer holds entries to, whatever the trader says: the risk profile's own absolute bounds."""
    pace = limits.entries
    return Limits(limits.max_order_notional, pace.per_second, pace.per_day, limits.leverage, marks)


def why(answer: Answer) -> str:
    """An answer's reason."""
    return answer.reason if isinstance(answer, Refused) else answer.why
