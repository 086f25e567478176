"""How the entries of a run are protected: as a trial with its key has shown the venue to allow, and the same way for as
long as the run lasts (C6)."""

import asyncio
from pathlib import Path

from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.adapters.exchanges.aster.finding import Finding, keep_finding, kept_finding
from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.exchanges.aster.probe import protection_of
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.store.installation import installation
from aister.app.simulator import event_loop
from aister.app.tape import read_protection
from aister.app.trader_seat import TRAITS, Seat, connected, seat, why
from aister.core.errors import DataError, UsageError
from aister.execution.courier import CourierRules
from aister.execution.traits import VenueTraits
from aister.ports.vault import Vault
from aister.risk.profile import profile

__all__ = ["IN_WORDS", "courier_rules", "traits_of", "try_protection"]

_ATTACHED = VenueTraits("attached", "limit")
_TRADER = "probe"
IN_WORDS = {
    "before": "a stop rests before an entry leaves",
    "attached": "entry and stop leave as one order",
    "after": "the stop follows the fill, and between the two nothing protects should this machine die",
}
"""What each way means."""


def traits_of(held: Seat, beginning: Path | None) -> VenueTraits:
    """Of a run that goes on, as it began (`beginning`; None: a new one). Of a new one, as its key's trial found;
    without a trial a stop that rests first, which goes over to one that follows where the venue refuses it."""
    kept = read_protection(beginning) if beginning is not None else None
    if kept is None:
        found = kept_finding(held.home, held.key, held.where.name, held.where.rest, held.account)
        kept = found.protection if found is not None else TRAITS.protection
    return VenueTraits(kept, TRAITS.targets)


def courier_rules(traits: VenueTraits) -> CourierRules:
    """Without a stop that rests, or one that leaves with it, an entry fills at once or not at all."""
    return CourierRules(unguarded="rest" if traits.protection == "attached" else "at_once")


def try_protection(home: Path, vault: Vault, key: str, where: Net, symbol: str, *, late_ms: int = 65_000) -> Finding:
    """Try on an account that holds nothing of this symbol how the venue lets entries be protected, and keep what was
    found beside the key. What got no answer is waited for, `late_ms` long at most. Raises `UsageError` for mainnet, for
    what stands in the way, and while a trader has the account; `DataError` when the venue cannot be asked."""
    if where.name == "mainnet":
        raise UsageError("Orders are not sent to mainnet, not even for a trial; try a key of testnet or a simulator.")

    async def tried() -> Finding:
        with seat(home, vault, key, where, _TRADER, (symbol,)) as held:
            async with connected(held, (symbol,), profile("balanced"), traits=_ATTACHED) as there:
                account = there.account
                assert isinstance(account, AttachingAccount)
                told = await hindrances(account, held.expires_ms)
                if not isinstance(told, tuple):
                    raise DataError(f"AsterDex {where.name} cannot be asked: {why(told)}")
                if told:
                    raise UsageError(" ".join(one.reason for one in told))
                found = await protection_of(account, symbol, installation(home), late_ms=late_ms)
                if isinstance(found, str):
                    raise UsageError(found)
                finding = Finding(where.name, where.rest, held.account, found.protection, symbol, account.now_ms())
        keep_finding(home, key, finding)
        return finding

    with asyncio.Runner(loop_factory=event_loop()) as runner:
        return runner.run(tried())
