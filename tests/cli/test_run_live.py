"""`aister run --feed live` as it is typed: what it refuses, in one sentence each."""

from pathlib import Path

import pytest

from tests.cli.test_data import home, run

__all__ = ["home"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--venue", "aster"], "add --feed live"),
        (["--venue", "moon", "--feed", "live"], "choose paper or aster"),
        (["--venue", "aster", "--feed", "live"], "arming and the full limits do not exist yet"),
        (["--feed", "live", "--speed", "60"], "leave --speed out"),
        (["--feed", "live", "--from", "2025-05-10"], "leave --from out"),
        (["--feed", "live", "--warm-up", "91"], "between 0 and 90 days"),
        (["--feed", "live", "--net", "moon"], "choose mainnet, testnet or simulator"),
        (["--feed", "live", "--net", "simulator", "--rest-url", "http://example.com"], "on this machine only"),
        (["--feed", "live", "--net", "simulator", "--rest-url", "http://127.0.0.1:9"], "aister run --feed sample"),
    ],
)
def test_a_live_market_that_cannot_be_is_one_sentence(home: Path, given: list[str], words: str) -> None:
    done = run("run", *given)
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last.startswith("aister: ") and words in last
