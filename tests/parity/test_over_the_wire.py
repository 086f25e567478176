"""The same run on a venue in its own process and over the wire, behind barriers: record = wire (quant Q2, Q3)."""

from typing import Literal

import pytest

from aister.analytics.hashes import first_difference
from aister.sim.models import FillModel
from tests.parity.runs import DAY_MS, SAMPLE_START_MS, settings
from tests.parity.wired import on_record, over_the_wire

Policy = Literal["stop_first", "ohlc_path", "lower_timeframe"]


@pytest.mark.parametrize("policy", ["stop_first", "ohlc_path", "lower_timeframe"])
def test_record_and_wire_decide_alike(policy: Policy) -> None:
    asked, model = settings(9, start_ms=SAMPLE_START_MS + 8 * DAY_MS), FillModel(intrabar=policy)
    record, (wire, _) = on_record(asked, model), over_the_wire(asked, model)
    assert first_difference(record, wire) is None
    assert wire.decision_hash == record.decision_hash
    assert wire.trades_hash == record.trades_hash
    assert len(record.trade_lines()) > 10
