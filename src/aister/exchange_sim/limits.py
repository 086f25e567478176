"""Rate limits and what exceeding them costs (aster-api 4): weight per address and minute, orders per account and
minute, 429, then 418 for minutes and longer each time."""

import msgspec

from aister.exchange_sim.settings import Limits

__all__ = ["Meter", "Spent"]

_MINUTE_MS = 60_000


class Spent(msgspec.Struct):
    """What one address or account has used in the minute at hand, and how it has behaved."""

    minute: int = 0
    used: int = 0
    over: int = 0
    banned_until_ms: int = 0
    bans: int = 0


class Meter:
    """Counts weight by address and orders by account."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.weights: dict[str, Spent] = {}
        self.orders: dict[int, Spent] = {}

    def weigh(self, remote: str, weight: int, now_ms: int) -> tuple[int, int]:
        """Charge a request: (status, used), status 200, 429 or 418. Banned addresses are not charged."""
        spent = self.weights.setdefault(remote, Spent())
        if now_ms < spent.banned_until_ms:
            return 418, spent.used
        _turn(spent, now_ms)
        spent.used += weight
        if spent.used <= self.limits.weight_per_minute:
            return 200, spent.used
        spent.over += 1
        if spent.over <= self.limits.ban_after:
            return 429, spent.used
        self.ban(remote, now_ms)
        return 418, spent.used

    def ban(self, remote: str, now_ms: int, for_ms: int = 0) -> None:
        """Ban an address: two minutes at first, twice as long each time, three days at most."""
        spent = self.weights.setdefault(remote, Spent())
        length = for_ms or min(self.limits.ban_ms << spent.bans, self.limits.longest_ban_ms)
        spent.banned_until_ms = now_ms + length
        spent.bans += 1
        spent.over = 0

    def retry_after_s(self, remote: str, now_ms: int) -> int:
        """Seconds until the address may call again."""
        spent = self.weights.setdefault(remote, Spent())
        until = spent.banned_until_ms if now_ms < spent.banned_until_ms else (spent.minute + 1) * _MINUTE_MS
        return max(1, -(-(until - now_ms) // 1000))

    def order(self, account: int, count: int, now_ms: int) -> tuple[bool, int]:
        """Count orders: (whether they may pass, used in this minute)."""
        spent = self.orders.setdefault(account, Spent())
        _turn(spent, now_ms)
        if spent.used + count > self.limits.orders_per_minute:
            return False, spent.used
        spent.used += count
        return True, spent.used


def _turn(spent: Spent, now_ms: int) -> None:
    minute = now_ms // _MINUTE_MS
    if minute != spent.minute:
        spent.minute, spent.used, spent.over = minute, 0, 0
