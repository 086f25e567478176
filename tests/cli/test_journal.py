"""`aister journal` as a user meets it: what it prints, what it returns, and that data cannot steer the terminal."""

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.verification import last_verification
from aister.cli import build
from aister.core.audit import Audit
from aister.core.commands import EngageKill
from aister.core.events import CommandGiven
from tests.stories import ENTRY, SETUP, START_MS, audits, bars, trade

NASTY = '\x1b]8;;http://evil\x1b\\ [link=http://evil]x[/link] \n{"kind":"fake"} \u202e \x9b31m'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("AISTER_HOME", str(folder))
    return folder


def write(home: Path, story: list[Audit], identity: str = "abc") -> str:
    with open_chain(home, "local", identity, "run") as journal:
        for audit in story:
            journal.append(audit)
        return journal.head


def aister(*words: str) -> Result:
    return CliRunner().invoke(build(), ["journal", *words])


def rows(*words: str) -> list[dict[str, object]]:
    done = aister(*words, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_an_untouched_home_is_not_an_error(home: Path) -> None:
    assert "no journal" in aister("list").stdout and aister("verify").exit_code == 0
    assert rows("list") == [] and rows("verify") == []
    assert list(home.iterdir()) == []


def test_list(home: Path) -> None:
    head = write(home, trade())
    write(home, bars(3), "other")
    assert [(r["chain_id"], r["state"], r["records"]) for r in rows("list")] == [
        ("run-abc-1", "finished", 15),
        ("run-other-1", "unfinished", 3),
    ]
    assert rows("list")[0]["head"] == head
    assert "run-abc-1" in aister("list").stdout


def test_verify_says_intact_and_remembers_it(home: Path) -> None:
    head = write(home, trade())
    done = aister("verify")
    assert done.exit_code == 0 and f"run-abc-1: intact, 15 records, head {head}" in done.stdout
    kept = last_verification(home)
    assert kept is not None and kept.intact and (kept.chains, kept.records) == (1, 15)
    assert rows("verify", "run-abc-1")[0]["intact"] is True


def test_verify_locates_and_exits_with_one(home: Path) -> None:
    write(home, bars(10))
    before = journal_path(home).read_bytes()
    write(home, bars(5, first=10))
    journal_path(home).write_bytes(before)
    done = aister("verify")
    assert done.exit_code == 1 and "NOT INTACT at record 10 (tail)" in done.stdout and "--fresh" in done.stdout
    report = json.loads(aister("verify", "--json").stdout)[0]
    assert (report["intact"], report["code"], report["sequence"]) == (False, "tail", 10)
    kept = last_verification(home)
    assert kept is not None and not kept.intact


def test_usage_errors_are_two_and_one_sentence(home: Path) -> None:
    write(home, trade())
    for words in (
        ["verify", "nope"],
        ["show", "nope"],
        ["show", "--kind", "nope"],
        ["show", "--from", "5", "--to", "2"],
    ):
        done = aister(*words)
        assert done.exit_code == 2 and done.stderr.startswith("aister: ") and done.stderr.count("\n") == 1, done.stderr
    head_path(home, "run-abc-1").unlink()
    assert aister("verify").exit_code == 1


def test_show_by_number_and_kind(home: Path) -> None:
    write(home, trade())
    assert [r["sequence"] for r in rows("show", "--from", "3", "--to", "6")] == [3, 4, 5, 6]
    kinds = [r["event"]["kind"] for r in rows("show", "run-abc-1", "--kind", "filled")]  # type: ignore[index]
    assert kinds == ["filled", "filled"]
    (asked,) = rows("show", "--kind", "ask")
    assert asked["outputs"][0]["question"]["features"] == {"15m.rsi_14": 61.5, "5m.atr_14": 40.25}  # type: ignore[index]
    lines = aister("show", "--from", "0", "--to", "1").stdout.splitlines()
    assert lines[0].split()[:4] == ["0", "2025-05-05", "00:00:00.000", "start"] and "symbol=BTCUSDT" in lines[1]


@pytest.mark.parametrize("start", [SETUP, ENTRY, f"{SETUP}?", "A-1", "A-2", f"{SETUP}-stop@935000"])
def test_one_trade_from_feature_to_fill_by_any_of_its_ids(home: Path, start: str) -> None:
    """The question with its features, decision, review, orders, acknowledgements, fills and close; no plain bars."""
    story = trade()
    noise = trade(client_id="B-1")[7:9]  # another setup's orders must not appear
    noise = [
        msgspec.msgpack.decode(msgspec.msgpack.encode(n).replace(b"breakout-long", b"pullbackshort"), type=Audit)
        for n in noise
    ]
    whole = [*story[:-1], *noise, story[-1]]
    write(home, [Audit(n, a.event, a.outputs) for n, a in enumerate(whole)])
    found = rows("show", "--id", start)
    told = [kind for row in found for kind in [row["event"]["kind"], *[o["kind"] for o in row["outputs"]]]]  # type: ignore
    assert told == [
        *("bar", "ask"),
        "decision",
        *("bar", "review", "place"),
        "accepted",
        *("filled", "place"),
        "accepted",
        *("filled", "closed"),
    ]
    assert "pullback" not in json.dumps(found)


def test_an_id_nobody_has_is_the_answer_no(home: Path) -> None:
    write(home, trade())
    done = aister("show", "--id", "nothing")
    assert done.exit_code == 1 and "No record of run-abc-1 has the id 'nothing'" in done.stderr
    done = aister("show", "--id", "nothing", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout) == []


def test_export_gives_lines_with_hashes_that_can_be_checked(home: Path, tmp_path: Path) -> None:
    import base64
    import hashlib

    head = write(home, trade())
    out = tmp_path / "out.jsonl"
    assert aister("export", "--out", str(out), "--raw").exit_code == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 15 and lines[-1]["hash"] == head
    for before, line in pairwise(lines):
        computed = hashlib.sha256(bytes.fromhex(before["hash"]) + base64.b64decode(line["raw"])).hexdigest()
        assert computed == line["hash"]
    again = aister("export", "--out", str(out))
    assert again.exit_code == 2 and "--overwrite" in again.stderr
    assert aister("export", "--out", str(out), "--overwrite", "--to", "2").exit_code == 0
    assert len(out.read_text().splitlines()) == 3
    assert len(aister("export").stdout.splitlines()) == 15
    assert aister("export", "--out", str(tmp_path / "no" / "where")).exit_code == 2


def test_a_broken_journal_is_shown_up_to_where_it_breaks(home: Path, tmp_path: Path) -> None:
    write(home, bars(2_500))
    with closing(sqlite3.connect(journal_path(home), isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER segment_no_delete")
        connection.execute("DELETE FROM segment WHERE first_sequence = 1000")
    done = aister("export")
    assert done.exit_code == 1 and len(done.stdout.splitlines()) == 1_000
    assert "records 1000 to 1999 are missing" in done.stderr
    out = tmp_path / "part.jsonl"
    assert aister("export", "--out", str(out)).exit_code == 1 and not out.exists()


def test_data_cannot_steer_the_terminal_or_forge_a_line(home: Path) -> None:
    story = [*bars(1), *audits([CommandGiven(START_MS, EngageKill(NASTY, NASTY))], 1)]
    write(home, story)
    for words in (["show"], ["show", "--json"], ["export"]):
        done = aister(*words)
        assert done.exit_code == 0
        for character in done.stdout:
            assert character == "\n" or character.isprintable(), (words, character)
    assert len(aister("show").stdout.splitlines()) == 2 == len(aister("export").stdout.splitlines())
    assert json.loads(aister("export").stdout.splitlines()[1])["event"]["command"]["reason"] == NASTY


def test_figures_json_does_not_know_become_null(home: Path) -> None:
    broken = msgspec.structs.replace(bars(1)[0].event, volume=float("nan"), high=float("inf"))
    write(home, audits([broken]))
    (row,) = rows("show")
    assert row["event"]["volume"] is None and row["event"]["high"] is None  # type: ignore[index]
