"""What a person says at a trader's start, over sockets: take over what is held, trade again, money was moved."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aister.adapters.store.installation import installation
from aister.adapters.store.journal import SqliteJournal
from aister.app.trader import Trader
from aister.app.trader_ways import Ways, give
from aister.app.watcher import end_watcher
from aister.core.audit import Audit, Breaker
from aister.core.commands import ABSENCE, AcceptAbsence, Command, ResumeTrading, Transfer
from aister.core.errors import ProgramFault, UsageError
from aister.core.events import CommandGiven, MoneyBooked, OrderFilled, PositionFound
from aister.core.money import UNIT
from tests.adapters.signer.canary import KEY, leaks
from tests.adapters.signer.given import USER
from tests.app.served import NAME, SYMBOL, Served
from tests.app.told import BOOKS_READ, Told
from tests.engine.rig import Rig


@pytest.fixture
def served() -> Iterator[Served]:
    with TemporaryDirectory(prefix="aister-") as folder:
        home = Path(folder) / "h"
        home.mkdir(mode=0o700)
        made = Served(home)
        try:
            yield made
        finally:
            end_watcher(home, NAME)
            made.stop()


def hold(served: Served, *, stop: bool, of: str) -> None:
    """0.01 bought by `of`, and a stop that closes it."""
    orders = [f"side=BUY&type=MARKET&quantity=0.010&newClientOrderId={of}-2e-1"]
    if stop:
        orders.append(f"side=SELL&type=STOP_MARKET&stopPrice=90000&closePosition=true&newClientOrderId={of}-2f-1")
    for order in orders:
        served.fault("foreign_order", text=f"symbol={SYMBOL}&{order}")
        served.call(lambda: None)


def test_a_new_run_takes_over_what_an_earlier_one_held_with_its_stop(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    us = installation(served.home)
    hold(served, stop=True, of=us)
    with pytest.raises(UsageError, match=r"take it over with --found adopt"):
        Told(served)
    with pytest.raises(UsageError, match=r"held at 20 x, cross, .*give --leverage 20 --margin cross"):
        Told(served, Ways(found="adopt"), leverage=3)
    assert not served.sent() and served.steps == 10

    first = Told(served, Ways(found="adopt"))
    taken = f"Taken over by --found adopt: AsterDex simulator: {SYMBOL} long 0.010, stop 90000.0 rests there"
    assert taken in first.said
    assert first.said.index(taken) < next(i for i, one in enumerate(first.said) if one.startswith(BOOKS_READ))
    (found,) = [one.event for one in first.audits if isinstance(one.event, PositionFound)]
    assert found.stop is not None and found.stop.client_id == f"{us}-2f-1"
    fills = [one.event.fill.steps for one in first.audits if isinstance(one.event, OrderFilled)]
    assert fills == [10] and served.resting() == [(f"{us}-2f-1", True)] and not served.sent()

    with pytest.raises(UsageError, match="go on with the run that opened it"):
        Told(served, fresh=True)  # and that run is still there to go on with
    read: list[SqliteJournal] = []
    records = SqliteJournal.records

    def counted(journal: SqliteJournal) -> Iterator[Audit]:
        read.append(journal)
        return records(journal)

    monkeypatch.setattr(SqliteJournal, "records", counted)
    again = Told(served)  # the same run goes on, and its stop is no sign of a journal that was put back
    assert len(read) == 2, "the first record for who began, then all of them once"
    assert "An unfinished run of these settings was found" in again.text
    assert "long 0.010, stop 90000.0 rests there" in again.stands
    assert served.steps == 10 and served.resting() == [(f"{us}-2f-1", True)] and not served.sent()


def test_a_stop_of_somebody_else_gets_one_of_ours_beside_it(served: Served) -> None:
    hold(served, stop=True, of="web")
    told = Told(served, Ways(found="adopt"), until=lambda one: len(served.resting()) == 2)
    assert "entries frozen" in told.stands or "was placed by somebody else" in told.built.engine.risk.frozen["foreign"]
    assert served.steps == 10 and [closes for _, closes in served.resting()] == [True, True]
    assert len(served.sent()) == 1 and "stop 90000.0 rests there" in told.stands


def test_what_no_stop_closes_is_refused_with_the_remedy_and_closed_where_that_is_asked_for(served: Served) -> None:
    hold(served, stop=False, of="web")
    with pytest.raises(UsageError, match=r"no stop there closes it whole.*--found flatten"):
        Told(served, Ways(found="adopt"))
    assert not served.sent() and served.steps == 10

    def closed(told: Told) -> bool:
        return "nothing is held" in told.trader.said() and served.books.terms[SYMBOL].leverage == 3

    told = Told(served, Ways(found="flatten"), until=closed, leverage=3)  # held at 20 x, which is of no account then
    assert (
        served.steps == 0
        and served.books.terms[SYMBOL].leverage == 3
        and served.resting() == []
        and len(served.sent()) == 1
    )
    assert "nothing is held" in told.stands


def test_a_trader_that_halted_trades_again_when_somebody_says_why(served: Served) -> None:
    hold(served, stop=True, of=installation(served.home))

    def liquidated(told: Told) -> None:
        exchange = served.exchange
        served.call(
            lambda: exchange.trading.force_close(served.books, SYMBOL, 0, 10_000, "autoclose-", exchange.now_ms)
        )

    first = Told(served, Ways(found="adopt"), meanwhile=liquidated, until=lambda one: halted(one.trader))
    assert halted(first.trader) and "nothing is held" in first.stands
    again = Told(served)
    assert halted(again.trader), "a restart is nobody's word"
    resumed = Told(served, Ways(absence_by="ann", resume_reason="it was the simulator"), until=given)
    assert given(resumed) == [ResumeTrading("ann", "it was the simulator")] and not halted(resumed.trader)

    again = Told(served, Ways(absence_by="ann", resume_reason="it was the simulator"))
    assert len(given(again)) == 1, "the journal's own; a flag that stands in the command is no second word"


def test_a_reason_speaks_once_however_often_the_command_is_started() -> None:
    rig, said = Rig().bars(2), list[str]()
    ways = Ways(absence_by="ann", absence_reason="was on holiday", resume_reason="it was the simulator")

    def start(before: list[Command]) -> list[Command]:
        already = len(rig.audits)
        wallet = rig.engine.portfolio.wallet
        give(ways, rig.run, {ABSENCE: "away"}, wallet, lambda: rig.engine.time_ms, said.append, before)
        return [one.event.command for one in rig.audits[already:] if isinstance(one.event, CommandGiven)]

    first = start([])
    assert first == [AcceptAbsence("ann", "was on holiday"), ResumeTrading("ann", "it was the simulator")] and not said
    assert start(first) == []
    assert said == [
        "--accept-absence 'was on holiday' was said before and speaks for that time only; look, and say why anew."
    ]
    assert start([AcceptAbsence("ann", "lost the key"), *first[1:]]) == first[:1]


def test_money_moved_unseen_is_booked_when_the_sum_is_right_and_only_once(served: Served) -> None:
    Told(served)
    served.call(lambda: served.books.venue.deposit(7 * UNIT))  # and the venue's income says nothing of it
    wrong = Told(served, Ways(absence_by="ann", transfer=5 * UNIT), until=lambda one: "not booked" in one.text)
    assert "The transfer of 5.00 was not booked: the wallet differs from the ledger by 7.00." in wrong.said
    right = Told(served, Ways(absence_by="ann", transfer=7 * UNIT), until=given)
    assert given(right) == [Transfer("ann", 7 * UNIT)]
    assert (right.trader.built.engine.portfolio.wallet, right.trader.built.engine.portfolio.nav_per_unit) == (
        10_007 * UNIT,
        1.0,
    )

    served.fault("transfer", value=500 * UNIT)
    itself = Told(served, until=lambda one: any(isinstance(audit.event, MoneyBooked) for audit in one.audits))
    assert itself.trader.built.engine.portfolio.wallet == 10_507 * UNIT and "money" not in itself.trader.standing()


def test_a_key_of_the_environment_trades_and_is_watched_and_is_left_nowhere(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aister.adapters.vault.keyring._TAKEN", {})
    (served.home / "keys" / f"{NAME}.toml").unlink()
    told = {"NET": "simulator", "ACCOUNT": USER, "KEY": f"0x{KEY.hex()}", "ORIGIN": served.where.rest}
    for field, value in told.items():
        monkeypatch.setenv(f"AISTER_KEY_{NAME.upper()}_{field}", value)
    hold(served, stop=False, of="web")

    def done(one: Told) -> bool:
        return bool(one.trader.watcher.pid) and "nothing is held" in one.trader.said()

    life = Told(served, Ways(found="flatten"), until=done)
    assert life.trader.watcher.starts == 1 and served.steps == 0 and len(served.sent()) == 1
    assert not leaks(life.text) and not [name for name in os.environ if name.startswith("AISTER_KEY_")]
    assert not any(leaks(one.read_bytes()) for one in served.home.rglob("*") if one.is_file())


def test_a_fault_of_the_program_ends_the_trader_with_a_farewell_and_one_sentence(served: Served) -> None:
    hold(served, stop=True, of=installation(served.home))
    leaving: list[Told] = []

    def fault(told: Told) -> None:
        leaving.append(told)
        told.trader.built.run.hear = None  # type: ignore[method-assign,assignment]

    with pytest.raises(ProgramFault, match=r"ended by a fault of the program \(TypeError: .*start the same command"):
        Told(served, Ways(found="adopt"), meanwhile=fault, until=lambda told: False)
    (told,) = leaving
    assert f"{SYMBOL} long 0.010, stop 90000.0 rests there; the watcher withdraws entries" in told.said[-1]


def halted(trader: Trader) -> bool:
    return trader.built.engine.risk.breaker is Breaker.HALTED


def given(told: Told) -> list[Command]:
    return [one.event.command for one in told.audits if isinstance(one.event, CommandGiven)]
