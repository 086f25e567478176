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

HOLD = "import sys, time; from pathlib import Path; from aister.adapters.store.presence import Presence; "
HOLD += "one = Presence(Path(sys.argv[1]), 'a'); print(one.alone, flush=True); time.sleep(60)"


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
        assert other.stdout.readline() == "True\n"
        held = lease.take("a", "the other")
        assert isinstance(held, Held)
        here = Presence(tmp_path, "a")
        assert not here.alone and Presence(tmp_path, "b").alone
        here.close()
        assert isinstance(lease.take("a", "me", alone=here.alone), str)
        other.kill()
        other.wait()
        here = Presence(tmp_path, "a")
        taken = lease.take("a", "me", alone=here.alone)
        assert here.alone and isinstance(taken, Held) and taken.epoch > held.epoch
        here.close()
        here.close()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
        lease.close()
    assert os.listdir(tmp_path / "locks")
