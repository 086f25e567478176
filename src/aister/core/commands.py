"""Everything an operator can ask of a trader. Each is a value in the same queue as market events: journaled,
replayable."""

import msgspec

__all__ = [
    "ABSENCE",
    "AcceptAbsence",
    "AcceptRollback",
    "ClosePosition",
    "Command",
    "EngageKill",
    "ReleaseKill",
    "ResumeTrading",
    "Transfer",
]


class EngageKill(msgspec.Struct, frozen=True, array_like=True, tag="kill"):
    """No new risk from now on; working entries are cancelled, protective stops stay."""

    by: str
    reason: str


class ReleaseKill(msgspec.Struct, frozen=True, array_like=True, tag="release"):
    """Allow new risk again after a kill."""

    by: str
    reason: str


class ResumeTrading(msgspec.Struct, frozen=True, array_like=True, tag="resume"):
    """A person re-enables a trader that a breaker (drawdown, runaway, liquidation) halted."""

    by: str
    reason: str


class ClosePosition(msgspec.Struct, frozen=True, array_like=True, tag="close"):
    """Close one symbol's position at market, reduce-only."""

    by: str
    symbol: str


class Transfer(msgspec.Struct, frozen=True, array_like=True, tag="transfer"):
    """Money moved in (positive) or out: changes units of NAV, never NAV per unit (Q23)."""

    by: str
    amount: int


ABSENCE = "absence"
"""The cause of a freeze that only a person ends, with the command `AcceptAbsence`."""


class AcceptAbsence(msgspec.Struct, frozen=True, array_like=True, tag="accept-absence"):
    """A person has looked at the account after a long absence, of which the venue cannot tell everything any more;
    entries may go on (C21)."""

    by: str
    reason: str


class AcceptRollback(msgspec.Struct, frozen=True, array_like=True, tag="accept-rollback"):
    """A person answers for going on with a journal that was put back to an earlier state: it stood at `remembered`
    records, `sequence` of them are left (D1). `given_ms`: when that was said, by this machine's clock; no two are of
    one second, which sets the orders that follow apart from those of the lost records."""

    by: str
    reason: str
    sequence: int
    remembered: int
    given_ms: int = 0


Command = EngageKill | ReleaseKill | ResumeTrading | ClosePosition | Transfer | AcceptAbsence | AcceptRollback
