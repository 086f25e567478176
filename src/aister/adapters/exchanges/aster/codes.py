"""What the venue's codes mean (aster-api 4, 10, 12): the kind of outcome, and one sentence that names the remedy.

Whether an order may exist after a reply is decided here and nowhere else. A code that is not listed is a plain no.
"""

from enum import StrEnum

import msgspec

__all__ = ["CODES", "Kind", "Meaning", "meaning", "shown"]


class Kind(StrEnum):
    REFUSED = "refused"
    """No. Nothing happened."""
    UNKNOWN = "unknown"
    """The venue itself does not know; it may have happened or may still."""
    RATE = "rate"
    """Not looked at: too many requests."""
    DONE = "done"
    """It was so already."""
    ABSENT = "absent"
    """No such order (now)."""
    CLOCK = "clock"
    """Refused for its time; the offset is measured anew."""
    KEY = "key"
    """The key itself is not accepted (ended, revoked, another address): nothing signed will be, until that changes."""
    STALE = "stale"
    """Refused because the contract is not what it was when it was read: it is read again."""


class Meaning(msgspec.Struct, frozen=True):
    kind: Kind
    sentence: str


_R, _U, _RATE, _D, _A, _C, _K, _S = Kind

CODES: dict[int, Meaning] = {
    code: Meaning(kind, sentence)
    for code, kind, sentence in (
        (-1000, _U, "The venue failed inside; whether the request was carried out must be queried."),
        (-1001, _U, "The venue lost its inner connection; whether the request was carried out must be queried."),
        (-1006, _U, "The venue's answer was not what it expects itself; the order's state must be queried."),
        (-1007, _U, "The venue timed out inside; whether the order exists must be queried."),
        (-1002, _K, "The key is not authorised for this; give the agent permission for perpetuals and trading."),
        (-2014, _K, "The API key is malformed; enter the key once more as the venue shows it."),
        (-2015, _K, "The key, this machine's address or the permission is not accepted; renew the agent, add this "
                    "address to its white-list, or give it the right to trade perpetuals."),
        (-1022, _K, "The signature is not the account's; check that the agent's key belongs to this account and net."),
        (-4087, _R, "The account may only reduce positions now; close, or ask the venue why entries are barred."),
        (-4088, _R, "The account may not place orders; see the venue's notice to the account."),
        (-1003, _RATE, "Too many requests from this address; waiting."),
        (-1015, _RATE, "Too many orders in a minute; waiting."),
        (-1021, _C, "This machine's clock is wrong; synchronise it (systemctl restart systemd-timesyncd)."),
        (-4225, _C, "The nonce was used or is too old; if this repeats, synchronise this machine's clock."),
        (-4046, _D, "The margin type is already that."),
        (-4059, _D, "The position mode is already that."),
        (-2013, _A, "The venue knows no such order."),
        (-2011, _A, "There is no such open order to cancel."),
        (-1111, _S, "The price or quantity has more decimals than the contract takes; its filters are read again."),
        (-4014, _S, "The price is not on the contract's tick; its filters are read again."),
        (-4023, _S, "The quantity is not on the contract's step; its filters are read again."),
        (-4164, _S, "The order is smaller than the least notional of the contract; enter more of it."),
        (-1121, _S, "The venue knows no such symbol; it was delisted or renamed: choose another."),
        (-4140, _S, "The contract is not trading (delisted or halted); close what is open and choose another."),
        (-4141, _S, "The contract is closed; it was delisted: choose another."),
        (-1102, _R, "A parameter is missing; report this as a fault of the program."),
        (-1103, _R, "A parameter is unknown to the venue; report this as a fault of the program."),
        (-1104, _R, "The venue read more parameters than it knows; report this as a fault of the program."),
        (-1105, _R, "A parameter is empty; report this as a fault of the program."),
        (-1106, _R, "A parameter is not allowed here; report this as a fault of the program."),
        (-1125, _R, "The listen key ended; a new one is taken."),
        (-2010, _R, "The venue rejects the order."),
        (-2018, _R, "The balance does not suffice; add funds or reduce the size."),
        (-2019, _R, "The margin does not suffice; add funds, reduce the size or close something."),
        (-2020, _R, "The order cannot be filled; the book is empty or too thin."),
        (-2021, _R, "The stop would trigger at once; the price is already beyond it."),
        (-2022, _R, "The order would not reduce a position; there is none on this side any more."),
        (-2023, _R, "The account is being liquidated; nothing can be placed until that ends."),
        (-2024, _R, "The position does not suffice for this order."),
        (-2025, _R, "There are too many open orders of this contract; cancel some."),
        (-4045, _R, "There are too many resting stops of this contract; cancel some."),
        (-2027, _R, "The position would be larger than the leverage allows; reduce the size or the leverage."),
        (-2028, _R, "The leverage is too small for the margin; raise it or reduce the position."),
        (-2030, _R, "The leverage cannot be changed while a position is open; close it first."),
        (-4028, _R, "The contract does not offer this leverage; choose one its brackets allow."),
        (-4161, _R, "Leverage of an isolated position cannot be reduced while it is open; close it first."),
        (-4003, _R, "The quantity must be above zero."),
        (-4004, _R, "The quantity is below the contract's least; enter more."),
        (-4005, _R, "The quantity is above the contract's most; split the order."),
        (-4002, _R, "The price is above the contract's bounds."),
        (-4013, _R, "The price is below the contract's bounds."),
        (-4006, _R, "The stop price is below the contract's bounds."),
        (-4007, _R, "The stop price is above the contract's bounds."),
        (-4016, _R, "The buy price is above the band over mark; choose one nearer to it."),
        (-4024, _R, "The sell price is below the band under mark; choose one nearer to it."),
        (-4183, _R, "The stop order's limit price is above the band over its trigger; choose one nearer to it."),
        (-4184, _R, "The stop order's limit price is below the band under its trigger; choose one nearer to it."),
        (-4131, _R, "The best price of the other side is outside the venue's bound; the book is too thin now."),
        (-4015, _R, "The client order id is in use by an open order."),
        (-2007, _R, "The callback of a trailing stop must be from 0.1 to 5 percent in steps of 0.1."),
        (-4047, _R, "The margin type cannot be changed while orders are open; cancel them first."),
        (-4048, _R, "The margin type cannot be changed while a position is open; close it first."),
        (-4168, _R, "Isolated margin is not possible in multi-assets mode; switch multi-assets mode off."),
        (-4067, _R, "The position mode cannot be changed while orders are open; cancel them first."),
        (-4068, _R, "The position mode cannot be changed while a position is open; close it first."),
        (-4061, _R, "The account is in the other position mode; set it to one-way on the venue's settings page."),
        (-4062, _R, "Reduce-only is not taken in this position mode; set the account to one-way."),
        (-4118, _R, "Reduce-only is refused with what else is open; cancel the other reducing orders."),
        (-4137, _R, "A stop that closes the position carries no quantity; report this as a fault of the program."),
        (-4138, _R, "A stop that closes the position is not reduce-only; report this as a fault of the program."),
        (-4130, _R, "A stop that closes the position rests already; trail with a second one by quantity."),
        (-4142, _R, "The stop would trigger at once; the price is already beyond it."),
        (-5022, _R, "A post-only order would have taken; it was not placed."),
    )
}  # fmt: skip


def shown(text: str) -> str:
    """A venue's text as it may be shown: printable ASCII, at most 120 characters."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:120])


def meaning(code: int, message: str = "") -> Meaning:
    """Of a negative code; one that is not listed is a no, told in the venue's own words."""
    known = CODES.get(code)
    if known is not None:
        return known
    return Meaning(Kind.REFUSED, f"The venue says no: {shown(message) or 'without a reason'}.")
