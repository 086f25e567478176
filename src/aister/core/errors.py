"""Every error AISTER raises on purpose. Each message is one sentence that names the remedy.

AisterError
|-- UsageError          the request itself is wrong (flag, symbol, leverage)
|-- DataError           market data is missing, broken or contradictory
|-- SettingsError       a setting is out of range or contradicts another
|-- StorageError        disk full, read-only, locked or of an unsuitable kind
|   `-- JournalImpaired the journal cannot be written, the emergency log can: only what reduces may leave
|-- JournalError        the journal does not verify; `sequence` says where
|-- KernelCacheError    the compiled-kernel cache cannot be trusted or written
|-- MoneyOverflow       an exact amount left the int64 range
|-- PermissionRefused   an order without a valid, fresh, unused permission
|-- StrategyError       a strategy written by a user fails, lies or passes its limits
|-- CredentialError     exchange keys are missing, unsafe, expired or of the wrong kind
|-- SignerUnreachable   the process that holds the keys does not answer
|-- ProgramFault        something in the program is wrong; nobody could have asked better
`-- SequenceError       an event arrived before one already processed
"""

__all__ = [
    "AisterError",
    "CredentialError",
    "DataError",
    "JournalError",
    "JournalImpaired",
    "KernelCacheError",
    "MoneyOverflow",
    "PermissionRefused",
    "ProgramFault",
    "SequenceError",
    "SettingsError",
    "SignerUnreachable",
    "StorageError",
    "StrategyError",
    "UsageError",
]


class AisterError(Exception):
    """Base of all deliberate errors. `exit_code` is what the command line returns for it."""

    exit_code = 2


class UsageError(AisterError):
    """The request itself is wrong."""


class DataError(AisterError):
    """Market data is missing, broken or contradictory."""


class SettingsError(AisterError):
    """A setting is out of range or contradicts another."""


class StorageError(AisterError):
    """The disk is full, read-only, locked or of an unsuitable kind."""


class JournalImpaired(StorageError):
    """The journal cannot be written and the emergency log holds its records instead: reductions may leave, entries may
    not (C8)."""


class JournalError(AisterError):
    """The journal does not verify. `sequence` is the first bad record, or None when the whole file is unusable."""

    exit_code = 1

    def __init__(self, message: str, sequence: int | None = None) -> None:
        super().__init__(message)
        self.sequence = sequence


class KernelCacheError(AisterError):
    """The compiled-kernel cache cannot be trusted or written."""


class MoneyOverflow(AisterError):
    """An exact amount left the int64 range."""


class PermissionRefused(AisterError):
    """An order without a valid, fresh, unused permission."""


class StrategyError(AisterError):
    """A strategy written by a user fails, lies or passes its limits."""

    exit_code = 1


class SequenceError(AisterError):
    """An event arrived before one already processed."""


class CredentialError(AisterError):
    """Exchange keys are missing, readable by others, expired, or of a kind that is never accepted."""


class SignerUnreachable(AisterError):
    """The process that holds the keys does not answer; nothing was signed."""


class ProgramFault(AisterError):
    """Something in the program is wrong: to be reported."""

    exit_code = 70
