"""Nobody sees the key: not another process of the same user, not in what is printed, raised, kept or shown."""

import logging
import os
import pickle
import pwd
import shutil
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from aister.adapters.bare import bare_command
from aister.adapters.signer.desk import Desk, ready_to_sign
from aister.adapters.signer.process import SignerProcess
from aister.adapters.signer.protocol import Start, framed
from aister.adapters.signer.state import StateFile
from aister.adapters.vault.file import FileVault
from aister.core.errors import AisterError, CredentialError
from aister.ports.signer import Signed
from tests.adapters.signer.canary import KEY, forms, leaks
from tests.adapters.signer.given import CHARTER, USER, Clocks, order, place
from tests.adapters.signer.running import FAST, home, soon

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")

# Started by root, a process becomes nobody and lets itself be looked into, as any process of a user does.
NOBODY = """
import ctypes, os
if os.getuid() == 0:
    os.setgroups([]); os.setgid({group}); os.setuid({user})
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
"""


def nobody() -> tuple[int, int]:
    found = pwd.getpwnam("nobody")
    return found.pw_uid, found.pw_gid


def look(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Run it as another process of the same user."""
    user, group = nobody() if os.getuid() == 0 else (None, None)
    extra = [] if user is not None else None
    return subprocess.run(command, user=user, group=group, extra_groups=extra, capture_output=True, check=False)


@LINUX
def test_another_process_of_the_same_user_cannot_look_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a positive control: before it hardens itself, the same process shows its environment to the same reader."""
    before = (
        NOBODY.format(user=nobody()[0], group=nobody()[1])
        + "import sys\nprint('open', flush=True); sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", before], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"CANARY": "planted"}
    ) as soft:
        assert soft.stdout is not None and soft.stdin is not None and soft.stdout.readline() == b"open\n"
        assert b"planted" in look("cat", f"/proc/{soft.pid}/environ").stdout
        soft.stdin.close()

    def command(main: str, line: int, outlives_parent: bool) -> list[str]:
        became = NOBODY.format(user=nobody()[0], group=nobody()[1])
        paths = f"import sys; sys.path[:0] = {sys.path!r}\nfrom aister.adapters.signer.child import main\n"
        return [sys.executable, "-I", "-c", f"{paths}{became}\nmain({line}, {outlives_parent})"]

    monkeypatch.setattr("aister.adapters.bare.bare_command", command)
    with home() as folder:
        if os.getuid() == 0:
            os.chown(folder, *nobody())
        process = SignerProcess(FAST, lambda: KEY, folder, epoch=1)
        try:
            process.start().close()
            assert process.serving is not None and process.serving.hardened.missing == ()
            for tool, name in (
                ("cat", "environ"),
                ("cat", "mem"),
                ("cat", "maps"),
                ("cat", "stack"),
                ("ls", "fd/"),
                ("ls", "root/"),
            ):
                got = look(tool, f"/proc/{process.pid}/{name}")
                assert got.returncode != 0 and b"ermi" in got.stderr and not got.stdout, name
            gdb = shutil.which("gdb")
            if gdb:
                assert b"not permitted" in look(gdb, "-p", str(process.pid), "--batch").stderr
        finally:
            process.stop()


@LINUX
def test_neither_command_line_nor_environment_nor_descriptors_hold_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_KEY_TEST_KEY", KEY.hex())
    held = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(held, True)
    with home() as folder:
        process = SignerProcess(FAST, lambda: KEY, folder, epoch=1)
        try:
            line = process.start()
            assert isinstance(soon(line, place()), Signed)
            line.close()
            at = Path(f"/proc/{process.pid}")
            told = (at / "cmdline").read_bytes(), (at / "environ").read_bytes()
            assert all(told) and not any(leaks(one) for one in told)
            assert told[1].split(b"\0")[:-1] == [b"LANG=C.UTF-8"]
            opened = [os.readlink(one) for one in (at / "fd").iterdir() if one.name != "2"]
            known = ("socket:", "anon_inode:", str(folder))
            assert opened.count("/dev/null") == 2  # its own, and not the one that was held here
            assert [one for one in opened if not one.startswith(known) and one != "/dev/null"] == []
        finally:
            process.stop()
            os.close(held)


def test_the_scanner_finds_what_is_planted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, form in forms().items():
        assert name in leaks(b"before " + form + b" after") and name in leaks(form[5:18])
    (tmp_path / "file").write_text(f"key={KEY.hex()}")
    logging.getLogger("x").warning("key %s", KEY)
    try:
        raise ValueError(f"bad key 0x{KEY.hex()}")
    except ValueError as error:
        planted = [str(error), repr(error), traceback.format_exc(), (tmp_path / "file").read_bytes(), caplog.text]
    assert all(leaks(one) for one in planted)
    for innocent in ("", CHARTER.account, msgspec.json.encode(CHARTER), "0" * 64):
        assert not leaks(innocent)


