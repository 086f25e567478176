"""From rules to result: what is measured of a run, and what is counted."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from aister.adapters.store.trials import SqliteTrials
from aister.analytics.backtested import trade_rows
from aister.app.backtests import market_of
from aister.core.errors import UsageError
from aister.core.money import UNIT
from aister.lab.backtest import Backtest, Record, backtest_spec, traded
from aister.lab.code import code_hash
from aister.lab.settings import Settings, managed, model_of, plan_of
from aister.ports.market import Market
from aister.strategy.templates import template

DRIVE = template("kill_zone_open_drive")
QUICK = Settings(random_draws=5)


@pytest.fixture(scope="module")
def market() -> Market:
    return market_of("sample", symbols=("BTCUSDT",), start_ms=1_746_835_200_000, end_ms=1_747_180_800_000)


@pytest.fixture(scope="module")
def result(market: Market) -> Backtest:
    return backtest_spec(DRIVE, market, msgspec.structs.replace(QUICK, fills=True), Record())


def test_the_money_adds_up(result: Backtest) -> None:
    f, trades = result.performance.figures, result.trades
    assert f.trades == len(trades) > 2 and not any(result.held.values())
    assert f.before_costs - f.slippage - f.fees - f.funding == pytest.approx(f.net_pnl, abs=1e-7)
    assert f.net_pnl == pytest.approx(trades["pnl"].sum() / UNIT, abs=1e-7)
    assert int(result.equity[-1] - result.capital) == int(trades["pnl"].sum())
    assert result.fills is not None and int(result.fills["fee"].sum()) == int(trades["fees"].sum())
    assert f.fees > 0 and f.slippage > 0


def test_the_printed_prices_of_a_trade_that_left_in_parts_give_its_profit(result: Backtest) -> None:
    rows = trade_rows(result)
    parts = [int((result.fills["trade"] == at).sum()) for at in range(len(rows))] if result.fills is not None else []
    assert max(parts) > 2, "a trade must have left in parts"
    for row in rows:
        side = 1 if row["side"] == "long" else -1
        gross = side * (row["exit_price"] - row["entry_price"]) * row["size"]
        assert gross - row["fees"] - row["funding"] == pytest.approx(row["pnl"], abs=1e-6)


def test_the_same_inputs_make_the_same_trades(market: Market, result: Backtest) -> None:
    again = backtest_spec(DRIVE, market, QUICK, Record())
    assert again.trades_digest == result.trades_digest and again.trial_id == result.trial_id
    assert again.performance == result.performance and again.fills is None
    other = backtest_spec(DRIVE, market, msgspec.structs.replace(QUICK, delay_bars=1), Record())
    assert other.trades_digest != result.trades_digest and other.trial_id != result.trial_id


def test_every_look_is_counted_once(market: Market, tmp_path: Path) -> None:
    record = Record(trials=SqliteTrials(tmp_path), data="sample")
    assert backtest_spec(DRIVE, market, QUICK, record).trials == 1
    assert backtest_spec(DRIVE, market, QUICK, record).trials == 1, "the same look is one trial"
    wider = msgspec.structs.replace(DRIVE, sizing=msgspec.structs.replace(DRIVE.sizing, risk_e8=300_000))
    second = backtest_spec(wider, market, QUICK, record)
    assert second.trials == 2 and second.performance.deflation is not None
    assert second.performance.deflation.trials == 2
    assert backtest_spec(DRIVE, market, QUICK, Record()).trials == 0, "without a ledger nobody counts"


def test_costs_hurt(market: Market, result: Backtest) -> None:
    free = msgspec.structs.replace(QUICK.model, fees=msgspec.structs.replace(QUICK.model.fees, scale_e4=0), impact=None)
    cheap = backtest_spec(DRIVE, market, msgspec.structs.replace(QUICK, model=free), Record())
    assert cheap.performance.figures.fees == 0.0
    assert cheap.performance.figures.net_pnl > result.performance.figures.net_pnl


def test_what_the_spec_says_goes_into_plan_and_model() -> None:
    sizing = msgspec.structs.replace(DRIVE.sizing, risk_e8=250_000, notional_e8=50_000_000, leverage=7)
    spec = msgspec.structs.replace(DRIVE, sizing=sizing)
    plan = plan_of(spec, Settings(delay_bars=2))
    assert (plan.risk_e8, plan.cap_e8, plan.delay_bars) == (250_000, 50_000_000, 2)
    assert model_of(spec, Settings()).margin.leverage == 7
    assert managed(spec) == plan.management


def test_symbols_that_are_not_there_are_told(market: Market) -> None:
    named = msgspec.structs.replace(DRIVE, symbols=("BTCUSDT", "ETHUSDT"))
    with pytest.raises(UsageError, match="trades ETHUSDT, and the data hold BTCUSDT"):
        traded(named, market)
    assert traded(msgspec.structs.replace(DRIVE, symbols=("BTCUSDT",)), market).symbols == ("BTCUSDT",)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"capital": 0}, "--capital"),
        ({"delay_bars": -1}, "--delay"),
        ({"seed": -1}, "--seed"),
        ({"random_draws": 100_001}, "--random-draws"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Settings(**wrong).check()


def test_the_origin_says_what_decided(result: Backtest, market: Market) -> None:
    origin = result.origin
    assert (origin.kind, origin.name, origin.timeframe) == ("spec", DRIVE.name, "15m")
    assert origin.data_hash == market.data_hash and origin.code_hash == code_hash()
    assert re.fullmatch("[0-9a-f]{64}", origin.spec_hash) and re.fullmatch("[0-9a-f]{64}", origin.code_hash)
    assert origin.settings["capital"] == "10000.00 USDT" and {"numpy", "numba", "python"} <= origin.versions.keys()
    assert np.all(np.diff(result.equity_ms) > 0) and result.equity[0] == result.capital


def test_a_notebook_shows_the_page_in_a_closed_frame(result: Backtest) -> None:
    shown = result._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and shown.endswith(" sandbox></iframe>")
    assert shown.count("<") == 2, "the page itself is escaped"
    assert "kill_zone_open_drive on BTCUSDT" in repr(result)
