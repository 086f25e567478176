"""Revised bars: were signals made from corrections that came after them?

A venue sends a bar, and later corrects it. History holds the correction; whoever decided at the close had the first
version. Between one correction and the next the strategy is asked again about the bars as they were known then; what
was claimed of that stretch must be what it says.
"""

from collections.abc import Mapping, Sequence

import msgspec

from aister.core.errors import UsageError
from aister.lab.detectors.lookahead import differs
from aister.lab.detectors.verdict import Found, Says, Verdict, utc_text
from aister.lab.detectors.worlds import until
from aister.ports.market import Market
from aister.ports.signals import Signals

__all__ = ["Revised", "Revision", "detect_revised", "revised"]

NAME = "revised bar"


class Revision(msgspec.Struct, frozen=True):
    """From `known_ms` on, the bar of `symbol` that opened at `open_ms` reads open, high, low, close, volume."""

    symbol: str
    open_ms: int
    known_ms: int
    bar: tuple[float, float, float, float, float]


class Revised(Found, frozen=True, kw_only=True):
    """revisions: how many were judged; signals: how many were claimed; first: (symbol, time, what) of the earliest
    signal that knew a correction."""

    revisions: int
    signals: int
    first: tuple[str, int, str] | None


def detect_revised(
    claimed: Mapping[str, Signals], says: Says, first_seen: Market, revisions: Sequence[Revision]
) -> Revised:
    """claimed: signals as somebody says they were; says: the rules; first_seen: every bar as it was first sent. Raises
    `UsageError` for a revision of a bar that is not there, or one known before its bar had closed."""
    ordered = sorted(revisions, key=lambda one: one.known_ms)
    count = sum(len(one.setups) + len(one.exits) for one in claimed.values())
    known, offences, since_ms = first_seen, [], 0
    for one in (*ordered, None):
        end_ms = first_seen.span_ms[1] if one is None else one.known_ms - 1
        said = says(until(known, end_ms))
        for symbol, rows in claimed.items():
            found = differs(_since(rows, since_ms), _since(said.get(symbol, Signals.none()), since_ms), end_ms)
            if found is not None:
                offences.append((found[0], symbol, found[1]))
        if one is not None:
            known, since_ms = revised(known, one), one.known_ms
    if not ordered or not count:
        missing = "no corrections" if not ordered else "no signals"
        return Revised(
            detector=NAME,
            verdict=Verdict.UNKNOWN,
            sentence=f"there are {missing} to judge",
            revisions=len(ordered),
            signals=count,
            first=None,
        )
    if not offences:
        said_so = f"{count:,} signals are what the bars said as they then stood, {len(ordered):,} corrections"
        return Revised(
            detector=NAME,
            verdict=Verdict.CLEAN,
            sentence=said_so,
            revisions=len(ordered),
            signals=count,
            first=None,
        )
    time_ms, symbol, what = min(offences)
    return Revised(
        detector=NAME,
        verdict=Verdict.CAUGHT,
        sentence=f"the {what} of {symbol} at {utc_text(time_ms)} is not what the bars said then, but what they say now",
        revisions=len(ordered),
        signals=count,
        first=(symbol, time_ms, what),
    )


def _since(said: Signals, since_ms: int) -> Signals:
    return Signals(said.setups[said.setups["time_ms"] >= since_ms], said.exits[said.exits["time_ms"] >= since_ms])


def revised(market: Market, revision: Revision) -> Market:
    """The market with one bar corrected."""
    series = []
    for one in market.series:
        if one.symbol == revision.symbol:
            rows = (one.open_ms == revision.open_ms).nonzero()[0]
            if not len(rows) or revision.known_ms <= revision.open_ms + one.interval_ms:
                raise UsageError(
                    f"A correction of {one.symbol} at {revision.open_ms} names no bar, or came before its close."
                )
            columns = {name: getattr(one, name).copy() for name in ("open", "high", "low", "close", "volume")}
            for column, value in zip(columns.values(), revision.bar, strict=True):
                column[rows[0]] = value
            series.append(msgspec.structs.replace(one, **columns))
        else:
            series.append(one)
    return msgspec.structs.replace(market, series=tuple(series))
