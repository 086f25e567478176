"""Where state may lie: faked mount tables, locks that lie, symbolic links (D3); and every other line of the doctor."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from aister.adapters.host import checks
from aister.adapters.host.checks import Check
from aister.adapters.host.filesystem import Mount, mount_of, mounts, mounts_of_linux, mounts_of_mac, place_of, synced_by
from aister.adapters.host.locks import HOLDS, LIES, REFUSES, probe_locks
from aister.adapters.store.database import journal_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.verification import note_verification
from aister.adapters.store.verify import ChainReport
from tests.stories import bars

LINUX = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:5 / /proc rw - proc proc rw
40 22 0:33 / /mnt/nas rw,relatime shared:9 - nfs4 nas:/export rw,vers=4.2
41 22 0:34 / /mnt/win\\040share rw - cifs //pc/share rw
42 22 0:35 / /mnt/c rw - 9p drvfs rw,aname=drvfs;path=C:\\134
43 22 0:36 / /srv/ssh rw - fuse.sshfs me@host:/ rw
44 22 0:37 / /tmp rw - tmpfs tmpfs rw
45 22 0:38 / /odd rw - fuse.mystery something rw
46 22 0:39 / /mnt/nas/local rw - xfs /dev/sdb1 rw
47 22 0:40 / /over rw - ext4 /dev/sdc1 rw
48 47 0:41 / /over rw - nfs nas:/over rw
a line that is not one
"""
MAC = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//me@nas._smb._tcp.local/share on /Volumes/my share (smbfs, nodev, nosuid, mounted by me)
"""


@pytest.mark.parametrize(
    ("path", "kind", "trust"),
    [
        ("/var/state", "ext4", "local"),
        ("/mnt/nas/aister", "nfs4", "shared"),
        ("/mnt/nas/local/aister", "xfs", "local"),
        ("/mnt/nasty", "ext4", "local"),
        ("/mnt/win share/a", "cifs", "shared"),
        ("/mnt/c/a", "drvfs (9p)", "shared"),
        ("/srv/ssh/a", "fuse.sshfs", "shared"),
        ("/tmp/a", "tmpfs", "passing"),
        ("/odd/a", "fuse.mystery", "unknown"),
        ("/over/a", "nfs", "shared"),
        ("/var/Dropbox/a", "ext4", "shared"),
        ("/var/OneDrive - Firm/a", "ext4", "shared"),
        ("/var/Library/Mobile Documents/a", "ext4", "shared"),
        ("/var/Library/CloudStorage/GoogleDrive-me@x/a", "ext4", "shared"),
        ("/var/dropboxes/a", "ext4", "local"),
    ],
)
def test_kinds_from_a_faked_mount_table(path: str, kind: str, trust: str) -> None:
    place = place_of(Path(path), mounts_of_linux(LINUX))
    assert (place.kind, place.trust, place.path) == (kind, trust, path)


def test_the_table_of_a_mac() -> None:
    table = mounts_of_mac(MAC)
    assert table[2] == Mount("/Volumes/my share", "smbfs", "//me@nas._smb._tcp.local/share")
    assert [one.kind for one in table] == ["apfs", "apfs", "smbfs"]
    assert mount_of(Path("/Volumes/my share/x"), table) == table[2] and mount_of(Path("/Users"), table) == table[0]


def test_no_table_means_unknown_and_this_machine_has_one(tmp_path: Path) -> None:
    assert place_of(Path("/var/state"), []).trust == "unknown"
    assert mount_of(tmp_path.resolve(), mounts()) is not None


def test_a_symlinked_home_is_judged_where_it_leads(tmp_path: Path) -> None:
    target = tmp_path / "share" / "state"
    target.mkdir(parents=True)
    (tmp_path / "home").symlink_to(target)
    table = [Mount("/", "ext4", "/dev/vda"), Mount(str((tmp_path / "share").resolve()), "nfs4", "nas:/x")]
    check = checks.file_system(tmp_path / "home", table, lambda: HOLDS)
    assert (
        check.status == "warn"
        and str(target) in check.fact
        and "live is refused" in check.fact
        and "AISTER_HOME" in check.remedy
    )
    assert checks.file_system(tmp_path, table, lambda: LIES).status == "ok"  # a known local disk is not probed


def test_marker_files_of_sync_services(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert synced_by(tmp_path / "a" / "b") == ""
    (tmp_path / "a" / ".stfolder").mkdir()
    assert synced_by(tmp_path / "a" / "b") == "Syncthing"


@pytest.mark.parametrize(("answer", "status"), [(HOLDS, "ok"), (LIES, "warn"), (REFUSES, "warn")])
def test_an_unknown_kind_is_decided_by_the_probe(answer: str, status: str) -> None:
    check = checks.file_system(Path("/odd/a"), mounts_of_linux(LINUX), lambda: answer)
    assert check.status == status and ("live is refused" in check.fact) == (status == "warn")


def test_the_probe_on_a_file_system_that_holds_one_that_lies_and_none(tmp_path: Path) -> None:
    """A file system that lies about locks is one on which the other process meets no lock: it is given other files."""
    assert probe_locks(tmp_path) == HOLDS
    other = tmp_path / "as the other process sees it"
    other.mkdir()
    assert probe_locks(tmp_path, other) == LIES
    assert probe_locks(tmp_path / "absent") == REFUSES
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name]


@pytest.mark.parametrize(
    ("free", "status"), [(99_999_999, "bad"), (100_000_000, "warn"), (499_999_999, "warn"), (500_000_000, "ok")]
)
def test_free_disk(free: int, status: str) -> None:
    assert checks.disk(free, Path("/x")).status == status


class Hands:
    """A clock that shows the given times, one a look."""

    def __init__(self, *times: float) -> None:
        self.times = list(times)

    def __call__(self) -> float:
        return self.times.pop(0)


@pytest.mark.parametrize(
    ("wall", "status"),
    [((1.8e9, 1.8e9 + 0.01), "ok"), ((1.8e9, 1.8e9 - 90), "warn"), ((86_400.0, 86_400.01), "bad"), ((5e9, 5e9), "bad")],
)
def test_clock(wall: tuple[float, float], status: str) -> None:
    assert checks.clock(Hands(*wall), Hands(10.0, 10.01), 0.0).status == status


def test_state_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert checks.state_folder(home) == Check("home", "ok", f"{home}, made at the first run")
    assert not home.exists()
    home.mkdir(mode=0o700)
    assert checks.state_folder(home).status == "ok"
    home.chmod(0o755)
    check = checks.state_folder(home)
    assert check.status == "bad" and check.remedy == f"chmod 700 {home}" and stat.S_IMODE(home.stat().st_mode) == 0o755
    (tmp_path / "file").write_text("")
    assert checks.state_folder(tmp_path / "file").status == "bad"
    if os.getuid() == 0:
        home.chmod(0o700)
        os.chown(home, 12_345, 12_345)
        assert "belongs to user 12345" in checks.state_folder(home).fact


def test_sqlite_is_tried_where_the_journal_lies(tmp_path: Path) -> None:
    check = checks.sqlite(tmp_path)
    assert check.status == "ok" and sqlite3.sqlite_version in check.fact and list(tmp_path.iterdir()) == []
    assert checks.sqlite(tmp_path / "absent").status == "bad"


def test_journal_line(tmp_path: Path) -> None:
    assert checks.journal(tmp_path).fact.startswith("none yet")
    with open_chain(tmp_path, "local", "abc", "run") as journal:
        for audit in bars(7):
            journal.append(audit)
    check = checks.journal(tmp_path)
    assert (
        check.status == "ok"
        and "1 chains, 7 records, not verified yet" in check.fact
        and "journal verify" in check.remedy
    )
    report = ChainReport("run-abc-1", True, 7, "")
    note_verification(tmp_path, [report])
    assert "intact when verified 2" in checks.journal(tmp_path).fact
    note_verification(tmp_path, [ChainReport("run-abc-1", False, 7, "", "tail", 7, "gone")])
    assert checks.journal(tmp_path).status == "bad"
    journal_path(tmp_path).write_bytes(b"nonsense" * 1_000)
    assert checks.journal(tmp_path).status == "bad"


def test_a_check_that_fails_is_a_line_and_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Check:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(checks, "memory", broken)
    found = {check.name: check for check in checks.examine(tmp_path)}
    assert (found["memory"].status, found["memory"].fact) == ("bad", "could not be checked: by zero")
    assert found["python"].status == "ok" and len(found) == 14


def test_sample_that_is_damaged_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from aister.adapters.store import sample

    monkeypatch.setattr(sample, "sample_folder", lambda: tmp_path)
    check = checks.sample()
    assert check.status == "bad" and "Install the package again" in check.remedy


def test_a_read_only_mount_is_not_helped_by_chmod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mounted:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda place: Mounted)
    for home in (tmp_path, tmp_path / "new"):
        check = checks.state_folder(home)
        assert check.status == "bad" and "read-only mount" in check.fact
        assert "Mount it writable" in check.remedy and "chmod" not in check.remedy


def test_keys_are_told_by_name_and_end_and_one_that_cannot_be_used_is_bad(tmp_path: Path) -> None:
    assert checks.keys(tmp_path, lambda: 0.0).status == "ok"
    (tmp_path / "keys").mkdir(mode=0o700)
    path = tmp_path / "keys" / "main.toml"
    agent = f'net = "testnet"\naccount = "0x{"2" * 40}"\nkey = "{"1" * 64}"\n'
    for ends, status in (
        (f"{agent}expires = 1970-03-01\n", "ok"),
        (f"{agent}expires = 1970-01-05\n", "warn"),
        (agent, "warn"),
    ):
        path.write_text(ends)
        path.chmod(0o600)
        told = checks.keys(tmp_path, lambda: 0.0)
        assert told.status == status and "main (v3, testnet) until" in told.fact
        assert bool(told.remedy) is (status == "warn") and "1" * 12 not in told.fact + told.remedy
    path.chmod(0o644)
    told = checks.keys(tmp_path, lambda: 0.0)
    assert told.status == "bad" and "chmod 600" in told.remedy
