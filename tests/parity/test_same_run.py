"""One run, driven every way there is: at full speed, paced, killed anywhere and resumed. The hashes of Q2 must
agree."""

import asyncio
import os
import signal
import warnings
from pathlib import Path

import numpy as np
import pytest

from aister.adapters.clock import FullSpeed
from aister.adapters.store.memory import MemoryJournal
from aister.core.audit import AskCouncil, Audit
from aister.core.errors import JournalError
from aister.core.events import DecisionMade
from aister.engine.runner import run_async, run_sync
from tests.parity.runs import built, hashes_of, journaled, run_to_end, same_chain, settings

DAYS = 14
ONE = settings(DAYS, symbols=("ETHUSDT",))
POINTS = 50


@pytest.fixture(scope="module")
def straight() -> tuple[str, str, str]:
    """Decision hash, trades hash and journal head of the uninterrupted run."""
    journal = same_chain(ONE)
    hashes = run_to_end(ONE, journal)
    assert len(hashes.lines()) > 100 and len(hashes.trade_lines()) > 10
    return hashes.decision_hash, hashes.trades_hash, journal.head


def test_paced_equals_full_speed(straight: tuple[str, str, str]) -> None:
    journal = same_chain(ONE)
    paced = built(ONE, journal)
    asyncio.run(run_async(paced.run, FullSpeed(), lambda market: None))
    assert journal.head == straight[2]


def test_killed_at_fifty_points_and_resumed_is_the_same_run(straight: tuple[str, str, str], tmp_path: Path) -> None:
    """By SIGKILL after a random number of slices, four in five while there is something to lose: from the day on which
    the risk kernel knows enough to let anybody trade. Two in three are killed again while repeating or soon after."""
    chance = np.random.default_rng(20_250_505)
    slices, trading = DAYS * 1_440, 8 * 1_440 + 720
    for point in range(POINTS):
        home = tmp_path / str(point)
        home.mkdir()
        earliest = trading if point % 5 else 1
        stops = sorted(chance.integers(earliest, slices, size=1 + point % 3).tolist())
        for stop in stops:
            _killed_after(home, stop)
        journal = journaled(home, ONE)
        run_sync(built(ONE, journal).run)
        hashes = hashes_of(journal.records())
        assert (hashes.decision_hash, hashes.trades_hash) == straight[:2], f"killed after slices {stops}"
        assert journal.head == straight[2]
        journal.close()


def _killed_after(home: Path, slices: int) -> None:
    """A process of its own takes that many slices of the run and is killed in the midst of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        interrupted = built(ONE, journaled(home, ONE)).run
        interrupted.start()
        for _ in range(slices):
            interrupted.step()
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_decisions_arrive_in_a_later_pass_than_the_one_that_asked() -> None:
    asked: dict[str, int] = {}
    lags: list[int] = []

    def watch(audit: Audit) -> None:
        for output in audit.outputs:
            if isinstance(output, AskCouncil):
                asked[output.question.id] = audit.sequence
        if isinstance(audit.event, DecisionMade):
            decision = audit.event.decision
            assert audit.sequence > asked[decision.question_id]
            lags.append(audit.event.time_ms - int(decision.setup_id.split("-")[1]))

    run_sync(built(settings(10), MemoryJournal("owner", "parity", "run"), watch).run)
    assert lags and set(lags) == {250}


def test_a_journal_of_other_settings_is_not_continued(tmp_path: Path) -> None:
    journal = journaled(tmp_path, ONE)
    first = built(ONE, journal)
    first.run.start()
    for _ in range(2_000):
        first.run.step()
    journal.flush()
    journal.close()
    reopened = journaled(tmp_path, ONE)
    other = settings(14, symbols=("ETHUSDT",), seed=2)
    with pytest.raises(JournalError, match="comes out differently"):
        built(other, reopened).run.start()


def test_the_same_seed_gives_the_same_chain_and_another_symbol_another(straight: tuple[str, str, str]) -> None:
    again = same_chain(ONE)
    assert run_to_end(ONE, again).decision_hash == straight[0]
    assert again.head == straight[2]
    assert run_to_end(settings(14, symbols=("SOLUSDT",))).decision_hash != straight[0]
