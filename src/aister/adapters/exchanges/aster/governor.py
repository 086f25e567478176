"""How much may be asked, and who goes first when that is little (aster-api 4).

Pure: the time is an argument (milliseconds of a clock that never steps), nothing waits in here. `ask` answers 0 and
counts the request as sent, or says in how many milliseconds it may be asked again.

* Two readings of how the venue's minute is counted, rolling or from full minute to full minute, are both kept to:
  within any `window` no more than the limit is sent, and the venue's own count (X-MBX-USED-WEIGHT-1M,
  X-MBX-ORDER-COUNT-1M) plus what was sent since binds as well, since others may share this address or account.
* What protects a position is held back only by what was sent from here, never by what others may have used.
* A share of each limit is out of reach of entries and of gathering data, so that stops, closes and cancels find room.
* 429 and 403 pause everything, 418 (banned) until the ban ends; then what protects a position goes before the rest.
  Behind a firewall's 403 (which names no time) it is tried every 0.9 s: a position may be bare for a second (p99).
* While the venue answers nothing but failures it is probed, not stormed.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from enum import IntEnum

from aister.adapters.exchanges.aster.messages import RateLimit

__all__ = ["Governor", "Rank"]


class Rank(IntEnum):
    """What a request is for; the smaller goes first."""

    PROTECT = 0
    """Stops, closes, cancels, the killing of a request under way."""
    WATCH = 1
    """Reading orders, positions and money."""
    ENTER = 2
    """New risk."""
    GATHER = 3
    """History and whatever can wait."""


WEIGHT_SHARE = {Rank.PROTECT: 100, Rank.WATCH: 95, Rank.ENTER: 90, Rank.GATHER: 60}
ORDER_SHARE = {Rank.PROTECT: 100, Rank.WATCH: 100, Rank.ENTER: 80, Rank.GATHER: 80}
"""Percent of a limit a rank may fill it up to: 10 % of weight and 20 % of orders are kept from entries."""

DOCUMENTED = (
    RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 2400),
    RateLimit("ORDERS", "MINUTE", 1, 1200),
)
"""Used until exchangeInfo tells."""

_UNITS_MS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
_SLACK_MS = 1_000
_FIRST_BAN_MS, _LONGEST_BAN_MS = 120_000, 3 * 86_400_000
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 1_000, 60_000
_WALLED_MS = 10_000
_WALL_PROBE_MS = 900
_PRECEDENCE_MS = 1_000
_FAILURES, _PROBE_MS, _SOON_PROBE_MS, _DOWN_MS, _LONG_DOWN_MS = 5, 10_000, 2_000, 20_000, 60_000


class _Bucket:
    """One limit: what was sent within its window, and what the venue last said it counted."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit.limit
        self.window_ms = _UNITS_MS[limit.interval] * limit.intervalNum + _SLACK_MS
        kind = "used-weight" if limit.rateLimitType == "REQUEST_WEIGHT" else "order-count"
        self.header = f"x-mbx-{kind}-{limit.intervalNum}{limit.interval[0].lower()}"
        self._sent: deque[tuple[float, int, int]] = deque()  # when, ticket, cost
        self._sum = 0
        self._told: tuple[float, int, int] | None = None  # when, ticket, the venue's count

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0][0] <= now - self.window_ms:
            self._sum -= self._sent.popleft()[2]
        if self._told is not None and self._told[0] <= now - self.window_ms:
            self._told = None

    def _since(self, ticket: int) -> int:
        total = 0
        for _, sent, cost in reversed(self._sent):
            if sent <= ticket:
                break
            total += cost
        return total

    def used(self, now: float) -> int:
        """The larger of our own count and the venue's plus what was sent since."""
        self._forget(now)
        return self._sum if self._told is None else max(self._sum, self._told[2] + self._since(self._told[1]))

    def wait_ms(self, rank: Rank, cost: int, share: int, now: float) -> int:
        room = self.limit * share // 100 - cost
        used = self.used(now)
        if (self._sum if rank is Rank.PROTECT else used) <= room:
            return 0
        if room < 0:
            return self.window_ms
        own, until = self._sum, now
        for sent, _, paid in self._sent:
            if own <= room:
                break
            own -= paid
            until = sent + self.window_ms
        if rank is not Rank.PROTECT and self._told and self._told[2] + self._since(self._told[1]) > room:
            until = max(until, self._told[0] + self.window_ms)
        return max(1, int(until - now) + 1)

    def send(self, cost: int, ticket: int, now: float) -> None:
        self._sent.append((now, ticket, cost))
        self._sum += cost

    def told(self, count: int, ticket: int, now: float) -> None:
        if self._told is None or ticket >= self._told[1]:
            self._told = (now, ticket, count)


