"""The decision hash and the trades hash: what changes them, what must not, and where two runs part."""

import random
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.store.memory import MemoryJournal
from aister.analytics.hashes import Hashes, first_difference, hashes_of
from aister.core.audit import Audit, Reviewed, TradeClosed
from aister.core.events import BarClosed, DecisionMade, FundingPaid, OrderAccepted, OrderFilled
from aister.core.trade import FillKind
from tests.stories import START_MS, audits, bar, bars, decision, fill, intent, trade


def both(found: Hashes) -> tuple[str, str]:
    return found.decision_hash, found.trades_hash


def changed(story: list[Audit], kind: type, **changes: object) -> list[Audit]:
    """The story with the fields of its first event of that kind changed."""
    done = False
    result = []
    for audit in story:
        event = audit.event
        if isinstance(event, kind) and not done:
            event, done = msgspec.structs.replace(event, **changes), True
        result.append(Audit(audit.sequence, event, audit.outputs))
    assert done
    return result


def test_the_same_story_has_the_same_hashes_and_every_kind_of_line() -> None:
    one, other = hashes_of(trade()), hashes_of(trade())
    assert both(one) == both(other) and first_difference(one, other) is None
    kinds = {msgspec.json.decode(line)[3] for line in one.lines()}
    assert kinds == {
        "proposal",
        "statement",
        "timing",
        "verdict",
        "ballot",
        "intent",
        "approved",
        "fill",
        "funding",
        "close",
    }
    assert [msgspec.json.decode(line)[3] for line in one.trade_lines()] == ["fill", "funding", "fill"]


def test_what_transport_adds_changes_nothing() -> None:
    """Client ids, acknowledgements, more bars, other sequence numbers and the words of an argument."""
    plain = hashes_of(trade())
    assert both(hashes_of(trade(client_id="other-7"))) == both(plain)
    assert both(hashes_of(trade(argument="the same figures in other words"))) == both(plain)
    without = [a for a in trade() if not isinstance(a.event, OrderAccepted)]
    renumbered = [Audit(1_000 + n, a.event, a.outputs) for n, a in enumerate(without)]
    assert both(hashes_of(renumbered)) == both(plain)
    assert both(hashes_of([*bars(500), *trade()])) == both(plain)


@given(st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_the_order_of_arrival_does_not_matter(chance: random.Random) -> None:
    mixed = trade()
    chance.shuffle(mixed)
    assert both(hashes_of(mixed)) == both(hashes_of(trade()))


@pytest.mark.parametrize(
    ("what", "trades_too"),
    [
        ("arrival", False),
        ("feature", False),
        ("granted", False),
        ("refusal reason", False),
        ("purpose", False),
        ("close", False),
        ("fill price", True),
        ("fee", True),
        ("liquidation", True),
        ("funding", True),
    ],
)
def test_whatever_is_decided_changes_the_decision_hash(what: str, trades_too: bool) -> None:
    story = trade()
    plain = hashes_of(story)
    if what == "arrival":
        other = changed(story, DecisionMade, time_ms=START_MS + 5 * 60_000 + 251)
    elif what == "feature":
        other = changed(story, DecisionMade, decision=decision(rsi=0.3))
    elif what in ("granted", "refusal reason"):
        new = (
            Reviewed(intent(), 11, "risk per trade", "", ())
            if what == "granted"
            else Reviewed(intent(), 0, "x", "y", ())
        )
        swap = [tuple(new if isinstance(o, Reviewed) else o for o in a.outputs) for a in story]
        other = [Audit(a.sequence, a.event, outputs) for a, outputs in zip(story, swap, strict=True)]
    elif what == "close":
        swap = [
            tuple(msgspec.structs.replace(o, pnl=1) if isinstance(o, TradeClosed) else o for o in a.outputs)
            for a in story
        ]
        other = [Audit(a.sequence, a.event, outputs) for a, outputs in zip(story, swap, strict=True)]
    elif what == "funding":
        other = changed(story, FundingPaid, amount=8)
    else:
        change = {
            "purpose": {"purpose": "close"},
            "fill price": {"price_ticks": 940_011},
            "fee": {"fee": 4_513},
            "liquidation": {"kind": FillKind.LIQUIDATION},
        }[what]
        other = changed(story, OrderFilled, fill=fill(**change))
    assert hashes_of(other).decision_hash != plain.decision_hash
    assert (hashes_of(other).trades_hash != plain.trades_hash) == trades_too


def test_floats_are_their_shortest_round_trip() -> None:
    lines = [line for line in hashes_of(trade()).lines() if '"statement"' in line]
    assert '["15m.rsi_14",0.30000000000000004]' in lines[0]


def test_first_difference_names_the_line() -> None:
    left, right = hashes_of(trade()), hashes_of(changed(trade(), FundingPaid, amount=8))
    found = first_difference(left, right)
    assert found is not None and found.left is not None and found.right is not None
    assert '"funding",7,' in found.left and '"funding",8,' in found.right
    assert left.lines()[found.number] == found.left
    longer = first_difference(left.lines(), [*left.lines(), "one more"])
    assert longer is not None and longer.left is None and longer.right == "one more"


def test_a_batch_loop_without_audits_reaches_the_same_trades_hash() -> None:
    batch = Hashes()
    for audit in trade():
        if isinstance(audit.event, OrderFilled):
            batch.fill(msgspec.structs.replace(audit.event.fill, intent_id="", purpose="", client_id=""))
        elif isinstance(audit.event, FundingPaid):
            batch.funding(audit.event)
    assert batch.trades_hash == hashes_of(trade()).trades_hash


def test_bars_leave_nothing_and_cost_little() -> None:
    found = Hashes()
    plain = audits([bar(n) for n in range(50_000)])
    began = time.process_time()
    for audit in plain:
        found.observe(audit)
    print(f"observe: {(time.process_time() - began) / len(plain) * 1e6:.3f} us per bar")
    assert found.lines() == [] and all(isinstance(a.event, BarClosed) for a in plain)


def test_the_journal_hash_follows_every_record() -> None:
    def head(story: list[Audit], owner: str = "local") -> str:
        journal = MemoryJournal(owner, "abc", "run")
        for audit in story:
            journal.append(audit)
        assert journal.sequence == len(story)
        return journal.head

    assert head(trade()) == head(trade()) != head(trade(client_id="other"))
    assert head([]) != head([], owner="somebody else")
