"""The composition root: what a run starts from."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from aister.adapters.feeds.recorded import open_feed
from aister.adapters.store.memory import MemoryJournal
from aister.app.build import RealAccount, build_run, config_hash, open_data
from aister.app.settings import RunSettings
from aister.app.strategies import make_strategy
from aister.core.audit import AskCouncil, Audit
from aister.core.errors import SettingsError, UsageError
from aister.core.events import EntriesFrozen, VenueReport
from aister.engine.runner import run_sync
from aister.execution.traits import VenueTraits
from aister.features.timeframes import bit
from aister.sim.models import FillModel, Latency, Margin
from aister.sim.venue import SimVenue

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
        RunSettings(positions="hedge"),
        RunSettings(margin="cross"),
    ]
    assert len({config_hash(one) for one in (usual, *others)}) == 8
    assert config_hash(usual) == config_hash(RunSettings())


def test_the_venues_decision_latency_delays_the_engine_and_its_mode_makes_the_desks() -> None:
    settings = part(0, 1)
    late = FillModel(latency=Latency(decision_ms=150_000), position_mode="hedge", margin=Margin("cross", 9))
    built = build_run(settings, open_data(settings), MemoryJournal("owner", "late", "run"), model=late)
    assert built.engine.rules.delay_bars == 2
    assert [desk.leg for desk in built.engine.desks["ETHUSDT"].legs] == [1, -1]
    assert isinstance(built.floor, SimVenue) and built.floor.model.margin.mode == "cross"


def test_the_accounts_modes_are_settings() -> None:
    settings = replace(part(0, 1), positions="hedge", margin="cross").check()
    built = build_run(settings, open_data(settings), MemoryJournal("owner", "modes", "run"))
    assert [desk.leg for desk in built.engine.desks["ETHUSDT"].legs] == [1, -1]
    assert isinstance(built.floor, SimVenue)
    assert (built.floor.model.margin.mode, built.floor.model.position_mode) == ("cross", "hedge")
    with pytest.raises(UsageError, match="position mode"):
        RunSettings(positions="both").check()
    with pytest.raises(UsageError, match="margin mode"):
        RunSettings(margin="crossed").check()


def test_a_model_that_needs_shorter_bars_is_refused() -> None:
    settings = RunSettings(symbols=("ETHUSDT",), strategy="ema_cross")
    coarse = FillModel(intrabar="lower_timeframe")
    strategy = make_strategy("ema_cross", None)
    feed = open_data(settings)
    mask_of_base = SimpleNamespace(name="every minute", mask=bit("1m"), setups=strategy.setups)
    with pytest.raises(SettingsError, match="needs bars shorter"):
        build_run(settings, feed, MemoryJournal("owner", "low", "run"), model=coarse, strategy=mask_of_base)


class Reporting:
    """An account where something is reported before the run has begun, as a live start does."""

    def __init__(self, report: VenueReport) -> None:
        self.reports = [report]

    def take_reports(self) -> list[VenueReport]:
        told, self.reports = self.reports, []
        return told

    def assumptions(self) -> dict[str, str]:
        return {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given, **named: None


def test_on_a_real_account_no_simulated_venue_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its matching would be compiled for nothing: two minutes on a new machine."""

    def made(**given: object) -> SimVenue:
        raise AssertionError("a simulated venue was made")

    monkeypatch.setattr("aister.app.build.SimVenue", made)
    settings = part(0, 1)
    floor = Reporting(EntriesFrozen(START_MS, "start", "The account's state is being read."))
    at = RealAccount(floor, "aster", "ai00000000", VenueTraits())
    built = build_run(settings, open_data(settings), MemoryJournal("owner", "real", "live"), account=at)
    assert (built.floor, built.venue) == (floor, "aster")
    with pytest.raises(AssertionError, match="was made"):
        build_run(settings, open_data(settings), MemoryJournal("owner", "paper", "live"))


def test_what_is_reported_before_the_beginning_comes_after_the_terms_of_every_symbol() -> None:
    settings = RunSettings(symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT"), start_ms=START_MS, end_ms=START_MS + DAY_MS)
    seen: list[Audit] = []
    floor = Reporting(EntriesFrozen(START_MS + 59_999, "start", "The account's state is being read."))
    account = RealAccount(floor, "aster", "ai00000000", VenueTraits())
    journal = MemoryJournal("owner", "first", "live")
    run = build_run(settings, open_data(settings), journal, (seen.append,), account=account).run
    run.start()
    assert run.hear()
    assert [type(one.event).__name__ for one in seen] == ["RunStarted", *["InstrumentListed"] * 3, "EntriesFrozen"]
