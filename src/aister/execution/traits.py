"""What a venue lets an order path do, as values: how an entry is protected, and what a target is there."""

from typing import Literal

import msgspec

__all__ = ["VenueTraits"]


class VenueTraits(msgspec.Struct, frozen=True):
    """`protection` "after": the stop goes out with the first fill, which leaves the time from fill to stop unprotected.
    "before": the stop rests before the entry is sent (closePosition while flat), so that nothing is ever held without
    one, whatever dies; where the venue refuses that, entries of the symbol go out the first way from then on.
    "attached": entry and stop leave as one order (OTO), of which the venue itself places the stop with the first fill.
    Which of them a venue takes is found out by trying: `aister keys check NAME --probe` (C6).

    `targets` "trigger": reduce-only take-profit market orders. "limit": reduce-only limits, which earn the maker's fee.
    """

    protection: Literal["after", "before", "attached"] = "after"
    targets: Literal["trigger", "limit"] = "trigger"
