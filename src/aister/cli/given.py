"""What options mean: dates, amounts, symbols, and the files a verb is to leave."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from aister.core.errors import UsageError

__all__ = ["amount", "named_symbols", "targets", "utc_ms"]


def targets(data: str, page: Path | None, json_path: str, flag: str) -> str:
    """Where the JSON goes: a path, '-' for standard output however it was written, or '' for nowhere.

    Raises `UsageError` when a file that is to be left cannot be written or must not be. `flag` asks for the page."""
    from aister.adapters.store.home import home
    from aister.cli.output import apart, means_stdout, same, writable

    json_path = "-" if means_stdout(json_path) else json_path
    json_file = Path(json_path) if json_path not in ("", "-") else None
    if page is not None and means_stdout(str(page)):
        raise UsageError(f"The report is a page and goes to a file; write {flag} run.html (only --json takes '-').")
    fed = _fed(data)
    for target in (page, json_file):
        if target is not None:
            writable(target)
            apart(target, home(), fed)
    if page is not None and json_file is not None and same(page, json_file):
        raise UsageError(f"{flag} and --json name the same file; give each its own.")
    return json_path


def _fed(spec: str) -> Path | None:
    """The folder or file the feed is read from, when it has a place of its own outside the state folder."""
    from aister.adapters.store.intervals import INTERVALS
    from aister.adapters.store.sample import sample_store

    if not spec:
        return None
    name, _, interval = spec.rpartition("@")
    place = Path(name if interval in INTERVALS else spec).expanduser()
    if str(place) == "sample":
        return sample_store().root
    return place if place.exists() else None


def named_symbols(text: str) -> tuple[str, ...]:
    """Symbols separated by commas."""
    named = tuple(one.strip().upper() for one in text.split(",") if one.strip())
    if text and not named:
        raise UsageError(f"--symbols {text!r} names no symbol; write symbols like BTCUSDT,ETHUSDT or leave it out.")
    if len(set(named)) != len(named):
        raise UsageError("A symbol is named twice in --symbols; name each once.")
    return named


def amount(text: str, flag: str = "--capital") -> int:
    """Money in its units; whether it is sensible is for others to say."""
    from aister.core.money import money

    try:
        amount = Decimal(text)
        return money(amount) if amount.is_finite() and abs(amount) < 10**10 else 0
    except (InvalidOperation, UsageError):
        raise UsageError(f"{flag} {text!r} is not an amount in USDT with at most 8 decimals; give 10000.") from None


def utc_ms(text: str, flag: str) -> int | None:
    """A UTC date as milliseconds, None when it was left out."""

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{flag} {text!r} is not a UTC date; write 2025-05-10 or 2025-05-10T12:00.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
