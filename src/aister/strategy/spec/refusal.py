"""What is wrong with a spec: every finding with its place in the file and the reason."""

import msgspec

from aister.core.errors import UsageError

__all__ = ["Finding", "SpecRefused"]


class Finding(msgspec.Struct, frozen=True, order=True):
    """`path` is a JSON pointer into the spec ("" is the whole of it), `reason` a sentence."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.reason}"


class SpecRefused(UsageError):
    """The spec is not one that can be traded. `findings`: all that is wrong, in the order of the file."""

    def __init__(self, name: str, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{name} is refused at {findings[0]}{more}. `aister strategy check` lists every finding.")
