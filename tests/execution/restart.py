"""What a restart costs a record: a chain of as many records as asked for is written by a run over the sample, played as
often as needed, and taken up again as a trader on a real account does it (docs/order-path.md).

    python -m tests.execution.restart 100000
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sockets import WallClock
from aister.adapters.store.journal import SqliteJournal, open_chain
from aister.app.build import Built, build_run, open_data
from aister.app.settings import RunSettings
from aister.app.tape import Beginning, Gathering, Tape, tape_of
from aister.core.audit import Audit
from aister.execution.courier import Courier
from aister.ports.feed import MarketSlice

__all__ = ["Parts", "restarted", "written"]

SETTINGS = RunSettings(mind="rules", strategy="confluence")


class Parts(msgspec.Struct, frozen=True):
    """Seconds of CPU: opening and verifying the chain, engine and features made, every record decided again, compared
    and learnt from. `readings`: records the journal told in all, as a multiple of those it holds."""

    records: int
    open_s: float
    build_s: float
    repeat_s: float
    readings: float

    @property
    def rate(self) -> float:
        """Records a second, all in all."""
        return self.records / (self.open_s + self.build_s + self.repeat_s)


def again_and_again(slices: list[MarketSlice], count: int) -> Iterator[MarketSlice]:
    """The same market one after the other, until so many bars have come."""
    span_ms = slices[-1].open_time_ms + 60_000 - slices[0].open_time_ms
    told = turn = 0
    while told < count:
        for market in slices:
            by_ms = turn * span_ms
            bars = tuple(
                msgspec.structs.replace(bar, time_ms=bar.time_ms + by_ms, open_time_ms=bar.open_time_ms + by_ms)
                for bar in market.bars
            )
            funding = tuple(msgspec.structs.replace(one, time_ms=one.time_ms + by_ms) for one in market.funding)
            yield MarketSlice(market.open_time_ms + by_ms, funding, bars)
            told += len(bars)
            if told >= count:
                return
        turn += 1


def written(home: Path, count: int) -> Beginning:
    """A chain of about so many records, left as a trader that was killed leaves it."""
    feed = open_data(SETTINGS)
    slices = list(feed.slices())
    beginning = Beginning("simulator", 60_000, slices[0].open_time_ms, dict(feed.instruments), {}, ())
    tape = tape_of(beginning, ())
    journal = chain(home)
    built = build_run(SETTINGS, tape, journal)
    built.run.start()
    for market in again_and_again(slices, count):
        tape.put(market)
        built.run.step()
    built.run.close()
    journal.close()
    return beginning


def chain(home: Path) -> SqliteJournal:
    return open_chain(home, "owner", "restart", "live")


class Counted:
    """The journal, and how many records were read from it."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal, self.read = journal, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def records(self) -> Iterator[Audit]:
        for audit in self._journal.records():
            self.read += 1
            yield audit


def restarted(home: Path, beginning: Beginning) -> Parts:
    """Up again, as far as asking the venue."""
    clock = [time.process_time()]
    journal = Counted(chain(home))
    clock.append(time.process_time())
    tape: Tape = tape_of(beginning, ())
    built: Built = build_run(SETTINGS, tape, journal)  # type: ignore[arg-type]
    clock.append(time.process_time())
    courier = Courier(AsterAccount(Rest(None, WallClock()), (), source=""), sleep=_never)  # type: ignore[arg-type]
    gathering = Gathering(len(beginning.instruments))

    def learn(audit: Audit) -> None:
        courier.recall(audit)
        if (market := gathering.take(audit)) is not None:
            tape.put(market)

    assert built.run.repeat(learn) == journal.sequence
    clock.append(time.process_time())
    journal.close()
    parts = [after - before for before, after in pairwise(clock)]
    return Parts(journal.sequence, *parts, journal.read / journal.sequence)


async def _never(ms: float) -> None:
    raise AssertionError("Nothing is waited for.")


def main() -> None:
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        beginning = written(home, count)
        done = restarted(home, beginning)
        print(
            f"{done.records:,} records: {done.rate:,.0f} records/s of CPU (bar 50,000), so 1,000,000 take "
            f"{1e6 / done.rate:,.0f} s (bar 60); open and verify {done.open_s:.2f} s, build {done.build_s:.2f} s, "
            f"decide again {done.repeat_s:.2f} s; the journal was read {done.readings:.1f} times"
        )


if __name__ == "__main__":
    main()
