"""The screen fits where it is put, tells what happens, and shows data as text only (B7)."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from aister.analytics.report.flags import flag_in_words
from aister.cli.watch.lines import Lines
from aister.cli.watch.screen import Screen, tightest
from aister.cli.watch.telling import Telling
from aister.core.audit import Audit
from aister.core.council import Stance
from aister.core.money import UNIT
from aister.core.trade import Side
from aister.engine.desk import Desk
from aister.ports.feed import MarketSlice
from aister.risk.kernel import Headroom
from tests.fakes.audits import DAY_MS, START_MS, Tape, instrument, one_trade

HOSTILE = (
    "\x1b[31mred",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x9b2J",
    "[link=http://evil.example]x[/link]",
    "[bold red]x[/]",
    "\n{}",
    "\r\x1b[2K",
    "\u202eevil",
    "\x07",
    "\x00",
    "a\u200bb",
    ":smile:",
)


class Risk:
    """What the screen asks the kernel."""

    breaker = SimpleNamespace(value="ACTIVE")
    kelly = SimpleNamespace(proven=False, effective_n=3.0)

    def drawdown(self, equity: int) -> float:
        return 0.0125

    def headroom(self) -> tuple[Headroom, ...]:
        rows = (
            ("cooldown", 0.0, 0.0),
            ("portfolio_heat", 0.019, 0.02),
            ("daily_loss", 0.002, 0.02),
            ("stop_side", 500.0, 1.0),
        )
        return tuple(Headroom(name, used, bound, None, 0, 0, 0) for name, used, bound in rows)


def built(symbols: int = 3, flags: tuple[str, ...] = ("proxy: binance",)) -> Any:
    """The parts of a built run that are looked at."""
    names = [f"S{n}USDT" for n in range(symbols)] if symbols != 1 else ["BTCUSDT"]
    desks = {name: Desk(instrument(name)) for name in names}
    for desk in desks.values():
        desk.close, desk.bar_ms = 100_000.0, START_MS
    engine = SimpleNamespace(desks=desks, risk=Risk(), portfolio=SimpleNamespace(equity=9_950 * UNIT))
    feed = SimpleNamespace(
        span_ms=(START_MS, START_MS + 10 * DAY_MS),
        flags=flags,
        instruments={n: instrument(n) for n in [*names, "BTCUSDT"]},
    )
    return SimpleNamespace(
        engine=engine, feed=feed, run=SimpleNamespace(finished=False), settings=SimpleNamespace(capital=10_000 * UNIT)
    )


def shown(audits: list[Audit], width: int = 80, height: int = 24, **parts: Any) -> list[str]:
    """The picture after these audits, as lines."""
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, markup=False, emoji=False, highlight=False)
    screen = Screen("SAMPLE", 20_000.0, console)
    screen.attach(built(**parts), 0)
    for audit in audits:
        for observe in screen.observers:
            observe(audit)
    out.truncate(0)
    out.seek(0)
    console.print(screen.picture())
    screen.close()
    return out.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize(
    ("width", "height", "symbols"), [(80, 24, 3), (80, 24, 40), (60, 20, 3), (40, 24, 3), (40, 12, 3), (200, 60, 12)]
)
def test_the_picture_fits(width: int, height: int, symbols: int) -> None:
    lines = shown(one_trade().audits, width, height, symbols=symbols)
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width


def test_it_answers_what_it_is_worth_what_it_does_and_why() -> None:
    text = "\n".join(shown(one_trade().audits, 140, 40, symbols=1))
    for words in (
        "SAMPLE",
        "prices recorded at binance",
        "equity 9,950.00",
        "−0.50 % net",
        "drawdown 1.25 %",
        "ACTIVE",
        "Kelly UNPROVEN",
        "BTCUSDT",
        "BTCUSDT long breakout: TRADE at 50.0 %, expected +0.40 R",
        "consultant",
        "PROPOSE 50 %",
        "the case",
        "portfolio_heat",
        "closed by stop: −11.30 net (−1.13 R)",
        "1 decisions, 0 vetoes",
        "Ctrl-C stops and keeps everything",
    ):
        assert words in text, words


@pytest.mark.parametrize("height", [12, 24])
def test_a_narrow_screen_keeps_what_matters_whole(height: int) -> None:
    lines = [line.rstrip() for line in shown(one_trade().audits, 40, height)]
    for words in ("equity 9,950.00 (−0.50 % net)", "drawdown 1.25 %  ACTIVE"):
        assert any(words in line for line in lines), words
    assert lines[-2:] == ["Ctrl-C stops and keeps everything; the", "same command resumes."]


def test_only_budgets_are_called_headroom_tightest_first() -> None:
    assert [row.limit for row, _ in tightest(Risk().headroom(), 3)] == ["portfolio_heat", "daily_loss"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_data_is_shown_escaped_on_screen_and_in_lines(hostile: str) -> None:
    tape = Tape()
    tape.hours(0, 1, 1e5)
    tape.ask(60, rule=hostile, argument=hostile, granted=0, limit=hostile)
    tape.ask(90, Side.SELL, rule=hostile, stance=Stance.VETO, reasons=(hostile,), argument=hostile)
    lines = shown(tape.end(), 200, 40, symbols=1, flags=(hostile,))
    text = "\n".join(lines)
    assert all(c.isprintable() or c == "\n" for c in text)
    literal = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in hostile)
    assert text.count(literal) >= 3
    out = io.StringIO()
    told = Lines(out)
    told.attach(built(symbols=1, flags=(hostile,)), 0)
    for audit in tape.audits:
        told.observers[0](audit)
    said = out.getvalue()
    assert all(c.isprintable() or c == "\n" for c in said) and said.count(literal) >= 3
    assert len(said.splitlines()) == 4  # the flag, two decisions, one refusal: one event, one line


def test_lines_do_not_tell_again_what_is_repeated() -> None:
    audits = one_trade().audits
    out = io.StringIO()
    told = Lines(out)
    told.attach(built(symbols=1), len(audits) - 20)
    for audit in audits:
        told.observers[0](audit)
    assert out.getvalue().splitlines() == [f"data: {flag_in_words('proxy: binance')}"]


def test_the_day_starts_at_midnight_utc() -> None:
    run = built(symbols=1)
    screen = Screen("SAMPLE", None, Console(file=io.StringIO(), width=120, height=30))
    screen.attach(run, 0)
    tape = Tape()
    tape.hours(0, 23, 1e5)
    for audit in tape.audits:
        screen.observers[0](audit)
    run.engine.portfolio.equity = 9_000 * UNIT
    tape.hours(23, 25, 1e5)
    for audit in tape.audits[-2:]:
        screen.observers[0](audit)
    run.engine.portfolio.equity = 9_090 * UNIT
    assert any("today +90.00 (+1.00 %)" in line.plain for line in screen._worth(120))
    screen.close()


def test_redraws_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen("SAMPLE", None, Console(file=io.StringIO(), width=80, height=24))
    screen.attach(built(), 0)
    drawn: list[float] = []
    clock = [100.0]
    screen._drawn = 100.0
    monkeypatch.setattr("aister.cli.watch.screen.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(screen, "_draw", lambda now: (drawn.append(now), setattr(screen, "_drawn", now)))
    market = MarketSlice(START_MS, (), ())
    for _ in range(3_000):
        clock[0] += 0.001
        screen.watch(market)
        screen.tick()
    assert 20 <= len(drawn) <= 30  # three seconds


def test_telling_keeps_count() -> None:
    telling = Telling({"BTCUSDT": instrument()})
    said = [sentence for audit in one_trade().audits for sentence in telling.hear(audit)]
    assert (telling.decisions, telling.trades, telling.won, telling.pnl) == (1, 1, 0, round(-11.3 * UNIT))
    assert said[1] == "2025-05-05 01:01 BTCUSDT long 0.010 opened at 100,000.0"
    assert telling.became == said[1]
