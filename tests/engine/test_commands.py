"""What an operator asks: at once, in the journal, and the same again when the run is resumed."""

import os
import signal
import warnings
from pathlib import Path

import pytest

from aister.analytics.hashes import hashes_of
from aister.core.audit import Breaker, BreakerChanged, PlanVoided, Reviewed
from aister.core.commands import AcceptRollback, ClosePosition, Command, EngageKill, ReleaseKill, Transfer
from aister.core.events import CommandGiven
from aister.core.money import UNIT
from aister.core.trade import OrderType, Purpose
from aister.engine.runner import Run, run_sync
from aister.ports.journal import Journal
from tests.engine.rig import BTC, Rig, setup
from tests.fakes.minds import Willing
from tests.parity.runs import SAMPLE_START_MS, built, journaled, settings
from tests.sim.market import MINUTE_MS, MONEY

LONG = setup(2, stop=99_000.0, targets=((101_000.0, 5_000), (103_000.0, 5_000)))
KILL, RELEASE = EngageKill("ann", "news"), ReleaseKill("ann", "quiet again")


def test_a_kill_voids_an_armed_plan() -> None:
    rig = Rig(LONG, minds=Willing(wait_ms=10 * MINUTE_MS)).bars(4).command(KILL).bar()
    assert rig.voided == ["halted: kill switch engaged by ann: news"]
    rig.bars(12)
    assert rig.said(Reviewed) == []
    assert rig.free


def test_a_kill_cancels_an_entry_that_has_not_filled() -> None:
    for entry in (0.0, 99_500.0):
        fires = setup(2, entry=entry, stop=99_000.0, targets=((101_000.0, 10_000),))
        rig = Rig(fires).bars(4).command(KILL).bar()
        assert rig.cancels() == [("rig-6-1", "halted: kill switch engaged by ann: news")]
        assert rig.resting == []
        assert rig.voided == ["entry cancelled: requested"]
        rig.bars(2)
        assert rig.steps == 0


def test_a_kill_leaves_protection_alone_and_reductions_pass() -> None:
    rig = Rig(LONG).bars(5)
    before = rig.resting
    rig.command(KILL).bar()
    assert rig.resting == before
    rig.bar(101_100.0, open=100_000.0, high=101_200.0)
    assert [one.purpose for one in rig.placed] == [Purpose.STOP]
    rig.command(ClosePosition("ann", BTC)).bar(101_100.0)
    assert [one.reason for one in rig.closed] == ["close"]
    assert rig.portfolio.wallet == rig.venue.wallet


def test_nothing_new_while_killed_and_again_after_release() -> None:
    rig = Rig(LONG, setup(8, stop=99_000.0, targets=((101_000.0, 10_000),))).command(KILL).bars(7)
    (refused,) = rig.said(Reviewed)
    assert (refused.granted_steps, refused.limit) == (0, "kill_switch")
    assert rig.free
    rig.command(RELEASE).bars(5)
    assert rig.steps > 0


def test_closing_by_hand_is_a_reduce_only_market_order_and_happens_once() -> None:
    rig = Rig(LONG).bars(5).command(ClosePosition("ann", BTC)).command(ClosePosition("bob", BTC)).bar()
    (close,) = rig.placed
    assert (close.type, close.reduce_only, close.steps) == (OrderType.MARKET, True, 50)
    assert rig.steps == 0
    rig.command(ClosePosition("ann", BTC)).command(ClosePosition("ann", "DOGEUSDT")).bar()
    assert rig.placed == []


@pytest.mark.parametrize("amount", [5_000 * MONEY, -3_000 * MONEY])
def test_a_transfer_moves_money_at_the_venue_too_and_no_breaker(amount: int) -> None:
    rig = Rig(LONG).bars(5).bar(99_500.0, open=100_000.0)
    nav, breaker, wallet = rig.portfolio.nav_per_unit, rig.risk.breaker, rig.portfolio.wallet
    drawdown = rig.risk.drawdown(rig.portfolio.equity)
    assert drawdown > 0
    rig.command(Transfer("ann", amount)).bar(99_500.0)
    assert rig.portfolio.wallet == rig.venue.wallet == wallet + amount
    assert rig.portfolio.nav_per_unit == pytest.approx(nav, rel=1e-12)
    assert rig.risk.drawdown(rig.portfolio.equity) == pytest.approx(drawdown, rel=1e-9)
    assert rig.risk.breaker is breaker is Breaker.ACTIVE
    assert rig.said(BreakerChanged) == []
    assert rig.said(PlanVoided) == []
    assert sum(rig.portfolio.ledger.balances().values()) == 0


