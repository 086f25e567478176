"""`RiskKernel.review(intent, situation)`: the one way to permission, and the transitions that move its breakers.

Entries pass every limit of `limits.LIMITS`; the size is the smallest that any of them allows, times the council's
factor. Reductions pass in every state (I-1, Q5): they need a confirmed position on the other side and nothing else.
Everything is deterministic in the calls made; time is the caller's event time.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from aister.core.audit import Breaker, BreakerChanged, Reviewed, TradeClosed
from aister.core.commands import Command, EngageKill, ReleaseKill, ResumeTrading
from aister.core.instrument import Instrument
from aister.core.permission import Approved, CapLine, Intent, Refused, seal_of
from aister.core.trade import Order, OrderType, Purpose
from aister.risk.ask import Ask, ask
from aister.risk.kelly import Kelly, assess
from aister.risk.limits import LIMITS, Limit
from aister.risk.limits.price_collar import worst_ticks
from aister.risk.profile import Limits
from aister.risk.situation import Situation
from aister.risk.state import State, Tally

__all__ = ["NEVER_MS", "Headroom", "RiskKernel"]

NEVER_MS = 2**62
"""Permissions to reduce do not expire (Q5); theirs is this plus a running number, so that no two are alike."""

_KELLY_EVERY = 10


class Headroom(msgspec.Struct, frozen=True):
    """One limit for the screen: its last figures and what it has done. `last_fired_ms` is None until it refused."""

    limit: str
    used: float
    bound: float
    last_fired_ms: int | None
    fired: int
    bound_size: int
    would_have_fired: int


class RiskKernel:
    """Limits, memory and the seal of one trader.

    `key` is shared with whoever sends. `certified` says the strategy has a certificate (without one Kelly stays
    UNPROVEN); `seed` is that of Kelly's bootstrap. `registry` is for drills that take a limit out: what is in it, and
    whose it is, is part of `limits_hash`, which every permission carries. Raises `SettingsError` when the bounds make
    no sense.
    """

    def __init__(
        self,
        limits: Limits,
        instruments: Mapping[str, Instrument],
        key: bytes,
        owner_id: str,
        trader_id: str,
        *,
        certified: bool = False,
        seed: int = 0,
        registry: tuple[Limit, ...] = LIMITS,
    ) -> None:
        self.limits = limits.check()
        names = [limit.NAME for limit in registry]
        self.limits_hash = hashlib.sha256(msgspec.msgpack.encode((limits.hash, names, owner_id, trader_id))).hexdigest()
        self._instruments = dict(instruments)
        self._key = key
        self._certified, self._seed = certified, seed
        self._registry = registry
        self.needs: frozenset[str] = frozenset(need for limit in registry for need in getattr(limit, "NEEDS", ()))
        self.restore(State())

    # ---- permission ----

    def review(self, intent: Intent, situation: Situation) -> tuple[Approved | Refused, Reviewed]:
        """Permission for one order, or the reason why not; and the record of what every limit said."""
        if intent.purpose is not Purpose.ENTRY:
            return self._reduction(intent, situation)
        if refusal := self._malformed(intent):
            return self._refuse(intent, "intent", refusal, ())
        if not self._nav.units and situation.equity:
            self._nav.mark(situation.time_ms, situation.equity, self.limits)
        entry = ask(intent, situation, self._state, self.limits, self._instruments[intent.symbol])
        lines = tuple(limit.cap(entry) for limit in self._registry)
        lowest = min(range(len(lines)), key=lambda i: lines[i].steps)
        most = lines[lowest].steps
        asked = intent.steps or entry.largest
        steps = min(most, asked) * min(10_000, max(0, intent.size_factor_e4)) // 10_000
        if steps < entry.smallest:
            binding = lines[lowest].limit if most < entry.smallest or most < asked else "venue_filters"
            reason = _too_small(entry, steps)
            if most < entry.smallest:
                reason = self._registry[lowest].why(entry, lines[lowest])
            self._tally(lines, entry.smallest, binding, situation.time_ms)
            return self._refuse(intent, binding, reason, lines)
        bound = lines[lowest].limit if most < asked else ""
        self._tally(lines, entry.smallest, "", situation.time_ms, bound)
        permit = self._approve(intent, steps, worst_ticks(entry), situation.time_ms + self.limits.permit_ms)
        return permit, Reviewed(intent, steps, bound, "", lines)

    def _reduction(self, intent: Intent, situation: Situation) -> tuple[Approved | Refused, Reviewed]:
        """I-1: nothing but the proof that it reduces what the venue confirmed. It asks for no price, age, limit or
        state. A closePosition stop placed while flat, to protect an entry before it can fill (C6), can do nothing else
        either."""
        held = situation.confirmed_steps
        guards = not held and intent.purpose is Purpose.STOP and intent.close_position
        if held * intent.side >= 0 and not guards:
            reason = f"there is no confirmed position of {intent.symbol} that a {intent.side.name.lower()} would reduce"
            return self._refuse(intent, "reduction", reason, ())
        if intent.steps <= 0 and not intent.close_position:
            return self._refuse(intent, "reduction", "a reduction says how many steps, or closes the position", ())
        steps = 0 if intent.close_position else min(intent.steps, abs(held))
        worst = intent.price_ticks if intent.type is OrderType.LIMIT else 0
        permit = self._approve(intent, steps, worst, NEVER_MS + self._state.permits)
        if guards:
            return permit, Reviewed(intent, 1, "", "it can only ever close, and nothing is held yet", ())
        return permit, Reviewed(intent, steps or abs(held), "", "it reduces the confirmed position", ())

    def _approve(self, intent: Intent, steps: int, worst: int, expires_ms: int) -> Approved:
        self._state.permits += 1
        unsealed = Approved(
            intent_id=intent.id,
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            purpose=intent.purpose,
            steps=steps,
            price_ticks=intent.price_ticks if intent.type is OrderType.LIMIT else 0,
            trigger_ticks=intent.trigger_ticks,
            worst_ticks=worst,
            reduce_only=intent.purpose is not Purpose.ENTRY and not intent.close_position and not intent.leg,
            close_position=intent.close_position,
            limits_hash=self.limits_hash,
            expires_ms=expires_ms,
            leg=intent.leg,
            seal=b"",
        )
        return msgspec.structs.replace(unsealed, seal=seal_of(self._key, unsealed))

    def _refuse(self, intent: Intent, limit: str, reason: str, lines: tuple[CapLine, ...]) -> tuple[Refused, Reviewed]:
        return Refused(intent.id, limit, reason), Reviewed(intent, 0, limit, reason, lines)

    def _malformed(self, intent: Intent) -> str:
        """What makes this no entry at all."""
        if intent.symbol not in self._instruments:
            return f"{intent.symbol} is not one of this trader's instruments"
        if intent.reduce_only or intent.close_position or intent.leg * intent.side < 0:
            return "an entry does not reduce"
        if intent.type not in (OrderType.MARKET, OrderType.LIMIT) or intent.price_ticks <= 0 or intent.steps < 0:
            return "an entry is a market or limit order with a price above zero and no negative size"
        return ""

    # ---- transitions ----

    def mark(self, time_ms: int, equity: int) -> BreakerChanged | None:
        """The equity at mark: at every bar while a position is open, and after every fill and payment."""
        nav = self._nav
        if nav.floor < equity <= nav.ceiling and time_ms < nav.until_ms:
            nav.equity = equity
            return None
        before = self.breaker
        nav.mark(time_ms, equity, self.limits)
        return self._moved(before, f"drawdown {nav.drawdown(equity):.2%} from the peak")

    def transfer(self, time_ms: int, amount: int, equity: int) -> BreakerChanged | None:
        """Money moved at `equity` (before the move): units change, NAV does not, no state moves (Q23). Only a transfer
        into or out of nothing halts, because no NAV can be kept through it."""
        before = self.breaker
        if not self._nav.units and equity > 0:
            self._nav.mark(time_ms, equity, self.limits)
        if self._nav.transfer(amount, equity, self.limits):
            return None
        reason = "a transfer left no equity, or found none"
        self._state.conduct.halts.setdefault("liquidation", reason)
        return self._moved(before, reason)

    def trade_closed(self, trade: TradeClosed) -> BreakerChanged | None:
        """A position went flat: outcomes for Kelly, the run of losses, the pause after a stop; a liquidation halts."""
        before, state = self.breaker, self._state
        state.conduct.closed(trade, self.limits)
        outcomes = state.conduct.outcomes
        if not state.kelly.proven or len(outcomes) % _KELLY_EVERY == 0:
            needed, draws = self.limits.kelly_outcomes, self.limits.kelly_draws
            state.kelly = assess(outcomes, certified=self._certified, needed=needed, draws=draws, seed=self._seed)
        return self._moved(before, state.conduct.halts.get("liquidation", ""))

    def sent(self, time_ms: int, order: Order) -> BreakerChanged | None:
        """An order left the house: messages, repetition, entries of the day (C11)."""
        before, conduct = self.breaker, self._state.conduct
        conduct.sent(time_ms, order, self.limits)
        return self._moved(before, "; ".join(conduct.halts.values()))

    def freeze(self, cause: str, reason: str) -> None:
        """No entries while this cause holds; reductions and breakers are not touched."""
        self._state.frozen[cause] = reason

    def thaw(self, cause: str) -> None:
        """This cause is gone."""
        self._state.frozen.pop(cause, None)

    @property
    def frozen(self) -> dict[str, str]:
        """Why there are no entries now, by cause; empty when nothing freezes them."""
        return dict(self._state.frozen)

    def halt(self, cause: str, reason: str) -> BreakerChanged | None:
        """Something no limit foresaw: everything but reductions stops until a person resumes."""
        before = self.breaker
        self._state.conduct.halts.setdefault(cause, reason)
        return self._moved(before, reason)

    def decided(self, symbol: str) -> None:
        """A decision was made on the symbol: entries after it are not repetition."""
        self._state.conduct.decided(symbol)

    def command(self, time_ms: int, command: Command) -> BreakerChanged | None:
        """A person: kill, release, resume. Other commands are not the kernel's."""
        before, reason = self.breaker, ""
        if isinstance(command, EngageKill):
            reason = self._state.killed = f"kill switch engaged by {command.by}: {command.reason}"
        elif isinstance(command, ReleaseKill):
            self._state.killed = ""
            reason = f"kill switch released by {command.by}: {command.reason}"
        elif isinstance(command, ResumeTrading):
            self._nav.resume(self.limits)
            self._state.conduct.resume()
            reason = f"resumed by {command.by}: {command.reason}"
        return self._moved(before, reason)

    def listed(self, instrument: Instrument) -> None:
        """The filters of an instrument as known from now on."""
        self._instruments[instrument.symbol] = instrument

    def _moved(self, before: Breaker, reason: str) -> BreakerChanged | None:
        now = self.breaker
        return None if now is before else BreakerChanged(now, reason)

    # ---- what can be seen ----

    @property
    def breaker(self) -> Breaker:
        return self._state.breaker

    @property
    def kelly(self) -> Kelly:
        """UNPROVEN or proven, and on how many outcomes (Q1)."""
        return self._state.kelly

    @property
    def nav(self) -> float:
        """Money per unit; 1.0 at the start."""
        return self._nav.nav()

    @property
    def losses_in_row(self) -> int:
        return self._state.conduct.losses_in_row

    def drawdown(self, equity: int) -> float:
        """1 - NAV / peak NAV."""
        return self._nav.drawdown(equity)

    def day_loss(self, time_ms: int, equity: int) -> float:
        """Loss since 00:00 UTC as a fraction of the day's opening."""
        lost, opening = self._nav.today(time_ms, equity)
        return lost / opening if opening > 0 else 0.0

    def headroom(self) -> tuple[Headroom, ...]:
        """Every limit's line for the screen, in their order; figures are those of the last review."""
        rows = [(limit.NAME, self._state.tallies.get(limit.NAME, Tally())) for limit in self._registry]
        return tuple(
            Headroom(name, t.used, t.bound, t.last_fired_ms or None, t.fired, t.bound_size, t.would_have_fired)
            for name, t in rows
        )

    def snapshot(self) -> State:
        """A copy of everything remembered."""
        return msgspec.msgpack.decode(msgspec.msgpack.encode(self._state), type=State)

    def restore(self, state: State) -> None:
        """Go on from a snapshot, which is copied."""
        self._state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State)
        self._nav = self._state.nav

    def _tally(self, lines: tuple[CapLine, ...], smallest: int, named: str, time_ms: int, bound: str = "") -> None:
        tallies = self._state.tallies
        for line in lines:
            tally = tallies.get(line.limit)
            if tally is None:
                tally = tallies[line.limit] = Tally()
            tally.used, tally.bound = line.used, line.bound
            if line.limit == named:
                tally.fired += 1
                tally.last_fired_ms = time_ms
            elif line.steps < smallest:
                tally.would_have_fired += 1
            elif line.limit == bound:
                tally.bound_size += 1


def _too_small(entry: Ask, steps: int) -> str:
    shown, least = entry.instrument.size_text(steps), entry.instrument.size_text(entry.smallest)
    return f"{shown} {entry.instrument.base} is left of the size, under the smallest order of {least}"
