"""How long the council thinks, in engine time: a fixed time for rules, seeded draws for language models (Q26)."""

import hashlib
import math
from statistics import NormalDist
from typing import Protocol

import msgspec

from aister.core.errors import SettingsError

__all__ = ["FixedLatency", "Latency", "LogNormalLatency"]


class Latency(Protocol):
    """Milliseconds from question to answer, a function of the question's id alone; `timeout_ms` ends the wait."""

    @property
    def timeout_ms(self) -> int: ...
    def draw_ms(self, question_id: str) -> int: ...


class FixedLatency(msgspec.Struct, frozen=True):
    """Always the same time. Rules: 250 ms (Q40)."""

    ms: int = 250
    timeout_ms: int = 60_000

    def draw_ms(self, question_id: str) -> int:
        return self.ms


class LogNormalLatency(msgspec.Struct, frozen=True):
    """exp(m + s Z), m = ln median, s = (ln p95 - m) / z_0.95; Z is the normal quantile of SHA-256(seed, question id).

    A draw at or above the timeout is a timeout: the answer comes at `timeout_ms` and nobody has spoken.
    """

    seed: int
    median_ms: int = 10_000
    p95_ms: int = 30_000
    timeout_ms: int = 60_000

    def __post_init__(self) -> None:
        if not 0 < self.median_ms < self.p95_ms:
            raise SettingsError(
                f"Latency needs 0 < median < p95, not {self.median_ms} and {self.p95_ms} ms; correct them."
            )

    def draw_ms(self, question_id: str) -> int:
        digest = hashlib.sha256(f"{self.seed}\n{question_id}".encode()).digest()
        uniform = (int.from_bytes(digest[:8], "big") + 0.5) / 2.0**64
        normal = NormalDist()
        spread = math.log(self.p95_ms / self.median_ms) / normal.inv_cdf(0.95)
        quantile = normal.inv_cdf(min(max(uniform, 1e-12), 1.0 - 1e-12))
        return min(self.timeout_ms, round(self.median_ms * math.exp(spread * quantile)))
