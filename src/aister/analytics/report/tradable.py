"""From when on a run could trade at all, read from the run itself."""

from aister.analytics.report.words import age, utc
from aister.analytics.run_result import RunResult
from aister.features.catalogue import CATALOGUE

__all__ = ["tradable"]

_HOUR_MS = 3_600_000
_NEEDED = "1h.atr_14"
"""What takes longest of all that the risk kernel must know: the liquidation limit counts its distance in it."""


def tradable(result: RunResult) -> str:
    """A sentence for a run that began without history; "" where history let it trade earlier, or bars are longer than
    an hour.

    The risk kernel approves nothing before the needed feature is known, `warmup` hours after the first bar at the
    earliest, and nobody is asked before: the first question, or the first trade of a run without a council, shows when
    that was.
    """
    if any(candles.interval_ms > _HOUR_MS for candles in result.candles.values()):
        return ""
    hours = CATALOGUE[_NEEDED].warmup
    start_ms, end_ms = result.span_ms
    ready_ms = (start_ms // _HOUR_MS + hours) * _HOUR_MS  # an hour that was begun counts at most as a whole one
    why = f"the 1h ATR that the liquidation limit needs takes {hours} hours of bars"
    seen = [d.asked_ms for d in result.decisions] + [t.opened_ms for t in (*result.trades, *result.open_trades)]
    if not seen:
        return f"No trade was possible on this span: {why}." if end_ms <= ready_ms else ""
    if min(seen) < ready_ms:
        return ""
    what = "question to the council" if result.decisions else "trade"
    return (
        f"No trade was possible before {utc(ready_ms)} UTC: {why}. The first {what} came on {utc(min(seen))} UTC, "
        f"{age(end_ms - min(seen))} before the end."
    )
