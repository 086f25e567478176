"""The terminal screen of a watched run. Everything that comes from data passes `shown` and is never read as markup
(B7).

From the top: where the run is, what it is worth, each symbol with its position and protection, the council's newest
debate, the tightest limits, what happened last. It fits 80 x 24 and uses more when there is more; a narrow one keeps
worth, drawdown, state and the way out whole.
"""

import sys
import time
from collections import deque
from textwrap import wrap

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from aister.analytics.report.flags import flag_in_short
from aister.analytics.report.words import age, money, percent, price, signed, signed_percent, utc
from aister.app.build import Built
from aister.cli import shown
from aister.cli.watch.lines import Silence
from aister.cli.watch.telling import Telling, verdict
from aister.core.audit import Audit
from aister.core.council import Agent
from aister.core.events import BarClosed
from aister.core.money import UNIT
from aister.ports.feed import MarketSlice
from aister.risk.kernel import Headroom

__all__ = ["Screen", "tightest"]

_BETWEEN_S = 0.12  # at most eight redraws a second
_DAY_MS = 86_400_000
_BUDGETS = (
    "portfolio_heat", "daily_loss", "weekly_loss", "drawdown", "gross_exposure", "position_notional", "trade_rate",
    "free_margin", "cost_to_risk", "message_throttle",
)  # fmt: skip
"""Limits whose figure grows towards its bound: for these "how much is left" means something."""


def tightest(rows: tuple[Headroom, ...], most: int) -> list[tuple[Headroom, float]]:
    """The limits with the least left at the last review, and the share used, tightest first."""
    used = [(row, row.used / row.bound) for row in rows if row.limit in _BUDGETS and row.bound > 0]
    return sorted(used, key=lambda pair: -pair[1])[:most]


