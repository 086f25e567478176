"""What a sealed secret belongs to, and how its text begins."""

import msgspec

__all__ = ["SEALED", "Bond"]

SEALED = "sealed."


class Bond(msgspec.Struct, frozen=True):
    """Who owns it, what it is for and where it may be sent: nothing of it may change (A5)."""

    owner: str
    purpose: str
    origin: str
