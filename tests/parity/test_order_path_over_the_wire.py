"""Record = wire also when orders take the real way: gateway, courier, client, and the account's stream back."""

from typing import Literal

import pytest

from aister.analytics.hashes import first_difference
from aister.sim.models import FillModel
from tests.parity.carried import CarriedFloor
from tests.parity.runs import DAY_MS, SAMPLE_START_MS, settings
from tests.parity.wired import on_record, over_the_wire

Policy = Literal["stop_first", "ohlc_path", "lower_timeframe"]


@pytest.mark.parametrize("positions", ["one_way", "hedge"])
@pytest.mark.parametrize("policy", ["stop_first", "ohlc_path", "lower_timeframe"])
def test_record_and_the_real_order_path_decide_alike(policy: Policy, positions: Literal["one_way", "hedge"]) -> None:
    asked = settings(9, start_ms=SAMPLE_START_MS + 8 * DAY_MS)
    model = FillModel(intrabar=policy, position_mode=positions)
    record, (wire, wired) = on_record(asked, model), over_the_wire(asked, model, CarriedFloor)
    assert first_difference(record, wire) is None
    assert (wire.decision_hash, wire.trades_hash) == (record.decision_hash, record.trades_hash)
    assert len(record.trade_lines()) > 10
    floor = wired.floor
    assert isinstance(floor, CarriedFloor)
    carried = {one.client_id for one in wired.books.orders.values() if not one.client_id.startswith("autoclose-")}
    assert len(carried) > 10
    assert all(floor.courier.course(client_id) for client_id in carried)
    assert {trade.leg for trade in wired.books.trades} == ({1, -1} if positions == "hedge" else {0})
