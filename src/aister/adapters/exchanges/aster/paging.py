"""Trades and income in pages: 7-day windows, at most 1,000 rows each (aster-api 7). All or an answer, never half."""

from aister.adapters.exchanges.aster.messages import IncomeRow, TradeRow, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.ports.exchange import Answer

__all__ = ["all_income", "all_trades"]

WINDOW_MS = 7 * 86_400_000 - 1
LONGEST_MS = 400 * 86_400_000
PAGE = 1000
_TRADES = decoder(tuple[TradeRow, ...])
_INCOME = decoder(tuple[IncomeRow, ...])


async def all_trades(rest: Rest, symbol: str, since_ms: int) -> tuple[TradeRow, ...] | Answer:
    """Our trades from a time on (at most 400 days back), by id. A full page is followed by trade id, which reaches to
    the end by itself."""
    rows: dict[int, TradeRow] = {}
    now = rest.time.now_ms()
    begin = max(since_ms, now - LONGEST_MS)
    next_id: int | None = None
    while next_id is not None or begin <= now:
        window = (("endTime", str(begin + WINDOW_MS)), ("startTime", str(begin)))
        place = window if next_id is None else (("fromId", str(next_id)),)
        page = await rest.signed("executions", (*place, ("limit", str(PAGE)), ("symbol", symbol)), _TRADES)
        if not isinstance(page, tuple):
            return page
        rows |= {row.id: row for row in page}
        if len(page) >= PAGE:
            next_id = max(row.id for row in page) + 1
        elif next_id is not None:
            break
        else:
            begin += WINDOW_MS + 1
    return tuple(rows[number] for number in sorted(rows))


async def all_income(rest: Rest, since_ms: int, until_ms: int) -> tuple[IncomeRow, ...] | Answer:
    """Income of every kind from a time (at most 400 days back) to a time, oldest first.

    A full page is continued at its last millisecond, whose rows then come twice: equal rows of one page are told apart
    by how often they have come in it."""
    rows: dict[tuple[object, ...], IncomeRow] = {}
    begin = max(since_ms, until_ms - LONGEST_MS)
    while begin <= until_ms:
        end = min(until_ms, begin + WINDOW_MS)
        params = (("endTime", str(end)), ("limit", str(PAGE)), ("startTime", str(begin)))
        page = await rest.signed("income", params, _INCOME)
        if not isinstance(page, tuple):
            return page
        seen: dict[tuple[object, ...], int] = {}
        for row in page:
            what = (row.time, row.incomeType, row.symbol, row.asset, row.tranId, row.income)
            seen[what] = seen.get(what, 0) + 1
            rows[(*what, seen[what])] = row
        begin = end + 1 if len(page) < PAGE else max(begin + 1, page[-1].time)
    return tuple(sorted(rows.values(), key=lambda row: row.time))
