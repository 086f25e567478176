"""Trades and income in pages: 7-day windows, at most 1,000 rows each (aster-api 7)."""

from collections.abc import AsyncIterator

from aister.adapters.exchanges.aster.messages import IncomeRow, TradeRow, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.ports.exchange import Answer

__all__ = ["income_pages", "trade_pages"]

WINDOW_MS = 7 * 86_400_000 - 1
LONGEST_MS = 400 * 86_400_000
PAGE = 1000
_TRADES = decoder(tuple[TradeRow, ...])
_INCOME = decoder(tuple[IncomeRow, ...])


async def trade_pages(rest: Rest, symbol: str, since_ms: int) -> AsyncIterator[tuple[TradeRow, ...] | Answer]:
    """Our trades from a time on, oldest first; ends after the first answer that is not a page. A full page is followed
    by trade id, which reaches to the end by itself."""
    now = rest.time.now_ms()
    begin = max(since_ms, now - LONGEST_MS)
    next_id: int | None = None
    while next_id is not None or begin <= now:
        window = (("endTime", str(begin + WINDOW_MS)), ("startTime", str(begin)))
        place = window if next_id is None else (("fromId", str(next_id)),)
        page = await rest.signed("executions", (*place, ("limit", str(PAGE)), ("symbol", symbol)), _TRADES)
        yield page
        if not isinstance(page, tuple):
            return
        if len(page) >= PAGE:
            next_id = max(row.id for row in page) + 1
        elif next_id is not None:
            return
        else:
            begin += WINDOW_MS + 1


async def income_pages(rest: Rest, since_ms: int, until_ms: int) -> AsyncIterator[tuple[IncomeRow, ...] | Answer]:
    """Income of every kind from a time to a time, oldest first. A full page is continued at its last millisecond, so
    rows of that millisecond come twice; ends after the first answer that is not a page."""
    begin = max(since_ms, until_ms - LONGEST_MS)
    while begin <= until_ms:
        end = min(until_ms, begin + WINDOW_MS)
        params = (("endTime", str(end)), ("limit", str(PAGE)), ("startTime", str(begin)))
        page = await rest.signed("income", params, _INCOME)
        yield page
        if not isinstance(page, tuple):
            return
        last = max((row.time for row in page), default=end)
        begin = end + 1 if len(page) < PAGE else max(last, begin + 1)
