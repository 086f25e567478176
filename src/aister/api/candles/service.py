"""The series there are, and stretches of them."""

from aister.api.frame.problems import Refusal
from aister.core.errors import UsageError
from aister.ports.candles import Candle, Candles, CandleSeries

__all__ = ["CandleShelf"]

_LATEST_MS = 4_102_444_800_000  # 2100-01-01


class CandleShelf:
    def __init__(self, candles: Candles) -> None:
        self._candles = candles

    def series(self) -> tuple[CandleSeries, ...]:
        return self._candles.series()

    def stretch(
        self, symbol: str, interval: str, start_ms: int | None, end_ms: int | None, after_ms: int | None, limit: int
    ) -> tuple[tuple[Candle, ...], bool]:
        """The first `limit` bars of a span after a bar, and whether there are more. Raises `Refusal` (404) when there
        is no such series, `UsageError` for a span that cannot hold a bar."""
        found = {(one.symbol, one.interval) for one in self.series()}
        if (symbol, interval) not in found:
            known = ", ".join(sorted("/".join(one) for one in found)) or "none"
            raise Refusal(404, f"There are no such bars; there are {known}, and `aister data download` brings more.")
        start = 0 if start_ms is None else start_ms
        end = _LATEST_MS if end_ms is None else end_ms
        if start >= end:
            raise UsageError("start_ms is not before end_ms; ask for a span that can hold a bar.")
        begin = start if after_ms is None else max(start, after_ms + 1)
        read = self._candles.read(symbol, interval, begin, end, limit + 1)
        return read[:limit], len(read) > limit
