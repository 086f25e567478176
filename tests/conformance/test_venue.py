"""The venue suite on everything that is at hand without keys (`tests/conformance/testnet.py` runs it on testnet)."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.subjects import in_lockstep, in_process, running
from tests.conformance.venue import CASES, Case, Subject

ROOT = Path(__file__).parents[2]
SUBJECTS: dict[str, Callable[[bool, asyncio.AbstractEventLoop], Subject]] = {
    "in_process": in_process,
    "in_lockstep": in_lockstep,
    "running": running,
}


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    tasks = asyncio.all_tasks(made)
    for task in tasks:
        task.cancel()
    if tasks:
        made.run_until_complete(asyncio.wait(tasks))
    made.close()


@pytest.mark.parametrize("venue", SUBJECTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_venue(case: Case, venue: str, loop: asyncio.AbstractEventLoop) -> None:
    case.check(SUBJECTS[venue]("hedge" in case.needs, loop))


def test_ids_are_given_once_and_every_case_says_what_it_wants() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(case.says.endswith(".") and case.source for case in CASES)


def test_the_page_lists_every_case() -> None:
    page = (ROOT / "docs" / "venue-conformance.md").read_text()
    listed = [line for line in page.splitlines() if line.startswith("| VC-")]
    assert listed == [f"| {one.id} | {one.says} | {one.source} | {', '.join(sorted(one.needs))} |" for one in CASES]
