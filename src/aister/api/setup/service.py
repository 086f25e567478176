"""The set-up token (B2): whoever started the server, and nobody else, becomes its owner; once.

There are no accounts yet: what the token is exchanged for is a bearer token that ends with the process, at the latest
after twelve hours. Of both only the SHA-256 is kept.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable

from aister.api.frame.access import Caller
from aister.api.frame.problems import Refusal
from aister.core.people import Role

__all__ = ["CLAIM_S", "SIGNED_IN_S", "Setup", "new_token"]

CLAIM_S = 3_600
SIGNED_IN_S = 12 * 3_600
_BYTES = 32
_WRONG = "This set-up token is wrong, used or over; start `aister serve` again for a new one."


def new_token() -> str:
    """A token of 256 random bits, as text for a terminal or a header."""
    return secrets.token_urlsafe(_BYTES)


class Setup:
    """`token` is the one that was shown; `monotonic` counts seconds that never go back, so that no clock makes a token
    good again (D5)."""

    def __init__(self, token: str, monotonic: Callable[[], float]) -> None:
        self._digest: bytes | None = _digest(token)
        self._now = monotonic
        self._until = monotonic() + CLAIM_S
        self._owner: tuple[bytes, float] | None = None
        self._one = threading.Lock()

    def claim(self, token: str) -> str:
        """The owner's bearer token, for the set-up token, once. Raises `Refusal` (403) for any other and afterwards."""
        given = _digest(token)
        with self._one:
            good = self._digest is not None and hmac.compare_digest(self._digest, given) and self._now() < self._until
            if not good:
                raise Refusal(403, _WRONG)
            self._digest = None
            bearer = new_token()
            self._owner = (_digest(bearer), self._now() + SIGNED_IN_S)
        return bearer

    def identify(self, bearer: str) -> Caller | None:
        """The owner, while the bearer token lasts."""
        if self._owner is None:
            return None
        digest, until = self._owner
        if not hmac.compare_digest(digest, _digest(bearer)) or self._now() >= until:
            return None
        return Caller("owner", Role.OWNER)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
