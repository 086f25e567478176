"""The portfolio: exact sums under random fills, double entry, marks, trades, and the same figures as the venue."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.commands import Transfer
from aister.core.errors import MoneyOverflow, UsageError
from aister.core.events import FundingPaid, OrderFilled
from aister.core.trade import Fill, FillKind, OrderType, Side
from aister.portfolio import Account, Portfolio
from aister.sim import SimVenue
from tests.sim.market import MINUTE_MS, MONEY, instrument, order, plain_model, walk

UNIT = 10_000


def portfolio(capital: int = 10_000, **options: bool) -> Portfolio:
    made = Portfolio("alice", capital * MONEY, **options)
    made.list_instrument(instrument())
    made.list_instrument(instrument("ETHUSDT"))
    return made


def fill(
    side: int,
    steps: int,
    ticks: int,
    fee: int = 0,
    *,
    symbol: str = "BTCUSDT",
    time_ms: int = 1,
    liquidation: bool = False,
) -> OrderFilled:
    kind = FillKind.LIQUIDATION if liquidation else FillKind.TRADE
    return OrderFilled(
        time_ms, Fill(time_ms, symbol, "c", "i", "entry", Side(side), steps, ticks, fee, False, kind), True
    )


def paid(amount: int, symbol: str = "BTCUSDT") -> FundingPaid:
    return FundingPaid(1, symbol, amount, 10_000, 1, 1, True)


EVENTS = st.lists(
    st.one_of(
        st.builds(
            fill,
            st.sampled_from([-1, 1]),
            st.integers(1, 500),
            st.integers(900_000, 1_100_000),
            st.integers(0, 10**9),
            symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"]),
            liquidation=st.booleans(),
        ),
        st.builds(paid, st.integers(-(10**9), 10**9), st.sampled_from(["BTCUSDT", "ETHUSDT"])),
        st.builds(Transfer, st.just("alice"), st.integers(1, 10**11)),
    ),
    max_size=30,
)


@given(events=EVENTS, mark=st.integers(900_000, 1_100_000))
@settings(max_examples=100)
def test_every_sum_is_exact(events: list[OrderFilled | FundingPaid | Transfer], mark: int) -> None:
    made = portfolio(10**7, keep_entries=True)  # more than any of these fills can lose: units always have a price
    cash = 10**7 * MONEY
    held = {"BTCUSDT": 0, "ETHUSDT": 0}
    pnl = 0
    for event in events:
        closing = made.apply(event)
        if isinstance(event, OrderFilled):
            f = event.fill
            cash -= f.side * f.steps * f.price_ticks * UNIT + f.fee
            held[f.symbol] += f.side * f.steps
        else:
            cash += event.amount if isinstance(event, Transfer) else -event.amount
        if closing is not None:
            pnl += closing.pnl
            gained = (closing.exit_value - closing.entry_cost) * closing.side
            assert closing.pnl == gained - closing.fees - closing.funding
        account, balances = made.account(), made.ledger.balances()
        assert account["wallet"] == account["transfers"] + account["realised"] - account["fees"] - account["funding"]
        assert sum(balances.values()) == 0
        assert made.wallet == account["wallet"] == balances[Account.WALLET]
        assert account["realised"] == -balances[Account.REALISED]
        assert account["transfers"] == -balances[Account.TRANSFERS]
        assert account["funding"] == balances[Account.FUNDING]
        assert account["fees"] == balances[Account.FEES] + balances[Account.LIQUIDATION]
        assert account["liquidation_fees"] == balances[Account.LIQUIDATION]
        for symbol, steps in held.items():
            holding = made.holding(symbol)
            assert holding.steps == steps
            assert steps != 0 or (holding.cost, holding.unrealised) == (0, 0)
    for symbol in held:
        made.mark(symbol, mark / 10)
    assert made.equity == cash + sum(steps * mark * UNIT for steps in held.values())
    assert made.gross == sum(abs(steps) * mark * UNIT for steps in held.values())
    assert made.net == sum(steps * mark * UNIT for steps in held.values())
    assert made.wallet == sum(entry.amount for entry in made.ledger.entries)
    if not any(held.values()) and not any(isinstance(e, FundingPaid) for e in events):
        assert made.wallet == made.account()["transfers"] + pnl


def test_a_trade_from_entry_to_exit_by_hand() -> None:
    """0.1 at 100,000 and 0.1 at 101,000 (20,100 paid), funding 2, 0.15 out at 102,000, 0.05 at 99,000 (20,250 got).
    Fees 4, profit 150 - 4 - 2 = 144."""
    made = portfolio()
    assert made.apply(fill(1, 100, 1_000_000, MONEY, time_ms=5)) is None
    assert made.apply(fill(1, 100, 1_010_000, MONEY, time_ms=6)) is None
    made.mark("BTCUSDT", 101_500.0)
    assert made.unrealised == 200 * MONEY  # 20,300 - 20,100
    assert made.exposure("BTCUSDT") == 20_300 * MONEY
    made.apply(paid(2 * MONEY))
    assert made.apply(fill(-1, 150, 1_020_000, MONEY, time_ms=7)) is None
    closing = made.apply(fill(-1, 50, 990_000, MONEY, time_ms=8))
    assert closing is not None
    assert (closing.side, closing.opened_ms, closing.closed_ms, closing.steps) == (Side.BUY, 5, 8, 200)
    assert (closing.entry_cost, closing.exit_value) == (20_100 * MONEY, 20_250 * MONEY)
    assert (closing.fees, closing.funding, closing.pnl) == (4 * MONEY, 2 * MONEY, 144 * MONEY)
    assert made.equity == made.wallet == 10_144 * MONEY
    assert made.positions == {}
    assert made.position("BTCUSDT").side is None


def test_a_fill_that_flips_ends_one_trade_and_begins_the_next() -> None:
    made = portfolio()
    made.apply(fill(1, 100, 1_000_000))
    closing = made.apply(fill(-1, 150, 1_010_000, 3 * MONEY, time_ms=9))
    assert closing is not None
    assert (closing.steps, closing.fees, closing.pnl) == (100, 2 * MONEY, 98 * MONEY)
    holding = made.holding("BTCUSDT")
    assert (holding.steps, holding.cost, holding.fees, holding.opened_ms) == (-50, -5_050 * MONEY, MONEY, 9)
    assert made.exposure("BTCUSDT") == -5_050 * MONEY
    assert made.positions["BTCUSDT"].side == Side.SELL


def test_marks_touch_open_positions_only() -> None:
    made = portfolio()
    made.mark("BTCUSDT", 1.0)
    made.mark("unheard of", 1.0)
    assert made.equity == 10_000 * MONEY


def test_it_agrees_with_the_venue_that_filled_it() -> None:
    rng = np.random.default_rng(2)
    venue = SimVenue(base_interval_ms=MINUTE_MS, model=plain_model())
    made = portfolio(100_000)
    venue.list_instrument(instrument())
    venue.deposit(100_000 * MONEY)
    seen = 0
    for number, bar in enumerate(walk(2, 400)):
        venue.open([bar])
        venue.rest([bar])
        at = round(bar.close * 10) + int(rng.integers(-300, 301))
        kind = OrderType.LIMIT if number % 3 else OrderType.MARKET
        venue.send(
            order(f"o{number}", int(rng.choice([-1, 1])), kind, int(rng.integers(1, 800)), at=at if number % 3 else 0),
            bar.time_ms,
        )
        for report in venue.take_reports():
            if isinstance(report, OrderFilled):
                seen += 1
                made.apply(report)
        assert made.account() == venue.account()
        assert made.holding("BTCUSDT").cost == venue.position("BTCUSDT").cost
    assert seen > 100


def test_transfers_change_no_nav_per_unit() -> None:
    rng = np.random.default_rng(4)
    made, still = portfolio(), portfolio()
    for _ in range(300):
        event = fill(
            int(rng.choice([-1, 1])), int(rng.integers(1, 20)), 1_000_000 + int(rng.integers(-5_000, 5_000)), MONEY
        )
        made.apply(event)
        before = made.nav_per_unit
        amount = int(rng.integers(-made.equity // 2, made.equity // 2))
        made.apply(Transfer("alice", amount))
        assert made.nav_per_unit == before
        assert Fraction(made.equity) == made.wallet + made.unrealised
    assert still.nav_per_unit == 1.0


def test_what_it_refuses() -> None:
    made = portfolio()
    with pytest.raises(UsageError, match="withdraw less"):
        made.apply(Transfer("alice", -10_000 * MONEY))
    assert made.wallet == 10_000 * MONEY
    with pytest.raises(UsageError, match="not listed"):
        made.apply(fill(1, 1, 1, symbol="XUSDT"))
    made.apply(fill(1, 1, 1_000_000))
    with pytest.raises(UsageError, match="close the position"):
        made.list_instrument(instrument(tick_e8=1_000_000, unit=1_000))
    with pytest.raises(MoneyOverflow):
        made.apply(fill(1, 2_999_999_999, 10**7))
    with pytest.raises(UsageError, match="capital"):
        Portfolio("bob", 0)
