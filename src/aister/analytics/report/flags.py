"""What the marks on a data set mean for the figures: results carry short flags, people read these sentences.

A sentence is `what is so: what it means`; where there is room for a line only, the part before the colon serves.
"""

from collections.abc import Callable

__all__ = ["flag_in_short", "flag_in_words"]


def flag_in_words(flag: str) -> str:
    """The sentence for a flag of a feed or a result; one that is not known here comes back as it is."""
    kind, _, of = flag.partition(": ")
    known = _KNOWN.get(flag) or _KINDS.get(kind)
    return known(of) if known is not None else flag


def flag_in_short(flag: str) -> str:
    """What is so, without what it means."""
    return flag_in_words(flag).partition(":")[0] if flag.partition(": ")[0] in _KINDS else flag


def _proxy(venue: str) -> str:
    return (
        f"prices recorded at {venue}: another venue's wicks, volume and spread differ, and with them the stops "
        "that are hit and the sizes that fill; try a result there before trusting its last few basis points"
    )


def _spot(_: str) -> str:
    return (
        "spot prices in place of the perpetual's: the contract trades at a premium or discount to them and has wicks "
        "of its own, so stops, liquidations and funding do not belong to these prices"
    )


def _funding_proxy(venue: str) -> str:
    return f"funding rates recorded at {venue}: another venue settles other rates, so the funding paid is an estimate"


def _funding(_: str) -> str:
    return (
        "funding partly or wholly assumed: settlements that the data lack count as 0.01 % per 8 hours, paid by the "
        "position, long or short; the funding in this result is a scenario, not a record"
    )


def _instruments(_: str) -> str:
    return (
        "contract terms assumed: fees, smallest sizes, leverage and liquidation levels are typical ones, not read from "
        "the venue; check them there before trading"
    )


def _gaps(of: str) -> str:
    symbol, _, missing = of.rpartition(" ")
    return (
        f"{missing} {'bar' if missing == '1' else 'bars'} of {symbol} missing: nothing fills there, and what was due "
        "fills at the next bar's open with a stop's slippage; trades across a gap are less sure than the others"
    )


def _source(_: str) -> str:
    return (
        "origin of the files not stated: nothing says which venue these prices are from; `aister data import --source` "
        "writes it down"
    )


def _prices(how: str) -> str:
    return f"prices made up by {how}: no market traded them"


def _unable(counts: str) -> str:
    return f"answers that could not act: {counts}; it entered while a position was open, or left one that was not there"


_KNOWN: dict[str, Callable[[str], str]] = {"proxy: spot": _spot}
_KINDS: dict[str, Callable[[str], str]] = {
    "proxy": _proxy,
    "funding proxy": _funding_proxy,
    "funding": _funding,
    "instruments": _instruments,
    "gaps": _gaps,
    "source": _source,
    "prices": _prices,
    "answers that could not act": _unable,
}
