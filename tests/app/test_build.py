"""The composition root: what a run starts from."""

from aister.adapters.feeds.recorded import open_feed
from aister.adapters.store.memory import MemoryJournal
from aister.app.build import build_run, config_hash, open_data
from aister.app.settings import RunSettings
from aister.core.audit import AskCouncil, Audit
from aister.engine.runner import run_sync

START_MS, DAY_MS = 1_746_403_200_000, 86_400_000


def part(first_day: int, days: int) -> RunSettings:
    start = START_MS + first_day * DAY_MS
    return RunSettings(symbols=("ETHUSDT",), start_ms=start, end_ms=start + days * DAY_MS).check()


def test_a_run_that_starts_late_is_warm_at_its_first_bar() -> None:
    asked: list[AskCouncil] = []

    def watch(audit: Audit) -> None:
        asked.extend(output for output in audit.outputs if isinstance(output, AskCouncil))

    settings = part(10, 2)
    feed = open_data(settings)
    assert feed.history is not None and feed.history.span_ms == (START_MS, START_MS + 10 * DAY_MS)
    run_sync(build_run(settings, feed, MemoryJournal("owner", "warm", "run"), (watch,)).run)
    assert asked, "with ten days of history the council is asked from the first day"
    assert all(settings.start_ms < one.question.time_ms for one in asked)


def test_history_is_part_of_the_data_and_absent_before_the_first_bar() -> None:
    assert open_data(RunSettings(symbols=("ETHUSDT",))).history is None
    assert open_data(part(0, 2)).history is None
    late = part(10, 2)
    cold = open_feed("sample", late.symbols, late.start_ms, late.end_ms)
    assert cold.history is None and open_data(late).data_hash != cold.data_hash


def test_whatever_decides_is_in_the_configurations_hash() -> None:
    usual = RunSettings()
    others = [
        RunSettings(seed=2),
        RunSettings(profile="aggressive"),
        RunSettings(leverage=2),
        RunSettings(mind="none"),
        RunSettings(latency_ms=1),
    ]
    assert len({config_hash(one) for one in (usual, *others)}) == 6
    assert config_hash(usual) == config_hash(RunSettings())