class Governor:
    """Of one address and account. `limits` renews the limits when exchangeInfo is read."""

    def __init__(self, limits: Iterable[RateLimit] = DOCUMENTED) -> None:
        self._ticket = 0
        self._blocked_until = 0.0
        self._pauses = 0
        self._bans = 0
        self._owed = self._walled = False
        self._precedence_until = 0.0
        self._failures = 0
        self._down_since = 0.0
        self._probed = 0.0
        self._weight: list[_Bucket] = []
        self._orders: list[_Bucket] = []
        self.limits(limits)

    def limits(self, limits: Iterable[RateLimit]) -> None:
        """The venue's own limits; what was sent so far keeps counting. Kinds not known here are left out."""
        usable = [one for one in limits if one.interval in _UNITS_MS and one.intervalNum > 0 and one.limit > 0]
        self._weight = _renewed(self._weight, [one for one in usable if one.rateLimitType == "REQUEST_WEIGHT"])
        self._orders = _renewed(self._orders, [one for one in usable if one.rateLimitType == "ORDERS"])

    @property
    def ticket(self) -> int:
        """Of the request counted last; handed to `heard` with its reply."""
        return self._ticket

    def ask(self, rank: Rank, weight: int, orders: int, now: float) -> int:
        """0: it is counted, send it. Else: ask again in so many milliseconds."""
        wait = self._paused(rank, now)
        for buckets, cost, shares in ((self._weight, weight, WEIGHT_SHARE), (self._orders, orders, ORDER_SHARE)):
            if cost:
                wait = max([wait, *(bucket.wait_ms(rank, cost, shares[rank], now) for bucket in buckets)])
        if wait:
            return wait
        self._ticket += 1
        for buckets, cost in ((self._weight, weight), (self._orders, orders)):
            for bucket in buckets if cost else ():
                bucket.send(cost, self._ticket, now)
        if rank is Rank.PROTECT:
            self._owed = False
        if self._failures >= _FAILURES or self._walled:
            self._probed = now
        return 0

    def _paused(self, rank: Rank, now: float) -> int:
        if now < self._blocked_until:
            self._owed = self._owed or rank is Rank.PROTECT
            if rank is Rank.PROTECT and self._walled:
                return max(0, int(self._probed + _WALL_PROBE_MS - now))
            until = self._blocked_until if rank is Rank.PROTECT else self._precedence_until
            return int(until - now) + 1
        if rank is not Rank.PROTECT and self._owed and now < self._precedence_until:
            return int(self._precedence_until - now) + 1
        if self._failures >= _FAILURES:
            until = self._probed + self._probe_ms(rank, now)
            if now < until:
                return int(until - now) + 1
        return 0

    def _probe_ms(self, rank: Rank, now: float) -> int:
        soon_ms = _LONG_DOWN_MS if rank is Rank.PROTECT else _DOWN_MS
        return _SOON_PROBE_MS if now - self._down_since < soon_ms else _PROBE_MS

    def heard(self, ticket: int, status: int, headers: Mapping[str, str], now: float) -> None:
        """A reply to the request of that ticket, header names in lower case; status 0: it was lost."""
        for bucket in (*self._weight, *self._orders):
            count = headers.get(bucket.header, "")
            if count.isascii() and count.isdigit():
                bucket.told(int(count), ticket, now)
        match status:
            case 429:
                usual = min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS << self._pauses)
                self._pauses = min(self._pauses + 1, 6)
                self._block(_retry_after_ms(headers, usual), now)
            case 418:
                usual = min(_LONGEST_BAN_MS, _FIRST_BAN_MS << self._bans)
                self._bans = min(self._bans + 1, 12)
                self._block(_retry_after_ms(headers, usual), now)
            case 403:
                self._block(_retry_after_ms(headers, _WALLED_MS), now)
                self._walled = "retry-after" not in headers and self._blocked_until <= now + _WALLED_MS
                self._probed = now
        if status == 0 or status >= 500:
            self._failures += 1
            if self._failures == _FAILURES:
                self._down_since = self._probed = now
        elif status < 400:
            self._failures = self._pauses = 0
            self._lift(now)
        else:
            self._failures = 0

    def pause_ms(self, now: float) -> int:
        """How long everything is paused from now on."""
        return max(0, int(self._blocked_until - now) + 1) if now < self._blocked_until else 0

    def _lift(self, now: float) -> None:
        """What protects has come through a firewall's 403: the rest need not wait for longer."""
        if self._walled:
            self._walled, self._blocked_until = False, min(self._blocked_until, now)
            self._precedence_until = now + _PRECEDENCE_MS

    def _block(self, wait_ms: int, now: float) -> None:
        self._walled = False
        self._blocked_until = max(self._blocked_until, now + wait_ms)
        self._precedence_until = self._blocked_until + _PRECEDENCE_MS

    def used(self, now: float) -> tuple[int, int]:
        """Weight and orders of the last minute as counted here."""
        counts = [max((bucket.used(now) for bucket in buckets), default=0) for buckets in (self._weight, self._orders)]
        return counts[0], counts[1]


def _renewed(old: list[_Bucket], limits: list[RateLimit]) -> list[_Bucket]:
    if not limits:
        return old
    kept = {bucket.header: bucket for bucket in old}
    renewed = []
    for limit in limits:
        bucket = _Bucket(limit)
        known = kept.get(bucket.header)
        if known is not None:
            known.limit = limit.limit
        renewed.append(known or bucket)
    return renewed


def _retry_after_ms(headers: Mapping[str, str], usual: int) -> int:
    told = headers.get("retry-after", "")
    return min(_LONGEST_BAN_MS, max(1, int(told)) * 1000) if told.isascii() and told.isdigit() else usual
