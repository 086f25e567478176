"""Whether a key can trade: its signer is started, the venue is asked, nothing is changed there."""

import asyncio
from contextlib import closing
from pathlib import Path

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import Net, check_origin, net
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.adapters.signer.charter import READ, Charter
from aister.adapters.signer.process import SignerProcess
from aister.adapters.vault.keyring import Keyring
from aister.app.simulator import event_loop
from aister.core.errors import DataError
from aister.ports.exchange import Refused
from aister.ports.vault import Credential

__all__ = ["Connection", "check_connection", "venue_of"]

_NO_STREAM = "ws://127.0.0.1:9"


class Connection(msgspec.Struct, frozen=True):
    """What the venue said of a key: `hindrances` are sentences, none when nothing stands in the way; `protection`: how
    it lets entries be protected, where that was tried."""

    name: str
    net: str
    account: str
    signer: str
    hindrances: tuple[str, ...]
    protection: str = ""


def venue_of(credential: Credential) -> Net:
    """Where a key belongs, for calls without a stream. Raises `CredentialError` when there is no such place."""
    simulated = credential.net == "simulator"
    where = net(credential.net, credential.origin, _NO_STREAM) if simulated else net(credential.net, credential.origin)
    check_origin(credential, where)
    return where


def check_connection(home: Path, name: str, symbols: tuple[str, ...]) -> Connection:
    """Ask the venue of this key about clock, key, account modes and symbols. The signer it starts may only read.

    Raises `CredentialError` for a key that is not right, `DataError` when the venue cannot be asked.
    """
    vault = Keyring(home)
    credential = vault.credential(name)
    where = venue_of(credential)
    terms = (credential.name, credential.scheme, credential.account, credential.net, where.chain_id)
    process = SignerProcess(Charter(*terms, right=READ), lambda: vault.credential(name).key, home)
    try:
        signer = process.start()

        async def ask() -> tuple[str, ...]:
            wire = SocketWire(where)
            try:
                rest = Rest(wire, WallClock(), signer, scheme=credential.scheme)
                account = AsterAccount(rest, symbols, source=f"AsterDex {where.name}")
                told = await hindrances(account, credential.expires_ms)
            finally:
                await wire.close()
            if isinstance(told, tuple):
                return tuple(one.reason for one in told)
            why = told.reason if isinstance(told, Refused) else told.why
            raise DataError(f"AsterDex {where.name} cannot be asked: {why}")

        with closing(signer), asyncio.Runner(loop_factory=event_loop()) as runner:
            found = runner.run(ask())
        return Connection(name, where.name, credential.account, signer.address, found)
    finally:
        process.stop()
