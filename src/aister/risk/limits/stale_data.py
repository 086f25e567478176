"""Stale data: nobody enters on a price or an account that may have changed since.

Protects from: trading blind. Formula: age of the newest closed bar <= its interval + 10 s; age of the account <= 30 s;
equity, mark and both ages known. Unknown freezes new risk, it never liquidates. Default: as said. Source: Q40; product
4.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "stale_data"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing; `used` is the age of the bar in ms, -1 when unknown."""
    bar = ask.situation.bar_age_ms
    return ask.gate(NAME, not why(ask, None), -1.0 if bar is None else float(bar), float(_bound(ask)))


def why(ask: Ask, line: CapLine | None) -> str:
    """What is unknown or too old, or nothing."""
    now = ask.situation
    if now.equity is None or now.account_age_ms is None:
        return "the equity is unknown; wait for the account"
    if now.mark_ticks is None or now.bar_age_ms is None:
        return "the price is unknown; wait for the feed"
    if now.account_age_ms > ask.limits.account_grace_ms:
        return f"the account is {now.account_age_ms} ms old, at most {ask.limits.account_grace_ms} ms are allowed"
    if now.bar_age_ms > _bound(ask):
        return f"the newest bar closed {now.bar_age_ms} ms ago, at most {_bound(ask)} ms are allowed"
    return ""


def _bound(ask: Ask) -> int:
    return ask.situation.bar_interval_ms + ask.limits.bar_grace_ms
