"""What a run is asked to do. With everything else that decides, it makes the hash of the configuration."""

import re

import msgspec

from aister.app.strategies import STRATEGIES
from aister.core.errors import UsageError
from aister.core.money import UNIT
from aister.strategy.templates import template_names

__all__ = ["RunSettings"]

_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")
_PROFILES = ("conservative", "balanced", "aggressive")
_MINDS = ("rules", "none")
_POSITIONS = ("one_way", "hedge")
_MARGINS = ("isolated", "cross")
_TRADER = re.compile(r"[a-z0-9]{1,8}")
_VENUE_MAX_LEVERAGE = 125
_EARLIEST_MS, _LATEST_MS = 946_684_800_000, 4_102_444_800_000  # 2000-01-01, 2100-01-01
_CAPITAL = (10 * UNIT, 1_000_000_000 * UNIT)


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides a run's outcome and nothing that only paces or shows it.

    `data` is "sample", a store symbol or a path; `symbols` empty = all of the feed; `start_ms`/`end_ms` bound bar open
    times (end exclusive, None = the feed's own); `capital` in 1e-8 quote units; `mind` "rules" or "none" (setups trade
    directly); `leverage` 0 = the profile's; `strategy` names one that is code or a template, or is the name of the spec
    that `spec` carries as JSON; `positions` "one_way" or "hedge" and `margin` "isolated" or "cross" are the account's
    modes.
    """

    owner_id: str = "owner"
    trader_id: str = "t1"
    data: str = "sample"
    symbols: tuple[str, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    seed: int = 1
    profile: str = "balanced"
    leverage: int = 0
    positions: str = "one_way"
    margin: str = "isolated"
    capital: int = 10_000 * UNIT
    mind: str = "rules"
    strategy: str = "confluence"
    spec: str = ""
    latency_ms: int = 250
    assume_funding: bool = False

    def check(self) -> "RunSettings":
        """The settings, if they make sense; raises `UsageError` naming the first that does not, with its remedy."""
        if not self.data.strip():
            raise UsageError("--feed is empty; give 'sample', a symbol of the store, or a path.")
        if not _TRADER.fullmatch(self.trader_id):
            raise UsageError(f"{self.trader_id!r} is not a trader's name; use 1 to 8 small letters and digits.")
        if not 0 <= self.seed < 2**63:
            raise UsageError("--seed must be a whole number from 0 to 2^63 - 1; for example 1.")
        for flag, moment in (("--from", self.start_ms), ("--to", self.end_ms)):
            if moment is not None and not _EARLIEST_MS <= moment <= _LATEST_MS:
                raise UsageError(f"{flag} lies outside the years 2000 to 2100; give a UTC date such as 2025-05-10.")
        for symbol in self.symbols:
            if not _SYMBOL.fullmatch(symbol):
                raise UsageError(f"{symbol!r} is not a symbol; write symbols like BTCUSDT, separated by commas.")
        if len(set(self.symbols)) != len(self.symbols):
            raise UsageError("A symbol is named twice in --symbols; name each once.")
        if self.start_ms is not None and self.end_ms is not None and self.start_ms >= self.end_ms:
            raise UsageError("--from is not before --to; give a span that contains at least one bar.")
        if not _CAPITAL[0] <= self.capital <= _CAPITAL[1]:
            raise UsageError("--capital must lie between 10 and 1,000,000,000 USDT; for example 10000.")
        if not 0 <= self.leverage <= _VENUE_MAX_LEVERAGE:
            raise UsageError(
                f"Leverage {self.leverage} is not possible; give 1 to {_VENUE_MAX_LEVERAGE}, "
                "or leave it out for the profile's."
            )
        if not 0 <= self.latency_ms <= 600_000:
            raise UsageError("The modelled latency must lie between 0 and 600000 ms.")
        for what, value, allowed in (
            ("profile", self.profile, _PROFILES),
            ("mind", self.mind, _MINDS),
            ("position mode", self.positions, _POSITIONS),
            ("margin mode", self.margin, _MARGINS),
            ("strategy", self.strategy, (self.strategy,) if self.spec else (*STRATEGIES, *template_names())),
        ):
            if value not in allowed:
                raise UsageError(f"{value!r} is not a {what}; choose one of {', '.join(allowed)}.")
        return self
