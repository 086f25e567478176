"""A Python strategy run in its own process, with every figure: for a backtest, and for the detectors."""

from collections.abc import Mapping

from aister.adapters.sandbox.protocol import Parameter
from aister.adapters.sandbox.run import BLOCK, Progress, PythonRun, run_python_strategy
from aister.analytics.backtested import Origin
from aister.app.python_strategies import PythonRules
from aister.features.timeframes import INTERVAL_MS
from aister.lab.backtest import Backtest, Record, concluded, versions
from aister.lab.batch import Plan
from aister.lab.code import code_hash
from aister.lab.detectors.case import Case
from aister.lab.detectors.code import Heard, case_of_code
from aister.lab.settings import UNMANAGED, Settings, in_words
from aister.ports.market import Market

__all__ = ["backtest_python", "case_of_python"]


def backtest_python(
    rules: PythonRules,
    market: Market,
    settings: Settings,
    record: Record,
    progress: Progress | None = None,
) -> tuple[Backtest, PythonRun]:
    """Run it walled in, and measure what its signals make here. Its stop stays where it put it. `progress` and what is
    raised: as of `run_python_strategy`."""
    settings.check()
    plan = Plan(management=UNMANAGED, delay_bars=settings.delay_bars).check()
    ran = run_python_strategy(
        rules.source,
        market,
        plan,
        settings.model,
        settings.capital,
        parameters=rules.parameters,
        accepted=rules.accepted,
        progress=progress,
    )
    decides_ms = INTERVAL_MS[ran.timeframe]
    settings.model.check_bars(market.interval_ms, decides_ms)
    dropped = (f"answers that could not act: {ran.dropped}",) if ran.dropped else ()
    origin = Origin(
        kind="python",
        name=ran.name,
        description=f"{rules.source.name}, SHA-256 {rules.source.sha256}",
        spec=rules.source.text,
        spec_hash=rules.source.sha256,
        timeframe=ran.timeframe,
        data=record.data,
        data_hash=market.data_hash,
        code_hash=code_hash(),
        seed=settings.seed,
        settings={**in_words(settings, plan), "parameters": _given(rules.parameters)},
        assumptions=settings.model.assumptions(),
        flags=(*market.flags, *dropped),
        versions=versions(),
        walls=ran.walls.standing,
    )
    signals = {market.symbols[0]: ran.signals}
    return concluded(origin, market, signals, plan, settings.model, settings, record, decides_ms), ran


def case_of_python(rules: PythonRules, market: Market, settings: Settings, record: Record) -> Case:
    """The strategy as detectors look at it: every question is a process of its own. Raises what `run_python_strategy`
    raises over the market itself."""

    def ask(
        market: Market, plan: Plan, capital: int, *, parameters: Mapping[str, Parameter], reveal: int | None = None
    ) -> Heard:
        ran = run_python_strategy(
            rules.source,
            market,
            plan,
            settings.model,
            capital,
            parameters=parameters,
            reveal=reveal or BLOCK,
            accepted=rules.accepted,
        )
        return Heard(
            name=ran.name,
            timeframe=ran.timeframe,
            features=ran.features,
            warm_up=ran.warm_up,
            parameters=ran.declared,
            signals=ran.signals,
        )

    source = (rules.source.text, rules.source.sha256)
    return case_of_code(ask, market, settings, record, source=source, parameters=rules.parameters)


def _given(parameters: dict[str, Parameter]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in sorted(parameters.items())) or "its own defaults"