DAYS, SYMBOL = 11, "ETHUSDT"
ONE = settings(DAYS, symbols=(SYMBOL,))
ASKED: dict[int, Command] = {
    7 * 1_440 + 30: Transfer("ann", 2_500 * UNIT),
    8 * 1_440 + 7: KILL,
    8 * 1_440 + 400: RELEASE,
    9 * 1_440: ClosePosition("bob", SYMBOL),
    9 * 1_440 + 1: Transfer("ann", -1_000 * UNIT),
    10 * 1_440 + 600: ClosePosition("bob", SYMBOL),
}
"""By the slice before which they are given."""


def drive(run: Run, first: int, last: int) -> None:
    """Take slices `first` to `last`, giving what is asked before each; what came before `first` is in the journal."""
    run.start()
    for number in range(last):
        if number >= first and number in ASKED:
            run.command(ASKED[number])
        run.step()


def test_commands_are_journaled_and_a_resumed_run_repeats_them(tmp_path: Path) -> None:
    """Killed by SIGKILL between commands, right after them, and once more while it repeats."""
    end = DAYS * 1_440 + 1
    straight = _opened(tmp_path / "straight")
    drive(built(ONE, straight).run, 0, end)
    given = [audit.event for audit in straight.records() if isinstance(audit.event, CommandGiven)]
    assert [one.command for one in given] == list(ASKED.values())
    assert [one.time_ms for one in given] == [SAMPLE_START_MS + number * MINUTE_MS for number in ASKED]
    silent = _without_commands(tmp_path / "silent")
    assert hashes_of(straight.records()).decision_hash != hashes_of(silent).decision_hash
    for name, kills in {
        "between": [8 * 1_440 + 100],
        "right after": [8 * 1_440 + 8],
        "twice": [9 * 1_440 + 2, 10 * 1_440 + 700],
        "again while repeating": [10 * 1_440 + 700, 9 * 1_440 + 1],
    }.items():
        home = tmp_path / name
        reached = 0
        for kill in kills:
            _killed_after(home, reached, kill)
            reached = max(reached, kill)
        resumed = _opened(home)
        drive(built(ONE, resumed).run, reached, end)
        assert (resumed.sequence, resumed.head) == (straight.sequence, straight.head), name
        assert [a.event for a in resumed.records() if isinstance(a.event, CommandGiven)] == given, name
        resumed.close()  # type: ignore[attr-defined]
    straight.close()  # type: ignore[attr-defined]


def _opened(home: Path) -> Journal:
    home.mkdir(exist_ok=True)
    return journaled(home, ONE)


def _without_commands(home: Path) -> list:  # type: ignore[type-arg]
    journal = _opened(home)
    run_sync(built(ONE, journal).run)
    audits = list(journal.records())
    journal.close()  # type: ignore[attr-defined]
    return audits


def _killed_after(home: Path, first: int, slices: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            drive(built(ONE, _opened(home)).run, first, slices)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_after_a_journal_was_put_back_no_order_id_comes_again() -> None:
    """The records that ask for the same orders again have the same numbers; the venue has seen those ids (D1)."""
    given = [AcceptRollback("ann", "backup", 2, 256)]
    given += [AcceptRollback("ann", "backup", 2, 256, at_ms) for at_ms in (1_790_000_000_000, 1_790_000_256_000)]
    lives = [{one.client_id for one in Rig(LONG).command(one).bars(5).placed} for one in (RELEASE, *given)]
    assert len({one.rpartition("-")[0] for life in lives for one in life}) == 1 and lives[0]
    assert len(set().union(*lives)) == len(lives) * len(lives[0])