class Screen(Silence):
    """A rich Live display on the alternate screen. `linger` waits for Enter or Ctrl-C with the last picture
    standing."""

    def __init__(self, mode: str, pace: float | None, console: Console | None = None) -> None:
        self.observers = (self._observe,)
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._mode, self._pace = mode, pace
        self._built: Built | None = None
        self._events: deque[str] = deque(maxlen=40)
        self._live: Live | None = None
        self._drawn = self._began = 0.0
        self._seen = self._already = 0
        self._time_ms = self._from_ms = 0
        self._day_ends_ms = 0
        self._day_open = 0
        self._note = ""

    def attach(self, built: Built, already: int) -> None:
        """Put the picture up; the first `already` records are repeated from the journal."""
        self._built, self._already = built, already
        self._telling = Telling(built.feed.instruments)
        self._time_ms = self._from_ms = built.feed.span_ms[0]
        self._day_open = built.settings.capital
        self._day_ends_ms = (self._time_ms // _DAY_MS + 1) * _DAY_MS
        self._began = time.monotonic()
        self._live = Live(console=self._console, auto_refresh=False, screen=self._console.is_terminal, transient=True)
        self._live.start()
        self.tick()

    def _observe(self, audit: Audit) -> None:
        self._seen += 1
        event = audit.event
        if event.time_ms >= self._day_ends_ms and self._built is not None:
            self._day_open = self._built.engine.portfolio.equity
            self._day_ends_ms = (event.time_ms // _DAY_MS + 1) * _DAY_MS
        if not audit.outputs and type(event) is BarClosed:
            return
        self._events.extend(self._telling.hear(audit))

    def watch(self, market: MarketSlice) -> None:
        """Called after every slice; draws when it is time to."""
        now = time.monotonic()
        if now - self._drawn >= _BETWEEN_S:
            self._time_ms = market.bars[0].time_ms if market.bars else market.open_time_ms
            if self._seen <= self._already:
                self._began, self._from_ms = now, self._time_ms
            self._draw(now)

    def tick(self) -> None:
        """Draw although nothing moved: a slow pace must not look like a frozen screen."""
        now = time.monotonic()
        if now - self._drawn >= _BETWEEN_S:
            self._draw(now)

    def say(self, note: str) -> None:
        """A sentence on the last line from now on."""
        self._note = note
        if self._live is not None:
            self._draw(time.monotonic())

    def linger(self, note: str) -> None:
        """Keep the last picture until Enter or Ctrl-C."""
        self.say(note)
        try:
            sys.stdin.readline()
        except KeyboardInterrupt:
            return

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, now: float) -> None:
        self._drawn = now
        if self._live is not None:
            self._live.update(self.picture(), refresh=True)

    # ---- the picture -------------------------------------------------------------------------------------------------

    def picture(self) -> RenderableType:
        """Everything as lines cut to the terminal's size; the sections that may grow share what room is left."""
        width, height = self._console.size
        top = [*self._where(width), *self._worth(width)]
        symbols = self._symbols(max(2, min(12, height - 16)))
        limits = self._limits()
        foot = self._foot(width)
        room = max(0, height - len(top) - len(symbols) - len(limits) - len(foot) - 3)
        council = self._council(max(3, room * 2 // 3))
        events = self._latest(max(0, room - len(council)))
        lines = [*top, Text(""), *symbols, Text(""), *council, *limits, *events]
        lines = [*lines[: max(0, height - len(foot))], *foot]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            line.truncate(width, overflow="ellipsis")
        return Group(*lines)

    def _where(self, width: int) -> list[Text]:
        built = self._needed()
        start, end = built.feed.span_ms
        part = min(1.0, max(0.0, (self._time_ms - start) / max(1, end - start)))
        wall = time.monotonic() - self._began
        speed = (self._time_ms - self._from_ms) / 1000 / wall if wall > 0.5 else 0.0
        left = f"{_wall((end - self._time_ms) / speed / 1000)} left" if speed > 0 else "starting"
        if built.run.finished:
            left = "finished"
        asked = "full speed" if self._pace is None else f"asked {self._pace:,.0f} x"
        head = Text()
        head.append(f" {self._mode} ", "reverse bold")
        head.append(f"  {utc(self._time_ms)} UTC  ", "bold")
        head.append(f"{percent(part, 0)}, {left}, {speed:,.0f} x market ({asked})", "dim")
        bar = Text("━" * round(part * width), "blue")
        bar.append("─" * (width - len(bar)), "bright_black")
        flags = ", ".join(shown(flag_in_short(flag)) for flag in built.feed.flags)
        told = [Text(shown(line)) for line in wrap(self.standing(), max(20, width))] if self.standing else []
        return [head, bar, *told, *([Text(f"data: {flags}", "yellow")] if flags else [])]

    def _worth(self, width: int) -> list[Text]:
        built, risk = self._needed(), self._needed().engine.risk
        equity, capital = built.engine.portfolio.equity, built.settings.capital
        today, share = equity - self._day_open, equity / self._day_open - 1.0 if self._day_open else 0.0
        worth = Text("equity ").append(f"{equity / UNIT:,.2f}", "bold")
        worth.append(f" ({signed_percent(equity / capital - 1)} net)", _colour(equity - capital))
        day = Text("today ").append(f"{signed(today / UNIT)} ({signed_percent(share)})", _colour(today))
        state = Text(f"drawdown {percent(risk.drawdown(equity), 2)}  ")
        state.append(risk.breaker.value, "bold" if risk.breaker == "ACTIVE" else "bold red")
        words = "proven" if risk.kelly.proven else "UNPROVEN"
        return _packed([worth, day, state, Text(f"Kelly {words} n={risk.kelly.effective_n:.0f}", "dim")], width)

    def _symbols(self, most: int) -> list[Text]:
        built = self._needed()
        lines = [
            Text(
                f"{'symbol':<10}{'price':>11}  {'position':<13}{'entry':>11}{'stop':>11}{'target':>11}{'net':>10}",
                "dim",
            )
        ]
        desks = sorted(built.engine.desks.values(), key=lambda desk: desk.bracket is None)
        for desk in desks[:most]:
            one, bracket = desk.instrument, desk.bracket
            now = price(desk.close, one.price_decimals) if desk.bar_ms >= 0 else "no bar yet"
            line = Text(f"{shown(one.symbol):<10}{now:>11}  ")
            if bracket is None:
                waiting = (
                    "plan armed"
                    if desk.plan
                    else "council asked"
                    if desk.asked
                    else "entry working"
                    if desk.entry
                    else "flat"
                )
                line.append(waiting, "dim" if waiting == "flat" else "yellow")
            else:
                held = built.engine.portfolio.holding(one.symbol)
                net = held.realised + held.unrealised - held.fees - held.funding
                stop = desk.resident_stop_ticks
                ahead = [t.ticks for t in bracket.targets][bracket.targets_hit :]
                line.append(f"{f'{bracket.side.word} {one.size_text(abs(held.steps))}':<13}", "bold")
                for ticks in (bracket.entry_ticks, stop, ahead[0] if ahead else None):
                    line.append(f"{'none' if ticks is None else price(one.price(ticks), one.price_decimals):>11}")
                line.append(f"{signed(net / UNIT):>10}", _colour(net))
            lines.append(line)
        if len(desks) > most:
            lines.append(Text(f"and {len(desks) - most} more", "dim"))
        return lines

    def _council(self, most: int) -> list[Text]:
        telling = self._telling
        counts = (
            f"{telling.decisions} decisions, {telling.vetoes} vetoes, "
            f"{telling.refused} refused, {telling.trades} trades, {money(telling.pnl)} net"
        )
        if telling.last is None:
            return [Text(f"council: nothing asked yet ({counts})", "dim")]
        setup, event = telling.last
        made = event.decision
        head = Text("council ", "dim")
        head.append(f"{utc(event.time_ms)} {shown(setup.symbol)} {setup.side.word} {shown(setup.rule)}: ", "bold")
        head.append(
            shown(verdict(event)),
            "green" if made.outcome == "TRADE" else "red" if made.verdict.stance == "VETO" else "",
        )
        lines = [head]
        last = {statement.agent: statement for statement in made.statements}
        case = {statement.agent: statement.argument for statement in made.statements if statement.round == 1}
        for agent in Agent:
            if agent in last:
                said = last[agent]
                odds = "" if said.odds is None else f" {percent(said.odds.target, 0)}"
                line = Text(f"  {agent.value:<11}", "dim")
                line.append(f"{shown(said.stance)}{odds}  ", "bold")
                line.append(shown(case.get(agent, said.argument)))
                lines.append(line)
        if telling.became:
            lines.append(Text(f"  then        {shown(telling.became)}"))
        return [*lines[: most - 1], Text(f"  so far      {counts}", "dim")]

    def _limits(self) -> list[Text]:
        rows = tightest(self._needed().engine.risk.headroom(), 3)
        if not rows:
            return []
        line = Text("limits ", "dim")
        for row, share in rows:
            filled = round(min(1.0, max(0.0, share)) * 8)
            line.append(f" {shown(row.limit)} ")
            line.append("▮" * filled, "red" if share > 0.8 else "yellow" if share > 0.5 else "green")
            line.append("▯" * (8 - filled) + f" {percent(share, 0)}", "dim")
        return [line]

    def _latest(self, most: int) -> list[Text]:
        return [Text(shown(sentence), "dim") for sentence in list(self._events)[-most:]] if most else []

    def _foot(self, width: int) -> list[Text]:
        said = self._note or "Ctrl-C stops and keeps everything; the same command resumes."
        return [Text(line, "dim") for line in wrap(said, max(20, width))]

    def _needed(self) -> Built:
        assert self._built is not None, "attach the screen to a run first"
        return self._built


def _packed(pieces: list[Text], width: int) -> list[Text]:
    """Pieces side by side on as few lines as hold them whole."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 2 + len(piece) <= width:
            lines[-1].append("  ").append_text(piece)
        else:
            lines.append(piece)
    return lines


def _wall(seconds: float) -> str:
    """A waiting time in words."""
    return age(seconds * 1000) if seconds >= 60 else f"{seconds:.0f} s"


def _colour(amount: float) -> str:
    return "green" if amount > 0 else "red" if amount < 0 else ""
