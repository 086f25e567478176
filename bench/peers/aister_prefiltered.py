"""This engine, rules written in Python behind a filter over columns, in its child process."""

from typing import Any

from aister.bench.strategy import FILTERED
from bench.peers.aister_strategy import strategy
from bench.peers.shared import measured


def run(bars: dict[str, Any]) -> dict[str, Any]:
    return strategy(FILTERED, bars)


if __name__ == "__main__":
    measured("aister, filtered", "the full fill model; on_bar behind a filter; CPU of the child's run", run)
