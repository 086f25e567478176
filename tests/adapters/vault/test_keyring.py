"""Keys in files, and the environment's where there is no file."""

import os
import pickle
from pathlib import Path

import pytest

from aister.adapters.vault.keyring import Keyring, take_environment
from aister.core.errors import CredentialError
from tests.adapters.signer.given import KEY, USER

OTHER = "33" * 32


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("aister.adapters.vault.keyring._TAKEN", {})
    (tmp_path / "keys").mkdir(mode=0o700)
    return tmp_path


def give(monkeypatch: pytest.MonkeyPatch, name: str, key: str) -> None:
    for field, value in (("NET", "testnet"), ("ACCOUNT", USER), ("KEY", key)):
        monkeypatch.setenv(f"AISTER_KEY_{name}_{field}", value)


def write(home: Path, name: str, mode: int = 0o600) -> None:
    file = home / "keys" / f"{name}.toml"
    file.touch(mode)
    file.write_text(f'net = "testnet"\naccount = "{USER}"\nkey = "{KEY.hex()}"\n')
    file.chmod(mode)


def test_a_file_goes_before_the_environment_and_every_keyring_of_the_process_has_both(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, "mine")
    give(monkeypatch, "MINE", OTHER)
    give(monkeypatch, "MY_BOT", OTHER)
    take_environment()
    assert not [name for name in os.environ if name.startswith("AISTER_KEY_")], "no child inherits them"
    for _ in range(2):
        ring = Keyring(home)
        assert ring.names() == ["mine", "my-bot"]
        assert ring.credential("mine").key == KEY and ring.filed("mine")
        assert ring.credential("my-bot").key.hex() == OTHER and not ring.filed("my-bot")


def test_a_file_that_may_not_be_used_is_not_passed_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "mine", 0o644)
    give(monkeypatch, "MINE", OTHER)
    with pytest.raises(CredentialError, match="chmod 600"):
        Keyring(home).credential("mine")


def test_a_key_that_is_nowhere_is_told_with_both_places(home: Path) -> None:
    with pytest.raises(CredentialError, match=r"There is no key my-bot; write .*my-bot.toml .*AISTER_KEY_MY_BOT_KEY"):
        Keyring(home).credential("my-bot")
    with pytest.raises(CredentialError, match="name is up to 32"):
        Keyring(home).credential("../x")


def test_nothing_of_it_is_shown_or_pickled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, "MINE", OTHER)
    ring = Keyring(home)
    assert OTHER not in repr(ring) + repr(vars(ring))
    with pytest.raises(TypeError):
        pickle.dumps(ring)
