"""Strategies that mean harm: each gets nothing, and the parent goes on (safety A6)."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from aister.adapters.sandbox.run import ACCEPTANCE, PythonRun
from aister.core.errors import StrategyError, UsageError
from tests.adapters.sandbox.given import HOSTILE, QUICK, inline, run

CANARY = "CANARY-5f1d"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a key, a database and a signer's socket that somebody listens on."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "agent.key").write_text(CANARY)
    (folder / "journal.db").write_bytes(CANARY.encode())
    with socket.socket(socket.AF_UNIX) as signer:
        signer.bind(str(folder / "signer.sock"))
        signer.listen()
        yield folder


def rob(home: Path, **given: object) -> PythonRun:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISTER_API_KEY", CANARY)
        patch.setenv("AISTER_HOME", str(home))
        parameters = {"home": str(home), "port": server.getsockname()[1], "parent": os.getpid()}
        return run("thief", parameters=parameters, reveal=64, **given)


@pytest.fixture(scope="module")
def robbed(home: Path) -> dict[str, str]:
    """What each attempt of the thief printed."""
    return dict(line.split(": ", 1) for line in rob(home).printed.splitlines())


ATTEMPTS = (
    "environment", "key file", "home", "database", "passwords", "root", "proc of others", "proc of the parent",
    "memory of the parent", "signal to the parent", "signal to all", "a session of its own", "signer socket", "tcp",
    "names", "udp", "socket behind python's back", "fork", "a program", "exec", "a thread", "writing",
    "writing to /tmp", "deleting", "memory", "limits", "inherited descriptors", "future",
)  # fmt: skip


@LINUX
@pytest.mark.parametrize("what", ATTEMPTS)
def test_a_thief_gets_nothing(robbed: dict[str, str], what: str) -> None:
    assert robbed[what].startswith("refused"), robbed[what]


@LINUX
def test_a_thief_leaves_nothing_behind(home: Path, robbed: dict[str, str]) -> None:
    assert set(robbed) == set(ATTEMPTS)
    assert CANARY not in str(robbed)
    assert (home / "agent.key").read_text() == CANARY
    assert not (home / "marker").exists() and not Path(f"/tmp/aister-marker-{os.getpid()}").exists()


@LINUX
@pytest.mark.parametrize(("without", "still"), [("namespaces", ()), ("seccomp", ("signer socket", "a thread"))])
def test_one_wall_less_and_the_others_still_stand(home: Path, without: str, still: tuple[str, ...]) -> None:
    """Without seccomp a path to a unix socket stays open: that is why the walls then count as open."""
    accepted = {"accepted": ACCEPTANCE} if without == "seccomp" else {}
    done = rob(home, allowance=msgspec.structs.replace(QUICK, without=(without,)), **accepted)
    got = {line.split(": ", 1)[0] for line in done.printed.splitlines() if ": GOT" in line}
    unguarded = {"signer socket", "udp", "socket behind python's back", "a thread", "fork", "a session of its own"}
    assert got <= (unguarded if still else set())
    assert set(still) <= got
    assert any(missing.startswith(without) for missing in done.walls.missing)


def test_what_nothing_guards_needs_a_typed_acceptance(home: Path) -> None:
    with pytest.raises(UsageError, match=ACCEPTANCE):
        rob(home, allowance=msgspec.structs.replace(QUICK, without=("landlock", "seccomp")))


def test_an_endless_loop_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(StrategyError, match=r"did not answer in time \(0.5 s for the whole run\).* a longer wall_s"):
        run("endless", msgspec.structs.replace(QUICK, wall_s=0.5))
    assert time.monotonic() - began < 30


def test_a_class_that_is_never_ready_is_ended_by_its_own_limit() -> None:
    source = inline("while True:\n    pass\n")
    with pytest.raises(StrategyError, match=r"not ready within 6 s .* a longer load_s"):
        run(source, msgspec.structs.replace(QUICK, load_s=6.0))


def test_processor_time_is_ended() -> None:
    with pytest.raises(StrategyError, match="1 s of processor time"):
        run("endless", msgspec.structs.replace(QUICK, cpu_s=1))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("garbage", "no answer|out of turn"),
        ("flood", "said more than 8 MB|no answer"),
        ("liar", "traded what its signals do not trade"),
        ("backdated", "was not asked about"),
    ],
)
def test_what_it_says_is_not_believed(name: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        run(name, reveal=32)
    assert sys.modules["aister.lab.batch"] is not None


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"what": "nan"}, r"unsound.py, line \d+: .* ValueError: Enter: stop is nan"),
        ({"what": "word"}, "TypeError: on_bar answered 'buy'"),
        ({"what": "wrong side", "forced": True}, "makes no sense"),
    ],
)
def test_prices_that_make_no_sense_are_refused(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        run("unsound", parameters=parameters)


def test_what_it_raises_is_told_with_its_line_and_cleaned() -> None:
    with pytest.raises(StrategyError) as told:
        run("raising")
    said = str(told.value)
    assert "raising.py, line 9: `raise ValueError" in said and "asks for the future" in said
    assert said.isprintable()


@pytest.mark.parametrize(("how", "said"), [("exit", r"status 0\)"), ("raise", "SystemExit: I leave")])
def test_leaving_is_no_answer(how: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        run("leaving", parameters={"how": how})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def on_bar(:", "inline.py, line 1: `def on_bar\\(:` raised SyntaxError"),
        ("x = 1", "defines 0 classes"),
        ("import os\nos.listdir('/')", "inline.py, line 2: .*PermissionError"),
    ],
)
@LINUX
def test_a_file_that_is_no_strategy_is_told_so(text: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        run(inline(text))


INTERRUPTED = """
import sys
from tests.adapters.sandbox.given import run, QUICK
import aister.adapters.sandbox.process as process
say = process.Child.say
def tell(self, message):
    print(self.process.pid, flush=True)
    say(self, message)
process.Child.say = tell
run("endless")
"""


@LINUX
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_parent_that_ends_leaves_no_orphan(end: signal.Signals) -> None:
    root = HOSTILE.parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.stdout.readline()  # the run has begun
        family = [child, *_children(child)]
        parent.send_signal(end)
        parent.wait(timeout=20)
    deadline = time.monotonic() + 5
    while any(map(_lives, family)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in family if _lives(pid)]


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
