"""Everything an operator can ask of a trader. Each is a value in the same queue as market events: journaled,
replayable."""

import msgspec

__all__ = ["ClosePosition", "Command", "EngageKill", "ReleaseKill", "ResumeTrading", "Transfer"]


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


Command = EngageKill | ReleaseKill | ResumeTrading | ClosePosition | Transfer
