"""`aister bench latency`: its clients do what they are timed for, and what it prints is judged by its own aim."""

import statistics

from aister.bench.latency import answering, child, decoding, signing


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
