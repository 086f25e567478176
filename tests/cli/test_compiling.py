"""Compiling shows that it is alive: in place on a terminal, a line now and then elsewhere, nothing when it is quick."""

import io
import time
from types import SimpleNamespace
from typing import Any

import pytest

from aister.cli.compiling import SignsOfLife


def of(name: str) -> Any:
    def function() -> None: ...

    function.__module__, function.__name__ = "aister.kernels.batch", name
    return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=function)})


def wait_for(out: io.StringIO, words: str) -> None:
    until = time.monotonic() + 10
    while words not in out.getvalue() and time.monotonic() < until:
        time.sleep(0.005)
    assert words in out.getvalue()


def test_elsewhere_a_line_now_and_then_names_what_is_compiled_and_how_much_is_done() -> None:
    out = io.StringIO()
    signs = SignsOfLife(out, terminal=False, every_s=0.02)
    signs.on_start(of("run_one"))
    signs.on_start(of("place"))
    wait_for(out, "0 s so far, 0 rules done, now batch.place")
    signs.on_end(of("place"))
    wait_for(out, "1 rule done, now batch.run_one")
    signs.on_end(of("run_one"))
    told = out.getvalue()
    assert all(line.startswith("aister: compiling: ") for line in told.splitlines()) and "\r" not in told
    time.sleep(0.1)
    assert out.getvalue() == told  # nothing is compiled, nothing is said


def test_a_terminal_shows_one_line_in_place_and_gets_it_back_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = io.StringIO()
    signs = SignsOfLife(out, terminal=True, every_s=0.02)
    signs.on_start(of("run_one"))
    wait_for(out, "now batch")
    signs.on_end(of("run_one"))
    shown = out.getvalue()
    assert "\n" not in shown and shown.endswith(" \r")
    assert max(len(part) for part in shown.split("\r")) <= 39


def test_what_is_quick_says_nothing() -> None:
    out = io.StringIO()
    signs = SignsOfLife(out, terminal=True, every_s=5.0)
    for _ in range(3):
        signs.on_start(of("run_one"))
        signs.on_end(of("run_one"))
    assert out.getvalue() == ""


def test_a_reader_that_left_does_not_end_the_work() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    signs = SignsOfLife(Gone(), terminal=False, every_s=0.01)
    signs.on_start(of("run_one"))
    time.sleep(0.05)
    signs.on_end(of("run_one"))
    signs.on_start(of("place"))
    signs.on_end(of("place"))
    assert signs.rules == 2
