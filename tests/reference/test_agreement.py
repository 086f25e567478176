"""Random order streams: the reference and the compiled step say the same, report by report, to the unit.

Compared after every phase: fills with their fees, funding, what expired, wallet, position and its cost, slippage,
working orders and ambiguous bars (`tests.reference.drive.Pair.compare`).
"""

import pytest

from tests.reference.streams import stream


@pytest.mark.parametrize("seed", range(40))
def test_one_account_one_symbol(seed: int) -> None:
    """60 bars and about 80 orders a stream: market, limit, stop and take-profit, reducing, closing and neither."""
    assert stream(seed, 60).fills > 0
