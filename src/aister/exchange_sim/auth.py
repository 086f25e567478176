"""Whose request it is: V3 agent signatures and V1 HMAC, both over the bytes received (aster-api 3).

A signature is checked over everything before `&signature=` exactly as it arrived, never over a re-encoded dict
(aster-api 3.2, encoding trap)."""

import hashlib
import hmac
from bisect import insort
from collections.abc import Callable

import msgspec

from aister.exchange_sim.rules import Readings
from aister.exchange_sim.wire import Params, Refusal, Request

__all__ = ["Agent", "Credentials", "Nonces", "Verifier", "check_hmac", "check_v3", "recovered_by_eth_account"]

Verifier = Callable[[bytes, int, bytes], str]
"""(signed text, chain id, 65-byte signature) -> address that signed it, as a hex string. Raises `ValueError` for
bytes that are no signature."""


class Agent(msgspec.Struct):
    """An API wallet of a user: what it may do and how long (corrections: agents carry an expiry, permissions and an
    IP list)."""

    address: str
    expires_ms: int = 0
    revoked: bool = False
    addresses: tuple[str, ...] = ()


class Credentials(msgspec.Struct):
    """How an account is reached: its user (main wallet) address with agents, or an API key with its secret."""

    user: str = ""
    agents: dict[str, Agent] = {}
    api_key: str = ""
    secret: str = ""


class Nonces:
    """The nonces seen of one signer or user: the last `kept`, in order (aster-api 3.3). `voided`: named by a noop,
    so that they can never act."""

    __slots__ = ("kept", "seen", "voided")

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.seen: list[int] = []
        self.voided: set[int] = set()

    def take(self, nonce: int) -> None:
        """Accept a nonce once. Raises `Refusal` -4225."""
        if nonce in self.voided or nonce in self.seen:
            raise Refusal(-4225, "Nonce Expired: it was used before.")
        if len(self.seen) >= self.kept:
            if nonce < self.seen[0]:
                raise Refusal(-4225, "Nonce Expired: below the oldest kept.")
            self.seen.pop(0)
        insort(self.seen, nonce)


def recovered_by_eth_account(message: bytes, chain_id: int, signature: bytes) -> str:
    """The signer of an EIP-712 `Message(string msg)`, by eth-account (aster-api 3.2, step 4)."""
    from eth_account import Account  # noqa: PLC0415 - slow to load, and a campaign brings its own
    from eth_account.messages import encode_typed_data  # noqa: PLC0415

    signable = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "Message": [{"name": "msg", "type": "string"}],
            },
            "primaryType": "Message",
            "domain": {
                "name": "AsterSignTransaction",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": "0x0000000000000000000000000000000000000000",
            },
            "message": {"msg": message.decode("ascii")},
        }
    )
    try:
        return str(Account.recover_message(signable, signature=signature))
    except Exception as broken:
        raise ValueError("not a signature") from broken


def signed_part(request: Request) -> tuple[bytes, str]:
    """The bytes that were signed and the signature's text: of the query if it carries one, else of the body."""
    for raw in (request.query, request.body):
        before, found, after = raw.rpartition(b"&signature=")
        if found:
            return before, after.decode("ascii", "replace")
    raise Refusal(-1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")


def check_v3(
    request: Request, params: Params, chain_id: int, readings: Readings, verify: Verifier
) -> tuple[str, str, int]:
    """(user, signer, nonce) of a V3 request whose signature fits, addresses in lower case. Raises `Refusal`."""
    message, text = signed_part(request)
    nonce = params.whole("nonce")
    signer = params.need("signer").lower()
    user = (params.get("user", "") if readings.user_may_be_missing else params.need("user")).lower()
    try:
        found = verify(message, chain_id, bytes.fromhex(text.lower().removeprefix("0x")))
    except ValueError:
        raise Refusal(readings.bad_signature, status=readings.bad_signature_status) from None
    if found.lower() != signer:
        raise Refusal(readings.bad_signature, status=readings.bad_signature_status)
    return user, signer, nonce


def check_hmac(request: Request, params: Params, secret: str, now_ms: int) -> None:
    """A V1 request: HMAC-SHA256 over query followed directly by body, less the signature, and a fresh timestamp
    (aster-api 3.1). Raises `Refusal`."""
    query, body, text = request.query, request.body, params.need("signature")
    for name in (b"&signature=", b"signature="):
        if name in body:
            body = body[: body.rindex(name)]
            break
        if name in query:
            query = query[: query.rindex(name)]
            break
    wanted = hmac.new(secret.encode(), query + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, text.lower()):
        raise Refusal(-1022)
    sent, window = params.whole("timestamp"), min(params.whole("recvWindow", 5_000), 60_000)
    if sent >= now_ms + 1_000 or now_ms - sent > window:
        raise Refusal(-1021)
