"""`aister council explain` recomputes a real run's votes from the journal."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aister.adapters.store.records import AuditReader
from aister.app.build import build_run, open_data, open_run_journal
from aister.app.settings import RunSettings
from aister.cli import build
from aister.core.events import DecisionMade
from aister.engine.runner import run_sync

START_MS, DAY_MS = 1_746_403_200_000, 86_400_000


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("council")
    start = START_MS + 10 * DAY_MS
    settings = RunSettings(symbols=("ETHUSDT",), start_ms=start, end_ms=start + DAY_MS)
    feed = open_data(settings)
    journal = open_run_journal(home, settings, feed)
    run_sync(build_run(settings, feed, journal).run)
    journal.close()
    return home


def test_every_vote_of_a_run_comes_out_as_recorded(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(ran))
    with AuditReader(ran) as reader:
        decisions = [a.event.decision for a in reader.audits() if isinstance(a.event, DecisionMade)]
    assert decisions
    for decision in decisions[:5]:
        result = CliRunner().invoke(build(), ["council", "explain", decision.setup_id, "--json"])
        assert result.exit_code == 0, result.output
        lines = json.loads(result.stdout)
        assert lines[-1] == "the recount equals the record"
        assert any(f"p* {decision.ballot.p_star:.4f}" in line for line in lines)


def test_an_unknown_setup_is_bad_input(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(ran))
    assert CliRunner().invoke(build(), ["council", "explain", "nothing"]).exit_code == 2
