"""The contracts an account trades: read from the venue, read again every five minutes and when a refusal tells that
they changed (C15). Each difference is a value; what follows from it is decided elsewhere.

Integers of ticks and steps keep the meaning they had at the first reading, and only filters follow the venue, until
`count_by` says by what to count from then on (C15).
"""

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from aister.adapters.exchanges.aster.codes import meaning
from aister.adapters.exchanges.aster.governor import Rank
from aister.adapters.exchanges.aster.instruments import Contract, InstrumentChanged, changes, contract, instrument
from aister.adapters.exchanges.aster.listing import Listing, Listings
from aister.adapters.exchanges.aster.messages import Brackets, Commission, ExchangeInfo, FundingInfo, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.translate import Grid, grid_of
from aister.core.errors import DataError
from aister.core.instrument import Instrument
from aister.ports.exchange import Answer, Refused

__all__ = ["Contracts"]

REREAD_MS = 300_000
GONE = "GONE"
_FEES_MS = 3_600_000
_FINEST = Grid(1, 1)
_INFO = decoder(ExchangeInfo)
_FUNDING = decoder(tuple[FundingInfo, ...])
_BRACKETS = decoder(tuple[Brackets, ...])
_COMMISSION = decoder(Commission)


class Contracts:
    """Of `symbols`. With `signed` brackets and fees are the account's own; without they come from `assumed`, and say
    so."""

    def __init__(
        self,
        rest: Rest,
        symbols: Iterable[str],
        *,
        source: str,
        signed: bool = True,
        assumed: Mapping[str, Instrument] | None = None,
    ) -> None:
        self.symbols = tuple(symbols)
        self.stale = True
        self.unavailable: dict[str, Refused] = {}
        """Symbols asked for that cannot be traded, with the reason."""
        self._rest = rest
        self._source = source
        self._signed = signed
        self._assumed = assumed or {}
        self._known: dict[str, Contract] = {}
        self._gone: dict[str, Listing] = {}
        self._listed = Listings()
        self._grids: dict[str, Grid] = {}
        self._fees: dict[str, Commission] = {}
        self._fees_until = 0
        self._read_until = 0

    @property
    def due(self) -> bool:
        return self.stale or self._rest.time.now_ms() >= self._read_until

    @property
    def instruments(self) -> dict[str, Instrument]:
        """By symbol; those that are unavailable are left out."""
        return {symbol: instrument(known, self._source) for symbol, known in self._known.items()}

    def listing(self, symbol: str) -> Listing | None:
        """As read last. A contract that vanished since keeps its filters under status GONE: nothing enters it, and
        what is held there may still be closed."""
        known = self._known.get(symbol)
        return known.listing if known is not None else self._gone.get(symbol)

    def terms(self, known: Instrument) -> Instrument:
        """What was read last of a contract that was known as this; of one that the venue lists no longer, or not so
        that it could be traded, what was known, under a status that says so."""
        if known.symbol in self._known:
            return instrument(self._known[known.symbol], self._source)
        return msgspec.structs.replace(known, status=GONE) if known.symbol in self.unavailable else known

    def fees(self, symbol: str) -> tuple[int, int]:
        """Maker and taker rate in 1e-8; (0, 0) of a symbol this account does not trade."""
        known = self._known.get(symbol)
        return (known.maker_e8, known.taker_e8) if known is not None else (0, 0)

    def grid(self, symbol: str) -> Grid:
        """What ticks and steps of a symbol count; of one that is not listed, 1e-8 each (which is exact)."""
        kept = self._grids.get(symbol)
        if kept is not None:
            return kept
        try:
            return grid_of(self._listed[symbol])
        except (KeyError, DataError):
            return _FINEST

    def count_by(self, instrument: Instrument) -> None:
        """From now on ticks and steps of this symbol are those of this instrument: a run's own, which may be older than
        what the venue lists."""
        self._grids[instrument.symbol] = grid_of(instrument)

    async def read(self) -> tuple[InstrumentChanged, ...] | Answer:
        """Read everything again; what differs from the last reading (nothing at the first)."""
        info = await self._rest.public("exchange_info", (), _INFO)
        if not isinstance(info, ExchangeInfo):
            return info
        self._rest.governor.limits(info.rateLimits)
        funding = await self._rest.public("funding_info", (), _FUNDING)
        if not isinstance(funding, tuple):
            return funding
        brackets: dict[str, Brackets] = {}
        if self._signed:
            told = await self._rest.signed("brackets", (), _BRACKETS)
            if not isinstance(told, tuple):
                return told
            brackets = {one.symbol: one for one in told}
            failed = await self._read_fees()
            if failed is not None:
                return failed
        hours = {one.symbol: one.fundingIntervalHours for one in funding}
        self._listed = Listings(info.symbols)
        known: dict[str, Contract] = {}
        unavailable: dict[str, Refused] = {}
        for symbol in self.symbols:
            if symbol not in self._listed:
                unavailable[symbol] = Refused(-1121, f"{symbol}: {meaning(-1121).sentence}")
                continue
            try:
                listed = self._listed[symbol]
                known[symbol] = contract(
                    listed, brackets.get(symbol), self._fees.get(symbol), hours.get(symbol), self._assumed.get(symbol)
                )
            except DataError as error:
                unavailable[symbol] = Refused(0, str(error))
                continue
            if listed.status != "TRADING":
                unavailable[symbol] = Refused(-4140, f"{symbol} is {listed.status}. {meaning(-4140).sentence}")
            self._grids.setdefault(symbol, grid_of(listed))
        differences = changes(self._known, known) if self._read_until else ()
        for symbol in self._known.keys() - known.keys():
            self._gone[symbol] = msgspec.structs.replace(self._known[symbol].listing, status=GONE)
        self._known, self.unavailable = known, unavailable
        self._read_until, self.stale = self._rest.time.now_ms() + REREAD_MS, False
        return differences

    async def _read_fees(self) -> Answer | None:
        if self._fees and self._rest.time.now_ms() < self._fees_until:
            return None
        rows = await asyncio.gather(*(self._read_fee(symbol) for symbol in self.symbols))
        for symbol, told in zip(self.symbols, rows, strict=True):
            if isinstance(told, Commission):
                self._fees[symbol] = told
            elif not isinstance(told, Refused) or told.code != -1121:
                return told
        self._fees_until = self._rest.time.now_ms() + _FEES_MS
        return None

    async def _read_fee(self, symbol: str) -> Commission | Answer:
        return await self._rest.signed("commission", (("symbol", symbol),), _COMMISSION, Rank.WATCH)
