"""Every trade once, in the order of its number: a hole is filled before what follows it is handed on.

Numbers follow one another without holes (aster-api 8), so a hole is known at once. A frame that is only late gets a
moment to come; then the trades are asked for by number. What the venue does not tell, and a hole too long to be worth
asking, is said to be absent, and the rest goes on.
"""

import asyncio
from collections.abc import Callable

import msgspec

from aister.adapters.exchanges.aster.frames import TradeFrame
from aister.adapters.exchanges.aster.governor import Rank
from aister.adapters.exchanges.aster.messages import AggTrade, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.wire import Clock
from aister.ports.exchange import Refused
from aister.ports.live import FeedEvent, FeedNews

__all__ = ["Trades"]

GRACE_MS, RETRY_MS = 300, 2_000
LONGEST_HOLE, MOST_HELD = 20_000, 200_000
_PAGE = 1_000
_TRADES = decoder(tuple[AggTrade, ...])


class _Run(msgspec.Struct):
    """One symbol: the last number handed on, and what has to wait behind a hole."""

    symbol: str
    last: int
    held: dict[int, TradeFrame]


class Trades:
    """`take` is given frames as they come, from any connection and in any order; `heard` gets them in theirs."""

    def __init__(
        self, rest: Rest, clock: Clock, heard: Callable[[TradeFrame], None], told: Callable[[FeedNews], None]
    ) -> None:
        self._rest, self._clock, self._heard, self._told = rest, clock, heard, told
        self._runs: dict[str, _Run] = {}
        self._hole = asyncio.Event()

    def take(self, frame: TradeFrame) -> None:
        run = self._runs.get(frame.symbol)
        if run is None:
            run = self._runs[frame.symbol] = _Run(frame.symbol, frame.number - 1, {})
        if frame.number == run.last + 1:
            run.last = frame.number
            self._heard(frame)
            if run.held:
                self._release(run)
        elif frame.number > run.last:
            run.held[frame.number] = frame
            self._hole.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._hole.wait()
            self._hole.clear()
            await self._clock.sleep(GRACE_MS)
            for run in self._runs.values():
                if run.held and not await self._fill(run):
                    await self._clock.sleep(RETRY_MS)
                if run.held:
                    self._hole.set()

    async def _fill(self, run: _Run) -> bool:
        """Ask for one page of what is missing. False: the venue could not be asked."""
        first = min(run.held)
        missing = first - run.last - 1
        if missing > LONGEST_HOLE or len(run.held) > MOST_HELD:
            self._give_up(run, first, "too many to be asked for")
            return True
        params = (("fromId", str(run.last + 1)), ("limit", str(min(missing, _PAGE))), ("symbol", run.symbol))
        rows = await self._rest.public("agg_trades", params, _TRADES, Rank.GATHER)
        if isinstance(rows, Refused):
            self._give_up(run, first, rows.reason)
            return True
        if not isinstance(rows, tuple):
            return False
        told = {row.a: _frame(run.symbol, row) for row in rows if run.last < row.a < first}
        run.held = told | run.held
        if run.last + 1 not in run.held:
            self._give_up(run, min(run.held), "the venue does not tell them any more")
        else:
            self._release(run)
        return True

    def _give_up(self, run: _Run, first: int, why: str) -> None:
        text = f"Trades {run.last + 1} to {first - 1} are missing: {why}."
        self._told(FeedNews(self._rest.time.now_ms(), FeedEvent.ABSENT, run.symbol, text))
        run.last = first - 1
        self._release(run)

    def _release(self, run: _Run) -> None:
        """Hand on whatever follows without a hole."""
        while (frame := run.held.pop(run.last + 1, None)) is not None:
            run.last = frame.number
            self._heard(frame)


def _frame(symbol: str, row: AggTrade) -> TradeFrame:
    return TradeFrame(row.T, symbol, row.a, float(row.p), float(row.q), row.T, row.m)
