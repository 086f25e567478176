"""Where secrets come from. A secret is never printed, logged, pickled or put in a child's environment."""

from typing import Protocol

import msgspec

__all__ = ["Credential", "Vault"]


class Credential(msgspec.Struct, frozen=True):
    """Keys of one exchange account. `scheme` "v3" (account = main wallet address, key = the agent's private key) or
    "v1" (account = API key, key = secret). Bound to `net` ("testnet" | "mainnet" | "simulator") and to `origin`, the
    host it may be sent to (A5). `expires_ms`: when the agent ends, 0 = unknown."""

    name: str
    scheme: str
    account: str
    net: str
    origin: str
    expires_ms: int
    key: bytes

    def __repr__(self) -> str:
        return f"Credential({self.name}, {self.scheme}, {self.net}, ...)"


class Vault(Protocol):
    """Raises `CredentialError` naming the remedy when there is none of that name or others could read it."""

    def credential(self, name: str) -> Credential: ...
