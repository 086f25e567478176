"""Random order streams: the reference and the compiled step say the same, report by report, to the unit.

Compared after every phase: fills with their fees, funding, what expired, wallet, positions and their cost, slippage,
working orders and ambiguous bars (`tests.reference.drive.Pair.compare`). `python -m tests.reference.campaign` runs
as many as one has time for.
"""

import pytest

from tests.reference.models import CASES, run

SEEDS = 6


@pytest.mark.parametrize("name", CASES)
def test_reference_and_venue_agree(name: str) -> None:
    """Six streams of 60 bars and some 80 orders through each fill model."""
    fills = liquidations = orders = 0
    for seed in range(SEEDS):
        both = run(name, seed)
        fills, liquidations = fills + both.fills, liquidations + both.liquidations
        orders += both.sent
    assert orders > 300 and fills > 100
    if "leverage 100" in name or "cross" in name:
        assert liquidations > 0
