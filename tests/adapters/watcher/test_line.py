"""What a trader and its watcher tell each other, and what neither waits for."""

import asyncio
import os
import socket
import tempfile
import time
from pathlib import Path

import msgspec

from aister.adapters.watcher.acts import ActLog, read_acts
from aister.adapters.watcher.line import Beat, Door, Leave, Retire, Said, WatcherLine, Watching
from aister.execution.watchman import Act

SEEN = Watching(7, "", held=("BTCUSDT",), acts=1, last="done")


def test_each_hears_the_other_and_nonsense_ends_only_its_caller() -> None:
    async def story(path: str) -> list[Said]:
        heard: list[Said] = []
        door = Door(path, heard.append)
        await door.open()
        line, fool = WatcherLine(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fool.connect(path)
        fool.sendall(b"{}\nnonsense\n")
        assert line.hear() is None and line.say(Beat())
        await asyncio.sleep(0.05)
        door.tell(Watching(7, "blind"))
        door.tell(SEEN)
        await asyncio.sleep(0.05)
        assert line.hear() == SEEN and line.hear() is None
        assert line.say(Leave()) and line.say(Retire())
        await asyncio.sleep(0.05)
        await door.close()
        await asyncio.sleep(0.05)
        assert line.hear() is None and not line.say(Beat())
        fool.close()
        return heard

    with tempfile.TemporaryDirectory(prefix="aister-") as folder:
        assert asyncio.run(story(f"{folder}/w.sock")) == [Beat(), Leave(), Retire()]


def test_a_watcher_that_stands_still_keeps_nobody_waiting() -> None:
    with tempfile.TemporaryDirectory(prefix="aister-") as folder:
        path = f"{folder}/w.sock"
        stopped = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stopped.bind(path)
        stopped.listen(1)
        line = WatcherLine(path)
        assert line.say(Beat()) and line.hear() is None
        said = [line.say(Beat()) for _ in range(100_000)]
        assert said[0] and not said[-1]
        line.close()
        stopped.close()


def test_what_was_done_is_kept_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "watch" / "main.jsonl"
    log, acts = ActLog(path), [Act(n, "closed", "BTCUSDT", f"id-{n}", 'with "quotes"\nand lines') for n in range(3)]
    for act in acts:
        log.write(act)
    log.close()
    assert read_acts(path) == acts and path.stat().st_mode & 0o777 == 0o600
    with path.open("ab") as file:
        file.write(b'{"time_ms": 5, "wh')
    assert read_acts(path) == acts and read_acts(tmp_path / "none") == []
    nowhere = ActLog(Path("/proc/none/x.jsonl"))
    nowhere.write(acts[0])
    nowhere.close()


def test_nobody_waits_for_a_disk_that_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "main.jsonl"
    os.mkfifo(path, 0o600)  # opening it waits for a reader
    log, acts = ActLog(path), [Act(n, "closed", "BTCUSDT", f"id-{n}", "why") for n in range(2)]
    began = time.monotonic()
    for act in acts:
        log.write(act)
    log.close(patience_s=0.05)
    assert time.monotonic() - began < 2
    with os.fdopen(os.open(path, os.O_RDWR), "rb") as disk:  # it moves again
        assert [msgspec.json.decode(disk.readline(), type=Act) for _ in acts] == acts
