"""At the start and every 30 s: the venue's books beside ours, and what follows from each difference.

Protection comes first, then orders, then the rest. What our books hold and the venue shows bare twice is told, and gets
a stop once more or is closed. News that is merely late explains itself: a difference of a position or of money counts
only when the next survey shows it too, after its trades were read. What the venue holds is then true: it is booked as
it is and, having no bracket, closed by the engine. Foreign orders, twins and changed settings freeze entries and are
left alone (C5, C14).
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from aister.core.audit import Audit
from aister.core.commands import ABSENCE, AcceptAbsence
from aister.core.events import BarClosed, CommandGiven, PositionBare
from aister.core.trade import Purpose, Side
from aister.execution.absence import NOT_SHOWN, UNKNOWABLE, AbsenceRules, away_sentence
from aister.execution.adoption import Policy, found_position
from aister.execution.bell import Bell
from aister.execution.courier import Courier
from aister.execution.glance import Glance
from aister.execution.identity import instance_of
from aister.execution.reconcile import Armed, Finding, FindingKind, Ours, needed, reconcile, wanted_ticks
from aister.execution.resuming import Resuming
from aister.execution.telling import OUTSIDE
from aister.execution.twins import Twins
from aister.ports.exchange import (
    Exchange,
    Execution,
    Open,
    OrderNews,
    Refused,
    StreamState,
    TermsNews,
    VenueNews,
    VenueOrder,
)

__all__ = ["Recovery", "RecoveryRules"]

_FREEZES = {
    FindingKind.TWIN: "twin",
    FindingKind.FOREIGN: "foreign",
    FindingKind.TERMS: "terms",
    FindingKind.MONEY: "money",
    FindingKind.DIFFERS: "position",
}
_AGAIN_MS = 60_000
_DOUBTFUL = (FindingKind.DIFFERS, FindingKind.MONEY, FindingKind.NAKED)


class RecoveryRules(msgspec.Struct, frozen=True):
    """`every_ms` between two surveys; `soon_ms` after something that needs a look; `probe_ms` while the venue does not
    answer (at most one in 10 s, C18), and while a difference lasts. `gap_ms` lies between news and the survey it
    asks for. `doubt_ms`: how long a difference of money or position must last to freeze entries, and a position without
    a stop to be seen to; `lag_ms`: how long a difference of a position must last to be booked without a trade that
    explains it, and a stop of our books to be missing (look-ups may lag that far).
    `twin_ms`: how long after the last trace of another installation, or the last trade by hand, entries stay frozen.
    `found`: what becomes of a
    position that is there at the start and in no book of ours, `found_life_ms` how long one that is kept may be held.
    `outage_ms`: after the venue was away for so long, entries wait for a whole bar (C18), and, where somebody
    looks at order books (`booked`), until those are told fresh."""

    every_ms: int = 30_000
    soon_ms: int = 2_000
    probe_ms: int = 10_000
    gap_ms: int = 500
    doubt_ms: int = 1_500
    lag_ms: int = 35_000
    twin_ms: int = 600_000
    found: Policy = "flatten"
    found_life_ms: int = 86_400_000
    outage_ms: int = 300_000
    booked: bool = False
    absence: AbsenceRules = AbsenceRules()


class Recovery:
    """Front door of the user stream (`hear`) and keeper of the books (`start`, then `run`). `ours` reads our books as
    they are now."""

    def __init__(
        self,
        exchange: Exchange,
        courier: Courier,
        ours: Callable[[], Ours],
        *,
        sleep: Callable[[float], Awaitable[None]],
        armed: Armed | None = None,
        rules: RecoveryRules | None = None,
    ) -> None:
        self._exchange, self._courier, self._ours, self._sleep = exchange, courier, ours, sleep
        self._armed, self._rules = armed, rules or RecoveryRules()
        self._doubts: dict[tuple[str, str, int, str], tuple[int, int]] = {}
        self._bell = Bell(sleep)
        self._glance = Glance(exchange, courier, ours().symbols, sleep=sleep, poke=self._bell.ring)
        self._instance = ours().instance
        self._twins = Twins(exchange, courier.teller, self._instance, self._rules.twin_ms)
        courier.traced = self._twins.noticed
        self._income_ms = 0
        self._stream_up = True
        self._starting = True
        self.resuming = Resuming(courier.teller, self._rules.outage_ms, booked=self._rules.booked)
        self._observing = False
        self.findings: tuple[Finding, ...] = ()
        self._courier.teller.freeze("start", "The account's state is being read.")

    async def start(self) -> Open:
        """Read everything until it can be read, see to protection, and let entries begin. Returns what was found."""
        if "resume" in self._courier.teller.frozen:
            self.resuming.recalled()
        while (open_ := await self.reconcile()) is None:
            await self._sleep(self._rules.soon_ms)
        self._starting = False
        await self._twins.look_back(self._ours().symbols)
        away_ms = open_.time_ms - self._courier.known_ms
        if away_ms > self._rules.absence.retention_ms:
            self._courier.teller.freeze(ABSENCE, away_sentence(away_ms))
        self._courier.teller.thaw_recalled("resume")  # of an earlier life, where nobody tells this one of bars
        self._courier.teller.thaw("start")
        return open_

    def take_over(self, open_: Open) -> None:
        """A new run begins with what the venue holds, whose trades are none of its own: kept with its stop or, by the
        other policy, closed."""
        self._courier.begins(open_.time_ms)
        for one in reconcile(self._ours(), open_, None):
            if one.kind is FindingKind.DIFFERS:
                self._keep(one, open_)
                self._adopt(one)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._survey(), self._glance.run())

    async def _survey(self) -> None:
        while True:
            read = await self.reconcile()
            if read is not None:
                await self._twins.look_back(self._ours().symbols)
            wait_ms = self._rules.every_ms if read is not None and not self._doubts else self._rules.probe_ms
            if read is not None and self._fresh_doubts():
                wait_ms = self._rules.soon_ms
            await self._bell.rest(wait_ms, self._rules.gap_ms)

    def observe(self, audit: Audit) -> None:
        """Every pass of the trader, for what only it tells: bars that closed, and what a person has accepted."""
        event, self._observing = audit.event, True
        if isinstance(event, BarClosed):
            self.resuming.bar(event.open_time_ms)
        elif isinstance(event, CommandGiven) and isinstance(event.command, AcceptAbsence):
            self._courier.teller.thaw(ABSENCE)

    def hear(self, news: VenueNews) -> None:
        """News of the user stream, in the order it comes."""
        teller = self._courier.teller
        if isinstance(news, StreamState):
            self._stream_up = news.up
            if not news.up:
                teller.freeze("stream", f"The account's stream is lost: {news.why}")
            self._bell.ring()
        elif isinstance(news, TermsNews):
            self._bell.ring()
        elif not self._courier.hear(news) and isinstance(news, OrderNews):
            self._twins.noticed(news.order.client_id)
            if instance_of(news.order.client_id) == self._instance:
                self._glance.stray(news.order)
            self._bell.ring()

    async def reconcile(self) -> Open | None:
        """One survey and everything that follows from it; None when the venue could not be read."""
        before = self._ours()
        open_ = await self._exchange.survey()
        if not isinstance(open_, Open):
            why = open_.reason if isinstance(open_, Refused) else open_.why
            self._courier.teller.freeze("venue", f"The venue cannot be read: {why}")
            self.resuming.failed(self._exchange.now_ms())
            return None
        for order in open_.orders:
            self._courier.see(order)
        now = self._ours()
        ours = _as_at(before, now)
        found = reconcile(ours, open_, self._armed)
        moving = {key for key in before.steps.keys() | now.steps.keys() if before.steps.get(key) != now.steps.get(key)}
        found = tuple(
            one for one in found if (one.symbol, one.leg) not in moving or one.kind is not FindingKind.DIFFERS
        )
        self.findings = found
        for one in found:
            open_ = await self._act(one, open_)
        self._judge(found)
        await self._read_income(open_.time_ms)
        self._book_income(open_.time_ms)
        self.resuming.read(open_.time_ms, observed=self._observing)
        self._courier.teller.thaw("venue")
        if self._stream_up:
            self._courier.teller.thaw("stream")
        return open_

    # ---- inside -----------------------------------------------------------------------------------------------------

    async def _act(self, finding: Finding, open_: Open) -> Open:
        """What follows at once; and what is open there then."""
        courier, order = self._courier, finding.order
        match finding.kind:
            case FindingKind.MISSING:
                await self._look_up(finding)
            case FindingKind.ALTERED:
                courier.disown(finding.client_id, finding.sentence)
            case FindingKind.STRAY:
                if order is not None:
                    self._glance.stray(order)
                    if not needed(order, open_, self._ours()):
                        await self._glance.take(finding.symbol, finding.client_id)
                        left = tuple(one for one in open_.orders if one is not order)
                        open_ = msgspec.structs.replace(open_, orders=left)
            case FindingKind.ORPHAN:
                pass  # looked at again within seconds, and taken away
            case FindingKind.TWIN:
                self._twins.noticed(finding.client_id)
            case FindingKind.DIFFERS:
                self._keep(finding, open_)
                courier.catch_up(finding.symbol)
            case FindingKind.NAKED | FindingKind.FOREIGN | FindingKind.TERMS | FindingKind.MONEY:
                pass
        return open_

    async def _look_up(self, finding: Finding) -> None:
        """An order that is not open has ended, or the survey lags. A stop is not waited for: another is placed beside
        what may still be there."""
        seen = await self._exchange.order(finding.symbol, finding.client_id)
        course = self._courier.course(finding.client_id)
        if course is None or course.closed or course.retired:
            return
        if seen is None:
            if course.order.purpose is Purpose.STOP:
                self._courier.disown(finding.client_id, NOT_SHOWN)
            elif self._courier.forgotten(finding.client_id):
                self._courier.disown(finding.client_id, UNKNOWABLE)
        elif isinstance(seen, VenueOrder):
            self._courier.see(seen)

    def _keep(self, finding: Finding, open_: Open) -> None:
        """At the start a position that nothing explains is kept with its stop, where that is the policy: told before
        the trades that opened it are."""
        if not self._starting or self._rules.found != "adopt":
            return
        instance, life_ms = self._ours().instance, self._rules.found_life_ms
        found = found_position(finding, open_.orders, instance, life_ms)
        if found is not None:
            if found.stop is not None:
                self._courier.adopt(found.stop, open_.time_ms)
            self._courier.teller.say(found)

    async def _read_income(self, now_ms: int) -> None:
        """Funding paid and received since the last look; a minute is read again, because books are written late. That
        of other symbols is the account's, as is whatever else they earn or cost."""
        since_ms = max((self._income_ms or self._courier.known_ms) - _AGAIN_MS, self._courier.begun_ms)
        rows = await self._exchange.income(since_ms, now_ms)
        if isinstance(rows, tuple):
            self._income_ms = now_ms
            symbols = self._ours().symbols
            self._courier.teller.income.read(rows, symbols)
            for time_ms, symbol, kind, amount in rows:
                if kind == "FUNDING_FEE" and symbol in symbols:
                    self._courier.teller.paid(time_ms, symbol, amount)

    def _book_income(self, surveyed_ms: int) -> None:
        """Other money that the venue booked, where it explains what the wallet differs by."""
        teller = self._courier.teller
        money = next((one for one in self.findings if one.kind is FindingKind.MONEY), None)
        if money is None:
            teller.income.settled(surveyed_ms - _AGAIN_MS)
            return
        booked = teller.income.explains(money.theirs - money.ours)
        for event in booked:
            teller.say(event)

    def _judge(self, found: tuple[Finding, ...]) -> None:
        """Freeze and thaw by what was found; adopt what has lasted."""
        now_ms, teller = self._exchange.now_ms(), self._courier.teller
        unexplained = {(one.symbol, one.leg) for one in found if one.kind is FindingKind.DIFFERS}
        doubts = {
            one.key: (one.ours, one.theirs)
            for one in found
            if one.kind in _DOUBTFUL and not (one.kind is FindingKind.NAKED and (one.symbol, one.leg) in unexplained)
        }
        for key, (_, gap) in list(self._doubts.items()):
            if key not in doubts or doubts[key][1] - doubts[key][0] != gap:
                del self._doubts[key]
        lasting = set()
        for key, (mine, theirs) in doubts.items():
            since_ms, _ = self._doubts.setdefault(key, (now_ms, theirs - mine))
            if now_ms - since_ms >= self._rules.doubt_ms:
                lasting.add(key)
        reasons: dict[str, list[str]] = {}
        for one in found:
            cause = _FREEZES.get(one.kind)
            if cause is not None and (one.kind not in _DOUBTFUL or one.key in lasting):
                reasons.setdefault(cause, []).append(one.sentence)
            since_ms = self._doubts.get(one.key, (now_ms, 0))[0]
            if one.kind is FindingKind.DIFFERS and now_ms - since_ms >= self._rules.lag_ms:
                self._adopt(one)
                self._doubts.pop(one.key)
            elif one.kind is FindingKind.NAKED and now_ms - since_ms >= self._bare_ms(one):
                self._bare(one)  # and again at each survey until it helps
        for cause in _FREEZES.values():
            if cause in reasons:
                teller.freeze(cause, " ".join(reasons[cause]))
            elif cause != "twin" or now_ms >= self._twins.until_ms:
                teller.thaw(cause)

        if now_ms >= teller.hand_ms + self._rules.twin_ms:
            teller.thaw(OUTSIDE)

    def _bare_ms(self, finding: Finding) -> int:
        """How long nothing must cover a position to be acted on: while our books have a stop there, its own look-up is
        asked first, and reads may lag."""
        position = finding.position
        covered = position is not None and wanted_ticks(position, self._ours())
        return self._rules.lag_ms if covered else self._rules.doubt_ms

    def _bare(self, finding: Finding) -> None:
        """The trader sees to what it holds and the venue shows without cover; what its books hold otherwise is a
        difference first."""
        position = finding.position
        if position is not None and self._ours().steps.get((finding.symbol, finding.leg), 0) == position.steps:
            self._courier.teller.say(PositionBare(0, finding.symbol, finding.leg, position.steps))

    def _fresh_doubts(self) -> bool:
        since_ms = self._exchange.now_ms() - 2 * self._rules.soon_ms
        return any(begun_ms > since_ms for begun_ms, _ in self._doubts.values())

    def _adopt(self, finding: Finding) -> None:
        """The venue's position becomes ours: the difference is booked at its mark as a fill of nobody's, since no trade
        explains it."""
        position, now_ms = finding.position, self._exchange.now_ms()
        difference = finding.theirs - finding.ours
        ticks = position.mark_ticks if position is not None else self._courier.teller.last_ticks(finding.symbol)
        if position is not None and position.entry_ticks and not finding.ours:
            ticks = position.entry_ticks  # all of it is new: at what was paid
        adopted = Execution(
            trade_id=-now_ms,
            venue_id=0,
            client_id=f"adopted-{finding.symbol}-{now_ms}",
            symbol=finding.symbol,
            side=Side.BUY if difference > 0 else Side.SELL,
            steps=abs(difference),
            price_ticks=ticks,
            fee=0,
            fee_asset="",
            realized=0,
            maker=False,
            leg=finding.leg,
            time_ms=now_ms,
        )
        self._courier.teller.unasked(adopted)


def _as_at(before: Ours, now: Ours) -> Ours:
    """Our books as a survey between the two may be compared with: orders that were there all along, the rest as it is
    now."""
    still = {one.order.client_id: one for one in now.orders}
    was = {one.order.client_id: one for one in before.orders}
    orders = tuple(
        msgspec.structs.replace(one, arrived=one.arrived and client_id in was and was[client_id].arrived)
        for client_id, one in still.items()
    )
    gone = tuple(msgspec.structs.replace(was[one], arrived=False) for one in was if one not in still)
    return msgspec.structs.replace(now, orders=orders + gone)
