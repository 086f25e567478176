"""What a finished run leaves: the report, the JSON, a short summary."""

import platform
from datetime import UTC, datetime
from pathlib import Path

from aister import __version__
from aister.analytics.benchmarks import Bars
from aister.analytics.collect import Collector
from aister.analytics.findings import About, Findings, Kelly, examine
from aister.analytics.hashes import Hashes
from aister.analytics.published import published
from aister.analytics.report import report
from aister.analytics.report.flags import flag_in_words
from aister.analytics.report.tradable import tradable
from aister.analytics.report.words import count, percent, signed, signed_percent
from aister.app.build import SIMULATED, Built, Fed, config_hash
from aister.app.settings import RunSettings
from aister.cli.output import leave_json, write_text
from aister.core.money import RATE_ONE

__all__ = ["findings_of", "leave", "mode_of", "summary"]


def mode_of(settings: RunSettings) -> str:
    """The word on the frame: SAMPLE for the packaged data, PAPER for anything else on the simulated venue."""
    return "SAMPLE" if settings.data == "sample" else "PAPER"


def _mode(built: Built) -> str:
    """The same of a run: on a real account the exchange's name and net."""
    if built.venue == SIMULATED:
        return mode_of(built.settings)
    return f"ASTER {built.settings.data.rpartition(' ')[2]}"


def findings_of(built: Built) -> Findings:
    """One pass over the journal, then figures and benchmarks."""
    collector, hashes = Collector(), Hashes()
    for audit in built.journal.records():
        collector.take(audit)
        hashes.observe(audit)
    feed, settings = built.feed, built.settings
    about = About(
        mode=_mode(built),
        settings=_settings(settings),
        hashes={
            "journal_hash": built.journal.head,
            "decision_hash": hashes.decision_hash,
            "trades_hash": hashes.trades_hash,
            "data_hash": feed.data_hash,
            "config_hash": config_hash(settings),
        },
        versions=_versions(),
    )
    result = collector.result(feed.flags, built.floor.assumptions())
    return examine(result, about, _kelly(built), lambda symbol: _bars(feed, symbol))


def _kelly(built: Built) -> Kelly:
    """The risk kernel's own word at the end of the run."""
    risk = built.engine.risk
    now = risk.kelly
    bound = None if now.bound_e8 is None else now.bound_e8 / RATE_ONE
    limits = risk.limits
    return Kelly(now.proven, now.outcomes, now.effective_n, limits.kelly_outcomes, bound, limits.unproven_e4 / 10_000)


def leave(findings: Findings, report_path: Path | None, json_path: str) -> None:
    """Write what was asked for; '-' prints the JSON, and nothing else, on standard output."""
    if report_path is not None:
        write_text(report_path, report(findings))
    if json_path:
        leave_json(published(findings), json_path)


def summary(findings: Findings, report_path: Path | None, json_path: str) -> list[str]:
    """The run in a few lines."""
    r, m, hold, chance = findings.result, findings.metrics, findings.hold, findings.matched
    hashes = findings.about.hashes
    held = "no bars" if hold is None else signed_percent(hold.net_return)
    lines = [
        f"Result     {signed_percent(m.net_return)} net of all costs ({signed(m.net_pnl)} USDT), "
        f"{count(m.trades, 'trade')}, deepest drawdown {percent(m.max_drawdown, 2)}",
        f"Beside it  buy and hold over the whole span {held}"
        + ("" if chance.mean is None else f", matched random entry {signed_percent(chance.mean)} on average"),
        f"Chance     {chance.words}",
        f"Council    {count(r.counts.decisions, 'decision')}, {_vetoes(findings)}; "
        f"{sum(r.counts.refused.values()):,} entries refused by the risk kernel",
        f"Journal    {r.records:,} records, hash {hashes['journal_hash']}",
        f"Decisions  hash {hashes['decision_hash']}",
        f"Trades     hash {hashes['trades_hash']}",
    ]
    if possible := tradable(r):
        lines.insert(1, f"Tradable   {possible}")
    lines += [f"Data       {flag_in_words(flag)}" for flag in r.flags]
    if report_path is not None:
        lines.append(f"Report     {report_path}")
    if json_path:
        lines.append(f"JSON       {json_path}")
    return lines


def _vetoes(findings: Findings) -> str:
    counts = findings.result.counts
    most = next(iter(counts.vetoes), None)
    return count(counts.veto_total, "veto").replace("vetos", "vetoes") + (f" (most for {most})" if most else "")


def _settings(s: RunSettings) -> dict[str, str]:
    asked = {
        "data": s.data,
        "profile": s.profile,
        "strategy": s.strategy,
        "leverage": "the profile's" if s.leverage == 0 else f"{s.leverage} x",
        "account": f"{s.positions.replace('_', '-')}, {s.margin} margin",
        "latency": f"{s.latency_ms} ms between question and answer",
        "funding": "missing settlements assumed" if s.assume_funding else "as recorded",
    }
    if s.start_ms is not None:
        asked["from"] = _moment(s.start_ms)
    if s.end_ms is not None:
        asked["to"] = _moment(s.end_ms)
    return asked


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _versions() -> dict[str, str]:
    import numba
    import numpy

    return {
        "aister": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _bars(feed: Fed, symbol: str) -> Bars:
    c = feed.columns(symbol)
    return Bars(feed.base_interval_ms, c["open_time"], c["open"], c["high"], c["low"], c["close"])
