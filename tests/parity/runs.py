"""Whole runs for parity tests: built as the product builds them, journaled where asked, observed."""

from collections.abc import Callable, Iterator
from pathlib import Path

from aister.adapters.store.memory import MemoryJournal
from aister.analytics.hashes import Hashes
from aister.app.build import Built, build_run, config_hash, open_data, open_run_journal
from aister.app.settings import RunSettings
from aister.core.audit import Audit
from aister.engine.runner import run_sync
from aister.ports.journal import Journal

DAY_MS = 86_400_000
SAMPLE_START_MS = 1_746_403_200_000
"""2025-05-05 00:00 UTC, the first bar of the packaged sample."""


def settings(days: int, **given: object) -> RunSettings:
    return RunSettings(end_ms=SAMPLE_START_MS + days * DAY_MS, **given).check()  # type: ignore[arg-type]


def built(asked: RunSettings, journal: Journal | None = None, *observers: Callable[[Audit], None]) -> Built:
    feed = open_data(asked)
    return build_run(asked, feed, journal or MemoryJournal("owner", "parity", "run"), observers)


def same_chain(asked: RunSettings) -> MemoryJournal:
    """A journal without a file whose head equals that of the stored chain of the same run."""
    identity = f"{config_hash(asked)[:16]}-{open_data(asked).data_hash[:16]}"
    return MemoryJournal(asked.owner_id, identity, "run")


def hashes_of(audits: Iterator[Audit]) -> Hashes:
    hashes = Hashes()
    for audit in audits:
        hashes.observe(audit)
    return hashes


def journaled(home: Path, asked: RunSettings) -> Journal:
    return open_run_journal(home, asked, open_data(asked))


def run_to_end(asked: RunSettings, journal: Journal | None = None) -> Hashes:
    hashes = Hashes()
    run_sync(built(asked, journal, hashes.observe).run)
    return hashes
