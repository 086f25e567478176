"""A live trader and a journal that was put back (D1): refused by what the signer and the exchange remember, until a
person has answered for it; then who and why is the next record."""

from pathlib import Path
from typing import cast

import msgspec
import pytest

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.signer.desk import Desk
from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import SqliteJournal, open_chain
from aister.adapters.store.rollback import accept_rollback, acceptance
from aister.app.trader_rollback import accepted_rollback, check_head, check_orders, write_acceptance
from aister.app.trader_seat import Connected
from aister.core.audit import PlaceOrder
from aister.core.commands import AcceptRollback
from aister.core.errors import JournalError
from aister.core.events import CommandGiven
from aister.core.trade import OrderType, Side
from tests.adapters.signer.given import Clocks, desk
from tests.engine.rig import Rig
from tests.execution.scene import SYMBOL, Scene, order
from tests.stories import bars

US, OTHERS = "ai00000000", "ai11111111"
CHAIN = "live-abc-1"


class Seat(msgspec.Struct):
    home: Path


class There(msgspec.Struct):
    """What these checks need of a connection."""

    seat: Seat
    line: Desk
    account: AsterAccount | None = None


def there(home: Path, line: Desk, account: AsterAccount | None = None) -> Connected:
    return cast(Connected, There(Seat(home), line, account))


def write(home: Path, count: int) -> SqliteJournal:
    journal = open_chain(home, "local", "abc", "live")
    for audit in bars(count, first=journal.sequence):
        journal.append(audit)
    journal.flush()
    return journal


def put_back(home: Path, line: Desk) -> SqliteJournal:
    """Journal and head file of yesterday; the signer was told of today's."""
    write(home, 30).close()
    files = {path: path.read_bytes() for path in (journal_path(home), head_path(home, CHAIN))}
    with write(home, 20) as journal:
        check_head(there(home, line), journal, None)
    for path, content in files.items():
        path.write_bytes(content)
    return open_chain(home, "local", "abc", "live")


def test_what_the_signer_remembers_is_refused_until_accepted_and_then_kept(tmp_path: Path) -> None:
    line = desk(tmp_path / "signer", Clocks())
    with put_back(tmp_path, line) as journal:
        assert accepted_rollback(there(tmp_path, line), journal) is None
        with pytest.raises(JournalError, match="accept-rollback"):
            check_head(there(tmp_path, line), journal, None)
    given = accept_rollback(tmp_path, "Ada", "the disk was restored")
    assert (given.sequence, given.remembered) == (30, 50)
    with open_chain(tmp_path, "local", "abc", "live") as journal:
        accepted = accepted_rollback(there(tmp_path, line), journal)
        assert accepted == AcceptRollback("Ada", "the disk was restored", 30, 50, given.wall_ms)
        check_head(there(tmp_path, line), journal, accepted)
        assert line.kept_head(CHAIN) == (30, journal.head)
        check_head(there(tmp_path, line), journal, None)


def test_who_answered_and_why_is_the_next_record_and_the_acceptance_is_used_up(tmp_path: Path) -> None:
    line = desk(tmp_path / "signer", Clocks())
    with put_back(tmp_path, line) as journal, pytest.raises(JournalError):
        check_head(there(tmp_path, line), journal, None)
    accept_rollback(tmp_path, "Ada", "why")
    with open_chain(tmp_path, "local", "abc", "live") as journal:
        accepted = accepted_rollback(there(tmp_path, line), journal)
        assert accepted is not None
        rig = Rig().bars(2)
        write_acceptance(there(tmp_path, line), journal, rig.run, accepted)
        assert rig.audits[-1].event == CommandGiven(rig.engine.time_ms, accepted)
        assert acceptance(tmp_path, CHAIN, journal.sequence, journal.head) is None


@pytest.mark.parametrize(
    ("client_id", "refused"),
    [(f"{US}-1e-1", True), (f"{US}-1d-1", False), (f"{OTHERS}-ff-1", False), ("web_1", False)],
)
def test_an_order_at_the_exchange_that_no_record_asked_for_is_found(
    tmp_path: Path, client_id: str, refused: bool
) -> None:
    """The journal ends at record 30 (1e)."""
    scene = Scene()

    async def story() -> str:
        await scene.account.place(order(client_id, Side.BUY, 10, type=OrderType.LIMIT, price_ticks=900_000))
        connection = there(tmp_path, desk(tmp_path / "signer", Clocks()), scene.account)
        with write(tmp_path, 30) as journal:
            try:
                await check_orders(connection, journal, US, (SYMBOL,), scene.start_ms)
            except JournalError as error:
                return str(error)
        return ""

    told = scene.play(story)
    assert ("record 30" in told and "accept-rollback" in told) is refused
    if refused:
        assert accept_rollback(tmp_path, "Ada", "why").remembered == 31


def test_a_stop_taken_over_from_an_earlier_run_is_no_sign_of_it(tmp_path: Path) -> None:
    scene = Scene()

    async def story() -> None:
        await scene.account.place(order(f"{US}-aa-1"))
        await scene.wait(100)
        connection = there(tmp_path, desk(tmp_path / "signer", Clocks()), scene.account)
        with write(tmp_path, 30) as journal:
            await check_orders(connection, journal, US, (SYMBOL,), scene.start_ms, (f"{US}-aa-1",))

    scene.play(story)


def test_a_trade_that_no_record_asked_for_is_found_too(tmp_path: Path) -> None:
    scene = Scene()

    async def story() -> None:
        await scene.account.place(order(f"{US}-aa-1"))
        await scene.wait(100)
        connection = there(tmp_path, desk(tmp_path / "signer", Clocks()), scene.account)
        with write(tmp_path, 30) as journal:
            with pytest.raises(JournalError, match="record 170"):
                await check_orders(connection, journal, US, (SYMBOL,), scene.start_ms)
            await check_orders(connection, journal, US, (SYMBOL,), scene.account.now_ms() + 1)

    scene.play(story)


@pytest.mark.parametrize(("asked", "refused"), [(f"{US}-aa-1", False), (f"{US}-aa-2", True)])
def test_an_order_of_another_run_of_this_home_is_no_sign_of_it(tmp_path: Path, asked: str, refused: bool) -> None:
    """Run A ends at record 30, run B of other settings went on to 171 (ab), A is started again."""
    scene = Scene()
    bought = order(f"{US}-aa-1")

    async def story() -> bool:
        await scene.account.place(order(asked))
        await scene.wait(100)
        with open_chain(tmp_path, "local", "other", "live") as other:
            for audit in bars(171):
                outputs = (PlaceOrder(bought),) if audit.sequence == 170 else audit.outputs
                other.append(msgspec.structs.replace(audit, outputs=outputs))
            other.flush()
        connection = there(tmp_path, desk(tmp_path / "signer", Clocks()), scene.account)
        with write(tmp_path, 30) as journal:
            try:
                await check_orders(connection, journal, US, (SYMBOL,), scene.start_ms)
            except JournalError as error:
                return "record 170" in str(error)
        return False

    assert scene.play(story) is refused
