"""What could be known and done at the venue, by its own plan of faults, connections and raw log."""

from aister.exchange_sim import Account, Exchange
from aister.exchange_sim.wire import pairs

__all__ = ["Reach"]

_AMISS = ("drop", "duplicate", "reorder", "delay", "stall")
"""Faults of streams that last; while one does, what happens may not be told."""
_NONCE = -4225


class Reach:
    """Of one account."""

    def __init__(self, exchange: Exchange, account: Account) -> None:
        self._exchange, self._account = exchange, account
        self._listening = 0

    def streams(self) -> bool:
        """Whether the user streams carry what happens now to everybody who ever listened."""
        now_ms, plan = self._exchange.now_ms, self._exchange.faults.plan
        there = self._exchange.hub.connections.values()
        count = sum(one.account == self._account.number and not one.silent for one in there)
        self._listening = max(self._listening, count)
        amiss = any(one.kind in _AMISS and one.at_ms <= now_ms < (one.until_ms or now_ms + 1) for one in plan)
        return count == self._listening > 0 and not amiss

    def hidden(self, since_ms: int) -> int:
        """How long the venue's own look-ups did not show what traded then. A trade can be reached by two ways, the
        user stream and the look-ups; by C1 the latter lag up to 30 s. Only of what the stream did not carry is that
        time in which nobody could know the trade: the 30 s of *lost* run from when either way shows it."""
        shown_ms = since_ms
        for lag in sorted((one for one in self._exchange.faults.plan if one.kind == "lag"), key=lambda one: one.at_ms):
            if lag.at_ms <= shown_ms < lag.until_ms:
                shown_ms = max(shown_ms, min(since_ms + lag.ms, lag.until_ms))
        return shown_ms - since_ms

    def stop_refused(self, symbol: str, since_ms: int) -> bool:
        """Whether the venue refused a stop of this symbol since: what follows has a bar of its own (flat or halted
        within 10 s)."""
        for seen in reversed(self._exchange.log):
            if seen.time_us // 1000 < since_ms:
                return False
            if seen.status == 400 and seen.request.method == "POST" and seen.code != _NONCE:
                told = pairs(seen.request.query or seen.request.body)
                if told.get("symbol") == symbol and "STOP" in told.get("type", ""):
                    return True
        return False
