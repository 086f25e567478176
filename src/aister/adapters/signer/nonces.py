"""Nonces (aster-api 3.3): microseconds, each once, for ever, whatever the clock and the process do (C3).

    next = max(last + 1, now)

What was reserved before a start counts as used. While `last` is ahead of the clock by more than half the window the
clock has gone back (or was ahead before): nothing new is opened then.
"""

__all__ = ["Nonces"]


class Nonces:
    """`reserved_us`: the high-water mark written down by an earlier process; nothing below it is given out again."""

    __slots__ = ("last_us", "window_us")

    def __init__(self, reserved_us: int, window_us: int) -> None:
        self.last_us = reserved_us
        self.window_us = window_us

    def peek(self, now_us: int) -> int:
        """The nonce `take` would give out now."""
        return max(self.last_us + 1, now_us)

    def take(self, now_us: int) -> int:
        self.last_us = self.peek(now_us)
        return self.last_us

    def ahead_us(self, now_us: int) -> int:
        """How far the last one is ahead of the clock."""
        return self.last_us - now_us

    def given(self, nonce_us: int) -> bool:
        """Whether it may have been given out: only such a one may be killed by name."""
        return 0 < nonce_us <= self.last_us

    def clock_is_back(self, now_us: int) -> bool:
        return 2 * self.ahead_us(now_us) > self.window_us
