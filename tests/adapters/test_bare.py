"""Processes that begin with nothing."""

import os
import sys
from pathlib import Path

import pytest

from aister.adapters.bare import bare_command, start_bare

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@LINUX
def test_it_has_no_environment_no_folder_and_no_file_but_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "planted")
    child, ours = start_bare("os:read", 1, heard=False)
    with ours:
        there = Path(f"/proc/{child.pid}")
        assert (there / "environ").read_bytes() == b"LANG=C.UTF-8\0"
        assert (there / "cwd").readlink() == Path("/")
        files = [os.readlink(one) for one in (there / "fd").iterdir()]
        assert sorted(one for one in files if not one.startswith("socket:")) == ["/dev/null"] * 3
        assert len(files) == 4
        ours.sendall(b"x")
        assert child.wait(20) == 0


def test_it_is_given_the_line_and_what_else_there_is() -> None:
    child, ours = start_bare("os:write", b"here I am", heard=False)
    with ours:
        assert ours.recv(100) == b"here I am"
    assert child.wait(20) == 0


@LINUX
def test_one_that_cannot_be_started_leaves_no_line_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        start_bare("os:write", b"", heard=True)
    assert set(os.listdir("/proc/self/fd")) == before


def test_it_is_unbuffered_when_asked() -> None:
    assert "-u" in bare_command("os:write", 1, unbuffered=True) and "-u" not in bare_command("os:write", 1)
