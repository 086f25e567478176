"""What should rest at the venue, as intents and cancels: a pure function of the position, its bracket and live orders.

Never cancel first: a better stop is placed beside the old one, which is cancelled when the new one is accepted (Q28).
"""

import msgspec

from aister.core.council import Proposal, Target
from aister.core.permission import Intent
from aister.core.trade import OrderType, Purpose, Side
from aister.execution.bracket import Bracket, split_targets
from aister.execution.orders import OrderBook

__all__ = [
    "add_intent",
    "added_intents",
    "again",
    "close_intent",
    "guard_intent",
    "obsolete",
    "sized_stop_intent",
    "stop_intent",
    "superseded_stops",
    "target_id",
    "target_intents",
]


def entry_intent(proposal: Proposal, factor_e4: int, reference_ticks: int, leg: int) -> Intent:
    """What a proposal wants to enter: as much as risk allows, shrunk by the council's factor."""
    limit = proposal.entry_type is OrderType.LIMIT
    return Intent(
        id=f"{proposal.setup_id}-entry",
        symbol=proposal.symbol,
        purpose=Purpose.ENTRY,
        side=proposal.side,
        type=proposal.entry_type,
        steps=0,
        price_ticks=proposal.entry_ticks if limit else reference_ticks,
        trigger_ticks=0,
        stop_ticks=proposal.stop_ticks,
        size_factor_e4=factor_e4,
        reduce_only=False,
        close_position=False,
        leg=leg,
    )


def stop_intent(bracket: Bracket) -> Intent:
    """The protective stop: STOP_MARKET, closePosition, so that partial fills and targets need no resize."""
    return _stop(f"{bracket.setup_id}-stop", bracket.symbol, bracket.side, bracket.stop_ticks, bracket.leg)


def sized_stop_intent(bracket: Bracket, steps: int) -> Intent:
    """The same stop for exactly so many steps, reduce-only: where a venue takes only one that closes the position."""
    stop = stop_intent(bracket)
    return msgspec.structs.replace(stop, id=f"{stop.id}-{steps}", steps=steps, reduce_only=True, close_position=False)


def guard_intent(proposal: Proposal, leg: int) -> Intent:
    """The same stop before there is anything to protect: it rests while the entry is sent (C6)."""
    return _stop(f"{proposal.setup_id}-guard", proposal.symbol, proposal.side, proposal.stop_ticks, leg)


def _stop(name: str, symbol: str, side: Side, ticks: int, leg: int) -> Intent:
    return Intent(
        id=f"{name}@{ticks}",
        symbol=symbol,
        purpose=Purpose.STOP,
        side=side.opposite,
        type=OrderType.STOP_MARKET,
        steps=0,
        price_ticks=0,
        trigger_ticks=ticks,
        stop_ticks=0,
        size_factor_e4=10_000,
        reduce_only=False,
        close_position=True,
        leg=leg,
    )


def again(intent: Intent, number: int) -> Intent:
    """The same once more, under an id of its own: what was refused or is lost is never sent again as it was."""
    return msgspec.structs.replace(intent, id=f"{intent.id}~{number}")


def target_intents(bracket: Bracket, steps: int, *, limit: bool = False) -> list[Intent]:
    """Reduce-only take-profits (or limits) that together close exactly `steps`."""
    return _targets(bracket, bracket.targets, steps, "", limit)


def added_intents(bracket: Bracket, steps: int, *, limit: bool = False) -> list[Intent]:
    """The same for what a further entry added: at the targets that are still ahead."""
    return _targets(bracket, bracket.ahead, steps, f"-add{bracket.added}", limit)


def add_intent(bracket: Bracket, steps: int, mark_ticks: int, stop_ticks: int) -> Intent:
    """Enter up to `steps` more at market, the whole protected at `stop_ticks`."""
    return Intent(
        id=f"{bracket.setup_id}-add{bracket.added + 1}",
        symbol=bracket.symbol,
        purpose=Purpose.ENTRY,
        side=bracket.side,
        type=OrderType.MARKET,
        steps=steps,
        price_ticks=mark_ticks,
        trigger_ticks=0,
        stop_ticks=stop_ticks,
        size_factor_e4=10_000,
        reduce_only=False,
        close_position=False,
        leg=bracket.leg,
    )


def target_id(bracket: Bracket, ticks: int, which: str = "") -> str:
    """The intent of a target, of the first entry or `which` further one."""
    return f"{bracket.setup_id}{which}-target@{ticks}"


def _targets(bracket: Bracket, targets: list[Target], steps: int, which: str, limit: bool) -> list[Intent]:
    return [
        Intent(
            id=target_id(bracket, ticks, which),
            symbol=bracket.symbol,
            purpose=Purpose.TARGET,
            side=bracket.side.opposite,
            type=OrderType.LIMIT if limit else OrderType.TAKE_PROFIT_MARKET,
            steps=part,
            price_ticks=ticks if limit else 0,
            trigger_ticks=0 if limit else ticks,
            stop_ticks=0,
            size_factor_e4=10_000,
            reduce_only=True,
            close_position=False,
            leg=bracket.leg,
        )
        for ticks, part in split_targets(targets, steps)
    ]


def close_intent(symbol: str, position_side: Side, steps: int, mark_ticks: int, cause: str, leg: int = 0) -> Intent:
    """Close what is held (hedged: on this leg) at market, reduce-only."""
    return Intent(
        id=f"{cause}-close",
        symbol=symbol,
        purpose=Purpose.CLOSE,
        side=position_side.opposite,
        type=OrderType.MARKET,
        steps=steps,
        price_ticks=mark_ticks,
        trigger_ticks=0,
        stop_ticks=0,
        size_factor_e4=10_000,
        reduce_only=True,
        close_position=False,
        leg=leg,
    )


def superseded_stops(book: OrderBook, accepted_id: str) -> list[str]:
    """Stops that a newly accepted one replaces: those sent before it (a newer one may still be on its way)."""
    sent = [w.order.client_id for w in book.of(Purpose.STOP)]
    return sent[: sent.index(accepted_id)] if accepted_id in sent else []


def obsolete(book: OrderBook) -> list[str]:
    """Orders with nothing left to protect or reduce once the position is flat: everything but an entry."""
    return [w.order.client_id for p in (Purpose.STOP, Purpose.TARGET, Purpose.CLOSE) for w in book.of(p)]
