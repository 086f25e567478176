"""Keys in files, sealed and rotated: both forms are read, a changed host voids, a crash loses none."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aister.adapters.vault import master as at
from aister.adapters.vault import sealing
from aister.adapters.vault.file import FileVault
from aister.adapters.vault.keyring import Keyring
from aister.adapters.vault.master import FROM, master
from aister.adapters.vault.sealing import kept, rotate, seal_files
from aister.core.errors import CredentialError, UsageError
from tests.adapters.signer.given import KEY, USER

OTHER = "0x" + "33" * 31 + "34"
KEK = "8f3ac1d9e407b6521c9ad8837e60f5b2d41f7a936e0c58b2a1947fd3c8e61b05"
SECOND = "05b61ec8d37f94a1b2580c6e937a1fd4b2f5607e83d89a1c52b607e4d9c13a8f"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(FROM, raising=False)
    monkeypatch.setattr(at, "_CONTAINER", tmp_path / "none")
    monkeypatch.setattr("aister.adapters.vault.keyring._TAKEN", {})
    home = tmp_path / "home"
    (home / "keys").mkdir(mode=0o700, parents=True)
    write(home, "main")
    write(home, "sim", net="simulator", key=OTHER, origin="http://127.0.0.1:7001")
    write(home, "old", scheme="v1", account="apikey-12345", key='s#e"c\\ret-123')
    return home


def write(home: Path, name: str, expires: str = "2027-03-31", **changes: str) -> Path:
    fields = {"net": "testnet", "account": USER, "key": "0x" + KEY.hex()} | changes
    lines = [f"{field} = '{value}'\n" for field, value in fields.items()]
    path = home / "keys" / f"{name}.toml"
    path.touch(0o600)
    path.write_text(f"# my key {fields['key']}\n" + "".join(lines) + f"expires = {expires}\n")
    return path


def file(home: Path, name: str = "main") -> Path:
    return home / "keys" / f"{name}.toml"


def test_sealed_keys_read_as_the_plain_ones_did_and_hold_nothing_in_any_spelling(home: Path) -> None:
    vault = FileVault(home)
    before = [vault.credential(name) for name in vault.names()]
    assert seal_files(home, ["main"]) == ["main"] and not vault.sealed("sim")
    assert seal_files(home, []) == ["old", "sim"] and seal_files(home, []) == []
    assert [vault.credential(name) for name in vault.names()] == before
    assert [Keyring(home).credential(one.name) for one in before] == before
    for one in before:
        text = file(home, one.name).read_bytes()
        for form in (
            one.key,
            one.key.hex().encode(),
            base64.b64encode(one.key).rstrip(b"="),
            base64.b64encode(one.key.hex().encode())[:40],
        ):
            assert form not in text and b"#" not in text, "no key and no comment is left"
        assert file(home, one.name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('net = "testnet"', 'net = "mainnet"'),
        (f'account = "{USER}"', f'account = "0x{"22" * 20}"'),
        ('net = "testnet"', 'net = "simulator"\norigin = "http://127.0.0.1:7001"'),
        ('key = "sealed.1', 'key = "sealed.2'),
        ('key = "sealed.1.', 'scheme = "v1"\nkey = "sealed.1.'),
    ],
)
def test_a_changed_host_account_or_scheme_voids_the_key_until_it_is_put_back(home: Path, old: str, new: str) -> None:
    seal_files(home, ["main"])
    whole = file(home).read_text()
    file(home).write_text(whole.replace(old, new))
    assert file(home).read_text() != whole
    with pytest.raises(CredentialError, match="enter the key anew"):
        FileVault(home).credential("main")
    assert kept(home)[0].why
    file(home).write_text(whole)
    assert FileVault(home).credential("main").key == KEY


def test_a_simulators_other_port_and_another_files_name_void_too(home: Path) -> None:
    seal_files(home, [])
    file(home, "sim").write_text(file(home, "sim").read_text().replace(":7001", ":7002"))
    file(home, "second").touch(0o600)
    file(home, "second").write_text(file(home).read_text())
    for name in ("sim", "second"):
        with pytest.raises(CredentialError, match=r"toml: What is sealed .* another name, account or host"):
            FileVault(home).credential(name)


def test_an_end_date_may_change(home: Path) -> None:
    seal_files(home, [])
    file(home).write_text(file(home).read_text().replace("2027-03-31", "2028-03-31"))
    assert FileVault(home).credential("main").expires_ms == datetime(2028, 3, 31, tzinfo=UTC).timestamp() * 1_000


def test_without_the_master_nothing_opens_and_no_new_one_is_made(home: Path) -> None:
    seal_files(home, ["main"])
    (home / "keys" / "master").unlink()
    for act in (lambda: FileVault(home).credential("main"), lambda: seal_files(home, ["sim"]), lambda: rotate(home)):
        with pytest.raises(CredentialError, match="master is missing; put it back"):
            act()
    assert not (home / "keys" / "master").exists() and FileVault(home).credential("sim")


def test_a_file_nobody_can_tell_of_stops_what_could_lose_it(home: Path) -> None:
    seal_files(home, ["main", "sim"])
    before = (home / "keys" / "master").read_text()
    file(home, "sim").chmod(0o644)
    with pytest.raises(CredentialError, match="chmod 600"):
        rotate(home)
    file(home, "sim").chmod(0o600)
    file(home, "sim").write_text("not = = toml")
    with pytest.raises(CredentialError, match="is no TOML"):
        rotate(home)
    assert (home / "keys" / "master").read_text() == before


def test_one_key_that_opens_no_more_stops_a_rotation_before_anything_is_changed(home: Path) -> None:
    seal_files(home, [])
    file(home, "sim").write_text(file(home, "sim").read_text().replace(":7001", ":7002"))
    before = {path.name: path.read_bytes() for path in (home / "keys").iterdir()}
    with pytest.raises(CredentialError, match=r"sim.toml: What is sealed"):
        rotate(home)
    assert {path.name: path.read_bytes() for path in (home / "keys").iterdir()} == before


def test_rotation_renews_the_master_and_the_old_one_opens_nothing(home: Path) -> None:
    seal_files(home, ["main", "sim"])
    old_master, old_text = (home / "keys" / "master").read_text(), file(home).read_text()
    told = rotate(home)
    held = master(home)
    assert (told.kek, told.names, told.older) == (held.current.id, ["main", "sim"], 0) and not held.older
    assert [one.kek for one in kept(home)] == [told.kek, "", told.kek]
    assert FileVault(home).credential("main").key == KEY and FileVault(home).credential("old")
    assert file(home).read_text() != old_text
    (home / "keys" / "master").write_text(old_master)
    with pytest.raises(CredentialError, match=rf"key-encryption key {told.kek}, which .* does not hold"):
        FileVault(home).credential("main")


@pytest.mark.parametrize("write_at", range(7))
def test_a_rotation_cut_off_at_any_write_loses_no_key_and_ends_with_one_master(
    home: Path, monkeypatch: pytest.MonkeyPatch, write_at: int
) -> None:
    seal_files(home, [])
    left = iter(range(write_at))

    def cut(real: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
        def written(path: Path, text: str) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            real(path, text)

        return written

    with monkeypatch.context() as patch:
        for module in (at, sealing):
            patch.setattr(module, "write_private", cut(module.write_private))
        if write_at < 5:  # the new master, three keys, the new master alone
            with pytest.raises(KeyboardInterrupt):
                rotate(home)
        else:
            rotate(home)
    assert [FileVault(home).credential(name).name for name in ("main", "old", "sim")] == ["main", "old", "sim"]
    (home / "keys" / ".master.new").write_text("cut off while it was written")
    told = rotate(home)
    assert not master(home).older and {one.kek for one in kept(home)} == {told.kek}
    assert not list((home / "keys").glob(".*.new")), "no draft with a key in it stays"


def test_a_master_of_somebody_else_is_read_and_never_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = home / "given"
    given.touch(0o600)
    given.write_text(KEK)
    monkeypatch.setenv(FROM, str(given))
    seal_files(home, ["main"])
    assert not (home / "keys" / "master").exists()
    with pytest.raises(UsageError, match=r"put a new key .* above the old one"):
        rotate(home)
    given.write_text(f"{SECOND}\n{KEK}\n")
    told = rotate(home)
    assert (told.older, given.read_text()) == (1, f"{SECOND}\n{KEK}\n")
    given.write_text(SECOND)
    assert FileVault(home).credential("main").key == KEY and kept(home)[0].kek == told.kek


def test_a_process_without_our_environment_reads_only_what_needs_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_files(home, ["main"])
    assert Keyring(home).filed("main") and Keyring(home).filed("sim")
    given = home / "given"
    given.touch(0o600)
    given.write_text((home / "keys" / "master").read_text())
    monkeypatch.setenv(FROM, str(given))
    ring = Keyring(home)
    assert (ring.filed("main"), ring.filed("sim")) == (False, True)
    assert ring.credential("main").key == KEY and not ring.given("main"), "it is a file's all the same"


def test_a_sealed_key_in_the_environment_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seal_files(home, ["old"])
    sealed = file(home, "old").read_text().split('key = "')[1].split('"')[0]
    for field, value in (("NET", "testnet"), ("SCHEME", "v1"), ("ACCOUNT", "apikey-12345"), ("KEY", sealed)):
        monkeypatch.setenv(f"AISTER_KEY_OTHER_{field}", value)
    with pytest.raises(CredentialError, match="sealed, which only a file's can be"):
        Keyring(home).credential("other")


def test_nothing_to_seal_or_to_rotate_is_said(home: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is sealed"):
        rotate(home)
    with pytest.raises(CredentialError, match="There is no key moon"):
        seal_files(home, ["main", "moon"])
    assert not FileVault(home).sealed("main") and not (home / "keys" / "master").exists()
    for path in (home / "keys").glob("*.toml"):
        path.unlink()
    with pytest.raises(UsageError, match="no keys in files"):
        seal_files(home, [])
    assert kept(home) == []
