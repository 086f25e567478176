"""What the venue remembers of the market: closed bars and funding settlements, page by page (aster-api 7)."""

from collections.abc import AsyncIterator

import msgspec

from aister.adapters.exchanges.aster.amounts import units
from aister.adapters.exchanges.aster.governor import Rank
from aister.adapters.exchanges.aster.messages import FundingRate, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.feeds.soundness import is_sound
from aister.adapters.store.intervals import HOUR_MS, interval_name
from aister.core.errors import DataError
from aister.core.events import BarClosed, FundingSettled
from aister.ports.exchange import Answer, Unknown

__all__ = ["BARS_A_PAGE", "History"]

BARS_A_PAGE = 1_500
_RATES_A_PAGE = 1_000
_JITTER_MS = 1_000
_SETTLED_MS = 500


class KlineRow(msgspec.Struct, frozen=True, array_like=True):
    """One row: twelve elements, of which the first seven are used."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    last_ms: int


_BARS = decoder(tuple[KlineRow, ...])
_RATES = decoder(tuple[FundingRate, ...])


class History:
    """Calls are ranked as what can wait when `gathering` (downloads), else as watching (repairs)."""

    def __init__(self, rest: Rest, *, gathering: bool = False) -> None:
        self.rest = rest
        self._rank = Rank.GATHER if gathering else Rank.WATCH

    async def bars(self, symbol: str, interval_ms: int, first_ms: int, last_ms: int) -> tuple[BarClosed, ...] | Answer:
        """Closed bars that open from first_ms to last_ms, the first `BARS_A_PAGE` of them, oldest first. The one still
        under way, and what cannot be a bar, is not among them. Which is under way the venue's clock says, measured anew
        where it is not known: after this machine's was set, it alone would call an open bar closed."""
        self.rest.time.watch()
        if not self.rest.time.measured:
            measured = await self.rest.server_time()
            if not isinstance(measured, int):
                return measured
        count = min((last_ms - first_ms) // interval_ms + 1, BARS_A_PAGE)
        end = min(last_ms, first_ms + (count - 1) * interval_ms)
        params = (
            ("endTime", str(end)),
            ("interval", interval_name(interval_ms) or ""),
            ("limit", str(count)),
            ("startTime", str(first_ms)),
            ("symbol", symbol),
        )
        rows = await self.rest.public("klines", params, _BARS, self._rank)
        if not isinstance(rows, tuple):
            return rows
        closed_ms = self.rest.time.now_ms() - _SETTLED_MS
        told = (
            BarClosed(r.open_ms + interval_ms, symbol, r.open_ms, r.open, r.high, r.low, r.close, r.volume)
            for r in rows
            if first_ms <= r.open_ms <= end and r.last_ms < closed_ms
        )
        by_time = {bar.open_time_ms: bar for bar in told if is_sound(bar, interval_ms)}
        return tuple(by_time[time] for time in sorted(by_time))

    async def settlements(
        self, symbol: str, interval_ms: int, after_ms: int, until_ms: int
    ) -> tuple[FundingSettled, ...] | Answer:
        """Funding settled after after_ms and up to until_ms, oldest first, at most 1,000; `interval_ms` is what each
        covers. Stamps less than a second late are set to the hour."""
        params = (
            ("endTime", str(until_ms + _JITTER_MS)),
            ("limit", str(_RATES_A_PAGE)),
            ("startTime", str(after_ms + 1)),
            ("symbol", symbol),
        )
        rows = await self.rest.public("funding_rate", params, _RATES, self._rank)
        if not isinstance(rows, tuple):
            return rows
        told: dict[int, FundingSettled] = {}
        for row in rows:
            late = row.fundingTime % HOUR_MS
            time_ms = row.fundingTime - (late if late < _JITTER_MS else 0)
            if row.symbol == symbol and after_ms < time_ms <= until_ms:
                try:
                    told[time_ms] = FundingSettled(time_ms, symbol, units(row.fundingRate), interval_ms)
                except DataError as problem:
                    return Unknown(str(problem), 0, self.rest.time.now_ms())
        return tuple(told[time] for time in sorted(told))

    async def bar_pages(
        self, symbol: str, interval_ms: int, first_ms: int, last_ms: int
    ) -> AsyncIterator[tuple[BarClosed, ...] | Answer]:
        """Closed bars from first_ms to last_ms; ends after the first answer that is not a page."""
        begin = first_ms
        while begin <= last_ms:
            page = await self.bars(symbol, interval_ms, begin, last_ms)
            yield page
            if not isinstance(page, tuple):
                return
            begin += BARS_A_PAGE * interval_ms
