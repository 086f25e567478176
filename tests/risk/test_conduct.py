"""How a trader behaves, whatever its money says: pace, repetition, losses in a row, liquidations."""

from aister.core.audit import Breaker
from aister.core.commands import ResumeTrading
from aister.core.money import money
from aister.core.permission import Intent
from aister.core.trade import OrderType, Purpose, Side
from tests.risk.world import DAY, HOUR, NOON, closed, entry, granted, kernel, order


def test_using_up_the_burst_halts_until_a_person_resumes() -> None:
    one = kernel()
    changes = []
    for _ in range(11):
        one.decided("BTCUSDT")
        changes.append(one.sent(NOON, order()))
    assert [change is not None for change in changes] == [False] * 9 + [True, False]
    changed = changes[9]
    assert changed is not None and changed.state is Breaker.HALTED and "burst of 10" in changed.reason
    assert one.mark(NOON + DAY, money(10_000)) is None and one.breaker is Breaker.HALTED
    resumed = one.command(NOON + DAY, ResumeTrading("ann", "fixed"))
    assert resumed is not None and resumed.state is Breaker.ACTIVE
    assert granted(one, entry(), time_ms=NOON + DAY) == 20


def test_five_entries_a_second_are_a_sustainable_pace() -> None:
    """The bucket refills as fast as it is used: it is the minute that ends it, at its 60th."""
    one = kernel()
    halted_at = None
    for i in range(100):
        one.decided("BTCUSDT")
        if one.sent(NOON + 200 * i, order()) is not None:
            halted_at = i + 1
    assert halted_at == 60


def test_an_entry_may_bring_its_stop_and_targets() -> None:
    """Nine entries in one instant, each with four protective orders, halt nothing: five times the burst."""
    one = kernel()
    for _ in range(9):
        one.decided("BTCUSDT")
        assert one.sent(NOON, order()) is None
        for purpose in (Purpose.STOP, Purpose.TARGET, Purpose.TARGET, Purpose.TARGET):
            assert one.sent(NOON, order(purpose)) is None
    assert one.breaker is Breaker.ACTIVE


def test_protective_orders_may_keep_up_five_times_the_pace() -> None:
    """25 a second for ten seconds empty nothing that refills as fast; their minute ends at 300."""
    one = kernel()
    halted = [i for i in range(400) if one.sent(NOON + 40 * i, order(Purpose.STOP)) is not None]
    assert halted == [299]


def test_a_runaway_of_protective_orders_halts_entries_and_goes_on_protecting() -> None:
    one = kernel()
    changes = [one.sent(NOON, order(Purpose.STOP)) for _ in range(50)]
    assert [change is not None for change in changes] == [False] * 49 + [True]
    stop = Intent("r", "BTCUSDT", Purpose.STOP, Side.SELL, OrderType.STOP_MARKET, 0, 0, 9, 0, 10_000, False, True)
    assert granted(one, stop, confirmed_steps=5) == 5
    assert granted(one, entry()) == 0


def test_a_decision_ends_repetition_on_its_own_symbol_only() -> None:
    one = kernel()
    for i in range(4):
        one.sent(NOON + i * 60_000, order())
        one.sent(NOON + i * 60_000, order(symbol="ALTUSDT"))
    one.decided("BTCUSDT")
    assert one.sent(NOON + HOUR, order()) is None
    changed = one.sent(NOON + HOUR, order(symbol="ALTUSDT"))
    assert changed is not None and "5 entries ALTUSDT long" in changed.reason


def test_a_win_ends_a_run_of_losses_and_a_zero_does_not() -> None:
    one = kernel()
    runs = []
    for pnl in (-1, -1, 0, -1, 5, -1):
        one.trade_closed(closed(money(pnl)))
        runs.append(one.losses_in_row)
    assert runs == [1, 2, 2, 3, 0, 1]


def test_a_liquidation_halts() -> None:
    changed = kernel().trade_closed(closed(money(-10), reason="liquidation"))
    assert changed is not None and (changed.state, changed.reason) == (Breaker.HALTED, "BTCUSDT was liquidated")
