"""Which keys are taken from a file, and the sentence for each that is not."""

import os
from pathlib import Path

import pytest

from aister.adapters.vault.file import FileVault
from aister.core.errors import CredentialError
from tests.adapters.signer.given import AGENT, KEY, USER

DAY_MS = 86_400_000
TWELVE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def write(home: Path, name: str = "main", mode: int = 0o600, **changes: str | None) -> Path:
    """A key file with these lines changed; those of None are left out."""
    fields: dict[str, str | None] = {"scheme": "v3", "net": "testnet", "account": USER, "key": "0x" + KEY.hex()}
    fields |= changes
    (home / "keys").mkdir(mode=0o700, exist_ok=True)
    path = home / "keys" / f"{name}.toml"
    lines = [f'{field} = "{value}"\n' for field, value in fields.items() if value is not None]
    path.write_text("".join(lines))
    path.chmod(mode)
    return path


def test_an_agents_key_is_taken_with_and_without_0x_and_spaces_around(tmp_path: Path) -> None:
    vault = FileVault(tmp_path)
    for key in (KEY.hex(), "0x" + KEY.hex(), f"  0x{KEY.hex().upper()}\t"):
        write(tmp_path, key=key)
        got = vault.credential("main")
        assert (got.key, got.scheme, got.account, got.net) == (KEY, "v3", USER, "testnet")
        assert got.origin == "https://fapi.asterdex-testnet.com" and got.expires_ms == 0
    write(tmp_path, "second", net="mainnet", scheme=None)
    assert vault.names() == ["main", "second"]
    assert vault.credential("second").origin == "https://fapi.asterdex.com"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"account": AGENT}, "main wallet key; create an agent"),
        ({"account": AGENT.lower()}, "main wallet key; create an agent"),
        ({"account": AGENT.lower(), "key": KEY.hex()}, "main wallet key; create an agent"),
        ({"account": AGENT.lower(), "key": f" 0x{KEY.hex()} "}, "main wallet key; create an agent"),
        ({"key": TWELVE}, "list of words"),
        ({"key": f"{TWELVE} {TWELVE}"}, "list of words"),
        ({"key": KEY.hex()[:-1]}, "64 hexadecimal digits"),
        ({"key": KEY.hex() + "1"}, "64 hexadecimal digits"),
        ({"key": "0X" + KEY.hex()}, "64 hexadecimal digits"),
        ({"key": KEY.hex()[:32] + " " + KEY.hex()[32:]}, "64 hexadecimal digits"),
        ({"key": "0" * 64}, "32 bytes"),
        ({"key": "f" * 64}, "32 bytes"),
        ({"key": None}, "key is missing"),
        ({"account": None}, "account is missing"),
        ({"account": "me"}, "address of your main wallet"),
        ({"net": None}, "net is missing"),
        ({"net": "moon"}, "choose mainnet, testnet or simulator"),
        ({"scheme": "v2"}, "scheme is v3"),
        ({"scheme": "v1", "net": "mainnet"}, "not traded with on mainnet"),
        ({"origin": "https://evil.example"}, "no host of AsterDex's testnet"),
        ({"origin": "https://fapi.asterdex.com"}, "no host of AsterDex's testnet"),
        ({"net": "simulator", "origin": "http://10.0.0.1:1"}, "on this machine only"),
        ({"net": "simulator"}, "no address of an exchange"),
        ({"expires": "soon"}, "expires is a date"),
        ({"mnemonic": TWELVE}, "says more than"),
    ],
)
def test_what_is_not_an_agents_key_for_a_known_host_is_refused_in_a_sentence(
    tmp_path: Path, changes: dict[str, str | None], says: str
) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(CredentialError, match=says) as refused:
        FileVault(tmp_path).credential("main")
    told = str(refused.value)
    assert told.startswith((str(path), "A private key")) and told.endswith(".")
    assert KEY.hex()[:12] not in told and "winner" not in told


def test_an_old_api_key_is_for_testnet_and_simulator(tmp_path: Path) -> None:
    write(tmp_path, scheme="v1", account="AbCdEf123456", key="sEcReT-of-the-old-kind")
    assert FileVault(tmp_path).credential("main").key == b"sEcReT-of-the-old-kind"
    write(tmp_path, net="simulator", origin="http://127.0.0.1:8080", scheme="v1", account="AbCdEf12", key="12345678")
    assert FileVault(tmp_path).credential("main").origin == "http://127.0.0.1:8080"
    for changes, says in (({"account": "a b"}, "API key"), ({"key": "has a space in it"}, "secret")):
        write(tmp_path, **({"scheme": "v1", "account": "AbCdEf12", "key": "12345678"} | changes))
        with pytest.raises(CredentialError, match=says):
            FileVault(tmp_path).credential("main")


@pytest.mark.parametrize(
    ("written", "expires_ms"),
    [
        ("1970-01-03", 2 * DAY_MS),
        ('"1970-01-03"', 2 * DAY_MS),
        ("1970-01-03T01:00:00Z", 2 * DAY_MS + 3_600_000),
        ("1970-01-03T01:00:00+01:00", 2 * DAY_MS),
        ("1970-01-03T00:00:00", 2 * DAY_MS),
        ('""', 0),
    ],
)
def test_the_end_of_a_key_is_utc(tmp_path: Path, written: str, expires_ms: int) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text() + f"expires = {written}\n")
    assert FileVault(tmp_path).credential("main").expires_ms == expires_ms


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777])
def test_a_file_others_could_read_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path, mode=mode)
    with pytest.raises(CredentialError, match="can be read by others; make it a plain file of your own and chmod 600"):
        FileVault(tmp_path).credential("main")


def test_links_pipes_and_open_folders_are_refused(tmp_path: Path) -> None:
    real = write(tmp_path)
    (tmp_path / "keys" / "link.toml").symlink_to(real)
    os.mkfifo(tmp_path / "keys" / "pipe.toml", 0o600)
    (tmp_path / "keys" / "folder.toml").mkdir(mode=0o700)
    for name in ("link", "pipe", "folder"):
        with pytest.raises(CredentialError, match="plain file of your own"):
            FileVault(tmp_path).credential(name)
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(CredentialError, match="written by others"):
        FileVault(tmp_path).credential("main")


def test_a_name_leads_nowhere_else_and_a_missing_key_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "other.toml").write_text("")
    for name in ("../other", "/etc/passwd", "", "A", "a" * 33, "a.b", "a\n"):
        with pytest.raises(CredentialError, match="name is up to 32"):
            FileVault(tmp_path).credential(name)
    with pytest.raises(CredentialError, match="There is no key absent; write"):
        FileVault(tmp_path).credential("absent")
    (tmp_path / "keys" / "main.toml").write_text("key: yaml\n")
    with pytest.raises(CredentialError, match="no TOML"):
        FileVault(tmp_path).credential("main")
    (tmp_path / "keys" / "main.toml").write_text("key = 5\nnet = 'testnet'\naccount = 'x'\n")
    with pytest.raises(CredentialError, match="key is missing or no text"):
        FileVault(tmp_path).credential("main")
