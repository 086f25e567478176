"""The command as a process of its own without paying for its start each time: a server process has imported everything
and compiled the kernels, and every trader is a fork of it, with a process id, signals and a death of its own."""

import multiprocessing
import os
import sys
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

__all__ = ["started"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.preloaded"])


def started(home: Path, log: Path, arguments: list[str]) -> BaseProcess:
    """`aister ARGUMENTS` over this home; what it says goes to `log`."""
    process = _CONTEXT.Process(target=_run, args=(str(home), str(log), arguments), daemon=False)
    process.start()
    return process


def _run(home: str, log: str, arguments: list[str]) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.setpgid(0, 0)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    os.environ["AISTER_HOME"] = home
    sys.argv = ["aister", *arguments]
    from aister.cli import main

    with suppress(SystemExit):
        main()
    sys.stdout.flush()
    os._exit(0)
