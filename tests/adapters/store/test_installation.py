"""The name of an installation, and who is alone with an account."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aister.adapters.store.installation import installation
from aister.adapters.store.lease import SqliteLease
from aister.adapters.store.presence import Presence
from aister.core.errors import StorageError
from aister.execution.identity import client_id, instance_of
from aister.ports.lease import Held

HOLD = """
import sys, time
from pathlib import Path
from aister.adapters.store.lease import SqliteLease
from aister.adapters.store.presence import Presence
here, lease = Presence(Path(sys.argv[1]), "a"), SqliteLease(Path(sys.argv[1]))
held = lease.take("a", "the other", dead=here.dead)
here.keep(held.epoch)
print(held.epoch, flush=True)
time.sleep(60)
"""


def test_it_is_made_once_and_every_order_id_carries_it(tmp_path: Path) -> None:
    made = installation(tmp_path)
    assert installation(tmp_path) == made == instance_of(client_id(made, 17, 2))
    assert (tmp_path / "instance").stat().st_mode & 0o077 == 0
    assert installation(tmp_path / "other") != made


def test_a_copy_of_a_home_does_not_trade_under_its_name(tmp_path: Path) -> None:
    first = installation(tmp_path / "home")
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    with pytest.raises(StorageError, match=r"is a copy of another AISTER_HOME.*delete .*instance"):
        installation(tmp_path / "copy")
    (tmp_path / "copy" / "instance").unlink()
    assert installation(tmp_path / "copy") != first == installation(tmp_path / "home")


@pytest.mark.parametrize("content", ["", "{}", '{"id": 5, "place": 1}'])
def test_a_file_that_is_none_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "instance").write_text(content)
    with pytest.raises(StorageError, match="delete it once nothing of this installation rests"):
        installation(tmp_path)


def test_who_died_need_not_be_waited_for_and_who_stands_still_must(tmp_path: Path) -> None:
    lease = SqliteLease(tmp_path)
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "1\n"
        here = Presence(tmp_path, "a")
        assert here.dead == -1 and here.epoch == 1
        here.close()
        assert isinstance(lease.take("a", "me", dead=here.dead), str)
        other.kill()
        other.wait()
        here = Presence(tmp_path, "a")
        taken = lease.take("a", "me", dead=here.dead)
        assert here.dead == 1 and isinstance(taken, Held) and taken.epoch == 2
        here.close()
        here.close()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
        lease.close()
    assert os.listdir(tmp_path / "locks")


def test_nobody_robs_the_one_who_took_over_from_a_trader_that_stood_still(tmp_path: Path) -> None:
    """A stands still, B takes over without A's lock, A dies, C starts."""
    now = [0.0]
    lease = SqliteLease(tmp_path, monotonic=lambda: now[0])
    first = Presence(tmp_path, "a")
    held = lease.take("a", "A", dead=first.dead)
    assert isinstance(held, Held)
    first.keep(held.epoch)
    second = Presence(tmp_path, "a")
    now[0] = 11.0
    overtaken = lease.take("a", "B", dead=second.dead)
    assert isinstance(overtaken, Held)
    second.keep(overtaken.epoch)
    first.close()
    third = Presence(tmp_path, "a")
    assert isinstance(lease.take("a", "C", dead=third.dead), str) and third.dead == held.epoch
    third.close()
    assert lease.renew(overtaken) is not None
    second.keep(overtaken.epoch)  # the lock is free now: C, were it started again, knows who B is
    assert Presence(tmp_path, "a").dead == -1
    second.close()
    fourth = Presence(tmp_path, "a")
    assert fourth.dead == overtaken.epoch and isinstance(lease.take("a", "D", dead=fourth.dead), Held)
    fourth.close()
    lease.close()


@pytest.mark.parametrize("content", ["", "7", "x" * 20, "9" * 40])
def test_a_lock_that_says_nothing_proves_nothing(tmp_path: Path, content: str) -> None:
    Presence(tmp_path, "a").close()
    (file,) = (tmp_path / "locks").iterdir()
    file.write_text(content)
    assert Presence(tmp_path, "a").dead == -1
