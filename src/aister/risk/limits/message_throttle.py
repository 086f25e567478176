"""Message throttle: a trader that loops is stopped before the venue or the fees do it.

Protects from: runaway loops (Knight, 2012). Formula: entries 5 a second in bursts of 10, 60 a minute, 1,000 a UTC day;
all orders together 5 times the burst and the minute; 5 entries of one symbol and side without a decision between them.
The message that uses up an allowance goes, then HALTED until a person resumes. Default: as said. Source: C11; RTS 6
art. 15.
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "message_throttle"
CAUSES = ("messages", "repetition")


def cap(ask: Ask) -> CapLine:
    """Everything or nothing; `used` is the messages of today's entries against the day's."""
    conduct = ask.state.conduct
    tripped = any(cause in conduct.halts for cause in CAUSES)
    return ask.gate(NAME, not tripped, float(conduct.entries.count), float(ask.limits.entries.per_day))


def why(ask: Ask, line: CapLine) -> str:
    """Which allowance was used up."""
    said = "; ".join(sentence for cause, sentence in ask.state.conduct.halts.items() if cause in CAUSES)
    return f"{said}; a person has to resume trading"
