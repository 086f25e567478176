"""Signatures of AsterDex. Pure: a key and parameters in, bytes out; only the process that holds keys calls this.

V3 (aster-api 3.2), an agent's key: EIP-712 over the one string that is sent,

    digest = keccak(0x1901 || domain || keccak(keccak("Message(string msg)") || keccak(msg)))
    domain = keccak(keccak(EIP712Domain type) || keccak("AsterSignTransaction") || keccak("1") || chain id || 0)

signed recoverably on secp256k1, 65 bytes r || s || v with v 27 or 28. The domain is hashed once per key.
V1 (aster-api 3.1), an API key: HMAC-SHA256 over query followed by body, for old keys on testnet and the simulator.
"""

import hmac
from collections.abc import Iterable

from coincurve import PrivateKey
from Crypto.Hash import keccak

from aister.adapters.exchanges.aster.encode import form
from aister.core.errors import CredentialError
from aister.ports.signer import Signed

__all__ = [
    "Agent",
    "ApiKey",
    "address_of",
    "checksummed",
    "domain_separator",
    "hmac_signature",
    "keccak256",
    "message_digest",
    "sign_digest",
]

FORM_TYPE = ("Content-Type", "application/x-www-form-urlencoded")
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (the padding before SHA-3 was standardised)."""
    return keccak.new(data=data, digest_bits=256).digest()


_DOMAIN_TYPE = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_MESSAGE_TYPE = keccak256(b"Message(string msg)")


def domain_separator(chain_id: int) -> bytes:
    """Of AsterDex's domain on a chain: 1666 mainnet, 714 testnet."""
    return keccak256(
        _DOMAIN_TYPE
        + keccak256(b"AsterSignTransaction")
        + keccak256(b"1")
        + chain_id.to_bytes(32, "big")
        + bytes(32)  # verifyingContract 0x0
    )


def message_digest(separator: bytes, message: bytes) -> bytes:
    """The 32 bytes that are signed for a message."""
    return keccak256(b"\x19\x01" + separator + keccak256(_MESSAGE_TYPE + keccak256(message)))


def sign_digest(key: PrivateKey, digest: bytes) -> bytes:
    """r || s || v, deterministic (RFC 6979), s in the lower half."""
    signature = key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes((27 + signature[64],))


def checksummed(address: bytes) -> str:
    """20 bytes as an address in mixed case (EIP-55)."""
    plain = address.hex()
    marks = keccak256(plain.encode("ascii")).hex()
    return "0x" + "".join(c.upper() if int(mark, 16) >= 8 else c for c, mark in zip(plain, marks, strict=False))


def address_of(key: bytes) -> str:
    """The address a private key signs as. Raises `CredentialError`, which never shows the key."""
    return checksummed(keccak256(_private(key).public_key.format(compressed=False)[1:])[12:])


def _private(key: bytes) -> PrivateKey:
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < _ORDER:
        raise CredentialError("A private key has 32 bytes, 64 hexadecimal digits; copy the agent's key once more.")
    return PrivateKey(key)


class Agent:
    """An agent's key, ready to sign for `user` (the main wallet's address) on one chain. Never shown, never pickled."""

    __slots__ = ("_key", "_separator", "address", "user")

    def __init__(self, key: bytes, user: str, chain_id: int) -> None:
        self._key = _private(key)
        self._separator = domain_separator(chain_id)
        self.address = address_of(key)
        self.user = user

    def sign(self, params: Iterable[tuple[str, str]], nonce_us: int) -> Signed:
        """The bytes to send for business parameters: with nonce (microseconds), user and signer among them in ASCII
        order, and the signature last."""
        message = form([*params, ("nonce", str(nonce_us)), ("signer", self.address), ("user", self.user)])
        signature = sign_digest(self._key, message_digest(self._separator, message))
        return Signed(message + b"&signature=0x" + signature.hex().encode("ascii"), (FORM_TYPE,), nonce_us)

    def __repr__(self) -> str:
        return f"Agent({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("A key is not pickled.")


def hmac_signature(secret: bytes, total: bytes) -> str:
    """Hex HMAC-SHA256 of query followed by body, without a separator between them."""
    return hmac.digest(secret, total, "sha256").hex()


class ApiKey:
    """An API key with its secret (V1). Never shown, never pickled."""

    __slots__ = ("_secret", "address", "window_ms")

    def __init__(self, key: str, secret: bytes, window_ms: int = 5000) -> None:
        self._secret = secret
        self.address = key
        self.window_ms = window_ms

    def sign(self, params: Iterable[tuple[str, str]], nonce_us: int) -> Signed:
        """The bytes to send: with timestamp (nonce in ms) and recvWindow, and the signature last."""
        stamped = [*params, ("recvWindow", str(self.window_ms)), ("timestamp", str(nonce_us // 1000))]
        total = form(stamped)
        payload = total + b"&signature=" + hmac_signature(self._secret, total).encode("ascii")
        return Signed(payload, (FORM_TYPE, ("X-MBX-APIKEY", self.address)), nonce_us)

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def __reduce__(self) -> str:
        raise TypeError("A key is not pickled.")
