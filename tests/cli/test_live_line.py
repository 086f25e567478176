"""A line of progress: in place on a terminal, a line now and then elsewhere."""

import io

import pytest

from aister.cli import live_line
from aister.cli.live_line import LiveLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_changes_in_place_never_wraps_and_can_be_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    out = Terminal()
    line = LiveLine(out)
    line.show("a long text indeed")
    line.show("short")
    line.clear()
    line.clear()
    assert out.getvalue() == "\ra long text\rshort      \r" + " " * 5 + "\r"
    line.show("last")
    line.end()
    assert out.getvalue().endswith("\rlast\n")


def test_elsewhere_it_is_a_line_at_a_time_and_ends_as_it_is() -> None:
    out = io.StringIO()
    line = LiveLine(out)
    line.show("one")
    line.clear()
    line.end()
    assert out.getvalue() == "one\n"


def test_it_is_due_once_nothing_was_shown_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(live_line.time, "monotonic", lambda: now[0])
    for out, every in ((Terminal(), 1.0), (io.StringIO(), 10.0)):
        line, began = LiveLine(out), now[0]
        assert not line.due()
        now[0] += every
        assert line.due() and line.seconds == now[0] - began
        line.show("text")
        assert not line.due()
