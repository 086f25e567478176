"""From a key's name to its running signer: the one place where a vault, a net and the terms of arming meet."""

from pathlib import Path

from aister.adapters.exchanges.aster.hosts import Net, check_origin
from aister.adapters.signer.charter import TRADE, UNARMED, Charter, Limits
from aister.adapters.signer.process import SignerProcess
from aister.core.errors import CredentialError
from aister.ports.vault import Credential, Vault

__all__ = ["charter_of", "signer_of"]


def charter_of(
    credential: Credential,
    where: Net,
    *,
    right: str = TRADE,
    limits: Limits = UNARMED,
    hedged: bool = False,
    attached: bool = False,
) -> Charter:
    """The terms for a key at a net. Raises `CredentialError` when it belongs to another net or host (A5)."""
    check_origin(credential, where)
    return Charter(
        credential.name,
        credential.scheme,
        credential.account,
        credential.net,
        where.chain_id,
        right=right,
        limits=limits,
        expires_ms=credential.expires_ms,
        hedged=hedged,
        attached=attached,
    )


def signer_of(
    vault: Vault,
    name: str,
    where: Net,
    home: Path,
    *,
    epoch: int,
    right: str = TRADE,
    limits: Limits = UNARMED,
    hedged: bool = False,
    attached: bool = False,
    outlives_parent: bool = False,
) -> SignerProcess:
    """The signer of the key `name`, not started yet. The vault is asked again at every start, so that this process
    keeps no key; a key exchanged meanwhile is refused. Raises as the vault and `charter_of`."""
    charter = charter_of(vault.credential(name), where, right=right, limits=limits, hedged=hedged, attached=attached)

    def key() -> bytes:
        again = vault.credential(name)
        if (again.scheme, again.account, again.net) != (charter.scheme, charter.account, charter.net):
            raise CredentialError(f"The key {name} was exchanged while it was in use; start again to use the new one.")
        check_origin(again, where)
        return again.key

    return SignerProcess(charter, key, home, epoch=epoch, outlives_parent=outlives_parent)
