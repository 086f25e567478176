"""What one signer process may sign. Given once, at its start; no request changes it."""

from collections.abc import Mapping

import msgspec

__all__ = ["READ", "REDUCE", "TRADE", "UNARMED", "Charter", "Limits", "covers"]

READ, REDUCE, TRADE = "read", "reduce", "trade"
_REACH = {READ: 0, REDUCE: 1, TRADE: 2}


def covers(given: str, wanted: str) -> bool:
    """Whether a right includes another: trade > reduce > read. Unknown words include nothing and are in nothing."""
    return _REACH.get(given, -1) >= _REACH.get(wanted, len(_REACH))


class Limits(msgspec.Struct, frozen=True):
    """Fixed at arming, independent of equity, profile and agents (C12). They bind what opens or increases; nothing
    here holds a reduction back (Q5).

    order_notional: most one order may be worth, money units; orders_per_s, orders_per_day (UTC day): how many;
    leverage: the highest that may be set; marks: the symbols that may be traded, each with its mark price at arming
    (1e-8 quote units, 0 = unknown).
    """

    order_notional: int
    orders_per_s: int
    orders_per_day: int
    leverage: int
    marks: Mapping[str, int]


UNARMED = Limits(0, 0, 0, 0, {})
"""Reads and reductions only."""


class Charter(msgspec.Struct, frozen=True):
    """The terms of one signer: whose key (`name`, `scheme`, `account`, `net`, `expires_ms` as in `Credential`), on
    which chain, with which highest right ("trade", or "reduce" for a watcher's own signer), under which limits.

    window_us: how far a nonce may be from the venue's time (aster-api, corrections: 60 s); block_us: how far ahead of
    its use a nonce is written down; hedged: whether orders may name a leg (LONG, SHORT); attached: whether an entry may
    carry its stop as one order (OTO), only where the venue's traits say that it trades so.
    """

    name: str
    scheme: str
    account: str
    net: str
    chain_id: int
    right: str = TRADE
    limits: Limits = UNARMED
    expires_ms: int = 0
    window_us: int = 60_000_000
    block_us: int = 1_000_000
    hedged: bool = False
    attached: bool = False
