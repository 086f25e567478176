"""`aister bench latency`: its clients do what they are timed for, and what it prints is judged by its own aim."""

import statistics

import pytest

from aister.bench.latency import answering, child, decoding, measure, passes, signing
from aister.bench.through import STAGES, Notes
from checks.results import measuring
from tests.deciding import deciding


def test_clients_place_orders_and_hear_every_frame_of_a_burst() -> None:
    with answering() as port:
        ping, ours = child("ping", port, 20), child("ours", port, 20)
        burst = child("burst", port, 3_000)
    assert len(ping) == len(ours) == 20
    assert 0 < statistics.median(ping) < statistics.median(ours) < 1_000_000
    assert burst["in_order"] == 3_000 and burst["cpu_s"] > 0


def test_signing_and_decoding_stand_beside_a_reference() -> None:
    for figure in (*signing(quick=True), *decoding(quick=True)):
        assert figure.reference and figure.ratio == figure.value / figure.reference
    (decoded,) = decoding(quick=True)
    assert ("met" in decoded.note) == (decoded.value >= 80_000)


def test_the_stages_of_a_pass_lie_one_behind_the_other_and_add_up() -> None:
    """What is noted of a pass that sends nothing is forgotten; a signature of before the order was handed on is not
    its own."""
    notes = Notes(1)
    for stage in STAGES[:-1]:
        notes.note(stage)  # no frame yet
    notes.begin()
    for stage in ("released", "signed", "decided", "journaled", "decided", "journaled", "handed_on"):
        notes.note(stage)
    notes.end()
    assert notes.kept == []  # its own signature is not there yet
    for stage in ("decided", "signed"):
        notes.note(stage)
    notes.end()
    notes.begin()
    notes.note("released")
    notes.end()
    assert len(notes.kept) == 1 and not notes.done.is_set()
    assert len(notes.kept[0]) == len(STAGES) and min(notes.kept[0]) >= 0


def test_a_whole_trader_sends_orders_signed_either_way() -> None:
    """Stream, engine with every limit, journal, gateway, watcher and signer process before the simulated exchange."""
    told = passes(2, days=10)
    assert not told["why"] and told["durability"]
    for kept in (told["passes"], told["inside"]):
        assert len(kept) >= 2
        assert all(len(one) == len(STAGES) and min(one) >= 0 for one in kept)


@pytest.mark.campaign
def test_campaign_order_latency() -> None:
    paths = deciding("adapters", "execution", "app", "bench/latency.py", "bench/through.py", "bench/trips.py")
    with measuring("latency", command="make campaign CAMPAIGN_ARGS='-k order_latency'", seeds=[1], paths=paths) as out:
        whole = ""
        for figure in measure(quick=False):
            name = figure.name.replace(",", "").strip().replace(" ", "_")
            if figure.name.startswith("  "):
                name = f"{whole}_{name}"
            else:
                whole = name
            out[f"{name}_p99" if figure.unit == "us p99" else name] = round(figure.value)
            if figure.ratio is not None:
                out[f"{name}_ratio"] = round(figure.ratio, 2)
    assert out["frame_to_signed_order"] > 0 and out["a_burst_over_a_websocket"] > 0
