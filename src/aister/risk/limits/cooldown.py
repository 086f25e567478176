"""Cooldown: after losses the next idea waits.

Protects from: revenge trading and a market that has changed. Formula: 4 losses in a row pause every entry for 12 h; a
stop pauses its own symbol for 30 min. A winning trade ends the run, a zero does not. Default: 4 (3 / 5), 12 h, 30 min.
Source: Q40.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "cooldown"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing; `used` is the ms still to wait."""
    wait = max(0, _until(ask) - ask.situation.time_ms)
    return ask.gate(NAME, wait == 0, float(wait), 0.0)


def why(ask: Ask, line: CapLine) -> str:
    """What it waits for."""
    minutes = -(-int(line.used) // 60_000)
    run = ask.state.conduct.paused_until_ms > ask.situation.time_ms
    return f"{'a run of losses' if run else f'a stop on {ask.intent.symbol}'} pauses entries for {minutes} more minutes"


def _until(ask: Ask) -> int:
    conduct, symbol = ask.state.conduct, ask.intent.symbol
    stopped = conduct.stopped_ms.get(symbol)
    return max(conduct.paused_until_ms, 0 if stopped is None else stopped + ask.limits.stop_pause_ms)
