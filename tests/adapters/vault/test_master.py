"""Which key-encryption keys are taken, and the sentence for each that is not."""

from pathlib import Path

import pytest

from aister.adapters.vault import master as at
from aister.adapters.vault.master import FROM, master, renewed, retired
from aister.core.errors import CredentialError, StorageError

GOOD = "8f3ac1d9e407b6521c9ad8837e60f5b2d41f7a936e0c58b2a1947fd3c8e61b05"
OTHER = "05b61ec8d37f94a1b2580c6e937a1fd4b2f5607e83d89a1c52b607e4d9c13a8f"


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(FROM, raising=False)
    monkeypatch.setattr(at, "_CONTAINER", tmp_path / "run" / "aister_kek")


def put(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_first_start_makes_a_good_one_for_its_owner_only(tmp_path: Path) -> None:
    made = master(tmp_path, make=True)
    file = tmp_path / "keys" / "master"
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert master(tmp_path, make=True).current.id == made.current.id, "made once"
    assert len(made.current.secret) == 32 and made.current.secret.hex() + "\n" == file.read_text() and made.ours
    assert master(tmp_path / "second", make=True).current.id != made.current.id


def test_a_missing_one_is_never_made_where_secrets_exist(tmp_path: Path) -> None:
    with pytest.raises(CredentialError, match=r"keys/master is missing; put it back"):
        master(tmp_path)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "text",
    [
        "00" * 32,
        "ff" * 32,
        "0123456789abcdef" * 4,
        bytes(range(32)).hex(),
        bytes(range(0, 64, 2)).hex(),
        bytes(range(255, 223, -1)).hex(),
        (bytes(range(16)) * 2).hex(),
        GOOD[:32] * 2,
        b"correct horse battery staple 123".hex(),
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",  # sha256 of "password"
        "057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86",  # sha256 of "changeme"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # sha256 of nothing
        f"{GOOD}\n{'00' * 32}",
    ],
)
def test_weak_and_default_keys_are_refused(tmp_path: Path, text: str) -> None:
    put(tmp_path / "keys" / "master", text)
    with pytest.raises(CredentialError, match="weak or well-known key; use one made by chance"):
        master(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "\n", "changeme", GOOD[:-1], GOOD + "0", f"0x{GOOD}", f"# {GOOD}", f"{GOOD}\n" * 9]
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    put(tmp_path / "keys" / "master", text)
    with pytest.raises(CredentialError, match="64 hexadecimal digits") as told:
        master(tmp_path)
    assert GOOD[:12] not in str(told.value)


def test_bytes_that_are_no_text_and_a_key_twice_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "keys" / "master", "").write_bytes(b"\xff" * 32)
    with pytest.raises(CredentialError, match="64 hexadecimal digits"):
        master(tmp_path)
    put(tmp_path / "keys" / "master", f"{GOOD}\n{GOOD.upper()}\n")
    with pytest.raises(CredentialError, match="same key twice"):
        master(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_one_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path / "keys" / "master", GOOD, mode)
    with pytest.raises(CredentialError, match="can be read by others"):
        master(tmp_path, make=True)


def test_a_link_and_an_open_folder_are_refused(tmp_path: Path) -> None:
    real = put(tmp_path / "real", GOOD)
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "master").symlink_to(real)
    with pytest.raises(CredentialError, match="plain file"):
        master(tmp_path, make=True)
    (tmp_path / "keys" / "master").unlink()
    put(tmp_path / "keys" / "master", GOOD)
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(CredentialError, match="can be written by others"):
        master(tmp_path)


def test_a_named_file_goes_first_then_the_containers_then_the_homes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, named = tmp_path / "home", put(tmp_path / "given", OTHER)
    mine = master(home, make=True).current.id
    put(tmp_path / "run" / "aister_kek", GOOD)
    held = master(home)
    assert held.current.id not in (mine, "") and not held.ours
    monkeypatch.setenv(FROM, str(named))
    assert master(home).current.id not in (mine, held.current.id) and not master(home).ours
    named.unlink()
    with pytest.raises(CredentialError, match="given is missing"):
        master(home, make=True)
    assert not named.exists(), "what is not ours is not made"


def test_a_new_key_goes_above_the_old_one_and_then_stays_alone(tmp_path: Path) -> None:
    first = master(tmp_path, make=True)
    held = renewed(first)
    assert [held.current.id, *(kek.id for kek in held.older)] == [held.current.id, first.current.id]
    read = master(tmp_path)
    assert read.find(first.current.id) is not None and read.current.id == held.current.id != first.current.id
    retired(read)
    assert master(tmp_path).find(first.current.id) is None and not master(tmp_path).older
    assert (tmp_path / "keys" / "master").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(StorageError, match="cannot be made"):
        master(tmp_path, make=True)
