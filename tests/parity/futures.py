"""Whole runs in worlds that share a past: what a trader decided by the cut must be the same in all of them.

Every run starts at the beginning of the recording. Sharing the prefix of one run would be quicker and blind: whoever
looked ahead through a side door (an array, a file, a closure) would have looked at the true future in that prefix.
"""

import json
from bisect import bisect_right
from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np

from aister.adapters.feeds.recorded import RecordedFeed
from aister.adapters.store.memory import MemoryJournal
from aister.analytics.hashes import Hashes, first_difference
from aister.app.build import Built, build_run, open_data
from aister.app.settings import RunSettings
from aister.core.audit import Audit
from aister.core.events import BarClosed, RunStarted
from aister.engine.runner import run_sync
from tests.fakes.feed import OtherFuture
from tests.parity.runs import DAY_MS, settings

__all__ = ["Bend", "Compared", "Feed", "Told", "compare", "moments", "straight", "told"]

Feed = RecordedFeed | OtherFuture
Bend = Callable[[Built, Feed], None]
"""Makes a cheat of an honest run before it starts."""


class Told(msgspec.Struct, frozen=True):
    """What one run left: canonical lines of decisions and of trades, and every audit but those of plain bars, each
    with its times."""

    lines: list[str]
    trades: list[str]
    audits: list[Audit]

    def by(self, time_ms: int) -> "Told":
        """What was said at or before a moment. The start is left out: it names the data."""
        return Told(
            self.lines[: bisect_right(self.lines, time_ms, key=_line_ms)],
            self.trades[: bisect_right(self.trades, time_ms, key=_line_ms)],
            self.audits[: bisect_right(self.audits, time_ms, key=lambda audit: audit.event.time_ms)],
        )


class Compared(msgspec.Struct, frozen=True):
    """One cut: how many lines and audits were found the same at or before it, whether different things were decided
    after it, and the first difference at or before it, in words ('' = none: nothing looked ahead)."""

    cut_ms: int
    lines: int
    audits: int
    parted: bool
    difference: str


def told(asked: RunSettings, feed: Feed, bend: Bend | None = None) -> Told:
    hashes, audits = Hashes(), list[Audit]()

    def watch(audit: Audit) -> None:
        hashes.observe(audit)
        if audit.outputs or not isinstance(audit.event, BarClosed | RunStarted):
            audits.append(audit)

    built = build_run(asked, feed, MemoryJournal("owner", "future", "run"), (watch,))  # type: ignore[arg-type]
    if bend is not None:
        bend(built, feed)
    run_sync(built.run)
    return Told(hashes.lines(), hashes.trade_lines(), audits)


@cache
def straight(days: int, symbols: tuple[str, ...], bend: Bend | None = None) -> tuple[RecordedFeed, Told]:
    """The one true run."""
    asked = settings(days, symbols=symbols)
    feed = open_data(asked)
    return feed, told(asked, feed, bend)


def compare(
    days: int, symbols: tuple[str, ...], cut_ms: int, seed: int, beyond_ms: int, bend: Bend | None = None
) -> Compared:
    """The true run beside one whose future from `cut_ms` on is noise."""
    feed, true = straight(days, symbols, bend)
    other = told(settings(days, symbols=symbols), OtherFuture(feed, cut_ms, seed, beyond_ms), bend)
    mine, theirs = true.by(cut_ms), other.by(cut_ms)
    difference = ""
    for left, right in ((mine.lines, theirs.lines), (mine.trades, theirs.trades)):
        if found := first_difference(left, right):
            difference = difference or f"{found.left} became {found.right}"
    if not difference and mine.audits != theirs.audits:
        difference = f"{len(mine.audits)} and {len(theirs.audits)} passes, of which some differ"
    parted = true.by(cut_ms + beyond_ms).lines != other.by(cut_ms + beyond_ms).lines
    return Compared(cut_ms, len(mine.lines), len(mine.audits), parted, difference)


def moments(days: int, symbols: tuple[str, ...], count: int, seed: int) -> list[int]:
    """Cut times: a third anywhere, a third at the very moment of something decided or filled, a third 1 ms before."""
    feed, true = straight(days, symbols)
    rng = np.random.default_rng(seed)
    first, last = feed.span_ms[0] + DAY_MS // 4, feed.span_ms[1] - DAY_MS // 4
    said = sorted({time for line in true.lines if first <= (time := _line_ms(line)) <= last})
    anywhere = rng.integers(first, last, count - 2 * (count // 3)).tolist()
    at = rng.choice(said, count // 3, replace=len(said) < count).tolist()
    before = (rng.choice(said, count // 3, replace=len(said) < count) - 1).tolist()
    return sorted(int(time) for time in (*anywhere, *at, *before))


def _line_ms(line: str) -> int:
    time_ms: int = json.loads(line[1 : line.index(",")])
    return time_ms
