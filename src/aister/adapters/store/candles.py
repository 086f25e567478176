"""The bars of the user's store, and of the packaged sample where the user has no such series."""

from collections.abc import Callable

from aister.adapters.store.manifest import Series
from aister.adapters.store.market import MarketStore, user_store
from aister.adapters.store.sample import sample_store
from aister.ports.candles import Candle, CandleSeries

__all__ = ["StoredCandles"]

_BATCH = 1_024
_NAMES = ("open_time", "open", "high", "low", "close", "volume")


class StoredCandles:
    """Reads the manifests anew each time, so that a download shows at once."""

    def __init__(
        self, user: Callable[[], MarketStore] = user_store, sample: Callable[[], MarketStore] = sample_store
    ) -> None:
        self._stores = (("sample", sample), ("store", user))

    def series(self) -> tuple[CandleSeries, ...]:
        found = (_told(origin, series) for origin, _, series in self._found().values())
        return tuple(sorted(found, key=lambda one: (one.symbol, one.interval_ms)))

    def read(self, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int) -> tuple[Candle, ...]:
        found = self._found().get((symbol, interval))
        if found is None or limit <= 0:
            return ()
        _, store, series = found
        read: list[Candle] = []
        for columns in store.batches(series, start_ms, end_ms, _BATCH, _NAMES):
            rows = zip(*(columns[name].tolist() for name in _NAMES), strict=True)
            read += [Candle(int(open_ms), *prices) for open_ms, *prices in rows]
            if len(read) >= limit:
                break
        return tuple(read[:limit])

    def _found(self) -> dict[tuple[str, str], tuple[str, MarketStore, Series]]:
        """The user's own come last, and stand."""
        found: dict[tuple[str, str], tuple[str, MarketStore, Series]] = {}
        for origin, open_store in self._stores:
            store = open_store()
            for series in store.manifest.series:
                if series.kind == "klines" and series.months:
                    found[series.symbol, series.interval] = (origin, store, series)
        return found


def _told(origin: str, series: Series) -> CandleSeries:
    first_ms, last_ms = series.span_ms
    return CandleSeries(
        symbol=series.symbol,
        interval=series.interval,
        interval_ms=series.interval_ms,
        origin=origin,
        rows=series.rows,
        missing=series.gaps()[0],
        first_ms=first_ms,
        last_ms=last_ms,
        proxies=tuple(series.proxies),
    )
