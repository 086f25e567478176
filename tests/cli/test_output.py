"""What a target may be: links and streams are written through, the state folder and what is fed are out of bounds."""

import os
import stat
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aister.cli import build
from aister.cli.output import apart, same, whole, writable, write_text
from aister.core.errors import StorageError, UsageError


def test_files_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "r.html"
    write_text(target, "before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"could not be written .No space left"):
        write_text(target, "after")
    assert target.read_text() == "before" and [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_a_target_is_refused_before_the_work_starts(tmp_path: Path) -> None:
    writable(tmp_path / "new.html")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="is a folder"):
        writable(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        writable(tmp_path / "no" / "r.html")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="neither a file nor a stream"):
        writable(tmp_path / "loop")


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "r.jsonl"
    target.write_text("before")
    with pytest.raises(ValueError, match="midway"), whole(target) as file:
        file.write("half")
        raise ValueError("midway")
    assert target.read_text() == "before" and [p.name for p in tmp_path.iterdir()] == ["r.jsonl"]


def test_a_fifo_is_written_through(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writable(fifo)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()), daemon=True)
    reader.start()
    write_text(fifo, "page")
    reader.join(timeout=10)
    assert read == ["page"] and stat.S_ISFIFO(fifo.stat().st_mode)
    assert [p.name for p in tmp_path.iterdir()] == ["fifo"]


def test_a_character_device_is_written_through(tmp_path: Path) -> None:
    nodes = {}
    for name, minor in (("null", 3), ("full", 7)):  # copies: the machine's own are not to be tried on
        nodes[name] = tmp_path / name
        try:
            os.mknod(nodes[name], 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            os.close(os.open(nodes[name], os.O_WRONLY))
        except OSError:
            pytest.skip("device nodes cannot be made and opened here")
    writable(nodes["null"])
    write_text(nodes["null"], "page")
    with pytest.raises(StorageError, match="No space left"):
        write_text(nodes["full"], "page")
    assert all(stat.S_ISCHR(node.stat().st_mode) for node in nodes.values())
    assert same(nodes["null"], nodes["null"]) is False


def test_an_open_descriptor_is_written_through_from_where_it_stands(tmp_path: Path) -> None:
    log = tmp_path / "log"
    handle = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(handle, b"first ")
        target = Path(f"/dev/fd/{handle}")
        writable(target)
        write_text(target, "second")
    finally:
        os.close(handle)
    assert log.read_text() == "first second"


@pytest.mark.parametrize("there", [True, False])
def test_behind_a_link_the_target_is_written_and_the_link_stays(tmp_path: Path, there: bool) -> None:
    (tmp_path / "else").mkdir()
    real, link = tmp_path / "else" / "real.html", tmp_path / "link.html"
    if there:
        real.write_text("before")
        real.chmod(0o600)
    link.symlink_to(real)
    writable(link)
    write_text(link, "after")
    assert link.is_symlink() and real.read_text() == "after" and not real.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == (0o600 if there else 0o644)


def test_the_state_folder_and_what_is_fed_are_out_of_bounds(tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    data.mkdir()
    bars = data / "BTCUSDT-1m.csv"
    bars.write_text("bars")
    (tmp_path / "link").symlink_to(home / "journal.sqlite")
    (tmp_path / "hard.csv").hardlink_to(bars)
    for target in (home / "journal.sqlite", home / "data" / ".." / "r.html", tmp_path / "link", home):
        with pytest.raises(UsageError, match="lies in AISTER_HOME"):
            apart(target, home)
    for target, feed, words in (
        (data / "r.html", data, "lies in the folder of"),
        (bars, bars, "is a file of"),
        (data / "instruments.json", bars, "is a file of"),
        (tmp_path / "hard.csv", bars, "is the market data"),
    ):
        with pytest.raises(UsageError, match=words):
            apart(target, home, feed)
    apart(data / "r.html", home, bars)
    apart(tmp_path / "r.html", home, data)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report", "{home}/journal.sqlite"], "lies in AISTER_HOME"),
        (["--json", "{home}/data/MANIFEST.json"], "does not exist"),
        (["--json", "{data}/BTCUSDT-1m.csv"], "market data"),
        (["--report", "{tmp}/x", "--json", "{tmp}/./x"], "name the same file"),
        (["--report", "-"], "The report is a page"),
        (["--report", "/dev/stdout"], "The report is a page"),
    ],
)
def test_a_run_refuses_them_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    for folder in (home, data):
        folder.mkdir()
    kept = {home / "journal.sqlite": b"journal", data / "BTCUSDT-1m.csv": b"bars"}
    for path, content in kept.items():
        path.write_bytes(content)
    monkeypatch.setenv("AISTER_HOME", str(home))
    given = [one.format(home=home, data=data, tmp=tmp_path) for one in arguments]
    done = CliRunner().invoke(build(), ["run", "--feed", str(data), *given])
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_the_exports_refuse_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("AISTER_HOME", str(home))
    out = home / "x.csv"
    done = CliRunner().invoke(build(), ["data", "export", "BTCUSDT", "1m", str(out), "--sample", "--overwrite"])
    assert done.exit_code == 2 and "lies in AISTER_HOME" in done.stderr and not out.exists()
    fifo, real, link = tmp_path / "fifo.csv", tmp_path / "real.csv", tmp_path / "link.csv"
    os.mkfifo(fifo)
    done = CliRunner().invoke(build(), ["data", "export", "BTCUSDT", "1m", str(fifo), "--sample", "--overwrite"])
    assert done.exit_code == 2 and "no plain file" in done.stderr and stat.S_ISFIFO(fifo.stat().st_mode)
    real.write_text("before")
    link.symlink_to(real)
    done = CliRunner().invoke(build(), ["data", "export", "BTCUSDT", "funding", str(link), "--sample", "--overwrite"])
    assert done.exit_code == 0 and link.is_symlink() and real.read_text().startswith("settle_time")
