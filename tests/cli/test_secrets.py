"""`aister secrets` as it is typed: list, seal, rotate; no key in what it prints."""

import json
from pathlib import Path

import pytest

from tests.adapters.signer.given import KEY, USER
from tests.cli.test_data import run


def test_keys_are_sealed_listed_and_rotated_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path))
    monkeypatch.delenv("AISTER_KEK_FILE", raising=False)
    tmp_path.chmod(0o700)
    nothing = run("secrets", "rotate")
    assert nothing.returncode == 2 and "Nothing is sealed" in nothing.stderr and "Traceback" not in nothing.stderr
    (tmp_path / "keys").mkdir(mode=0o700, exist_ok=True)
    file = tmp_path / "keys" / "main.toml"
    file.touch(0o600)
    file.write_text(f'net = "testnet"\naccount = "{USER}"\nkey = "0x{KEY.hex()}"\n')
    assert run("secrets", "list").stdout == "main: plain\n"
    sealed = run("secrets", "seal")
    assert sealed.returncode == 0 and "main: sealed\n" in sealed.stdout and "Keep a copy of" in sealed.stdout, sealed
    [listed] = json.loads(run("secrets", "list", "--json").stdout)
    rotated = run("secrets", "rotate")
    [after] = json.loads(run("secrets", "list", "--json").stdout)
    assert rotated.returncode == 0 and after["kek"] in rotated.stdout and after["kek"] != listed["kek"], rotated
    for told in (sealed, rotated):
        assert KEY.hex()[:12] not in told.stdout + told.stderr
        assert (tmp_path / "keys" / "master").read_text()[:12] not in told.stdout + told.stderr
    (tmp_path / "keys" / "master").unlink()
    lost = run("secrets", "list")
    assert lost.returncode == 1 and "put it back from where you keep it" in lost.stdout, lost
    assert run("doctor").stdout.count("main cannot be used") == 1