def test_nothing_shows_writes_or_pickles_it(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json", KEY)
    desk = Desk(FAST, KEY, file, lambda: Clocks().wall_us, lambda: 0.0)
    desk.flush()
    start = Start(FAST, KEY, "folder", ("a", "b"), 1)
    process = SignerProcess(FAST, lambda: KEY, tmp_path)
    signed = desk.sign(place())
    assert isinstance(signed, Signed)
    for one in (desk, file, start, process, ready_to_sign(FAST, KEY), signed, desk.sign(place(order(builder="x")))):
        assert not leaks(repr(one)) and not leaks(str(one))
    with pytest.raises(TypeError):
        pickle.dumps(ready_to_sign(FAST, KEY))
    assert not leaks(signed.payload) and not leaks((tmp_path / "state.json").read_bytes())


def write_key(folder: Path, spoil: Callable[[str], str]) -> None:
    (folder / "keys").mkdir(mode=0o700, exist_ok=True)
    path = folder / "keys" / "test.toml"
    path.touch(mode=0o600)
    path.write_text(
        spoil(
            'scheme = "v3"\nnet = "simulator"\norigin = "http://127.0.0.1:1"\n'
            f'account = "{USER}"\nkey = "0x{KEY.hex()}"\n'
        )
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(USER, "0x12"),
        lambda text: text.replace("v3", "v9"),
        lambda text: text.replace("simulator", "moon"),
        lambda text: text.replace("127.0.0.1", "evil.example"),
        lambda text: text.replace('"0x', '"0x0x'),
        lambda text: text.replace('"\n', '" "\n', 1),
        lambda text: text + 'more = "x"\n',
        lambda text: text + 'expires = "soon"\n',
    ],
)
def test_no_error_of_the_vault_shows_it_even_with_the_locals_of_every_frame(spoil: Callable[[str], str]) -> None:
    with home() as folder:
        write_key(folder, lambda text: text)
        assert FileVault(folder).credential("test").key == KEY
        assert not leaks(repr(FileVault(folder).credential("test")))
        write_key(folder, spoil)
        try:
            FileVault(folder).credential("test")
        except CredentialError as error:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            assert not leaks("".join(told.format())) and error.__context__ is None
        else:
            pytest.fail("a spoilt file was taken")


def test_the_child_says_nothing_of_it_whatever_breaks() -> None:
    """A first word that is none, and a wrong key: what it prints and answers is scanned."""
    wrong_kind = framed(Start(msgspec.structs.replace(FAST, account=[KEY.hex()]), KEY, "", ("", ""), 1))  # type: ignore[arg-type]
    wrong_chain = framed(Start(msgspec.structs.replace(FAST, chain_id=-1), KEY, "/dev/null", ("a", "b"), 1))
    for said in (wrong_kind, wrong_chain):
        ours, theirs = socket.socketpair()
        with ours:
            child = subprocess.Popen(
                bare_command("aister.adapters.signer.child:main", theirs.fileno(), False),
                pass_fds=(theirs.fileno(),), env={}, stderr=subprocess.PIPE,
            )  # fmt: skip
            theirs.close()
            ours.settimeout(20)
            assert ours.recv(1) == b"\x01"
            ours.sendall(said)
            heard = ours.recv(65_536)
        _, printed = child.communicate(timeout=20)
        assert child.returncode == 1 and (b"The signer ended: " in printed or heard)
        assert b"Traceback" not in printed and not leaks(printed) and not leaks(heard)


def test_what_a_run_leaves_behind_holds_no_key(capfd: pytest.CaptureFixture[str]) -> None:
    with home() as folder:
        process = SignerProcess(FAST, lambda: KEY, folder, epoch=1)
        line = process.start()
        for call in (place(), place(order(builder="x")), place(epoch=0)):
            line.sign(call)
        line.keep_head("run", 1, "ab")
        line.close()
        process.stop()
        wallet = msgspec.structs.replace(FAST, account=line.address)
        for wrong in (wallet, msgspec.structs.replace(FAST, scheme="v1", net="mainnet")):
            with pytest.raises(AisterError) as refused:
                SignerProcess(wrong, lambda: KEY, folder, epoch=1).start()
            assert not leaks("".join(traceback.format_exception(refused.value)))
        files = [one for one in folder.rglob("*") if one.is_file()]
        assert files and not any(leaks(one.read_bytes()) for one in files)
    assert not any(leaks(one) for one in capfd.readouterr())
